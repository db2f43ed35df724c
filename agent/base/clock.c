/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic uint64_t clock_offset;

static uint64_t clock_read(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000 + clock_offset;
}

uint64_t clock_monotonic_usec(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t clock_boottime_usec(void)
{
	return clock_read(CLOCK_BOOTTIME);
}

uint64_t clock_realtime_usec(void)
{
	return clock_read(CLOCK_REALTIME);
}

/* Days from 1970 to the first of January of a year in the Gregorian calendar. */
static uint64_t days_before_year(uint64_t year)
{
	uint64_t y = year - 1;

	return 365 * (year - 1970) + (y / 4 - 1969 / 4) - (y / 100 - 1969 / 100) +
	       (y / 400 - 1969 / 400);
}

bool clock_realtime_is_plausible(void)
{
	return clock_realtime_usec() >= days_before_year(BUILD_YEAR) * USEC_PER_DAY;
}

uint64_t clock_realtime_from_boottime(uint64_t boottime_usec)
{
	uint64_t age, realtime = clock_realtime_usec();

	/* Unsigned arithmetic carries an instant in the future as well. */
	age = clock_boottime_usec() - boottime_usec;
	return realtime - age;
}

uint64_t usec_add(uint64_t a, uint64_t b)
{
	return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

void clock_advance(uint64_t usec)
{
	clock_offset += usec;
}

uint64_t clock_offset_usec(void)
{
	return clock_offset;
}
