/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "mapping/internal.h"

/*
 * Points of the rate `once` are read when their device is configured, and those of
 * one that goes on over a reload have been by then: what comes to show them would
 * wait for ever. So they are read again for it, ahead of polls.
 */

/* Questions of one bus at a time: fewer than may wait for a line of its host, where others ask, too. */
#define CATCHING_MAX 8u
/* As hosts have it for what they read once by themselves. */
#define AGAIN_USEC USEC_PER_MINUTE

struct catching {
	struct list list; /* mapping.catching */
	struct mapping *mapping;
	uint32_t device;
};

static bool is_missing(const struct mapped_row *row, uint32_t device)
{
	return !row->seen && row_has_point(row) && row_device(row) == device && row_is_polled(row) &&
	       row_point(row)->period_usec == CONFIG_RATE_ONCE;
}

static bool has_point(const uint32_t *points, size_t n, uint32_t point)
{
	for (size_t i = 0; i < n; i++)
		if (points[i] == point)
			return true;
	return false;
}

/* points: room for all that the device has; NULL: any. How many there are. */
static size_t find_missing(const struct mapping *m, uint32_t device, uint32_t *points)
{
	const struct mapped_device *d = &m->devices[device];
	size_t n = 0;

	for (uint32_t i = 0; i < d->n; i++) {
		const struct mapped_endpoint *e = m->endpoints[d->endpoints[i]];

		for (size_t k = 0; k < e->config->n_map; k++) {
			if (!is_missing(&e->rows[k], device))
				continue;
			if (!points)
				return 1;
			if (!has_point(points, n, row_map(&e->rows[k])->point))
				points[n++] = row_map(&e->rows[k])->point;
		}
	}
	return n;
}

static void try_later(struct mapping *m)
{
	if (!timer_is_armed(&m->again))
		timer_arm_in(&m->again, AGAIN_USEC);
}

static bool has_room(const struct mapping *m, uint32_t bus)
{
	const struct catching *c;
	unsigned n = 0;

	list_for_each(c, &m->catching, list)
		n += m->config->devices[c->device].bus == bus;
	return n < CATCHING_MAX;
}

static void catch_up(struct mapping *m, uint32_t device);

/* The next ones of a bus, as many as may be asked. */
static void go_on(struct mapping *m, uint32_t bus)
{
	for (uint32_t i = 0; i < m->config->n_devices && has_room(m, bus); i++)
		if (m->config->devices[i].bus == bus && m->devices[i].owes && !m->devices[i].failed)
			catch_up(m, i);
}

/* Values have come as any others; where there are none they are asked for again. */
static void caught(void *userdata, int error, const char *detail, const struct fieldway_sample *samples, size_t n)
{
	struct catching *c = userdata;
	struct mapping *m = c->mapping;
	const uint32_t device = c->device;
	struct mapped_device *d = &m->devices[device];

	(void)detail;
	if (n > 0)
		mapping_values(m, device, samples, n);
	list_remove(&c->list);
	free(c);
	d->catching = false;
	d->owes = d->failed = error < 0 && find_missing(m, device, NULL) > 0;
	if (d->failed)
		try_later(m);
	go_on(m, m->config->devices[device].bus);
}

static int ask(struct mapping *m, uint32_t device, const uint32_t *points, size_t n)
{
	struct catching *c = malloc(sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	*c = (struct catching){ .mapping = m, .device = device };
	r = fieldbus_read(m->fieldbus, device, points, n, caught, c);
	if (r < 0) {
		free(c);
		return r;
	}
	list_append(&m->catching, &c->list);
	m->devices[device].catching = true;
	return 0;
}

static void catch_up(struct mapping *m, uint32_t device)
{
	struct mapped_device *d = &m->devices[device];
	_cleanup_free_ uint32_t *points = NULL;
	size_t n;
	int r;

	if (d->catching || !has_room(m, m->config->devices[device].bus))
		return;
	points = calloc(m->config->devices[device].type->n_points + 1, sizeof(*points));
	n = points ? find_missing(m, device, points) : 0;
	if (points)
		r = n > 0 ? ask(m, device, points, n) : 0;
	else
		r = -ENOMEM;
	d->owes = r < 0 || n > 0;
	/* One that others leave no room for has its turn behind the next answer. */
	d->failed = r < 0 && r != -EBUSY;
	if (r < 0)
		try_later(m);
}

void once_online(struct mapping *m, uint32_t device)
{
	m->devices[device].failed = false;
	if (m->devices[device].owes)
		catch_up(m, device);
}

/* The others are looked at when they are back. */
static void again(struct timer *timer, void *userdata)
{
	struct mapping *m = userdata;

	(void)timer;
	for (uint32_t i = 0; i < m->config->n_devices; i++)
		if (m->devices[i].owes && m->devices[i].state == FIELDBUS_ONLINE)
			once_online(m, i);
}

void once_init(struct mapping *m)
{
	list_init(&m->catching);
	timer_init(&m->again, m->timers, again, m);
}

void once_leave(struct mapping *m, const struct config_difference *d)
{
	struct catching *c;

	if (!d)
		timer_disarm(&m->again);
	list_for_each(c, &m->catching, list) {
		uint32_t after = d ? d->devices_after[c->device] : CONFIG_NONE;

		if (after != CONFIG_NONE && d->devices[after].same) {
			c->device = after;
			continue;
		}
		fieldbus_forget(m->fieldbus, c);
		list_remove(&c->list);
		free(c);
	}
}

void mapping_catch_up(struct mapping *m, const struct config_difference *d)
{
	const struct config *config = m->config;

	for (uint32_t i = 0; i < config->n_devices; i++)
		if (d->devices[i].before != CONFIG_NONE && d->devices[i].same && !m->devices[i].catching &&
		    config->devices[i].type->plugin != &config_plugin_local && find_missing(m, i, NULL) > 0) {
			m->devices[i].owes = true;
			catch_up(m, i);
		}
}
