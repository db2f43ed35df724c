/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "gateway/internal.h"

static int account_psk(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	struct account *a = userdata;
	struct secret_store *secrets = a->endpoint->registry->config.secrets;
	struct log_about about = { .endpoint = endpoint_client_name(a->endpoint) };
	int r = secret_lookup(secrets, a->server->config->psk_key, a->identity, ret_key, ret_size);

	if (r != 0 && log_budget_take(&a->no_key, NULL))
		log_warning(&about, "%s: no new key for server %s: %s", endpoint_client_name(a->endpoint),
			    a->server->config->name, secret_reason(secrets));
	return MIN(r, 0);
}

static void account_count(struct account *a)
{
	struct registry *r = a->endpoint->registry;
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
	struct registry *r = a->endpoint->registry;
	enum client_state shown = state == CLIENT_UPDATING ? CLIENT_REGISTERED : state;
	int now = error < 0 || client_is_registered(a->client) ? error : a->error;

	if (shown == a->told && now == a->error)
		return;
	a->told = shown;
	a->error = now;
	if (r->watch.endpoint)
		r->watch.endpoint(r->watch_userdata, endpoint_number(a->endpoint));
}

static void account_state(void *userdata, enum client_state state, int error)
{
	struct account *a = userdata;
	struct registry *r = a->endpoint->registry;

	account_count(a);
	account_tell(a, state, error);
	if (state == CLIENT_STOPPED && r->n_stopping > 0 && --r->n_stopping == 0)
		r->stopped(r->stopped_userdata);
}

static void account_attributes(void *userdata)
{
	persist_attributes(userdata);
}

static const struct client_ops client_ops = {
	.state = account_state,
	.attributes = account_attributes,
};

/* `protocol:` auto begins with the newest, and falls back when the server refuses it. */
static enum lwm2m_version account_version(const struct config_server *s)
{
	return s->protocol == CONFIG_PROTOCOL_AUTO ? LWM2M_1_2 : (enum lwm2m_version)s->protocol;
}

int account_init(struct account *a, struct endpoint *e, struct server *server)
{
	const struct registry *r = e->registry;
	const struct config_server *s = server->config;
	struct client_config config = {
		.transport = r->config.transport,
		.governor = server->governor,
		.timers = r->config.timers,
		.definitions = r->config.definitions,
		.resolver = &r->resolver,
		.store = e->store,
		.endpoint = endpoint_client_name(e),
		.server_name = s->name,
		.uri = &server->uri,
		.psk = account_psk,
		.psk_userdata = a,
		.short_id = s->short_id,
		.version_fixed = s->protocol != CONFIG_PROTOCOL_AUTO,
		.version = account_version(s),
		.server_version = &server->version,
		.formats = server->formats,
		.n_formats = server->n_formats,
		.liveness_usec = s->liveness_usec,
		.first_value_usec = r->config.config->register_at_most_usec,
		.audit = r->config.config->writes_audit,
		.server_budget = &server->failures,
	};
	int error;

	a->endpoint = e;
	a->server = server;
	if (s->security == CONFIG_SECURITY_PSK) {
		a->identity = server_identity(s, endpoint_client_name(e));
		if (!a->identity)
			return -ENOMEM;
		config.security = SESSION_SECURITY_PSK;
		config.psk_identity = a->identity;
	}
	error = client_new(&config, &client_ops, a, &a->client);
	if (error < 0)
		return error;
	e->account = a;
	persist_restore_attributes(a);
	return 0;
}

void account_done(struct account *a)
{
	a->client = client_free(a->client);
	free(a->identity);
	a->identity = NULL;
}
