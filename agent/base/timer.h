/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sd_event;

/*
 * All timers of a process: one heap behind one sd-event time source. Nothing
 * else arms timers. Times are clock_monotonic_usec().
 */
struct timers;

/* event may be NULL in unit tests, which then call timers_run() themselves. */
int timers_new(struct sd_event *event, struct timers **ret);
struct timers *timers_free(struct timers *t);

struct timer;
typedef void (*timer_handler)(struct timer *timer, void *userdata);

/* Lies inside the object that it belongs to. */
struct timer {
	struct timers *timers;
	timer_handler handler;
	void *userdata;
	uint64_t due_usec;
	uint32_t position; /* in the heap, 1-based; 0: not armed */
};

/* Cannot fail. A timer must be disarmed before its memory goes away. */
void timer_init(struct timer *timer, struct timers *timers, timer_handler handler, void *userdata);
/*
 * Arms, or moves, the timer to an absolute time; it fires once. -ENOMEM only
 * when the heap cannot grow: timers_reserve() moves that to where it can be
 * handled.
 */
int timer_arm(struct timer *timer, uint64_t due_usec);
int timer_arm_in(struct timer *timer, uint64_t delay_usec);
void timer_disarm(struct timer *timer);
static inline bool timer_is_armed(const struct timer *timer)
{
	return timer->position > 0;
}
int timers_reserve(struct timers *t, uint32_t n);

/* How many are armed. */
uint32_t timers_count(const struct timers *t);
/* Earliest due time, USEC_INFINITY if none. */
uint64_t timers_next(const struct timers *t);
/* Fires what is due at the moment of the call, each timer at most once. Returns how many. */
unsigned timers_run(struct timers *t);
