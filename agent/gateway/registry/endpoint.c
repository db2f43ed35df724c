/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/bootstrap/taken.h"
#include "gateway/kept/made.h"

/* ---- what the agent's own objects ask for ---- */

static void port_update(void *endpoint, uint16_t server_instance)
{
	struct endpoint *e = endpoint;
	struct account *a = accounts_at(e->accounts, server_instance);

	if (a)
		client_update(a->client);
}

static void port_disable(void *endpoint, uint16_t server_instance)
{
	struct endpoint *e = endpoint;
	struct account *a = accounts_at(e->accounts, server_instance);

	if (a)
		client_disable(a->client);
}

static void port_bootstrap(void *endpoint)
{
	struct endpoint *e = endpoint;

	bootstrapping_ask(e->bootstrapping);
}

void port_register_anew(void *endpoint)
{
	struct endpoint *e = endpoint;

	for (struct account *a = e->accounts; a; a = a->next)
		client_restart(a->client);
}

/* Of the host only. */
static int port_modbus_request(void *endpoint, uint16_t connection, uint8_t unit, const uint8_t *pdu,
			       size_t size, builtin_modbus_done done, void *userdata)
{
	struct endpoint *e = endpoint;

	return modbus_field_request(e->registry->modbus, connection, unit, pdu, size, done, userdata);
}

static int port_modbus_enable(void *endpoint, uint16_t connection, bool enable)
{
	struct endpoint *e = endpoint;

	return modbus_field_enable(e->registry->modbus, connection, enable);
}

static void port_serial_ports(void *endpoint, void (*found)(void *userdata, const char *port),
			      void *userdata)
{
	struct endpoint *e = endpoint;

	modbus_field_ports(e->registry->modbus, found, userdata);
}

static bool port_is_observed(void *endpoint, const struct path *path)
{
	const struct endpoint *e = endpoint;

	for (const struct account *a = e->accounts; a; a = a->next)
		if (client_observes(a->client, path))
			return true;
	return false;
}

static void port_traffic(void *endpoint, struct builtin_traffic *ret)
{
	const struct endpoint *e = endpoint;

	for (const struct account *a = e->accounts; a; a = a->next) {
		const struct session_counters *c = client_counters(a->client);

		ret->sent_bytes += c->sent_ip_bytes;
		ret->received_bytes += c->received_ip_bytes;
		ret->payload_bytes += c->sent_bytes + c->received_bytes;
		ret->datagrams += c->datagrams;
		ret->largest = MAX(ret->largest, c->largest);
	}
}

static void port_forget_largest(void *endpoint)
{
	struct endpoint *e = endpoint;

	for (struct account *a = e->accounts; a; a = a->next)
		client_forget_largest(a->client);
}

static const struct builtin_ports ports = {
	.update = port_update,
	.disable = port_disable,
	.bootstrap = port_bootstrap,
	.restart = port_register_anew,
	.modbus_request = port_modbus_request,
	.modbus_enable = port_modbus_enable,
	.serial_ports = port_serial_ports,
	.is_observed = port_is_observed,
	.traffic = port_traffic,
	.forget_largest = port_forget_largest,
	.facts = port_facts,
	.network = port_network,
	.zone = port_zone,
	.reboot = port_reboot,
	.factory_reset = port_factory_reset,
	.set_time = port_set_time,
	.set_timezone = port_set_timezone,
	.keep_clock = port_keep_clock,
};

/* ---- the objects of its own ---- */

static void account_values(const struct account *a, struct builtin_account *ret)
{
	const struct account_terms *t = &a->server->terms;

	*ret = (struct builtin_account){
		.instance = a->instance,
		.security = a->security,
		.uri = t->uri,
		.secure = t->security == SESSION_SECURITY_PSK,
		.identity = a->identity,
		.short_id = t->short_id,
		.settings = &t->settings,
		.overlaid = a->overlaid,
	};
}

