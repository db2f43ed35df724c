/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* Doubling waits between two bounds. */
struct backoff {
	uint64_t first_usec, last_usec;
	unsigned step;
};

/*
 * The next wait: first * 2^step, at most last, lengthened by up to a quarter
 * by `random` (jitter only lengthens). Advances step.
 */
uint64_t backoff_next(struct backoff *b, uint64_t random);
static inline void backoff_reset(struct backoff *b)
{
	b->step = 0;
}
uint64_t random_u64(void); /* from the kernel; for tokens and jitter */
void random_bytes(void *p, unsigned long n);
