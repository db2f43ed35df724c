/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "store/write_internal.h"

/* ---- checks (Core 6.3.3, lwm2m.md "Operations") ---- */

static bool link_is_good(const struct store *s, const struct value *v)
{
	struct path path = path_of_instance(v->link.object, v->link.instance);

	if (v->link.object == ID_NONE)
		return v->link.instance == ID_NONE;
	if (v->link.instance == ID_NONE)
		path.depth = PATH_OBJECT;
	return store_exists(s, &path);
}

static int check_value(const struct write *w, const struct resource_definition *definition,
		       const struct path *path, const struct value *v)
{
	unsigned wanted = definition->multiple ? PATH_RESOURCE_INSTANCE : PATH_RESOURCE;

	if (w->mode == STORE_PATCH && v->type == VALUE_NONE)
		return definition->multiple && path->depth == wanted ? 0 : -EINVAL;
	/* A multiple resource without instances stands for itself. */
	if (v->type == VALUE_NONE)
		return definition->multiple && path->depth == PATH_RESOURCE ? 0 : -EINVAL;
	if (path->depth != wanted)
		return -EINVAL;
	/* What a bootstrap links to may come later; its Finish looks (lwm2m.md "Bootstrap"). */
	if (v->type == VALUE_OBJLNK && w->mode != STORE_BOOTSTRAP && !link_is_good(w->store, v))
		return -EINVAL;
	return range_check(&definition->range, v);
}

bool write_replaces_arrays(const struct write *w)
{
	return w->mode == STORE_REPLACE && w->target.depth <= PATH_RESOURCE;
}

static bool is_same_resource(const struct path *a, const struct path *b)
{
	return a->object == b->object && a->instance == b->instance && a->resource == b->resource;
}

/* What the request has brought of this resource so far, in new resource instances. */
static size_t new_slots(const struct write *w, const struct path *path, const struct resource *r)
{
	size_t n = 0;

	for (size_t i = 0; i < w->records.n; i++) {
		const struct path *other = &w->records.items[i].path;

		n += other->depth == PATH_RESOURCE_INSTANCE && is_same_resource(path, other) &&
		     (!r || !slot_find(r, other->resource_instance));
	}
	return n;
}

static int check_room(const struct write *w, const struct path *path)
{
	const struct resource *r = write_replaces_arrays(w) ? NULL : resource_find(w->store, path);
	size_t n = r && r->multiple ? r->n_slots : 0;

	if (path->depth < PATH_RESOURCE_INSTANCE || (r && slot_find(r, path->resource_instance)) ||
	    n + w->records.n < STORE_RESOURCE_INSTANCES_MAX)
		return 0;
	return n + new_slots(w, path, r) < STORE_RESOURCE_INSTANCES_MAX ? 0 : -ENOSPC;
}

/*
 * What a Write-Composite has sent out may have to be taken back: whoever wrote the
 * same in between would have been told that his value is there.
 */
static bool is_contested(const struct write *w, const struct path *path)
{
	const struct write *other;

	list_for_each(other, &w->store->writes, list) {
		if (other == w || (w->mode != STORE_PATCH && other->mode != STORE_PATCH))
			continue;
		for (size_t i = 0; i < other->records.n; i++)
			if (is_same_resource(path, &other->records.items[i].path))
				return true;
	}
	return false;
}

static int check_backing(struct write *w, const struct path *path, const struct value *v)
{
	const struct resource *r = resource_find(w->store, path);
	const struct backing *backing = r ? resource_backing(w->store, r) : NULL;

	/* Whoever stands behind it has no less instances for that. */
	if (w->mode == STORE_PATCH && v->type == VALUE_NONE)
		return write_backing(w, path) ? -EPERM : 0;
	if (write_backing(w, path) && is_contested(w, path)) {
		w->reason = strdup("another request is writing it");
		return -EBUSY;
	}
	if (w->mode == STORE_BOOTSTRAP || !backing || !backing->ops->check)
		return 0;
	return backing->ops->check(backing->userdata, path, v, &w->reason);
}

