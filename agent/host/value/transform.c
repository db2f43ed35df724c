/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value/transform.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "host/value/decimal.h"

/* A point's constants, with the power of ten that was read for it. */
struct scaling {
	const struct link_point *point;
	int exponent;
};

static bool is_identity(const struct scaling *c)
{
	const struct link_point *p = c->point;

	return p->scale == 1 && p->offset == 0 && p->factor == 1 && c->exponent == 0;
}

static bool scale_of(const struct scaling *c, struct decimal *ret)
{
	if (!decimal_from_double(c->point->scale, ret))
		return false;
	ret->exponent += c->exponent;
	return true;
}

static double scale_real(const struct scaling *c)
{
	return c->exponent == 0 ? c->point->scale : c->point->scale * pow(10, c->exponent);
}

static bool is_number(const struct fieldway_value *v)
{
	switch (v->type) {
	case FIELDWAY_BOOL:
	case FIELDWAY_INT:
	case FIELDWAY_UINT:
	case FIELDWAY_FLOAT:
		return true;
	case FIELDWAY_NONE:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		return false;
	}
	return false;
}

static double to_double(const struct fieldway_value *v)
{
	switch (v->type) {
	case FIELDWAY_BOOL:
		return v->boolean;
	case FIELDWAY_INT:
		return (double)v->integer;
	case FIELDWAY_UINT:
		return (double)v->unsignd;
	case FIELDWAY_FLOAT:
		return v->real;
	case FIELDWAY_NONE:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		break;
	}
	return NAN;
}

/* False for a float that has no short decimal. */
static bool to_decimal(const struct fieldway_value *v, struct decimal *ret)
{
	switch (v->type) {
	case FIELDWAY_BOOL:
		*ret = decimal_from_integer(v->boolean);
		return true;
	case FIELDWAY_INT:
		*ret = decimal_from_integer(v->integer);
		return true;
	case FIELDWAY_UINT:
		*ret = decimal_from_integer(v->unsignd);
		return true;
	case FIELDWAY_FLOAT:
		return decimal_from_double(v->real, ret);
	case FIELDWAY_NONE:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		break;
	}
	return false;
}

static struct fieldway_value real_value(double real)
{
	return (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = real };
}

static bool integer_value(__int128 whole, struct fieldway_value *ret)
{
	if (whole >= INT64_MIN && whole <= INT64_MAX)
		*ret = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = (int64_t)whole };
	else if (whole > 0 && whole <= UINT64_MAX)
		*ret = (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = (uint64_t)whole };
	else
		return false;
	return true;
}

