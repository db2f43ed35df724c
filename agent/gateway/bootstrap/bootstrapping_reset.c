/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/kept/persist_internal.h"
#include "lwm2m/bootstrap/account_objects.h"

/* The accounts of an endpoint as YAML has them again, whoever wrote to them. */

static bool is_written(const struct endpoint *e)
{
	_cleanup_buf_ struct buf access = { 0 };
	bool written = (e->bootstrapping && e->bootstrapping->in_force) || persist_read(e, PERSIST_ACCESS, &access) >= 0;

	for (const struct account *a = e->accounts; a; a = a->next)
		written |= a->overlaid;
	return written;
}

static int make_accounts(struct endpoint *e, struct account **list)
{
	struct bootstrapping *b = e->bootstrapping;
	bool was_in_force = b && b->in_force;
	int r;

	if (b)
		b->in_force = false;
	r = accounts_make(e, e->config, e->registry->servers, list);
	if (r >= 0)
		return 0;
	if (b)
		b->in_force = was_in_force;
	accounts_free(list);
	return r;
}

static void forget(struct endpoint *e)
{
	struct bootstrapping *b = e->bootstrapping;

	for (struct account *a = e->accounts; a; a = a->next) {
		persist_forget_account(e, a->server->terms.short_id, !a->stays);
		a->overlaid = false;
	}
	persist_remove(e, PERSIST_ACCESS);
	if (!b)
		return;
	state_remove(e->registry->config.state, endpoint_label(e), PERSIST_BOOTSTRAP);
	b->purged = b->tried = b->begun = b->for_want = false;
	b->purge_s = 0;
	b->security = BOOTSTRAPPING_SECURITY;
	server_unref(b->server);
	b->server = server_ref(e->registry->bootstrap_server);
}

/* The /2 that a bootstrap left; the agent makes its own anew. */
static void drop_access(struct endpoint *e)
{
	store_remove_object(e->store, ACCOUNT_ACCESS);
}

static int reset(struct endpoint *e)
{
	struct account *list = NULL, *a;
	bool was_in_force = e->bootstrapping && e->bootstrapping->in_force;
	uint32_t n_before = (uint32_t)accounts_count(e->accounts);
	int r;

	bootstrapping_give_up(e->bootstrapping);
	r = is_written(e) ? make_accounts(e, &list) : -ENODATA;
	if (r < 0)
		return r;
	forget(e);
	endpoint_hold(e);
	accounts_exchange(e, &list);
	if (was_in_force)
		drop_access(e);
	if (e->bootstrapping)
		r = bootstrapping_reopen(e);
	endpoint_reload(e, e->config);
	endpoint_release(e);
	e->registry->n_accounts += (uint32_t)accounts_count(e->accounts) - n_before;
	while ((a = list)) {
		list = a->next;
		account_leave(a);
	}
	endpoint_run(e);
	if (e->registry->watch.endpoint)
		e->registry->watch.endpoint(e->registry->watch_userdata, e->number);
	if (e->registry->watch.counts)
		e->registry->watch.counts(e->registry->watch_userdata);
	return r;
}

int bootstrapping_reset(struct endpoint *e)
{
	struct state *state = e->registry->config.state;
	int r;

	state_begin(state);
	r = reset(e);
	state_end(state);
	return r;
}
