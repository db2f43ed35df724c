/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "plan.h"
#include "types.h"

/*
 * Values out of an answer's data bytes: registers of two bytes each, high byte
 * first; coils packed, the first in the lowest bit of the first byte (Application
 * Protocol V1.1b3, 6.1 and 6.3).
 */

/*
 * Fills one sample for each point of the request (time and error are 0). A NaN,
 * or a string that is not UTF-8, is INVALID. Strings end at the first NUL, lose
 * trailing blanks, and are copied to text. -EBADMSG when size is not that of the
 * request, -ENOBUFS when text is too small.
 */
int answer_decode(const struct point *points, const struct fieldway_request *request,
		  const uint8_t *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size);

/*
 * The registers (point->count of them), or for a coil one 0 or 1, that carry the
 * value. -ERANGE: the point cannot hold it; -EINVAL: it is of a wrong kind, or
 * has a fraction; error->text says so.
 */
int value_encode(const struct point *point, const struct fieldway_value *value, uint16_t *registers,
		 struct fieldway_error *error);
