/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/*
 * SenML units (RFC 8428 section 12.1, RFC 8798) with the usual k, M, m
 * multiples, and lb oz degF psi bar in ft; `%` and `/100` are one unit.
 */
struct unit;

/* NULL: unknown. *ret_near (may be NULL) then becomes the nearest known name or NULL. */
const struct unit *unit_find(const char *name, const char **ret_near);
const char *unit_name(const struct unit *u);
/* Units of one dimension convert into each other: to = from * factor + offset. -EXDEV: another dimension. */
int unit_conversion(const struct unit *from, const struct unit *to, double *ret_factor, double *ret_offset);
