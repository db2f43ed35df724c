/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/value.h"

/* A value as CBOR or JSON spells it, before the type of its resource is known. */
enum wire_kind {
	WIRE_NONE = 0, /* no value at all */
	WIRE_NULL,
	WIRE_BOOLEAN,
	WIRE_SIGNED,   /* an integer below zero */
	WIRE_UNSIGNED, /* any other that fits 64 bits */
	WIRE_ROUNDED,  /* an integer wider than that, as the nearest double: good for FLOAT only */
	WIRE_FLOAT,
	WIRE_TEXT,
	WIRE_BYTES,
	WIRE_BASE64, /* bytes as text, in either alphabet */
	WIRE_LINK,   /* an Objlnk as text: "3:0" */
	/* Where a format has no kind of their own for them: text, or what the resource's type makes of it. */
	WIRE_TEXT_OR_LINK,
	WIRE_TEXT_OR_BASE64,
};

struct wire {
	enum wire_kind kind;
	union {
		bool boolean;
		int64_t integer;   /* SIGNED */
		uint64_t unsignd;  /* UNSIGNED */
		double real;	   /* ROUNDED, FLOAT; finite */
		struct span bytes; /* all others; borrowed from the payload */
	};
};

static inline struct wire wire_integer(int64_t v)
{
	return v < 0 ? (struct wire){ .kind = WIRE_SIGNED, .integer = v } :
		       (struct wire){ .kind = WIRE_UNSIGNED, .unsignd = (uint64_t)v };
}
/* Text of any of the kinds, or bytes: what .bytes holds. */
bool wire_has_bytes(const struct wire *w);
static inline struct wire wire_bytes(enum wire_kind kind, struct span bytes)
{
	return (struct wire){ .kind = kind, .bytes = bytes };
}

bool wire_is_number(const struct wire *w);
/* A number as a double; 0 for WIRE_NONE. */
double wire_to_double(const struct wire *w);
/* a + b, exact while it can be (SenML's base value). */
struct wire wire_add(const struct wire *a, const struct wire *b);

/*
 * The value in the type of its resource. VALUE_NONE: the type that the payload
 * shows by itself. -EINVAL when they do not fit, -ERANGE, -EFBIG, -ENOMEM.
 */
int wire_to_value(const struct wire *w, enum value_type type, struct value *ret);
/* Why not, of such an error: static text for the peer. */
const char *wire_reason(int error);
