/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macro.h"
#include "store/write_internal.h"

static void write_free(struct write *w)
{
	list_remove(&w->list);
	for (size_t i = 0; w->former && i < w->records.n; i++)
		value_done(&w->former[i]);
	free(w->former);
	free(w->old);
	records_done(&w->records);
	free(w->marks);
	free(w->reason);
	free(w);
}

/* ---- carrying out ---- */

/* Replace: what the server could have written and did not goes away, unless somebody backs it. */
static void remove_absent(struct write *w)
{
	const struct object_definition *object = store_object(w->store, w->target.object);

	for (size_t i = 0; i < object->n_resources; i++) {
		const struct resource_definition *d = &object->resources[i];
		struct path path = path_of_resource(w->target.object, w->target.instance, d->id);
		const struct resource *r = resource_find(w->store, &path);

		if (r && r->backing == 0 && !d->mandatory && d->operations & OPERATION_WRITE &&
		    !write_names(w, d->id))
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

		if (r && r->multiple && !path_equal(&path, &last) && !write_backing(w, &path))
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

	if (write_removes(w, record)) {
		store_remove_value(w->store, &record->path);
		return;
	}
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

	if (backing && !write_backing(w, path) && backing->ops->changed)
		backing->ops->changed(backing->userdata, path, r->multiple ? NULL : &r->value);
}

static void tell_keeper(struct write *w, const struct path *path, enum store_write_mode mode)
{
	const struct store_keeper *keeper = write_keeper(w, path->object);
	const struct path instance = path_cut(path, PATH_INSTANCE);

	if (w->error >= 0 && keeper && keeper->ops->written)
		keeper->ops->written(keeper->userdata, &instance, mode);
}

static void tell_keeper_of_each(struct write *w)
{
	struct path last = { .depth = PATH_ROOT };

	for (size_t i = 0; i < w->records.n; i++) {
		const struct path instance = path_cut(&w->records.items[i].path, PATH_INSTANCE);

		if (!path_equal(&instance, &last))
			tell_keeper(w, &instance, STORE_UPDATE);
		last = instance;
	}
}

/* Memory takes everything or, after a failure, nothing; what devices accepted is true either way. */
static void commit(struct write *w)
{
	bool whole = w->error >= 0 && instance_find(w->store, w->target.object, w->target.instance);

	if (whole && w->mode == STORE_REPLACE && w->target.depth == PATH_INSTANCE)
		remove_absent(w);
	if (whole && write_replaces_arrays(w))
		trim_multiples(w);
	if (w->undoing)
		undo_settle(w);
	for (size_t i = 0; i < w->records.n; i++)
		if ((w->error >= 0 || w->marks[i] & (MARK_SENT | MARK_UNDONE)) && !(w->marks[i] & MARK_LOST))
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
	if (w->undoing)
		undo_explain(w);
	else if (w->error < 0 && w->accepted > 0)
		explain_partial(w);
	w->done(w->userdata, w->error, w->reason);
	for (size_t i = 0; i < w->records.n && w->error >= 0; i++)
		if (!(w->marks[i] & MARK_LOST))
			tell_backing(w, &w->records.items[i].path);
	if (w->mode == STORE_PATCH)
		tell_keeper_of_each(w);
	else
		tell_keeper(w, &w->target, w->mode);
	undo_tell(w);
	write_free(w);
	/* Watches run now: the answer is out. */
	store_end(s);
}

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
	const struct path *of = w->mode == STORE_PATCH ? &w->records.items[w->at].path : &w->target;
	bool lost = false;

	for (size_t i = w->at; i < w->records.n && !lost; i++)
		lost = w->marks[i] & MARK_LOST;
	if (!lost && instance_find(w->store, of->object, of->instance))
		return false;
	w->error = -ENOENT;
	w->reason = strdup("gone");
	return true;
}

static void send_run(struct write *w, const struct backing *backing)
{
	const struct record *record = &w->records.items[w->at];

	w->run = backing->ops->write_all ? write_run_length(w, w->at) : 1;
	if (w->mode == STORE_PATCH)
		undo_remember(w);
	w->waiting = w->calling = true;
	if (backing->ops->write_all)
		backing->ops->write_all(backing->userdata, record, w->run, one_done, w);
	else
		backing->ops->write(backing->userdata, &record->path, &record->value, one_done, w);
	w->calling = false;
}

/* Sends the next backed value; returns while its result is out. */
void write_step(struct write *w)
{
	while (!w->undoing && w->error >= 0 && w->at < w->records.n && !is_gone(w)) {
		const struct record *record = &w->records.items[w->at];
		const struct backing *backing = write_backing(w, &record->path);

		if (!backing) {
			w->at++;
			continue;
		}
		send_run(w, backing);
		if (w->waiting)
			return;
	}
	if (w->mode == STORE_PATCH && w->error < 0 && !w->undoing)
		undo_begin(w);
	if (w->undoing && !undo_step(w))
		return;
	write_finish(w);
}

static int write_prepare(struct write *w, const struct record *records, size_t n)
{
	int r = write_check(w, records, n);

	if (r < 0)
		return r;
	w->marks = calloc(w->records.n ?: 1, sizeof(*w->marks));
	if (w->mode == STORE_PATCH)
		w->former = calloc(w->records.n ?: 1, sizeof(*w->former));
	if (!w->marks || (w->mode == STORE_PATCH && !w->former))
		return -ENOMEM;
	if (w->mode == STORE_CREATE || w->mode == STORE_BOOTSTRAP)
		r = store_add_instance(w->store, store_object(w->store, w->target.object), w->target.instance);
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
