/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/splice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Marks count characters; a byte order mark is none. */
static const char *place(const char *text, unsigned line, unsigned column)
{
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (line > 1 && *text)
		line -= *text++ == '\n';
	while (column > 1 && *text && *text != '\n') {
		do
			text++;
		while (((unsigned char)*text & 0xc0) == 0x80);
		column--;
	}
	return text;
}

static const char *begin_of(const char *text, const struct yaml_node *node)
{
	return place(text, node->mark.line, node->mark.column);
}

static const char *end_of(const char *text, const struct yaml_node *node)
{
	return place(text, node->end.line, node->end.column);
}

static const char *line_begin(const char *text, const char *at)
{
	while (at > text && at[-1] != '\n')
		at--;
	return at;
}

/* What is between from and to becomes `middle`. */
static int put(const char *text, const char *from, const char *to, const char *middle, char **ret)
{
	return asprintf(ret, "%.*s%s%s", (int)(from - text), text, middle, to) < 0 ? -ENOMEM : 0;
}

int splice_replace(const char *text, const struct yaml_node *scalar, const char *raw, char **ret)
{
	if (scalar->kind != YAML_KIND_SCALAR)
		return -ENOTSUP;
	return put(text, begin_of(text, scalar), end_of(text, scalar), raw, ret);
}

/* ---- into mappings ---- */

static int insert_flow(const char *text, const struct yaml_node *mapping, const char *key,
		       const char *raw, char **ret)
{
	const char *at = mapping->n > 0 ? end_of(text, mapping->items[mapping->n - 1]) :
					  begin_of(text, mapping) + 1;
	char *middle;
	int r;

	if (asprintf(&middle, "%s%s: %s", mapping->n > 0 ? ", " : "", key, raw) < 0)
		return -ENOMEM;
	r = put(text, at, at, middle, ret);
	free(middle);
	return r;
}

/* A line of its own below the last one, and what stands behind it stays with that. */
static int insert_block(const char *text, const struct yaml_node *mapping, const char *key,
			const char *raw, char **ret)
{
	const char *at = end_of(text, mapping);
	char *middle;
	int r;

	at += strcspn(at, "\r\n");
	if (asprintf(&middle, "\n%*s%s: %s", (int)mapping->keys[0]->mark.column - 1, "", key, raw) < 0)
		return -ENOMEM;
	r = put(text, at, at, middle, ret);
	free(middle);
	return r;
}

int splice_insert(const char *text, const struct yaml_node *mapping, const char *key,
		  const char *raw, char **ret)
{
	if (mapping->kind != YAML_KIND_MAPPING || (!mapping->flow && mapping->n == 0))
		return -ENOTSUP;
	return mapping->flow ? insert_flow(text, mapping, key, raw, ret) :
			       insert_block(text, mapping, key, raw, ret);
}

/* ---- out of sequences ---- */

static int remove_flow(const char *text, const struct yaml_node *sequence, size_t i, char **ret)
{
	const char *from, *to;

	if (i + 1 < sequence->n) {
		from = begin_of(text, sequence->items[i]);
		to = begin_of(text, sequence->items[i + 1]);
	} else {
		from = end_of(text, sequence->items[i - 1]);
		to = end_of(text, sequence->items[i]);
	}
	return put(text, from, to, "", ret);
}

static int remove_block(const char *text, const struct yaml_node *item, char **ret)
{
	const char *begin = begin_of(text, item), *from = line_begin(text, begin),
		   *to = end_of(text, item);

	/* "- " and blanks are all that may stand before it. */
	if (strspn(from, " -") < (size_t)(begin - from))
		return -ENOTSUP;
	to += strcspn(to, "\n");
	return put(text, from, *to ? to + 1 : to, "", ret);
}

int splice_remove(const char *text, const struct yaml_node *sequence, size_t i, char **ret)
{
	if (sequence->kind != YAML_KIND_SEQUENCE || sequence->n < 2)
		return -ENOTSUP;
	return sequence->flow ? remove_flow(text, sequence, i, ret) :
				remove_block(text, sequence->items[i], ret);
}
