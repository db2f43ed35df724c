/* SPDX-License-Identifier: Apache-2.0 */
#include "fieldbus/cycle.h"

#include <math.h>
#include <stdlib.h>

#include "config/config.h"

static bool counts(const struct cycle_request *r)
{
	return r->wire_usec > 0 && r->period_usec != CONFIG_RATE_ONCE &&
	       r->period_usec != CONFIG_RATE_ON_DEMAND;
}

static double share(const struct cycle_request *r)
{
	return (double)r->wire_usec / (double)r->period_usec;
}

/* The most frequent first, those that do not count last. */
static int by_period(const void *a, const void *b)
{
	const struct cycle_request *x = a, *y = b;

	if (counts(x) != counts(y))
		return counts(x) ? -1 : 1;
	return x->period_usec < y->period_usec ? -1 : x->period_usec > y->period_usec;
}

/*
 * The first k go round, one after the other; the others keep their intervals.
 * Together they fill the line: turn / shortest + rest = 1.
 */
static uint64_t find_shortest(const struct cycle_request *requests, size_t n, double busy)
{
	double turn = 0, rest = busy, shortest = 0;

	for (size_t i = 0; i < n; i++) {
		turn += (double)requests[i].wire_usec;
		rest -= share(&requests[i]);
		if (i + 1 < n && requests[i + 1].period_usec == requests[i].period_usec)
			continue;
		if (rest >= 1)
			continue;
		shortest = turn / (1 - fmax(rest, 0));
		if (i + 1 == n || shortest <= (double)requests[i + 1].period_usec)
			break;
	}
	return (uint64_t)shortest;
}

struct cycle cycle_of(struct cycle_request *requests, size_t n)
{
	struct cycle c = { 0 };
	size_t counted = 0;

	if (n > 1)
		qsort(requests, n, sizeof(*requests), by_period);
	for (; counted < n && counts(&requests[counted]); counted++)
		c.busy += share(&requests[counted]);
	if (c.busy > 1)
		c.shortest_usec = find_shortest(requests, counted, c.busy);
	return c;
}
