/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "lwm2m/view.h"

/*
 * Profile ID (Core 6.2.1): a short name for the objects, versions and instances
 * of an endpoint, in place of the list. The standard defines no text to make the
 * hash of, so a server can know an id of ours only from a registration that had
 * the list as well.
 */

/* "1:", 64 digits and a NUL. */
#define PROFILE_ID_MAX 67u

/*
 * The list as it goes into the hash: link-format, objects ascending, each with
 * `ver` (also where it is implied) and its instances behind it; no root link,
 * no /0, /21, /23.
 */
int profile_list(const struct view *view, struct buf *out);
/*
 * "6:93bc7b74": a list in SHA-256, cut as the suite of RFC 6920 section 9.4 says.
 * Suites that are none of it are taken for 6, sha-256-32. -EIO.
 */
int profile_hash(struct span list, unsigned suite, char ret[PROFILE_ID_MAX]);

/* Ids that a server has seen together with their lists; the oldest goes when there is no room. */
#define PROFILES_KNOWN_MAX 32u
struct profile_memory {
	char ids[PROFILES_KNOWN_MAX][PROFILE_ID_MAX];
	unsigned next;
	bool refused; /* the server takes lists, and none with an id */
};
bool profile_is_known(const struct profile_memory *m, const char *id);
void profile_learn(struct profile_memory *m, const char *id);
void profile_forget(struct profile_memory *m, const char *id);
