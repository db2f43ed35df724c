/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lwm2m/bootstrap/staging_internal.h"

/* Bootstrap-Write and Bootstrap-Pack (Core 6.1.7.5, 6.1.7.7). */

/* One request at work on a copy of the content. */
struct writing {
	struct staging *staging;
	struct store *store;
	char *reason;
	int error;
};

/* ---- payload to records ---- */

static const struct resource_definition *lookup(void *userdata, const struct path *path)
{
	const struct object_definition *object = staging_object(userdata, path->object);

	return object && path->depth >= PATH_RESOURCE ? object_resource(object, path->resource) : NULL;
}

/* No payload is an instance of nothing, where the format has one for it. */
static int decode(struct writing *w, const struct path *target, int32_t format, struct span payload,
		  struct records *ret)
{
	const struct codec *codec = format >= 0 ? codec_find(format) : NULL;
	const char *reason = NULL;
	int r;

	if (!codec || (codec->single && target->depth < PATH_RESOURCE))
		return -EPROTONOSUPPORT;
	r = codec->decode(target, payload, lookup, w->staging, ret, &reason);
	return r < 0 && reason ? staging_refuse(w->reason, r, "%s", reason) : r;
}

/*
 * What means nothing: empty texts and keys, which servers write for what a
 * security mode does not use (Core E.1), and short server ids that are none.
 */
static bool says_nothing(const struct record *record)
{
	const struct value *v = &record->value;

	if (record->path.object != ACCOUNT_SECURITY || record->path.depth < PATH_RESOURCE)
		return false;
	if (record->path.resource == SECURITY_SHORT_ID)
		return v->type == VALUE_INTEGER && (v->integer == 0 || v->integer == ID_NONE);
	return (v->type == VALUE_STRING || v->type == VALUE_OPAQUE) && v->size == 0;
}

/* ---- one instance ---- */

static bool is_backed(const struct staging *st, const struct path *path)
{
	const struct path resource = path_cut(path, PATH_RESOURCE);
	const struct backing *backing = store_backing(st->config.live, &resource);

	return backing && (backing->ops->write || backing->ops->write_all);
}

/* Of what is no account: only what this endpoint has, and keeps itself. */
static int check_foreign(struct writing *w, const struct path *instance, const struct record *records, size_t n)
{
	const struct staging *st = w->staging;
	const struct path object = path_of_object(instance->object);
	char text[PATH_TEXT_MAX];

	if (!store_exists(st->config.live, &object))
		return staging_refuse(w->reason, -EINVAL, "%s: there is no such object here",
				      path_format(&object, text));
	if (!store_exists(st->config.live, instance) &&
	    !st->config.resolver->may_make(st->config.resolver->userdata, st->config.live, &object))
		return staging_refuse(w->reason, -EINVAL, "%s: its instances are not made by servers",
				      path_format(instance, text));
	for (size_t i = 0; i < n; i++)
		if (is_backed(st, &records[i].path))
			return staging_refuse(w->reason, -EINVAL, "%s is a device's or this machine's, and not bootstrapped",
					      path_format(&records[i].path, text));
	return 0;
}

static void written(void *userdata, int error, const char *reason)
{
	struct writing *w = userdata;

	w->error = error;
	if (error < 0)
		staging_refuse(w->reason, error, "%s", reason ?: "");
}

struct named {
	struct store *store;
	const struct record *records;
	size_t n;
	struct path other;
};

static int find_other(void *userdata, const struct path *path)
{
	struct named *named = userdata;

	for (size_t i = 0; i < named->n; i++)
		if (path_contains(path, &named->records[i].path))
			return path->depth == PATH_RESOURCE ? store_children(named->store, path, find_other, named) : 0;
	named->other = *path;
	return 1;
}

/* The instance has what was written and no more. */
static void remove_others(struct store *s, const struct path *instance, const struct record *records, size_t n)
{
	struct named named = { .store = s, .records = records, .n = n };

	while (store_children(s, instance, find_other, &named) > 0)
		if (named.other.depth == PATH_RESOURCE)
			store_remove_resource(s, &named.other);
		else
			store_remove_value(s, &named.other);
}

static int add_object(struct writing *w, uint16_t id)
{
	return store_object(w->store, id) ? 0 : store_add_object(w->store, staging_object(w->staging, id));
}

/* records: all of this instance. */
static int write_instance(struct writing *w, const struct path *target, const struct record *records, size_t n)
{
	const struct path instance = path_cut(target, PATH_INSTANCE);
	bool whole = target->depth == PATH_INSTANCE;
	int r = 0;

	if (!is_account_object(target->object))
		r = check_foreign(w, &instance, records, n);
	if (r >= 0)
		r = add_object(w, target->object);
	if (r < 0)
		return r;
	/* Nobody stands behind anything here: it has ended when this returns. */
	store_write(w->store, target, STORE_BOOTSTRAP, records, n, written, w);
	if (w->error < 0)
		return w->error;
	if (whole)
		remove_others(w->store, &instance, records, n);
	return staging_touch(w->staging, &instance, whole);
}

/* ---- several ---- */

/* The records of one instance, as the codec gave them, which stay the owner's. */
static size_t pick(const struct records *all, const struct path *instance, struct record *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (path_contains(instance, &all->items[i].path) && !says_nothing(&all->items[i]))
			ret[n++] = all->items[i];
	return n;
}

