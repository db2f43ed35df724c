/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "layout.h"

/* Shared by layout.c, layout_decode.c and layout_encode.c only. */

enum layout_kind {
	LAYOUT_KIND_BOOL,
	LAYOUT_KIND_SIGNED,
	LAYOUT_KIND_UNSIGNED,
	LAYOUT_KIND_FLOAT,
	LAYOUT_KIND_BCD,
	LAYOUT_KIND_TIME,
	LAYOUT_KIND_TEXT,
};

enum layout_kind layout_kind(enum layout_type type);

/* Where byte i of the value (0: the highest) lies in its bytes on the wire. */
size_t layout_place(const struct layout *l, size_t i);

/* The value's bits as they lie within its bytes; at most LAYOUT_MAX_NUMBER of them. */
uint64_t layout_gather(const struct layout *l, const uint8_t *bytes);
void layout_scatter(const struct layout *l, uint64_t raw, uint8_t *ret_bytes);

/* What a mask leaves of the bits, shifted down, and its sign extended where the type has one. */
uint64_t layout_unmask(const struct layout *l, uint64_t raw);
