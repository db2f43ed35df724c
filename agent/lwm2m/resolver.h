/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "model/path.h"

struct store;

/*
 * (account, path segments) -> (endpoint's store, path). Implemented by
 * gateway/registry: there object 25's prefixes will come in; dm, observe and
 * Send always go through it.
 */
struct target {
	struct store *store;
	struct path path;
};

struct resolver {
	/*
	 * 0; -ENOENT: a first segment that is no number and no known prefix;
	 * -EPERM: no path has this shape: too many segments, or one that is no id.
	 * own: the store of the account's endpoint.
	 */
	int (*resolve)(void *userdata, struct store *own, const struct span *segments, unsigned n,
		       struct target *ret);
	/*
	 * May a server make what is not there: an instance of an object (path
	 * is the object), or a resource of an instance? Not where YAML or the
	 * agent decides what there is.
	 */
	bool (*may_make)(void *userdata, const struct store *store, const struct path *path);
	void *userdata;
};

/* Segments without a prefix as a path: what every resolver does in the end. Errors as above. */
int resolver_path(const struct span *segments, unsigned n, struct path *ret);
