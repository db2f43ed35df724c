/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"

/*
 * What another configuration has of the one that runs. Pure: nothing but the
 * two is looked at, so a thread of its own may do it. Both outlive it.
 */
#define CONFIG_NONE UINT32_MAX

/* Where one of `after` comes from: its index in `before`, or CONFIG_NONE; has nothing of it changed? */
struct config_successor {
	uint32_t before;
	bool same;
};

struct config_difference {
	const struct config *before, *after;
	/*
	 * One for each of `after`. Marks, notes and origins do not count.
	 * servers: by name.
	 * buses: by name; their devices do not count.
	 * types: the one that says the same; its map does not count, which endpoints have.
	 * devices: by name, on the bus that comes from the same one; same: their bus and
	 * their type too.
	 * endpoints: one more, the host, which is always the host; by endpoint client name; same: YAML name, info, and a map whose rows
	 * are the same, in the same order, of devices that are the same.
	 */
	struct config_successor *servers, *buses, *types, *devices, *endpoints;
	/* The other way round, one for each of `before`: its index in `after`, or CONFIG_NONE: it goes. */
	uint32_t *servers_after, *buses_after, *devices_after, *endpoints_after;
	/* For each of `before` that goes: what is new at its address, on the bus that comes from its own, or CONFIG_NONE. */
	uint32_t *devices_renamed;
};

/* May accounts at `before` go on at `after`, whatever else of the two differs? Else they de-register, and register anew. */
bool config_server_is_same(const struct config_server *before, const struct config_server *after);

/* 0, or -ENOMEM. */
int config_difference_new(const struct config *before, const struct config *after,
			  struct config_difference **ret);
struct config_difference *config_difference_free(struct config_difference *d);

/*
 * Is the j-th row of the map of endpoint `after` what the i-th of the map of
 * endpoint `before` was: path, kind, constant, unit, alarm, argument, and the same point,
 * with all that makes its values, of a device and its successor? Whether that
 * device is the same in all else is not asked. Without memory: no.
 */
bool config_difference_same_row(const struct config_difference *d, uint32_t before, size_t i,
				uint32_t after, size_t j);
/* Or at least does a value of the one mean the same as of the other, whenever it is read and whatever may be written? */
bool config_difference_same_value(const struct config_difference *d, uint32_t before, size_t i,
				  uint32_t after, size_t j);
/* The same of two points of a device and its successor. */
bool config_difference_same_point(const struct config_difference *d, uint32_t device_before,
				  uint32_t point_before, uint32_t device_after, uint32_t point_after);
