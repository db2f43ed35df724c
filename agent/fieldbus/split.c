/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/marshal.h"

/*
 * A host has a thread for each line, and one that is stuck costs all of them
 * their host: buses with many lines are cut into parts. Only the plugin knows
 * which devices share a line, so a short-lived host is asked.
 */

static int explain(struct fieldbus *f, const struct config *config, uint32_t bus,
		   const struct device_list *list, sd_bus_message **ret)
{
	const struct fieldbus_config launcher = fieldbus_launcher(f);
	uint64_t deadline = clock_monotonic_usec() + FIELDBUS_CHECK_USEC;
	struct session session;
	sd_bus_message *m = NULL;
	int r;

	r = session_open(&launcher, &session);
	if (r < 0)
		return r;
	r = configuration_call_new(f, session.link, "Explain", 0, config, bus, list, NULL, &m);
	if (r >= 0)
		r = session_call(&session, TAKE_PTR(m), deadline, ret, NULL, 0);
	sd_bus_message_unref(m);
	session_done(&session);
	return r;
}

static int line_compare(const void *a, const void *b)
{
	const struct link_explanation *x = a, *y = b;

	return strcmp(x->line, y->line);
}

/* Where a device stands in the list, which is sorted; n: nowhere. */
static size_t place_of(const struct device_list *list, uint32_t device)
{
	size_t low = 0, high = list->n, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (list->items[middle] < device)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->n && list->items[low] == device ? low : list->n;
}

/* Devices of one line, one behind the other. */
struct line {
	const struct link_explanation *first;
	size_t n;
};

static struct line line_at(const struct link_explanation *lines, size_t n, size_t i)
{
	struct line l = { &lines[i], 1 };

	while (i + l.n < n && streq(lines[i + l.n].line, lines[i].line))
		l.n++;
	return l;
}

/* The part that serves one of its devices already. */
static uint32_t part_of_line(const struct line *l, const struct device_list *list,
			     const uint32_t *parts)
{
	size_t place;

	for (size_t i = 0; i < l->n; i++) {
		place = place_of(list, l->first[i].device);
		if (place < list->n && parts[place] != NO_PART)
			return parts[place];
	}
	return NO_PART;
}

static void line_set(const struct line *l, const struct device_list *list, uint32_t part,
		     uint32_t *parts)
{
	size_t place;

	for (size_t i = 0; i < l->n; i++) {
		place = place_of(list, l->first[i].device);
		if (place < list->n && parts[place] == NO_PART)
			parts[place] = part;
	}
}

/* counts: lines by part, with room for one part more than there can be. */
static uint32_t split_lines(const struct link_explanation *lines, size_t n,
			    const struct device_list *list, uint32_t n_parts, uint32_t *parts,
			    uint32_t *counts)
{
	uint32_t part, next = 0;
	struct line l;

	for (size_t i = 0; i < n; i += l.n) {
		l = line_at(lines, n, i);
		part = part_of_line(&l, list, parts);
		if (part == NO_PART)
			continue;
		counts[part]++;
		line_set(&l, list, part, parts);
	}
	for (size_t i = 0; i < n; i += l.n) {
		l = line_at(lines, n, i);
		if (part_of_line(&l, list, parts) != NO_PART)
			continue;
		while (counts[next] >= FIELDBUS_LINES_MAX)
			next++;
		counts[next]++;
		line_set(&l, list, next, parts);
	}
	return MAX(n_parts, next + 1);
}

/* -EPROTO: it cannot be told. */
static int split(struct fieldbus *f, const struct config *config, uint32_t bus,
		 const struct device_list *list, uint32_t n_parts, uint32_t *parts)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_explanation *lines;
	struct link_refusal *refusals;
	sd_bus_message *m;
	uint32_t *counts;
	size_t n;
	int r;

	r = explain(f, config, bus, list, &m);
	if (r < 0)
		return r;
	r = link_read_refusals(m, &arena, &refusals, &n);
	if (r >= 0)
		r = link_read_explanations(m, &arena, &lines, &n);
	counts = arena_new(&arena, (n_parts + list->n + 1) * sizeof(*counts));
	if (r >= 0 && !counts)
		r = -ENOMEM;
	/* More answers than questions, and there could be more parts than devices. */
	if (r >= 0 && (n == 0 || n > list->n))
		r = -EPROTO;
	if (r >= 0) {
		qsort(lines, n, sizeof(*lines), line_compare);
		r = (int)split_lines(lines, n, list, n_parts, parts, counts);
	}
	sd_bus_message_unref(m);
	return r;
}

int bus_split(struct fieldbus *f, const struct config *config, uint32_t bus,
	      const struct device_list *list, uint32_t n_parts, uint32_t *parts)
{
	int r = 0;

	/* A device lies on one line. */
	if (list->n > FIELDBUS_LINES_MAX || n_parts > 1)
		r = split(f, config, bus, list, n_parts, parts);
	if (r == -ENOMEM)
		return r;
	for (size_t i = 0; i < list->n; i++)
		if (parts[i] == NO_PART)
			parts[i] = 0;
	return r > 0 ? r : (int)MAX(n_parts, 1u);
}
