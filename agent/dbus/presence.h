/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

#include "base/list.h"

struct dbus;
struct connection;

/* Something that is kept for a connection, which may end without a word. Lies inside of that. */
struct presence {
	struct list list; /* of its connection */
	struct connection *connection; /* NULL: none */
	const char *sender; /* its unique name, which no other will have */
	void (*left)(void *userdata);
	void *userdata;
};

/*
 * left runs once at most, out of the loop, and calls presence_done(). What is kept
 * for the same sender shares one match: a bus allows few to each of its own.
 * -ENOMEM, or the bus's error: done is called for.
 */
int presence_init(struct presence *p, struct dbus *d, const char *sender, void (*left)(void *userdata),
		  void *userdata);
void presence_done(struct presence *p);
