/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "transport/parameters.h"

/* The schedule of a confirmable message (RFC 7252 section 4.2). */
struct retransmit {
	uint64_t timeout_usec; /* to wait from now on */
	uint8_t n;             /* retransmissions so far */
};

static inline void retransmit_start(struct retransmit *r, uint64_t random)
{
	r->timeout_usec = ACK_TIMEOUT_USEC + random % (ACK_RANDOM_USEC + 1);
	r->n = 0;
}

/* After a timeout: true to send again and wait longer, false to give up. */
static inline bool retransmit_again(struct retransmit *r)
{
	if (r->n >= MAX_RETRANSMIT)
		return false;
	r->n++;
	r->timeout_usec *= 2;
	return true;
}
