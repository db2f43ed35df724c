/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "dbus/internal.h"
#include "dbus/presence.h"
#include "dbus/values.h"
#include "store/store.h"

/* So many values in one turn, and so long until the next one where the bus has no room. */
#define VALUES_AT_ONCE 200u
#define RETRY_USEC (50 * USEC_PER_MSEC)

/*
 * Live values: each change goes out at once. What the bus does not take is not
 * kept: the watch remembers from which path on it has to tell everything again,
 * as it does at its beginning.
 */

/* A connection that watches something; it may end without a word. */
struct watcher {
	struct list list;    /* dbus.watchers */
	struct list watches; /* struct watch, of_watcher */
	unsigned n;
	struct dbus *dbus;
	struct presence presence;
};

struct watch {
	struct list list; /* dbus.watches */
	struct list of_watcher;
	struct watcher *watcher;
	struct item *item; /* an endpoint */
	struct path path;
	bool behind;
	struct path from; /* behind: this one, and all that come later, are to be told */
};

static struct store *store_of(const struct watch *w)
{
	return w->item->dbus->ports.store(w->item->dbus->userdata, w->item->id);
}

/* ---- life ---- */

static void watcher_free(struct watcher *c)
{
	list_remove(&c->list);
	presence_done(&c->presence);
	free(c);
}

/* And its caller is watched no more when this was the last one. */
static void watch_free(struct watch *w)
{
	struct watcher *c = w->watcher;

	list_remove(&w->list);
	list_remove(&w->of_watcher);
	c->dbus->n_watches--;
	free(w);
	if (--c->n == 0)
		watcher_free(c);
}

static void watcher_left(void *userdata)
{
	struct watcher *c = userdata;
	struct watch *w;

	/* The last one takes the watcher with it. */
	for (unsigned n = c->n; n > 0; n--) {
		w = list_entry(c->watches.next, struct watch, of_watcher);
		watch_free(w);
	}
}

void watches_forget(struct dbus *d)
{
	timer_disarm(&d->watch_timer);
	while (!list_is_empty(&d->watches))
		watch_free(list_entry(d->watches.next, struct watch, list));
}

void watches_drop(struct item *item)
{
	struct watch *w;

	list_for_each(w, &item->dbus->watches, list)
		if (w->item == item)
			watch_free(w);
}

/* ---- telling ---- */

static uint64_t time_of(uint64_t boottime_usec)
{
	if (boottime_usec == 0 || !clock_realtime_is_plausible())
		return 0;
	return clock_realtime_from_boottime(boottime_usec);
}

/* One that is multiple as a{qv}. */
static int append_instances(sd_bus_message *m, struct store *store, const struct path *path)
{
	_cleanup_records_ struct records records = { 0 };
	int r = store_collect(store, path, false, &records, NULL);

	if (r >= 0)
		r = records_append(m, path, &records);
	return r < 0 ? r : sd_bus_message_append(m, "st", "", UINT64_C(0));
}

/* The last known one where there is no good one, and why. */
static int append_single(sd_bus_message *m, struct store *store, const struct path *path)
{
	_cleanup_value_ struct value value = { 0 };
	uint64_t boottime_usec = 0;
	char why[256] = "";
	int r = store_read(store, path, false, &value, &boottime_usec);

	if (r == -ENOENT)
		return sd_bus_message_append(m, "vst", "s", "", "gone", UINT64_C(0));
	if (r < 0) {
		store_explain(store, path, why, sizeof(why));
		if (!*why)
			snprintf(why, sizeof(why), "%s", "no value");
		r = store_read(store, path, true, &value, &boottime_usec);
	}
	r = r < 0 ? sd_bus_message_append(m, "v", "s", "") : value_append(m, &value);
	return r < 0 ? r : sd_bus_message_append(m, "st", why, time_of(boottime_usec));
}

static bool is_multiple(struct store *store, const struct path *path)
{
	const struct resource_definition *resource = store_resource(store, path);

	return path->depth == PATH_RESOURCE && resource && resource->multiple &&
	       store_exists(store, path);
}

