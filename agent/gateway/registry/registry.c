/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/registry/registry.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/kept/made.h"

/* So many endpoints that stay away are named, the rest is counted. */
#define UNSEEN_LOG_MAX 50u

/* ---- resolver: where object 25's prefixes will come in ---- */

static int resolve(void *userdata, struct store *own, const struct span *segments, unsigned n,
		   struct target *ret)
{
	struct target target = { .store = own };
	int r = resolver_path(segments, n, &target.path);

	(void)userdata;
	if (r < 0)
		return r;
	*ret = target;
	return 0;
}

/* Register clusters, and how many registers they have. */
static bool may_make_cluster(const struct registry *r, const struct store *store, const struct path *path)
{
	return path->object == 10375 && modbus_field_values(r->modbus) && store == r->host.store &&
	       (path->depth < PATH_RESOURCE || path->resource == 4);
}

/* Of most endpoints servers make nothing, and then none is looked for. */
static const struct endpoint *owner_of(const struct registry *r, const struct store *store)
{
	const struct config *c = r->config.config;

	if (store == r->host.store)
		return &r->host;
	for (uint32_t i = 0; i < c->n_endpoints; i++)
		if (c->endpoints[i].create.n > 0 && r->endpoints[i]->store == store)
			return r->endpoints[i];
	return NULL;
}

/*
 * A server makes instances of what `create:` names and the settings of its own /1
 * (Core E.2 lets it write the optional ones), and says which registers it wants to see. All else
 * is decided by YAML and the agent.
 */
static bool may_make(void *userdata, const struct store *store, const struct path *path)
{
	const struct endpoint *e = owner_of(userdata, store);

	return (e && made_may(e, path)) || may_make_cluster(userdata, store, path) ||
	       (path->object == 1 && path->depth >= PATH_RESOURCE);
}

/* ---- construction ---- */

static int log_refused(const char *client_name, const char *label, int error)
{
	log_error(&(struct log_about){ .endpoint = client_name }, "%s: cannot be set up: %s", label, strerror(-error));
	return error;
}

static int add_host(struct registry *r)
{
	int error = endpoint_init(&r->host, r, NULL, r->servers);

	if (error < 0)
		return log_refused(r->config.config->gateway.endpoint, "host", error);
	r->n_accounts += accounts_count(r->host.accounts);
	return 0;
}

static int add_endpoint(struct registry *r, uint32_t index)
{
	const struct config_endpoint *config = &r->config.config->endpoints[index];
	int error = endpoint_new(r, index, r->servers, false, &r->endpoints[index]);

	if (error < 0)
		return log_refused(config->endpoint, config->name, error);
	r->n_accounts += accounts_count(r->endpoints[index]->accounts);
	return 0;
}

static int add_servers(struct registry *r)
{
	const struct config *c = r->config.config;
	int error = 0;

	r->servers = calloc(c->n_servers + 1, sizeof(*r->servers));
	if (!r->servers)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_servers && error >= 0; i++) {
		error = server_new(&c->servers[i], r->config.transport, &r->servers[i]);
		if (error >= 0)
			r->servers[r->n_servers++]->index = (uint32_t)i;
		else
			log_error(NULL, "server %s: cannot be set up: %s", c->servers[i].name, strerror(-error));
	}
	return error;
}

static int add_bootstrap_server(struct registry *r)
{
	const struct config_server *config = &r->config.config->bootstrap.server;
	int error = config->uri ? server_new(config, r->config.transport, &r->bootstrap_server) : 0;

	if (error < 0)
		log_error(NULL, "bootstrap server: cannot be set up: %s", strerror(-error));
	return error;
}

static int add_endpoints(struct registry *r)
{
	const struct config *c = r->config.config;
	int error;

	r->endpoints = calloc(c->n_endpoints + 1, sizeof(*r->endpoints));
	if (!r->endpoints)
		return -ENOMEM;
	error = add_host(r);
	for (uint32_t i = 0; i < c->n_endpoints && error >= 0; i++)
		error = add_endpoint(r, i);
	return error;
}

