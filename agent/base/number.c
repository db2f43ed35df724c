/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Any double is its own after 17 digits, any float after 9 (IEEE 754-2008, 5.12.2). */
#define DOUBLE_DIGITS_MAX 17
#define FLOAT_DIGITS_MAX 9
/* Integers up to here are exact in a double. */
#define DOUBLE_INTEGER_MAX 9007199254740992.0
/* Decimals below here have at most DBL_DIG digits. */
#define DOUBLE_SHORT_MAX 1e15

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

int parse_u64(const char *text, uint64_t *ret)
{
	bool overflow = false;
	uint64_t value = 0;
	unsigned base = 10;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
	}
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		unsigned digit = (unsigned)digit_value(*text);

		if (digit >= base)
			return -EINVAL;
		overflow |= __builtin_mul_overflow(value, base, &value) ||
			    __builtin_add_overflow(value, digit, &value);
	}
	if (overflow)
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_i64(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t value;
	int r;

	if (*text == '-' || *text == '+')
		text++;
	r = parse_u64(text, &value);
	if (r < 0)
		return r;
	if (value > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	/* In unsigned arithmetic, because -INT64_MIN does not exist. */
	*ret = (int64_t)(negative ? 0 - value : value);
	return 0;
}

int parse_u16(const char *text, uint16_t *ret)
{
	uint32_t value = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		value = MIN(value * 10 + (uint32_t)(*p - '0'), UINT32_C(0x10000));
	}
	if (value > UINT16_MAX)
		return -ERANGE;
	*ret = (uint16_t)value;
	return 0;
}

static const char *skip_digits(const char *p, size_t *count)
{
	while (*p >= '0' && *p <= '9') {
		p++;
		++*count;
	}
	return p;
}

static bool is_decimal(const char *p)
{
	size_t mantissa = 0, exponent = 0;

	if (*p == '-' || *p == '+')
		p++;
	p = skip_digits(p, &mantissa);
	if (*p == '.')
		p = skip_digits(p + 1, &mantissa);
	if (mantissa == 0)
		return false;
	if (*p == 'e' || *p == 'E') {
		p++;
		if (*p == '-' || *p == '+')
			p++;
		p = skip_digits(p, &exponent);
		if (exponent == 0)
			return false;
	}
	return *p == '\0';
}

int parse_double(const char *text, double *ret)
{
	locale_t c_locale;
	double value;

	if (!is_decimal(text))
		return -EINVAL;
	c_locale = newlocale(LC_ALL_MASK, "C", NULL);
	if (!c_locale)
		return -ENOMEM;
	value = strtod_l(text, NULL, c_locale);
	freelocale(c_locale);
	if (!isfinite(value))
		return -ERANGE;
	*ret = value;
	return 0;
}

int parse_usec(const char *text, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t usec;
	} units[] = {
		{ "ms", USEC_PER_MSEC }, { "s", USEC_PER_SEC }, { "m", USEC_PER_MINUTE },
		{ "h", USEC_PER_HOUR },	 { "d", USEC_PER_DAY },
	};
	bool overflow = false;
	uint64_t value = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++)
		overflow |= __builtin_mul_overflow(value, 10, &value) ||
			    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value);
	if (p == text)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!streq(p, units[i].name))
			continue;
		if (overflow || __builtin_mul_overflow(value, units[i].usec, &value) ||
		    value == USEC_INFINITY)
			return -ERANGE;
		*ret = value;
		return 0;
	}
	return -EINVAL;
}

/*
 * The shortest "%e" text of a finite double that reads back. Both directions
 * are libc's, so the locale's radix character cancels out.
 */
static void format_shortest(double value, char *ret, size_t size)
{
	/* 15 digits always survive, and %e of a short one ends in zeros; subnormals have fewer. */
	int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG;

	for (; digits <= DOUBLE_DIGITS_MAX; digits++) {
		snprintf(ret, size, "%.*e", digits - 1, value);
		if (strtod(ret, NULL) == value)
			return;
	}
}

/* "-1.25e-07": sign, the digits without radix and closing zeros, and the exponent of the first. */
static int split_scientific(const char *text, char *ret_digits, size_t *ret_n)
{
	size_t n = 0;

	for (; *text != 'e'; text++)
		if (isdigit((unsigned char)*text))
			ret_digits[n++] = *text;
	while (n > 1 && ret_digits[n - 1] == '0')
		n--;
	*ret_n = n;
	return atoi(text + 1);
}

