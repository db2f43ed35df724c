/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/value.h"
#include "config/config.h"
#include "model/definition.h"
#include "model/value.h"

/*
 * Between a device point's value (in the point's unit, as the link carries it)
 * and a resource's value (in the resource's type and unit). Pure.
 */

/* What a row of a mapping does to values; made once at load. */
struct transform {
	const struct config_point *point;
	const struct resource_definition *resource;
	double factor, offset; /* resource = point * factor + offset */
};

/*
 * The target unit is the resource's own, else the row's `unit:`, else the
 * point's. -EXDEV: another dimension.
 */
int transform_init(struct transform *t, const struct config_point *point,
		   const struct resource_definition *resource, const struct unit *row_unit);
/*
 * Exact: 1.005 kWh are 1005 Wh, and whole numbers stay whole beyond 2^53. 0;
 * -EINVAL: the types have nothing to do with each other; -ERANGE: does not fit,
 * or NaN or infinite; -ENOMEM.
 */
int transform_forward(const struct transform *t, const struct fieldway_value *v, struct value *ret);
/*
 * Checks enum labels and the point's range. STRING data points into v; text for
 * a point with a unit or a range is read as a decimal. -EINVAL unknown label,
 * no number or unfitting type, -ERANGE outside of `range:`.
 */
/* Of what is written: an Objlnk goes to a point as text, which lies in `text`. */
#define LINK_TEXT_MAX sizeof("65535:65535")
int transform_write(const struct transform *t, const struct value *v, char text[LINK_TEXT_MAX],
		    struct fieldway_value *ret);
int transform_inverse(const struct transform *t, const struct value *v, struct fieldway_value *ret);
/* Name of the unit that the resource's values have, or NULL. */
const char *transform_unit(const struct transform *t, const struct unit *row_unit);
