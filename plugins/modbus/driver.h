/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "bus.h"
#include "models.h"
#include "plan.h"
#include "types.h"

/*
 * A device's configuration, compiled; never changes afterwards, so any thread may
 * read it. What is learnt about the device lies behind pointers: lookup, under a
 * mutex of its own, and walk, which only the line's thread looks at.
 */
struct fieldway_driver {
	const struct fieldway_device *device;
	struct bus bus;
	struct plan_limits limits;
	struct base base;
	struct wishes wishes;
	struct walk *walk;   /* where its models are, as far as is known; NULL: it has none */
	uint8_t unit;
	bool broadcast;      /* the unit is everybody, and nobody answers */
	bool sent_is_accepted; /* of a broadcast */
	char *host;          /* TCP */
	struct lookup *lookup; /* TCP */
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
/* answer.c */
ssize_t driver_answer(const struct fieldway_driver *driver, const struct fieldway_request *request,
		      const struct fieldway_cell *cells, size_t n_cells, void *ret_bytes, size_t size);
/* notes.c */
size_t driver_notes(const struct fieldway_driver *driver, struct fieldway_error *ret, size_t max);
