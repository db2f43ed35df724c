/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "model/value.h"

/* 2^63 and 2^64: the first doubles that do not fit. */
#define TWO_63 9223372036854775808.0
#define TWO_64 18446744073709551616.0

static bool is_signed(enum value_type type)
{
	return type == VALUE_INTEGER || type == VALUE_TIME;
}

static int to_signed(const struct value *v, enum value_type type, struct value *ret)
{
	int64_t integer;

	switch (v->type) {
	case VALUE_INTEGER:
	case VALUE_TIME:
		integer = v->integer;
		break;
	case VALUE_UNSIGNED:
		if (v->unsignd > INT64_MAX)
			return -ERANGE;
		integer = v->unsignd;
		break;
	case VALUE_FLOAT:
		if (!(v->real >= -TWO_63 && v->real < TWO_63) || v->real != rint(v->real))
			return -ERANGE;
		integer = v->real;
		break;
	default:
		return -EINVAL;
	}
	*ret = (struct value){ .type = type, .integer = integer };
	return 0;
}

static int to_unsigned(const struct value *v, struct value *ret)
{
	switch (v->type) {
	case VALUE_INTEGER:
	case VALUE_TIME:
		if (v->integer < 0)
			return -ERANGE;
		*ret = value_unsigned(v->integer);
		return 0;
	case VALUE_UNSIGNED:
		*ret = *v;
		return 0;
	case VALUE_FLOAT:
		if (!(v->real >= 0 && v->real < TWO_64) || v->real != rint(v->real))
			return -ERANGE;
		*ret = value_unsigned(v->real);
		return 0;
	default:
		return -EINVAL;
	}
}

static int to_float(const struct value *v, struct value *ret)
{
	double real;

	switch (v->type) {
	case VALUE_INTEGER:
	case VALUE_TIME:
		real = v->integer;
		if (real >= TWO_63 || (int64_t)real != v->integer)
			return -ERANGE;
		break;
	case VALUE_UNSIGNED:
		real = v->unsignd;
		if (real >= TWO_64 || (uint64_t)real != v->unsignd)
			return -ERANGE;
		break;
	case VALUE_FLOAT:
		real = v->real;
		break;
	default:
		return -EINVAL;
	}
	*ret = value_float(real);
	return 0;
}

static bool is_text(enum value_type type)
{
	return type == VALUE_STRING || type == VALUE_CORELNK;
}

int value_convert(const struct value *v, enum value_type type, struct value *ret)
{
	if (v->type == type)
		return value_copy(v, ret);
	if (is_signed(type))
		return to_signed(v, type, ret);
	if (type == VALUE_UNSIGNED)
		return to_unsigned(v, ret);
	if (type == VALUE_FLOAT)
		return to_float(v, ret);
	if (is_text(type) && is_text(v->type))
		return value_set_bytes(ret, type, v->data, v->size);
	return -EINVAL;
}
