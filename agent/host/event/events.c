/* SPDX-License-Identifier: Apache-2.0 */
#include "host/event/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/device/device.h"
#include "host/device/take.h"
#include "host/event/scan.h"
#include "host/event/ticket.h"
#include "host/value/exponent.h"

/* Samples that are looked at together. */
#define BATCH_MAX 64u

/* ---- what the plugin must not do ---- */

void events_misused(struct events *e, const char *what)
{
	const struct log_about about = { .bus = bus_name(e->bus) };

	e->misuses++;
	if (log_budget_take(&e->log_budget, NULL))
		log_warning(&about, "bus %s: plugin %s %s (mistake %" PRIu64 ")", about.bus,
			    e->bus->setup->plugin->name, what, e->misuses);
}

/* NULL: the call is to be ignored. */
static struct events_device *find_device(struct events *e, uint32_t device)
{
	if (e->stopped)
		return NULL;
	if (device < e->n_devices)
		return e->devices[device];
	events_misused(e, "speaks of a device that it was not given");
	return NULL;
}

/* ---- states ---- */

static void arm_window(struct events_device *ed, uint64_t end_usec)
{
	if (end_usec != 0 && (!timer_is_armed(&ed->due) || ed->due.due_usec > end_usec))
		timer_arm(&ed->due, end_usec);
}

static void enter_state(struct events_device *ed, enum link_state state, const char *reason)
{
	struct device *d = ed->device;
	char text[DEVICE_TEXT_MAX] = "";

	if (d->state == state && state == LINK_ONLINE)
		return;
	/* What was known of it is no longer good; the plugin is asked out of the loop. */
	ed->back = state == LINK_ONLINE && (d->state == LINK_OFFLINE || d->state == LINK_FAILED);
	if (ed->back)
		arm_window(ed, clock_monotonic_usec());
	if (state != LINK_ONLINE)
		snprintf(text, sizeof(text), "bus %s: device %s: %s", bus_name(d->bus),
			 d->setup->link->name, reason);
	text[utf8_valid_prefix(text, strlen(text))] = '\0';
	if (d->state == LINK_ONLINE)
		exponents_reset(d->exponents);
	device_enter_state(d, state, text);
}

static void arm_silence(struct events_device *ed)
{
	/* Only the first time may lack memory; it moves later, see timer_arm(). */
	if (ed->silence_usec > 0 && !timer_is_armed(&ed->silence))
		timer_arm(&ed->silence, usec_add(ed->heard_usec, ed->silence_usec));
}

static void heard(struct events_device *ed)
{
	if (ed->device->bus->lent_usec)
		return;
	ed->heard_usec = clock_monotonic_usec();
	arm_silence(ed);
	enter_state(ed, LINK_ONLINE, "");
}

/* Samples only note their time: a timer that comes too early is armed again. */
static void silence_due(struct timer *timer, void *userdata)
{
	struct events_device *ed = container_of(timer, struct events_device, silence);
	char text[DEVICE_TEXT_MAX], duration[FORMAT_USEC_MAX];

	if (clock_monotonic_usec() < usec_add(ed->heard_usec, ed->silence_usec)) {
		arm_silence(ed);
		return;
	}
	/* Of a bus that cannot be used nothing else can be heard: it stays FAILED. */
	if (ed->device->state == LINK_FAILED)
		return;
	snprintf(text, sizeof(text), "nothing was heard of it for %s",
		 format_usec(ed->silence_usec, duration));
	enter_state(ed, LINK_OFFLINE, text);
}

static void take_state(const struct fieldway_host *host, uint32_t device,
		       enum fieldway_device_state state, const char *reason)
{
	struct events_device *ed = find_device(events_of(host), device);

	if (!ed)
		return;
	reason = reason && *reason ? reason : "no reason is given";
	switch (state) {
	case FIELDWAY_DEVICE_ONLINE:
		heard(ed);
		return;
	case FIELDWAY_DEVICE_OFFLINE:
		enter_state(ed, LINK_OFFLINE, reason);
		return;
	case FIELDWAY_DEVICE_FAILED:
		enter_state(ed, LINK_FAILED, reason);
		return;
	}
	events_misused(ed->device->bus->events, "puts a device into a state that does not exist");
}

/* ---- samples ---- */

static const struct link_point *point_of(const struct device *d, uint32_t point)
{
	return &d->setup->type->points[point];
}

/* As a polled device is; see device_poll_all() of schedule.c. */
static void read_all(struct events *e, const struct device *d)
{
	uint32_t wanted[BATCH_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < d->setup->type->n_points; i++) {
		const struct link_point *p = point_of(d, i);

		if (!(p->access & LINK_READ) || p->period_usec == LINK_PERIOD_ON_DEMAND)
			continue;
		wanted[n++] = i;
		if (n == BATCH_MAX) {
			events_read(e, d, wanted, n);
			n = 0;
		}
	}
	if (n > 0)
		events_read(e, d, wanted, n);
}

