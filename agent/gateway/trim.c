/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/trim.h"

#include <malloc.h>

static void give_back(struct timer *timer, void *userdata)
{
	(void)timer;
	(void)userdata;
#ifdef HAVE_MALLOC_TRIM
	malloc_trim(0);
#endif
}

void trim_init(struct trim *t, struct timers *timers)
{
	*t = (struct trim){ 0 };
	timer_init(&t->timer, timers, give_back, t);
}

void trim_done(struct trim *t)
{
	timer_disarm(&t->timer);
}

void trim_registered(struct trim *t, uint32_t registered)
{
	if (t->registered == registered)
		return;
	t->registered = registered;
	timer_arm_in(&t->timer, TRIM_REST_USEC);
}
