/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bootstrap/bootstrapping.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "gateway/bootstrap/taken.h"
#include "gateway/kept/persist_internal.h"
#include "lwm2m/registration/order.h"

static const struct config_bootstrap *config_of(const struct bootstrapping *b)
{
	return &b->endpoint->registry->config.config->bootstrap;
}

bool bootstrapping_is_wanted(const struct registry *r, const char *label)
{
	const struct config_server *s = &r->config.config->bootstrap.server;

	return s->uri && config_server_wants(s, label);
}

bool bootstrapping_values(const struct bootstrapping *b, struct builtin_bootstrap *ret)
{
	if (b->purged)
		return false;
	*ret = (struct builtin_bootstrap){
		.security = b->security,
		.uri = b->server->terms.uri,
		.secure = b->server->terms.security == SESSION_SECURITY_PSK,
		.identity = b->identity,
		.hold_off_s = b->in_force ? b->hold_off_s : config_of(b)->hold_off_s,
		.timeout_s = b->in_force ? b->timeout_s : 0,
	};
	return true;
}

/* What its server knows it by. */
static int take_identity(struct bootstrapping *b)
{
	free(b->identity);
	b->identity = NULL;
	if (b->server->terms.security != SESSION_SECURITY_PSK)
		return 0;
	b->identity = terms_identity(&b->server->terms, b->name);
	return b->identity ? 0 : -ENOMEM;
}

/* Servers are not listened to meanwhile (Core 6.1.1). */
static void hush(struct bootstrapping *b, bool hushed)
{
	for (struct account *a = b->endpoint->accounts; a; a = a->next)
		client_hush(a->client, hushed);
}

/* Also in the middle of its work. */
static void drop_bootstrap(struct bootstrapping *b)
{
	b->bootstrap = bootstrap_free(b->bootstrap);
	hush(b, false);
}

/* ---- a bootstrap's end ---- */

static void tell(const struct bootstrapping *b)
{
	struct registry *r = b->endpoint->registry;

	/* Its number is not yet what all others take it for. */
	if (r->changing)
		return;
	if (r->watch.endpoint)
		r->watch.endpoint(r->watch_userdata, b->endpoint->number);
	if (r->watch.counts)
		r->watch.counts(r->watch_userdata);
}

static void put_account(struct endpoint *e)
{
	endpoint_hold(e);
	endpoint_reload(e, e->config);
	endpoint_release(e);
}

/* Another bootstrap account, or none. */
static void exchange_account(struct bootstrapping *b)
{
	struct log_about about = { .endpoint = b->name };
	int r;

	b->bootstrap = bootstrap_free(b->bootstrap);
	if (b->next) {
		server_unref(b->server);
		b->server = TAKE_PTR(b->next);
	}
	r = take_identity(b);
	if (r >= 0)
		r = bootstrapping_open(b);
	if (r < 0)
		log_error(&about, "%s: cannot be bootstrapped again: %s", endpoint_label(b->endpoint), strerror(-r));
	put_account(b->endpoint);
}

static void on_taken(void *userdata)
{
	struct bootstrapping *b = userdata;
	struct endpoint *e = b->endpoint;
	struct account *left;

	while ((left = b->left)) {
		b->left = left->next;
		account_leave(left);
	}
	if (b->purged || b->next)
		exchange_account(b);
	b->tried = true;
	b->for_want = false;
	for (struct account *a = e->accounts; a; a = a->next) {
		/* One that stays may wait for a long time, and fail again. */
		if (a->turn == ORDER_FAILED)
			a->turn = ORDER_TRYING;
		account_adopt(a);
		/* Whoever has registered already does so again behind a bootstrap (Core 6.1.3.3). */
		client_restart(a->client);
	}
	endpoint_run(e);
	tell(b);
}

/* /0/x/12: what is kept has the account no more. */
static void on_expired(void *userdata)
{
	struct bootstrapping *b = userdata;
	struct endpoint *e = b->endpoint;
	struct taken t;

	bootstrapping_give_up(b);
	if (taken_load(e, &t) >= 0) {
		taken_purge(&t);
		taken_save(e, &t);
		taken_done(&t);
	}
	b->purged = true;
	drop_bootstrap(b);
	put_account(e);
}

static void on_state(void *userdata, enum bootstrap_state state, int error)
{
	struct bootstrapping *b = userdata;
	struct endpoint *e = b->endpoint;

	(void)error;
	hush(b, state == BOOTSTRAP_OPEN || state == BOOTSTRAP_TAKING);
	tell(b);
	if (state != BOOTSTRAP_WAITING || b->tried)
		return;
	b->tried = true;
	/* At each start, but not instead of it. */
	if (config_of(b)->use == CONFIG_BOOTSTRAP_ALWAYS)
		endpoint_run(e);
}

