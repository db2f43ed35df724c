/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "types.h"

/* NULL-terminated, in the order of the enumerations: also the choices of the key table. */
extern const char *const area_names[];
extern const char *const data_names[];
extern const char *const order_names[];

/*
 * Compiles a point's settings. An order's name gives its three swaps (of bytes,
 * registers, pairs of registers) and thereby fits every size: CDAB in `defaults:`
 * is AB for a point of 16 bits and GHEFCDAB for one of 64.
 * 0, or -EINVAL with error (error->point stays -1: the caller knows it).
 */
int point_compile(const struct fieldway_point *from, struct point *ret, struct fieldway_error *error);

/* What a value of the point is made of, in bytes; 0 for coils and strings. */
size_t point_size(const struct point *p);