static int explain(struct write *w, int error, const struct path *path)
{
	char text[PATH_TEXT_MAX];

	if (!w->reason)
		w->reason = strdup(path_format(path, text));
	return error;
}

/* 1: the record is passed over. */
static int check_record(struct write *w, const struct record *record, struct value *ret)
{
	const struct path *path = &record->path;
	const struct resource_definition *definition;
	int r;

	if (!path_contains(&w->target, path))
		return explain(w, -EINVAL, path);
	if (path->depth < PATH_RESOURCE)
		return w->mode == STORE_PATCH ? explain(w, -EPERM, path) : 1;
	definition = store_resource(w->store, path);
	if (w->mode == STORE_PATCH && (!definition || !instance_find(w->store, path->object, path->instance)))
		return explain(w, -ENOENT, path);
	if (!definition)
		return w->target.depth >= PATH_RESOURCE ? -ENOENT : 1;
	if (w->mode != STORE_BOOTSTRAP && !(definition->operations & OPERATION_WRITE))
		return w->mode == STORE_CREATE ? 1 : explain(w, -EPERM, path);
	if (record->value.type == VALUE_NONE)
		*ret = record->value;
	else if (value_convert(&record->value, definition->type, ret) < 0)
		return explain(w, -EINVAL, path);
	r = check_value(w, definition, path, ret);
	if (r >= 0)
		r = check_room(w, path);
	if (r >= 0)
		r = check_backing(w, path, ret);
	if (r < 0)
		value_done(ret);
	return r < 0 ? explain(w, r, path) : 0;
}

static int check_bytes(const struct write *w)
{
	size_t bytes = 0;

	for (size_t i = 0; i < w->records.n; i++)
		bytes += w->records.items[i].value.size;
	/* Numbers have no bytes of their own: most writes need no look at the rest. */
	return bytes == 0 || bytes + store_bytes(w->store) <= STORE_BYTES_MAX ? 0 : -ENOSPC;
}

static int check_all(struct write *w, const struct record *records, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct value value = { 0 };
		int r = check_record(w, &records[i], &value);

		if (r == 0)
			r = records_add(&w->records, &records[i].path, &value, 0);
		if (r < 0)
			return r;
	}
	return check_bytes(w);
}

bool write_names(const struct write *w, uint16_t resource)
{
	for (size_t i = 0; i < w->records.n; i++)
		if (w->records.items[i].path.resource == resource)
			return true;
	return false;
}

const struct store_keeper *write_keeper(const struct write *w, uint16_t object)
{
	const struct store_keeper *keeper = w->store->keeper;

	return keeper && keeper->object == object ? keeper : NULL;
}

static bool is_supplied(const struct write *w, uint16_t resource)
{
	const struct store_keeper *keeper = write_keeper(w, w->target.object);

	return keeper && keeper->ops->supplies && keeper->ops->supplies(keeper->userdata, resource);
}

static int check_whole(struct write *w)
{
	const struct store_keeper *keeper = write_keeper(w, w->target.object);

	if (!keeper || !keeper->ops->check || w->mode == STORE_BOOTSTRAP)
		return 0;
	return keeper->ops->check(keeper->userdata, &w->target, w->mode, w->records.items,
				  w->records.n, &w->reason);
}

/* Only what a server can write can be missing in its Create. */
static int check_mandatory(struct write *w, const struct object_definition *object)
{
	for (size_t i = 0; i < object->n_resources; i++) {
		const struct resource_definition *d = &object->resources[i];
		struct path path = path_of_resource(w->target.object, w->target.instance, d->id);

		if (d->mandatory && d->operations & OPERATION_WRITE && !write_names(w, d->id) &&
		    !is_supplied(w, d->id))
			return explain(w, -EINVAL, &path);
	}
	return 0;
}

static int check_target(struct write *w)
{
	const struct object_definition *object = store_object(w->store, w->target.object);
	struct path instance = path_cut(&w->target, PATH_INSTANCE);
	bool exists = store_exists(w->store, &instance);

	if (w->mode == STORE_PATCH)
		return w->target.depth == PATH_ROOT ? 0 : -ENOENT;
	if (!object || w->target.depth < PATH_INSTANCE)
		return -ENOENT;
	if (exists)
		return w->mode == STORE_CREATE ? -EEXIST : 0;
	if (w->mode != STORE_CREATE && w->mode != STORE_BOOTSTRAP)
		return -ENOENT;
	return object_find(w->store, w->target.object)->n < STORE_INSTANCES_MAX ? 0 : -ENOSPC;
}

