/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macro.h"
#include "store/internal.h"

/*
 * A Write from the server side. First everything is checked, then the backed
 * values go out one after the other, then all is committed as one change
 * behind the answer.
 */
enum mark {
	MARK_SENT = 1, /* the backing accepted it */
	MARK_LOST = 2, /* what it was for went away meanwhile */
};

struct write {
	struct list list; /* store.writes */
	struct store *store;
	struct path target;
	enum store_write_mode mode;
	struct records records; /* in the definitions' types */
	uint8_t *marks;		/* by record: enum mark, or'ed; NULL: still being checked */
	size_t at, run; /* run: how many records from `at` on are out */
	unsigned accepted;
	bool calling, waiting;	/* inside a backing's write(); its done is still to come */
	int error;
	char *reason;
	backing_done done;
	void *userdata;
};

static void write_free(struct write *w)
{
	list_remove(&w->list);
	records_done(&w->records);
	free(w->marks);
	free(w->reason);
	free(w);
}

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

static bool replaces_arrays(const struct write *w)
{
	return w->mode == STORE_REPLACE && w->target.depth <= PATH_RESOURCE;
}

/* What the request has brought of this resource so far, in new resource instances. */
static size_t new_slots(const struct write *w, const struct path *path, const struct resource *r)
{
	size_t n = 0;

	for (size_t i = 0; i < w->records.n; i++) {
		const struct path *other = &w->records.items[i].path;

		n += path->resource == other->resource && other->depth == PATH_RESOURCE_INSTANCE &&
		     (!r || !slot_find(r, other->resource_instance));
	}
	return n;
}

static int check_room(const struct write *w, const struct path *path)
{
	const struct resource *r = replaces_arrays(w) ? NULL : resource_find(w->store, path);
	size_t n = r && r->multiple ? r->n_slots : 0;

	if (path->depth < PATH_RESOURCE_INSTANCE || (r && slot_find(r, path->resource_instance)) ||
	    n + w->records.n < STORE_RESOURCE_INSTANCES_MAX)
		return 0;
	return n + new_slots(w, path, r) < STORE_RESOURCE_INSTANCES_MAX ? 0 : -ENOSPC;
}

