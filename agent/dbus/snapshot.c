/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "dbus/internal.h"

/*
 * GetManagedObjects, some objects at a time: everybody may ask for all of them,
 * and with 10,000 endpoints sd-bus's own answer keeps the loop for a quarter of a
 * second. What changes meanwhile may stand in the answer as it was before: it is
 * told once more behind it (changes.c).
 */
#define OBJECTS_AT_ONCE 100u
/* Between two portions, so that the bus has its turn too: it comes behind what is due at once (bus.c). */
#define PAUSE_USEC USEC_PER_MSEC
/* An answer that is ready, or under way, waits so long where the bus has no room for it. */
#define ROOM_USEC USEC_PER_SEC

struct snapshot {
	struct list list; /* dbus.snapshots */
	sd_bus_message *call, *reply;
	unsigned kind; /* of objects: set_of() */
	size_t next;   /* in their order */
};

struct set {
	const struct items *items;
	const sd_bus_vtable *vtable;
};
#define SETS 3u

static struct set set_of(const struct dbus *d, unsigned kind)
{
	const struct set sets[SETS] = {
		{ &d->endpoints, endpoint_vtable },
		{ &d->devices, device_vtable },
		{ &d->buses, bus_vtable },
	};

	return sets[kind];
}

static void snapshot_free(struct dbus *d, struct snapshot *s)
{
	list_remove(&s->list);
	d->n_snapshots--;
	sd_bus_message_unref(s->reply);
	sd_bus_message_unref(s->call);
	free(s);
}

void snapshots_forget(struct dbus *d)
{
	timer_disarm(&d->snapshot_timer);
	while (!list_is_empty(&d->snapshots))
		snapshot_free(d, list_entry(d->snapshots.next, struct snapshot, list));
}

/* ---- objects ---- */

static int append_property(sd_bus_message *m, const sd_bus_vtable *v, const struct items *s,
			   const char *path, struct item *item)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_message_open_container(m, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", v->x.property.member);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', v->x.property.signature);
	if (r >= 0)
		r = v->x.property.get(item->dbus->bus, path, s->interface, v->x.property.member, m,
				      item, &error);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_properties(sd_bus_message *m, const sd_bus_vtable *v, const struct items *s,
			     const char *path, struct item *item)
{
	int r = sd_bus_message_open_container(m, 'a', "{sv}");

	for (; r >= 0 && v->type != _SD_BUS_VTABLE_END; v++)
		if (v->type == _SD_BUS_VTABLE_PROPERTY)
			r = append_property(m, v, s, path, item);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_object(sd_bus_message *m, const struct set *set, struct item *item)
{
	const struct items *s = set->items;
	_cleanup_free_ char *path = items_path(s, item->dbus, item->id);
	int r = path ? sd_bus_message_open_container(m, 'e', "oa{sa{sv}}") : -ENOMEM;

	if (r >= 0)
		r = sd_bus_message_append(m, "o", path);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'e', "sa{sv}");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", s->interface);
	if (r >= 0)
		r = append_properties(m, set->vtable, s, path, item);
	for (unsigned i = 0; r >= 0 && i < 3; i++)
		r = sd_bus_message_close_container(m);
	return r;
}

/* ---- portions ---- */

static int begin_reply(struct snapshot *s)
{
	int r;

	s->reply = sd_bus_message_unref(s->reply);
	s->kind = 0;
	s->next = 0;
	r = sd_bus_message_new_method_return(s->call, &s->reply);
	return r < 0 ? r : sd_bus_message_open_container(s->reply, 'a', "{oa{sa{sv}}}");
}

/* 1: that was all. */
static int add_some(struct dbus *d, struct snapshot *s)
{
	struct set set = set_of(d, s->kind);
	unsigned n = 0;
	int r = 0;

	while (r >= 0 && n < OBJECTS_AT_ONCE) {
		if (s->next < set.items->n) {
			r = append_object(s->reply, &set, set.items->items[set.items->order[s->next++]]);
			n++;
		} else if (++s->kind == SETS) {
			return 1;
		} else {
			set = set_of(d, s->kind);
			s->next = 0;
		}
	}
	return r;
}

static void finish(struct dbus *d, struct snapshot *s, int r)
{
	if (r >= 0)
		r = sd_bus_message_close_container(s->reply);
	if (r >= 0)
		r = sd_bus_send(NULL, s->reply, NULL);
	if (r < 0)
		call_fail(s->call, r, NULL);
	snapshot_free(d, s);
	changes_tell_again(d);
}

/* Each has its turn; none, while the bus takes nothing. */
static void go_on(struct timer *timer, void *userdata)
{
	struct dbus *d = userdata;
	struct snapshot *s;
	int r;

	(void)timer;
	/* One that could not begin anew after a reload may have been the last. */
	if (list_is_empty(&d->snapshots))
		return;
	if (!has_room_for_answer(d)) {
		timer_arm_in(&d->snapshot_timer, ROOM_USEC);
		return;
	}
	s = list_entry(d->snapshots.next, struct snapshot, list);
	r = add_some(d, s);
	if (r != 0) {
		finish(d, s, r);
	} else {
		list_remove(&s->list);
		list_append(&d->snapshots, &s->list);
	}
	if (!list_is_empty(&d->snapshots))
		timer_arm_in(&d->snapshot_timer, PAUSE_USEC);
}

void snapshots_restart(struct dbus *d)
{
	struct snapshot *s;
	int r;

	list_for_each(s, &d->snapshots, list) {
		r = begin_reply(s);
		if (r < 0)
			finish(d, s, r);
	}
}

/* ---- the call ---- */

static unsigned count_of(const struct dbus *d, const char *sender)
{
	struct snapshot *s;
	unsigned n = 0;

	list_for_each(s, &d->snapshots, list)
		n += streq_null(sd_bus_message_get_sender(s->call), sender);
	return n;
}

static int begin(struct dbus *d, sd_bus_message *m)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->call = sd_bus_message_ref(m);
	list_append(&d->snapshots, &s->list);
	d->n_snapshots++;
	r = begin_reply(s);
	if (r >= 0 && !timer_is_armed(&d->snapshot_timer))
		r = timer_arm_in(&d->snapshot_timer, 0);
	if (r < 0)
		snapshot_free(d, s);
	return r < 0 ? r : 1;
}

static int take_call(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct dbus *d = userdata;

	if (!sd_bus_message_is_method_call(m, "org.freedesktop.DBus.ObjectManager",
					   "GetManagedObjects") ||
	    !streq(sd_bus_message_get_path(m), AGENT1_PATH) || !sd_bus_message_has_signature(m, ""))
		return 0;
	if (d->n_snapshots >= SNAPSHOTS_MAX ||
	    count_of(d, sd_bus_message_get_sender(m)) >= SNAPSHOTS_OF_CALLER_MAX)
		return error_set(error, -ENOSPC, "Too many ask for all objects: try again");
	return begin(d, m);
}

void snapshots_init(struct dbus *d)
{
	list_init(&d->snapshots);
	timer_init(&d->snapshot_timer, d->config.timers, go_on, d);
}

int snapshots_publish(struct dbus *d)
{
	return sd_bus_add_filter(d->bus, NULL, take_call, d);
}
