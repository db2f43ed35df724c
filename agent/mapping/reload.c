/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "mapping/change.h"

/*
 * What another configuration makes of a mapping is made beside it first, with all
 * the memory that it takes. Then, within one turn of the loop, it takes over what
 * goes on: endpoints themselves, as stores and timers hold them, and what was in
 * the rows and devices of before.
 */

struct reload {
	struct mapping *mapping, *next;
	const struct config_difference *d;
	struct change *changes; /* as next's endpoints */
};

/* ---- what is the same ---- */

/* Rows mostly are where they were, but for some that came or went before them. */
static void match_row(const struct reload *r, uint32_t before, uint32_t after, struct change *c, size_t j,
		      size_t *hint)
{
	size_t n = c->e->config->n_map;

	for (size_t k = 0; k < n; k++) {
		size_t i = (*hint + k) % n;

		if (c->to[i] != CONFIG_NONE || !config_difference_same_value(r->d, before, i, after, j))
			continue;
		c->to[i] = (uint32_t)j;
		c->from[j] = (uint32_t)i;
		*hint = i + 1;
		return;
	}
}

static uint32_t *none(size_t n)
{
	uint32_t *items = malloc((n + 1) * sizeof(*items));

	for (size_t i = 0; items && i < n; i++)
		items[i] = CONFIG_NONE;
	return items;
}

static int match_rows(const struct reload *r, uint32_t before, uint32_t after)
{
	struct change *c = &r->changes[after];
	size_t n = config_endpoint_at(r->d->after, after)->n_map, hint = 0;

	c->to = none(c->e->config->n_map);
	c->from = none(n);
	if (!c->to || !c->from)
		return -ENOMEM;
	for (size_t j = 0; j < n; j++)
		match_row(r, before, after, c, j, &hint);
	return 0;
}

static int prepare(struct reload *r, bool other_definitions)
{
	const struct config_difference *d = r->d;
	int error = 0;

	r->changes = calloc(d->after->n_endpoints + 1, sizeof(*r->changes));
	if (!r->changes)
		return -ENOMEM;
	for (uint32_t i = 0; i <= config_host(d->after) && error >= 0; i++) {
		uint32_t before = d->endpoints[i].before;

		if (before == CONFIG_NONE || !r->mapping->endpoints[before]->store)
			continue;
		r->changes[i].e = r->mapping->endpoints[before];
		if (other_definitions || !d->endpoints[i].same)
			error = match_rows(r, before, i);
	}
	return error;
}

static int make_next(struct reload *r, const struct config *after, const struct definitions *definitions)
{
	struct mapping *next = calloc(1, sizeof(*next)), *m = r->mapping;

	if (!next)
		return -ENOMEM;
	r->next = next;
	next->config = after;
	next->definitions = definitions;
	next->fieldbus = m->fieldbus;
	next->timers = m->timers;
	next->state = m->state;
	next->ops = m->ops;
	next->userdata = m->userdata;
	return mapping_init(next, m, r->d);
}

/* ---- before anything changes ---- */

/* An object that is defined otherwise may have lost what is the same in YAML. */
static void lose_undefined(struct change *c, const struct mapped_endpoint *next)
{
	for (size_t j = 0; j < next->config->n_map; j++) {
		const struct config_map *map = &next->config->map[j];
		uint32_t i = c->from[j];

		if (i == CONFIG_NONE || map->kind == CONFIG_MAP_ALARM || store_backing(c->e->store, &map->path))
			continue;
		c->from[j] = c->to[i] = CONFIG_NONE;
	}
}

/* Its store may be there for a while, when its configuration and definitions are not. */
static void leave(struct mapped_endpoint *e, const struct definitions *definitions)
{
	struct store *store = e->store;

	mapped_endpoint_leave(e);
	store_set_definitions(store, definitions);
}

/* Requests that do not go on end while everything that their ends may ask for is still there. */
static void end_requests(struct reload *r)
{
	const struct config_difference *d = r->d;

	for (size_t i = 0; i <= config_host(d->after); i++) {
		struct change *c = &r->changes[i];

		if (!c->e)
			continue;
		store_begin(c->e->store);
		store_set_definitions(c->e->store, r->next->definitions);
		if (c->to) {
			lose_undefined(c, r->next->endpoints[i]);
			mapped_writes_end(c->e, c->to);
		}
		asking_end(c->e, d);
	}
	for (size_t i = 0; i < d->before->n_endpoints; i++)
		if (d->endpoints_after[i] == CONFIG_NONE && r->mapping->endpoints[i]->store)
			leave(r->mapping->endpoints[i], r->next->definitions);
}

