/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "plugins/lib/moment.h"
#include "session.h"

#define ROUND 64 /* messages, before others in the loop have their turn */

static void link_lost(struct fieldway_session *s, const char *text)
{
	link_close(s);
	session_enter(s, CONDITION_NO_BUS, text);
	s->retry_usec = moment_now_usec() + retry_delay(s->failures++);
}

void link_close(struct fieldway_session *s)
{
	s->host->watch_free(s->watch);
	s->watch = NULL;
	if (s->link_timer)
		s->host->timer_set(s->link_timer, NEVER);
	if (s->link)
		sd_bus_close(s->link);
	s->link = sd_bus_unref(s->link);
}

/* sd-bus wants to be called again at a time, at once, or never. */
void link_arm(struct fieldway_session *s)
{
	uint64_t until = NEVER;
	int events;

	if (!s->link)
		return;
	events = sd_bus_get_events(s->link);
	if (events < 0 || sd_bus_get_timeout(s->link, &until) < 0)
		until = 0; /* it has ended: process() says why */
	else
		s->host->watch_set(s->watch, (uint32_t)events);
	s->host->timer_set(s->link_timer, until);
}

static void link_process(struct fieldway_session *s)
{
	int r = 1;

	for (int i = 0; i < ROUND && r > 0 && s->link; i++)
		r = sd_bus_process(s->link, NULL);
	if (r < 0 && s->link)
		link_lost(s, r == -ECONNRESET || r == -ENOTCONN ? "" : strerror(-r));
	session_turn(s);
	if (r > 0 && s->link)
		s->host->timer_set(s->link_timer, 0);
}

static void on_readable(void *userdata, uint32_t events)
{
	link_process(userdata);
}

void link_timeout(void *userdata)
{
	link_process(userdata);
}

/* The name's owner, as asked at first or as changed. */
static int take_owner(struct fieldway_session *s, const char *owner)
{
	free(s->owner);
	s->owner = *owner ? strdup(owner) : NULL;
	s->failures = 0;
	if (s->owner)
		return tree_ask(s);
	session_enter(s, CONDITION_NO_BLUEZ, "");
	return 0;
}

static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *name, *old, *new, *sender = sd_bus_message_get_sender(m);

	if (sender && strcmp(sender, "org.freedesktop.DBus") == 0 &&
	    sd_bus_message_read(m, "sss", &name, &old, &new) >= 0 && strcmp(name, BLUEZ) == 0)
		take_owner(userdata, new);
	return 0;
}

static int on_first_owner(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	const char *owner = "";

	if (e && !sd_bus_error_has_name(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER)) {
		link_lost(userdata, e->message ? e->message : e->name);
		return 0;
	}
	if (!e)
		sd_bus_message_read(m, "s", &owner);
	take_owner(userdata, owner);
	return 0;
}

static int subscribe(struct fieldway_session *s)
{
	int r;

	r = sd_bus_match_signal_async(s->link, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus",
				      "org.freedesktop.DBus", "NameOwnerChanged", on_owner, NULL, s);
	if (r >= 0)
		r = sd_bus_match_signal_async(s->link, NULL, BLUEZ, NULL, "org.freedesktop.DBus.ObjectManager",
					      "InterfacesAdded", tree_added, NULL, s);
	if (r >= 0)
		r = sd_bus_match_signal_async(s->link, NULL, BLUEZ, NULL, "org.freedesktop.DBus.ObjectManager",
					      "InterfacesRemoved", tree_removed, NULL, s);
	if (r >= 0)
		r = sd_bus_match_signal_async(s->link, NULL, BLUEZ, NULL, "org.freedesktop.DBus.Properties",
					      "PropertiesChanged", tree_changed, NULL, s);
	if (r >= 0)
		r = sd_bus_call_method_async(s->link, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus",
					     "org.freedesktop.DBus", "GetNameOwner", on_first_owner, s, "s", BLUEZ);
	return r;
}

/* Neither connecting nor what follows waits for anything. */
static int link_open(struct fieldway_session *s)
{
	int r = sd_bus_open_system_with_description(&s->link, "ble");

	if (r < 0)
		return r;
	r = s->host->watch_new(s->host, sd_bus_get_fd(s->link), EPOLLIN, on_readable, s, &s->watch);
	return r < 0 ? r : subscribe(s);
}

void link_turn(struct fieldway_session *s, uint64_t now, uint64_t *next)
{
	int r;

	if (s->link || s->condition == CONDITION_RELEASED)
		return;
	if (now >= s->retry_usec) {
		r = link_open(s);
		if (r >= 0)
			return;
		link_lost(s, strerror(-r));
	}
	earliest(next, s->retry_usec);
}

int link_call(struct fieldway_session *s, const char *path, const char *interface, const char *member,
	      sd_bus_message **ret)
{
	int r;

	if (!s->link)
		return -ENOTCONN;
	r = sd_bus_message_new_method_call(s->link, ret, BLUEZ, path, interface, member);
	if (r >= 0)
		/* Whether bluetoothd runs is the init system's business. */
		r = sd_bus_message_set_auto_start(*ret, 0);
	return r;
}

int link_send(struct fieldway_session *s, sd_bus_slot **slot, sd_bus_message *m, sd_bus_message_handler_t handler,
	      void *userdata, uint64_t timeout_usec)
{
	if (!handler)
		return sd_bus_send(s->link, m, NULL);
	return sd_bus_call_async(s->link, slot, m, handler, userdata, timeout_usec);
}