static char *put(char *at, char c, int times)
{
	for (; times > 0; times--)
		*at++ = c;
	return at;
}

char *format_u64(uint64_t value, char *ret)
{
	char digits[FORMAT_U64_MAX];
	unsigned n = 0;
	char *at = ret;

	do
		digits[n++] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	while (n > 0)
		*at++ = digits[--n];
	*at = '\0';
	return at;
}

/*
 * What sensors say has few decimals, and libc takes a microsecond to find
 * them. A quotient of two integers that doubles hold exactly is rounded
 * correctly (IEEE 754-2008, 5.4.1), as reading its text is: if it is the value,
 * the text is, too. No other text of up to 15 digits is, and none with fewer
 * decimals was. False: it needs more.
 */
static bool format_short(double value, char *ret)
{
	static const double powers[] = { 1e1, 1e2, 1e3, 1e4, 1e5, 1e6 };
	static const uint64_t integers[] = { 10, 100, 1000, 10000, 100000, 1000000 };

	for (unsigned i = 0; i < ARRAY_SIZE(powers); i++) {
		double scaled = value * powers[i];
		uint64_t n;
		char *at;

		if (!(scaled < DOUBLE_SHORT_MAX))
			return false;
		n = (uint64_t)(scaled + 0.5);
		if ((double)n / powers[i] != value)
			continue;
		at = format_u64(n / integers[i], ret);
		/* The leading 1 keeps the zeros behind the point, and gives its place to it. */
		format_u64(integers[i] + n % integers[i], at);
		*at = '.';
		return true;
	}
	return false;
}

char *format_double(double value, char *ret)
{
	char text[48], digits[32], *at = ret;
	size_t n;
	int exponent;

	if (!isfinite(value)) {
		strcpy(ret, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
		return ret;
	}
	if (signbit(value))
		at = put(at, '-', 1);
	value = fabs(value);
	if (value < DOUBLE_INTEGER_MAX && value == floor(value)) {
		format_u64((uint64_t)value, at);
		return ret;
	}
	if (format_short(value, at))
		return ret;
	format_shortest(value, text, sizeof(text));
	exponent = split_scientific(text, digits, &n);
	if (exponent < 0) {
		at = put(at, '0', 1);
		at = put(at, '.', 1);
		at = put(at, '0', -exponent - 1);
	}
	for (size_t i = 0; i < n; i++) {
		if (exponent >= 0 && i == (size_t)exponent + 1)
			at = put(at, '.', 1);
		*at++ = digits[i];
	}
	at = put(at, '0', exponent + 1 - (int)n);
	*at = '\0';
	return ret;
}

double double_from_float(float value)
{
	int digits = fabsf(value) < FLT_MIN ? 1 : FLT_DIG;
	char text[32];

	if (!isfinite(value))
		return value;
	for (; digits <= FLOAT_DIGITS_MAX; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits - 1, (double)value);
		if (strtof(text, NULL) == value)
			return strtod(text, NULL);
	}
	return value;
}

static const struct {
	const char *name;
	uint64_t usec;
} units[] = {
	{ "d", USEC_PER_DAY }, { "h", USEC_PER_HOUR },	{ "m", USEC_PER_MINUTE },
	{ "s", USEC_PER_SEC }, { "ms", USEC_PER_MSEC }, { "us", 1 },
};

char *format_usec(uint64_t usec, char *ret)
{
	char *at = ret;

	if (usec == USEC_INFINITY)
		return strcpy(ret, "forever");
	if (usec == 0)
		return strcpy(ret, "0s");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (usec < units[i].usec)
			continue;
		at += sprintf(at, "%s%" PRIu64 "%s", at > ret ? " " : "", usec / units[i].usec,
			      units[i].name);
		usec %= units[i].usec;
	}
	return ret;
}

char *format_usec_rough(uint64_t usec, char *ret)
{
	uint64_t step = 1;

	for (size_t i = 0; i + 1 < ARRAY_SIZE(units) && step == 1; i++)
		if (usec >= units[i].usec)
			step = units[i + 1].usec;
	if (usec < USEC_INFINITY - step)
		usec = (usec + step / 2) / step * step;
	return format_usec(usec, ret);
}
