/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "config/difference.h"
#include "config/imprint.h"

/* What two configurations have of one point, and of one row of a map. */

typedef int imprint_one(struct buf *b, const struct config_type *t, uint32_t point);

static bool same_point(const struct config_difference *d, imprint_one *imprint, uint32_t device_before,
		       uint32_t point_before, uint32_t device_after, uint32_t point_after)
{
	_cleanup_buf_ struct buf a = { 0 }, b = { 0 };

	if (d->devices[device_after].before != device_before)
		return false;
	if (d->devices[device_after].same)
		return point_before == point_after;
	return imprint(&a, d->before->devices[device_before].type, point_before) >= 0 &&
	       imprint(&b, d->after->devices[device_after].type, point_after) >= 0 && imprint_same(&a, &b);
}

bool config_difference_same_point(const struct config_difference *d, uint32_t device_before,
				  uint32_t point_before, uint32_t device_after, uint32_t point_after)
{
	return same_point(d, imprint_point, device_before, point_before, device_after, point_after);
}

static bool same_units(const struct unit *a, const struct unit *b)
{
	return streq_null(a ? unit_name(a) : NULL, b ? unit_name(b) : NULL);
}

static bool same_conditions(const struct config_condition *a, const struct config_condition *b)
{
	if (!a || !b)
		return a == b;
	return a->comparison == b->comparison && a->limit == b->limit && a->hysteresis == b->hysteresis &&
	       a->delay_usec == b->delay_usec;
}

static bool same_row(const struct config_difference *d, imprint_one *imprint, uint32_t before, size_t i,
		     uint32_t after, size_t j)
{
	const struct config_endpoint *x = config_endpoint_at(d->before, before);
	const struct config_endpoint *y = config_endpoint_at(d->after, after);
	const struct config_map *a = &x->map[i], *b = &y->map[j];

	if (!path_equal(&a->path, &b->path) || a->kind != b->kind || a->alarm != b->alarm ||
	    a->argument != b->argument || !same_conditions(a->condition, b->condition) ||
	    !same_units(a->unit, b->unit) || !value_equal(&a->constant, &b->constant))
		return false;
	return a->kind == CONFIG_MAP_CONSTANT || same_point(d, imprint, config_row_device(x, a), a->point,
							    config_row_device(y, b), b->point);
}

bool config_difference_same_row(const struct config_difference *d, uint32_t before, size_t i,
				uint32_t after, size_t j)
{
	return same_row(d, imprint_point, before, i, after, j);
}

bool config_difference_same_value(const struct config_difference *d, uint32_t before, size_t i,
				  uint32_t after, size_t j)
{
	return same_row(d, imprint_point_value, before, i, after, j);
}
