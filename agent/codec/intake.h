/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "codec/codec.h"
#include "codec/wire.h"

/* The receiving side of a decoder: types, limits and duplicates are looked after in one place. */
struct intake {
	const struct path *base;
	codec_lookup lookup;
	void *userdata;
	struct records *records;
	size_t first; /* what lies before it was there before */
	const char *reason;
};

/* Notes why (the first reason stays). Always -EINVAL. */
int intake_fail(struct intake *in, const char *reason);
/* The definition of what path lies in; NULL when unknown. */
const struct resource_definition *intake_definition(const struct intake *in,
						    const struct path *path);
/* A value of the resource's type; taken over, also when it fails. */
int intake_add(struct intake *in, const struct path *path, struct value *value,
	       uint64_t boottime_usec);
/* A value that gets its type here. */
int intake_add_wire(struct intake *in, const struct path *path, const struct wire *w,
		    uint64_t boottime_usec);
/* Formats of one value: base has to name a single resource or a resource instance. */
int intake_check_single(struct intake *in);
/*
 * Ends a decode whose result is r: refuses paths that occur twice, or takes
 * back what was added. Errors become -EINVAL with a reason, or -ENOMEM.
 */
int intake_end(struct intake *in, int r, const char **ret_reason);