/* The first device that an endpoint shows points of. */
static const struct config_device *first_device(const struct config *c, const struct config_endpoint *e)
{
	for (size_t i = 0; i < e->n_map; i++)
		if (e->map[i].kind != CONFIG_MAP_CONSTANT)
			return &c->devices[config_row_device(e, &e->map[i])];
	return NULL;
}

static void log_unseen(const struct endpoint *e)
{
	const struct config *c = e->registry->config.config;
	const struct config_device *d = first_device(c, e->config);
	struct log_about about = { .endpoint = endpoint_client_name(e) };

	if (!d)
		return;
	about.device = d->name;
	about.bus = c->buses[d->bus].name;
	log_warning(&about, "%s: does not register before it is seen, and device %s on bus %s has not been read yet",
		    about.endpoint, about.device, about.bus);
}

/* As long as `register:` says at most? */
static bool has_waited(const struct endpoint *e)
{
	uint64_t since = clock_monotonic_usec() - e->waits_usec;

	return since >= e->registry->config.config->register_at_most_usec;
}

/* With `wait: seen` whoever is not there stays away for good, which is told of each once. */
static bool awaits_time(const struct endpoint *e)
{
	return !e->started && !(e->registry->config.config->register_wait == CONFIG_WAIT_SEEN && e->told_unseen);
}

/* Somebody will look for the reason. */
static void tell_unseen(struct registry *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->config.config->n_endpoints; i++) {
		struct endpoint *e = r->endpoints[i];

		if (!awaits_time(e) || !has_waited(e))
			continue;
		e->told_unseen = true;
		if (++n <= UNSEEN_LOG_MAX)
			log_unseen(e);
	}
	if (n > UNSEEN_LOG_MAX)
		log_warning(NULL, "and so do %zu more endpoints", n - UNSEEN_LOG_MAX);
}

/* `register: {at_most: }` is over: what has not been read by now registers all the same. */
static void at_most_over(struct timer *timer, void *userdata)
{
	struct registry *r = userdata;

	(void)timer;
	if (r->config.config->register_wait == CONFIG_WAIT_SEEN)
		tell_unseen(r);
	for (size_t i = 0; i < r->config.config->n_endpoints; i++)
		if (r->config.config->register_wait != CONFIG_WAIT_SEEN && has_waited(r->endpoints[i]))
			endpoint_start(r->endpoints[i]);
	registry_wait(r);
}

void registry_wait(struct registry *r)
{
	const struct config *c = r->config.config;
	uint64_t first = USEC_INFINITY;

	for (size_t i = 0; i < c->n_endpoints; i++)
		if (awaits_time(r->endpoints[i]))
			first = MIN(first, r->endpoints[i]->waits_usec);
	if (first == USEC_INFINITY)
		timer_disarm(&r->at_most);
	else
		timer_arm(&r->at_most, usec_add(first, c->register_at_most_usec));
}

int registry_new(const struct registry_config *config, struct registry **ret)
{
	struct registry *r = calloc(1, sizeof(*r));
	int error;

	if (!r)
		return -ENOMEM;
	r->config = *config;
	r->resolver = (struct resolver){ .resolve = resolve, .may_make = may_make, .userdata = r };
	list_init(&r->leaving);
	timer_init(&r->bury, config->timers, registry_bury, r);
	timer_init(&r->at_most, config->timers, at_most_over, r);
	recordings_init(r);
	error = add_servers(r);
	if (error >= 0)
		error = add_bootstrap_server(r);
	if (error >= 0)
		error = add_endpoints(r);
	if (error < 0) {
		registry_free(r);
		return error;
	}
	*ret = r;
	return 0;
}

