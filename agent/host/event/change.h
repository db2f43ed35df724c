/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/event/events.h"

/* The event-driven side of a bus goes over to another setup. */

struct events_change {
	struct host_bus *bus;
	struct events *made; /* where the bus has none yet */
	struct events_device **devices;
	size_t n_devices;
	uint32_t *before; /* what the session counts them as, UINT32_MAX: not yet */
	const struct fieldway_driver **drivers;
	bool restarts; /* the session is one of its own, behind the commit */
	bool ends;     /* nothing is left of it */
};

/*
 * devices: those of setup, in its order; those of the bus that stay have their
 * own setup still. same_bus: the bus itself says what it said before. 0 or
 * -ENOMEM; events_change_done() in both cases.
 */
int events_change_init(struct events_change *c, struct host_bus *b, struct setup *setup,
		       struct device **devices, bool same_bus);
/* Tells the plugin, while both setups are there. 0; -ENOMEM: nothing has changed. */
int events_change_tell(struct events_change *c, struct setup *setup);
/* After the bus has its setup: what is new begins. */
void events_change_end(struct events_change *c);
void events_change_done(struct events_change *c);