/* ---- taking over ---- */

static void take_over_rows(struct change *c, struct mapped_row *rows)
{
	struct mapped_endpoint *e = c->e;

	e->rows = rows;
	for (size_t j = 0; j < e->config->n_map; j++) {
		if (c->from[j] != CONFIG_NONE)
			rows[j] = c->rows[c->from[j]];
		rows[j].made_instance = false;
		rows[j].endpoint = e;
	}
	mapped_writes_follow(e, c->rows, c->to);
}

static void take_over_endpoint(struct reload *r, uint32_t i)
{
	struct mapped_endpoint *made = r->next->endpoints[i];
	struct change *c = &r->changes[i];
	struct mapped_endpoint *e = c->e;

	if (!e) {
		made->mapping = r->mapping;
		return;
	}
	c->config = e->config;
	c->plan = e->plan;
	c->rows = e->rows;
	c->waiting = e->unseen > 0;
	e->config = made->config;
	e->plan = made->plan;
	e->index = i;
	if (c->to) {
		take_over_rows(c, made->rows);
		made->rows = NULL;
	}
	asking_follow(e, r->d);
	/* It has its place now, and the other one goes with the former ones. */
	r->next->endpoints[i] = e;
	r->mapping->endpoints[r->d->endpoints[i].before] = made;
}

static void take_over_device(struct reload *r, uint32_t i)
{
	uint32_t before = r->d->devices[i].before;
	struct mapped_device *d = &r->next->devices[i], *former;

	if (before == CONFIG_NONE)
		return;
	former = &r->mapping->devices[before];
	d->state = former->state;
	d->reason = TAKE_PTR(former->reason);
	d->log_budget = former->log_budget;
	d->owes = former->owes;
	d->failed = former->failed;
	d->catching = former->catching && r->d->devices[i].same;
}

/* What is left in next are the former ones. */
static void take_over(struct reload *r)
{
	struct mapping *m = r->mapping, *next = r->next;
	struct list plans;

	counters_leave(m, r->d);
	kept_leave(m, r->d);
	once_leave(m, r->d);
	for (uint32_t i = 0; i < next->config->n_devices; i++)
		take_over_device(r, i);
	for (uint32_t i = 0; i <= config_host(next->config); i++)
		take_over_endpoint(r, i);
	SWAP(m->config, next->config);
	SWAP(m->definitions, next->definitions);
	SWAP(m->endpoints, next->endpoints);
	SWAP(m->devices, next->devices);
	list_init(&plans);
	list_move(&m->plans, &plans);
	list_move(&next->plans, &m->plans);
	list_move(&plans, &next->plans);
}

/* ---- */

static void commit(struct reload *r)
{
	size_t n = r->d->after->n_endpoints + 1;

	end_requests(r);
	take_over(r);
	for (size_t i = 0; i < n; i++)
		if (r->changes[i].to)
			change_show(&r->changes[i]);
	for (size_t i = 0; i < n; i++)
		if (r->changes[i].e)
			store_end(r->changes[i].e->store);
	/* What it waited for may have been what went. */
	for (size_t i = 0; i < n; i++) {
		const struct mapped_endpoint *e = r->changes[i].e;

		if (e && r->changes[i].waiting && e->unseen == 0 && e->any_seen)
			e->mapping->ops->seen(e->mapping->userdata, e->index, true);
	}
}

static void reload_done(struct reload *r, bool committed)
{
	struct mapping *next = r->next;
	const struct config *config = next ? next->config : NULL;

	for (size_t i = 0; r->changes && i <= config_host(r->d->after); i++) {
		/* Of those that have others. */
		if (committed && r->changes[i].to)
			free(r->changes[i].rows);
		free(r->changes[i].to);
		free(r->changes[i].from);
	}
	free(r->changes);
	if (!next)
		return;
	for (size_t i = 0; next->endpoints && i <= config_host(config); i++)
		mapped_endpoint_free(next->endpoints[i]);
	mapped_devices_free(next->devices, config->n_devices);
	plans_free(&next->plans);
	free(next->endpoints);
	free(next);
}

int mapping_reload(struct mapping *m, const struct config *after, const struct definitions *definitions,
		   const struct config_difference *d)
{
	struct reload reload = { .mapping = m, .d = d };
	int r = make_next(&reload, after, definitions);

	if (r >= 0)
		r = prepare(&reload, !definitions_equal(m->definitions, definitions));
	if (r >= 0)
		commit(&reload);
	reload_done(&reload, r >= 0);
	return r < 0 ? r : 0;
}
