/* SPDX-License-Identifier: Apache-2.0 */
#include "host/bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "host/device/device.h"
#include "host/event/events.h"
#include "host/line/errand.h"
#include "host/line/learn.h"
#include "host/line/line.h"
#include "host/release.h"
#include "host/value/exponent.h"

/* ---- building ---- */

static struct line *find_line(const struct host_bus *b, const char *name)
{
	for (size_t i = 0; i < b->n_lines; i++)
		if (streq(b->lines[i].name, name))
			return &b->lines[i];
	return NULL;
}

/* A line for each name of polled devices, and how many devices it has. */
static int count_lines(struct host_bus *b)
{
	struct line *l;

	b->lines = calloc(b->n_devices + 1, sizeof(*b->lines));
	if (!b->lines)
		return -ENOMEM;
	for (size_t i = 0; i < b->n_devices; i++) {
		if (b->setup->devices[i].io == FIELDWAY_IO_EVENTS)
			continue;
		l = find_line(b, b->setup->devices[i].line);
		if (!l) {
			l = &b->lines[b->n_lines++];
			l->name = b->setup->devices[i].line;
		}
		l->n_devices++;
		b->devices[i].line = l;
	}
	return 0;
}

static int device_init(struct host_bus *b, struct device *d, const struct setup_device *setup)
{
	size_t n_points = setup->type->n_points;
	int r;

	d->bus = b;
	d->setup = setup;
	d->written = calloc(n_points + 1, sizeof(*d->written));
	d->counts = calloc(n_points + 1, sizeof(*d->counts));
	d->polls = calloc(setup->n_polls + 1, sizeof(*d->polls));
	if (!d->written || !d->counts || !d->polls)
		return -ENOMEM;
	d->n_polls = setup->n_polls;
	for (size_t i = 0; i < d->n_polls; i++)
		d->polls[i] = (struct poll){ .request = setup->polls[i].request,
					     .period_usec = setup->polls[i].period_usec };
	r = exponents_new(setup->type, &d->exponents);
	if (r < 0)
		return r;
	return values_device_init(&d->values, &b->group, setup->link->id, n_points);
}

static int init_devices(struct host_bus *b)
{
	int r;

	b->devices = calloc(b->setup->n_devices + 1, sizeof(*b->devices));
	if (!b->devices)
		return -ENOMEM;
	b->n_devices = b->setup->n_devices;
	for (size_t i = 0; i < b->n_devices; i++) {
		r = device_init(b, &b->devices[i], &b->setup->devices[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int allocate_places(struct host_bus *b)
{
	for (size_t i = 0; i < b->n_lines; i++) {
		struct line *l = &b->lines[i];

		l->bus = b;
		l->devices = calloc(l->n_devices, sizeof(struct device *));
		if (!l->devices)
			return -ENOMEM;
		l->n_devices = 0;
	}
	return 0;
}

static int init_lines(struct host_bus *b)
{
	int r;

	r = count_lines(b);
	if (r >= 0)
		r = allocate_places(b);
	if (r < 0)
		return r;
	for (size_t i = 0; i < b->n_devices; i++) {
		struct line *l = b->devices[i].line;

		if (!l)
			continue;
		b->devices[i].index = (uint32_t)l->n_devices;
		l->devices[l->n_devices++] = &b->devices[i];
	}
	for (size_t i = 0; r >= 0 && i < b->n_lines; i++)
		r = line_init(&b->lines[i]);
	return r;
}

int bus_new(const struct host_services *services, struct setup *setup, struct host_bus **ret)
{
	struct host_bus *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	list_init(&b->node);
	list_init(&b->guests);
	recorder_init(&b->recorder, services->timers);
	b->services = services;
	b->setup = setup;
	values_group_init(&b->group, setup->configuration->generation);
	r = init_devices(b);
	if (r >= 0)
		r = init_lines(b);
	if (r >= 0)
		r = events_new(b, &b->events);
	if (r < 0) {
		b->setup = NULL; /* still the caller's */
		bus_free(b);
		return r;
	}
	*ret = b;
	return 0;
}

struct host_bus *bus_free(struct host_bus *b)
{
	if (!b)
		return NULL;
	for (size_t i = 0; i < b->n_lines; i++)
		line_done(&b->lines[i]);
	guests_retire(b, -ECANCELED, "its bus has gone");
	release_done(b);
	recorder_done(&b->recorder);
	events_free(b->events);
	values_group_remove(&b->group);
	for (size_t i = 0; i < b->n_devices; i++) {
		values_device_done(&b->devices[i].values);
		free(b->devices[i].reason);
		free(b->devices[i].written);
		free(b->devices[i].counts);
		learn_free(&b->devices[i]);
		free(b->devices[i].polls);
		exponents_free(b->devices[i].exponents);
	}
	free(b->devices);
	free(b->lines);
	list_remove(&b->node);
	setup_free(b->setup);
	free(b);
	return NULL;
}

/* ---- life ---- */

/* hint: where it was, if nothing came or went before it. */
static const struct device *find_name(const struct host_bus *b, const char *name, size_t hint)
{
	if (hint < b->n_devices && streq(b->devices[hint].setup->link->name, name))
		return &b->devices[hint];
	for (size_t i = 0; i < b->n_devices; i++)
		if (streq(b->devices[i].setup->link->name, name))
			return &b->devices[i];
	return NULL;
}

void bus_inherit(struct host_bus *b, const struct host_bus *from)
{
	const struct device *old;

	for (size_t i = 0; i < b->n_devices; i++) {
		old = find_name(from, b->devices[i].setup->link->name, i);
		if (old)
			b->devices[i].values.counters = old->values.counters;
	}
}

static void line_has_no_thread(struct line *l, int error)
{
	const struct fieldway_result result = { .error = error };
	char text[DEVICE_TEXT_MAX];

	for (size_t i = 0; i < l->n_devices; i++) {
		device_text(l->devices[i], "no thread for its line", &result, text, sizeof(text));
		device_enter_state(l->devices[i], LINK_FAILED, text);
	}
}

void bus_start(struct host_bus *b)
{
	int r;

	b->started = true;
	/* What speaks by itself has to be there before it can be told. */
	if (b->events)
		events_start(b->events);
	if (b->lend_usec > 0)
		release_from_start(b, b->lend_usec);
	for (size_t i = 0; i < b->n_lines; i++) {
		r = line_start(&b->lines[i]);
		if (r < 0)
			line_has_no_thread(&b->lines[i], r);
	}
}

void bus_retire(struct host_bus *b, void (*ended)(struct host_bus *bus, void *userdata),
		void *userdata)
{
	b->retired = true;
	b->ended = ended;
	b->userdata = userdata;
	values_group_remove(&b->group);
	for (size_t i = 0; i < b->n_lines; i++)
		line_retire(&b->lines[i]);
	guests_retire(b, -ECANCELED, "the configuration has changed");
	release_done(b);
	recorder_stop(&b->recorder);
	if (b->events)
		events_stop(b->events);
	if (b->n_workers == 0)
		ended(b, userdata);
}

bool bus_has_ended(const struct host_bus *b)
{
	return b->n_workers == 0;
}

struct device *bus_find(struct host_bus *b, uint32_t id)
{
	for (size_t i = 0; i < b->n_devices; i++)
		if (b->devices[i].setup->link->id == id)
			return &b->devices[i];
	return NULL;
}
