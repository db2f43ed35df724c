/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * YAML 1.1 text as a read-only tree with positions, on libyaml; yaml.c is the
 * only file that includes <yaml.h>. Refused, beside what libyaml refuses:
 * duplicate keys, keys that are not scalars, nesting over YAML_DEPTH_MAX, more
 * than YAML_NODES_MAX nodes, aliases that expand to more than that, invalid
 * UTF-8, NUL, tags other than those of strings, sequences and mappings. An
 * alias is the same node as its anchor, with the anchor's mark.
 */
#define YAML_DEPTH_MAX 24
#define YAML_NODES_MAX 400000u
#define YAML_BYTES_MAX (32u << 20)
#define YAML_ANCHORS_MAX 1000u /* in one document */
#define YAML_ERRORS_MAX 200u   /* with a text; later ones are only counted */

struct yaml_mark {
	const char *file; /* lives as long as the tree */
	unsigned line, column; /* 1-based */
};

enum yaml_kind {
	YAML_KIND_SCALAR,
	YAML_KIND_SEQUENCE,
	YAML_KIND_MAPPING,
};

struct yaml_node {
	enum yaml_kind kind;
	struct yaml_mark mark;
	struct yaml_mark end;     /* behind its last character; of a collection in a block that of its last item */
	bool flow;                /* collection in brackets or braces */
	bool quoted;              /* scalar in quotes or a block: always a string */
	const char *text;         /* scalar, NUL-terminated UTF-8 */
	size_t n;                 /* children */
	struct yaml_node **keys;  /* mapping: n scalars */
	struct yaml_node **items; /* sequence items or mapping values */
};

/* Error text of the form "file:line:column: message", one per line, in the order found. */
struct yaml_errors {
	struct buf text;
	unsigned n;
};
void yaml_error(struct yaml_errors *errors, struct yaml_mark mark, const char *format, ...) _printf_(3, 4);
void yaml_errors_done(struct yaml_errors *errors);
/* Calls f with each line, which has no newline and no NUL. */
void yaml_errors_each(const struct yaml_errors *errors,
		      void (*f)(void *userdata, const char *line, size_t size), void *userdata);

struct yaml_file {
	char *name;
	struct yaml_node **documents;
	size_t n;
	void *arena; /* owns every node */
};

/*
 * Reads all documents of a file, or of text under the name of a file. -EINVAL
 * with at least one entry in errors; errno of open/read likewise with an entry.
 */
int yaml_read_file(const char *path, struct yaml_errors *errors, struct yaml_file **ret);
int yaml_read_text(const char *name, const char *text, size_t size, struct yaml_errors *errors,
		   struct yaml_file **ret);
struct yaml_file *yaml_file_free(struct yaml_file *file);

/* Value of a key, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);
/*
 * Scalars as typed values. -EINVAL when the node is something else; a quoted
 * scalar is only a string. yes/no/on/off (any case) are no booleans: the
 * message hints at true/false.
 */
int yaml_to_bool(const struct yaml_node *node, bool *ret, struct yaml_errors *errors);
int yaml_to_i64(const struct yaml_node *node, long long *ret, struct yaml_errors *errors);
int yaml_to_double(const struct yaml_node *node, double *ret, struct yaml_errors *errors);
int yaml_to_usec(const struct yaml_node *node, unsigned long long *ret, struct yaml_errors *errors);
