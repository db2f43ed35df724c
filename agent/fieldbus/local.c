/* SPDX-License-Identifier: Apache-2.0 */
#include "fieldbus/local.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "fieldbus/local_internal.h"

/* Devices whose values a program of this machine publishes: their state, and what they say. */

static const struct config_device *device_of(const struct local *l)
{
	return &l->fieldbus->config->devices[l->device];
}

bool bus_is_local(const struct config *config, uint32_t bus)
{
	return config->buses[bus].plugin == &config_plugin_local;
}

static struct local *local_of(const struct fieldbus *f, uint32_t device)
{
	return f->config && device < f->config->n_devices ? f->devices[device].local : NULL;
}

bool fieldbus_is_local(const struct fieldbus *f, uint32_t device)
{
	return f->config && device < f->config->n_devices && bus_is_local(f->config, f->config->devices[device].bus);
}

/* ---- its state ---- */

static void enter_state(struct local *l, enum fieldbus_state state, const char *what)
{
	const struct config_device *d = device_of(l);
	char reason[FIELDBUS_REASON_MAX];

	snprintf(reason, sizeof(reason), "bus %s: device %.100s: %.150s", l->fieldbus->config->buses[d->bus].name,
		 d->name, what);
	device_enter_state(l->fieldbus, l->device, state, reason);
}

/* Any value ends the silence, so the longest one of its points counts (as host/event has it). */
static uint64_t silence_of(const struct local *l)
{
	const struct config_type *type = device_of(l)->type;
	uint64_t longest = 0;

	for (size_t i = 0; i < type->n_points; i++)
		longest = MAX(longest, type->points[i].silence_usec);
	return longest;
}

/* The timer never moves while values come: it looks again when it fires. */
static void silence_due(struct timer *timer, void *userdata)
{
	struct local *l = userdata;
	uint64_t silence = silence_of(l), due = usec_add(l->heard_usec, silence);
	char duration[FORMAT_DOUBLE_MAX], what[128];

	if (silence == 0)
		return;
	if (clock_monotonic_usec() < due) {
		timer_arm(timer, due);
		return;
	}
	snprintf(what, sizeof(what), "nothing was published for %s", format_usec(silence, duration));
	enter_state(l, FIELDBUS_OFFLINE, what);
}

static void arm_silence(struct local *l)
{
	uint64_t silence = silence_of(l);

	if (silence > 0 && !timer_is_armed(&l->silence))
		timer_arm(&l->silence, usec_add(l->heard_usec, silence));
}

void local_begin(struct local *l)
{
	struct fieldbus *f = l->fieldbus;
	char what[160];

	timer_disarm(&l->silence);
	if (bus_is_off(f, device_of(l)->bus)) {
		device_begin(f, l->device);
		return;
	}
	l->heard_usec = clock_monotonic_usec();
	arm_silence(l);
	snprintf(what, sizeof(what), "no program of %.100s has published yet", device_of(l)->owner);
	enter_state(l, FIELDBUS_UNKNOWN, what);
}

void local_pause(struct local *l)
{
	timer_disarm(&l->silence);
	local_writes_end(l, -ECANCELED, "paused");
	device_enter_state(l->fieldbus, l->device, FIELDBUS_PAUSED, "paused");
}

void locals_switch(struct fieldbus *f, uint32_t bus)
{
	char reason[FIELDBUS_REASON_MAX];

	bus_off_text(f, bus, reason, sizeof(reason));
	for (uint32_t i = 0; i < f->config->n_devices; i++) {
		struct local *l = f->devices[i].local;

		if (!l || f->config->devices[i].bus != bus || f->devices[i].paused)
			continue;
		if (bus_is_off(f, bus))
			local_writes_end(l, -ECANCELED, reason);
		local_begin(l);
	}
}

/* ---- life ---- */

int local_new(struct fieldbus *f, uint32_t device, const struct config_type *type, struct local **ret)
{
	struct local *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->points = calloc(type->n_points + 1, sizeof(*l->points));
	if (!l->points) {
		free(l);
		return -ENOMEM;
	}
	l->fieldbus = f;
	l->device = device;
	l->n_points = type->n_points;
	list_init(&l->writes);
	timer_init(&l->silence, f->timers, silence_due, l);
	*ret = l;
	return 0;
}

struct local *local_free(struct local *l)
{
	if (!l)
		return NULL;
	timer_disarm(&l->silence);
	local_writes_end(l, -ECANCELED, "canceled");
	free(l->points);
	free(l);
	return NULL;
}

