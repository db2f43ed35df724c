/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "dbus/internal.h"
#include "dbus/values.h"
#include "lwm2m/client.h"
#include "store/store.h"

char *endpoint_settled[] = { (char[]){ "ClientName" }, (char[]){ "Devices" }, NULL };
char *endpoint_changing[] = { (char[]){ "State" }, (char[]){ "Accounts" }, (char[]){ "LastError" },
			      (char[]){ "Paused" }, NULL };

const char *endpoint_item_name(const struct config *c, uint32_t id)
{
	return id == DBUS_HOST ? "host" : c->endpoints[id - 1].name;
}

static bool account_of(const struct item *item, unsigned index, struct dbus_account *ret)
{
	return item->dbus->ports.account(item->dbus->userdata, item->id, index, ret);
}

/* ---- Read ---- */

static int reply_end(sd_bus_message *reply, int r)
{
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int read_one(sd_bus_message *m, struct store *store, const struct path *path,
		    sd_bus_error *error)
{
	_cleanup_value_ struct value value = { 0 };
	sd_bus_message *reply = NULL;
	char why[256] = "";
	int r = store_read(store, path, false, &value, NULL);

	if (r < 0) {
		store_explain(store, path, why, sizeof(why));
		return error_set(error, r, *why ? why : NULL);
	}
	r = sd_bus_message_new_method_return(m, &reply);
	return reply_end(reply, r < 0 ? r : value_append(reply, &value));
}

/* Without what is closed, in place. */
static void keep_open(struct records *records)
{
	size_t n = 0;

	for (size_t i = 0; i < records->n; i++) {
		if (path_is_secret(&records->items[i].path))
			value_done(&records->items[i].value);
		else
			records->items[n++] = records->items[i];
	}
	records->n = n;
}

static int read_tree(sd_bus_message *m, struct store *store, const struct path *path,
		     sd_bus_error *error)
{
	_cleanup_records_ struct records records = { 0 };
	sd_bus_message *reply = NULL;
	int r = store_collect(store, path, false, &records, NULL);

	if (r < 0)
		return error_set(error, r, NULL);
	keep_open(&records);
	r = sd_bus_message_new_method_return(m, &reply);
	return reply_end(reply, r < 0 ? r : records_append(reply, path, &records));
}

static int endpoint_read(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	struct store *store = item->dbus->ports.store(item->dbus->userdata, item->id);
	const struct resource_definition *resource;
	struct path path;
	int r = path_find(m, store, &path, error);

	if (r < 0)
		return r;
	if (path.depth < PATH_RESOURCE)
		return read_tree(m, store, &path, error);
	resource = store_resource(store, &path);
	if (!resource || !(resource->operations & OPERATION_READ))
		return error_set(error, -EPERM, "The resource cannot be read");
	if (resource->multiple && path.depth == PATH_RESOURCE)
		return read_tree(m, store, &path, error);
	return read_one(m, store, &path, error);
}

/* ---- State ---- */

/* From the best to the worst; an Update under way is no news. */
static const char *account_state(const struct dbus_account *a, unsigned *ret_rank)
{
	switch (client_state(a->client)) {
	case CLIENT_REGISTERED:
	case CLIENT_UPDATING:
		return *ret_rank = 0, "registered";
	case CLIENT_REGISTERING:
		return *ret_rank = 1, "registering";
	case CLIENT_WAITING:
		return *ret_rank = 2, "waiting";
	case CLIENT_DISABLED:
		return *ret_rank = 3, "disabled";
	case CLIENT_DEREGISTERING:
		return *ret_rank = 4, "deregistering";
	case CLIENT_STOPPED:
		break;
	}
	*ret_rank = 5;
	return a->paused ? "paused" : !a->started ? "unread" : a->queued ? "queued" : "deregistering";
}

static bool bootstrap_of(const struct item *item, struct dbus_bootstrap *ret)
{
	return item->dbus->ports.bootstrap(item->dbus->userdata, item->id, ret);
}

/* Without an account. */
static const char *lone_state(const struct item *item)
{
	struct dbus_bootstrap b;

	if (item_paused(item))
		return "paused";
	return bootstrap_of(item, &b) && !b.started ? "unread" : "no-server";
}

/* Is that what is to be known of it: before it has a server, or in the place of all? */
static bool is_bootstrapping(const struct item *item)
{
	struct dbus_bootstrap b;
	struct dbus_account a;

	if (!bootstrap_of(item, &b) || !b.asks)
		return false;
	for (unsigned i = 0; !b.works && account_of(item, i, &a); i++)
		if (client_is_registered(a.client))
			return false;
	return true;
}

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	unsigned rank, worst_rank = 0;
	const char *worst = NULL;
	struct dbus_account a;

	if (is_bootstrapping(userdata))
		return sd_bus_message_append(reply, "s", "bootstrapping");
	for (unsigned i = 0; account_of(userdata, i, &a); i++) {
		const char *state = account_state(&a, &rank);

		if (worst && rank <= worst_rank)
			continue;
		worst = state;
		worst_rank = rank;
	}
	return sd_bus_message_append(reply, "s", worst ?: lone_state(userdata));
}

