/* SPDX-License-Identifier: Apache-2.0 */
#include "host/change.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "host/bus.h"
#include "host/device/make.h"
#include "host/event/ticket.h"
#include "host/line/errand.h"
#include "host/line/read.h"
#include "host/line/write.h"
#include "host/release.h"
#include "host/setup/same.h"

/* ---- devices ---- */

/* hint: where it is, if nothing came or went before it. */
static struct device *find_name(const struct host_bus *b, const char *name, size_t *hint)
{
	for (size_t n = 0; n < b->n_devices; n++) {
		size_t i = (*hint + n) % b->n_devices;

		if (!streq(b->devices[i]->setup->link->name, name))
			continue;
		*hint = i + 1;
		return b->devices[i];
	}
	return NULL;
}

static bool is_new(const struct bus_change *c, size_t i)
{
	return c->devices[i]->setup == &c->setup->devices[i];
}

static int plan_device(struct bus_change *c, struct same_types *types, size_t i, size_t *hint)
{
	const struct setup_device *s = &c->setup->devices[i];
	struct device *old = find_name(c->bus, s->link->name, hint);

	if (old && c->same_bus && setup_same_device(types, old->setup, s)) {
		c->devices[i] = old;
		return 0;
	}
	c->predecessors[i] = old;
	return device_new(c->bus, s, &c->devices[i]);
}

static int plan_devices(struct bus_change *c)
{
	struct setup *before = c->bus->setup;
	struct same_types *types = NULL;
	size_t hint = 0;
	int r = 0;

	c->devices = calloc(c->setup->n_devices + 1, sizeof(struct device *));
	c->predecessors = calloc(c->setup->n_devices + 1, sizeof(const struct device *));
	if (!c->devices || !c->predecessors)
		return -ENOMEM;
	c->same_bus = before && setup_same_bus(before, c->setup);
	if (before)
		r = same_types_new(before, c->setup, &types);
	for (size_t i = 0; r >= 0 && i < c->setup->n_devices; i++)
		r = plan_device(c, types, i, &hint);
	same_types_free(types);
	return r;
}

/* ---- lines ---- */

static struct line *find_line(const struct bus_change *c, const char *name)
{
	for (size_t i = 0; i < c->n_lines; i++)
		if (streq(c->lines[i]->name, name))
			return c->lines[i];
	return NULL;
}

/* Of a device that stays, or a new one; a line without any device that stays is opened anew. */
static int plan_line(struct bus_change *c, size_t i)
{
	struct device *d = c->devices[i];
	const char *name = c->setup->devices[i].line;
	struct line *l = find_line(c, name);
	int r = 0;

	if (!l && is_new(c, i))
		r = line_new(c->bus, name, &l);
	else if (!l)
		l = d->line;
	if (r < 0)
		return r;
	if (!find_line(c, name))
		c->lines[c->n_lines++] = l;
	d->line = l;
	return 0;
}

/* How much of a line's plan there will be. */
struct room {
	size_t n_devices, n_entries, longest;
};

static struct room room_of(const struct bus_change *c, const struct line *l)
{
	struct room room = { .longest = 1 };

	for (size_t i = 0; i < c->setup->n_devices; i++) {
		const struct device *d = c->devices[i];

		if (d->line != l)
			continue;
		room.n_devices++;
		room.n_entries += d->n_polls;
		for (size_t j = 0; j < d->n_polls; j++)
			room.longest = MAX(room.longest, d->polls[j].request->n_points);
	}
	return room;
}

static int plan_lines(struct bus_change *c)
{
	size_t n = c->setup->n_devices;
	int r = 0;

	c->lines = calloc(n + 1, sizeof(struct line *));
	c->plans = calloc(n + 1, sizeof(*c->plans));
	if (!c->lines || !c->plans)
		return -ENOMEM;
	/* First those that stay, so that new devices find them. */
	for (size_t i = 0; r >= 0 && i < n; i++)
		if (c->setup->devices[i].io == FIELDWAY_IO_POLLED && !is_new(c, i))
			r = plan_line(c, i);
	for (size_t i = 0; r >= 0 && i < n; i++)
		if (c->setup->devices[i].io == FIELDWAY_IO_POLLED && is_new(c, i))
			r = plan_line(c, i);
	for (; r >= 0 && c->n_planned < c->n_lines; c->n_planned++) {
		struct room room = room_of(c, c->lines[c->n_planned]);

		r = line_plan_init(&c->plans[c->n_planned], c->lines[c->n_planned], room.n_devices,
				   room.n_entries, room.longest);
	}
	return r;
}

int bus_change_init(struct bus_change *c, struct host_bus *b, struct setup *setup)
{
	int r;

	*c = (struct bus_change){ .bus = b, .setup = setup };
	r = plan_devices(c);
	if (r >= 0)
		r = plan_lines(c);
	return r < 0 ? r : events_change_init(&c->events, b, setup, c->devices, c->same_bus);
}

static bool is_line_of_bus(const struct host_bus *b, const struct line *l)
{
	for (size_t i = 0; i < b->n_lines; i++)
		if (b->lines[i] == l)
			return true;
	return false;
}

