/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

struct addrinfo;

/*
 * The addresses of a device that is configured by name. The resolver knows no
 * deadline and can take half a minute when its servers are silent, so it runs
 * on a thread of its own, at most one for each lookup; whoever asks waits until
 * a deadline. What comes after it is used by the next one who asks.
 */
struct lookup;

/* So old may an answer be that nobody waited for any more. */
#define LOOKUP_FRESH_USEC UINT64_C(60000000)
/* And a failure: long enough for who cannot wait and comes back to see. */
#define LOOKUP_FAILURE_FRESH_USEC UINT64_C(1000000)
#define LOOKUP_STACK_BYTES (256u << 10)

/* 0 or -ENOMEM. host may be an address: then it needs no thread. */
int lookup_new(const char *host, uint16_t port, struct lookup **ret);
struct lookup *lookup_ref(struct lookup *l);
/* Takes NULL. A thread under way keeps what it needs until it ends. */
void lookup_unref(struct lookup *l);

/*
 * 0 and the addresses, for freeaddrinfo(); -ETIMEDOUT by the deadline
 * (CLOCK_MONOTONIC; 0: does not wait, ask again soon); -EHOSTUNREACH, and *ret_why as the resolver puts it;
 * -EAGAIN no thread.
 */
int lookup_wait(struct lookup *l, uint64_t deadline_usec, struct addrinfo **ret, const char **ret_why);