static int check_backing(struct write *w, const struct path *path, const struct value *v)
{
	const struct resource *r = resource_find(w->store, path);
	const struct backing *backing = r ? resource_backing(w->store, r) : NULL;

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
		return 1;
	definition = store_resource(w->store, path);
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

static bool names_resource(const struct write *w, uint16_t resource)
{
	for (size_t i = 0; i < w->records.n; i++)
		if (w->records.items[i].path.resource == resource)
			return true;
	return false;
}

static const struct store_keeper *keeper_of(const struct write *w)
{
	const struct store_keeper *keeper = w->store->keeper;

	return keeper && keeper->object == w->target.object ? keeper : NULL;
}

static bool is_supplied(const struct write *w, uint16_t resource)
{
	const struct store_keeper *keeper = keeper_of(w);

	return keeper && keeper->ops->supplies && keeper->ops->supplies(keeper->userdata, resource);
}

static int check_whole(struct write *w)
{
	const struct store_keeper *keeper = keeper_of(w);

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

		if (d->mandatory && d->operations & OPERATION_WRITE && !names_resource(w, d->id) &&
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

	if (!object || w->target.depth < PATH_INSTANCE)
		return -ENOENT;
	if (exists)
		return w->mode == STORE_CREATE ? -EEXIST : 0;
	if (w->mode != STORE_CREATE && w->mode != STORE_BOOTSTRAP)
		return -ENOENT;
	return object_find(w->store, w->target.object)->n < STORE_INSTANCES_MAX ? 0 : -ENOSPC;
}

/* ---- carrying out ---- */

static const struct backing *writable_backing(const struct write *w, const struct path *path)
{
	const struct resource *r = resource_find(w->store, path);
	const struct backing *backing = r ? resource_backing(w->store, r) : NULL;

	return backing && (backing->ops->write || backing->ops->write_all) ? backing : NULL;
}

/* Replace: what the server could have written and did not goes away, unless somebody backs it. */
static void remove_absent(struct write *w)
{
	const struct object_definition *object = store_object(w->store, w->target.object);

	for (size_t i = 0; i < object->n_resources; i++) {
		const struct resource_definition *d = &object->resources[i];
		struct path path = path_of_resource(w->target.object, w->target.instance, d->id);
		const struct resource *r = resource_find(w->store, &path);

		if (r && r->backing == 0 && !d->mandatory && d->operations & OPERATION_WRITE &&
		    !names_resource(w, d->id))
			store_remove_resource(w->store, &path);
	}
}

/* Resource instances that the records do not name. */
static void remove_other_slots(struct write *w, const struct path *resource,
			       const struct resource *r)
{
	for (uint16_t i = r->n_slots; i-- > 0;) {
		struct path path = path_child(resource, r->slots[i].id);

		if (!records_find(&w->records, &path))
			store_remove_value(w->store, &path);
	}
}

/* Replace leaves a multiple resource with its new instances only; equal ones are no change. */
static void trim_multiples(struct write *w)
{
	struct path last = { .depth = PATH_ROOT };

	for (size_t i = 0; i < w->records.n; i++) {
		struct path path = path_cut(&w->records.items[i].path, PATH_RESOURCE);
		const struct resource *r = resource_find(w->store, &path);

		if (r && r->multiple && !path_equal(&path, &last) && !writable_backing(w, &path))
			remove_other_slots(w, &path, r);
		last = path;
	}
}

static void commit_record(struct write *w, size_t i)
{
	struct record *record = &w->records.items[i];
	struct path path = path_cut(&record->path, PATH_RESOURCE);
	struct resource *r;
	bool changed = true;

	if (resource_make(w->store, &path, &r) < 0)
		return;
	if (record->value.type == VALUE_NONE) {
		changed = !r->present;
		r->present = true;
	} else if (resource_set(r, &record->path, &record->value, clock_boottime_usec(), &changed) <
		   0) {
		return;
	}
	if (changed)
		change_note(w->store, &path);
}

static void tell_backing(struct write *w, const struct path *path)
{
	const struct resource *r = resource_find(w->store, path);
	const struct backing *backing = r ? resource_backing(w->store, r) : NULL;

	if (backing && !writable_backing(w, path) && backing->ops->changed)
		backing->ops->changed(backing->userdata, path, r->multiple ? NULL : &r->value);
}

static void tell_keeper(struct write *w)
{
	const struct store_keeper *keeper = keeper_of(w);
	const struct path instance = path_cut(&w->target, PATH_INSTANCE);

	if (w->error >= 0 && keeper && keeper->ops->written)
		keeper->ops->written(keeper->userdata, &instance, w->mode);
}

/* Memory takes everything or, after a failure, nothing; what devices accepted is true either way. */
static void commit(struct write *w)
{
	bool whole = w->error >= 0 && instance_find(w->store, w->target.object, w->target.instance);

	if (whole && w->mode == STORE_REPLACE && w->target.depth == PATH_INSTANCE)
		remove_absent(w);
	if (whole && replaces_arrays(w))
		trim_multiples(w);
	for (size_t i = 0; i < w->records.n; i++)
		if ((w->error >= 0 || w->marks[i] & MARK_SENT) && !(w->marks[i] & MARK_LOST))
			commit_record(w, i);
}

/* What went wrong after others were accepted has to be said with the paths. */
static void explain_partial(struct write *w)
{
	_cleanup_buf_ struct buf text = { 0 };
	char path[PATH_TEXT_MAX];

	buf_printf(&text, "%s failed%s%s; accepted:", path_format(&w->records.items[w->at].path, path),
		   w->reason ? ": " : "", w->reason ?: "");
	for (size_t i = 0; i < w->at; i++)
		if (w->marks[i] & MARK_SENT)
			buf_printf(&text, " %s", path_format(&w->records.items[i].path, path));
	free(w->reason);
	w->reason = buf_take_text(&text);
	w->error = -EREMOTEIO;
}

static void write_finish(struct write *w)
{
	struct store *s = w->store;

	store_begin(s);
	commit(w);
	if (w->error < 0 && w->accepted > 0)
		explain_partial(w);
	w->done(w->userdata, w->error, w->reason);
	for (size_t i = 0; i < w->records.n && w->error >= 0; i++)
		if (!(w->marks[i] & MARK_LOST))
			tell_backing(w, &w->records.items[i].path);
	tell_keeper(w);
	write_free(w);
	/* Watches run now: the answer is out. */
	store_end(s);
}

static void write_step(struct write *w);

static void one_done(void *userdata, int error, const char *reason)
{
	struct write *w = userdata;

	w->waiting = false;
	w->error = error;
	if (error < 0) {
		free(w->reason);
		w->reason = reason ? strdup(reason) : NULL;
	} else {
		for (size_t end = w->at + w->run; w->at < end; w->at++)
			w->marks[w->at] |= MARK_SENT;
		w->accepted += w->run;
	}
	if (!w->calling)
		write_step(w);
}

/* While a device took its time, somebody may have deleted what the rest was for, or put something else there. */
static bool is_gone(struct write *w)
{
	bool lost = false;

	for (size_t i = w->at; i < w->records.n && !lost; i++)
		lost = w->marks[i] & MARK_LOST;
	if (!lost && instance_find(w->store, w->target.object, w->target.instance))
		return false;
	w->error = -ENOENT;
	w->reason = strdup("gone");
	return true;
}

/* Those of one resource that stand next to each other. */
static size_t run_length(const struct write *w)
{
	const struct record *first = &w->records.items[w->at];
	size_t n = 1;

	while (w->at + n < w->records.n && first[n].path.resource == first->path.resource)
		n++;
	return n;
}

static void send_run(struct write *w, const struct backing *backing)
{
	const struct record *record = &w->records.items[w->at];

	w->run = backing->ops->write_all ? run_length(w) : 1;
	w->waiting = w->calling = true;
	if (backing->ops->write_all)
		backing->ops->write_all(backing->userdata, record, w->run, one_done, w);
	else
		backing->ops->write(backing->userdata, &record->path, &record->value, one_done, w);
	w->calling = false;
}

/* Sends the next backed value; returns while its result is out. */
static void write_step(struct write *w)
{
	while (w->error >= 0 && w->at < w->records.n && !is_gone(w)) {
		const struct record *record = &w->records.items[w->at];
		const struct backing *backing = writable_backing(w, &record->path);

		if (!backing) {
			w->at++;
			continue;
		}
		send_run(w, backing);
		if (w->waiting)
			return;
	}
	write_finish(w);
}

static int write_prepare(struct write *w, const struct record *records, size_t n)
{
	const struct object_definition *object = store_object(w->store, w->target.object);
	int r = check_target(w);

	if (r >= 0)
		r = check_all(w, records, n);
	if (r >= 0 && w->mode == STORE_CREATE)
		r = check_mandatory(w, object);
	if (r >= 0)
		r = check_whole(w);
	if (r < 0)
		return r;
	w->marks = calloc(w->records.n ?: 1, sizeof(*w->marks));
	if (!w->marks)
		return -ENOMEM;
	if (w->mode == STORE_CREATE || w->mode == STORE_BOOTSTRAP)
		r = store_add_instance(w->store, object, w->target.instance);
	return r;
}

void store_write(struct store *s, const struct path *target, enum store_write_mode mode,
		 const struct record *records, size_t n, backing_done done, void *userdata)
{
	struct write *w = calloc(1, sizeof(*w));
	int r;

	if (!w) {
		done(userdata, -ENOMEM, NULL);
		return;
	}
	*w = (struct write){ .store = s, .target = *target, .mode = mode, .done = done, .userdata = userdata };
	list_append(&s->writes, &w->list);
	store_begin(s);
	r = write_prepare(w, records, n);
	if (r < 0) {
		done(userdata, r, w->reason);
		write_free(w);
	} else {
		write_step(w);
	}
	store_end(s);
}

void store_set_keeper(struct store *s, const struct store_keeper *keeper)
{
	s->keeper = keeper;
}

void writes_cancel(struct store *s)
{
	struct write *w;

	list_for_each(w, &s->writes, list) {
		w->done(w->userdata, -ECANCELED, NULL);
		write_free(w);
	}
}

void writes_lose(struct store *s, const struct path *path)
{
	struct write *w;

	list_for_each(w, &s->writes, list)
		for (size_t i = 0; i < w->records.n && w->marks; i++)
			if (path_contains(path, &w->records.items[i].path))
				w->marks[i] |= MARK_LOST;
}

void store_execute(struct store *s, const struct path *path, const char *argument, backing_done done,
		   void *userdata)
{
	const struct resource_definition *definition = store_resource(s, path);
	const struct resource *r = resource_find(s, path);
	const struct backing *backing = r ? resource_backing(s, r) : NULL;

	if (!definition || !r) {
		done(userdata, -ENOENT, NULL);
		return;
	}
	if (!(definition->operations & OPERATION_EXECUTE) || !backing || !backing->ops->execute) {
		done(userdata, -EPERM, NULL);
		return;
	}
	backing->ops->execute(backing->userdata, path, argument, done, userdata);
}

int store_delete(struct store *s, const struct path *path)
{
	if (path->depth == PATH_INSTANCE)
		return store_remove_instance(s, path->object, path->instance);
	return path->depth == PATH_RESOURCE_INSTANCE ? store_remove_value(s, path) : -EPERM;
}
