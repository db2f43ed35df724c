/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/registration/retry.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/macro.h"

static uint64_t with_jitter(uint64_t wait_s, uint64_t random)
{
	uint64_t bounded_s = MAX(wait_s, RETRY_WAIT_MIN_S);
	uint64_t wait = MIN(bounded_s, RETRY_WAIT_MAX_S) * USEC_PER_SEC;

	return wait + random % (wait / 4 + 1);
}

static uint64_t attempt_wait_s(uint64_t first_s, uint32_t attempt)
{
	uint64_t wait = first_s;

	for (uint32_t n = 1; n < attempt && wait < RETRY_WAIT_MAX_S; n++)
		wait *= 2;
	return wait;
}

uint64_t retry_next_usec(struct retry *retry, const struct retry_settings *settings, uint64_t random,
			 bool *ret_failed)
{
	uint64_t sequence_wait = settings->sequence_wait_s;

	*ret_failed = false;
	if (++retry->attempt < settings->attempts)
		return with_jitter(attempt_wait_s(settings->first_wait_s, retry->attempt), random);

	retry->attempt = 0;
	if (retry->sequence < UINT32_MAX)
		retry->sequence++;
	*ret_failed = sequence_wait == RETRY_NEVER || retry->sequence >= settings->sequences;
	if (sequence_wait == RETRY_NEVER)
		sequence_wait = RETRY_DEFAULTS.sequence_wait_s;
	return with_jitter(sequence_wait, random);
}
