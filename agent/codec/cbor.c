/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cbor.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

/* The five low bits of an initial byte (RFC 8949 section 3). */
enum {
	INFO_1_BYTE = 24,
	INFO_8_BYTES = 27,
	INFO_INDEFINITE = 31,
};

/* Simple values and floats of major type 7. */
enum {
	SIMPLE_FALSE = 20,
	SIMPLE_TRUE = 21,
	SIMPLE_NULL = 22,
	SIMPLE_HALF = 25,
	SIMPLE_FLOAT = 26,
	SIMPLE_DOUBLE = 27,
};

#define BREAK 0xffu

static const char cut_short[] = "CBOR cut short";

struct head {
	unsigned major, info;
	uint64_t argument;
};

static int fail(int error, const char *reason, const char **ret_reason)
{
	*ret_reason = reason;
	return error;
}

static int read_head(struct span *s, struct head *ret, const char **ret_reason)
{
	uint8_t first;

	if (span_take_byte(s, &first) < 0)
		return fail(-EBADMSG, cut_short, ret_reason);
	*ret = (struct head){ .major = first >> 5, .info = first & 31, .argument = first & 31 };
	if (ret->info < INFO_1_BYTE)
		return 0;
	if (ret->info > INFO_8_BYTES) {
		ret->argument = 0;
		if (ret->info != INFO_INDEFINITE)
			return fail(-EBADMSG, "reserved CBOR length", ret_reason);
		return 0;
	}
	if (span_take_be(s, 1u << (ret->info - INFO_1_BYTE), &ret->argument) < 0)
		return fail(-EBADMSG, cut_short, ret_reason);
	return 0;
}

int cbor_enter(struct span *s, enum cbor_major major, struct cbor_items *ret,
	       const char **ret_reason)
{
	struct head head;
	int r = read_head(s, &head, ret_reason);

	if (r < 0)
		return r;
	if (head.major != major)
		return fail(-EINVAL,
			    major == CBOR_MAP ? "CBOR map expected" : "CBOR array expected",
			    ret_reason);
	*ret = (struct cbor_items){ head.info == INFO_INDEFINITE, head.argument };
	return 0;
}

int cbor_next(struct span *s, struct cbor_items *items, const char **ret_reason)
{
	uint8_t byte;

	if (!items->indefinite)
		return items->left > 0 ? (items->left--, 1) : 0;
	if (s->n == 0)
		return fail(-EBADMSG, cut_short, ret_reason);
	if (*s->p != BREAK)
		return 1;
	return span_take_byte(s, &byte);
}

static int read_string(struct span *s, const struct head *head, struct wire *ret,
		       const char **ret_reason)
{
	struct span bytes;

	if (head->info == INFO_INDEFINITE)
		return fail(-EINVAL, "CBOR string in chunks", ret_reason);
	if (head->argument > s->n)
		return fail(-EBADMSG, cut_short, ret_reason);
	span_take(s, head->argument, &bytes);
	*ret = wire_bytes(head->major == CBOR_TEXT ? WIRE_TEXT : WIRE_BYTES, bytes);
	return 0;
}

static double half_to_double(uint64_t bits)
{
	unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
	double v;

	if (exponent == 31)
		v = fraction ? NAN : INFINITY;
	else if (exponent == 0)
		v = ldexp(fraction, -24);
	else
		v = ldexp(fraction + 1024, (int)exponent - 25);
	return bits >> 15 & 1 ? -v : v;
}

static double float_of(const struct head *head)
{
	uint32_t bits = (uint32_t)head->argument;
	double v;
	float f;

	if (head->info == SIMPLE_HALF)
		return half_to_double(head->argument);
	if (head->info == SIMPLE_FLOAT) {
		memcpy(&f, &bits, sizeof(f));
		return f;
	}
	memcpy(&v, &head->argument, sizeof(v));
	return v;
}

