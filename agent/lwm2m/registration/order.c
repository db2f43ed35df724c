/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/registration/order.h"

#include "base/clock.h"
#include "base/macro.h"

static bool is_before(const struct order_account *all, size_t k, size_t i)
{
	if (k == i || !all[k].has_priority || !all[i].has_priority)
		return false;
	return all[k].priority < all[i].priority || (all[k].priority == all[i].priority && k < i);
}

/* Has it come to an end behind which another one may begin? */
static bool lets_go_on(const struct order_account *a)
{
	switch (a->state) {
	case ORDER_WAITING:
	case ORDER_TRYING:
		break;
	case ORDER_REGISTERED:
		return true;
	case ORDER_FAILED:
		return !a->blocks;
	}
	return false;
}

uint64_t order_turn_usec(const struct order_account *all, size_t n, size_t i, uint64_t begun_usec)
{
	uint64_t from = begun_usec;

	for (size_t k = 0; k < n; k++) {
		if (!is_before(all, k, i))
			continue;
		if (!lets_go_on(&all[k]))
			return USEC_INFINITY;
		from = MAX(from, all[k].ended_usec);
	}
	return usec_add(from, all[i].delay_usec);
}

/* Waits for the end of one that has failed and blocks. */
static bool is_blocked(const struct order_account *all, size_t n, size_t i)
{
	for (size_t k = 0; k < n && all[i].state == ORDER_WAITING; k++)
		if (is_before(all, k, i) && all[k].state == ORDER_FAILED && all[k].blocks)
			return true;
	return false;
}

bool order_wants_bootstrap(const struct order_account *all, size_t n)
{
	bool wants = false;

	for (size_t i = 0; i < n; i++) {
		if (all[i].state == ORDER_FAILED)
			wants = wants || all[i].bootstraps;
		else if (!is_blocked(all, n, i))
			return false;
	}
	return wants;
}
