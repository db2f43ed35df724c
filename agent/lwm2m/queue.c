/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/queue.h"

bool queue_is_asleep(const struct queue_view *q, uint64_t now_usec)
{
	return q->on && !q->busy && now_usec >= usec_add(q->spoke_usec, QUEUE_AWAKE_USEC);
}
