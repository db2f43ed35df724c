/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * Queue mode (Transport 6.5): the server keeps its requests while the client
 * sleeps, and sends them behind the next Update. Pure.
 */

/* MAX_TRANSMIT_WAIT (RFC 7252 4.8.2): awake for so long after a message of one's own. */
#define QUEUE_AWAKE_USEC (93 * USEC_PER_SEC)

struct queue_view {
	bool on;	     /* the registration says so */
	bool busy;	     /* a request of the server, or a CON of ours, is not answered yet */
	uint64_t spoke_usec; /* monotonic time of the last message of our own */
};

/* Does the server take the client for asleep? What is for it has to be announced by an Update then. */
bool queue_is_asleep(const struct queue_view *q, uint64_t now_usec);
