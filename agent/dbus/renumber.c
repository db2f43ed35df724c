/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/difference.h"
#include "dbus/internal.h"

/*
 * Another configuration. Objects are what they are by their paths, which are
 * made of names: one that keeps its name stays, whatever is behind it now.
 */

/* Items as they will be. */
struct renumbering {
	struct items *items;
	struct items next;
	bool *kept;    /* of each of next: it was there */
	bool *renewed; /* and is not what it was */
	struct list removed;
};

struct dbus_change {
	struct dbus *dbus;
	const struct config_difference *difference;
	struct renumbering endpoints, devices, buses;
	bool committed;
};

static size_t n_endpoints(const struct config *c)
{
	return c->empty ? 0 : c->n_endpoints + 1;
}

/* ---- is it what it was? ---- */

static bool is_same(const struct config_successor *s, uint32_t before)
{
	return s->before == before && s->same;
}

static bool same_endpoint(const struct config_difference *d, uint32_t before, uint32_t after)
{
	return before != DBUS_HOST && after != DBUS_HOST && is_same(&d->endpoints[after - 1], before - 1);
}

static bool same_device(const struct config_difference *d, uint32_t before, uint32_t after)
{
	return is_same(&d->devices[after], before);
}

/* How many devices it has counts, too. */
static bool same_bus(const struct config_difference *d, uint32_t before, uint32_t after)
{
	(void)d;
	(void)before;
	(void)after;
	return false;
}

typedef bool (*same_item)(const struct config_difference *d, uint32_t before, uint32_t after);

/* ---- beforehand ---- */

static int note_removed(struct renumbering *r, uint32_t id)
{
	struct removed *removed = calloc(1, sizeof(*removed));

	if (!removed)
		return -ENOMEM;
	removed->interface = r->items->interface;
	removed->path = items_path(r->items, r->items->dbus, id);
	list_append(&r->removed, &removed->list);
	return removed->path ? 0 : -ENOMEM;
}

static int find_removed(struct renumbering *r)
{
	_cleanup_free_ bool *stays = calloc(r->items->n + 1, sizeof(*stays));
	int error = stays ? 0 : -ENOMEM;

	for (size_t i = 0; stays && i < r->next.n; i++)
		if (r->kept[i])
			stays[r->next.items[i]->id] = true;
	/* What nobody has been told of goes untold. */
	for (uint32_t i = 0; i < r->items->n && error >= 0; i++)
		if (!stays[i] && !r->items->items[i]->added)
			error = note_removed(r, i);
	return error;
}

/* next has items of its own; those that stay take their places. */
static void find_kept(struct renumbering *r, const struct config_difference *d, same_item same)
{
	for (uint32_t i = 0; i < r->next.n; i++) {
		struct item *item = items_find(r->items, r->items->name(d->after, i));

		if (!item)
			continue;
		free(r->next.items[i]);
		r->next.items[i] = item;
		r->kept[i] = true;
		r->renewed[i] = !same(d, item->id, i);
	}
}

static int renumbering_init(struct renumbering *r, struct items *items, size_t n,
			    const struct config_difference *d, same_item same)
{
	struct dbus_config *config = &items->dbus->config;
	int error;

	r->items = items;
	r->next = *items;
	r->next.n = r->next.n_changed = r->next.next = 0;
	r->kept = calloc(n + 1, sizeof(*r->kept));
	r->renewed = calloc(n + 1, sizeof(*r->renewed));
	/* They are put in order by their names there. */
	config->config = d->after;
	error = items_init(&r->next, n);
	config->config = d->before;
	if (!r->kept || !r->renewed || error < 0)
		return -ENOMEM;
	find_kept(r, d, same);
	return find_removed(r);
}

static void renumbering_done(struct renumbering *r)
{
	struct removed *removed;

	if (!r->items)
		return;
	for (size_t i = 0; i < r->next.n; i++)
		if (!r->kept || !r->kept[i])
			free(r->next.items[i]);
	free(r->next.items);
	free(r->next.order);
	free(r->kept);
	free(r->renewed);
	list_for_each(removed, &r->removed, list)
		removed_free(removed);
}

int dbus_prepare(struct dbus *d, const struct config_difference *difference, struct dbus_change **ret)
{
	const struct config *after = difference->after;
	struct dbus_change *c;
	int r;

	if (!d) {
		*ret = NULL;
		return 0;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->dbus = d;
	c->difference = difference;
	list_init(&c->endpoints.removed);
	list_init(&c->devices.removed);
	list_init(&c->buses.removed);
	r = renumbering_init(&c->endpoints, &d->endpoints, n_endpoints(after), difference, same_endpoint);
	if (r >= 0)
		r = renumbering_init(&c->devices, &d->devices, after->n_devices, difference, same_device);
	if (r >= 0)
		r = renumbering_init(&c->buses, &d->buses, after->n_buses, difference, same_bus);
	if (r < 0)
		dbus_change_free(c);
	else
		*ret = c;
	return r;
}

struct dbus_change *dbus_change_free(struct dbus_change *c)
{
	if (!c)
		return NULL;
	if (!c->committed) {
		renumbering_done(&c->endpoints);
		renumbering_done(&c->devices);
		renumbering_done(&c->buses);
	}
	free(c);
	return NULL;
}

/* ---- in force ---- */

static void free_gone(struct renumbering *r)
{
	struct items *s = r->items;

	for (size_t i = 0; i < s->n; i++)
		s->items[i]->gone = true;
	for (size_t i = 0; i < r->next.n; i++)
		r->next.items[i]->gone = false;
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i]->gone) {
			orders_refuse(s->items[i]);
			watches_drop(s->items[i]);
			programs_drop(s->items[i]);
			free(s->items[i]);
		}
}

/* Whoever publishes for a device that has changed shows who he is anew. */
static void drop_programs(const struct renumbering *devices)
{
	for (size_t i = 0; i < devices->next.n; i++)
		if (devices->renewed[i])
			programs_drop(devices->next.items[i]);
}

static void tell_removed_later(struct dbus *d, struct renumbering *r)
{
	struct removed *removed;

	list_for_each(removed, &r->removed, list) {
		list_remove(&removed->list);
		if (d->named)
			list_append(&d->removed, &removed->list);
		else
			removed_free(removed);
	}
}

static void renumber(struct dbus *d, struct renumbering *r)
{
	struct items *s = r->items;
	size_t n_changed = 0;

	free_gone(r);
	for (uint32_t i = 0; i < r->next.n; i++) {
		struct item *item = r->next.items[i];

		item->id = i;
		item->items = s;
		item->added = d->named && (item->added || !r->kept[i]);
		item->renewed = d->named && (item->renewed || r->renewed[i]);
		item->changed = item->changed || item->added || item->renewed;
		n_changed += item->changed;
	}
	free(s->items);
	free(s->order);
	*s = r->next;
	s->n_changed = n_changed;
	tell_removed_later(d, r);
	free(r->kept);
	free(r->renewed);
}

void dbus_commit(struct dbus_change *c)
{
	struct dbus *d;

	if (!c)
		return;
	d = c->dbus;
	c->committed = true;
	d->config.config = c->difference->after;
	drop_programs(&c->devices);
	renumber(d, &c->endpoints);
	renumber(d, &c->devices);
	renumber(d, &c->buses);
	snapshots_restart(d);
	d->counts_changed = d->configuration_changed = d->paused_changed = true;
	changes_settle(d);
}
