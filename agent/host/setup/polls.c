/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/polls.h"

#include <errno.h>
#include <stdlib.h>

/* A periodic point is the best probe, one read once the next best. */
static uint64_t period_rank(uint64_t period_usec)
{
	return period_usec == LINK_PERIOD_ONCE ? LINK_PERIOD_ON_DEMAND - 1 : period_usec;
}

struct readable {
	uint64_t rank;
	uint32_t point;
};

static int compare_readable(const void *a, const void *b)
{
	const struct readable *p = a, *q = b;

	if (p->rank != q->rank)
		return p->rank < q->rank ? -1 : 1;
	return p->point < q->point ? -1 : p->point > q->point;
}

static size_t sort_points(const struct link_type *type, struct readable *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < type->n_points; i++)
		if (type->points[i].access & LINK_READ)
			ret[n++] = (struct readable){ period_rank(type->points[i].period_usec),
						      (uint32_t)i };
	qsort(ret, n, sizeof(*ret), compare_readable);
	return n;
}

static size_t count_ranks(const struct readable *sorted, size_t n)
{
	size_t ranks = 0;

	for (size_t i = 0; i < n; i++)
		ranks += i == 0 || sorted[i].rank != sorted[i - 1].rank;
	return ranks;
}

static int make_plans(const struct fieldway_plugin *plugin, struct setup_device *d,
		      const struct readable *sorted, size_t n, uint32_t *points)
{
	size_t begin = 0;
	int r;

	for (size_t i = 0; i < n; i++) {
		points[i - begin] = sorted[i].point;
		if (i + 1 < n && sorted[i + 1].rank == sorted[i].rank)
			continue;
		r = plugin->plan_new(d->driver, points, i + 1 - begin, &d->plans[d->n_plans]);
		if (r < 0)
			return r;
		d->n_plans++;
		begin = i + 1;
	}
	return 0;
}

/* The points of a plan share a period, so its first one tells it. */
static int collect_polls(struct arena *arena, struct setup_device *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_plans; i++)
		n += d->plans[i].n;
	d->polls = arena_new(arena, (n + 1) * sizeof(*d->polls));
	if (!d->polls)
		return -ENOMEM;
	for (size_t i = 0; i < d->n_plans; i++) {
		for (size_t j = 0; j < d->plans[i].n; j++) {
			const struct fieldway_request *request = &d->plans[i].requests[j];

			if (request->n_points == 0)
				continue;
			d->polls[d->n_polls++] = (struct setup_poll){
				request, d->type->points[request->points[0]].period_usec
			};
		}
	}
	return 0;
}

static int make_all(const struct fieldway_plugin *plugin, struct arena *arena,
		    struct setup_device *d, struct readable *readable, uint32_t *points)
{
	size_t n = sort_points(d->type, readable);
	int r;

	d->plans = arena_new(arena, (count_ranks(readable, n) + 1) * sizeof(*d->plans));
	if (!d->plans)
		return -ENOMEM;
	r = make_plans(plugin, d, readable, n, points);
	return r < 0 ? r : collect_polls(arena, d);
}

static int make_identify(const struct fieldway_plugin *plugin, struct setup_device *d)
{
	const struct link_identify *identify = &d->type->identify;
	const uint32_t point = (uint32_t)identify->point;
	int r;

	if (identify->n_values == 0)
		return 0;
	r = plugin->plan_new(d->driver, &point, 1, &d->identify_plan);
	if (r < 0)
		return r;
	if (d->identify_plan.n == 1 && d->identify_plan.requests[0].n_points == 1)
		d->identify = &d->identify_plan.requests[0];
	return 0;
}

int polls_make(const struct fieldway_plugin *plugin, struct arena *arena, struct setup_device *d)
{
	_cleanup_free_ struct readable *readable = calloc(d->type->n_points + 1, sizeof(*readable));
	_cleanup_free_ uint32_t *points = calloc(d->type->n_points + 1, sizeof(*points));

	if (!readable || !points)
		return -ENOMEM;
	if (make_identify(plugin, d) < 0)
		return -ENOMEM;
	return make_all(plugin, arena, d, readable, points);
}

void polls_done(const struct fieldway_plugin *plugin, struct setup_device *d)
{
	for (size_t i = 0; i < d->n_plans; i++)
		plugin->plan_free(&d->plans[i]);
	d->n_plans = 0;
	if (d->identify)
		plugin->plan_free(&d->identify_plan);
	d->identify = NULL;
}
