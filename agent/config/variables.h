/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/loader.h"

/* Placeholders: {name}, or {name:03} for numbers with leading zeros. */

struct variable {
	const char *name;
	const char *text;
	bool varies; /* over the items of its expansion */
};

struct variables {
	struct variable items[CONFIG_VARIABLES_MAX];
	size_t n;
};

const struct variable *variables_find(const struct variables *v, const char *name, size_t size);
/* -EINVAL with a report when there are too many. */
int variables_add(struct loader *l, struct variables *v, struct yaml_mark mark, const char *name,
		  const char *text, bool varies);

/* Puts values in; the result lives as long as the run. -EINVAL with a report. */
int text_expand(struct loader *l, struct yaml_mark mark, const char *text,
		const struct variables *v, const char **ret);
/*
 * A scalar with its placeholders replaced (plain, so that it can be a number),
 * or the node itself when there is nothing to replace: no variables, no "{".
 */
int node_expand(struct loader *l, const struct yaml_node *node, const struct variables *v,
		const struct yaml_node **ret);
/*
 * The only varying placeholder of a text; NULL: none, or several. *ret_any (may be
 * NULL): is there one at all?
 */
const struct variable *text_varying(const char *text, const struct variables *v, bool *ret_any);

/*
 * What makes several items of one: a dimension for each range, all combined.
 * Rows of `each:` are one dimension that sets several variables.
 */
struct dimension {
	const char **names; /* n_names */
	const char **texts; /* n_rows times n_names */
	size_t n_names, n_rows;
};

struct expansion {
	struct dimension dimensions[8];
	size_t n;
	size_t count; /* product of all rows; 1 without dimensions */
	struct yaml_mark mark;
};

void expansion_init(struct expansion *x, struct yaml_mark mark);
/* "1-40", [1, 3, roof] or one scalar as the values of a variable. */
int expansion_add_values(struct loader *l, struct expansion *x, const struct yaml_node *name,
			 const struct yaml_node *values);
/* `repeat:` or `each:` as mapping {n: 1-12}. */
int expansion_add_mapping(struct loader *l, struct expansion *x, const struct yaml_node *node);
/* `each:` in its three forms. node NULL: nothing. */
int expansion_add_each(struct loader *l, struct expansion *x, const struct yaml_node *node);
/* Adds the variables of item number `index` to v. */
int expansion_variables(struct loader *l, const struct expansion *x, size_t index,
			struct variables *v);
/* Is the text a range such as 1-40? */
bool text_is_range(const char *text);

/* Rows of a table file (RFC 4180; first line: names), as named by `each: csv:FILE`. */
int table_read(struct loader *l, const struct yaml_node *reference, const char *name,
	       struct dimension *ret);
