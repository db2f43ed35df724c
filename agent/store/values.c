/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/macro.h"
#include "store/internal.h"

/* ---- from the side that backs them ---- */

static bool fits_multiplicity(const struct resource_definition *definition, const struct path *path)
{
	return path->depth == (definition->multiple ? PATH_RESOURCE_INSTANCE : PATH_RESOURCE);
}

/* Everything is converted before anything is set. */
static int convert_all(struct store *s, const struct record *records, size_t n, struct value *values)
{
	for (size_t i = 0; i < n; i++) {
		const struct resource_definition *definition = store_resource(s, &records[i].path);
		struct path instance = path_cut(&records[i].path, PATH_INSTANCE);
		int r;

		if (!store_exists(s, &instance))
			return -ENOENT;
		if (!definition || !fits_multiplicity(definition, &records[i].path))
			return -EINVAL;
		r = value_convert(&records[i].value, definition->type, &values[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_all(struct store *s, const struct record *records, size_t n, struct value *values)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		struct path path = path_cut(&records[i].path, PATH_RESOURCE);
		uint64_t when = records[i].boottime_usec ?: clock_boottime_usec();
		struct resource *resource;
		bool changed;

		r = resource_make(s, &path, &resource);
		if (r >= 0)
			r = resource_set(resource, &records[i].path, &values[i], when, &changed);
		if (r >= 0 && changed)
			change_note(s, &path);
	}
	return r;
}

int store_update(struct store *s, const struct record *records, size_t n)
{
	struct value *values = calloc(n ?: 1, sizeof(*values));
	int r;

	if (!values)
		return -ENOMEM;
	store_begin(s);
	r = convert_all(s, records, n, values);
	if (r >= 0)
		r = set_all(s, records, n, values);
	store_end(s);
	for (size_t i = 0; i < n; i++)
		value_done(&values[i]);
	free(values);
	return r;
}

int store_set_quality(struct store *s, const struct path *path, enum store_quality quality)
{
	struct resource *r = resource_find(s, path);

	if (!r)
		return -ENOENT;
	/* What was never read does not become stale, and good only by a value. */
	if (!r->present && (quality == STORE_STALE || quality == STORE_GOOD))
		return 0;
	if (r->quality == quality)
		return 0;
	store_begin(s);
	r->quality = quality;
	change_note(s, path);
	store_end(s);
	return 0;
}

enum store_quality store_quality(const struct store *s, const struct path *path)
{
	const struct resource *r = resource_find(s, path);

	return r ? (enum store_quality)r->quality : STORE_NEVER;
}

bool store_is_unread(const struct store *s, const struct path *path)
{
	const struct resource *r = resource_find(s, path);

	return r && (r->quality == STORE_NEVER || (r->quality == STORE_OFFLINE && !r->present));
}

static size_t resource_bytes(const struct resource *r)
{
	size_t n = 0;

	if (!r->multiple)
		return r->value.size;
	for (uint16_t i = 0; i < r->n_slots; i++)
		n += r->slots[i].value.size;
	return n;
}

size_t store_bytes(const struct store *s)
{
	size_t bytes = 0;

	for (uint16_t o = 0; o < s->n; o++)
		for (uint16_t i = 0; i < s->objects[o].n; i++) {
			const struct instance *instance = &s->objects[o].instances[i];

			for (uint16_t r = 0; r < instance->n; r++)
				bytes += resource_bytes(&instance->resources[r]);
		}
	return bytes;
}

/* ---- reading ---- */

static int quality_error(enum store_quality quality)
{
	switch (quality) {
	case STORE_GOOD:
		return 0;
	case STORE_NEVER:
		return -ENODATA;
	case STORE_STALE:
		return -ESTALE;
	case STORE_OFFLINE:
		return -EHOSTDOWN;
	}
	return -ENODATA;
}

/* 0 when the resource's kept value may be shown. */
static int usable(const struct resource *r, bool last_known)
{
	if (last_known && r->present)
		return 0;
	return r->quality == STORE_GOOD && !r->present ? -ENODATA : quality_error(r->quality);
}

int store_read(struct store *s, const struct path *path, bool last_known, struct value *ret,
	       uint64_t *ret_boottime_usec)
{
	const struct resource *r = resource_find(s, path);
	const struct backing *backing = r ? resource_backing(s, r) : NULL;
	const struct slot *slot = NULL;
	int error;

	if (!r || !store_exists(s, path))
		return -ENOENT;
	if (backing && backing->ops->read) {
		if (ret_boottime_usec)
			*ret_boottime_usec = clock_boottime_usec();
		return backing->ops->read(backing->userdata, path, ret);
	}
	if (r->multiple)
		slot = path->depth == PATH_RESOURCE_INSTANCE ? slot_find(r, path->resource_instance) : NULL;
	if (r->multiple && !slot)
		return -EINVAL;
	error = usable(r, last_known);
	if (error < 0)
		return error;
	if (ret_boottime_usec)
		*ret_boottime_usec = slot ? slot->boottime_usec : r->boottime_usec;
	return value_copy(slot ? &slot->value : &r->value, ret);
}

struct collection {
	struct store *store;
	bool last_known;
	unsigned left_out;
	struct records *records;
	const struct path *target;
};

static int collect_computed(struct collection *c, const struct path *path, const struct backing *backing)
{
	struct value value = { 0 };

	if (backing->ops->read(backing->userdata, path, &value) < 0) {
		c->left_out++;
		return 0;
	}
	return records_add(c->records, path, &value, clock_boottime_usec());
}

static int collect_slots(struct collection *c, const struct path *path, const struct resource *r)
{
	static const struct value none = { .type = VALUE_NONE };
	int error = 0;

	if (r->n_slots == 0)
		return records_add_copy(c->records, path, &none, r->boottime_usec);
	for (uint16_t i = 0; i < r->n_slots && error >= 0; i++) {
		struct path child = path_child(path, r->slots[i].id);

		if (path_contains(c->target, &child))
			error = records_add_copy(c->records, &child, &r->slots[i].value,
						 r->slots[i].boottime_usec);
	}
	return error;
}

static int collect_resource(struct collection *c, const struct path *path)
{
	const struct resource_definition *definition = store_resource(c->store, path);
	const struct resource *r = resource_find(c->store, path);
	const struct backing *backing = r ? resource_backing(c->store, r) : NULL;

	if (!r || !(definition->operations & OPERATION_READ))
		return 0;
	if (backing && backing->ops->read)
		return collect_computed(c, path, backing);
	if (!r->present && !backing)
		return 0;
	if (usable(r, c->last_known) < 0) {
		c->left_out++;
		return 0;
	}
	return r->multiple ? collect_slots(c, path, r) :
			     records_add_copy(c->records, path, &r->value, r->boottime_usec);
}

/* Down to the resources; returns 0 to walk on. */
static int collect_below(void *userdata, const struct path *path)
{
	struct collection *c = userdata;

	if (path->depth >= PATH_RESOURCE) {
		struct path resource = path_cut(path, PATH_RESOURCE);

		return collect_resource(c, &resource);
	}
	return store_children(c->store, path, collect_below, c);
}

int store_collect(struct store *s, const struct path *path, bool last_known, struct records *ret,
		  unsigned *ret_left_out)
{
	struct collection c = { .store = s, .last_known = last_known, .records = ret, .target = path };
	int r;

	if (!store_exists(s, path))
		return -ENOENT;
	r = collect_below(&c, path);
	if (r >= 0 && ret_left_out)
		*ret_left_out = c.left_out;
	return r;
}

struct explanation {
	struct store *store;
	char *text;
	size_t size;
};

static int explain_below(void *userdata, const struct path *path)
{
	struct explanation *e = userdata;
	const struct resource *r = resource_find(e->store, path);
	const struct backing *backing = r ? resource_backing(e->store, r) : NULL;

	if (path->depth < PATH_RESOURCE)
		return store_children(e->store, path, explain_below, e);
	if (!backing || !backing->ops->explain || usable(r, false) == 0)
		return 0;
	backing->ops->explain(backing->userdata, path, e->text, e->size);
	return 1;
}

void store_explain(struct store *s, const struct path *path, char *ret, size_t size)
{
	struct explanation e = { .store = s, .text = ret, .size = size };

	*ret = 0;
	explain_below(&e, path);
}