static const struct bootstrap_ops ops = {
	.state = on_state,
	.take = bootstrapping_take,
	.taken = on_taken,
	.expired = on_expired,
};

/* ---- life ---- */

static int bootstrap_psk(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	struct bootstrapping *b = userdata;
	struct secret_store *secrets = b->endpoint->registry->config.secrets;
	struct log_about about = { .endpoint = b->name, .server = "bootstrap", .message_id = MESSAGE_NO_KEY };
	int r = terms_key(&b->server->terms, secrets, b->identity, ret_key, ret_size);

	if (r != 0 && log_budget_take(&b->no_key, NULL))
		log_warning(&about, "%s: no new key for the bootstrap server: %s", b->name, secret_reason(secrets));
	return MIN(r, 0);
}

static bool key_elsewhere(void *userdata, uint16_t security)
{
	const struct bootstrapping *b = userdata;

	for (const struct account *a = b->endpoint->accounts; a; a = a->next)
		if (a->security == security)
			return true;
	return security == b->security;
}

static void arm_purge(struct bootstrapping *b)
{
	uint64_t now_s = clock_realtime_usec() / USEC_PER_SEC;

	if (b->purge_s > 0)
		bootstrap_expire_in(b->bootstrap, b->purge_s > now_s ? (b->purge_s - now_s) * USEC_PER_SEC : 0);
}

int bootstrapping_open(struct bootstrapping *b)
{
	const struct endpoint *e = b->endpoint;
	const struct registry *r = e->registry;
	struct bootstrap_config config;
	int error;

	if (b->purged)
		return 0;
	config = (struct bootstrap_config){
		.transport = r->config.transport,
		.governor = b->server->governor,
		.timers = r->config.timers,
		.definitions = r->config.definitions,
		.resolver = &r->resolver,
		.store = e->store,
		.endpoint = b->name,
		.server_name = b->server->terms.uri,
		.uri = &b->server->uri,
		.security = b->server->terms.security,
		.psk_identity = b->identity,
		.psk = bootstrap_psk,
		.psk_userdata = b,
		.pack = config_of(b)->pack,
		.audit = r->config.config->writes_audit,
		.key_elsewhere = key_elsewhere,
		.key_userdata = b,
		.server_budget = &b->server->failures,
	};
	error = bootstrap_new(&config, &ops, b, &b->bootstrap);
	if (error >= 0)
		arm_purge(b);
	return error;
}

/* As what was kept has it. */
static int take_kept(struct bootstrapping *b, const struct taken *t)
{
	struct bootstrapping_account next;
	int r = bootstrapping_find_account(b, t, &next);

	if (r < 0)
		return r;
	b->in_force = true;
	b->purged = next.purged;
	b->security = next.security;
	b->hold_off_s = next.hold_off_s;
	b->timeout_s = next.timeout_s;
	b->purge_s = t->purge_s;
	if (next.server) {
		server_unref(b->server);
		b->server = next.server;
	}
	return 0;
}

static int load(struct bootstrapping *b, struct taken *taken)
{
	struct log_about about = { .endpoint = b->name };
	int r = taken_load(b->endpoint, taken);

	if (r >= 0)
		r = take_kept(b, taken);
	if (r == -ENOMEM)
		return r;
	if (r < 0 && r != -ENOENT) {
		log_error(&about, "%s: what was bootstrapped is lost: %s", endpoint_label(b->endpoint), strerror(-r));
		taken_done(taken);
	}
	return 0;
}

int bootstrapping_new(struct endpoint *e, struct taken *taken, struct bootstrapping **ret)
{
	struct bootstrapping *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->endpoint = e;
	b->security = BOOTSTRAPPING_SECURITY;
	b->server = server_ref(e->registry->bootstrap_server);
	r = str_replace(&b->name, endpoint_client_name(e));
	if (r >= 0)
		r = load(b, taken);
	if (r >= 0)
		r = take_identity(b);
	if (r < 0)
		bootstrapping_free(b);
	else
		*ret = b;
	return r;
}

static void forget_rest(struct bootstrapping *b)
{
	if (b->rest)
		taken_done(b->rest);
	free(b->rest);
	b->rest = NULL;
}

int bootstrapping_keep_rest(struct bootstrapping *b, struct taken *taken)
{
	if (!taken->rest)
		return 0;
	b->rest = malloc(sizeof(*b->rest));
	if (!b->rest)
		return -ENOMEM;
	*b->rest = *taken;
	*taken = (struct taken){ 0 };
	return 0;
}

