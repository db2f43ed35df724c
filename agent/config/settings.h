/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/reader.h"
#include "config/variables.h"

/* Keys of a plugin's table: from YAML to typed settings, and back to the place in YAML. */

/* Where the keys of a scope stand. */
struct settings_part {
	unsigned scope;			   /* enum fieldway_scope; 0: nothing */
	bool literal;			   /* braces are not placeholders here */
	const struct yaml_node *layers[2]; /* mappings, nearest first; NULL: none */
};

struct settings_request {
	const struct known_plugin *plugin; /* NULL: nobody knows */
	struct settings_part parts[2];
	struct yaml_mark owner;		   /* whom the settings belong to */
	const struct variables *variables; /* or NULL */
	uint64_t shift; /* of a repeated point: goes onto address and write.address */
};

/*
 * All keys of the scopes. Of each part first those that the table names, in its
 * order and with defaults, then those in which the user chose a name, in the
 * order of the file. Keys that the table does not know are refused where the
 * plugin has others beside them. -EINVAL with reports.
 */
int settings_read(struct loader *l, const struct settings_request *request,
		  struct fieldway_settings *ret);
/* Does a key stand in the plugin's table (or does nobody know)? Nested keys by their first part. */
bool settings_knows(const struct plugin_scope *scope, const char *key);
/* Where a key that the scope does not have stands, of these scopes: "a bus"; NULL: nowhere. */
const char *settings_home(const struct plugin_scope *scope, unsigned scopes, const char *key);
/* Refuses a key that nobody knows, with its home, if it has one, or what may have been meant. */
void settings_refuse(struct loader *l, const char *home, const struct yaml_node *key,
		     const char *const *candidates, size_t n);
/* The names of the plugin's keys, first parts only, for "did you mean". Returns their number. */
size_t settings_candidates(struct loader *l, const struct plugin_scope *scope, const char **ret,
			   size_t max);
/* The key of exactly this name in the plugin's table, or NULL. */
const struct fieldway_key *settings_key(const struct plugin_scope *scope, const char *name);

/*
 * plugins.c: asks for a plugin once. NULL without memory; its plugin is NULL when there is
 * none, with a report at the mark unless it is optional.
 */
const struct known_plugin *plugin_get(struct loader *l, struct yaml_mark mark, const char *name,
				      bool optional);
