/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "store/internal.h"

/* First position in a sorted array of items that start with a uint16_t id, or n. */
static size_t lower_bound(const void *items, size_t n, size_t size, uint16_t id)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		uint16_t at;

		memcpy(&at, (const char *)items + middle * size, sizeof(at));
		if (at < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Nearly all arrays are small, and exact. Larger ones grow in steps: an object
 * of many instances would else be copied for each of them. Whatever n falls to
 * in between, there is room up to the next step.
 */
#define GROWTH_STEP 64

/* Makes a zeroed hole of one item at position `at`. */
static void *insert(void **items, uint16_t *n, size_t size, size_t at)
{
	char *grown = *items;

	if (*n == UINT16_MAX)
		return NULL;
	if (*n < GROWTH_STEP || *n % GROWTH_STEP == 0)
		grown = reallocarray(*items, *n < GROWTH_STEP ? *n + 1 : *n + GROWTH_STEP, size);
	if (!grown)
		return NULL;
	*items = grown;
	memmove(grown + (at + 1) * size, grown + at * size, (*n - at) * size);
	memset(grown + at * size, 0, size);
	++*n;
	return grown + at * size;
}

static void take_out(void *items, uint16_t *n, size_t size, size_t at)
{
	--*n;
	memmove((char *)items + at * size, (char *)items + (at + 1) * size, (*n - at) * size);
}

struct object *object_find(const struct store *s, uint16_t id)
{
	for (uint16_t i = 0; i < s->n; i++)
		if (s->objects[i].definition->id == id)
			return &s->objects[i];
	return NULL;
}

struct instance *instance_find(const struct store *s, uint16_t object, uint16_t id)
{
	const struct object *o = object_find(s, object);
	size_t at = o ? lower_bound(o->instances, o->n, sizeof(*o->instances), id) : 0;

	return o && at < o->n && o->instances[at].id == id ? &o->instances[at] : NULL;
}

struct resource *resource_find(const struct store *s, const struct path *path)
{
	const struct instance *i =
		path->depth >= PATH_RESOURCE ? instance_find(s, path->object, path->instance) : NULL;
	size_t at = i ? lower_bound(i->resources, i->n, sizeof(*i->resources), path->resource) : 0;

	return i && at < i->n && i->resources[at].id == path->resource ? &i->resources[at] : NULL;
}

struct slot *slot_find(const struct resource *r, uint16_t id)
{
	size_t at = r->multiple ? lower_bound(r->slots, r->n_slots, sizeof(*r->slots), id) : 0;

	return r->multiple && at < r->n_slots && r->slots[at].id == id ? &r->slots[at] : NULL;
}

/* ---- life ---- */

int store_new(const struct definitions *definitions, struct store **ret)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->definitions = definitions;
	list_init(&s->writes);
	*ret = s;
	return 0;
}

void resource_clear(struct resource *r)
{
	if (r->multiple) {
		for (uint16_t i = 0; i < r->n_slots; i++)
			value_done(&r->slots[i].value);
		free(r->slots);
		r->slots = NULL;
		r->n_slots = 0;
	} else {
		value_done(&r->value);
	}
	r->present = false;
}

static void instance_done(struct instance *i)
{
	for (uint16_t k = 0; k < i->n; k++)
		resource_clear(&i->resources[k]);
	free(i->resources);
}

struct store *store_free(struct store *s)
{
	if (!s)
		return NULL;
	s->watch = NULL;
	writes_cancel(s);
	for (uint16_t i = 0; i < s->n; i++) {
		for (uint16_t k = 0; k < s->objects[i].n; k++)
			instance_done(&s->objects[i].instances[k]);
		free(s->objects[i].instances);
	}
	free(s->objects);
	free(s->backings);
	free(s->changed);
	free(s);
	return NULL;
}

/* ---- shape ---- */

