/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/clock.h"
#include "tests/unit/mapping/rig.h"

/* A meter, and endpoints of points that a test makes itself. */

#define R CONFIG_ACCESS_READ
#define SECONDS(n) ((n) * USEC_PER_SEC)
#define READ_EVERY(n, period, ...) \
	{ .name = n, .access = R, .period_usec = period, .stale = { __VA_ARGS__ } }
/* A device's row of its own type says "the device itself". */
#define SELF UINT32_MAX
#define POINT(d, p, o, i, r)                                                                       \
	{                                                                                          \
		.path = { .ids = { o, i, r }, .depth = 3 }, .kind = CONFIG_MAP_POINT, .device = d, \
		.point = p                                                                         \
	}
#define ALARM(d, p, code)                                                                          \
	{                                                                                          \
		.path = { .ids = { 3, 0, 11 }, .depth = 3 }, .kind = CONFIG_MAP_ALARM,             \
		.device = d, .point = p, .alarm = code                                             \
	}

enum { VOLTS, ENERGY, SERIAL, MODE, OVERTEMP, DOOR, ASKED };
extern struct config_point meter_points[];
extern const struct config_type meter;
#define METER_ROWS 6
extern struct config_map meter_map[METER_ROWS];
extern const struct fieldway_value yes, no;

void set_up_own(void);
void set_up_meter(void); /* "em1", as endpoint 0 */
