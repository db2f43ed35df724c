/* SPDX-License-Identifier: Apache-2.0 */
#include "dbus/presence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "dbus/internal.h"

/* A connection of which the bus says when it ends. */
struct connection {
	struct list list;      /* dbus.connections */
	struct list presences; /* struct presence: what is kept for it; without any it is freed */
	struct dbus *dbus;
	char *sender;
	sd_bus_slot *match, *question;
};

static void connection_free(struct connection *c)
{
	list_remove(&c->list);
	sd_bus_slot_unref(c->match);
	sd_bus_slot_unref(c->question);
	free(c->sender);
	free(c);
}

/* The last presence takes the connection with it, and one may end others. */
static void connection_left(struct connection *c)
{
	struct presence own = { .connection = c };

	list_append(&c->presences, &own.list);
	while (c->presences.next != &own.list) {
		struct presence *p = list_entry(c->presences.next, struct presence, list);

		p->left(p->userdata);
	}
	presence_done(&own);
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	(void)m;
	(void)error;
	connection_left(userdata);
	return 0;
}

static int ask(struct connection *c);

static int on_asked(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct connection *c = userdata;
	const char *from = sd_bus_message_get_sender(m);
	int there = 0, r = 0;

	(void)error;
	c->question = sd_bus_slot_unref(c->question);
	/* A stranger may have guessed its number, where the bus lets that through; then nobody has said anything. */
	if (!from || !streq(from, DBUS_SERVICE))
		r = ask(c);
	else if (sd_bus_message_get_error(m) || sd_bus_message_read(m, "b", &there) < 0 || !there)
		r = -ENOTCONN;
	if (r < 0)
		connection_left(c);
	return 0;
}

static int ask(struct connection *c)
{
	sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(c->dbus->bus, &call, DBUS_SERVICE, DBUS_OBJECT, DBUS_SERVICE,
					       "NameHasOwner");

	if (r >= 0)
		r = sd_bus_message_append(call, "s", c->sender);
	if (r >= 0)
		r = sd_bus_call_async(c->dbus->bus, &c->question, call, on_asked, c, UINT64_MAX);
	sd_bus_message_unref(call);
	return r;
}

/*
 * Who left before the bus was told to say so is told of now. Where it refuses to
 * say so, whoever is there is there still: he is not taken for one who has left.
 */
static int on_match(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct connection *c = userdata;
	const sd_bus_error *refused = sd_bus_message_get_error(m);

	(void)error;
	if (refused && log_budget_take(&c->dbus->refusals, NULL))
		log_warning(NULL, "D-Bus: the bus will not say when %s leaves: %s", c->sender,
			    refused->message ?: refused->name);
	if (ask(c) < 0)
		connection_left(c);
	return 0;
}

static int connection_match(struct connection *c)
{
	_cleanup_free_ char *match = NULL;

	if (asprintf(&match,
		     "type='signal',sender='" DBUS_SERVICE "',path='" DBUS_OBJECT "',interface='" DBUS_SERVICE
		     "',member='NameOwnerChanged',arg0='%s',arg2=''",
		     c->sender) < 0) {
		match = NULL;
		return -ENOMEM;
	}
	return sd_bus_add_match_async(c->dbus->bus, &c->match, match, on_owner_changed, on_match, c);
}

static int connection_new(struct dbus *d, const char *sender, struct connection **ret)
{
	struct connection *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->dbus = d;
	list_init(&c->list);
	list_init(&c->presences);
	r = str_replace(&c->sender, sender);
	if (r >= 0)
		r = connection_match(c);
	if (r < 0) {
		connection_free(c);
		return r;
	}
	list_append(&d->connections, &c->list);
	*ret = c;
	return 0;
}

static struct connection *connection_find(struct dbus *d, const char *sender)
{
	struct connection *c;

	list_for_each(c, &d->connections, list)
		if (streq(c->sender, sender))
			return c;
	return NULL;
}

int presence_init(struct presence *p, struct dbus *d, const char *sender, void (*left)(void *userdata),
		  void *userdata)
{
	struct connection *c = connection_find(d, sender);
	int r = 0;

	*p = (struct presence){ .left = left, .userdata = userdata };
	list_init(&p->list);
	if (!c)
		r = connection_new(d, sender, &c);
	if (r < 0)
		return r;
	p->connection = c;
	p->sender = c->sender;
	list_append(&c->presences, &p->list);
	return 0;
}

void presence_done(struct presence *p)
{
	struct connection *c = TAKE_PTR(p->connection);

	if (!c)
		return;
	list_remove(&p->list);
	p->sender = NULL;
	if (list_is_empty(&c->presences))
		connection_free(c);
}
