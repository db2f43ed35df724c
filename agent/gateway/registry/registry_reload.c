/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "config/difference.h"
#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/bootstrap/taken.h"
#include "gateway/kept/made.h"
#include "gateway/kept/rename.h"
#include "gateway/registry/internal.h"

/*
 * From one configuration to another. All that may fail is done beforehand: the
 * entries of another registry are made beside this one, of new endpoints,
 * accounts and servers, and of those that go on.
 */

/* What becomes of an endpoint: of the host, or of one of the new configuration. */
struct turn {
	struct endpoint *endpoint;
	bool kept;
	bool exchanged; /* accounts of it come or go */
	struct account *accounts; /* that are made for it; once in force, those that it has no more */
};

struct registry_change {
	struct registry *registry;
	struct registry_config config; /* the new one */
	const struct config_difference *difference;
	struct server **servers, *bootstrap_server;
	struct account_terms *terms; /* of servers that go on; name NULL of others */
	size_t n_servers, n_terms;
	struct turn host, *turns;
	size_t n_turns;
	struct endpoint **endpoints; /* the new array */
	struct endpoint **gone;
	size_t n_gone;
	struct renames renames;
	bool committed;
};

/* ---- beforehand ---- */

static int prepare_server(struct registry_change *c, size_t i)
{
	const struct config_difference *d = c->difference;
	const struct config_server *config = &d->after->servers[i];
	uint32_t before = d->servers[i].before;
	int r;

	if (before == CONFIG_NONE || !config_server_is_same(&d->before->servers[before], config)) {
		r = server_new(config, c->config.transport, &c->servers[i]);
	} else {
		c->servers[i] = server_ref(c->registry->servers[before]);
		r = terms_of_yaml(config, &c->terms[i]);
	}
	if (r < 0)
		log_error(NULL, "server %s: cannot be set up: %s", config->name, strerror(-r));
	return r;
}

/* Also of an other key it is another one, for all that ask it. */
static int prepare_bootstrap_server(struct registry_change *c)
{
	const struct config_server *before = &c->difference->before->bootstrap.server;
	const struct config_server *after = &c->difference->after->bootstrap.server;

	if (!after->uri)
		return 0;
	if (before->uri && config_server_is_same(before, after) && streq_null(before->psk_key, after->psk_key)) {
		c->bootstrap_server = server_ref(c->registry->bootstrap_server);
		return 0;
	}
	return server_new(after, c->config.transport, &c->bootstrap_server);
}

static int prepare_servers(struct registry_change *c)
{
	const struct config *after = c->difference->after;
	int r = 0;

	c->servers = calloc(after->n_servers + 1, sizeof(*c->servers));
	c->terms = calloc(after->n_servers + 1, sizeof(*c->terms));
	if (!c->servers || !c->terms)
		return -ENOMEM;
	c->n_servers = c->n_terms = after->n_servers;
	for (size_t i = 0; i < after->n_servers && r >= 0; i++)
		r = prepare_server(c, i);
	return r < 0 ? r : prepare_bootstrap_server(c);
}

static int prepare_accounts(struct registry_change *c, struct turn *t, const struct config_endpoint *config)
{
	int r = accounts_make(t->endpoint, config, c->servers, &t->accounts);

	t->exchanged = r > 0;
	return MIN(r, 0);
}

static int prepare_endpoint(struct registry_change *c, uint32_t i)
{
	const struct config_endpoint *config = &c->difference->after->endpoints[i];
	uint32_t before = c->difference->endpoints[i].before;
	struct turn *t = &c->turns[i];
	int r;

	t->kept = before != CONFIG_NONE;
	if (t->kept) {
		t->endpoint = c->registry->endpoints[before];
		r = prepare_accounts(c, t, config);
	} else {
		r = endpoint_new(c->registry, i, c->servers, renames_give_up(&c->renames, config->name),
				 &t->endpoint);
	}
	if (r < 0)
		log_error(&(struct log_about){ .endpoint = config->endpoint }, "%s: cannot be set up: %s",
			  config->name, strerror(-r));
	return r;
}

