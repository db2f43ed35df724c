/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping/transform.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

static const struct unit *target_unit(const struct resource_definition *resource, const struct unit *row_unit)
{
	const struct unit *own = resource->unit ? unit_find(resource->unit, NULL) : NULL;

	return own ?: row_unit;
}

int transform_init(struct transform *t, const struct config_point *point,
		   const struct resource_definition *resource, const struct unit *row_unit)
{
	const struct unit *target = target_unit(resource, row_unit);

	*t = (struct transform){ .point = point, .resource = resource, .factor = 1, .offset = 0 };
	if (!target || !point->unit)
		return 0;
	return unit_conversion(point->unit, target, &t->factor, &t->offset);
}

const char *transform_unit(const struct transform *t, const struct unit *row_unit)
{
	const struct unit *target = target_unit(t->resource, row_unit) ?: t->point->unit;

	return target ? unit_name(target) : NULL;
}

/* Dividing by 1000 rounds once where multiplying by 0.001 rounds twice. */
static double scale(double v, double factor)
{
	double inverse = 1 / factor;

	return fabs(factor) < 1 && inverse == rint(inverse) ? v / inverse : v * factor;
}

/* A double tells decimals of this many digits apart. */
#define DIGITS DBL_DIG
/* Powers of ten up to this are doubles: a whole number divided by one is the decimal's own double. */
#define EXACT_POWER_MAX 22

/*
 * The decimal that binary arithmetic just missed: 1.005 kWh are 1005 Wh and not
 * 1004.9999999999999. magnitude is that of the terms, each of which brings
 * half a unit in the last place.
 */
static double settle(double v, double magnitude)
{
	int decimals = magnitude > 0 ? DIGITS - 1 - (int)floor(log10(magnitude)) : -1;
	double power, rounded;

	if (decimals < 0 || decimals > EXACT_POWER_MAX)
		return v;
	power = pow(10, decimals);
	rounded = rint(v * power) / power;
	return fabs(rounded - v) <= 2 * DBL_EPSILON * magnitude ? rounded : v;
}

/* v * factor + offset */
static double convert(double v, double factor, double offset)
{
	double scaled = scale(v, factor);

	return settle(scaled + offset, fabs(scaled) + fabs(offset));
}

static bool is_identity(const struct transform *t)
{
	return t->factor == 1 && t->offset == 0;
}

static bool to_double(const struct fieldway_value *v, double *ret)
{
	switch (v->type) {
	case FIELDWAY_BOOL:
		*ret = v->boolean;
		return true;
	case FIELDWAY_INT:
		*ret = v->integer;
		return true;
	case FIELDWAY_UINT:
		*ret = v->unsignd;
		return true;
	case FIELDWAY_FLOAT:
		*ret = v->real;
		return true;
	case FIELDWAY_NONE:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		break;
	}
	return false;
}

/* The exact model value for a field value that no unit conversion touches. */
static int to_model(const struct fieldway_value *v, struct value *ret)
{
	switch (v->type) {
	case FIELDWAY_BOOL:
		*ret = value_boolean(v->boolean);
		return 0;
	case FIELDWAY_INT:
		*ret = value_integer(v->integer);
		return 0;
	case FIELDWAY_UINT:
		*ret = value_unsigned(v->unsignd);
		return 0;
	case FIELDWAY_FLOAT:
		*ret = value_float(v->real);
		return 0;
	case FIELDWAY_STRING:
		return value_set_bytes(ret, VALUE_STRING, v->data, v->size);
	case FIELDWAY_BYTES:
		return value_set_bytes(ret, VALUE_OPAQUE, v->data, v->size);
	case FIELDWAY_NONE:
		break;
	}
	return -EINVAL;
}

static const char *label_of(const struct config_point *point, const struct fieldway_value *v)
{
	double number;

	for (size_t i = 0; i < point->n_labels && to_double(v, &number); i++)
		if (number == (double)point->labels[i].number)
			return point->labels[i].text;
	return NULL;
}

static int number_to_text(const struct value *number, struct value *ret)
{
	_cleanup_free_ char *text = NULL;
	double as_double;
	int r = value_to_double(number, &as_double);

	if (r >= 0)
		r = value_format_text(number, &text);
	return r < 0 ? r : value_set_string(ret, text);
}

