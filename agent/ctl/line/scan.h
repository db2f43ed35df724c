/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl/daemon/attempt.h"

struct client;

/*
 * The three kinds of `fieldwayctl scan`; each prints what it finds on standard
 * output, or with --json as one document at the end, and returns 0, or negative after
 * a line on standard error.
 */

struct unit_scan {
	uint32_t first, last;
	const char *area, *address; /* of the register that each unit is asked for */
	uint64_t within_usec;	    /* for each */
};
int scan_units(struct client *c, const char *path, const struct invocation *i,
	       const struct unit_scan *scan);

struct register_scan {
	const char *area;
	uint32_t first, last;
	uint64_t within_usec; /* for each request */
};
int scan_registers(struct client *c, const char *path, const struct invocation *i,
		   const struct register_scan *scan);
/* Function by which an area is read, and the most of it in one request; 0: no such area. */
uint8_t area_function(const char *area, uint32_t *ret_most);

/* What speaks by itself. */
#define SCAN_FOUND_MAX 4096u
int scan_reach(struct client *c, const char *path, const struct invocation *i, uint64_t usec);