/* Made or, where they are there already, brought up to date. */
static int put_builtin(struct endpoint *e, struct builtin_values *values)
{
	const struct definitions *definitions = e->registry->config.definitions;
	_cleanup_free_ struct builtin_account *accounts = calloc(accounts_count(e->accounts) + 1, sizeof(*accounts));
	struct builtin_bootstrap bootstrap;
	size_t n = 0;

	if (!accounts)
		return -ENOMEM;
	for (const struct account *a = e->accounts; a; a = a->next)
		account_values(a, &accounts[n++]);
	values->accounts = accounts;
	values->n_accounts = n;
	values->timers = e->registry->config.timers;
	if (e->bootstrapping && bootstrapping_values(e->bootstrapping, &bootstrap))
		values->bootstrap = &bootstrap;
	if (e->builtin)
		return builtin_reload(e->builtin, definitions, values);
	return builtin_new(e->store, definitions, values, &ports, e, &e->builtin);
}

/* `gateway: modbus_objects:`; without it they do not exist. */
static int make_modbus(struct endpoint *e)
{
	const struct registry_config *from = &e->registry->config;
	const struct modbus_field_config config = {
		.timers = from->timers,
		.config = from->config,
		.fieldbus = from->fieldbus,
		.state = from->state,
	};

	if (e->registry->modbus)
		return modbus_field_reload(e->registry->modbus, from->config);
	if (from->config->gateway.modbus_access == CONFIG_MODBUS_OFF)
		return 0;
	return modbus_field_new(&config, &e->registry->modbus);
}

/* What stands behind objects of the host alone; the first error, the rest is done all the same. */
static int follow_host(struct endpoint *e)
{
	struct registry *registry = e->registry;
	int r = make_modbus(e), firmware = firmware_follow(registry), software = softwares_follow(registry);

	r = r < 0 ? r : firmware;
	return r < 0 ? r : software;
}

static int put_host(struct endpoint *e)
{
	_cleanup_free_ struct builtin_software *softwares = NULL;
	struct host_facts facts;
	struct builtin_host own;
	struct builtin_values values;
	size_t n_softwares = 0;
	int r = follow_host(e), error = softwares_values(e->registry, &softwares, &n_softwares);

	r = r < 0 ? r : error;
	/* In a reload the rest has to go on all the same. */
	if (r < 0 && !e->builtin)
		return r;
	host_facts_read(&facts);
	host_values(e, &own);
	values = (struct builtin_values){
		.manufacturer = facts.manufacturer,
		.model = facts.model,
		.serial = facts.serial,
		.firmware = facts.firmware,
		.software = PACKAGE_VERSION,
		.device_type = "gateway",
		.hardware = facts.hardware,
		.host = &own,
		.modbus = modbus_field_values(e->registry->modbus),
		.update = e->registry->config.config->firmware.handler ? e->registry->firmware : NULL,
		.softwares = softwares,
		.n_softwares = n_softwares,
	};
	error = put_builtin(e, &values);
	if (error >= 0 && values.modbus)
		modbus_field_attach(e->registry->modbus, e->builtin);
	firmware_settle(e->registry);
	softwares_settle(e->registry);
	if (error >= 0)
		error = made_add_objects(e);
	host_facts_done(&facts);
	return r < 0 ? r : error;
}

static int put_virtual(struct endpoint *e)
{
	struct builtin_values values = {
		.manufacturer = e->config->manufacturer,
		.model = e->config->model,
	};

	int r = put_builtin(e, &values);

	return r < 0 ? r : made_add_objects(e);
}

static int make_accounts(struct endpoint *e, struct server *const *servers, struct taken *taken)
{
	struct account *list = NULL;
	int r = 0;

	if (bootstrapping_is_wanted(e->registry, endpoint_label(e)))
		r = bootstrapping_new(e, taken, &e->bootstrapping);
	if (r >= 0)
		r = e->bootstrapping && e->bootstrapping->in_force ?
			    taken_accounts(e, taken, &list) :
			    accounts_make(e, e->config, servers, &list);
	e->accounts = list;
	return r;
}

static int put_own(struct endpoint *e)
{
	return e->config ? put_virtual(e) : put_host(e);
}

