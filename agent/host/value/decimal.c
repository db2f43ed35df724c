/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value/decimal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

/*
 * Powers of ten up to here, and integers up to 2^53, are exact in a double: one
 * division of them rounds once.
 */
#define EXACT_POWER_MAX 22
#define EXACT_INTEGER_MAX INT64_C(9007199254740992)

static const double powers[EXACT_POWER_MAX + 1] = { 1e0,  1e1,	1e2,  1e3,  1e4,  1e5,	1e6,  1e7,
						    1e8,  1e9,	1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
						    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* m * 10^n, or false. */
static bool shift(__int128 m, int n, __int128 *ret)
{
	if (m == 0)
		n = 0;
	if (n > DECIMAL_DIGITS_MAX)
		return false;
	for (; n > 0; n--)
		if (__builtin_mul_overflow(m, (__int128)10, &m))
			return false;
	*ret = m;
	return true;
}

static struct decimal strip_zeros(struct decimal d)
{
	while (d.mantissa != 0 && d.mantissa % 10 == 0) {
		d.mantissa /= 10;
		d.exponent++;
	}
	if (d.mantissa == 0)
		d.exponent = 0;
	return d;
}

bool decimal_from_double(double value, struct decimal *ret)
{
	for (int decimals = 0; decimals <= EXACT_POWER_MAX; decimals++) {
		double whole = rint(value * powers[decimals]);

		if (!(fabs(whole) < (double)EXACT_INTEGER_MAX))
			return false;
		if (whole / powers[decimals] == value) {
			*ret = (struct decimal){ (int64_t)whole, -decimals };
			return true;
		}
	}
	return false;
}

/* "-123e-4": at most 39 digits. */
static double through_text(struct decimal d)
{
	unsigned __int128 rest = d.mantissa < 0 ? -(unsigned __int128)d.mantissa :
						  (unsigned __int128)d.mantissa;
	char text[64], *at = text + sizeof(text) - 16;
	double value = 0;

	snprintf(at, 16, "e%d", d.exponent);
	for (; rest > 0; rest /= 10)
		*--at = (char)('0' + (int)(rest % 10));
	if (d.mantissa < 0)
		*--at = '-';
	if (parse_double(at, &value) < 0)
		return (double)d.mantissa * pow(10, d.exponent);
	return value;
}

static bool rounds_once(struct decimal d)
{
	return d.mantissa >= -EXACT_INTEGER_MAX && d.mantissa <= EXACT_INTEGER_MAX &&
	       d.exponent >= -EXACT_POWER_MAX && d.exponent <= EXACT_POWER_MAX;
}

double decimal_to_double(struct decimal d)
{
	if (!rounds_once(d))
		d = strip_zeros(d);
	if (!rounds_once(d))
		return through_text(d);
	return d.exponent < 0 ? (double)(int64_t)d.mantissa / powers[-d.exponent] :
				(double)(int64_t)d.mantissa * powers[d.exponent];
}

bool decimal_to_integer(struct decimal d, __int128 *ret)
{
	d = strip_zeros(d);
	return d.exponent >= 0 && shift(d.mantissa, d.exponent, ret);
}

bool decimal_multiply(struct decimal a, struct decimal b, struct decimal *ret)
{
	struct decimal product = { .exponent = a.exponent + b.exponent };

	if (__builtin_mul_overflow(a.mantissa, b.mantissa, &product.mantissa))
		return false;
	*ret = product;
	return true;
}

/* Brings both to the smaller exponent. */
static bool align(struct decimal *a, struct decimal *b)
{
	int exponent = MIN(a->exponent, b->exponent);

	if (!shift(a->mantissa, a->exponent - exponent, &a->mantissa) ||
	    !shift(b->mantissa, b->exponent - exponent, &b->mantissa))
		return false;
	a->exponent = b->exponent = exponent;
	return true;
}

bool decimal_add(struct decimal a, struct decimal b, struct decimal *ret)
{
	struct decimal sum;

	if (!align(&a, &b))
		return false;
	sum.exponent = a.exponent;
	if (__builtin_add_overflow(a.mantissa, b.mantissa, &sum.mantissa))
		return false;
	*ret = sum;
	return true;
}

bool decimal_divide(struct decimal a, struct decimal b, __int128 *ret, bool *ret_exact)
{
	unsigned __int128 divisor, rest;
	__int128 quotient;
	bool negative;

	if (!align(&a, &b))
		return false;
	negative = (a.mantissa < 0) != (b.mantissa < 0);
	divisor = b.mantissa < 0 ? -(unsigned __int128)b.mantissa : (unsigned __int128)b.mantissa;
	rest = a.mantissa < 0 ? -(unsigned __int128)a.mantissa : (unsigned __int128)a.mantissa;
	quotient = (__int128)(rest / divisor);
	rest %= divisor;
	if (rest >= divisor - rest)
		quotient++;
	*ret = negative ? -quotient : quotient;
	*ret_exact = rest == 0;
	return true;
}