static int send_value(const struct watch *w, const struct path *path)
{
	struct dbus *d = w->item->dbus;
	struct store *store = store_of(w);
	sd_bus_message *signal = NULL;
	char text[PATH_TEXT_MAX];
	_cleanup_free_ char *object = items_path(&d->endpoints, d, w->item->id);
	int r;

	if (!object)
		return -ENOMEM;
	r = sd_bus_message_new_signal(d->bus, &signal, object, AGENT1_ENDPOINT, "ValueChanged");
	if (r >= 0)
		r = sd_bus_message_append(signal, "s", path_format(path, text));
	if (r >= 0)
		r = is_multiple(store, path) ? append_instances(signal, store, path) :
					       append_single(signal, store, path);
	if (r >= 0)
		r = sd_bus_send_to(NULL, signal, w->watcher->presence.sender, NULL);
	sd_bus_message_unref(signal);
	return r;
}

/* What nobody can read has nothing to tell. */
static bool is_readable(struct store *store, const struct path *path)
{
	const struct resource_definition *resource = store_resource(store, path);

	return !path_is_secret(path) && (!resource || resource->operations & OPERATION_READ);
}

/* ---- what it is behind with ---- */

static void fall_behind(struct watch *w, const struct path *from)
{
	struct dbus *d = w->item->dbus;

	if (!w->behind || path_compare(from, &w->from) < 0)
		w->from = *from;
	w->behind = true;
	if (!timer_is_armed(&d->watch_timer))
		timer_arm_in(&d->watch_timer, RETRY_USEC);
}

struct walk {
	struct watch *watch;
	unsigned *left; /* values that may still go out in this turn */
};

static int tell_below(void *userdata, const struct path *child)
{
	const struct walk *walk = userdata;
	struct watch *w = walk->watch;

	/* All of it was told before. */
	if (path_compare(child, &w->from) < 0 && !path_contains(child, &w->from))
		return 0;
	if (child->depth < PATH_RESOURCE)
		return path_is_secret(child) ?
			       0 :
			       store_children(store_of(w), child, tell_below, userdata);
	if (!is_readable(store_of(w), child))
		return 0;
	if (*walk->left == 0 || !has_room_for_signal(w->item->dbus) || send_value(w, child) < 0) {
		w->from = *child;
		return 1;
	}
	--*walk->left;
	return 0;
}

static void catch_up(struct watch *w, unsigned *left)
{
	struct walk walk = { w, left };

	if (w->path.depth >= PATH_RESOURCE)
		w->behind = tell_below(&walk, &w->path) != 0;
	else
		w->behind = store_children(store_of(w), &w->path, tell_below, &walk) > 0;
}

static void catch_all_up(struct timer *timer, void *userdata)
{
	struct dbus *d = userdata;
	unsigned left = VALUES_AT_ONCE;
	bool behind = false;
	struct watch *w, *first = NULL;

	(void)timer;
	if (!d->named)
		return;
	list_for_each(w, &d->watches, list) {
		if (w->behind)
			catch_up(w, &left);
		if (w->behind && !first)
			first = w;
		behind |= w->behind;
	}
	if (!behind)
		return;
	/* Where one has much to tell, the others have their turn too. */
	list_remove(&first->list);
	list_append(&d->watches, &first->list);
	timer_arm_in(&d->watch_timer, has_room_for_signal(d) ? 0 : RETRY_USEC);
}

/* ---- changes ---- */

static void tell_change(struct watch *w, const struct path *path)
{
	/* A resource of which one instance is watched, or all that there is. */
	if (path_contains(path, &w->path))
		path = &w->path;
	else if (!path_contains(&w->path, path))
		return;
	if (!is_readable(store_of(w), path))
		return;
	/* Instances that came, and what there was no memory to note. */
	if (path->depth < PATH_RESOURCE && store_exists(store_of(w), path))
		fall_behind(w, path);
	else if (!has_room_for_signal(w->item->dbus) || send_value(w, path) < 0)
		fall_behind(w, path);
}

void dbus_values_changed(struct dbus *d, uint32_t endpoint, const struct path *paths, size_t n)
{
	struct watch *w;

	if (!d || list_is_empty(&d->watches) || !d->named)
		return;
	list_for_each(w, &d->watches, list)
		for (size_t i = 0; w->item->id == endpoint && i < n; i++)
			tell_change(w, &paths[i]);
}

