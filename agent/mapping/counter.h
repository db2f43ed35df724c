/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"

/*
 * A total that goes on where a meter's register starts again (configuration.md,
 * Counters). Pure. Everything is in the point's unit.
 */
struct counter {
	bool known;	  /* there was a reading */
	double base;	  /* what goes on top of a reading */
	double last;	  /* the last reading */
	uint32_t wraps, resets, jumps;
};

enum counter_event {
	COUNTER_STEP,  /* went on, or stood still */
	COUNTER_WRAP,  /* began again behind its last digit */
	COUNTER_RESET, /* began again at 0, or near it */
	COUNTER_JUMP,  /* went where it cannot have counted to: what lies between is not counted */
};

/*
 * Takes a reading. watched: the readings before it came without a pause, so
 * that a step over max_step is none; after a pause it may be one.
 */
enum counter_event counter_take(const struct config_counter *config, struct counter *c, double reading,
				bool watched);
/* The total, without the dust that sums of decimals leave behind. */
double counter_total(const struct counter *c);
