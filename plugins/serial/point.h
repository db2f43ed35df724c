/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "message.h"
#include "plugins/lib/layout.h"
#include "template.h"

/* What a point is: where its value lies in a message, how it is taken, how it is written. */

#define POINT_SOURCES_MAX 4u
#define WRITE_TIMEOUT_MAX_USEC UINT64_C(60000000)

enum text_type {
	TEXT_FLOAT,
	TEXT_INT,
	TEXT_UINT,
	TEXT_BOOL,
	TEXT_STRING,
};

enum text_format {
	FORMAT_DECIMAL,
	FORMAT_COMMA,	/* 12,5 */
	FORMAT_HEX,	/* 1F */
	FORMAT_DEGREES, /* ddmm.mmmm and N, S, E or W */
	FORMAT_TIME,	/* as `pattern:` says, as seconds since 1970 */
};
extern const char *const text_type_names[];
extern const char *const text_format_names[];

struct point {
	bool readable, writable;
	const struct fieldway_settings *settings; /* good.*, codes.*, units.*, truth */
	struct slice group;			  /* the message or request that `from:` names; size 0: not read */
	struct slice fields[POINT_SOURCES_MAX];	  /* of it, taken together; size 0: all of it */
	size_t n_fields;
	uint32_t column; /* in place of a field; 0: none */
	enum text_type type;
	enum text_format format;
	char *pattern;	 /* of a time */
	bool is_layout;  /* bytes at `at`, not text */
	struct layout layout;
	uint32_t at;
	struct slice unit_field, unit; /* the unit that the field says, and the one that the point has */
	struct template *send;
	struct slice expect, refuse; /* expressions */
	uint64_t timeout_usec; /* 0: the bus's */
	uint32_t retries;
};

/* checksum: of {checksum} in `send:`. 0, -ENOMEM, or -EINVAL with error. */
int point_compile(const struct fieldway_point *from, const struct checksum *checksum, struct point *ret,
		  struct fieldway_error *error);
void point_done(struct point *p);

/*
 * Its value in a message, as GOOD or INVALID. Texts go to text, *used on: the
 * next free byte. False: the message says nothing of it.
 */
bool point_take(const struct point *p, const struct parse *parse, struct fieldway_sample *ret, char *text,
		size_t text_size, size_t *used);

/*
 * The value that its template is to print; codes are put in. -EINVAL with why
 * when the point cannot have it.
 */
int point_encode(const struct point *p, const struct fieldway_value *value, struct fieldway_value *ret,
		 char *why, size_t size);