static bool is_first_of_instance(const struct records *all, size_t at, const struct path *instance)
{
	for (size_t i = 0; i < at; i++)
		if (path_contains(instance, &all->items[i].path))
			return false;
	return true;
}

static int write_all(struct writing *w, const struct path *target, const struct records *records)
{
	_cleanup_free_ struct record *some = calloc(records->n ?: 1, sizeof(*some));
	int r = some ? 0 : -ENOMEM;

	for (size_t i = 0; i < records->n && r >= 0; i++) {
		const struct path instance = path_cut(&records->items[i].path, PATH_INSTANCE);
		const struct path *at = target->depth > PATH_INSTANCE ? target : &instance;

		if (!is_first_of_instance(records, i, &instance))
			continue;
		if (instance.depth < PATH_INSTANCE || instance.instance == ID_NONE)
			return staging_refuse(w->reason, -EINVAL, "instances have to be named");
		r = write_instance(w, at, some, pick(records, &instance, some));
	}
	return r;
}

/* All of it on a copy, or nothing. */
static int write_on_copy(struct staging *st, int (*step)(struct writing *, const struct path *, const struct records *),
			 const struct path *target, const struct records *records, char *reason)
{
	struct writing w = { .staging = st, .reason = reason };
	struct touched *touched = NULL;
	size_t n = st->n_touched;
	int r;

	if (n > 0) {
		touched = calloc(n, sizeof(*touched));
		if (!touched)
			return -ENOMEM;
		memcpy(touched, st->touched, n * sizeof(*touched));
	}
	r = staging_copy(st, &w.store);
	if (r >= 0)
		r = step(&w, target, records);
	if (r >= 0) {
		staging_swap(st, w.store);
		free(touched);
		return 0;
	}
	store_free(w.store);
	free(st->touched);
	st->touched = touched;
	st->n_touched = n;
	return r;
}

/* What the object does not have in the version known here is nobody's error (Core 6.1.7.5). */
static bool is_unknown_resource(const struct staging *st, const struct path *target)
{
	const struct object_definition *object = staging_object(st, target->object);

	return object && target->depth == PATH_RESOURCE && !object_resource(object, target->resource);
}

int staging_write(struct staging *st, const struct path *target, int32_t format, struct span payload,
		  char ret_reason[STAGING_REASON_MAX])
{
	struct writing w = { .staging = st, .reason = ret_reason };
	_cleanup_records_ struct records records = { 0 };
	static const struct value none = { .type = VALUE_NONE };
	int r;

	if (target->depth < PATH_OBJECT || target->depth > PATH_RESOURCE)
		return staging_refuse(ret_reason, -EINVAL, "an object, an instance or a resource is written");
	if (!staging_object(st, target->object))
		return staging_refuse(ret_reason, -EINVAL, "/%u is unknown here", target->object);
	if (is_unknown_resource(st, target))
		return 0;
	r = decode(&w, target, format, payload, &records);
	/* An instance may be written with nothing in it. */
	if (r >= 0 && records.n == 0 && target->depth == PATH_INSTANCE)
		r = records_add_copy(&records, target, &none, 0);
	return r < 0 ? r : write_on_copy(st, write_all, target, &records, ret_reason);
}

/* ---- Bootstrap-Pack ---- */

static bool names_object(const struct records *records, uint16_t object)
{
	for (size_t i = 0; i < records->n; i++)
		if (records->items[i].path.object == object)
			return true;
	return false;
}

static bool names_instance(const struct records *records, const struct path *instance)
{
	for (size_t i = 0; i < records->n; i++)
		if (path_contains(instance, &records->items[i].path))
			return true;
	return false;
}

/* Which instances the objects of the pack had, and it does not name. */
static int drop_others(struct writing *w, uint16_t object, const struct records *records)
{
	int r = 0;

	account_for_each(id, w->store, object) {
		const struct path instance = path_of_instance(object, id);

		if (names_instance(records, &instance) || staging_stays(w->staging, &instance))
			continue;
		r = staging_touch(w->staging, &instance, true);
		if (r < 0)
			break;
		store_remove_instance(w->store, object, id);
	}
	return r;
}

struct pack {
	struct writing *writing;
	const struct records *records;
};

static int drop_in_object(void *userdata, const struct path *object)
{
	struct pack *pack = userdata;

	return names_object(pack->records, object->object) ?
		       drop_others(pack->writing, object->object, pack->records) :
		       0;
}

static int unpack(struct writing *w, const struct path *root, const struct records *records)
{
	struct pack pack = { .writing = w, .records = records };
	int r = store_children(w->store, root, drop_in_object, &pack);

	for (size_t i = 0; i < records->n && r >= 0; i++)
		if (!staging_object(w->staging, records->items[i].path.object))
			r = staging_refuse(w->reason, -EINVAL, "/%u is unknown here", records->items[i].path.object);
	return r < 0 ? r : write_all(w, root, records);
}

int staging_pack(struct staging *st, int32_t format, struct span payload, char ret_reason[STAGING_REASON_MAX])
{
	const struct path root = { .depth = PATH_ROOT };
	struct writing w = { .staging = st, .reason = ret_reason };
	_cleanup_records_ struct records records = { 0 };
	int r;

	/* Objects have no place in TLV. */
	if (format == FORMAT_TLV)
		return -EPROTONOSUPPORT;
	r = decode(&w, &root, format, payload, &records);
	return r < 0 ? r : write_on_copy(st, unpack, &root, &records, ret_reason);
}
