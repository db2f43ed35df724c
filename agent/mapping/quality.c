/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "mapping/internal.h"

/* When a resource is no longer served as if it were good (configuration.md "Staleness"). */

/* After how long without a good sample a row is stale; USEC_INFINITY: never. */
static uint64_t row_stale_usec(const struct mapped_row *row)
{
	const struct config_point *point = row_point(row);
	const struct config_stale *stale = &point->stale;

	if (point->period_usec == CONFIG_RATE_ON_DEMAND && point->silence_usec > 0)
		return stale->after_usec;
	if (point->period_usec == CONFIG_RATE_ONCE || point->period_usec == CONFIG_RATE_ON_DEMAND)
		return USEC_INFINITY;
	return stale->after_usec > 0 ? stale->after_usec : stale->times * point->period_usec;
}

/* `stale: {read: last}` serves the last value; one that was never read has none to serve. */
static bool row_can_go_bad(const struct mapped_row *row)
{
	return row_map(row)->kind == CONFIG_MAP_POINT && row_point(row)->access & CONFIG_ACCESS_READ &&
	       (row->sampled_usec == 0 || row_point(row)->stale.read == CONFIG_STALE_ERROR);
}

static void row_set_quality(struct mapped_row *row, enum store_quality quality)
{
	struct path resource = path_cut(&row_map(row)->path, PATH_RESOURCE);

	store_set_quality(row->endpoint->store, &resource, quality);
}

static uint64_t row_due_usec(const struct mapped_row *row)
{
	if (!row_can_go_bad(row) || row->sampled_usec == 0)
		return USEC_INFINITY;
	return usec_add(row->sampled_usec, row_stale_usec(row));
}

bool row_is_due(const struct mapped_row *row, uint64_t now_usec)
{
	return row_due_usec(row) <= now_usec;
}

/* Marks what is due and returns when the next row may be. */
static uint64_t mark_stale(struct mapped_endpoint *e)
{
	uint64_t now = clock_monotonic_usec(), next = USEC_INFINITY;

	store_begin(e->store);
	for (size_t i = 0; i < e->config->n_map; i++) {
		struct mapped_row *row = &e->rows[i];
		uint64_t due = row_due_usec(row);

		if (due > now)
			next = MIN(next, due);
		else if (store_quality(e->store, &row_map(row)->path) == STORE_GOOD)
			row_set_quality(row, STORE_STALE);
	}
	store_end(e->store);
	return next;
}

/* The timer never moves while values come: it fires at the first possible moment, and looks again. */
static void stale_fired(struct timer *timer, void *userdata)
{
	struct mapped_endpoint *e = userdata;
	uint64_t next = mark_stale(e);

	if (next != USEC_INFINITY)
		timer_arm(timer, next);
}

/* A device that came back has to be read before its values are good again. */
static void row_follow_device(struct mapped_row *row)
{
	if (!row_can_go_bad(row))
		return;
	if (device_is_gone(&row->endpoint->mapping->devices[row_device(row)]))
		row_set_quality(row, STORE_OFFLINE);
	else if (store_quality(row->endpoint->store, &row_map(row)->path) == STORE_OFFLINE)
		row_set_quality(row, row->sampled_usec == 0 ? STORE_NEVER : STORE_STALE);
}

static void follow_devices(struct mapped_endpoint *e)
{
	for (size_t i = 0; i < e->config->n_map; i++)
		row_follow_device(&e->rows[i]);
}

/* What was too old, or of a device that is gone, is to be served all the same from now on. */
static void row_follow_policy(struct mapped_row *row)
{
	enum store_quality quality = store_quality(row->endpoint->store, &row_map(row)->path);

	if (row_map(row)->kind == CONFIG_MAP_POINT && !row_can_go_bad(row) &&
	    (quality == STORE_STALE || quality == STORE_OFFLINE))
		row_set_quality(row, STORE_GOOD);
}

void quality_follow(struct mapped_endpoint *e)
{
	for (size_t i = 0; i < e->config->n_map; i++)
		row_follow_policy(&e->rows[i]);
	/* Of several sources of a resource one that may go bad has its say. */
	follow_devices(e);
	/* Their rates and `stale:` may be others. */
	stale_fired(&e->stale, e);
}

void quality_start(struct mapped_endpoint *e)
{
	timer_init(&e->stale, e->mapping->timers, stale_fired, e);
	for (size_t i = 0; i < e->config->n_map; i++)
		e->rows[i].sampled_usec = 0;
	follow_devices(e);
}

/* What had never been sampled may be due before all for which the timer was armed. */
void quality_sampled(struct mapped_endpoint *e, bool first)
{
	if (first || !timer_is_armed(&e->stale))
		stale_fired(&e->stale, e);
}

void quality_late(struct mapped_endpoint *e)
{
	mark_stale(e);
}

void quality_written(struct mapped_row *row)
{
	bool first = row->sampled_usec == 0;

	row->sampled_usec = clock_monotonic_usec();
	quality_sampled(row->endpoint, first);
}

void quality_invalid(struct mapped_row *row)
{
	if (row_can_go_bad(row))
		row_set_quality(row, STORE_STALE);
}

void quality_doubt(struct mapped_endpoint *e, uint32_t device, bool all)
{
	for (size_t i = 0; i < e->config->n_map; i++) {
		struct mapped_row *row = &e->rows[i];

		if (row_map(row)->kind == CONFIG_MAP_POINT && row_device(row) == device && row_can_go_bad(row) &&
		    (all || row_stale_usec(row) == USEC_INFINITY) &&
		    store_quality(e->store, &row_map(row)->path) == STORE_GOOD)
			row_set_quality(row, STORE_STALE);
	}
}

void quality_device(struct mapped_endpoint *e, uint32_t device)
{
	store_begin(e->store);
	for (size_t i = 0; i < e->config->n_map; i++)
		if (row_map(&e->rows[i])->kind == CONFIG_MAP_POINT &&
		    row_device(&e->rows[i]) == device)
			row_follow_device(&e->rows[i]);
	errors_update(e);
	store_end(e->store);
}
