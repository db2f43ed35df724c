/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "base/macro.h"

static _Atomic uint64_t clock_steps;
static atomic_bool clock_is_held;
static _Atomic uint64_t clock_stands_at[CLOCK_BOOTTIME + 1]; /* by clockid_t, while held */

static const clockid_t clock_ids[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };

static uint64_t clock_of_kernel(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static uint64_t clock_read(clockid_t id)
{
	return (clock_is_held ? clock_stands_at[id] : clock_of_kernel(id)) + clock_steps;
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
	clock_steps += usec;
}

uint64_t clock_steps_usec(void)
{
	return clock_steps;
}

void clock_hold(void)
{
	if (clock_is_held)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(clock_ids); i++)
		clock_stands_at[clock_ids[i]] = clock_of_kernel(clock_ids[i]);
	clock_is_held = true;
}

void clock_tick(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(clock_ids) && clock_is_held; i++)
		clock_stands_at[clock_ids[i]]++;
}

uint64_t clock_offset_usec(void)
{
	const clockid_t id = CLOCK_MONOTONIC;

	return clock_steps - (clock_is_held ? clock_of_kernel(id) - clock_stands_at[id] : 0);
}

uint64_t clock_kernel_usec(uint64_t monotonic_usec)
{
	if (monotonic_usec == USEC_INFINITY)
		return USEC_INFINITY;
	if (clock_is_held)
		return monotonic_usec > clock_monotonic_usec() + 1 ? USEC_INFINITY : 0;
	return monotonic_usec > clock_steps ? monotonic_usec - clock_steps : 0;
}
