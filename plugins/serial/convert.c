/* SPDX-License-Identifier: Apache-2.0 */
#include "convert.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "escape.h"

#define TEXT_MAX 64u /* of a number or time */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Where a byte was lost, a port with a parity gives NUL: then it is another number that the rest would be. */
static bool is_whole(struct slice text)
{
	return !memchr(text.data, '\0', text.size);
}

/* A copy without the blanks that scales put between sign and digits. False: too long, or nothing. */
static bool copy_number(struct slice text, char *ret)
{
	size_t n = 0;

	if (!text.size || !is_whole(text))
		return false;
	text = slice_trim(text);
	if (!text.size || text.size >= TEXT_MAX)
		return false;
	if (text.data[0] == '+' || text.data[0] == '-') {
		if (text.data[0] == '-')
			ret[n++] = '-';
		text.data++;
		text.size--;
		while (text.size && text.data[0] == ' ') {
			text.data++;
			text.size--;
		}
	}
	memcpy(ret + n, text.data, text.size);
	ret[n + text.size] = '\0';
	return text.size > 0;
}

/* Digits, at most one point, perhaps an exponent: strtod() takes more than that. */
static bool is_decimal(const char *p)
{
	size_t digits = 0;

	if (*p == '-')
		p++;
	for (; is_digit(*p); p++)
		digits++;
	if (*p == '.')
		for (p++; is_digit(*p); p++)
			digits++;
	if (digits && (*p == 'e' || *p == 'E')) {
		p++;
		if (*p == '+' || *p == '-')
			p++;
		if (!is_digit(*p))
			return false;
		while (is_digit(*p))
			p++;
	}
	return digits && *p == '\0';
}

bool convert_number(struct slice text, bool comma, double *ret)
{
	char copy[TEXT_MAX + 1], *at;
	double value;

	if (!copy_number(text, copy))
		return false;
	if (comma) {
		if (strchr(copy, '.'))
			return false;
		at = strchr(copy, ',');
		if (at)
			*at = '.';
	}
	if (!is_decimal(copy))
		return false;
	value = strtod(copy, NULL);
	if (!isfinite(value))
		return false;
	*ret = value;
	return true;
}

bool convert_integer(struct slice text, int64_t *ret)
{
	char copy[TEXT_MAX + 1], *end;
	long long value;

	if (!copy_number(text, copy) || (!is_digit(copy[0]) && copy[0] != '-'))
		return false;
	errno = 0;
	value = strtoll(copy, &end, 10);
	if (errno || *end || end == copy || !is_digit(end[-1]))
		return false;
	*ret = value;
	return true;
}

static bool is_hexadecimal(const char *p)
{
	return *p && p[strspn(p, "0123456789abcdefABCDEF")] == '\0';
}

bool convert_unsigned(struct slice text, bool hex, uint64_t *ret)
{
	char copy[TEXT_MAX + 1];
	const char *digits = copy;
	unsigned long long value;

	if (!copy_number(text, copy))
		return false;
	if (hex && copy[0] == '0' && (copy[1] == 'x' || copy[1] == 'X'))
		digits = copy + 2;
	if (hex ? !is_hexadecimal(digits) : digits[strspn(digits, "0123456789")] != '\0')
		return false;
	errno = 0;
	value = strtoull(digits, NULL, hex ? 16 : 10);
	if (errno)
		return false;
	*ret = value;
	return true;
}

/* NMEA 0183: the last two digits before the point, and what is behind it, are minutes. */
bool convert_degrees(struct slice text, double *ret)
{
	double number, degrees, minutes;
	char side;

	text = slice_trim(text);
	if (text.size < 2)
		return false;
	side = text.data[text.size - 1];
	text.size--;
	if (!side || !strchr("NSEW", side) || !is_digit(text.data[0]) || !convert_number(text, false, &number))
		return false;
	degrees = floor(number / 100);
	minutes = number - 100 * degrees;
	if (minutes >= 60 || degrees > (side == 'N' || side == 'S' ? 90 : 180))
		return false;
	/* Nine decimals are a tenth of a millimetre; what is behind them is the division's. */
	degrees = round((degrees + minutes / 60) * 1e9) / 1e9;
	*ret = side == 'S' || side == 'W' ? -degrees : degrees;
	return true;
}

bool convert_time(struct slice text, const char *pattern, int64_t *ret)
{
	char copy[TEXT_MAX + 1];
	struct tm t = { .tm_mday = 1, .tm_year = 70 };
	const char *end;

	if (!text.size || !is_whole(text))
		return false;
	text = slice_trim(text);
	if (!text.size || text.size > TEXT_MAX)
		return false;
	memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	end = strptime(copy, pattern, &t);
	if (!end)
		return false;
	if (*end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (*end)
		return false;
	*ret = timegm(&t);
	return true;
}