static void window_due(struct timer *timer, void *userdata)
{
	struct events_device *ed = container_of(timer, struct events_device, due);
	uint64_t now = clock_monotonic_usec();
	struct device *d = ed->device;
	struct fieldway_sample s;

	if (ed->back) {
		ed->back = false;
		read_all(d->bus->events, d);
	}
	for (uint32_t i = 0; i < d->setup->type->n_points; i++) {
		if (sample_end(&ed->points[i], point_of(d, i)->sample_usec, now, &s))
			take_put(d, &s);
		arm_window(ed, ed->points[i].end_usec);
	}
	values_flush(d->bus->services->values);
}

/* More than EVENTS_RATE_MAX in this second? */
static bool is_flood(struct events_device *ed, uint64_t now)
{
	if (now >= ed->second_usec) {
		ed->second_usec = usec_add(now, USEC_PER_SEC);
		ed->n_samples = 0;
	}
	return ++ed->n_samples > EVENTS_RATE_MAX;
}

void events_put(struct events *e, struct device *d, struct fieldway_sample *s)
{
	struct events_device *ed = d->event;
	const struct link_point *p = point_of(d, s->point);
	struct sample_thinner *t = &ed->points[s->point];
	uint64_t now = clock_monotonic_usec();
	uint64_t rest = is_flood(ed, now) ? ed->second_usec - now : 0;
	int r = sample_take(t, p->sample_keep, p->sample_usec ?: rest, now, s);

	if (r == SAMPLE_GOES)
		take_put(d, s);
	/* What the user has asked for is not counted. */
	else if (r == -ENOMEM || (r == SAMPLE_REPLACES && p->sample_usec == 0))
		d->values.counters.conflated++;
	arm_window(ed, t->end_usec);
}

static bool has_data(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_STRING || v->type == FIELDWAY_BYTES;
}

/*
 * Between what the plugin says and what the host makes of it. The time stays
 * as the plugin's clock has it, which knows no steps of a test.
 */
static struct fieldway_sample clean_sample(const struct fieldway_sample *from)
{
	uint64_t now = clock_boottime_usec() - clock_offset_usec();
	struct fieldway_sample s = *from;

	s.boottime_usec = from->boottime_usec > 0 ? MIN(from->boottime_usec, now) : now;
	s.error = 0;
	if (from->quality == FIELDWAY_FAILED)
		s.error = from->error < 0 ? from->error : -EIO;
	else if (from->quality != FIELDWAY_GOOD || from->value.type > FIELDWAY_BYTES ||
		 (has_data(&from->value) && from->value.size > EVENTS_TEXT_MAX))
		s.quality = FIELDWAY_INVALID;
	if (s.quality != FIELDWAY_GOOD)
		s.value = (struct fieldway_value){ .type = FIELDWAY_NONE };
	return s;
}

/* False: nothing is to be made of it. */
static bool accept_sample(struct events_device *ed, const struct fieldway_sample *from,
			  struct fieldway_sample *ret)
{
	struct device *d = ed->device;

	if (from->point >= d->setup->type->n_points) {
		events_misused(d->bus->events, "gives a sample of a point that does not exist");
		return false;
	}
	*ret = clean_sample(from);
	if (ret->quality == FIELDWAY_FAILED)
		return true;
	heard(ed);
	/* From before the point's last write? */
	return ret->boottime_usec + clock_offset_usec() >= d->written[ret->point];
}

static void take_batch(struct events_device *ed, const struct fieldway_sample *samples, size_t n)
{
	struct fieldway_sample batch[BATCH_MAX];
	struct device *d = ed->device;
	size_t n_batch = 0;

	for (size_t i = 0; i < n; i++)
		n_batch += accept_sample(ed, &samples[i], &batch[n_batch]);
	take_samples(d, batch, n_batch, UINT64_MAX);
	for (size_t i = 0; i < n_batch; i++)
		ticket_heard(d->bus->events, d, &batch[i]);
}

static void take_events(const struct fieldway_host *host, uint32_t device,
			const struct fieldway_sample *samples, size_t n)
{
	struct events_device *ed = find_device(events_of(host), device);

	if (!ed)
		return;
	for (size_t i = 0; i < n; i += BATCH_MAX)
		take_batch(ed, samples + i, MIN(n - i, (size_t)BATCH_MAX));
	values_flush(ed->device->bus->services->values);
}

void events_forget(struct events *e, struct device *d, uint32_t point)
{
	d->written[point] = clock_boottime_usec();
	sample_forget(&d->event->points[point]);
	values_forget(&d->values, point);
	exponents_forget(d->exponents, point);
}

static void take_count(const struct fieldway_host *host, uint32_t device, unsigned requests,
		       unsigned errors, unsigned timeouts)
{
	struct events_device *ed = find_device(events_of(host), device);
	struct device *d;

	if (!ed)
		return;
	d = ed->device;
	d->values.counters.requests += requests;
	d->values.counters.errors += errors;
	d->values.counters.timeouts += timeouts;
	values_touch(d->bus->services->values, &d->values);
	values_flush(d->bus->services->values);
}

