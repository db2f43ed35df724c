/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

struct dbus;

/* A connection that something is kept for, which may end without a word. Lies inside of that. */
struct presence {
	struct dbus *dbus;
	char *sender; /* its unique name, which no other will have */
	sd_bus_slot *match, *question;
	void (*left)(void *userdata);
	void *userdata;
};

/* left runs once at most, out of the loop, and calls presence_done(). -ENOMEM, or the bus's error: done is called for. */
int presence_init(struct presence *p, struct dbus *d, const char *sender, void (*left)(void *userdata),
		  void *userdata);
void presence_done(struct presence *p);
