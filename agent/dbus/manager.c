/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "dbus/internal.h"

char *manager_changing[] = { (char[]){ "Registered" }, (char[]){ "Accounts" }, NULL };
char *manager_configuration[] = { (char[]){ "ConfigurationState" }, (char[]){ "ConfigurationErrors" },
				  (char[]){ "ReloadWarnings" }, (char[]){ "Endpoints" }, (char[]){ "Devices" }, NULL };

/* ---- methods ---- */

static int reply_path(sd_bus_message *m, const struct items *s, const struct item *item)
{
	_cleanup_free_ char *path = items_path(s, item->dbus, item->id);

	return path ? sd_bus_reply_method_return(m, "o", path) : -ENOMEM;
}

static struct item *find_client_name(struct dbus *d, const char *name)
{
	for (uint32_t i = 0; i < d->endpoints.n; i++)
		if (streq(d->ports.client_name(d->userdata, i), name))
			return d->endpoints.items[i];
	return NULL;
}

/* find: a second way to look, or NULL; kind: for whoever asks for one that is not there. */
static int reply_named(sd_bus_message *m, const struct items *s,
		       struct item *(*find)(struct dbus *d, const char *name), struct dbus *d,
		       const char *error_name, const char *kind, sd_bus_error *error)
{
	const struct item *item;
	char echo[ECHO_MAX + 1];
	const char *name;
	int r = sd_bus_message_read(m, "s", &name);

	if (r < 0)
		return r;
	item = items_find(s, name);
	if (!item && find)
		item = find(d, name);
	return item ? reply_path(m, s, item) :
		      sd_bus_error_setf(error, error_name, "There is no %s %s", kind, error_echo(name, echo));
}

static int get_endpoint(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct dbus *d = userdata;

	return reply_named(m, &d->endpoints, find_client_name, d, AGENT1_ERROR_NO_SUCH_ENDPOINT, "endpoint",
			   error);
}

static int get_device(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct dbus *d = userdata;

	return reply_named(m, &d->devices, NULL, d, AGENT1_ERROR_NO_SUCH_DEVICE, "device", error);
}

static int get_bus(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct dbus *d = userdata;

	return reply_named(m, &d->buses, NULL, d, AGENT1_ERROR_NO_SUCH_BUS, "bus", error);
}

/* ---- properties ---- */

static int get_version(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "s", PACKAGE_VERSION);
}

static int get_endpoints(sd_bus *bus, const char *path, const char *interface, const char *property,
			 sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct dbus *d = userdata;

	return sd_bus_message_append(reply, "u", (uint32_t)d->endpoints.n);
}

static int get_devices(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct dbus *d = userdata;

	return sd_bus_message_append(reply, "u", (uint32_t)d->devices.n);
}

static int get_accounts(sd_bus *bus, const char *path, const char *interface, const char *property,
			sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct dbus *d = userdata;
	uint32_t accounts, registered;

	d->ports.counts(d->userdata, &accounts, &registered);
	return sd_bus_message_append(reply, "u",
				     streq(property, "Registered") ? registered : accounts);
}

static int get_packages(sd_bus *bus, const char *path, const char *interface, const char *property,
			sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct dbus *d = userdata;
	struct dbus_package p;
	int r = sd_bus_message_open_container(reply, 'a', AGENT1_PACKAGE);

	for (size_t i = 0; r >= 0 && d->ports.package(d->userdata, i, &p); i++)
		r = sd_bus_message_append(reply, AGENT1_PACKAGE, p.kind, p.name, p.state, p.note, p.received, p.expected);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_history(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct dbus *d = userdata;
	struct dbus_history h;

	d->ports.history(d->userdata, &h);
	return sd_bus_message_append(reply, "a{st}", 4, "waiting", h.waiting, "bytes", h.bytes, "oldest", h.oldest_usec,
				     "lost", h.lost);
}

const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("GetEndpoint", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", endpoint),
				get_endpoint, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetDevice", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", device),
				get_device, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetBus", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", bus), get_bus,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetLogLevel", SD_BUS_ARGS("s", module, "s", level), SD_BUS_NO_RESULT,
				manager_set_log_level, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_ARGS("t", confirm), SD_BUS_NO_RESULT, manager_reload,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Confirm", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, manager_confirm,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("CheckConfig", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a" AGENT1_CONFIGURATION_ERROR, errors,
					      "a" AGENT1_CONFIGURATION_ERROR, warnings),
				manager_check_config, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("ConfigurationState", "s", get_configuration_state, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("ConfigurationErrors", "a" AGENT1_CONFIGURATION_ERROR,
			get_configuration_errors, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("ReloadWarnings", "a" AGENT1_CONFIGURATION_ERROR, get_reload_warnings, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Endpoints", "u", get_endpoints, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Accounts", "u", get_accounts, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Registered", "u", get_accounts, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Devices", "u", get_devices, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Paused", "a" AGENT1_PAUSED, get_all_paused, 0,
			SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Packages", "a" AGENT1_PACKAGE, get_packages, 0, 0),
	SD_BUS_PROPERTY("History", "a{st}", get_history, 0, 0),
	SD_BUS_PROPERTY("LogLevels", "a{ss}", get_log_levels, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_VTABLE_END,
};
