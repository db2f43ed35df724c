/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether the two clocks disagree about how much time has passed, by more than CLOCK_STEP_USEC. */
bool dtls_clock_stepped(uint64_t monotonic_usec, uint64_t realtime_usec);
