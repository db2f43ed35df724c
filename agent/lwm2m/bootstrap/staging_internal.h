/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by staging*.c only. */

#include "base/macro.h"
#include "lwm2m/bootstrap/account_objects.h"
#include "lwm2m/bootstrap/staging.h"
#include "model/definition.h"

/* What became of an instance during the bootstrap. */
struct touched {
	struct path instance;
	bool replaced; /* as a whole, or deleted: nothing of it is what it was */
};

struct staging {
	struct staging_config config;
	struct store *store;
	uint16_t account; /* of the bootstrap server, in /0; ID_NONE */
	struct touched *touched;
	size_t n_touched;
};

/* printf into a reason; returns error. */
int staging_refuse(char *reason, int error, const char *format, ...) _printf_(3, 4);
/* The definition that an object has here or would get; NULL: unknown. */
const struct object_definition *staging_object(const struct staging *st, uint16_t object);
/* Everything of a store, keys included. */
int staging_copy(const struct staging *st, struct store **ret);
/* Puts a copy in place of the content. */
void staging_swap(struct staging *st, struct store *copy);
/* -ENOMEM. */
int staging_touch(struct staging *st, const struct path *instance, bool replaced);
const struct touched *staging_touched(const struct staging *st, const struct path *instance);
/* Nobody but the agent removes it: the bootstrap account and what it links to, /3/0, what is not the servers' to make. */
bool staging_stays(struct staging *st, const struct path *instance);
/* Is it no account's, and not the servers' to make? */
bool staging_is_the_agents(const struct staging *st, const struct path *instance);
/* Does /0/security link to this instance of /21, /23 or /24? */
bool staging_links_to(struct store *s, uint16_t security, const struct path *instance);
