/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ports.h"

#include <stdio.h>

#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/configuration/reload.h"
#include "gateway/registry/internal.h"

static struct endpoint *endpoint_of(struct registry *r, uint32_t endpoint)
{
	return endpoint == DBUS_HOST ? &r->host : r->endpoints[endpoint - 1];
}

static struct store *port_store(void *userdata, uint32_t endpoint)
{
	return endpoint_of(userdata, endpoint)->store;
}

static const char *port_client_name(void *userdata, uint32_t endpoint)
{
	return endpoint_client_name(endpoint_of(userdata, endpoint));
}

static const char *security_name(const struct account *a)
{
	switch (a->server->terms.security) {
	case SESSION_SECURITY_PSK:
		return "psk";
	case SESSION_SECURITY_NONE:
		break;
	}
	return "none";
}

static bool port_account(void *userdata, uint32_t endpoint, unsigned index,
			 struct dbus_account *ret)
{
	const struct endpoint *e = endpoint_of(userdata, endpoint);
	const struct account *a = accounts_nth(e->accounts, index);

	if (!a)
		return false;
	*ret = (struct dbus_account){
		.server = a->server->terms.name,
		.uri = a->server->terms.uri,
		.short_id = a->server->terms.short_id,
		.security = security_name(a),
		/* A bootstrap may leave /0 as it was; the account is its word all the same. */
		.source = account_source_name(e->bootstrapping && e->bootstrapping->in_force ?
						      ACCOUNT_BOOTSTRAP : a->server->terms.source),
		.client = a->client,
		.history_waiting = outbox_waiting(a),
		.started = e->started,
		.queued = a->turn == ORDER_WAITING,
		.paused = endpoint_is_paused(e),
	};
	return true;
}

static bool port_bootstrap_server(void *userdata, uint32_t endpoint, struct dbus_bootstrap *ret)
{
	const struct endpoint *e = endpoint_of(userdata, endpoint);
	const struct bootstrap *b = e->bootstrapping ? e->bootstrapping->bootstrap : NULL;

	if (!b)
		return false;
	ret->started = e->started;
	ret->asks = bootstrap_state(b) != BOOTSTRAP_IDLE;
	ret->works = bootstrap_is_open(b);
	bootstrap_trouble(b, ret->trouble);
	return true;
}

static void look_up(const struct account *a, struct dbus_credential *ret)
{
	struct secret_store *secrets = a->registry->config.secrets;
	uint8_t *key = NULL;
	size_t size = 0;
	int r = terms_key(&a->server->terms, secrets, ret->identity, &key, &size);

	if (r != 0)
		snprintf(ret->problem, sizeof(ret->problem), "%s", secret_reason(secrets));
	if (r >= 0)
		r = secret_fingerprint(key, size, ret->fingerprint);
	if (r < 0)
		ret->fingerprint[0] = '\0';
	secret_free(key, size);
}

static bool port_credential(void *userdata, uint32_t endpoint, unsigned index, struct dbus_credential *ret)
{
	const struct account *a = accounts_nth(endpoint_of(userdata, endpoint)->accounts, index);

	_Static_assert(DBUS_FINGERPRINT_MAX >= SECRET_FINGERPRINT_MAX, "room for a fingerprint");
	if (!a)
		return false;
	*ret = (struct dbus_credential){ .server = a->server->terms.name, .kind = security_name(a) };
	if (a->server->terms.security != SESSION_SECURITY_PSK)
		return true;
	ret->identity = a->identity;
	ret->reference = a->server->terms.secret ? "bootstrap" : a->server->terms.key;
	look_up(a, ret);
	return true;
}

static void port_counts(void *userdata, uint32_t *ret_accounts, uint32_t *ret_registered)
{
	struct registry_counts counts = { 0 };

	if (userdata)
		registry_counts(userdata, &counts);
	*ret_accounts = counts.accounts;
	*ret_registered = counts.registered;
}

static void port_history(void *userdata, struct dbus_history *ret)
{
	struct history_counts counts = { 0 };

	if (userdata)
		registry_history(userdata, &counts);
	*ret = (struct dbus_history){
		.waiting = counts.waiting, .bytes = counts.bytes, .oldest_usec = counts.oldest_usec, .lost = counts.lost
	};
}

static int port_update(void *userdata, uint32_t endpoint, const char *server, dbus_done done,
		       void *done_userdata)
{
	return registry_update(userdata, endpoint, server, done, done_userdata);
}

static int port_send(void *userdata, uint32_t endpoint, const char *server, const struct path *paths, size_t n,
		     struct client_sending *ret, dbus_done done, void *done_userdata)
{
	return registry_send(userdata, endpoint, server, paths, n, ret, done, done_userdata);
}

static int port_restart(void *userdata, enum dbus_kind kind, uint32_t id)
{
	return registry_restart(userdata, kind, id);
}

static int port_reset(void *userdata, uint32_t endpoint)
{
	return registry_reset(userdata, endpoint);
}

static int port_pause(void *userdata, enum dbus_kind kind, uint32_t id, bool on, uid_t uid)
{
	return registry_pause(userdata, kind, id, on, uid);
}

static const struct dbus_pause *port_paused(void *userdata, enum dbus_kind kind, uint32_t id)
{
	return registry_paused(userdata, kind, id);
}

static bool port_package(void *userdata, size_t index, struct dbus_package *ret)
{
	return registry_package(userdata, index, ret);
}

const struct dbus_ports ports_of_registry = {
	.store = port_store,
	.client_name = port_client_name,
	.account = port_account,
	.bootstrap = port_bootstrap_server,
	.credential = port_credential,
	.counts = port_counts,
	.history = port_history,
	.update = port_update,
	.send = port_send,
	.restart = port_restart,
	.reset = port_reset,
	.pause = port_pause,
	.package = port_package,
	.paused = port_paused,
};

static bool port_account_client(void *userdata, uint32_t endpoint, unsigned index,
				uint32_t *ret_server, const struct client **ret_client)
{
	const struct account *a = accounts_nth(endpoint_of(userdata, endpoint)->accounts, index);

	if (!a)
		return false;
	*ret_server = a->server->index;
	*ret_client = a->client;
	return true;
}

const struct metrics_ports metrics_ports_of_registry = { .account = port_account_client };

/* ---- the configuration ---- */

static int port_reload(void *userdata, uint64_t confirm_usec, dbus_reload_done done, void *done_userdata)
{
	return reload_begin(userdata, RELOAD_FILES, confirm_usec, done, done_userdata);
}

static int port_check(void *userdata, dbus_reload_done done, void *done_userdata)
{
	return reload_begin(userdata, RELOAD_CHECK, 0, done, done_userdata);
}

static int port_confirm(void *userdata)
{
	return reload_confirm(userdata);
}

const struct dbus_reload_ports reload_ports_of_gateway = {
	.reload = port_reload,
	.check = port_check,
	.confirm = port_confirm,
};
