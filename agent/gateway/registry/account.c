/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "gateway/registry/internal.h"

static int account_psk(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	struct account *a = userdata;
	struct secret_store *secrets = a->registry->config.secrets;
	const struct account_terms *t = &a->server->terms;
	struct log_about about = { .endpoint = a->name, .server = t->name, .message_id = MESSAGE_NO_KEY };
	int r = terms_key(t, secrets, a->identity, ret_key, ret_size);

	if (r != 0 && log_budget_take(&a->no_key, NULL))
		log_warning(&about, "%s: no new key for server %s: %s", a->name, t->name,
			    secret_reason(secrets));
	return MIN(r, 0);
}

static void account_count(struct account *a)
{
	struct registry *r = a->registry;
	bool registered = client_is_registered(a->client);

	if (registered == a->counted)
		return;
	a->counted = registered;
	r->n_registered += registered ? 1 : -1;
	if (r->watch.counts)
		r->watch.counts(r->watch_userdata);
}

/* An Update that goes well is no news to anybody. */
static void account_tell(struct account *a, enum client_state state, int error)
{
	struct registry *r = a->registry;
	enum client_state shown = state == CLIENT_UPDATING ? CLIENT_REGISTERED : state;
	int now = error < 0 || client_is_registered(a->client) ? error : a->error;

	if (shown == a->told && now == a->error)
		return;
	a->told = shown;
	a->error = now;
	if (r->watch.endpoint)
		r->watch.endpoint(r->watch_userdata, a->endpoint->number);
}

static void account_state(void *userdata, enum client_state state, int error)
{
	struct account *a = userdata;
	struct registry *r = a->registry;

	account_count(a);
	if (list_is_empty(&a->leaving))
		account_tell(a, state, error);
	else if (state == CLIENT_STOPPED)
		timer_arm_in(&r->bury, 0);
	updates_state(a, state, error);
	if (state == CLIENT_REGISTERED) {
		turns_registered(a);
		outbox_wake(a);
	}
	if (state == CLIENT_STOPPED)
		a->turn = ORDER_WAITING;
	if (state == CLIENT_STOPPED && r->n_stopping > 0 && --r->n_stopping == 0)
		r->stopped(r->stopped_userdata);
}

static void account_failed(void *userdata)
{
	turns_failed(userdata);
}

static void account_attributes(void *userdata)
{
	persist_attributes(userdata);
}

static const struct client_ops client_ops = {
	.state = account_state,
	.failed = account_failed,
	.attributes = account_attributes,
};

static struct client_config account_config(struct account *a)
{
	const struct registry *r = a->registry;
	struct server *server = a->server;
	const struct account_terms *t = &server->terms;

	return (struct client_config){
		.transport = r->config.transport,
		.governor = server->governor,
		.timers = r->config.timers,
		.definitions = r->config.definitions,
		.resolver = &r->resolver,
		.store = a->endpoint->store,
		.endpoint = a->name,
		.server_name = t->name,
		.uri = &server->uri,
		.security = t->security,
		.psk_identity = a->identity,
		.psk = account_psk,
		.psk_userdata = a,
		.short_id = t->short_id,
		.server_instance = a->instance,
		.version_fixed = t->version_fixed,
		.version = t->version,
		.server_version = &server->version,
		.formats = t->formats,
		.n_formats = t->n_formats,
		.profile_id = t->profile_id,
		.profile_list = t->profile_list,
		.profiles = &server->profiles,
		.queue_mode = t->queue_mode,
		.liveness_usec = t->liveness_usec,
		.first_value_usec = r->config.config->register_at_most_usec,
		.audit = r->config.config->writes_audit,
		.server_budget = &server->failures,
	};
}

static int account_open(struct account *a)
{
	const struct account_terms *t = &a->server->terms;
	struct client_config config;

	if (t->security == SESSION_SECURITY_PSK) {
		a->identity = terms_identity(t, a->name);
		if (!a->identity)
			return -ENOMEM;
	}
	config = account_config(a);
	return client_new(&config, &client_ops, a, &a->client);
}

void account_adopt(struct account *a)
{
	const struct client_config config = account_config(a);

	client_adopt(a->client, &config);
}

void account_redefine(struct account *a)
{
	const struct client_config config = {
		.definitions = a->registry->config.definitions,
		.formats = a->server->terms.formats,
		.n_formats = a->server->terms.n_formats,
	};

	client_redefine(a->client, &config);
}

int account_new(struct endpoint *e, const struct config_endpoint *config, struct server *server, uint16_t instance,
		struct account **ret)
{
	struct account *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	list_init(&a->leaving);
	list_init(&a->updates);
	a->registry = e->registry;
	a->endpoint = e;
	a->instance = a->security = instance;
	a->server = server_ref(server);
	r = str_replace(&a->name, endpoint_client_name(e));
	if (r >= 0)
		r = account_open(a);
	if (r < 0) {
		account_free(a);
		return r;
	}
	persist_restore_attributes(a, config);
	*ret = a;
	return 0;
}

struct account *account_free(struct account *a)
{
	if (!a)
		return NULL;
	list_remove(&a->leaving);
	updates_cancel(a);
	client_free(a->client);
	outbox_free(a->outbox);
	server_unref(a->server);
	free(a->name);
	free(a->identity);
	free(a);
	return NULL;
}