void bus_change_done(struct bus_change *c)
{
	events_change_done(&c->events);
	for (size_t i = 0; i <= c->n_planned && c->plans; i++)
		line_plan_done(&c->plans[i]);
	for (size_t i = 0; i < c->n_lines; i++)
		if (!is_line_of_bus(c->bus, c->lines[i]))
			line_free(c->lines[i]);
	for (size_t i = 0; c->devices && i < c->setup->n_devices; i++)
		if (c->devices[i] && is_new(c, i))
			device_free(c->devices[i]);
	free(c->devices);
	free(c->predecessors);
	free(c->lines);
	free(c->plans);
	*c = (struct bus_change){ 0 };
}

/* ---- the commit ---- */

static void device_leave(struct device *d)
{
	struct line *l = d->line;

	d->gone = true;
	values_device_remove(&d->values);
	if (!l) {
		tickets_leave(d->bus->events, d);
		events_device_free(d->event);
		device_free(d);
		return;
	}
	write_leave(l, d);
	read_cancel(l, d, -ECANCELED, "the configuration has changed");
	/* It goes with its line's job. */
	if (l->work != LINE_IDLE && l->device == d) {
		d->held = setup_ref(d->bus->setup);
		return;
	}
	if (l->device == d)
		l->device = NULL;
	device_free(d);
}

static bool stays(const struct bus_change *c, const struct device *d)
{
	return d->mark == c;
}

/* What a device of the same name has counted goes on. */
static void succeed(struct bus_change *c)
{
	for (size_t i = 0; i < c->setup->n_devices; i++)
		if (c->predecessors[i])
			c->devices[i]->values.counters = c->predecessors[i]->values.counters;
}

/* Devices and lines that are not in the new setup. */
static void drop_old(struct bus_change *c, struct device **devices, size_t n_devices,
		     struct line **lines, size_t n_lines)
{
	for (size_t i = 0; i < n_lines; i++)
		lines[i]->leaving = true;
	for (size_t i = 0; i < c->n_lines; i++)
		c->lines[i]->leaving = false;
	for (size_t i = 0; i < n_devices; i++)
		if (!stays(c, devices[i]))
			device_leave(devices[i]);
	for (size_t i = 0; i < n_lines; i++)
		if (lines[i]->leaving)
			line_leave(lines[i]);
}

static void install_lines(struct bus_change *c)
{
	struct host_bus *b = c->bus;

	b->n_entries = 0;
	for (size_t i = 0; i < b->setup->n_devices; i++)
		b->n_entries += b->devices[i]->line ? b->devices[i]->n_polls : 0;
	for (size_t i = 0; i < c->n_lines; i++) {
		struct line *l = c->lines[i];

		for (size_t j = 0; j < b->n_devices; j++)
			if (b->devices[j]->line == l)
				line_plan_add(&c->plans[i], l, b->devices[j]);
		l->place = i > 0 ? c->lines[i - 1]->place + c->lines[i - 1]->schedule.n_entries : 0;
		line_install(l, &c->plans[i]);
		read_follow(l);
	}
}

static void install(struct bus_change *c)
{
	struct host_bus *b = c->bus;

	b->setup = c->setup;
	b->group.generation = b->setup->configuration->generation;
	b->devices = c->devices;
	b->n_devices = b->setup->n_devices;
	b->lines = c->lines;
	b->n_lines = c->n_lines;
	for (size_t i = 0; i < b->n_devices; i++)
		if (!is_new(c, i))
			device_follow(b->devices[i], &b->setup->devices[i]);
	install_lines(c);
}

/* What is at work goes on, what is new begins. */
static void go_on(struct bus_change *c)
{
	struct host_bus *b = c->bus;

	if (!c->same_bus)
		guests_retire(b, -ECANCELED, "the configuration has changed");
	events_change_end(&c->events);
	for (size_t i = 0; i < b->n_lines; i++)
		if (b->lines[i]->worker)
			line_follow(b->lines[i]);
	if (!b->started)
		return;
	if (b->lent_usec)
		release_tell_new(b);
	bus_start_lines(b);
}

int bus_change_commit(struct bus_change *c)
{
	struct host_bus *b = c->bus;
	struct setup *setup = b->setup;
	struct device **devices = b->devices;
	struct line **lines = b->lines;
	size_t n_devices = b->n_devices, n_lines = b->n_lines;
	int r;

	for (size_t i = 0; i < c->setup->n_devices; i++)
		c->devices[i]->mark = c;
	for (size_t i = 0; i < n_devices; i++)
		devices[i]->gone = !stays(c, devices[i]);
	r = events_change_tell(&c->events, c->setup);
	if (r < 0) {
		for (size_t i = 0; i < n_devices; i++) {
			devices[i]->gone = false;
			devices[i]->mark = NULL;
		}
		return r;
	}
	succeed(c);
	drop_old(c, devices, n_devices, lines, n_lines);
	install(c);
	go_on(c);
	for (size_t i = 0; i < b->n_devices; i++)
		b->devices[i]->mark = NULL;
	setup_free(setup);
	free(devices);
	free(lines);
	c->devices = NULL;
	c->lines = NULL;
	c->n_lines = 0;
	return 0;
}