/* ---- of several instances in one (Core 6.3.9) ---- */

bool write_removes(const struct write *w, const struct record *record)
{
	return w->mode == STORE_PATCH && record->value.type == VALUE_NONE;
}

const struct backing *write_backing(const struct write *w, const struct path *path)
{
	const struct resource *r = resource_find(w->store, path);
	const struct backing *backing = r ? resource_backing(w->store, r) : NULL;

	return backing && (backing->ops->write || backing->ops->write_all) ? backing : NULL;
}

size_t write_run_length(const struct write *w, size_t at)
{
	const struct record *first = &w->records.items[at];
	size_t n = 1;

	while (at + n < w->records.n && is_same_resource(&first->path, &first[n].path))
		n++;
	return n;
}

/* Of a kept object's instance the request's values go before its keeper together, wherever they stand. */
static int check_kept_instance(struct write *w, const struct store_keeper *keeper, const struct path *instance)
{
	struct record *records = calloc(w->records.n, sizeof(*records));
	size_t n = 0;
	int r;

	if (!records)
		return -ENOMEM;
	for (size_t i = 0; i < w->records.n; i++)
		if (path_contains(instance, &w->records.items[i].path) &&
		    !write_removes(w, &w->records.items[i]))
			records[n++] = w->records.items[i];
	r = keeper->ops->check(keeper->userdata, instance, STORE_UPDATE, records, n, &w->reason);
	free(records);
	return r;
}

static int check_kept(struct write *w)
{
	struct path last = { .depth = PATH_ROOT };
	int r = 0;

	for (size_t i = 0; i < w->records.n && r >= 0; i++) {
		const struct path instance = path_cut(&w->records.items[i].path, PATH_INSTANCE);
		const struct store_keeper *keeper = write_keeper(w, instance.object);

		if (keeper && keeper->ops->check && !path_equal(&instance, &last))
			r = check_kept_instance(w, keeper, &instance);
		last = instance;
	}
	return r;
}

/* Is it known already that a device will not take its part? Then nobody else's is written. */
static int check_reachable(struct write *w, const struct path *path)
{
	char text[256];

	if (store_quality(w->store, path) != STORE_OFFLINE)
		return 0;
	store_explain(w->store, path, text, sizeof(text));
	free(w->reason);
	w->reason = strdup(text);
	return -EHOSTDOWN;
}

/* How many transactions with devices it takes, and whether they may be several. */
static int check_transactions(struct write *w)
{
	const struct backing *backing;
	bool strict = false;
	unsigned n = 0;
	int r = 0;

	for (size_t i = 0, run = 1; i < w->records.n && r >= 0; i += run) {
		const struct path *path = &w->records.items[i].path;

		run = 1;
		backing = write_backing(w, path);
		if (!backing)
			continue;
		if (backing->ops->write_all)
			run = write_run_length(w, i);
		strict |= backing->ops->is_strict && backing->ops->is_strict(backing->userdata, path);
		n++;
		r = check_reachable(w, path);
	}
	if (r < 0 || n < 2 || !strict)
		return r;
	if (asprintf(&w->reason, "it takes %u transactions with devices, and is to be atomic", n) < 0)
		w->reason = NULL;
	return -EPERM;
}

static int check_patch(struct write *w)
{
	int r = check_kept(w);

	return r < 0 ? r : check_transactions(w);
}

int write_check(struct write *w, const struct record *records, size_t n)
{
	int r = check_target(w);

	if (r >= 0)
		r = check_all(w, records, n);
	if (r >= 0 && w->mode == STORE_CREATE)
		r = check_mandatory(w, store_object(w->store, w->target.object));
	if (r >= 0)
		r = w->mode == STORE_PATCH ? check_patch(w) : check_whole(w);
	return r;
}