static int read_simple(const struct head *head, struct wire *ret, const char **ret_reason)
{
	switch (head->info) {
	case SIMPLE_FALSE:
	case SIMPLE_TRUE:
		*ret = (struct wire){ .kind = WIRE_BOOLEAN, .boolean = head->info == SIMPLE_TRUE };
		return 0;
	case SIMPLE_NULL:
		*ret = (struct wire){ .kind = WIRE_NULL };
		return 0;
	case SIMPLE_HALF:
	case SIMPLE_FLOAT:
	case SIMPLE_DOUBLE:
		*ret = (struct wire){ .kind = WIRE_FLOAT, .real = float_of(head) };
		if (!isfinite(ret->real))
			return fail(-EINVAL, "not a finite number", ret_reason);
		return 0;
	default:
		return fail(-EINVAL, "CBOR simple value", ret_reason);
	}
}

static struct wire negative(uint64_t argument)
{
	if (argument <= INT64_MAX)
		return wire_integer(-1 - (int64_t)argument);
	return (struct wire){ .kind = WIRE_ROUNDED, .real = -1.0 - (double)argument };
}

/* Any item but a container or a tag. */
static int read_plain(struct span *s, const struct head *head, struct wire *ret,
		      const char **ret_reason)
{
	switch ((enum cbor_major)head->major) {
	case CBOR_BYTES:
	case CBOR_TEXT:
		return read_string(s, head, ret, ret_reason);
	case CBOR_SIMPLE:
		return read_simple(head, ret, ret_reason);
	case CBOR_UNSIGNED:
	case CBOR_NEGATIVE:
		if (head->info == INFO_INDEFINITE)
			return fail(-EBADMSG, "CBOR integer without an end", ret_reason);
		*ret = head->major == CBOR_NEGATIVE ?
			       negative(head->argument) :
			       (struct wire){ .kind = WIRE_UNSIGNED, .unsignd = head->argument };
		return 0;
	case CBOR_ARRAY:
	case CBOR_MAP:
	case CBOR_TAG:
		break;
	}
	return fail(-EINVAL, "CBOR array, map or tag as a value", ret_reason);
}

static int read_untagged(struct span *s, struct wire *ret, const char **ret_reason)
{
	struct head head;
	int r = read_head(s, &head, ret_reason);

	return r < 0 ? r : read_plain(s, &head, ret, ret_reason);
}

static int read_time_text(struct wire *w, const char **ret_reason)
{
	int64_t seconds;

	if (w->kind != WIRE_TEXT ||
	    cbor_parse_time((const char *)w->bytes.p, w->bytes.n, &seconds) < 0)
		return fail(-EINVAL, "no RFC 3339 time", ret_reason);
	*w = wire_integer(seconds);
	return 0;
}

static int read_time_number(struct wire *w, const char **ret_reason)
{
	if (!wire_is_number(w) || w->kind == WIRE_ROUNDED)
		return fail(-EINVAL, "no number of seconds", ret_reason);
	if (w->kind == WIRE_FLOAT)
		w->real = floor(w->real);
	return 0;
}

