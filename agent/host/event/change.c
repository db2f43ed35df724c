/* SPDX-License-Identifier: Apache-2.0 */
#include "host/event/change.h"

#include <errno.h>
#include <stdlib.h>

#include "host/event/ticket.h"

static bool is_driven(const struct setup_device *s)
{
	return s->io == FIELDWAY_IO_EVENTS;
}

/* Whoever has no devices yet wants to find some. */
static bool only_scans(const struct setup *s)
{
	return s->n_devices == 0 && (s->plugin->capabilities & FIELDWAY_CAN_LISTEN) &&
	       s->plugin->bus_scan;
}

static int add(struct events_change *c, struct events *e, const struct setup_device *s,
	       struct device *d)
{
	size_t i = c->n_devices;
	int r = 0;

	c->drivers[i] = s->driver;
	c->before[i] = d->event ? d->index : UINT32_MAX;
	c->devices[i] = d->event;
	if (!d->event)
		r = events_device_new(e, d, &c->devices[i]);
	if (r >= 0)
		c->n_devices++;
	return r;
}

/* The session need not know. */
static bool is_as_before(const struct events_change *c, const struct events *e)
{
	if (c->n_devices != e->n_devices)
		return false;
	for (size_t i = 0; i < c->n_devices; i++)
		if (c->before[i] != i)
			return false;
	return true;
}

int events_change_init(struct events_change *c, struct host_bus *b, struct setup *setup,
		       struct device **devices, bool same_bus)
{
	struct events *e = b->events;
	size_t n = 0;
	int r = 0;

	*c = (struct events_change){ .bus = b };
	for (size_t i = 0; i < setup->n_devices; i++)
		n += is_driven(&setup->devices[i]);
	if (n == 0 && !only_scans(setup)) {
		c->ends = e;
		return 0;
	}
	if (!e) {
		r = events_new(b, &c->made);
		e = c->made;
	}
	c->devices = calloc(n + 1, sizeof(struct events_device *));
	c->drivers = calloc(n + 1, sizeof(const struct fieldway_driver *));
	c->before = calloc(n + 1, sizeof(*c->before));
	if (r < 0 || !c->devices || !c->drivers || !c->before)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < setup->n_devices; i++)
		if (is_driven(&setup->devices[i]))
			r = add(c, e, &setup->devices[i], devices[i]);
	if (r >= 0)
		r = timers_reserve(b->services->timers, 2 * (uint32_t)n);
	c->restarts = c->made || !e->session || !same_bus ||
		      (!is_as_before(c, e) && !setup->plugin->bus_change);
	return r;
}

static void install(struct events *e, struct events_device **devices, size_t n)
{
	e->devices = devices;
	e->n_devices = n;
	for (uint32_t i = 0; i < n; i++)
		devices[i]->device->index = i;
}

/* The session that goes on counts its devices anew, and may tell something of them in there. */
static int tell(struct events_change *c, struct events *e, struct setup *setup)
{
	struct events_device **before = e->devices;
	size_t n_before = e->n_devices;
	int r;

	install(e, c->devices, c->n_devices);
	r = setup->plugin->bus_change(e->session, &setup->bus, c->drivers, c->n_devices, c->before);
	if (r < 0) {
		install(e, before, n_before);
		return -ENOMEM;
	}
	setup_free(e->known);
	e->known = setup_ref(setup);
	c->devices = before;
	c->n_devices = 0;
	return 0;
}

int events_change_tell(struct events_change *c, struct setup *setup)
{
	struct events *e = c->bus->events;

	if (c->ends || (e && c->restarts))
		events_stop(e);
	if (c->ends || c->made)
		return 0;
	if (e && e->session && !is_as_before(c, e) && setup->plugin->bus_change)
		return tell(c, e, setup);
	return 0;
}

static void put_devices(struct events_change *c, struct events *e)
{
	struct events_device **before = e->devices;

	install(e, c->devices, c->n_devices);
	c->devices = before;
	c->n_devices = 0;
}

static void begin_new(const struct events_change *c, const struct events *e)
{
	for (size_t i = 0; i < e->n_devices; i++)
		if (c->before[i] == UINT32_MAX)
			events_device_begin(e->devices[i]);
}

void events_change_end(struct events_change *c)
{
	struct host_bus *b = c->bus;
	struct events *e;

	if (c->ends) {
		/* Its devices have gone, each by itself. */
		b->events->n_devices = 0;
		b->events = events_free(b->events);
		return;
	}
	if (c->made)
		b->events = TAKE_PTR(c->made);
	e = b->events;
	if (!e)
		return;
	if (c->restarts)
		put_devices(c, e);
	e->line = e->n_devices > 0 ? e->devices[0]->device->setup->line : bus_name(b);
	if (c->restarts && b->started)
		events_start(e);
	else
		begin_new(c, e);
}

void events_change_done(struct events_change *c)
{
	for (size_t i = 0; i < c->n_devices; i++)
		if (c->before[i] == UINT32_MAX)
			events_device_free(c->devices[i]);
	events_free(c->made);
	free(c->devices);
	free(c->drivers);
	free(c->before);
	*c = (struct events_change){ 0 };
}
