/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Whether the requests of a line fit into its time. Pure. On a line with too
 * many of them the host gives each its turn: none comes round faster than some
 * interval, what is wanted more rarely than that keeps its own.
 */
struct cycle_request {
	uint64_t
		period_usec; /* how often it is wanted; CONFIG_RATE_ONCE and _ON_DEMAND do not count */
	uint64_t wire_usec; /* how long it holds the line; 0: nobody can say, does not count */
};

struct cycle {
	double busy;		/* part of the time that is needed: 2.15 is 215 % */
	uint64_t shortest_usec; /* no request comes more often than so; 0: all as wanted */
};

/* Sorts them. */
struct cycle cycle_of(struct cycle_request *requests, size_t n);
