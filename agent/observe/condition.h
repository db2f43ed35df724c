/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "observe/attributes.h"

/* When a notification is due (Core 7.3.2, draft-ietf-core-conditional-attributes-04). Pure. */

/*
 * Does the value meet gt, lt or st against the last notified one? Or edge, of a
 * Boolean as 0 and 1, where `last` is what it was before on the other side?
 */
bool condition_crossed(const struct attributes *a, double last, double value);

struct condition {
	const struct attributes *attributes; /* effective ones, defaults of /1 included */
	uint64_t sent_usec; /* monotonic time of the last notification */
	bool triggered;	    /* a change since then, also one that went back; or gt, lt, st or edge is met now */
	bool good;	    /* there is a value to send: pmax repeats nothing stale */
};

/*
 * True: send now. Otherwise *ret_next_usec is when to look again, changes
 * aside: USEC_INFINITY for never.
 */
bool condition_due(const struct condition *c, uint64_t now_usec, uint64_t *ret_next_usec);

/* After what time at most it repeats; USEC_INFINITY: not by time. */
uint64_t condition_repeat_usec(const struct attributes *a);

/* How often one observation wants its value sampled: epmax, but not within epmin. USEC_INFINITY: it does not say. */
uint64_t condition_sampling_usec(const struct attributes *a);
