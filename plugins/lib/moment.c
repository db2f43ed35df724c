/* SPDX-License-Identifier: Apache-2.0 */
#include "moment.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t moment_now_usec(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t moment_boottime_usec(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

uint64_t moment_spent_usec(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void moment_wait_until(uint64_t monotonic_usec)
{
	struct timespec t = {
		.tv_sec = (time_t)(monotonic_usec / 1000000),
		.tv_nsec = (long)(monotonic_usec % 1000000 * 1000),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

int moment_poll_msec(uint64_t monotonic_usec)
{
	uint64_t now = moment_now_usec(), msec;

	if (monotonic_usec <= now)
		return 0;
	msec = (monotonic_usec - now + 999) / 1000;
	return msec > INT_MAX ? INT_MAX : (int)msec;
}
