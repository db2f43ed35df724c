/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bootstrap/bootstrapping.h"

/*
 * Accounts that a reload takes from their endpoints. They de-register in their
 * own time, at the server and under the name that they had, beside what the
 * endpoint has now.
 */

static void bury(struct account *a)
{
	struct endpoint *e = a->endpoint;
	struct registry *r = a->registry;

	account_free(a);
	if (--e->n_leaving > 0)
		return;
	if (e->gone)
		endpoint_free(e);
	else if (!r->stopped)
		endpoint_run(e);
}

/* Not where they say that they have stopped: the client is still at it. */
void registry_bury(struct timer *timer, void *userdata)
{
	struct registry *r = userdata;
	struct account *a;

	(void)timer;
	list_for_each(a, &r->leaving, leaving)
		if (client_state(a->client) == CLIENT_STOPPED)
			bury(a);
}

void registry_forget_leaving(struct registry *r)
{
	struct account *a;

	list_for_each(a, &r->leaving, leaving) {
		struct endpoint *e = a->endpoint;

		account_free(a);
		if (--e->n_leaving == 0 && e->gone)
			endpoint_free(e);
	}
}

void account_leave(struct account *a)
{
	outbox_forget(a);
	list_append(&a->registry->leaving, &a->leaving);
	a->endpoint->n_leaving++;
	client_stop(a->client);
	/* It may have stopped long ago, and then says nothing. */
	timer_arm_in(&a->registry->bury, 0);
}

void endpoint_leave(struct endpoint *e)
{
	struct account *a;

	store_set_watch(e->store, NULL, NULL);
	e->config = NULL;
	e->gone = true;
	e->bootstrapping = bootstrapping_free(e->bootstrapping);
	recording_free(e);
	while ((a = e->accounts)) {
		e->accounts = a->next;
		account_leave(a);
	}
	if (e->n_leaving == 0)
		endpoint_free(e);
}
