/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "codec/codec.h"
#include "lwm2m/resolver.h"

struct definitions;
struct path;
struct store;

/*
 * Where a bootstrap server works: a copy of what accounts are made of (/0 /1 /2
 * /21 /23 /24) with the values, and of all else which instances there are. What
 * is written to those shows beside them. Nothing of it is in force before the
 * owner takes it over; the live store is only read, and outlives this.
 *
 * It has keys in it, which are wiped when it is freed.
 */
struct staging;

struct staging_config {
	const struct definitions *definitions;
	const struct resolver *resolver; /* may_make: which instances are the servers' */
	struct store *live;
	/* Is the key of this /0 of the live store kept elsewhere, by reference? NULL: none is. */
	bool (*key_elsewhere)(void *userdata, uint16_t security);
	void *userdata;
};

/* -ENOMEM. */
int staging_new(const struct staging_config *config, struct staging **ret);
struct staging *staging_free(struct staging *st);

/* Text for people, or "": why something was refused. Never a value. */
#define STAGING_REASON_MAX 160u

/*
 * Bootstrap-Write (Core 6.1.7.5) of an object, an instance or a resource: all of
 * it or nothing. An instance has afterwards what was written and no more; an
 * object keeps the instances that are not named. -EINVAL, -ERANGE a value (4.00),
 * -EPROTONOSUPPORT (4.15), -ENOSPC, -ENOMEM.
 */
int staging_write(struct staging *st, const struct path *target, int32_t format, struct span payload,
		  char ret_reason[STAGING_REASON_MAX]);
/*
 * Bootstrap-Delete (Core 6.1.7.6) of an instance, an object or everything. The
 * bootstrap server's own account, /3/0 and what the agent makes itself are passed
 * over; to name one of those, or less than an instance, is -EINVAL.
 */
int staging_delete(struct staging *st, const struct path *target, char ret_reason[STAGING_REASON_MAX]);
/* Bootstrap-Discover (Core 6.1.7.3) of an object or the root, as link-format. -ENOENT, -EPERM other paths. */
int staging_discover(struct staging *st, const struct path *target, struct buf *ret);
/*
 * Bootstrap-Read (Core 6.1.7.4) of /1 or /2 or their instances. accept: a format
 * that carries more than one value, or -1. -EPERM other paths (4.05), -ENOENT,
 * -ENOMEDIUM (4.06).
 */
int staging_read(struct staging *st, const struct path *target, int32_t accept, struct buf *ret,
		 int32_t *ret_format);
/*
 * A Bootstrap-Pack (Core 6.1.7.7): of each object in it all instances are replaced.
 * All or nothing; errors as staging_write()'s.
 */
int staging_pack(struct staging *st, int32_t format, struct span payload, char ret_reason[STAGING_REASON_MAX]);
/*
 * What Finish asks: another bootstrap account takes the place of the former one,
 * removed accounts take along what was theirs, and the rest has to be consistent
 * (consistency.h). Sets /1/x/12. -EINVAL with a reason, and nothing has changed;
 * -ENOMEM.
 */
int staging_finish(struct staging *st, char ret_reason[STAGING_REASON_MAX]);

/*
 * The content. Of objects that accounts are not made of it has the instances
 * that there are, and the values that were written; live instances that are not
 * in it were deleted.
 */
struct store *staging_store(struct staging *st);
/* The key of this /0 is still the one that is kept elsewhere: nobody has replaced the instance. */
bool staging_key_is_elsewhere(const struct staging *st, uint16_t security);
/* The account that the bootstrap server itself works under: an instance of /0, or ID_NONE. */
uint16_t staging_account(struct staging *st);
/* Its instances as links without parameters: "</0/1>,</21/0>" (Core 6.1.7.7). */
int staging_account_links(struct staging *st, struct buf *ret);