/* What a bootstrap left, with what servers wrote on top of it. */
static int restore(struct endpoint *e, struct taken *taken)
{
	int r = 0;

	if (e->bootstrapping && e->bootstrapping->in_force)
		taken_apply(e, taken);
	persist_restore(e);
	if (e->bootstrapping)
		r = bootstrapping_keep_rest(e->bootstrapping, taken);
	if (e->bootstrapping && r >= 0)
		r = bootstrapping_open(e->bootstrapping);
	return r;
}

int endpoint_init(struct endpoint *e, struct registry *r, const struct config_endpoint *config,
		  struct server *const *servers)
{
	struct taken taken = { 0 };
	int error;

	e->registry = r;
	e->config = config;
	error = store_new(r->config.definitions, &e->store);
	if (error >= 0)
		error = make_accounts(e, servers, &taken);
	if (error >= 0)
		error = put_own(e);
	if (error >= 0)
		error = restore(e, &taken);
	taken_done(&taken);
	return error;
}

void endpoint_hold(struct endpoint *e)
{
	e->held = true;
	store_begin(e->store);
}

void endpoint_release(struct endpoint *e)
{
	access_follow(e, true);
	store_end(e->store);
	e->held = false;
}

int endpoint_reload(struct endpoint *e, const struct config_endpoint *config)
{
	bool had_clusters = persist_has_clusters(e);
	int r;

	e->config = config;
	r = put_own(e);
	persist_reload(e, had_clusters);
	recording_follow(e);
	if (r < 0)
		log_error(&(struct log_about){ .endpoint = endpoint_client_name(e) },
			  "%s: its own objects are not all as YAML has them: %s", endpoint_label(e), strerror(-r));
	return r;
}

void endpoint_done(struct endpoint *e)
{
	e->bootstrapping = bootstrapping_free(e->bootstrapping);
	recording_free(e);
	accounts_free(&e->accounts);
	builtin_leave(e->builtin);
	e->store = store_free(e->store);
	e->builtin = builtin_free(e->builtin);
}

int endpoint_new(struct registry *r, uint32_t index, struct server *const *servers, bool nameless,
		 struct endpoint **ret)
{
	struct endpoint *e = calloc(1, sizeof(*e));
	int error;

	if (!e)
		return -ENOMEM;
	e->number = index + 1;
	e->nameless = nameless;
	error = endpoint_init(e, r, &r->config.config->endpoints[index], servers);
	if (error < 0)
		endpoint_free(e);
	else
		*ret = e;
	return error;
}

struct endpoint *endpoint_free(struct endpoint *e)
{
	if (!e)
		return NULL;
	endpoint_done(e);
	free(e);
	return NULL;
}

static void changed(void *userdata, enum store_change change, const struct path *paths, size_t n)
{
	struct endpoint *e = userdata;
	const struct registry *r = e->registry;

	if (change == STORE_CHANGE_INSTANCES && !e->held && !e->following)
		access_follow_these(e, paths, n);
	/* What a reload changes is no server's word. */
	if (!e->held) {
		persist_changed(e, change, paths, n);
		access_changed(e, paths, n);
	}
	for (struct account *a = e->accounts; a; a = a->next)
		client_changed(a->client, change, paths, n);
	recording_changed(e, change, paths, n);
	if (r->watch.values)
		r->watch.values(r->watch_userdata, e->number, paths, n);
}

void endpoint_watch(struct endpoint *e)
{
	access_follow(e, false);
	store_set_watch(e->store, changed, e);
	bootstrapping_make_rest(e->bootstrapping);
	recording_follow(e);
}

void endpoint_run(struct endpoint *e)
{
	/* While all de-register, nobody begins. Of two accounts at one server the new one waits for the other: leave.c. */
	if (e->registry->stopped || !e->started || e->n_leaving > 0 || endpoint_is_paused(e))
		return;
	if (e->bootstrapping && bootstrapping_begin(e->bootstrapping))
		return;
	turns_take(e);
	/* Those that have failed may be all that are left of several, or have had no bootstrap server before. */
	if (e->bootstrapping)
		bootstrapping_turn(e->bootstrapping);
}

void endpoint_start(struct endpoint *e)
{
	if (e->started)
		return;
	/* Its number is not yet what all others take it for. */
	if (e->registry->changing) {
		e->wanted = true;
		return;
	}
	e->started = true;
	endpoint_run(e);
}
