/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The data types of LwM2M (Core appendix C, table C-1). */
enum value_type {
	VALUE_NONE = 0, /* executable resources; also: no value */
	VALUE_STRING,
	VALUE_INTEGER,
	VALUE_UNSIGNED,
	VALUE_FLOAT,
	VALUE_BOOLEAN,
	VALUE_OPAQUE,
	VALUE_TIME, /* seconds since 1970 UTC, in .integer */
	VALUE_OBJLNK,
	VALUE_CORELNK,
	VALUE_TYPES,
};

struct value_link {
	uint16_t object, instance;
};

/* STRING, CORELNK and OPAQUE own .data (size bytes and a NUL behind them); 16 bytes in all. */
struct value {
	enum value_type type : 8;
	uint32_t size;
	union {
		int64_t integer;    /* INTEGER, TIME */
		uint64_t unsignd;   /* UNSIGNED */
		double real;        /* FLOAT */
		bool boolean;       /* BOOLEAN */
		char *data;         /* STRING, CORELNK (UTF-8), OPAQUE */
		struct value_link link; /* OBJLNK */
	};
};

/* A STRING, CORELNK or OPAQUE value is at most this long. */
#define VALUE_SIZE_MAX (1u << 20)

const char *value_type_name(enum value_type type); /* "string", "integer", ... as in objects/ YAML */
int value_type_parse(const char *text, enum value_type *ret); /* -EINVAL */

static inline struct value value_integer(int64_t v)
{
	return (struct value){ .type = VALUE_INTEGER, .integer = v };
}
static inline struct value value_unsigned(uint64_t v)
{
	return (struct value){ .type = VALUE_UNSIGNED, .unsignd = v };
}
static inline struct value value_float(double v)
{
	return (struct value){ .type = VALUE_FLOAT, .real = v };
}
static inline struct value value_boolean(bool v)
{
	return (struct value){ .type = VALUE_BOOLEAN, .boolean = v };
}
static inline struct value value_time(int64_t v)
{
	return (struct value){ .type = VALUE_TIME, .integer = v };
}
static inline struct value value_objlnk(uint16_t object, uint16_t instance)
{
	return (struct value){ .type = VALUE_OBJLNK, .link = { object, instance } };
}

/* type is STRING, CORELNK or OPAQUE; data is copied. -ENOMEM, -EFBIG. */
int value_set_bytes(struct value *v, enum value_type type, const void *data, size_t size);
static inline int value_set_string(struct value *v, const char *text)
{
	return value_set_bytes(v, VALUE_STRING, text, __builtin_strlen(text));
}
int value_copy(const struct value *from, struct value *ret); /* ret is overwritten, not freed */
void value_done(struct value *v);                             /* leaves VALUE_NONE */
/* Same type and same value; NaN equals NaN. */
bool value_equal(const struct value *a, const struct value *b);
/* A number as a double (INTEGER, UNSIGNED, FLOAT, TIME, BOOLEAN as 0/1). -EINVAL for other types. */
int value_to_double(const struct value *v, double *ret);

/*
 * The same value as another type, without loss: integers among INTEGER,
 * UNSIGNED, TIME in range, integer -> FLOAT when exact, FLOAT -> integer when
 * whole, STRING <-> CORELNK. -EINVAL other pairs, -ERANGE when it does not fit.
 */
int value_convert(const struct value *v, enum value_type type, struct value *ret);

/* Text as in content format 0 (Core 7.5.1): "21.5", "1", "3:0", base64 for OPAQUE. */
int value_format_text(const struct value *v, char **ret);
int value_parse_text(const char *text, size_t size, enum value_type type, struct value *ret); /* -EINVAL, -ERANGE */

#include "base/macro.h"
#define _cleanup_value_ _cleanup_(value_done)
