/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/macro.h"

struct sd_event;
struct timers;

/*
 * Lets a test move the clocks of this process over a stream socket. Each step
 * is 8 bytes, native uint64_t, microseconds: clock_advance(), then
 * timers_run(), then the same 8 bytes go back. A step waits until nothing else
 * is to be read. One of TEST_CLOCK_USAGE moves nothing; two uint64_t go back:
 * bytes that malloc() has given out (0: not known) and timers that are armed.
 * Behind TEST_CLOCK_HOLD only steps move the clocks. In the daemon only a build
 * with --enable-test-clock makes one.
 */
#define TEST_CLOCK_USAGE UINT64_MAX
#define TEST_CLOCK_HOLD (UINT64_MAX - 1)

struct test_clock;

#define TEST_CLOCK_ENVIRONMENT "FIELDWAY_CLOCK_FD"

/* Takes over the descriptor (also on failure). The peer's end of file stops it; the clock stays. */
int test_clock_new(struct sd_event *event, struct timers *timers, int fd, struct test_clock **ret);
/* With the descriptor that the environment names; 0 and NULL when it names none, -EINVAL, -EBADF. */
int test_clock_new_from_environment(struct sd_event *event, struct timers *timers,
				    struct test_clock **ret);
struct test_clock *test_clock_free(struct test_clock *c);
