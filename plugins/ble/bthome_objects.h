/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The objects of BTHome v2 (https://bthome.io/format): what an id says about the bytes behind it. */

enum bthome_kind {
	BTHOME_UNSIGNED,
	BTHOME_SIGNED,
	BTHOME_BINARY, /* one byte, 0 or 1 */
	BTHOME_BUTTON, /* one byte, an event */
	BTHOME_DIMMER, /* an event, and how many steps */
	BTHOME_TEXT,   /* a byte with the length, then UTF-8 */
	BTHOME_RAW,    /* a byte with the length, then anything */
};

/* A value is raw * multiplier / divisor, in the object's unit. */
struct bthome_object {
	uint8_t id;
	uint8_t size; /* bytes; 0: the first one tells */
	enum bthome_kind kind;
	uint16_t multiplier;
	uint32_t divisor;
	const char *name; /* several ids may share one, where only width or factor differ */
	const char *unit; /* as points spell it; NULL: none */
};

/* NULL: no such object, and nobody knows how long it is. */
const struct bthome_object *bthome_object_find(uint8_t id);
/* The first with this name, NULL: none. */
const struct bthome_object *bthome_object_named(const char *name, size_t size);
