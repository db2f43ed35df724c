/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "dbus/internal.h"
#include "fieldbus/fieldbus.h"

/* A field bus on D-Bus: what is known of it; what can be asked of it is in bus_calls.c. */

char *bus_settled[] = { (char[]){ "Plugin" }, (char[]){ "Devices" }, NULL };
char *bus_changing[] = { (char[]){ "State" }, (char[]){ "Online" }, (char[]){ "Paused" }, NULL };

const char *bus_item_name(const struct config *c, uint32_t id)
{
	return c->buses[id].name;
}

/* Enabled devices in each state. */
static void count_states(const struct item *item, uint32_t ret[FIELDBUS_STATES])
{
	const struct config *c = item->dbus->config.config;

	for (uint32_t i = 0; i < c->n_devices; i++)
		if (c->devices[i].bus == item->id && c->devices[i].enabled)
			ret[fieldbus_device_state(item->dbus->config.fieldbus, i, NULL)]++;
}

/* That of its devices, the best one first: a bus on which one answers works. */
static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	static const enum fieldbus_state order[] = { FIELDBUS_ONLINE, FIELDBUS_OFFLINE, FIELDBUS_FAILED,
						     FIELDBUS_UNKNOWN, FIELDBUS_PAUSED };
	uint32_t n[FIELDBUS_STATES] = { 0 };

	count_states(userdata, n);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (n[order[i]] > 0)
			return sd_bus_message_append(reply, "s", fieldbus_state_name(order[i]));
	return sd_bus_message_append(reply, "s", "unused");
}

static int get_count(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	uint32_t n[FIELDBUS_STATES] = { 0 };

	count_states(userdata, n);
	return sd_bus_message_append(reply, "u",
				     streq(property, "Online") ?
					     n[FIELDBUS_ONLINE] :
					     n[FIELDBUS_ONLINE] + n[FIELDBUS_OFFLINE] + n[FIELDBUS_FAILED] +
						     n[FIELDBUS_UNKNOWN] + n[FIELDBUS_PAUSED]);
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	const struct config_bus *b = &item->dbus->config.config->buses[item->id];

	return sd_bus_message_append(reply, "s", streq(property, "Name") ? b->name : b->plugin->name);
}

static int get_statistics(sd_bus *bus, const char *path, const char *interface,
			  const char *property, sd_bus_message *reply, void *userdata,
			  sd_bus_error *error)
{
	const struct item *item = userdata;
	struct fieldbus_statistics s;

	fieldbus_bus_statistics(item->dbus->config.fieldbus, item->id, &s);
	return sd_bus_message_append(reply, "a{st}", 5, "requests", s.requests, "errors", s.errors,
				     "timeouts", s.timeouts, "conflated", s.conflated,
				     "host_restarts", (uint64_t)s.host_restarts);
}

const sd_bus_vtable bus_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Attempt",
				SD_BUS_ARGS("a{sv}", address, "a(sa{sv})", points, "t", within),
				SD_BUS_RESULT("a" AGENT1_READING, readings), bus_attempt,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Raw", SD_BUS_ARGS("a{sv}", address, "ay", request, "t", within),
				SD_BUS_RESULT("ay", answer), bus_raw, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Scan", SD_BUS_ARGS("t", duration),
				SD_BUS_RESULT("t", found, "t", dropped), bus_scan,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_ARGS("t", duration), SD_BUS_NO_RESULT, bus_release,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Record", SD_BUS_ARGS("h", file, "t", duration),
				SD_BUS_RESULT("t", frames, "t", dropped), bus_record,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Pause", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, item_pause,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Resume", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, item_resume,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Disable", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, item_pause,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Enable", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, item_resume,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Restart", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, item_restart,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("Found", SD_BUS_ARGS("s", address, "s", facts), 0),
	SD_BUS_PROPERTY("Name", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Plugin", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Devices", "u", get_count, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Online", "u", get_count, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Paused", "b", get_paused, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Statistics", "a{st}", get_statistics, 0, 0),
	SD_BUS_VTABLE_END,
};
