/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/path.h"
#include "model/value.h"

/*
 * One value at one path; the currency between codecs, store and observe. The
 * path is a resource or resource instance; a multiple resource that has no
 * instances, and an object instance that has no resources, may stand for
 * itself with VALUE_NONE.
 */
struct record {
	struct path path;
	struct value value;
	uint64_t boottime_usec; /* when it was sampled, CLOCK_BOOTTIME; 0: now */
};

/* A list that owns its values; zero-initialised is empty. */
struct records {
	struct record *items;
	size_t n, allocated;
};

/* Bounds one message's content. */
#define RECORDS_MAX 4096u

/* Takes the value over, also when it fails: -ENOMEM, -E2BIG over RECORDS_MAX. */
int records_add(struct records *r, const struct path *path, struct value *value, uint64_t boottime_usec);
int records_add_copy(struct records *r, const struct path *path, const struct value *value,
		     uint64_t boottime_usec);
void records_done(struct records *r);
const struct record *records_find(const struct records *r, const struct path *path);
#define _cleanup_records_ _cleanup_(records_done)
