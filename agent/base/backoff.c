/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/random.h>

#include "base/clock.h"

#define RANDOM_RETRY_MSEC 10

uint64_t backoff_next(struct backoff *b, uint64_t random)
{
	uint64_t wait = b->first_usec;

	for (unsigned i = 0; i < b->step && wait < b->last_usec; i++)
		wait = usec_add(wait, wait);
	if (wait >= b->last_usec)
		wait = b->last_usec;
	else
		b->step++;
	return usec_add(wait, random % (wait / 4 + 1));
}

void random_bytes(void *p, unsigned long n)
{
	unsigned char *at = p;
	ssize_t r;

	while (n > 0) {
		r = getrandom(at, n, 0);
		if (r > 0) {
			at += r;
			n -= (unsigned long)r;
		} else if (errno != EINTR) {
			/* Rather late than predictable. */
			poll(NULL, 0, RANDOM_RETRY_MSEC);
		}
	}
}

uint64_t random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value;
}
