/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "layout_bytes.h"
#include "layout_number.h"
#include "layout_time.h"
#include "text.h"

static int refuse(int r, struct fieldway_error *error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(int r, struct fieldway_error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	return r;
}

static int too_big(const struct layout *l, struct fieldway_error *error)
{
	if (l->is_bit)
		return refuse(-ERANGE, error, "does not fit into one bit");
	if (l->mask)
		return refuse(-ERANGE, error, "does not fit into %s with mask 0x%" PRIx64,
			      layout_type_name(l), l->mask);
	return refuse(-ERANGE, error, "does not fit into %s", layout_type_name(l));
}

/* A whole number as sign and magnitude: no integer type holds both ends of 64 bits. */
static int value_to_integer(const struct fieldway_value *v, bool *ret_negative,
			    uint64_t *ret_magnitude)
{
	double magnitude;

	switch (v->type) {
	case FIELDWAY_BOOL:
		*ret_negative = false;
		*ret_magnitude = v->boolean;
		return 0;
	case FIELDWAY_INT:
		*ret_negative = v->integer < 0;
		*ret_magnitude = v->integer < 0 ? -(uint64_t)v->integer : (uint64_t)v->integer;
		return 0;
	case FIELDWAY_UINT:
		*ret_negative = false;
		*ret_magnitude = v->unsignd;
		return 0;
	case FIELDWAY_FLOAT:
		magnitude = v->real < 0 ? -v->real : v->real;
		if (magnitude != magnitude)
			return -EINVAL;
		if (magnitude >= 0x1p64)
			return -ERANGE;
		if ((double)(uint64_t)magnitude != magnitude)
			return -EINVAL;
		*ret_negative = v->real < 0;
		*ret_magnitude = (uint64_t)magnitude;
		return 0;
	case FIELDWAY_NONE:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		return -EINVAL;
	}
	return -EINVAL;
}

static int take_integer(const struct layout *l, const struct fieldway_value *v, bool *ret_negative,
			uint64_t *ret_magnitude, struct fieldway_error *error)
{
	int r = value_to_integer(v, ret_negative, ret_magnitude);

	if (r == -ERANGE)
		return too_big(l, error);
	return r < 0 ? refuse(r, error, "%s takes whole numbers only", layout_type_name(l)) : 0;
}

/* The bits of a whole number, if they come back as that number. */
static int encode_integer(const struct layout *l, const struct fieldway_value *v, uint64_t *ret_raw,
			  struct fieldway_error *error)
{
	bool negative, is_signed = layout_kind(l->type) == LAYOUT_KIND_SIGNED && !l->is_bit;
	uint64_t magnitude, number, raw;
	int r = take_integer(l, v, &negative, &magnitude, error);

	if (r < 0)
		return r;
	if (l->type == LAYOUT_BOOL) {
		*ret_raw = magnitude;
		return magnitude <= 1 && (!negative || magnitude == 0) ? 0 : too_big(l, error);
	}
	number = negative ? -magnitude : magnitude;
	raw = number << l->shift;
	raw &= l->mask ? l->mask : UINT64_MAX >> (64 - 8 * l->size);
	if (layout_unmask(l, raw) != number || (magnitude && negative && !is_signed) ||
	    (is_signed && number >> 63 != (negative && magnitude)))
		return too_big(l, error);
	*ret_raw = raw;
	return 0;
}

static int encode_bcd(const struct layout *l, const struct fieldway_value *v, uint64_t *ret_raw,
		      struct fieldway_error *error)
{
	bool negative;
	uint64_t magnitude, raw;
	int r = take_integer(l, v, &negative, &magnitude, error);

	if (r < 0)
		return r;
	if ((negative && magnitude) || !bcd_encode(magnitude, 2u * l->size, &raw))
		return too_big(l, error);
	if (l->mask && ((raw << l->shift & l->mask) >> l->shift) != raw)
		return too_big(l, error);
	*ret_raw = raw << l->shift;
	return 0;
}

static int narrow_float(const struct layout *l, double wide, uint64_t *ret_raw)
{
	uint32_t bits;
	uint16_t half;
	float single;
	int r;

	if (l->type == LAYOUT_FLOAT64) {
		memcpy(ret_raw, &wide, sizeof(*ret_raw));
		return 0;
	}
	if (l->type == LAYOUT_FLOAT16) {
		r = half_narrow(wide, &half);
		if (r >= 0)
			*ret_raw = half;
		return r;
	}
	/* Not FLT_MAX itself: its shortest decimal, 3.4028235e38, is beyond it. */
	single = (float)wide;
	if (wide - wide == 0 && single - single != 0)
		return -ERANGE;
	memcpy(&bits, &single, sizeof(bits));
	*ret_raw = bits;
	return 0;
}

static int encode_float(const struct layout *l, const struct fieldway_value *v, uint64_t *ret_raw,
			struct fieldway_error *error)
{
	double wide;

	if (v->type == FIELDWAY_FLOAT)
		wide = v->real;
	else if (v->type == FIELDWAY_INT)
		wide = (double)v->integer;
	else if (v->type == FIELDWAY_UINT)
		wide = (double)v->unsignd;
	else
		return refuse(-EINVAL, error, "%s takes numbers only", layout_type_name(l));
	return narrow_float(l, wide, ret_raw) < 0 ? too_big(l, error) : 0;
}

static bool time_encode(const struct layout *l, int64_t seconds, uint8_t *wire)
{
	uint8_t bytes[LAYOUT_MAX_TIME] = { 0 };
	bool done;

	if (l->type == LAYOUT_UNIX32 || l->type == LAYOUT_UNIX64) {
		layout_scatter(l, (uint64_t)seconds, wire);
		return seconds >= 0 && (l->type == LAYOUT_UNIX64 || seconds <= UINT32_MAX);
	}
	if (l->type == LAYOUT_CP56TIME2A)
		done = cp56_encode(seconds, bytes + l->size - CP56_BYTES);
	else if (l->type == LAYOUT_YMDHMS16)
		done = ymdhms16_encode(seconds, bytes);
	else
		done = ymdhms_encode(seconds, l->type == LAYOUT_YMDHMS_BCD, bytes);
	for (size_t i = 0; i < l->size; i++)
		wire[layout_place(l, i)] = bytes[i];
	return done;
}

static int encode_time(const struct layout *l, const struct fieldway_value *v, uint8_t *bytes,
		       struct fieldway_error *error)
{
	bool negative;
	uint64_t magnitude;
	int r = take_integer(l, v, &negative, &magnitude, error);

	if (r < 0)
		return r;
	if (negative || magnitude > INT64_MAX || !time_encode(l, (int64_t)magnitude, bytes))
		return too_big(l, error);
	return 0;
}

static int check_text(const struct layout *l, const struct fieldway_value *v,
		      struct fieldway_error *error)
{
	if (l->type == LAYOUT_BYTES) {
		if (v->type != FIELDWAY_BYTES)
			return refuse(-EINVAL, error, "bytes takes bytes only");
		if (!l->rest && v->size != l->length)
			return refuse(-ERANGE, error, "%zu bytes for a length of %u", v->size,
				      l->length);
		return 0;
	}
	if (v->type != FIELDWAY_STRING)
		return refuse(-EINVAL, error, "string takes text only");
	if (!text_is_utf8(v->data, v->size) || memchr(v->data, '\0', v->size))
		return refuse(-EINVAL, error, "string takes UTF-8 without NUL only");
	if (!l->rest && v->size > l->length)
		return refuse(-ERANGE, error, "text of %zu bytes for a length of %u", v->size,
			      l->length);
	return 0;
}

static ssize_t encode_text(const struct layout *l, const struct fieldway_value *v, uint8_t *bytes,
			   size_t room, struct fieldway_error *error)
{
	size_t size = l->rest ? v->size : l->size;
	int r = check_text(l, v, error);

	if (r < 0)
		return r;
	if (size > room)
		return -ENOBUFS;
	memset(bytes, 0, size);
	for (size_t i = 0; i < v->size; i++)
		bytes[layout_place(l, i)] = (uint8_t)v->data[i];
	return (ssize_t)size;
}

ssize_t layout_encode(const struct layout *l, const struct fieldway_value *value, uint8_t *bytes,
		      size_t room, struct fieldway_error *error)
{
	uint64_t raw = 0;
	int r = 0;

	if (room < l->size)
		return -ENOBUFS;
	switch (layout_kind(l->type)) {
	case LAYOUT_KIND_BOOL:
	case LAYOUT_KIND_SIGNED:
	case LAYOUT_KIND_UNSIGNED:
		r = encode_integer(l, value, &raw, error);
		break;
	case LAYOUT_KIND_BCD:
		r = encode_bcd(l, value, &raw, error);
		break;
	case LAYOUT_KIND_FLOAT:
		r = encode_float(l, value, &raw, error);
		break;
	case LAYOUT_KIND_TIME:
		r = encode_time(l, value, bytes, error);
		return r < 0 ? r : l->size;
	case LAYOUT_KIND_TEXT:
		return encode_text(l, value, bytes, room, error);
	}
	if (r < 0)
		return r;
	layout_scatter(l, raw, bytes);
	return l->size;
}