/* ---- callers ---- */

static struct watcher *watcher_find(struct dbus *d, const char *sender)
{
	struct watcher *c;

	list_for_each(c, &d->watchers, list)
		if (streq(c->presence.sender, sender))
			return c;
	return NULL;
}

static int watcher_new(struct dbus *d, const char *sender, struct watcher **ret)
{
	struct watcher *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->dbus = d;
	list_init(&c->list);
	list_init(&c->watches);
	r = presence_init(&c->presence, d, sender, watcher_left, c);
	if (r < 0) {
		watcher_free(c);
		return r;
	}
	list_append(&d->watchers, &c->list);
	*ret = c;
	return 0;
}

/* ---- methods ---- */

static struct watch *watch_find(const struct watcher *c, const struct item *item,
				const struct path *path)
{
	struct watch *w;

	list_for_each(w, &c->watches, of_watcher)
		if (w->item == item && path_equal(&w->path, path))
			return w;
	return NULL;
}

static int watch_new(struct watcher *c, struct item *item, const struct path *path)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->watcher = c;
	w->item = item;
	w->path = w->from = *path;
	w->behind = true;
	list_append(&c->dbus->watches, &w->list);
	list_append(&c->watches, &w->of_watcher);
	c->dbus->n_watches++;
	c->n++;
	return 0;
}

static int check_limits(struct dbus *d, const struct watcher *c, sd_bus_error *error)
{
	if (d->n_watches < WATCHES_MAX && (!c || c->n < WATCHES_OF_CALLER_MAX))
		return 0;
	if (log_budget_take(&d->refusals, NULL))
		log_notice(NULL, "D-Bus: %s",
			   d->n_watches >= WATCHES_MAX ? "nothing more can be watched" :
							 "one caller wants to watch too much");
	return error_set(error, -ENOSPC, "Too much is watched");
}

/* What is there now goes out behind the answer. */
static int watch_begin(sd_bus_message *m, struct item *item, struct watcher *c,
		       const struct path *path)
{
	struct dbus *d = item->dbus;
	int r = 0;

	if (!c)
		r = watcher_new(d, sd_bus_message_get_sender(m), &c);
	if (r >= 0)
		r = watch_new(c, item, path);
	if (c && c->n == 0)
		watcher_free(c);
	if (r >= 0)
		r = timer_arm_in(&d->watch_timer, 0);
	return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
}

int endpoint_watch_values(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct item *item = userdata;
	struct dbus *d = item->dbus;
	struct store *store = d->ports.store(d->userdata, item->id);
	struct watcher *c;
	struct path path;
	int r = path_read(m, &path, error);

	if (r < 0)
		return r;
	if (!sd_bus_message_get_sender(m))
		return -EACCES;
	if (path_is_secret(&path))
		return error_set(error, -EACCES, "Its values are secret");
	if (!store_exists(store, &path))
		return error_set(error, -ENOENT, NULL);
	if (path.depth >= PATH_RESOURCE && !is_readable(store, &path))
		return error_set(error, -EPERM, "The resource cannot be read");
	c = watcher_find(d, sd_bus_message_get_sender(m));
	if (c && watch_find(c, item, &path))
		return sd_bus_reply_method_return(m, NULL);
	r = check_limits(d, c, error);
	return r < 0 ? r : watch_begin(m, item, c, &path);
}

int endpoint_unwatch_values(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct item *item = userdata;
	struct watch *w = NULL;
	struct watcher *c;
	struct path path;
	int r = path_read(m, &path, error);

	if (r < 0)
		return r;
	c = watcher_find(item->dbus, sd_bus_message_get_sender(m) ?: "");
	if (c)
		w = watch_find(c, item, &path);
	if (!w)
		return error_set(error, -ENOENT, "It is not watched");
	watch_free(w);
	return sd_bus_reply_method_return(m, NULL);
}

void watches_init(struct dbus *d)
{
	list_init(&d->watches);
	list_init(&d->watchers);
	timer_init(&d->watch_timer, d->config.timers, catch_all_up, d);
}
