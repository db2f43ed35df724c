/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "point.h"

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

static int too_big(const struct point *p, struct fieldway_error *error)
{
	return refuse(-ERANGE, error, "does not fit into %s",
		      area_has_bits(p->area) ? "a coil" : data_names[p->data]);
}

/* A whole number as sign and magnitude: no integer type holds both ends of 64 bits. */
static int value_to_integer(const struct fieldway_value *v, bool *ret_negative, uint64_t *ret_magnitude)
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

static bool integer_fits(const struct point *p, bool negative, uint64_t magnitude)
{
	bool is_signed = p->data == DATA_INT16 || p->data == DATA_INT32 || p->data == DATA_INT64;
	uint64_t most;

	if (p->data == DATA_BOOL)
		return magnitude <= !negative;
	most = UINT64_MAX >> (64 - 8 * point_size(p));
	if (!is_signed)
		return magnitude <= most && (!negative || magnitude == 0);
	return magnitude <= (most >> 1) + negative;
}

static int encode_integer(const struct point *p, const struct fieldway_value *v, uint64_t *ret_raw,
			  struct fieldway_error *error)
{
	bool negative;
	uint64_t magnitude;
	int r = value_to_integer(v, &negative, &magnitude);

	if (r == -EINVAL)
		return refuse(r, error, "%s takes whole numbers only",
			      area_has_bits(p->area) ? "a coil" : data_names[p->data]);
	if (r < 0 || !integer_fits(p, negative, magnitude))
		return too_big(p, error);
	*ret_raw = negative ? -magnitude : magnitude;
	return 0;
}

static int encode_float(const struct point *p, const struct fieldway_value *v, uint64_t *ret_raw,
			struct fieldway_error *error)
{
	double wide;
	float single;
	uint32_t half;

	if (v->type == FIELDWAY_FLOAT)
		wide = v->real;
	else if (v->type == FIELDWAY_INT)
		wide = (double)v->integer;
	else if (v->type == FIELDWAY_UINT)
		wide = (double)v->unsignd;
	else
		return refuse(-EINVAL, error, "%s takes numbers only", data_names[p->data]);
	if (p->data == DATA_FLOAT64) {
		memcpy(ret_raw, &wide, sizeof(*ret_raw));
		return 0;
	}
	if (wide - wide == 0 && (wide > (double)FLT_MAX || wide < -(double)FLT_MAX))
		return too_big(p, error);
	single = (float)wide;
	memcpy(&half, &single, sizeof(half));
	*ret_raw = half;
	return 0;
}

static int encode_string(const struct point *p, const struct fieldway_value *v, uint16_t *registers,
			 struct fieldway_error *error)
{
	uint8_t bytes[MAX_ANSWER_BYTES] = { 0 };

	if (v->type != FIELDWAY_STRING)
		return refuse(-EINVAL, error, "string takes text only");
	if (v->size > p->length)
		return refuse(-ERANGE, error, "text of %zu bytes for a length of %u", v->size, p->length);
	for (size_t i = 0; i < v->size; i++)
		bytes[i ^ (p->order & 1u)] = (uint8_t)v->data[i];
	for (size_t i = 0; i < p->count; i++)
		registers[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
	return 0;
}

static void scatter(const struct point *p, uint64_t raw, uint16_t *registers)
{
	size_t size = point_size(p);
	uint8_t bytes[8] = { 0 };

	for (size_t i = 0; i < size; i++)
		bytes[i ^ (p->order & (size - 1))] = (uint8_t)(raw >> 8 * (size - 1 - i));
	for (size_t i = 0; i < p->count; i++)
		registers[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
}

int value_encode(const struct point *p, const struct fieldway_value *value, uint16_t *registers,
		 struct fieldway_error *error)
{
	uint64_t raw = 0;
	int r;

	if (p->bit >= 0)
		return refuse(-EINVAL, error, "a bit of a register cannot be written");
	if (p->data == DATA_STRING)
		return encode_string(p, value, registers, error);
	if (p->data == DATA_FLOAT32 || p->data == DATA_FLOAT64)
		r = encode_float(p, value, &raw, error);
	else
		r = encode_integer(p, value, &raw, error);
	if (r < 0)
		return r;
	if (area_has_bits(p->area))
		registers[0] = (uint16_t)raw;
	else
		scatter(p, raw, registers);
	return 0;
}
