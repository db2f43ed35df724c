/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/kept/made.h"

/*
 * /3/0/5 of the host: what servers wrote and made there is gone, its accounts are
 * as YAML has them, and register anew.
 */

static int drop_made(struct endpoint *e, uint16_t object)
{
	made_remove(e, object);
	return 0;
}

/* Its own objects as at a first start. */
static void put_anew(struct endpoint *e)
{
	endpoint_hold(e);
	persist_forget(e);
	store_remove_object(e->store, SERVER_OBJECT);
	store_remove_object(e->store, ACCESS_OBJECT);
	made_each(e, drop_made);
	made_remove(e, CLUSTER_OBJECT);
	builtin_forget_clock(e->builtin);
	endpoint_reload(e, NULL);
	endpoint_release(e);
}

static void exchange_accounts(struct endpoint *e, struct account *made)
{
	struct account *former = e->accounts, *a;

	e->accounts = made;
	put_anew(e);
	while ((a = former)) {
		former = a->next;
		account_leave(a);
	}
}

static void reset(struct endpoint *e)
{
	const struct log_about about = { .endpoint = endpoint_client_name(e) };
	struct account *former = e->accounts, *made = NULL;
	int r;

	log_notice(&about, "%s: a server has it reset to what the configuration says", endpoint_label(e));
	/* Its accounts are new ones then. */
	if (e->bootstrapping && e->bootstrapping->in_force && bootstrapping_reset(e) >= 0) {
		put_anew(e);
		return;
	}
	/* Beforehand: new accounts take what is kept. */
	persist_forget(e);
	e->accounts = NULL;
	r = accounts_make(e, e->config, e->registry->servers, &made);
	e->accounts = former;
	if (r < 0) {
		accounts_free(&made);
		log_error(&about, "%s: cannot be reset: %s", endpoint_label(e), strerror(-r));
		return;
	}
	exchange_accounts(e, made);
	endpoint_run(e);
}

void host_factory_reset(struct endpoint *e)
{
	struct state *state = e->registry->config.state;

	state_begin(state);
	reset(e);
	state_end(state);
}
