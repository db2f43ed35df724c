/* SPDX-License-Identifier: Apache-2.0 */
#include "layout_time.h"

#include <string.h>
#include <time.h>

#include "layout_number.h"

#define CENTURY 2000
#define LAST_YEAR 9999

/* CP56Time2a, counted from its last octet. */
enum {
	CP56_YEAR,
	CP56_MONTH,
	CP56_DAY,
	CP56_HOUR,
	CP56_MINUTE,
	CP56_MSEC_HIGH,
	CP56_MSEC_LOW,
};
#define CP56_INVALID 0x80u /* of the minute's octet */
#define CP56_LAST_MSEC 59999u

/* A date that the calendar has. */
static bool join(const unsigned *f, int64_t *ret)
{
	struct tm asked = {
		.tm_year = (int)f[0] - 1900,
		.tm_mon = (int)f[1] - 1,
		.tm_mday = (int)f[2],
		.tm_hour = (int)f[3],
		.tm_min = (int)f[4],
		.tm_sec = (int)f[5],
	};
	struct tm given = asked;
	time_t seconds = timegm(&given);

	/* timegm() makes 1 March of 30 February. */
	if (given.tm_year != asked.tm_year || given.tm_mon != asked.tm_mon ||
	    given.tm_mday != asked.tm_mday || given.tm_hour != asked.tm_hour ||
	    given.tm_min != asked.tm_min || given.tm_sec != asked.tm_sec)
		return false;
	*ret = seconds;
	return true;
}

static bool split(int64_t seconds, int first_year, int last_year, struct tm *ret)
{
	time_t t = (time_t)seconds;

	return gmtime_r(&t, ret) && ret->tm_year + 1900 >= first_year &&
	       ret->tm_year + 1900 <= last_year;
}

bool cp56_decode(const uint8_t *b, int64_t *ret_seconds)
{
	unsigned msec = (unsigned)b[CP56_MSEC_HIGH] << 8 | b[CP56_MSEC_LOW];
	const unsigned fields[6] = {
		CENTURY + (b[CP56_YEAR] & 0x7fu),
		b[CP56_MONTH] & 0x0fu,
		b[CP56_DAY] & 0x1fu,
		b[CP56_HOUR] & 0x1fu,
		b[CP56_MINUTE] & 0x3fu,
		msec / 1000,
	};

	if ((b[CP56_MINUTE] & CP56_INVALID) || msec > CP56_LAST_MSEC || fields[0] > CENTURY + 99)
		return false;
	return join(fields, ret_seconds);
}

bool cp56_encode(int64_t seconds, uint8_t *b)
{
	unsigned msec;
	struct tm t;

	if (!split(seconds, CENTURY, CENTURY + 99, &t))
		return false;
	msec = 1000u * (unsigned)t.tm_sec;
	b[CP56_YEAR] = (uint8_t)(t.tm_year - 100);
	b[CP56_MONTH] = (uint8_t)(t.tm_mon + 1);
	/* Days of the week are 1, Monday, to 7. */
	b[CP56_DAY] = (uint8_t)((t.tm_wday ? t.tm_wday : 7) << 5 | t.tm_mday);
	b[CP56_HOUR] = (uint8_t)t.tm_hour;
	b[CP56_MINUTE] = (uint8_t)t.tm_min;
	b[CP56_MSEC_HIGH] = (uint8_t)(msec >> 8);
	b[CP56_MSEC_LOW] = (uint8_t)msec;
	return true;
}

bool ymdhms_decode(const uint8_t *bytes, bool bcd, int64_t *ret_seconds)
{
	unsigned fields[YMDHMS_BYTES];

	for (size_t i = 0; i < YMDHMS_BYTES; i++) {
		uint64_t field = bytes[i];

		if (bcd && !bcd_decode(bytes[i], 2, &field))
			return false;
		fields[i] = (unsigned)field;
	}
	if (fields[0] > 99)
		return false;
	fields[0] += CENTURY;
	return join(fields, ret_seconds);
}

bool ymdhms_encode(int64_t seconds, bool bcd, uint8_t *ret_bytes)
{
	struct tm t;

	if (!split(seconds, CENTURY, CENTURY + 99, &t))
		return false;
	ret_bytes[0] = (uint8_t)(t.tm_year - 100);
	ret_bytes[1] = (uint8_t)(t.tm_mon + 1);
	ret_bytes[2] = (uint8_t)t.tm_mday;
	ret_bytes[3] = (uint8_t)t.tm_hour;
	ret_bytes[4] = (uint8_t)t.tm_min;
	ret_bytes[5] = (uint8_t)t.tm_sec;
	for (size_t i = 0; bcd && i < YMDHMS_BYTES; i++)
		ret_bytes[i] = (uint8_t)(ret_bytes[i] / 10 << 4 | ret_bytes[i] % 10);
	return true;
}

bool ymdhms16_decode(const uint8_t *bytes, int64_t *ret_seconds)
{
	unsigned fields[6];

	for (size_t i = 0; i < 6; i++)
		fields[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
	if (fields[0] < 100)
		fields[0] += CENTURY;
	if (fields[0] < 1970 || fields[0] > LAST_YEAR)
		return false;
	return join(fields, ret_seconds);
}

bool ymdhms16_encode(int64_t seconds, uint8_t *ret_bytes)
{
	struct tm t;

	if (!split(seconds, 1970, LAST_YEAR, &t))
		return false;
	memset(ret_bytes, 0, YMDHMS16_BYTES);
	ret_bytes[0] = (uint8_t)((t.tm_year + 1900) >> 8);
	ret_bytes[1] = (uint8_t)(t.tm_year + 1900);
	ret_bytes[3] = (uint8_t)(t.tm_mon + 1);
	ret_bytes[5] = (uint8_t)t.tm_mday;
	ret_bytes[7] = (uint8_t)t.tm_hour;
	ret_bytes[9] = (uint8_t)t.tm_min;
	ret_bytes[11] = (uint8_t)t.tm_sec;
	return true;
}
