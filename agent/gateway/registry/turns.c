/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/registry/internal.h"

/* Who of an endpoint's accounts registers when: lwm2m/registration/order.h decides, this asks and acts. */

static void describe(const struct account *a, struct order_account *ret)
{
	client_order_settings(a->client, ret);
	ret->state = a->turn;
	ret->ended_usec = a->ended_usec;
	/* /1/x/14 is for the first time alone. */
	if (a->succeeded)
		ret->delay_usec = 0;
}

static void begin(struct account *a, uint64_t when_usec)
{
	a->turn = ORDER_TRYING;
	client_start_at(a->client, when_usec);
}

/* Of thousands of endpoints most have one. */
static void take_only(struct account *a)
{
	struct order_account only;

	if (a->turn != ORDER_WAITING)
		return;
	describe(a, &only);
	begin(a, order_turn_usec(&only, 1, 0, clock_monotonic_usec()));
}

static void take_several(struct endpoint *e, struct order_account *all, size_t n)
{
	uint64_t now = clock_monotonic_usec(), when;
	struct account *a;
	size_t i = 0;

	for (a = e->accounts; a; a = a->next)
		describe(a, &all[i++]);
	for (a = e->accounts, i = 0; a; a = a->next, i++) {
		when = a->turn == ORDER_WAITING ? order_turn_usec(all, n, i, now) : USEC_INFINITY;
		if (when != USEC_INFINITY)
			begin(a, when);
	}
}

void turns_take(struct endpoint *e)
{
	_cleanup_free_ struct order_account *all = NULL;
	size_t n = accounts_count(e->accounts);

	if (n == 1)
		take_only(e->accounts);
	if (n <= 1)
		return;
	all = calloc(n, sizeof(*all));
	if (all)
		take_several(e, all, n);
	else
		log_error(&(struct log_about){ .endpoint = endpoint_client_name(e) },
			  "%s: the order of its servers cannot be told: %s", endpoint_label(e), strerror(ENOMEM));
}

bool turns_want_bootstrap(const struct endpoint *e)
{
	size_t n = accounts_count(e->accounts), i = 0;
	_cleanup_free_ struct order_account *all = calloc(n + 1, sizeof(*all));

	for (const struct account *a = e->accounts; a && all; a = a->next)
		describe(a, &all[i++]);
	return all && order_wants_bootstrap(all, n);
}

static void end(struct account *a, enum order_state turn)
{
	/* Only the first time lets others go on; one that has failed may do so later. */
	if (a->turn == turn || a->turn == ORDER_WAITING || !list_is_empty(&a->leaving))
		return;
	a->turn = turn;
	a->ended_usec = clock_monotonic_usec();
	a->succeeded = a->succeeded || turn == ORDER_REGISTERED;
	endpoint_run(a->endpoint);
}

void turns_registered(struct account *a)
{
	end(a, ORDER_REGISTERED);
}

void turns_failed(struct account *a)
{
	end(a, ORDER_FAILED);
}
