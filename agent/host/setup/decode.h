/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/setup/setup.h"

struct sd_bus_message;

/* Room for the bytes of one answer. */
#define DECODE_ANSWER_MAX 65536u

/*
 * What a device's points are when it has these cells: appends
 * LINK_TYPE_SAMPLES, in the points' units, of the points that the cells cover.
 * -EOPNOTSUPP: the plugin has no cells.
 */
int decode_append(struct sd_bus_message *m, const struct setup *s, const struct setup_device *d,
		  const struct fieldway_cell *cells, size_t n_cells);