int locals_attach(struct fieldbus *f, uint32_t bus)
{
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < f->config->n_devices; i++)
		if (f->config->devices[i].bus == bus && f->config->devices[i].enabled)
			r = local_new(f, i, f->config->devices[i].type, &f->devices[i].local);
	return r;
}

void locals_begin(struct fieldbus *f)
{
	for (uint32_t i = 0; i < f->config->n_devices; i++)
		if (f->devices[i].local)
			local_begin(f->devices[i].local);
}

/* ---- what its program says ---- */

/*
 * Times of the wall clock come here by two clocks that are read one after the
 * other, and a program may have looked at its own a moment earlier.
 */
#define BEHIND_USEC USEC_PER_SEC

/* A bucket that holds two seconds' worth. */
static bool take_room(struct local *l, size_t n)
{
	uint64_t now = clock_monotonic_usec();
	uint64_t room = (now - l->filled_usec) * FIELDBUS_LOCAL_RATE_MAX / USEC_PER_SEC;

	if (now - l->filled_usec >= 2 * USEC_PER_SEC || l->room + room > 2 * FIELDBUS_LOCAL_RATE_MAX)
		l->room = 2 * FIELDBUS_LOCAL_RATE_MAX;
	else
		l->room += room;
	/* What is less than one value stays for the next time. */
	if (room > 0)
		l->filled_usec = now;
	if (n > l->room)
		return false;
	l->room -= n;
	return true;
}

static int check_samples(const struct local *l, const struct fieldway_sample *samples, size_t n, size_t *ret_at)
{
	for (size_t i = 0; i < n; i++) {
		if (samples[i].point >= l->n_points)
			return -EINVAL;
		if (usec_add(samples[i].boottime_usec, BEHIND_USEC) >= l->points[samples[i].point].boottime_usec)
			continue;
		*ret_at = i;
		return -ESTALE;
	}
	return 0;
}

static void count(struct local *l, const struct fieldway_sample *s)
{
	struct local_point *p = &l->points[s->point];

	p->boottime_usec = s->boottime_usec;
	switch (s->quality) {
	case FIELDWAY_GOOD:
		p->counters.good++;
		break;
	case FIELDWAY_INVALID:
		p->counters.invalid++;
		break;
	case FIELDWAY_FAILED:
		p->counters.failed++;
		l->fieldbus->devices[l->device].now.errors++;
		break;
	}
}

int fieldbus_publish(struct fieldbus *f, uint32_t device, const struct fieldway_sample *samples, size_t n,
		     size_t *ret_at)
{
	struct local *l = local_of(f, device);
	int r;

	if (!fieldbus_is_local(f, device))
		return -EINVAL;
	if (!l || f->devices[device].paused || bus_is_off(f, f->config->devices[device].bus))
		return -EHOSTDOWN;
	if (!take_room(l, n ?: 1))
		return -ENOSPC;
	r = check_samples(l, samples, n, ret_at);
	if (r < 0)
		return r;
	l->heard_usec = clock_monotonic_usec();
	arm_silence(l);
	f->devices[device].now.requests++;
	for (size_t i = 0; i < n; i++)
		count(l, &samples[i]);
	/* What comes from one that is back counts only once it is. */
	device_enter_state(f, device, FIELDBUS_ONLINE, NULL);
	if (n > 0 && f->ops.values)
		f->ops.values(f->userdata, device, samples, n);
	return 0;
}

/* Has it been said already that nobody speaks for it? */
static bool is_off(enum fieldbus_state state)
{
	switch (state) {
	case FIELDBUS_OFFLINE:
	case FIELDBUS_FAILED:
	case FIELDBUS_PAUSED:
		return true;
	case FIELDBUS_UNKNOWN:
	case FIELDBUS_ONLINE:
		break;
	}
	return false;
}

void fieldbus_program_left(struct fieldbus *f, uint32_t device)
{
	struct local *l = local_of(f, device);
	char what[160];

	if (!l)
		return;
	local_writes_end(l, -ECONNRESET, "its program has left the bus");
	if (silence_of(l) > 0 || is_off(f->devices[device].state))
		return;
	snprintf(what, sizeof(what), "its program, of %.100s, has left the bus", device_of(l)->owner);
	enter_state(l, FIELDBUS_OFFLINE, what);
}

void fieldbus_local_counters(const struct fieldbus *f, uint32_t device, uint32_t point,
			     struct fieldbus_local_counters *ret)
{
	const struct local *l = local_of(f, device);

	*ret = l && point < l->n_points ? l->points[point].counters : (struct fieldbus_local_counters){ 0 };
}
