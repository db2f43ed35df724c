/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/bootstrap/taken.h"
#include "lwm2m/bootstrap/account_objects.h"
#include "lwm2m/bootstrap/staging.h"

/*
 * The end of a bootstrap. A server that has its 2.04 believes the account
 * delivered, also when the power fails the next moment: what it left is on the
 * disk first, all of it in one record, then in force, then answered. What cannot
 * be written is none of the endpoint's, and the account stays that there was.
 */
struct taking {
	struct taken taken;
	struct buf former; /* record of the state folder */
	struct bootstrapping_account account;
	struct state_commit *commit;
};

static struct taking *taking_free(struct taking *t)
{
	if (!t)
		return NULL;
	state_commit_cancel(t->commit);
	taken_done(&t->taken);
	taken_former_done(&t->former);
	server_unref(t->account.server);
	free(t);
	return NULL;
}

static uint32_t seconds(const struct taken *t, uint16_t security, uint16_t resource)
{
	const struct value *v = taken_value(t, ACCOUNT_SECURITY, security, resource);

	return v && v->type == VALUE_INTEGER && v->integer > 0 ? (uint32_t)MIN(v->integer, (int64_t)UINT32_MAX) : 0;
}

int bootstrapping_find_account(const struct bootstrapping *b, const struct taken *t,
			       struct bootstrapping_account *ret)
{
	const struct config *config = b->endpoint->registry->config.config;
	uint16_t security = taken_bootstrap(t);
	struct account_terms terms;
	struct server *server = NULL;
	int r;

	if (security == ID_NONE) {
		*ret = (struct bootstrapping_account){ .purged = true, .security = b->security };
		return 0;
	}
	r = taken_terms(t, config, security, ID_NONE, &terms);
	if (r < 0)
		return r;
	if (security == b->security && terms.source == b->server->terms.source &&
	    streq(terms.uri, b->server->terms.uri))
		terms_done(&terms);
	else
		r = server_new_on(&terms, b->endpoint->registry->config.transport, &server);
	if (r >= 0)
		*ret = (struct bootstrapping_account){
			.security = security,
			.server = server,
			.hold_off_s = seconds(t, security, SECURITY_HOLD_OFF),
			.timeout_s = seconds(t, security, SECURITY_ACCOUNT_TIMEOUT),
		};
	return r;
}

static uint64_t purge_time(const struct taken *t)
{
	uint32_t timeout_s = seconds(t, taken_bootstrap(t), SECURITY_ACCOUNT_TIMEOUT);

	return timeout_s > 0 ? clock_realtime_usec() / USEC_PER_SEC + timeout_s : 0;
}

static void take_account(struct bootstrapping *b, struct taking *t)
{
	b->in_force = true;
	b->security = t->account.security;
	b->purged = t->account.purged;
	b->hold_off_s = t->account.hold_off_s;
	b->timeout_s = t->account.timeout_s;
	b->purge_s = t->taken.purge_s;
	b->next = TAKE_PTR(t->account.server);
}

/* Nothing is in force before all that may fail is done. */
static int put_in_force(struct bootstrapping *b, struct taking *t)
{
	struct endpoint *e = b->endpoint;
	uint32_t n_before = (uint32_t)accounts_count(e->accounts);
	struct account *list = NULL;
	int r = taken_accounts(e, &t->taken, &list);

	if (r < 0) {
		accounts_free(&list);
		return r;
	}
	take_account(b, t);
	endpoint_hold(e);
	accounts_exchange(e, &list);
	endpoint_reload(e, e->config);
	taken_apply(e, &t->taken);
	endpoint_release(e);
	e->registry->n_accounts += (uint32_t)accounts_count(e->accounts) - n_before;
	b->left = list;
	taken_apply_once(e, &t->taken);
	return 0;
}

static void on_committed(void *userdata, int error)
{
	struct bootstrapping *b = userdata;
	struct state *state = b->endpoint->registry->config.state;
	struct taking *t = TAKE_PTR(b->taking);

	t->commit = NULL;
	if (error >= 0) {
		state_begin(state);
		error = put_in_force(b, t);
		state_end(state);
	}
	if (error < 0)
		taken_put_back(b->endpoint, &t->former);
	taking_free(t);
	bootstrap_took(b->bootstrap, error);
}

static int begin(struct bootstrapping *b, struct taking *t, struct staging *staging)
{
	int r = taken_of_staging(b, staging, &t->taken);

	if (r < 0)
		return r;
	t->taken.purge_s = purge_time(&t->taken);
	r = bootstrapping_find_account(b, &t->taken, &t->account);
	return r < 0 ? r : taken_commit(b->endpoint, &t->taken, &t->former, on_committed, b, &t->commit);
}

void bootstrapping_take(void *userdata, struct staging *staging)
{
	struct bootstrapping *b = userdata;
	struct taking *t = calloc(1, sizeof(*t));
	int r = t ? begin(b, t, staging) : -ENOMEM;

	if (r >= 0) {
		b->taking = t;
		return;
	}
	taking_free(t);
	bootstrap_took(b->bootstrap, r);
}

void bootstrapping_forget_take(struct bootstrapping *b)
{
	struct taking *t = TAKE_PTR(b->taking);

	if (t)
		taken_put_back(b->endpoint, &t->former);
	taking_free(t);
}

void bootstrapping_give_up(struct bootstrapping *b)
{
	if (!b || !b->taking)
		return;
	bootstrapping_forget_take(b);
	bootstrap_took(b->bootstrap, -ECANCELED);
}