static int append_account(sd_bus_message *m, const struct dbus_account *a)
{
	char version[16] = "", trouble[CLIENT_TROUBLE_MAX];
	unsigned rank, v = client_version(a->client);

	if (client_is_registered(a->client))
		snprintf(version, sizeof(version), "%u.%u", v / 10, v % 10);
	return sd_bus_message_append(m, AGENT1_ACCOUNT, 9, "Server", "s", a->server, "Uri",
				     "s", a->uri, "ShortServerId", "q", a->short_id,
				     "State", "s", account_state(a, &rank), "Security", "s",
				     a->security, "Source", "s", a->source, "Version", "s", version, "LastError", "s",
				     client_trouble(a->client, trouble), "HistoryWaiting", "t", a->history_waiting);
}

static int get_accounts(sd_bus *bus, const char *path, const char *interface, const char *property,
			sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct dbus_account a;
	int r = sd_bus_message_open_container(reply, 'a', AGENT1_ACCOUNT);

	for (unsigned i = 0; r >= 0 && account_of(userdata, i, &a); i++)
		r = append_account(reply, &a);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_last_error(sd_bus *bus, const char *path, const char *interface,
			  const char *property, sd_bus_message *reply, void *userdata,
			  sd_bus_error *error)
{
	char trouble[CLIENT_TROUBLE_MAX] = "";
	struct dbus_bootstrap b;
	struct dbus_account a;

	for (unsigned i = 0; !*trouble && account_of(userdata, i, &a); i++)
		client_trouble(a.client, trouble);
	if (!*trouble && bootstrap_of(userdata, &b) && *b.trouble)
		return sd_bus_message_append(reply, "s", b.trouble);
	return sd_bus_message_append(reply, "s", trouble);
}

/* ---- what stays ---- */

static int get_name(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;

	return sd_bus_message_append(
		reply, "s",
		streq(property, "Name") ?
			endpoint_item_name(item->dbus->config.config, item->id) :
			item->dbus->ports.client_name(item->dbus->userdata, item->id));
}

/* Of an endpoint of several devices, from its map, each once. */
static int append_mapped(sd_bus_message *m, const struct dbus *d, const struct config_endpoint *e)
{
	int r = 0;

	for (size_t i = 0, k; r >= 0 && i < e->n_map; i++) {
		if (e->map[i].kind == CONFIG_MAP_CONSTANT)
			continue;
		for (k = 0; k < i && (e->map[k].device != e->map[i].device ||
				      e->map[k].kind == CONFIG_MAP_CONSTANT);)
			k++;
		if (k == i)
			r = items_append(&d->devices, d, m, e->map[i].device);
	}
	return r;
}

static int get_devices(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	const struct dbus *d = item->dbus;
	const struct config *c = d->config.config;
	const struct config_endpoint *e = item->id == DBUS_HOST ? &c->host_endpoint : &c->endpoints[item->id - 1];
	int r = sd_bus_message_open_container(reply, 'a', AGENT1_OBJECT);

	if (r >= 0)
		r = e->device == UINT32_MAX ? append_mapped(reply, d, e) :
					      items_append(&d->devices, d, reply, e->device);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

const sd_bus_vtable endpoint_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Read", SD_BUS_ARGS("s", path), SD_BUS_RESULT("v", value),
				endpoint_read, SD_BUS_VTABLE_UNPRIVILEGED),
	/* authorize.c decides: sd-bus's own check lets only root through, and waits for the bus. */
	SD_BUS_METHOD_WITH_ARGS("Write", SD_BUS_ARGS("s", path, "v", value), SD_BUS_NO_RESULT,
				endpoint_write, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Execute", SD_BUS_ARGS("s", path, "s", arguments), SD_BUS_NO_RESULT,
				endpoint_execute, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_ARGS("s", path),
				SD_BUS_RESULT("a" AGENT1_DESCRIPTION, resources), endpoint_describe,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Explain", SD_BUS_ARGS("s", path), SD_BUS_RESULT("a{sv}", facts),
				endpoint_explain, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Watch", SD_BUS_ARGS("s", path), SD_BUS_NO_RESULT,
				endpoint_watch_values, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Unwatch", SD_BUS_ARGS("s", path), SD_BUS_NO_RESULT,
				endpoint_unwatch_values, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("ValueChanged", SD_BUS_ARGS("s", path, "v", value, "s", problem, "t", time), 0),
	SD_BUS_METHOD_WITH_ARGS("GetCredentials", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a" AGENT1_CREDENTIAL, credentials), endpoint_get_credentials,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Update", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, endpoint_update,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("UpdateAt", SD_BUS_ARGS("s", server), SD_BUS_NO_RESULT, endpoint_update_at,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SendTo", SD_BUS_ARGS("s", server, "as", paths),
				SD_BUS_RESULT("u", values, "u", left_out), endpoint_send_to,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Send", SD_BUS_ARGS("as", paths), SD_BUS_RESULT("u", values, "u", left_out),
				endpoint_send, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Enable", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, item_resume,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Disable", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, item_pause,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Restart", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, item_restart,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ResetAccounts", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, endpoint_reset_accounts,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Name", "s", get_name, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("ClientName", "s", get_name, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Accounts", "a" AGENT1_ACCOUNT, get_accounts, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Devices", "a" AGENT1_OBJECT, get_devices, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Paused", "b", get_paused, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("LastError", "s", get_last_error, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_VTABLE_END,
};
