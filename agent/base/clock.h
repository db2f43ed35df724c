/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)
#define USEC_INFINITY UINT64_MAX

/* The only file that reads clocks. All of them move together when a test moves them. */
uint64_t clock_monotonic_usec(void); /* CLOCK_MONOTONIC: intervals */
uint64_t clock_boottime_usec(void);  /* CLOCK_BOOTTIME: samples on the link */
uint64_t clock_realtime_usec(void);  /* since 1970 UTC; see clock_realtime_is_plausible() */
/* False while the wall clock is before the build's year: samples then go without absolute time. */
bool clock_realtime_is_plausible(void);
/* Unix time of an instant on the boot-time clock. */
uint64_t clock_realtime_from_boottime(uint64_t boottime_usec);
/* a + b, USEC_INFINITY on overflow. */
uint64_t usec_add(uint64_t a, uint64_t b);

/*
 * Moves all clocks of this process forward by usec. In unit tests it is called
 * directly; a daemon built with --enable-test-clock calls it for what it reads
 * from the descriptor FIELDWAY_CLOCK_FD (8-byte native steps), see base/test_clock.
 */
void clock_advance(uint64_t usec);
/* The sum of all clock_advance(). */
uint64_t clock_steps_usec(void);
/* From now on, and for good, only clock_advance() moves the clocks of this process. */
void clock_hold(void);
/* A held clock goes on by a microsecond: for what is due as soon as time passes. */
void clock_tick(void);
/* What they are ahead of the kernel's; behind when they are held: modulo 2^64, nothing for usec_add(). */
uint64_t clock_offset_usec(void);
/*
 * When the kernel's CLOCK_MONOTONIC is at an instant of clock_monotonic_usec();
 * 0 for one that is over, or a tick away, USEC_INFINITY when it does not come by itself.
 */
uint64_t clock_kernel_usec(uint64_t monotonic_usec);
