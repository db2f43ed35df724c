/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/yaml.h"

/*
 * Changes of a YAML text at places of its tree, so that comments and layout of all
 * the rest stay. A text is NUL-terminated; each function gives a new one, which is
 * yours to free. All: -ENOMEM; -ENOTSUP: how it is written leaves no room for it.
 */

/* Puts raw YAML in the place of a scalar. */
int splice_replace(const char *text, const struct yaml_node *scalar, const char *raw, char **ret);
/* Adds "key: raw" to a mapping that has no such key, behind its last one. */
int splice_insert(const char *text, const struct yaml_node *mapping, const char *key,
		  const char *raw, char **ret);
/* Takes the i-th item out of a sequence that has others. Comments on lines of their own stay. */
int splice_remove(const char *text, const struct yaml_node *sequence, size_t i, char **ret);
