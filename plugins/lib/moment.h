/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* The plugin's only door to the clocks. Plugins must not use agent/base. */

uint64_t moment_now_usec(void);  /* CLOCK_MONOTONIC, as deadlines */
uint64_t moment_boottime_usec(void); /* CLOCK_BOOTTIME, as samples */
uint64_t moment_spent_usec(void); /* that this thread has computed; whatever else the machine does */
void moment_wait_until(uint64_t monotonic_usec);

/* Milliseconds from now on for poll(), rounded up, 0 when it is past. */
int moment_poll_msec(uint64_t monotonic_usec);
