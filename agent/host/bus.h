/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/* A bus as a whole. */

/* One that has no setup yet: change.h. 0 or -ENOMEM. */
int bus_new(const struct host_services *services, struct host_bus **ret);
/* Of a bus that was never started, or has ended. */
struct host_bus *bus_free(struct host_bus *b);
/* Starts threads and polls. A line without a thread is FAILED. */
void bus_start(struct host_bus *b);
/* Those of a bus that has started and have none, as soon as nothing holds what they open. */
void bus_start_lines(struct host_bus *b);
/*
 * No more requests, values, states; pending writes end. ended runs when all
 * threads have, perhaps at once.
 */
void bus_retire(struct host_bus *b, void (*ended)(struct host_bus *bus, void *userdata),
		void *userdata);
/* True when no thread of it is at work. */
bool bus_has_ended(const struct host_bus *b);
struct device *bus_find(struct host_bus *b, uint32_t id);
