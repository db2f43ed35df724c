/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/reader.h"
#include "config/variables.h"

/* Keys of a plugin's table: from YAML to typed settings, and back to the place in YAML. */

struct settings_request {
	struct plugin_scope scope;
	const struct yaml_node *layers[2]; /* mappings, nearest first; NULL: none */
	struct yaml_mark owner;		   /* whom the settings belong to */
	const struct variables *variables; /* or NULL */
	uint64_t shift; /* of a repeated point: goes onto address and write.address */
};

/* All keys of the scope, in the order of the table, defaults filled in. -EINVAL with reports. */
int settings_read(struct loader *l, const struct settings_request *request,
		  struct fieldway_settings *ret);
/* Does a key stand in the plugin's table (or does nobody know)? Nested keys by their first part. */
bool settings_knows(const struct plugin_scope *scope, const char *key);
/* The names of the plugin's keys, first parts only, for "did you mean". Returns their number. */
size_t settings_candidates(struct loader *l, const struct plugin_scope *scope, const char **ret,
			   size_t max);
/* The type of a key of the table, FIELDWAY_NONE when it is not there. */
enum fieldway_type settings_type(const struct plugin_scope *scope, const char *key);

/*
 * plugins.c: asks for a plugin once. NULL without memory; its plugin is NULL when there is
 * none, with a report at the mark unless it is optional.
 */
const struct known_plugin *plugin_get(struct loader *l, struct yaml_mark mark, const char *name,
				      bool optional);
