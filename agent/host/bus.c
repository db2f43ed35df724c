/* SPDX-License-Identifier: Apache-2.0 */
#include "host/bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "host/device/device.h"
#include "host/device/make.h"
#include "host/event/events.h"
#include "host/line/errand.h"
#include "host/line/line.h"
#include "host/release.h"

int bus_new(const struct host_services *services, struct host_bus **ret)
{
	struct host_bus *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	list_init(&b->node);
	list_init(&b->guests);
	list_init(&b->leaving);
	recorder_init(&b->recorder, services->timers);
	b->services = services;
	values_group_init(&b->group, 0);
	*ret = b;
	return 0;
}

struct host_bus *bus_free(struct host_bus *b)
{
	struct line *l;

	if (!b)
		return NULL;
	for (size_t i = 0; i < b->n_lines; i++)
		line_free(b->lines[i]);
	list_for_each(l, &b->leaving, node)
		line_free(l);
	guests_retire(b, -ECANCELED, "its bus has gone");
	release_done(b);
	recorder_done(&b->recorder);
	events_free(b->events);
	values_group_remove(&b->group);
	for (size_t i = 0; i < b->n_devices; i++)
		device_free(b->devices[i]);
	free(b->devices);
	free(b->lines);
	list_remove(&b->node);
	setup_free(b->setup);
	free(b);
	return NULL;
}

/* ---- life ---- */

static void line_has_no_thread(struct line *l, int error)
{
	const struct fieldway_result result = { .error = error };
	char text[DEVICE_TEXT_MAX];

	for (size_t i = 0; i < l->n_devices; i++) {
		device_text(l->devices[i], "no thread for its line", &result, text, sizeof(text));
		device_enter_state(l->devices[i], LINK_FAILED, text);
	}
}

/* Its port or connection is one that ends. */
static bool is_held(const struct host_bus *b, const char *name)
{
	struct line *l;

	list_for_each(l, &b->leaving, node)
		if (streq(l->name, name))
			return true;
	list_for_each(l, &b->guests, node)
		if (streq(l->name, name))
			return true;
	return false;
}

/* A guest that asks what the bus now asks itself closes first. */
static void guests_give_way(struct host_bus *b)
{
	for (size_t i = 0; i < b->n_lines; i++)
		if (!b->lines[i]->worker)
			guest_leave(b, b->lines[i]->name);
}

void bus_start_lines(struct host_bus *b)
{
	int r;

	if (!b->started)
		return;
	guests_give_way(b);
	for (size_t i = 0; i < b->n_lines; i++) {
		struct line *l = b->lines[i];

		if (l->worker || l->failed || is_held(b, l->name))
			continue;
		r = line_start(l);
		l->failed = r < 0;
		if (r < 0)
			line_has_no_thread(l, r);
	}
}

void bus_start(struct host_bus *b)
{
	b->started = true;
	/* What speaks by itself has to be there before it can be told. */
	if (b->events)
		events_start(b->events);
	if (b->lend_usec > 0)
		release_from_start(b, b->lend_usec);
	bus_start_lines(b);
}

void bus_retire(struct host_bus *b, void (*ended)(struct host_bus *bus, void *userdata),
		void *userdata)
{
	b->retired = true;
	b->ended = ended;
	b->userdata = userdata;
	values_group_remove(&b->group);
	for (size_t i = 0; i < b->n_lines; i++)
		line_retire(b->lines[i]);
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
		if (b->devices[i]->setup->link->id == id)
			return b->devices[i];
	return NULL;
}
