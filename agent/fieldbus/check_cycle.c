/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "fieldbus/cycle.h"
#include "fieldbus/internal.h"

#define CLASSES_MAX 6 /* that a message names */

/* Requests of a line's devices; of one that is disabled there are none. */
static size_t count_requests(const struct check *c, const struct link_explanation *e)
{
	return c->config->devices[e->device].enabled ? e->n_requests : 0;
}

static size_t collect(const struct check *c, const struct link_explanation *lines, size_t n,
		      struct cycle_request *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < count_requests(c, &lines[i]); k++)
			ret[count++] = (struct cycle_request){ lines[i].requests[k].period_usec,
							       lines[i].requests[k].wire_usec };
	return count;
}

/* A rate class that means this period on the line, or NULL. */
static const char *class_of(const struct check *c, const struct link_explanation *lines, size_t n,
			    uint64_t period)
{
	for (size_t i = 0; i < n; i++) {
		const struct config_type *type = c->config->devices[lines[i].device].type;

		for (size_t k = 0; k < type->n_points; k++)
			if (type->points[k].period_usec == period && type->points[k].rate)
				return type->points[k].rate;
	}
	return NULL;
}

#define INTERVAL_SIZE 32
/* "7.8 s", without digits that nobody needs. */
static const char *interval_text(uint64_t usec, char ret[static INTERVAL_SIZE])
{
	uint64_t tenths = (usec + 50 * USEC_PER_MSEC) / (100 * USEC_PER_MSEC);

	if (usec < USEC_PER_SEC)
		snprintf(ret, INTERVAL_SIZE, "%" PRIu64 " ms",
			 (usec + USEC_PER_MSEC / 2) / USEC_PER_MSEC);
	else if (tenths % 10 == 0 || tenths >= 1000)
		snprintf(ret, INTERVAL_SIZE, "%" PRIu64 " s", tenths / 10);
	else
		snprintf(ret, INTERVAL_SIZE, "%" PRIu64 ".%" PRIu64 " s", tenths / 10, tenths % 10);
	return ret;
}

static void describe_classes(const struct check *c, const struct link_explanation *lines, size_t n,
			     const struct cycle_request *requests, size_t n_requests,
			     const struct cycle *cycle, struct buf *b)
{
	char wanted[INTERVAL_SIZE], got[INTERVAL_SIZE];
	unsigned classes = 0;
	uint64_t before = 0;

	for (size_t i = 0; i < n_requests && classes < CLASSES_MAX; i++) {
		uint64_t period = requests[i].period_usec;
		const char *name;

		if (period >= cycle->shortest_usec || period == before ||
		    period == CONFIG_RATE_ONCE)
			continue;
		before = period;
		name = class_of(c, lines, n, period);
		buf_printf(b, "%s %s wanted %s, gets %s", classes++ > 0 ? "," : "",
			   name ?: "what is", interval_text(period, wanted),
			   interval_text(cycle->shortest_usec, got));
	}
}

static int check_line(struct check *c, uint32_t bus, const struct link_explanation *lines, size_t n)
{
	const struct config_bus *b = &c->config->buses[bus];
	_cleanup_free_ struct cycle_request *requests = NULL;
	_cleanup_buf_ struct buf text = { 0 };
	struct cycle cycle;
	size_t most = 0, count;

	for (size_t i = 0; i < n; i++)
		most += count_requests(c, &lines[i]);
	requests = calloc(most + 1, sizeof(*requests));
	if (!requests)
		return -ENOMEM;
	count = collect(c, lines, n, requests);
	cycle = cycle_of(requests, count);
	if (cycle.shortest_usec == 0)
		return 0;
	describe_classes(c, lines, n, requests, count, &cycle, &text);
	if (buf_append_byte(&text, 0) < 0)
		return -ENOMEM;
	yaml_error(c->warnings, b->mark, "bus %s: line %s cannot keep up, it is %.0f %% busy:%s",
		   b->name, lines->line, 100 * cycle.busy, (const char *)text.data);
	return 0;
}

static int by_line(const void *a, const void *b)
{
	const struct link_explanation *x = a, *y = b;

	return strcmp(x->line, y->line);
}

int check_cycles(struct check *c, uint32_t bus, struct link_explanation *lines, size_t n)
{
	size_t end;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (lines[i].device >= c->config->n_devices ||
		    c->config->devices[lines[i].device].bus != bus)
			return -EBADMSG;
	if (n > 1)
		qsort(lines, n, sizeof(*lines), by_line);
	for (size_t i = 0; r >= 0 && i < n; i = end) {
		for (end = i + 1; end < n && streq(lines[end].line, lines[i].line); end++)
			;
		for (size_t k = i; k < end; k++)
			c->line_of[lines[k].device] = c->n_line_of;
		c->n_line_of++;
		check_line_devices(c, lines + i, end - i);
		r = check_line(c, bus, lines + i, end - i);
		r = r < 0 ? r : check_line_add(c, lines[i].line, bus);
	}
	return r;
}
