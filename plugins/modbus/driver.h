/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "bus.h"
#include "plan.h"
#include "types.h"

/* A device's configuration, compiled; never changes afterwards, so any thread may read it. */
struct fieldway_driver {
	struct bus bus;
	struct plan_limits limits;
	uint8_t unit;
	char *host;          /* TCP */
	struct lookup *lookup; /* TCP; the only thing in here that changes, under a mutex of its own */
	uint16_t port;       /* TCP */
	uint32_t connection; /* TCP: which one of the pool */
	size_t n_points;
	struct point points[];
};

/* The operations of the contract (api/plugin.h) that need no line. */
int driver_bus_check(const struct fieldway_bus *bus, struct fieldway_error *error);
int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device,
	       struct fieldway_driver **ret, struct fieldway_error *error);
void driver_free(struct fieldway_driver *driver);
int driver_line_name(const struct fieldway_driver *driver, char *ret, size_t size);
int driver_plan(const struct fieldway_driver *driver, const uint32_t *points, size_t n_points,
		struct fieldway_plan *ret);
int driver_decode(const struct fieldway_driver *driver, const struct fieldway_request *request,
		  const void *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size);
int driver_write_check(const struct fieldway_driver *driver, uint32_t point,
		       const struct fieldway_value *value, struct fieldway_error *error);
ssize_t driver_answer(const struct fieldway_driver *driver, const struct fieldway_request *request,
		      const struct fieldway_cell *cells, size_t n_cells, void *ret_bytes, size_t size);
