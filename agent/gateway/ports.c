/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/ports.h"

#include "gateway/internal.h"

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

static bool port_account(void *userdata, uint32_t endpoint, unsigned index,
			 struct dbus_account *ret)
{
	const struct endpoint *e = endpoint_of(userdata, endpoint);
	const struct account *a = e->account;

	if (!a || index > 0)
		return false;
	*ret = (struct dbus_account){
		.server = a->server->config,
		.client = a->client,
		.started = e->started,
	};
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

const struct dbus_ports ports_of_registry = {
	.store = port_store,
	.client_name = port_client_name,
	.account = port_account,
	.counts = port_counts,
};

static bool port_account_client(void *userdata, uint32_t endpoint, unsigned index,
				const struct config_server **ret_server, const struct client **ret_client)
{
	struct dbus_account account;

	if (!port_account(userdata, endpoint, index, &account))
		return false;
	*ret_server = account.server;
	*ret_client = account.client;
	return true;
}

const struct metrics_ports metrics_ports_of_registry = { .account = port_account_client };
