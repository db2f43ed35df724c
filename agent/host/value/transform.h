/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "link/host1.h"

/*
 * Between what a register holds and the point's unit: value = (raw * scale +
 * offset) * factor, in decimals. Pure.
 */

/*
 * Turns a GOOD sample's raw value into the point's; one of the point's
 * `invalid` becomes INVALID without a value.
 */
void transform_forward(const struct link_point *point, struct fieldway_sample *sample);
/* The same with scale * 10^exponent for scale (scale10). */
void transform_forward_by(const struct link_point *point, int exponent, struct fieldway_sample *sample);

/* Would the device take this raw value? 0, -ERANGE, -EINVAL with a text of size bytes. */
typedef int (*transform_checker)(const void *userdata, const struct fieldway_value *raw, char *text,
				 size_t size);
/*
 * The raw value for a value in the point's unit. What lies between two raw
 * values is -ERANGE for inexact: reject, else the nearest. -EINVAL: no number
 * where one is needed, or as the checker says. text is for people. exponent as
 * transform_forward_by() has it.
 */
int transform_inverse(const struct link_point *point, int exponent, const struct fieldway_value *value,
		      transform_checker check, const void *userdata, struct fieldway_value *ret,
		      char *text, size_t size);

/* Numbers as such, text byte for byte; numbers may differ by tolerance. */
bool value_is_near(const struct fieldway_value *a, const struct fieldway_value *b,
		   double tolerance);
