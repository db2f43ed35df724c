/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/definition.h"
#include "model/record.h"

struct store;

/*
 * Object 2 as YAML means it, for an endpoint that has several servers: an
 * instance for every instance of its store (Core 8.2, lwm2m.md "Access control").
 * With one server there is none.
 */

/* `servers[].access:` by object, as bits of /2/x/2. */
struct builtin_right {
	uint16_t object;
	uint8_t rights;
};
struct builtin_access {
	const struct builtin_right *rights;
	size_t n;
	uint8_t others; /* to all objects that rights does not name */
};

/* A server account. */
struct builtin_party {
	uint16_t instance; /* of /1, which it owns */
	uint16_t short_id;
	const struct builtin_access *access; /* NULL: what all may */
};

struct builtin_control {
	const struct definitions *definitions;
	const struct builtin_party *parties;
	size_t n_parties;
	const uint16_t *makes; /* objects whose instances are servers' to make */
	size_t n_makes;
	/* Instances of /2 that servers have changed, whole: they are not touched, and keep their ids where they can. */
	const struct records *kept;
	/*
	 * /2 is what a bootstrap left, with one server, too, and nothing is made beside
	 * it: what it does not name is closed (Core 8.1.3, 8.2.1).
	 */
	bool bare;
};

/*
 * What came gets its instance, what left loses it; renew: so does what YAML says
 * otherwise now. Calls for the store's watch as any change. The first error; the
 * rest is done all the same: what has none is closed.
 */
int builtin_control_follow(struct store *s, const struct builtin_control *c, bool renew);
/*
 * Of instances that came or went: is there nothing to follow, as each of them came
 * with its own of /2 (a server's Create, Core 8.2.2)? It costs what they are, not what
 * there is. False, too, of more than BUILTIN_CONTROL_LOOK_MAX.
 */
#define BUILTIN_CONTROL_LOOK_MAX 8u
bool builtin_control_is_complete(struct store *s, const struct path *paths, size_t n);
/* Adds those that are not as YAML alone would have them; bare: all. -ENOMEM, -E2BIG. */
int builtin_control_changed(struct store *s, const struct builtin_control *c, struct records *ret);
