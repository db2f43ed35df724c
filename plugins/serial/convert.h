/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "point.h"

/*
 * Texts as values. Pure; each returns false when the text is none. A number may
 * have a sign, blanks behind it, and nothing before or after.
 */
bool convert_number(struct slice text, bool comma, double *ret);
bool convert_integer(struct slice text, int64_t *ret);
bool convert_unsigned(struct slice text, bool hex, uint64_t *ret);
/* "4807.038N" is 48.1173, "01131.000W" -11.516666667: degrees, two digits of minutes, hemisphere. */
bool convert_degrees(struct slice text, double *ret);
/* By strptime's pattern, in UTC; a fraction of a second behind it is left out. */
bool convert_time(struct slice text, const char *pattern, int64_t *ret);
