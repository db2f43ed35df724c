/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/timer.h"

/*
 * Thousands of endpoints that register at once each have a request in memory
 * for a while, between what stays. Once no more come or go, the pages that have
 * become free are given back to the system, where the C library can.
 */
#define TRIM_REST_USEC UINT64_C(1000000)

/* Lies inside its owner. */
struct trim {
	struct timer timer;
	uint32_t registered;
};
void trim_init(struct trim *t, struct timers *timers);
void trim_done(struct trim *t);
/* So many accounts are registered now. */
void trim_registered(struct trim *t, uint32_t registered);
