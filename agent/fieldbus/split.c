/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "fieldbus/internal.h"

/*
 * A host has a thread for each line, and one that is stuck costs all of them
 * their host: buses with many lines are cut into parts.
 */

/* A device: its line, and where it stands in the list. */
struct member {
	uint32_t line, place;
};

static int member_compare(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

/* Those of which it is known, one line behind the other. */
static size_t collect(const uint32_t *lines, const struct device_list *list, struct member *ret)
{
	size_t n = 0;

	for (uint32_t i = 0; i < list->n; i++)
		if (lines[list->items[i]] != FIELDBUS_NO_LINE)
			ret[n++] = (struct member){ lines[list->items[i]], i };
	if (n > 1)
		qsort(ret, n, sizeof(*ret), member_compare);
	return n;
}

/* Devices of one line. */
struct line {
	const struct member *first;
	size_t n;
};

static struct line line_at(const struct member *members, size_t n, size_t i)
{
	struct line l = { &members[i], 1 };

	while (i + l.n < n && members[i + l.n].line == members[i].line)
		l.n++;
	return l;
}

/* The part that serves one of its devices already. */
static uint32_t part_of_line(const struct line *l, const uint32_t *parts)
{
	for (size_t i = 0; i < l->n; i++)
		if (parts[l->first[i].place] != NO_PART)
			return parts[l->first[i].place];
	return NO_PART;
}

static void line_set(const struct line *l, uint32_t part, uint32_t *parts)
{
	for (size_t i = 0; i < l->n; i++)
		if (parts[l->first[i].place] == NO_PART)
			parts[l->first[i].place] = part;
}

/* counts: lines by part, with room for one part more than there can be. */
static uint32_t split(const struct member *members, size_t n, uint32_t n_parts, uint32_t *parts,
		      uint32_t *counts)
{
	uint32_t part, next = 0;
	struct line l;

	for (size_t i = 0; i < n; i += l.n) {
		l = line_at(members, n, i);
		part = part_of_line(&l, parts);
		if (part == NO_PART)
			continue;
		counts[part]++;
		line_set(&l, part, parts);
	}
	for (size_t i = 0; i < n; i += l.n) {
		l = line_at(members, n, i);
		if (part_of_line(&l, parts) != NO_PART)
			continue;
		while (counts[next] >= FIELDBUS_LINES_MAX)
			next++;
		counts[next]++;
		line_set(&l, next, parts);
	}
	return MAX(n_parts, next + 1);
}

int bus_split(const uint32_t *lines, const struct device_list *list, uint32_t n_parts, uint32_t *parts)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct member *members;
	uint32_t *counts;

	/* A device lies on one line. */
	if (lines && (list->n > FIELDBUS_LINES_MAX || n_parts > 1)) {
		members = arena_new(&arena, (list->n + 1) * sizeof(*members));
		counts = arena_new(&arena, (n_parts + list->n + 1) * sizeof(*counts));
		if (!members || !counts)
			return -ENOMEM;
		n_parts = split(members, collect(lines, list, members), n_parts, parts, counts);
	}
	for (size_t i = 0; i < list->n; i++)
		if (parts[i] == NO_PART)
			parts[i] = 0;
	return (int)MAX(n_parts, 1u);
}