bool value_is_near(const struct fieldway_value *a, const struct fieldway_value *b, double tolerance)
{
	struct decimal m, n, difference;
	double x, y;

	if (!is_number(a) || !is_number(b))
		return a->type == b->type && a->type != FIELDWAY_NONE && a->size == b->size &&
		       (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
	x = to_double(a);
	y = to_double(b);
	if (isnan(x) || isnan(y))
		return isnan(x) && isnan(y);
	/* In decimals, or 0.3 and 0.2 would differ by more than 0.1. */
	if (to_decimal(a, &m) && to_decimal(b, &n)) {
		n.mantissa = -n.mantissa;
		if (decimal_add(m, n, &difference))
			return fabs(decimal_to_double(difference)) <= tolerance;
	}
	return x == y || fabs(x - y) <= tolerance;
}

static bool is_invalid(const struct link_point *p, const struct fieldway_value *raw)
{
	for (size_t i = 0; i < p->n_invalid; i++)
		if (value_is_near(raw, &p->invalid[i], 0))
			return true;
	return false;
}

/* (raw * scale + offset) * factor, exact. */
static bool scale_decimal(const struct scaling *c, const struct fieldway_value *raw, struct decimal *ret)
{
	const struct link_point *p = c->point;
	struct decimal d, scale, offset, factor;

	return to_decimal(raw, &d) && scale_of(c, &scale) &&
	       decimal_from_double(p->offset, &offset) && decimal_from_double(p->factor, &factor) &&
	       decimal_multiply(d, scale, &d) && decimal_add(d, offset, &d) &&
	       decimal_multiply(d, factor, ret);
}

static bool keeps_integers(const struct scaling *c, const struct fieldway_value *raw)
{
	const struct link_point *p = c->point;

	return raw->type != FIELDWAY_FLOAT && c->exponent >= 0 && p->scale == rint(p->scale) &&
	       p->offset == rint(p->offset) && p->factor == rint(p->factor);
}

/* An integer stays one where all constants are whole: counters of 64 bits lose nothing. */
static struct fieldway_value scale_value(const struct scaling *c, const struct fieldway_value *raw)
{
	const struct link_point *p = c->point;
	struct fieldway_value value;
	struct decimal d;
	__int128 whole;

	if (!scale_decimal(c, raw, &d))
		return real_value((to_double(raw) * scale_real(c) + p->offset) * p->factor);
	if (keeps_integers(c, raw) && decimal_to_integer(d, &whole) && integer_value(whole, &value))
		return value;
	return real_value(decimal_to_double(d));
}

void transform_forward_by(const struct link_point *p, int exponent, struct fieldway_sample *s)
{
	const struct scaling c = { p, exponent };

	if (s->quality != FIELDWAY_GOOD)
		return;
	if (is_invalid(p, &s->value))
		s->quality = FIELDWAY_INVALID;
	else if (!is_identity(&c) && is_number(&s->value))
		s->value = scale_value(&c, &s->value);
	if (s->value.type == FIELDWAY_FLOAT && !isfinite(s->value.real) && !is_identity(&c))
		s->quality = FIELDWAY_INVALID;
	if (s->quality == FIELDWAY_INVALID)
		s->value = (struct fieldway_value){ .type = FIELDWAY_NONE };
}

void transform_forward(const struct link_point *p, struct fieldway_sample *s)
{
	transform_forward_by(p, 0, s);
}

/* What a register would have to hold: real, and the whole number next to it. */
struct wanted {
	double real;
	bool has_whole, is_whole;
	struct fieldway_value whole;
};

/* raw = (value - offset * factor) / (scale * factor) */
static bool divide_decimal(const struct scaling *c, const struct fieldway_value *value, __int128 *ret,
			   bool *ret_exact)
{
	const struct link_point *p = c->point;
	struct decimal d, scale, offset, factor;

	if (!to_decimal(value, &d) || !scale_of(c, &scale) ||
	    !decimal_from_double(p->offset, &offset) || !decimal_from_double(p->factor, &factor))
		return false;
	offset.mantissa = -offset.mantissa;
	return decimal_multiply(offset, factor, &offset) && decimal_add(d, offset, &d) &&
	       decimal_multiply(scale, factor, &scale) && decimal_divide(d, scale, ret, ret_exact);
}

static struct wanted want(const struct scaling *c, const struct fieldway_value *value)
{
	const struct link_point *p = c->point;
	struct wanted w = { .real = (to_double(value) / p->factor - p->offset) / scale_real(c) };
	__int128 whole;

	if (!divide_decimal(c, value, &whole, &w.is_whole)) {
		if (!(fabs(w.real) < 0x1p64))
			return w;
		whole = (__int128)rint(w.real);
		w.is_whole = (double)whole == w.real;
	}
	w.has_whole = integer_value(whole, &w.whole);
	return w;
}

static int refuse_inexact(const struct fieldway_value *value, char *text, size_t size)
{
	char number[FORMAT_DOUBLE_MAX];

	snprintf(text, size, "%.40s lies between two values that the device can hold",
		 format_double(to_double(value), number));
	return -ERANGE;
}

static int inverse_number(const struct scaling *c, const struct fieldway_value *value,
			  transform_checker check, const void *userdata, struct fieldway_value *ret,
			  char *text, size_t size)
{
	struct wanted w = want(c, value);
	struct fieldway_value real = real_value(w.real);
	int r;

	if (!w.has_whole || !w.is_whole) {
		/* A register that takes fractions takes this one; others say -EINVAL. */
		r = check(userdata, &real, text, size);
		if (r >= 0)
			*ret = real;
		if (r != -EINVAL || !w.has_whole)
			return r;
		if (c->point->inexact_reject)
			return refuse_inexact(value, text, size);
	}
	r = check(userdata, &w.whole, text, size);
	if (r >= 0)
		*ret = w.whole;
	return r;
}

int transform_inverse(const struct link_point *p, int exponent, const struct fieldway_value *value,
		      transform_checker check, const void *userdata, struct fieldway_value *ret,
		      char *text, size_t size)
{
	const struct scaling c = { p, exponent };
	int r;

	if (is_number(value) && (value->type == FIELDWAY_FLOAT || !is_identity(&c)))
		return inverse_number(&c, value, check, userdata, ret, text, size);
	if (!is_number(value) && !is_identity(&c)) {
		snprintf(text, size, "takes numbers only");
		return -EINVAL;
	}
	r = check(userdata, value, text, size);
	if (r >= 0)
		*ret = *value;
	return r;
}