void bootstrapping_make_rest(struct bootstrapping *b)
{
	if (!b || !b->rest)
		return;
	taken_apply_once(b->endpoint, b->rest);
	forget_rest(b);
}

struct bootstrapping *bootstrapping_free(struct bootstrapping *b)
{
	if (!b)
		return NULL;
	bootstrapping_forget_take(b);
	drop_bootstrap(b);
	forget_rest(b);
	accounts_free(&b->left);
	server_unref(b->server);
	server_unref(b->next);
	free(b->name);
	free(b->identity);
	free(b);
	return NULL;
}

/* ---- when ---- */

static bool is_due(const struct bootstrapping *b)
{
	switch (config_of(b)->use) {
	case CONFIG_BOOTSTRAP_FIRST:
		return !b->in_force;
	case CONFIG_BOOTSTRAP_FALLBACK:
		return !b->endpoint->accounts;
	case CONFIG_BOOTSTRAP_ALWAYS:
		return !b->begun;
	}
	return false;
}

bool bootstrapping_begin(struct bootstrapping *b)
{
	if (!b->bootstrap)
		return false;
	if (is_due(b)) {
		b->begun = true;
		bootstrap_start(b->bootstrap, false);
	}
	if (config_of(b)->use == CONFIG_BOOTSTRAP_ALWAYS)
		return !b->tried;
	return bootstrap_state(b->bootstrap) != BOOTSTRAP_IDLE && is_due(b);
}

void bootstrapping_stop(struct bootstrapping *b)
{
	if (!b || !b->bootstrap)
		return;
	bootstrapping_give_up(b);
	bootstrap_stop(b->bootstrap);
}

void bootstrapping_ask(struct bootstrapping *b)
{
	if (b && b->bootstrap)
		bootstrap_start(b->bootstrap, true);
}

void bootstrapping_turn(struct bootstrapping *b)
{
	bool wanted = turns_want_bootstrap(b->endpoint);

	if (!b->bootstrap || wanted == b->for_want)
		return;
	b->for_want = wanted;
	if (wanted)
		bootstrap_start(b->bootstrap, false);
	else if (!bootstrap_is_open(b->bootstrap))
		bootstrap_stop(b->bootstrap);
}

/* ---- another configuration ---- */

int bootstrapping_reopen(struct endpoint *e)
{
	struct bootstrapping *b = e->bootstrapping;
	enum bootstrap_state former = b->bootstrap ? bootstrap_state(b->bootstrap) : BOOTSTRAP_IDLE;
	int r = str_replace(&b->name, endpoint_client_name(e));

	bootstrapping_forget_take(b);
	drop_bootstrap(b);
	if (b->server->terms.source == ACCOUNT_YAML) {
		server_unref(b->server);
		b->server = server_ref(e->registry->bootstrap_server);
	}
	if (r >= 0)
		r = take_identity(b);
	if (r >= 0)
		r = bootstrapping_open(b);
	/* What was under way begins anew. */
	if (r >= 0 && b->bootstrap && former != BOOTSTRAP_IDLE)
		bootstrap_start(b->bootstrap, true);
	return r;
}

void bootstrapping_reload(struct endpoint *e, struct taken *taken)
{
	struct log_about about = { .endpoint = endpoint_client_name(e) };
	bool wanted = bootstrapping_is_wanted(e->registry, endpoint_label(e));
	bool renamed = e->bootstrapping && !streq(e->bootstrapping->name, endpoint_client_name(e));
	int r = 0;

	if (!wanted || !e->bootstrapping || renamed) {
		/* Of an earlier time, in which there was a bootstrap server. */
		if (wanted ? !renamed : e->bootstrapping != NULL)
			state_remove(e->registry->config.state, endpoint_label(e), PERSIST_BOOTSTRAP);
		e->bootstrapping = bootstrapping_free(e->bootstrapping);
		if (wanted)
			r = bootstrapping_new(e, taken, &e->bootstrapping);
		if (wanted && r >= 0)
			r = bootstrapping_open(e->bootstrapping);
	} else {
		r = bootstrapping_reopen(e);
	}
	if (r < 0)
		log_error(&about, "%s: its bootstrap server is not as YAML has it: %s", endpoint_label(e), strerror(-r));
}

int bootstrapping_take_again(struct endpoint *e, const struct taken *taken, struct account **gone)
{
	struct account *list = NULL, *a;
	int r = taken_accounts(e, taken, &list);

	if (r < 0) {
		accounts_free(&list);
		return r;
	}
	accounts_exchange(e, &list);
	while ((a = list)) {
		list = a->next;
		accounts_add(gone, a);
	}
	r = endpoint_reload(e, e->config);
	taken_apply(e, taken);
	/* What servers wrote on top of it. */
	persist_reload(e, true);
	return r;
}
