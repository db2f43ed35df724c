/* SPDX-License-Identifier: Apache-2.0 */
#include "layout_number.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Floats below this are whole numbers where they have no fraction, and exact as they are. */
#define FLOAT_EXACT 16777216.0f

/* IEEE 754 binary16: 5 bits of exponent, 10 of fraction; decimals of 5 digits tell all of them apart. */
#define HALF_FRACTION_BITS 10
#define HALF_BIAS 15
#define HALF_LEAST_EXPONENT (-14)
#define HALF_INFINITY 0x7c00u
#define HALF_SIGN 0x8000u
#define HALF_DECIMAL_DIG 5

double float_widen(float value)
{
	char decimal[32];

	if (value != value || value - value != 0) /* NaN, infinite */
		return (double)value;
	if (value > -FLOAT_EXACT && value < FLOAT_EXACT && (float)(int32_t)value == value)
		return (double)value;
	/* Below FLT_MIN a float has fewer digits than FLT_DIG. */
	for (int digits = value > -FLT_MIN && value < FLT_MIN ? 1 : FLT_DIG;
	     digits <= FLT_DECIMAL_DIG; digits++) {
		snprintf(decimal, sizeof(decimal), "%.*g", digits, (double)value);
		if (strtof(decimal, NULL) == value)
			return strtod(decimal, NULL);
	}
	return (double)value;
}

static double half_value(uint16_t bits)
{
	int exponent = bits >> HALF_FRACTION_BITS & 0x1f;
	int fraction = bits & ((1 << HALF_FRACTION_BITS) - 1);
	double magnitude;

	if (exponent == 0x1f)
		magnitude = fraction ? (double)NAN : (double)INFINITY;
	else if (exponent == 0)
		magnitude = ldexp(fraction, HALF_LEAST_EXPONENT - HALF_FRACTION_BITS);
	else
		magnitude = ldexp(fraction + (1 << HALF_FRACTION_BITS),
				  exponent - HALF_BIAS - HALF_FRACTION_BITS);
	return bits & HALF_SIGN ? -magnitude : magnitude;
}

double half_widen(uint16_t bits)
{
	double value = half_value(bits), shorter;
	char decimal[32];
	uint16_t back;

	if (value != value || value - value != 0 || value == (double)(int32_t)value)
		return value;
	for (int digits = 1; digits < HALF_DECIMAL_DIG; digits++) {
		snprintf(decimal, sizeof(decimal), "%.*g", digits, value);
		shorter = strtod(decimal, NULL);
		if (half_narrow(shorter, &back) >= 0 && back == bits)
			return shorter;
	}
	return value;
}

int half_narrow(double value, uint16_t *ret_bits)
{
	unsigned sign = signbit(value) ? HALF_SIGN : 0, bits;
	double steps;
	int exponent;

	if (value != value || value - value != 0) {
		*ret_bits = (uint16_t)(sign | HALF_INFINITY |
				       (value != value ? 1u << (HALF_FRACTION_BITS - 1) : 0));
		return 0;
	}
	(void)frexp(value, &exponent);
	if (value > -0x1p-24 && value < 0x1p-24) /* nothing, or the least of all */
		exponent = HALF_LEAST_EXPONENT;
	exponent = exponent - 1 < HALF_LEAST_EXPONENT ? HALF_LEAST_EXPONENT : exponent - 1;
	if (exponent > HALF_BIAS)
		return -ERANGE;
	steps = ldexp(value < 0 ? -value : value, HALF_FRACTION_BITS - exponent);
	bits = (unsigned)steps;
	steps -= bits;
	if (steps > 0.5 || (steps >= 0.5 && bits % 2))
		bits++;
	/* The fraction's leading 1 is the lowest bit of the exponent, and a carry belongs there too. */
	bits += (unsigned)(exponent - HALF_LEAST_EXPONENT) << HALF_FRACTION_BITS;
	if (bits >= HALF_INFINITY)
		return -ERANGE;
	*ret_bits = (uint16_t)(sign | bits);
	return 0;
}

bool bcd_decode(uint64_t raw, unsigned digits, uint64_t *ret)
{
	uint64_t number = 0;

	for (unsigned i = digits; i-- > 0;) {
		unsigned digit = raw >> 4 * i & 15;

		if (digit > 9)
			return false;
		number = 10 * number + digit;
	}
	*ret = number;
	return true;
}

bool bcd_encode(uint64_t number, unsigned digits, uint64_t *ret_raw)
{
	uint64_t raw = 0;

	for (unsigned i = 0; i < digits; i++) {
		raw |= number % 10 << 4 * i;
		number /= 10;
	}
	if (number)
		return false;
	*ret_raw = raw;
	return true;
}
