/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping/internal.h"

/* What a row of a mapping is, and of which device. */

const struct config_map *row_map(const struct mapped_row *row)
{
	return &row->endpoint->config->map[row - row->endpoint->rows];
}

bool device_is_gone(const struct mapped_device *d)
{
	return d->state == FIELDBUS_OFFLINE || d->state == FIELDBUS_FAILED;
}

uint32_t row_device(const struct mapped_row *row)
{
	return config_row_device(row->endpoint->config, row_map(row));
}

bool row_has_point(const struct mapped_row *row)
{
	return row_map(row)->kind != CONFIG_MAP_CONSTANT;
}

const struct config_point *row_point(const struct mapped_row *row)
{
	const struct config *config = row->endpoint->mapping->config;

	return &config->devices[row_device(row)].type->points[row_map(row)->point];
}

bool row_shows_point(const struct mapped_row *row)
{
	enum config_map_kind kind = row_map(row)->kind;

	return kind == CONFIG_MAP_POINT || kind == CONFIG_MAP_ALARM;
}

bool row_has_rate(const struct mapped_row *row)
{
	return row_shows_point(row) && row_point(row)->access & CONFIG_ACCESS_READ &&
	       row_point(row)->period_usec != CONFIG_RATE_ON_DEMAND;
}

bool row_is_polled(const struct mapped_row *row)
{
	return row_has_rate(row) && row->endpoint->mapping->config->devices[row_device(row)].enabled;
}

const struct row_plan *row_plan(const struct mapped_row *row)
{
	return &row->endpoint->plan[row - row->endpoint->rows];
}

uint32_t rows_unseen(const struct mapped_endpoint *e)
{
	uint32_t n = 0;

	for (size_t i = 0; i < e->config->n_map; i++)
		n += !e->rows[i].seen && row_is_polled(&e->rows[i]);
	return n;
}