int store_add_object(struct store *s, const struct object_definition *definition)
{
	const struct object *old = object_find(s, definition->id);
	struct object *grown;
	size_t at = 0;

	if (old)
		return old->definition->version == definition->version ? 0 : -EEXIST;
	grown = reallocarray(s->objects, s->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->objects = grown;
	while (at < s->n && grown[at].definition->id < definition->id)
		at++;
	memmove(&grown[at + 1], &grown[at], (s->n - at) * sizeof(*grown));
	grown[at] = (struct object){ .definition = definition };
	s->n++;
	store_begin(s);
	change_note(s, &(struct path){ .ids = { definition->id }, .depth = PATH_OBJECT });
	store_end(s);
	return 0;
}

int store_add_instance(struct store *s, const struct object_definition *definition, uint16_t instance)
{
	struct instance *added;
	struct object *o;
	size_t at;
	int r;

	store_begin(s);
	r = store_add_object(s, definition);
	o = object_find(s, definition->id);
	at = o ? lower_bound(o->instances, o->n, sizeof(*o->instances), instance) : 0;
	if (r >= 0 && (at == o->n || o->instances[at].id != instance)) {
		added = insert((void **)&o->instances, &o->n, sizeof(*o->instances), at);
		if (added) {
			added->id = instance;
			change_note(s, &(struct path){ .ids = { definition->id, instance },
						       .depth = PATH_INSTANCE });
		} else {
			r = -ENOMEM;
		}
	}
	store_end(s);
	return r;
}

void instance_remove(struct store *s, uint16_t object, uint16_t instance)
{
	struct object *o = object_find(s, object);
	struct instance *i = instance_find(s, object, instance);

	for (uint16_t k = 0; k < i->n; k++)
		resource_leave_backing(s, &i->resources[k]);
	writes_lose(s, &(struct path){ .ids = { object, instance }, .depth = PATH_INSTANCE });
	instance_done(i);
	take_out(o->instances, &o->n, sizeof(*o->instances), i - o->instances);
	change_note(s, &(struct path){ .ids = { object, instance }, .depth = PATH_INSTANCE });
}

void object_remove(struct store *s, struct object *o)
{
	const struct path path = path_of_object(o->definition->id);

	free(o->instances);
	take_out(s->objects, &s->n, sizeof(*s->objects), o - s->objects);
	change_note(s, &path);
}

int store_remove_object(struct store *s, uint16_t object)
{
	struct object *o = object_find(s, object);

	if (!o)
		return -ENOENT;
	store_begin(s);
	while (o->n > 0)
		instance_remove(s, object, o->instances[o->n - 1].id);
	object_remove(s, o);
	store_end(s);
	return 0;
}

int store_remove_instance(struct store *s, uint16_t object, uint16_t instance)
{
	if (!instance_find(s, object, instance))
		return -ENOENT;
	store_begin(s);
	instance_remove(s, object, instance);
	store_end(s);
	return 0;
}

int resource_make(struct store *s, const struct path *path, struct resource **ret)
{
	struct object *o = object_find(s, path->object);
	struct instance *i = instance_find(s, path->object, path->instance);
	const struct resource_definition *definition = o ? object_resource(o->definition, path->resource) : NULL;
	struct resource *r = resource_find(s, path);
	size_t at;

	if (!i)
		return -ENOENT;
	if (!definition)
		return -EINVAL;
	if (!r) {
		at = lower_bound(i->resources, i->n, sizeof(*i->resources), path->resource);
		r = insert((void **)&i->resources, &i->n, sizeof(*i->resources), at);
		if (!r)
			return -ENOMEM;
		r->id = path->resource;
		r->multiple = definition->multiple;
	}
	*ret = r;
	return 0;
}

static bool is_executable(const struct store *s, const struct path *path)
{
	const struct resource_definition *definition = store_resource(s, path);

	return definition && definition->operations & OPERATION_EXECUTE;
}

static bool resource_exists(const struct store *s, const struct path *path,
			    const struct resource *r)
{
	return r->present || r->backing > 0 || is_executable(s, path);
}

int store_add_resource(struct store *s, const struct path *resource, const struct backing *backing)
{
	struct path path = path_cut(resource, PATH_RESOURCE);
	struct resource *r;
	int error = resource_make(s, &path, &r);

	if (error >= 0)
		error = resource_set_backing(s, r, backing);
	if (error < 0)
		return error;
	store_begin(s);
	r->quality = STORE_GOOD;
	if (backing && !backing->ops->read && !is_executable(s, &path)) {
		/* Whoever backs it now has not spoken yet. */
		resource_clear(r);
		r->quality = STORE_NEVER;
	}
	if (resource_exists(s, &path, r))
		change_note(s, &path);
	store_end(s);
	return 0;
}

int store_remove_resource(struct store *s, const struct path *resource)
{
	struct path path = path_cut(resource, PATH_RESOURCE);
	struct instance *i = instance_find(s, path.object, path.instance);
	struct resource *r = resource_find(s, &path);

	if (!r)
		return -ENOENT;
	store_begin(s);
	if (resource_exists(s, &path, r))
		change_note(s, &path);
	/* Memory of this name can be made anew by whoever wrote it. */
	if (r->backing > 0)
		writes_lose(s, &path);
	resource_leave_backing(s, r);
	resource_clear(r);
	take_out(i->resources, &i->n, sizeof(*i->resources), r - i->resources);
	store_end(s);
	return 0;
}

const struct object_definition *store_object(const struct store *s, uint16_t object)
{
	const struct object *o = object_find(s, object);

	return o ? o->definition : NULL;
}

const struct resource_definition *store_resource(const struct store *s, const struct path *path)
{
	const struct object_definition *o = store_object(s, path->object);

	return o && path->depth >= PATH_RESOURCE ? object_resource(o, path->resource) : NULL;
}

bool store_exists(const struct store *s, const struct path *path)
{
	const struct resource *r;

	switch ((enum path_depth)path->depth) {
	case PATH_ROOT:
		return true;
	case PATH_OBJECT:
		return object_find(s, path->object) != NULL;
	case PATH_INSTANCE:
		return instance_find(s, path->object, path->instance) != NULL;
	case PATH_RESOURCE:
		r = resource_find(s, path);
		return r && resource_exists(s, path, r);
	case PATH_RESOURCE_INSTANCE:
		r = resource_find(s, path);
		return r && slot_find(r, path->resource_instance);
	}
	return false;
}

typedef int (*child_handler)(void *userdata, const struct path *child);

static int each_object(const struct store *s, const struct path *path, child_handler f, void *userdata)
{
	int r = 0;

	for (uint16_t i = 0; i < s->n && r == 0; i++) {
		struct path child = path_child(path, s->objects[i].definition->id);

		r = f(userdata, &child);
	}
	return r;
}

static int each_instance(const struct store *s, const struct path *path, child_handler f, void *userdata)
{
	const struct object *o = object_find(s, path->object);
	int r = 0;

	for (uint16_t i = 0; o && i < o->n && r == 0; i++) {
		struct path child = path_child(path, o->instances[i].id);

		r = f(userdata, &child);
	}
	return r;
}

static int each_resource(const struct store *s, const struct path *path, child_handler f, void *userdata)
{
	const struct instance *in = instance_find(s, path->object, path->instance);
	int r = 0;

	for (uint16_t i = 0; in && i < in->n && r == 0; i++) {
		struct path child = path_child(path, in->resources[i].id);

		if (resource_exists(s, &child, &in->resources[i]))
			r = f(userdata, &child);
	}
	return r;
}

static int each_slot(const struct store *s, const struct path *path, child_handler f, void *userdata)
{
	const struct resource *resource = resource_find(s, path);
	int r = 0;

	for (uint16_t i = 0; resource && resource->multiple && i < resource->n_slots && r == 0; i++) {
		struct path child = path_child(path, resource->slots[i].id);

		r = f(userdata, &child);
	}
	return r;
}

int store_children(const struct store *s, const struct path *path, child_handler f, void *userdata)
{
	switch ((enum path_depth)path->depth) {
	case PATH_ROOT:
		return each_object(s, path, f, userdata);
	case PATH_OBJECT:
		return each_instance(s, path, f, userdata);
	case PATH_INSTANCE:
		return each_resource(s, path, f, userdata);
	case PATH_RESOURCE:
		return each_slot(s, path, f, userdata);
	case PATH_RESOURCE_INSTANCE:
		break;
	}
	return 0;
}

uint16_t store_free_instance(const struct store *s, uint16_t object)
{
	const struct object *o = object_find(s, object);
	uint16_t id = 0;

	for (uint16_t i = 0; o && i < o->n && o->instances[i].id == id; i++)
		id++;
	return id;
}

/* ---- slots ---- */

static int slot_make(struct resource *r, uint16_t id, struct slot **ret)
{
	struct slot *slot = slot_find(r, id);

	if (!slot) {
		size_t at = lower_bound(r->slots, r->n_slots, sizeof(*r->slots), id);

		slot = insert((void **)&r->slots, &r->n_slots, sizeof(*r->slots), at);
		if (!slot)
			return -ENOMEM;
		slot->id = id;
	}
	*ret = slot;
	return 0;
}

int resource_set(struct resource *r, const struct path *path, struct value *value, uint64_t boottime_usec,
		 bool *ret_changed)
{
	struct value *place = &r->value;
	struct slot *slot;

	if (r->multiple) {
		int error = slot_make(r, path->resource_instance, &slot);

		if (error < 0)
			return error;
		place = &slot->value;
		slot->boottime_usec = boottime_usec;
	}
	*ret_changed = !r->present || r->quality != STORE_GOOD || !value_equal(place, value);
	value_done(place);
	*place = *value;
	*value = (struct value){ 0 };
	r->boottime_usec = boottime_usec;
	r->quality = STORE_GOOD;
	r->present = true;
	return 0;
}

int store_remove_value(struct store *s, const struct path *path)
{
	struct resource *r = resource_find(s, path);
	struct slot *slot = r ? slot_find(r, path->resource_instance) : NULL;

	if (!r || (path->depth == PATH_RESOURCE_INSTANCE && !slot))
		return -ENOENT;
	store_begin(s);
	if (path->depth == PATH_RESOURCE_INSTANCE) {
		value_done(&slot->value);
		take_out(r->slots, &r->n_slots, sizeof(*r->slots), slot - r->slots);
		change_note(s, path);
	} else {
		/* A multiple resource without instances is still there. */
		if (r->multiple ? r->n_slots > 0 || !r->present : r->present)
			change_note(s, path);
		resource_clear(r);
		r->present = r->multiple;
	}
	store_end(s);
	return 0;
}