static int prepare_endpoints(struct registry_change *c)
{
	const struct config *before = c->difference->before, *after = c->difference->after;
	int r;

	c->turns = calloc(after->n_endpoints + 1, sizeof(*c->turns));
	c->endpoints = calloc(after->n_endpoints + 1, sizeof(struct endpoint *));
	c->gone = calloc(before->n_endpoints + 1, sizeof(struct endpoint *));
	if (!c->turns || !c->endpoints || !c->gone)
		return -ENOMEM;
	c->n_turns = after->n_endpoints;
	c->host = (struct turn){ .endpoint = &c->registry->host, .kept = true };
	r = prepare_accounts(c, &c->host, NULL);
	for (uint32_t i = 0; i < after->n_endpoints && r >= 0; i++)
		r = prepare_endpoint(c, i);
	return r;
}

/*
 * What is made now is made for the new configuration; the loop sees nothing of
 * it before it is in force.
 */
static int prepare(struct registry_change *c)
{
	struct registry *r = c->registry;
	struct registry_config former = r->config;
	int error = timers_reserve(former.timers, 4 * (uint32_t)c->difference->after->n_endpoints + 64);

	r->config = c->config;
	if (error >= 0)
		error = renames_init(&c->renames, r, c->difference);
	if (error >= 0)
		error = prepare_servers(c);
	SWAP(r->bootstrap_server, c->bootstrap_server);
	if (error >= 0)
		error = prepare_endpoints(c);
	SWAP(r->bootstrap_server, c->bootstrap_server);
	r->config = former;
	return error;
}

int registry_prepare(struct registry *r, const struct config_difference *d,
		     const struct definitions *definitions, struct registry_change **ret)
{
	struct registry_change *c = calloc(1, sizeof(*c));
	int error;

	if (!c)
		return -ENOMEM;
	c->registry = r;
	c->difference = d;
	c->config = r->config;
	c->config.config = d->after;
	c->config.definitions = definitions;
	error = prepare(c);
	if (error < 0)
		registry_change_free(c);
	else
		*ret = c;
	return error;
}

struct registry_change *registry_change_free(struct registry_change *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; c->turns && i < c->n_turns && !c->committed; i++) {
		accounts_free(&c->turns[i].accounts);
		if (!c->turns[i].kept)
			endpoint_free(c->turns[i].endpoint);
	}
	if (!c->committed)
		accounts_free(&c->host.accounts);
	for (size_t i = 0; i < c->n_terms; i++)
		terms_done(&c->terms[i]);
	for (size_t i = 0; i < c->n_servers; i++)
		server_unref(c->servers[i]);
	server_unref(c->bootstrap_server);
	renames_done(&c->renames);
	free(c->servers);
	free(c->terms);
	free(c->turns);
	free(c->endpoints);
	free(c->gone);
	free(c);
	return NULL;
}

/* ---- in force ---- */

static void exchange_servers(struct registry_change *c)
{
	struct registry *r = c->registry;
	struct server **former = r->servers;
	size_t n_former = r->n_servers;

	SWAP(r->bootstrap_server, c->bootstrap_server);
	for (size_t i = 0; i < c->n_servers; i++)
		if (c->terms[i].name)
			server_adopt(c->servers[i], &c->terms[i]);
	/* Those that go on are in both. */
	for (size_t i = 0; i < n_former; i++)
		former[i]->index = CONFIG_NONE;
	for (size_t i = 0; i < c->n_servers; i++)
		c->servers[i]->index = (uint32_t)i;
	r->servers = c->servers;
	r->n_servers = c->n_servers;
	c->servers = former;
	c->n_servers = n_former;
}

static void exchange_endpoints(struct registry_change *c)
{
	struct registry *r = c->registry;
	struct endpoint **former = r->endpoints;

	for (uint32_t i = 0; i < c->difference->before->n_endpoints; i++)
		if (c->difference->endpoints_after[i] == CONFIG_NONE)
			c->gone[c->n_gone++] = former[i];
	for (uint32_t i = 0; i < c->n_turns; i++) {
		struct endpoint *e = c->turns[i].endpoint;

		c->endpoints[i] = e;
		e->number = i + 1;
	}
	r->endpoints = c->endpoints;
	c->endpoints = former;
}

/* What is on its way to the disk bears their names as they were; their bootstraps begin anew. */
static void give_up_takes(struct registry *r, const struct config_difference *d)
{
	bootstrapping_give_up(r->host.bootstrapping);
	for (uint32_t i = 0; i < d->before->n_endpoints; i++)
		bootstrapping_give_up(r->endpoints[i]->bootstrapping);
}

