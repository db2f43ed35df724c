/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
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

static int explain(struct fieldbus *f, uint32_t bus, const struct device_list *list, sd_bus_message **ret)
{
	const struct fieldbus_config launcher = fieldbus_launcher(f);
	uint64_t deadline = clock_monotonic_usec() + FIELDBUS_CHECK_USEC;
	struct session session;
	sd_bus_message *m = NULL;
	int r;

	r = session_open(&launcher, &session);
	if (r < 0)
		return r;
	r = configuration_call_new(f, session.link, "Explain", 0, f->config, bus, list, NULL, &m);
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

static void part_set(const struct device_list *list, uint32_t device, uint32_t part, uint32_t *parts)
{
	size_t low = 0, high = list->n, middle;

	/* The list is sorted. */
	while (low < high) {
		middle = (low + high) / 2;
		if (list->items[middle] < device)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < list->n && list->items[low] == device)
		parts[low] = part;
}

static uint32_t split_lines(struct link_explanation *lines, size_t n, const struct device_list *list,
			    uint32_t *parts)
{
	uint32_t line = 0;

	/* More answers than questions, and there could be more parts than devices. */
	if (n == 0 || n > list->n)
		return 1;
	qsort(lines, n, sizeof(*lines), line_compare);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && !streq(lines[i].line, lines[i - 1].line))
			line++;
		part_set(list, lines[i].device, line / FIELDBUS_LINES_MAX, parts);
	}
	return line / FIELDBUS_LINES_MAX + 1;
}

int bus_split(struct fieldbus *f, uint32_t bus, const struct device_list *list, uint32_t *ret_parts)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_explanation *lines;
	struct link_refusal *refusals;
	sd_bus_message *m;
	uint32_t parts = 1;
	size_t n;
	int r;

	memset(ret_parts, 0, list->n * sizeof(*ret_parts));
	/* A device lies on one line. */
	if (list->n <= FIELDBUS_LINES_MAX)
		return 1;
	r = explain(f, bus, list, &m);
	if (r < 0)
		return r == -ENOMEM ? r : 1;
	r = link_read_refusals(m, &arena, &refusals, &n);
	if (r >= 0)
		r = link_read_explanations(m, &arena, &lines, &n);
	if (r >= 0)
		parts = split_lines(lines, n, list, ret_parts);
	sd_bus_message_unref(m);
	return r == -ENOMEM ? r : (int)parts;
}
