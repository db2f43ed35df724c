/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "codec/cbor.h"

/* RFC 3339 date and time, as CBOR's tag 0 holds it. */

enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, FIELDS };

/* Days from 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
	/* Before each month of a year that begins with March, so that a leap day comes last. */
	static const uint16_t before[] = { 0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337 };

	if (month < 3)
		year--;
	return 365 * year + year / 4 - year / 100 + year / 400 + before[(month + 9) % 12] + day -
	       1 - 719468;
}

static int read_digits(const char **p, const char *end, unsigned n, unsigned *ret)
{
	unsigned v = 0;

	if (end - *p < (ptrdiff_t)n)
		return -EINVAL;
	for (; n > 0; n--, ++*p) {
		if (**p < '0' || **p > '9')
			return -EINVAL;
		v = v * 10 + (unsigned)(**p - '0');
	}
	*ret = v;
	return 0;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static bool is_time(const unsigned v[FIELDS])
{
	/* Year 0 and its February are before what the day count can take. */
	if (v[YEAR] == 0 || v[MONTH] < 1 || v[MONTH] > 12 || v[DAY] < 1)
		return false;
	/* A leap second is the first of the next minute. */
	return v[DAY] <= days_of_month(v[YEAR], v[MONTH]) && v[HOUR] < 24 && v[MINUTE] < 60 &&
	       v[SECOND] <= 60;
}

/* "Z", "+01:30": seconds east of Greenwich; has to be the rest of the text. */
static int read_offset(const char *p, const char *end, int64_t *ret)
{
	unsigned hours, minutes;
	char sign;

	if (p == end)
		return -EINVAL;
	sign = *p++;
	if (sign == 'Z' || sign == 'z') {
		*ret = 0;
		return p == end ? 0 : -EINVAL;
	}
	if ((sign != '+' && sign != '-') || read_digits(&p, end, 2, &hours) < 0 || p == end ||
	    *p++ != ':' || read_digits(&p, end, 2, &minutes) < 0 || p != end || hours > 23 ||
	    minutes > 59)
		return -EINVAL;
	*ret = (int64_t)(hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return 0;
}

static const char *skip_fraction(const char *p, const char *end)
{
	const char *digits = p + 1;

	if (p == end || *p != '.' || digits == end || *digits < '0' || *digits > '9')
		return p;
	while (digits < end && *digits >= '0' && *digits <= '9')
		digits++;
	return digits;
}

int cbor_parse_time(const char *text, size_t size, int64_t *ret)
{
	static const char before[FIELDS][3] = { "", "-", "-", "Tt ", ":", ":" };
	static const uint8_t widths[FIELDS] = { 4, 2, 2, 2, 2, 2 };
	const char *p = text, *end = text + size;
	unsigned v[FIELDS];
	int64_t offset;

	for (unsigned i = 0; i < FIELDS; i++) {
		if (i > 0 && (p == end || *p == 0 || !strchr(before[i], *p++)))
			return -EINVAL;
		if (read_digits(&p, end, widths[i], &v[i]) < 0)
			return -EINVAL;
	}
	if (!is_time(v) || read_offset(skip_fraction(p, end), end, &offset) < 0)
		return -EINVAL;
	*ret = days_from_date(v[YEAR], v[MONTH], v[DAY]) * 86400 + (int64_t)v[HOUR] * 3600 +
	       v[MINUTE] * 60 + v[SECOND] - offset;
	return 0;
}