void registry_commit(struct registry_change *c)
{
	struct registry *r = c->registry;

	give_up_takes(r, c->difference);
	c->committed = true;
	r->changing = true;
	exchange_endpoints(c);
	r->config = c->config;
	/* Records are named after servers as they were. */
	renames_apply(&c->renames);
	renames_pause(r, c->difference);
	exchange_servers(c);
	endpoint_hold(&r->host);
	for (uint32_t i = 0; i < c->n_turns; i++)
		if (c->turns[i].kept)
			endpoint_hold(c->turns[i].endpoint);
}

/* Also those that are new were made when their servers still said what they had said before. */
static void exchange_accounts(struct turn *t)
{
	struct endpoint *e = t->endpoint;

	if (t->exchanged)
		accounts_exchange(e, &t->accounts);
	for (struct account *a = e->accounts; a; a = a->next)
		account_adopt(a);
}

/* A client name that it had before, and was bootstrapped under. */
static void take_again(struct turn *t, const struct taken *taken)
{
	struct endpoint *e = t->endpoint;
	int r = bootstrapping_take_again(e, taken, &t->accounts);

	t->exchanged = true;
	if (r < 0)
		log_error(&(struct log_about){ .endpoint = endpoint_client_name(e) },
			  "%s: not all that was bootstrapped is in force: %s", endpoint_label(e), strerror(-r));
}

/* Its own objects and its accounts; then all that has changed of it is told as one. */
static void renew(struct turn *t, const struct config_endpoint *config, const struct config_endpoint *before)
{
	struct taken taken = { 0 };

	exchange_accounts(t);
	t->endpoint->config = config;
	bootstrapping_reload(t->endpoint, &taken);
	/* It logs what could not be done, for want of memory, and does the rest. */
	made_leave(t->endpoint, &before->create);
	endpoint_reload(t->endpoint, config);
	persist_restore_made(t->endpoint, &before->create);
	if (t->endpoint->bootstrapping && taken.records.n > 0)
		take_again(t, &taken);
	taken_done(&taken);
	endpoint_release(t->endpoint);
}

void registry_renew(struct registry_change *c)
{
	const struct config *before = c->difference->before, *after = c->difference->after;

	recordings_follow(c->registry);
	renew(&c->host, NULL, &before->host_endpoint);
	for (uint32_t i = 0; i < c->n_turns; i++) {
		struct turn *t = &c->turns[i];

		if (t->kept)
			renew(t, &after->endpoints[i], &before->endpoints[c->difference->endpoints[i].before]);
		else
			exchange_accounts(t);
	}
}

/* ---- and told ---- */

/* Those that are new begin as at the start of the agent. */
static bool may_begin(const struct registry_change *c, const struct endpoint *e)
{
	return e->wanted || c->config.config->register_wait == CONFIG_WAIT_NONE || e->config->n_map == 0;
}

static void settle(struct registry_change *c, struct turn *t)
{
	struct registry *r = c->registry;
	struct endpoint *e = t->endpoint;
	struct account *a;

	/* What is kept under its name is its own by now. */
	e->nameless = false;
	if (!t->kept) {
		endpoint_watch(e);
		e->waits_usec = clock_monotonic_usec();
	}
	while ((a = t->accounts)) {
		t->accounts = a->next;
		account_leave(a);
	}
	/* Others may be before it by now, or block no more; or a bootstrap server has to be asked. */
	if (t->exchanged || (e->accounts && e->accounts->next) || e->bootstrapping)
		endpoint_run(e);
	if (t->exchanged && r->watch.endpoint)
		r->watch.endpoint(r->watch_userdata, e->number);
	if (e->config && may_begin(c, e))
		endpoint_start(e);
	e->wanted = false;
	r->n_accounts += accounts_count(e->accounts);
}

/* What they still look up stands in definitions that stay. */
static void redefine_leaving(struct registry *r)
{
	struct account *a;

	list_for_each(a, &r->leaving, leaving) {
		account_redefine(a);
		if (a->endpoint->gone)
			store_set_definitions(a->endpoint->store, r->config.definitions);
	}
}

void registry_settle(struct registry_change *c)
{
	struct registry *r = c->registry;

	r->changing = false;
	r->n_accounts = 0;
	settle(c, &c->host);
	for (uint32_t i = 0; i < c->n_turns; i++)
		settle(c, &c->turns[i]);
	for (size_t i = 0; i < c->n_gone; i++)
		endpoint_leave(c->gone[i]);
	c->n_gone = 0;
	redefine_leaving(r);
	registry_wait(r);
	if (r->watch.counts)
		r->watch.counts(r->watch_userdata);
}
