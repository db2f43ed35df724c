/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "fieldbus/local_internal.h"
#include "link/host1.h"

/* What is to be written, in the type of the point: a resource may be of another one. */

/* A number that is whole, as INT or, beyond that, as UINT. */
static int whole(const struct fieldway_value *v, struct fieldway_value *ret)
{
	*ret = *v;
	switch (v->type) {
	case FIELDWAY_INT:
	case FIELDWAY_UINT:
		break;
	case FIELDWAY_BOOL:
		*ret = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = v->boolean };
		break;
	case FIELDWAY_FLOAT:
		if (!(v->real >= -0x1p63 && v->real < 0x1p64) || v->real != rint(v->real))
			return -EINVAL;
		if (v->real < 0x1p63)
			*ret = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = (int64_t)v->real };
		else
			*ret = (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = (uint64_t)v->real };
		break;
	case FIELDWAY_NONE:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		return -EINVAL;
	}
	if (ret->type == FIELDWAY_UINT && ret->unsignd <= INT64_MAX)
		*ret = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = (int64_t)ret->unsignd };
	return 0;
}

static int to_float(const struct fieldway_value *v, struct fieldway_value *ret)
{
	double real = v->type == FIELDWAY_INT ? (double)v->integer : (double)v->unsignd;

	if (v->type != FIELDWAY_INT && v->type != FIELDWAY_UINT)
		return -EINVAL;
	/* What rounding takes to the first number beyond the type is none of it: to go back would be undefined. */
	if (v->type == FIELDWAY_INT && (real >= 0x1p63 || (int64_t)real != v->integer))
		return -ERANGE;
	if (v->type == FIELDWAY_UINT && (real >= 0x1p64 || (uint64_t)real != v->unsignd))
		return -ERANGE;
	*ret = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = real };
	return 0;
}

static int to_whole(const struct fieldway_value *v, enum fieldway_type type, struct fieldway_value *ret)
{
	struct fieldway_value number;
	int r = whole(v, &number);

	if (r < 0)
		return r;
	if (type == FIELDWAY_INT && number.type != FIELDWAY_INT)
		return -ERANGE;
	if (type == FIELDWAY_UINT && number.type == FIELDWAY_INT) {
		if (number.integer < 0)
			return -ERANGE;
		number = (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = (uint64_t)number.integer };
	}
	if (type == FIELDWAY_BOOL) {
		if (number.type != FIELDWAY_INT || number.integer < 0 || number.integer > 1)
			return -ERANGE;
		number = (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = number.integer == 1 };
	}
	*ret = number;
	return 0;
}

int local_value_fit(const struct config_point *point, const struct fieldway_value *value, struct fieldway_value *ret)
{
	enum fieldway_type type = config_local_type(point);

	if ((value->type == FIELDWAY_STRING || value->type == FIELDWAY_BYTES) && value->size > LINK_SAMPLE_BYTES_MAX)
		return -ERANGE;
	if (type == FIELDWAY_NONE || type == value->type) {
		*ret = *value;
		return 0;
	}
	switch (type) {
	case FIELDWAY_BOOL:
	case FIELDWAY_INT:
	case FIELDWAY_UINT:
		return to_whole(value, type, ret);
	case FIELDWAY_FLOAT:
		return to_float(value, ret);
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
	case FIELDWAY_NONE:
		break;
	}
	return -EINVAL;
}
