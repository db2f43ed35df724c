/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "mapping/internal.h"

/* Alarms of an endpoint that wait for their time. */

static bool is_condition(const struct mapped_row *row)
{
	return row_map(row)->kind == CONFIG_MAP_ALARM && row_map(row)->condition;
}

static void arm(struct mapped_endpoint *e)
{
	uint64_t due = USEC_INFINITY;

	for (size_t i = 0; i < e->config->n_map; i++)
		if (is_condition(&e->rows[i]))
			due = MIN(due, alarm_due_usec(&e->rows[i].alarm, row_map(&e->rows[i])->condition));
	if (due == USEC_INFINITY)
		timer_disarm(&e->alarms);
	else
		timer_arm(&e->alarms, due);
}

static void due(struct timer *timer, void *userdata)
{
	struct mapped_endpoint *e = userdata;
	uint64_t now = clock_monotonic_usec();
	bool any = false;

	(void)timer;
	for (size_t i = 0; i < e->config->n_map; i++)
		if (is_condition(&e->rows[i]))
			any |= alarm_wait(&e->rows[i].alarm, row_map(&e->rows[i])->condition, now);
	if (any)
		errors_update(e);
	arm(e);
}

void alarms_start(struct mapped_endpoint *e)
{
	timer_init(&e->alarms, e->mapping->timers, due, e);
}

void alarms_follow(struct mapped_endpoint *e)
{
	if (e->store)
		arm(e);
}