/* A number as the resource's type. Integers take the nearest whole number: a float register cannot say more. */
static int fit(const struct value *from, enum value_type type, struct value *ret)
{
	struct value whole;

	switch (type) {
	case VALUE_STRING:
		return from->type == VALUE_STRING ? value_copy(from, ret) : number_to_text(from, ret);
	case VALUE_BOOLEAN: {
		double number;

		if (value_to_double(from, &number) < 0)
			return -EINVAL;
		*ret = value_boolean(number != 0);
		return 0;
	}
	case VALUE_INTEGER:
	case VALUE_UNSIGNED:
	case VALUE_TIME:
		if (from->type == VALUE_BOOLEAN)
			whole = value_integer(from->boolean);
		else if (from->type == VALUE_FLOAT)
			whole = value_float(rint(from->real));
		else
			whole = *from;
		return value_convert(&whole, type, ret);
	case VALUE_FLOAT: {
		double number;

		/* An integer register beyond 2^53 keeps its magnitude in a Float resource. */
		if (value_to_double(from, &number) < 0)
			return -EINVAL;
		*ret = value_float(number);
		return 0;
	}
	case VALUE_OPAQUE:
	case VALUE_CORELNK:
		return value_convert(from, type, ret);
	case VALUE_OBJLNK:
		return from->type == VALUE_STRING ? value_parse_text(from->data, from->size, type, ret) : -EINVAL;
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	return -EINVAL;
}

/* Whole numbers stay exact beyond 2^53; false where only a double can hold the result. */
static bool multiply_whole(const struct fieldway_value *v, const struct transform *t,
			   struct value *ret)
{
	int64_t factor, product;
	uint64_t positive;

	if (t->offset != 0 || t->factor < 1 || t->factor > INT32_MAX ||
	    t->factor != rint(t->factor))
		return false;
	factor = t->factor;
	if (v->type == FIELDWAY_INT && !__builtin_mul_overflow(v->integer, factor, &product))
		*ret = value_integer(product);
	else if (v->type == FIELDWAY_UINT && !__builtin_mul_overflow(v->unsignd, factor, &positive))
		*ret = value_unsigned(positive);
	else
		return false;
	return true;
}

int transform_forward(const struct transform *t, const struct fieldway_value *v, struct value *ret)
{
	_cleanup_value_ struct value value = { 0 };
	const char *label = NULL;
	double number;
	int r;

	if (t->resource->type == VALUE_STRING)
		label = label_of(t->point, v);
	if (label)
		return value_set_string(ret, label);
	if (is_identity(t) || !to_double(v, &number)) {
		r = to_model(v, &value);
		if (r < 0)
			return r;
	} else if (!multiply_whole(v, t, &value)) {
		value = value_float(convert(number, t->factor, t->offset));
	}
	/* Neither a server nor a minimum can do anything with it. */
	if (value.type == VALUE_FLOAT && !isfinite(value.real))
		return -ERANGE;
	return fit(&value, t->resource->type, ret);
}

static int number_of_label(const struct config_point *point, const struct value *v, int64_t *ret)
{
	for (size_t i = 0; i < point->n_labels; i++) {
		if (!streq(point->labels[i].text, v->data))
			continue;
		*ret = point->labels[i].number;
		return 0;
	}
	return -EINVAL;
}

static bool is_known_number(const struct config_point *point, double number)
{
	for (size_t i = 0; i < point->n_labels; i++)
		if (number == (double)point->labels[i].number)
			return true;
	return point->n_labels == 0;
}

/* A String resource shows a numeric point as a decimal, and takes one. */
static bool is_number(const struct config_point *point)
{
	return point->unit || point->range.present;
}

static int from_text(const struct config_point *point, const struct value *v,
		     struct fieldway_value *ret)
{
	int64_t number;
	double real;
	int r;

	if (point->n_labels > 0) {
		r = number_of_label(point, v, &number);
		if (r >= 0)
			*ret = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = number };
		return r;
	}
	if (is_number(point)) {
		r = parse_double(v->data, &real);
		if (r >= 0)
			*ret = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = real };
		return r;
	}
	*ret = (struct fieldway_value){ .type = FIELDWAY_STRING, .data = v->data, .size = v->size };
	return 0;
}

/* The value before units are undone. */
static int from_model(const struct transform *t, const struct value *v, struct fieldway_value *ret)
{
	switch (v->type) {
	case VALUE_STRING:
		return from_text(t->point, v, ret);
	case VALUE_INTEGER:
	case VALUE_TIME:
		*ret = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = v->integer };
		return 0;
	case VALUE_UNSIGNED:
		*ret = (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = v->unsignd };
		return 0;
	case VALUE_FLOAT:
		*ret = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = v->real };
		return 0;
	case VALUE_BOOLEAN:
		*ret = (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = v->boolean };
		return 0;
	case VALUE_OPAQUE:
		*ret = (struct fieldway_value){ .type = FIELDWAY_BYTES, .data = v->data, .size = v->size };
		return 0;
	case VALUE_CORELNK:
		*ret = (struct fieldway_value){ .type = FIELDWAY_STRING, .data = v->data, .size = v->size };
		return 0;
	case VALUE_NONE:
	case VALUE_OBJLNK:
	case VALUE_TYPES:
		break;
	}
	return -EINVAL;
}

int transform_inverse(const struct transform *t, const struct value *v, struct fieldway_value *ret)
{
	const struct range *range = &t->point->range;
	struct fieldway_value value;
	double number;
	int r;

	r = from_model(t, v, &value);
	if (r < 0)
		return r;
	if (to_double(&value, &number)) {
		if (!isfinite(number))
			return -EINVAL;
		if (!is_identity(t)) {
			number = convert(number, 1 / t->factor, -t->offset / t->factor);
			value = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = number };
		}
		if (!is_known_number(t->point, number))
			return -EINVAL;
		if (range->present && (number < range->minimum || number > range->maximum))
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

int transform_write(const struct transform *t, const struct value *v, char text[LINK_TEXT_MAX],
		    struct fieldway_value *ret)
{
	if (v->type != VALUE_OBJLNK)
		return transform_inverse(t, v, ret);
	snprintf(text, LINK_TEXT_MAX, "%u:%u", v->link.object, v->link.instance);
	*ret = (struct fieldway_value){ .type = FIELDWAY_STRING, .data = text, .size = strlen(text) };
	return 0;
}
