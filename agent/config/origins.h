/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/loader.h"

/* Where keys stand that are merged from several places. */

/* A mapping whose keys become "prefix.key", or what is "prefix" alone. */
struct origin_part {
	const char *prefix;
	const struct yaml_node *node; /* NULL: nothing there */
};

/* Of one place, its parts one after the other. -ENOMEM. */
int origins_read(struct loader *l, const struct origin_part *parts, size_t n,
		 struct config_origins *ret);
/*
 * Of a point, whatever its plugin: its own keys, and those of `defaults:` that
 * it does not have itself.
 */
int origins_read_point(struct loader *l, const struct yaml_node *node,
		       const struct yaml_node *defaults, struct config_origins *ret);
