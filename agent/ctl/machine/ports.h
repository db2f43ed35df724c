/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct config;

/* Serial ports and Bluetooth adapters of this machine, and who has them. */

struct port {
	const char *path;   /* as a bus names it best: /dev/serial/by-id/..., else /dev/ttyS0; "hci0" */
	const char *device; /* "/dev/ttyUSB0"; of an adapter its address, or "" */
	const char *driver;
	const char *bus;    /* of the configuration; "" */
	const char *holder; /* program that has it open, with its process: "ModemManager (612)"; "" */
	bool adapter;
};

struct ports {
	struct port *items;
	size_t n, allocated;
	struct arena arena;
};

/* root: "" for this machine; tests have a tree of their own. 0 or -ENOMEM. */
int ports_find(const char *root, struct ports *ret);
/* Which bus of the configuration uses each: by what its settings say, links followed. 0 or -ENOMEM. */
int ports_assign(struct ports *p, const char *root, const struct config *config);
/*
 * Who holds a device file open: "NAME (PID)" in arena memory, "" for nobody, or where
 * that cannot be seen (other users' processes are root's to look at). Our own hosts do not count.
 */
const char *port_holder(struct arena *arena, const char *root, const char *device);
void ports_done(struct ports *p);
#define _cleanup_ports_ _cleanup_(ports_done)