/* [exponent, mantissa] (RFC 8949 section 3.4.4), through text so that it is rounded once. */
static int read_decimal(struct span *s, struct wire *ret, const char **ret_reason)
{
	struct wire exponent, mantissa;
	struct cbor_items items;
	char text[64];
	int r;

	r = cbor_enter(s, CBOR_ARRAY, &items, ret_reason);
	if (r >= 0 && (items.indefinite || items.left != 2))
		r = fail(-EINVAL, "no decimal fraction", ret_reason);
	if (r >= 0)
		r = read_untagged(s, &exponent, ret_reason);
	if (r >= 0)
		r = read_untagged(s, &mantissa, ret_reason);
	if (r < 0)
		return r;
	if (exponent.kind == WIRE_SIGNED && exponent.integer < -9999)
		exponent = wire_integer(-9999);
	if ((exponent.kind != WIRE_SIGNED && exponent.kind != WIRE_UNSIGNED) ||
	    (exponent.kind == WIRE_UNSIGNED && exponent.unsignd > 9999) ||
	    (mantissa.kind != WIRE_SIGNED && mantissa.kind != WIRE_UNSIGNED))
		return fail(-EINVAL, "no decimal fraction", ret_reason);
	if (mantissa.kind == WIRE_SIGNED)
		snprintf(text, sizeof(text), "%llde%lld", (long long)mantissa.integer,
			 (long long)exponent.integer);
	else
		snprintf(text, sizeof(text), "%llue%lld", (unsigned long long)mantissa.unsignd,
			 (long long)exponent.integer);
	ret->kind = WIRE_FLOAT;
	r = parse_double(text, &ret->real);
	return r == -ERANGE ? fail(-EINVAL, "not a finite number", ret_reason) : r;
}

int cbor_read(struct span *s, struct wire *ret, const char **ret_reason)
{
	struct wire w = { 0 };
	struct head head;
	int r = read_head(s, &head, ret_reason);

	if (r < 0)
		return r;
	if (head.major != CBOR_TAG) {
		r = read_plain(s, &head, &w, ret_reason);
	} else if (head.info == INFO_INDEFINITE || head.argument > CBOR_TAG_DECIMAL) {
		r = fail(-EINVAL, "unknown CBOR tag", ret_reason);
	} else if (head.argument == CBOR_TAG_DECIMAL) {
		r = read_decimal(s, &w, ret_reason);
	} else if (head.argument > CBOR_TAG_TIME_NUMBER) {
		r = fail(-EINVAL, "integer of more than 64 bits", ret_reason);
	} else {
		r = read_untagged(s, &w, ret_reason);
		if (r >= 0)
			r = head.argument == CBOR_TAG_TIME_TEXT ?
				    read_time_text(&w, ret_reason) :
				    read_time_number(&w, ret_reason);
	}
	if (r < 0)
		return r;
	*ret = w;
	return 0;
}

static int skip(struct span *s, unsigned depth, const char **ret_reason);

static int skip_items(struct span *s, const struct head *head, unsigned depth,
		      const char **ret_reason)
{
	struct cbor_items items = { head->info == INFO_INDEFINITE, head->argument };
	int r;

	while ((r = cbor_next(s, &items, ret_reason)) > 0) {
		r = skip(s, depth + 1, ret_reason);
		if (r >= 0 && head->major == CBOR_MAP)
			r = skip(s, depth + 1, ret_reason);
		if (r < 0)
			return r;
	}
	return r;
}

static int skip(struct span *s, unsigned depth, const char **ret_reason)
{
	struct wire ignored;
	struct head head;
	int r;

	if (depth > CBOR_DEPTH_MAX)
		return fail(-EINVAL, "CBOR nested too deeply", ret_reason);
	r = read_head(s, &head, ret_reason);
	if (r < 0)
		return r;
	switch ((enum cbor_major)head.major) {
	case CBOR_ARRAY:
	case CBOR_MAP:
		return skip_items(s, &head, depth, ret_reason);
	case CBOR_TAG:
		return head.info == INFO_INDEFINITE ?
			       fail(-EBADMSG, "CBOR tag without number", ret_reason) :
			       skip(s, depth + 1, ret_reason);
	case CBOR_SIMPLE:
		return head.info == INFO_INDEFINITE ?
			       fail(-EBADMSG, "CBOR break out of place", ret_reason) :
			       0;
	case CBOR_UNSIGNED:
	case CBOR_NEGATIVE:
	case CBOR_BYTES:
	case CBOR_TEXT:
		break;
	}
	return read_plain(s, &head, &ignored, ret_reason);
}

int cbor_skip(struct span *s, const char **ret_reason)
{
	return skip(s, 0, ret_reason);
}
