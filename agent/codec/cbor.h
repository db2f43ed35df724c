/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "codec/wire.h"
#include "model/value.h"

/* CBOR (RFC 8949) as far as LwM2M needs it. Readers move the span forward. */

enum cbor_major {
	CBOR_UNSIGNED = 0,
	CBOR_NEGATIVE = 1,
	CBOR_BYTES = 2,
	CBOR_TEXT = 3,
	CBOR_ARRAY = 4,
	CBOR_MAP = 5,
	CBOR_TAG = 6,
	CBOR_SIMPLE = 7,
};

/* RFC 8949 3.4. */
enum cbor_tag {
	CBOR_TAG_TIME_TEXT = 0,	  /* RFC 3339 */
	CBOR_TAG_TIME_NUMBER = 1, /* seconds since 1970 */
	CBOR_TAG_DECIMAL = 4,
};

/* An item that is passed over may nest this deep. */
#define CBOR_DEPTH_MAX 8u

/* What is left of an array, or of a map in pairs. */
struct cbor_items {
	bool indefinite;
	uint64_t left;
};

/*
 * Errors are -EBADMSG: cut short or not well-formed, -EINVAL: well-formed, but
 * nothing for us; *ret_reason is static text.
 */
int cbor_enter(struct span *s, enum cbor_major major, struct cbor_items *ret,
	       const char **ret_reason);
/* 1: an item (or pair) follows, 0: that was the last. */
int cbor_next(struct span *s, struct cbor_items *items, const char **ret_reason);
/*
 * One number, text, byte string, Boolean, null or time (tags 0 and 1 become
 * Unix seconds; decimal fractions, tag 4, a double).
 */
int cbor_read(struct span *s, struct wire *ret, const char **ret_reason);
int cbor_skip(struct span *s, const char **ret_reason);
/* An RFC 3339 time in Unix seconds, its fraction dropped. -EINVAL. cbor_time.c */
int cbor_parse_time(const char *text, size_t size, int64_t *ret);

/* Each in its shortest form; buf's errors. */
int cbor_write_head(struct buf *out, enum cbor_major major, uint64_t argument);
int cbor_write_integer(struct buf *out, int64_t v);
int cbor_write_text(struct buf *out, const char *text, size_t size);
int cbor_write_double(struct buf *out, double v); /* four bytes when they are exact, else eight */
/* -EINVAL for VALUE_NONE. */
int cbor_write_value(struct buf *out, const struct value *v);
