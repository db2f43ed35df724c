/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/event/change.h"
#include "host/line/line.h"

/*
 * A bus goes over to another setup: devices that this says the same of go on with
 * all that is known of them, on lines that stay open. Everything is made first;
 * until bus_change_commit() nothing that runs is touched.
 */
struct bus_change {
	struct host_bus *bus;
	struct setup *setup;		    /* the caller's until the commit */
	struct device **devices;	    /* by the setup's place */
	const struct device **predecessors; /* of the same name; NULL: none, or it is that one */
	struct line **lines;
	struct line_plan *plans; /* by line */
	size_t n_lines, n_planned;
	struct events_change events;
	bool same_bus;
};

/* 0 or -ENOMEM; bus_change_done() in both cases. */
int bus_change_init(struct bus_change *c, struct host_bus *b, struct setup *setup);
/* Takes the setup. 0; -ENOMEM: nothing has changed. */
int bus_change_commit(struct bus_change *c);
void bus_change_done(struct bus_change *c);
