/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "fieldbus/fieldbus.h"
#include "store/store.h"

/*
 * Endpoints are numbered as config.endpoints; the host is config_host().
 *
 * The only module that knows a device's point and an LwM2M path. North: values
 * of devices into the stores of the endpoints that show them, with units,
 * enumerations, quality and error codes. South: writes and executes as writes
 * of points.
 */
struct mapping;
struct state;
struct counter;
struct config_difference;

struct mapping_ops {
	/*
	 * An endpoint got its first sample (complete false), or has by now one
	 * of every point that it shows (complete true); each once, but that a
	 * reload may bring points that are still to be read: then it is complete
	 * again.
	 */
	void (*seen)(void *userdata, uint32_t endpoint, bool complete);
	/*
	 * Error codes of what the host shows: it has others of its own. n 0: none.
	 * NULL: nobody wants to know.
	 */
	void (*host_errors)(void *userdata, const int64_t *codes, size_t n);
};

struct mapping_config {
	const struct config *config; /* outlives the mapping, or mapping_reload(), as definitions do */
	const struct definitions *definitions;
	struct fieldbus *fieldbus;
	struct timers *timers;
	struct state *state; /* where counters and values are kept, by device; NULL: nowhere */
};

int mapping_new(const struct mapping_config *config, const struct mapping_ops *ops, void *userdata,
		struct mapping **ret);
/* Writes that are still out are forgotten: their stores must be freed first, or live on without an answer. */
struct mapping *mapping_free(struct mapping *m);

/*
 * Adds the instances and resources of config.endpoints[endpoint] to its store,
 * which must outlive the mapping's use of it (mapping_detach()). Constants and
 * units are set at once.
 */
int mapping_attach(struct mapping *m, uint32_t endpoint, struct store *store);
void mapping_detach(struct mapping *m, uint32_t endpoint);

/*
 * Goes over to another configuration and other object definitions, of which d is
 * the difference to those of now: endpoints, devices and points are numbered as
 * there from here on. An endpoint with a successor keeps its store. In it what is
 * the same stays, with value, quality and age, and so do counters; what is not
 * leaves, and is there anew; store_set_definitions() is called for it. New
 * endpoints are to be attached; stores of those that go show what they have, and
 * take nothing. Writes and reads of what goes end with -ECANCELED, before
 * anything changes. fieldbus_reload() has to follow before the field is asked for
 * anything. ops->seen may run. 0, or -ENOMEM: nothing has happened.
 */
int mapping_reload(struct mapping *m, const struct config *after, const struct definitions *definitions,
		   const struct config_difference *d);

/*
 * Behind fieldbus_reload(): has points of the rate `once` read again that the last
 * reload brought rows for, of devices that go on, and so have been read of already.
 */
void mapping_catch_up(struct mapping *m, const struct config_difference *d);

/*
 * Is nothing of it ever read without being asked, as where all points are only
 * written? Then ops->seen does not run for it. Disabled devices count as read.
 */
bool mapping_is_blind(const struct mapping *m, uint32_t endpoint);

/* What has become of a point that is a counter (mapping/counter.h). -ENOENT: it is none. */
int mapping_counter(const struct mapping *m, uint32_t device, uint32_t point, struct counter *ret);

/* fieldbus_ops.values and .state lead here. */
void mapping_values(struct mapping *m, uint32_t device, const struct fieldway_sample *samples, size_t n);
void mapping_state(struct mapping *m, uint32_t device, enum fieldbus_state state, const char *reason);