static void take_bytes(const struct fieldway_host *host, enum fieldway_direction direction,
		       const void *bytes, size_t size)
{
	struct events *e = events_of(host);

	recorder_bytes(&e->bus->recorder, e->line, direction, bytes, size);
}

/* ---- building ---- */

/* Any sample ends the silence, so the longest of its points counts. */
static uint64_t longest_silence(const struct link_type *type)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < type->n_points; i++)
		if (type->points[i].access & LINK_READ)
			longest = MAX(longest, type->points[i].silence_usec);
	return longest;
}

int events_device_new(struct events *e, struct device *d, struct events_device **ret)
{
	struct timers *timers = e->bus->services->timers;
	struct events_device *ed = calloc(1, sizeof(*ed));

	if (!ed)
		return -ENOMEM;
	ed->device = d;
	ed->silence_usec = longest_silence(d->setup->type);
	timer_init(&ed->due, timers, window_due, NULL);
	timer_init(&ed->silence, timers, silence_due, NULL);
	ed->points = calloc(d->setup->type->n_points + 1, sizeof(*ed->points));
	if (!ed->points) {
		free(ed);
		return -ENOMEM;
	}
	d->event = ed;
	*ret = ed;
	return 0;
}

struct events_device *events_device_free(struct events_device *ed)
{
	if (!ed)
		return NULL;
	timer_disarm(&ed->due);
	timer_disarm(&ed->silence);
	for (size_t i = 0; i < ed->device->setup->type->n_points; i++)
		sample_done(&ed->points[i]);
	free(ed->points);
	ed->device->event = NULL;
	free(ed);
	return NULL;
}

static const struct fieldway_host services = {
	.watch_new = lend_watch,
	.watch_set = lend_watch_set,
	.watch_free = lend_watch_free,
	.timer_new = lend_timer,
	.timer_set = lend_timer_set,
	.timer_free = lend_timer_free,
	.samples = take_events,
	.state = take_state,
	.count = take_count,
	.written = ticket_written,
	.found = scan_found,
	.bytes = take_bytes,
};

int events_new(struct host_bus *b, struct events **ret)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->bus = b;
	e->host = services;
	list_init(&e->watches);
	list_init(&e->timers);
	list_init(&e->tickets);
	list_init(&e->scans);
	*ret = e;
	return 0;
}

struct events *events_free(struct events *e)
{
	if (!e)
		return NULL;
	for (size_t i = 0; i < e->n_devices; i++)
		events_device_free(e->devices[i]);
	free(e->devices);
	setup_free(e->known);
	free(e);
	return NULL;
}

/* ---- life ---- */

static int start(struct events *e)
{
	struct setup *s = e->bus->setup;
	const struct fieldway_driver **drivers = calloc(e->n_devices + 1, sizeof(*drivers));
	int r = -ENOMEM;

	for (size_t i = 0; drivers && i < e->n_devices; i++)
		drivers[i] = e->devices[i]->device->setup->driver;
	setup_free(e->known);
	e->known = setup_ref(s);
	if (drivers)
		r = s->plugin->bus_start(&s->bus, drivers, e->n_devices, &e->host, &e->session);
	free(drivers);
	return r;
}

void events_device_begin(struct events_device *ed)
{
	ed->heard_usec = clock_monotonic_usec();
	arm_silence(ed);
}

void events_start(struct events *e)
{
	/* Two timers of each device are armed where nothing can be done about a lack of memory. */
	int r = timers_reserve(e->bus->services->timers, 2 * (uint32_t)e->n_devices);

	e->stopped = false;
	if (r >= 0)
		r = start(e);
	/* It must not take what is another's. */
	if (r >= 0 && e->bus->lent_usec && e->bus->setup->plugin->bus_release)
		e->bus->setup->plugin->bus_release(e->session, true);
	for (size_t i = 0; i < e->n_devices; i++) {
		events_device_begin(e->devices[i]);
		if (r < 0)
			enter_state(e->devices[i], LINK_FAILED, strerror(-r));
	}
}

void events_stop(struct events *e)
{
	scans_end(e, -ECANCELED);
	e->stopped = true;
	if (e->session)
		e->bus->setup->plugin->bus_stop(TAKE_PTR(e->session));
	tickets_end(e);
	lend_end(e);
	for (size_t i = 0; i < e->n_devices; i++) {
		timer_disarm(&e->devices[i]->due);
		timer_disarm(&e->devices[i]->silence);
	}
}

void events_read(struct events *e, const struct device *d, const uint32_t *points, size_t n)
{
	const struct fieldway_plugin *plugin = e->bus->setup->plugin;

	if (e->session && plugin->bus_read)
		plugin->bus_read(e->session, d->index, points, n);
}
