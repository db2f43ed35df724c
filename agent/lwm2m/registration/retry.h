/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * The registration retry sequence (Core 6.2.1.1): /1/x/17 attempts make a
 * sequence, with waits of /18 * 2^(n-1) between them; /20 sequences with /19
 * between them. One attempt is one Register with its retransmissions.
 */
struct retry_settings {
	uint64_t attempts;	    /* /1/x/17, default 5 */
	uint64_t first_wait_s;	    /* /1/x/18, default 60 */
	uint64_t sequence_wait_s;   /* /1/x/19, default 86400; RETRY_NEVER: no further sequence */
	uint64_t sequences;	    /* /1/x/20, default 1 */
};
#define RETRY_NEVER UINT64_C(4294967295)
#define RETRY_DEFAULTS                                                                           \
	((struct retry_settings){ .attempts = 5, .first_wait_s = 60, .sequence_wait_s = 86400,   \
				  .sequences = 1 })
/* No wait is shorter, or longer, whatever a server wrote. */
#define RETRY_WAIT_MIN_S UINT64_C(1)
#define RETRY_WAIT_MAX_S UINT64_C(604800)

struct retry {
	uint32_t attempt;  /* failed ones in this sequence */
	uint32_t sequence; /* completed sequences */
};

/*
 * Notes a failed attempt and gives the wait before the next one, lengthened by
 * up to a quarter by `random`: endpoints of one gateway never retry in step.
 * *ret_failed: all sequences are used up (bootstrap, where there is an
 * account); without one the client keeps trying at the sequence's pace.
 */
uint64_t retry_next_usec(struct retry *retry, const struct retry_settings *settings, uint64_t random,
			 _Bool *ret_failed);
static inline void retry_reset(struct retry *retry)
{
	*retry = (struct retry){ 0 };
}