struct registry *registry_free(struct registry *r)
{
	if (!r)
		return NULL;
	timer_disarm(&r->at_most);
	timer_disarm(&r->bury);
	registry_forget_leaving(r);
	for (size_t i = 0; r->endpoints && i < r->config.config->n_endpoints; i++)
		endpoint_free(r->endpoints[i]);
	host_watch_network(&r->host, false);
	endpoint_done(&r->host);
	for (size_t i = 0; i < r->n_servers; i++)
		server_unref(r->servers[i]);
	server_unref(r->bootstrap_server);
	r->modbus = modbus_field_free(r->modbus);
	r->firmware = firmware_free(r->firmware);
	softwares_free(r);
	recordings_done(r);
	free(r->endpoints);
	free(r->servers);
	free(r);
	return NULL;
}

struct store *registry_store(const struct registry *r, uint32_t endpoint)
{
	return endpoint == config_host(r->config.config) ? r->host.store : r->endpoints[endpoint]->store;
}

void registry_host_errors(struct registry *r, const int64_t *codes, size_t n)
{
	builtin_host_errors(r->host.builtin, codes, n);
}

/* ---- life ---- */

void registry_start(struct registry *r)
{
	const struct config *c = r->config.config;

	recordings_follow(r);
	host_watch_network(&r->host, true);
	endpoint_watch(&r->host);
	endpoint_start(&r->host);
	for (size_t i = 0; i < c->n_endpoints; i++) {
		endpoint_watch(r->endpoints[i]);
		r->endpoints[i]->waits_usec = clock_monotonic_usec();
		/* Nothing to wait for where nothing is read. */
		if (c->register_wait == CONFIG_WAIT_NONE || c->endpoints[i].n_map == 0)
			endpoint_start(r->endpoints[i]);
	}
	registry_wait(r);
}

void registry_seen(struct registry *r, uint32_t endpoint, bool complete)
{
	/* While all de-register, nobody begins; and the host waits for nobody. */
	if (r->stopped || endpoint == config_host(r->config.config))
		return;
	switch (r->config.config->register_wait) {
	case CONFIG_WAIT_NONE:
		break;
	case CONFIG_WAIT_FIRST_READ:
		if (complete)
			endpoint_start(r->endpoints[endpoint]);
		break;
	case CONFIG_WAIT_SEEN:
		endpoint_start(r->endpoints[endpoint]);
		break;
	}
}

static void stop_account(struct registry *r, struct account *a)
{
	if (client_state(a->client) == CLIENT_STOPPED)
		return;
	r->n_stopping++;
	client_stop(a->client);
}

static void stop_endpoint(struct registry *r, struct endpoint *e)
{
	bootstrapping_stop(e->bootstrapping);
	for (struct account *a = e->accounts; a; a = a->next)
		stop_account(r, a);
}

static void stop_leaving(struct registry *r)
{
	struct account *a;

	list_for_each(a, &r->leaving, leaving)
		stop_account(r, a);
}

void registry_stop(struct registry *r, void (*stopped)(void *userdata), void *userdata)
{
	timer_disarm(&r->at_most);
	r->stopped = stopped;
	r->stopped_userdata = userdata;
	/* One more than the accounts, so that the last of them cannot end it inside this loop. */
	r->n_stopping = 1;
	stop_leaving(r);
	stop_endpoint(r, &r->host);
	for (uint32_t i = 0; i < r->config.config->n_endpoints; i++)
		stop_endpoint(r, r->endpoints[i]);
	if (--r->n_stopping == 0)
		stopped(userdata);
}

void registry_field_started(struct registry *r)
{
	modbus_field_started(r->modbus);
}

void registry_device_changed(struct registry *r, uint32_t device)
{
	modbus_field_device(r->modbus, device);
}

void registry_counts(const struct registry *r, struct registry_counts *ret)
{
	*ret = (struct registry_counts){ .accounts = r->n_accounts, .registered = r->n_registered };
}

void registry_history(const struct registry *r, struct history_counts *ret)
{
	recordings_count(r, ret);
}

void registry_set_watch(struct registry *r, const struct registry_watch *watch, void *userdata)
{
	r->watch = *watch;
	r->watch_userdata = userdata;
}
