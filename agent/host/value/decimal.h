/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Decimal arithmetic on what people write: 2302 * 0.1 is 230.2, which no
 * product of two doubles is. A number is mantissa * 10^exponent, exact.
 */
struct decimal {
	__int128 mantissa;
	int exponent;
};

/* Products and sums beyond this many digits are left to double. */
#define DECIMAL_DIGITS_MAX 36

static inline struct decimal decimal_from_integer(__int128 value)
{
	return (struct decimal){ .mantissa = value };
}
/*
 * The decimal with the fewest decimals that reads back as the double; false
 * beyond 2^53 or 22 decimals.
 */
bool decimal_from_double(double value, struct decimal *ret);
/* The nearest double. */
double decimal_to_double(struct decimal d);
/* True when it is a whole number that the type holds. */
bool decimal_to_integer(struct decimal d, __int128 *ret);

/* False where the exact result has too many digits. */
bool decimal_multiply(struct decimal a, struct decimal b, struct decimal *ret);
bool decimal_add(struct decimal a, struct decimal b, struct decimal *ret);
/*
 * The whole number nearest to a / b (half away from zero); *ret_exact: it is
 * the quotient. b is not 0.
 */
bool decimal_divide(struct decimal a, struct decimal b, __int128 *ret, bool *ret_exact);
