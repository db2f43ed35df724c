/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/keys.h"
#include "config/loader.h"

/* Reading one mapping by its table, and scalars with messages. All return -EINVAL with a report. */

/* Keys of a mapping that a plugin's table may know, beside those of the place. */
struct plugin_scope {
	const struct known_plugin *plugin; /* NULL: none here */
	unsigned scope;			   /* enum fieldway_scope */
};

/*
 * Fills the section at `target` (defaults first); keys of the plugin are left
 * for settings_read(). Goes on after an error and returns -EINVAL at the end.
 * node NULL: only defaults; a key that is required is then missing at `at`.
 */
int mapping_read(struct loader *l, const struct yaml_node *node, struct yaml_mark at,
		 const struct key_table *table, const struct plugin_scope *plugin, void *target);
/* Only what the mapping says, over what the section has already. */
int mapping_apply(struct loader *l, const struct yaml_node *node, const struct key_table *table,
		  const struct plugin_scope *plugin, void *target);
/* Where a key's value stands, or the mapping itself. */
struct yaml_mark mapping_mark(const struct yaml_node *node, const char *key);
/* Is the key one of the table that this version has? */
bool table_has(const struct key_table *table, const char *key);

/* Is it a mapping or a sequence? NULL and "nothing" are neither, without an error. */
int mapping_expect(struct loader *l, const struct yaml_node *node, const char *what);
int sequence_expect(struct loader *l, const struct yaml_node *node, const char *what);

int scalar_text(struct loader *l, const struct yaml_node *node, const char **ret);
int scalar_name(struct loader *l, const struct yaml_node *node, const char **ret);
int scalar_bool(struct loader *l, const struct yaml_node *node, bool *ret);
int scalar_i64(struct loader *l, const struct yaml_node *node, int64_t *ret);
int scalar_u64(struct loader *l, const struct yaml_node *node, uint64_t *ret);
int scalar_double(struct loader *l, const struct yaml_node *node, double *ret);
int scalar_usec(struct loader *l, const struct yaml_node *node, uint64_t *ret);
int scalar_choice(struct loader *l, const struct yaml_node *node, const char *const *choices,
		  int *ret);
int scalar_unit(struct loader *l, const struct yaml_node *node, const struct unit **ret);
/* "0..50", "..50", "0..". */
int scalar_range(struct loader *l, const struct yaml_node *node, struct range *ret);
/* size.c: "8MiB", or bytes, of at least so many. */
bool size_parse(const char *text, uint64_t least, uint64_t *ret);
/* minimum and maximum both 0: no limit. */
int usec_check(struct loader *l, struct yaml_mark mark, const char *text, uint64_t value,
	       double minimum, double maximum);
int number_check(struct loader *l, struct yaml_mark mark, const char *text, double value,
		 double minimum, double maximum);

/* The first error of two steps that are both to be taken. */
static inline int worse(int r, int next)
{
	return r < 0 ? r : next < 0 ? next : r;
}

/* A-Z a-z 0-9 . _ -, not at the start . or -; at most CONFIG_NAME_MAX. */
bool name_is_valid(const char *text);
