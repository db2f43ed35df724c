/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/settings.h"

/*
 * settings_value.c: one value of a key's type. expanded: placeholders were
 * replaced in it, so that quotes say nothing. -EINVAL with a report.
 */
int setting_value(struct loader *l, const struct fieldway_key *key, const struct yaml_node *node,
		  bool expanded, struct fieldway_value *ret);

/*
 * settings_table.c: a plugin's table as the tree that the dots in its names make.
 * pattern: the first parts of such names ("messages.*"), "" for all.
 */
bool settings_are_checked(const struct plugin_scope *scope);
bool settings_has_below(const struct plugin_scope *scope, const char *pattern);
/* The parts directly below, without "*". Returns their number. */
size_t settings_parts(struct loader *l, const struct plugin_scope *scope, const char *pattern,
		      const char **ret, size_t max);
/* Is a part of the name chosen by the user? */
static inline bool settings_is_wild(const char *pattern)
{
	return __builtin_strchr(pattern, '*') != NULL;
}
