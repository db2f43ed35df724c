/* SPDX-License-Identifier: Apache-2.0 */
#include "dbus/presence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "dbus/internal.h"

#define BUS "org.freedesktop.DBus"

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct presence *p = userdata;

	(void)m;
	(void)error;
	p->left(p->userdata);
	return 0;
}

static int on_asked(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct presence *p = userdata;
	int there = 0;

	(void)error;
	p->question = sd_bus_slot_unref(p->question);
	if (sd_bus_message_get_error(m) || sd_bus_message_read(m, "b", &there) < 0 || !there)
		p->left(p->userdata);
	return 0;
}

/* Who left before the bus was told to say so is told of now. */
static int on_match(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct presence *p = userdata;
	sd_bus_message *call = NULL;
	int r = sd_bus_message_get_error(m) ? -EIO : 0;

	(void)error;
	if (r >= 0)
		r = sd_bus_message_new_method_call(p->dbus->bus, &call, BUS, "/org/freedesktop/DBus", BUS,
						   "NameHasOwner");
	if (r >= 0)
		r = sd_bus_message_append(call, "s", p->sender);
	if (r >= 0)
		r = sd_bus_call_async(p->dbus->bus, &p->question, call, on_asked, p, UINT64_MAX);
	sd_bus_message_unref(call);
	if (r < 0)
		p->left(p->userdata);
	return 0;
}

static int presence_match(struct presence *p)
{
	_cleanup_free_ char *match = NULL;

	if (asprintf(&match,
		     "type='signal',sender='" BUS "',path='/org/freedesktop/DBus',interface='" BUS
		     "',member='NameOwnerChanged',arg0='%s',arg2=''",
		     p->sender) < 0) {
		match = NULL;
		return -ENOMEM;
	}
	return sd_bus_add_match_async(p->dbus->bus, &p->match, match, on_owner_changed, on_match, p);
}

int presence_init(struct presence *p, struct dbus *d, const char *sender, void (*left)(void *userdata),
		  void *userdata)
{
	int r;

	*p = (struct presence){ .dbus = d, .left = left, .userdata = userdata };
	r = str_replace(&p->sender, sender);
	return r < 0 ? r : presence_match(p);
}

void presence_done(struct presence *p)
{
	p->match = sd_bus_slot_unref(p->match);
	p->question = sd_bus_slot_unref(p->question);
	free(p->sender);
	p->sender = NULL;
}
