/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "base/str.h"
#include "dbus/internal.h"
#include "fieldbus/fieldbus.h"

char *device_settled[] = { (char[]){ "Bus" }, (char[]){ "Profile" }, (char[]){ "Enabled" }, NULL };
char *device_changing[] = { (char[]){ "State" }, (char[]){ "Reason" }, (char[]){ "Paused" }, NULL };

const char *device_item_name(const struct config *c, uint32_t id)
{
	return c->devices[id].name;
}

static const struct config_device *config_of(const struct item *item)
{
	return &item->dbus->config.config->devices[item->id];
}

/* ---- Explain ---- */

static int append_explanation(sd_bus_message *reply, const char *line,
			      const struct fieldbus_request *requests, size_t n)
{
	int r = sd_bus_message_append(reply, "s", line);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', AGENT1_REQUEST);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = sd_bus_message_append(reply, AGENT1_REQUEST, requests[i].period_usec,
					  requests[i].text, requests[i].wire_bytes,
					  requests[i].wire_usec);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* userdata is the call that waits; it outlives the connection that it came by. */
static void explained(void *userdata, int error, const char *detail, const char *line,
		      const struct fieldbus_request *requests, size_t n)
{
	sd_bus_message *m = userdata, *reply = NULL;
	int r = error;

	if (r >= 0)
		r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = append_explanation(reply, line, requests, n);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	if (r < 0)
		call_fail(m, r, detail);
	sd_bus_message_unref(reply);
	sd_bus_message_unref(m);
}

/* Nobody polls it. */
static void explain_local(const struct item *item, sd_bus_message *m)
{
	char line[160];

	snprintf(line, sizeof(line), "programs of %.100s, over D-Bus", config_of(item)->owner);
	explained(sd_bus_message_ref(m), 0, "", line, NULL, 0);
}

static int device_explain(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	int r;

	if (!config_of(item)->enabled)
		return error_set(error, -EHOSTDOWN, "It is disabled in the configuration");
	if (config_of(item)->type->plugin == &config_plugin_local) {
		explain_local(item, m);
		return 1;
	}
	r = fieldbus_explain(item->dbus->config.fieldbus, item->id, explained, m);
	if (r < 0)
		return error_set(error, r,
				 r == -EBUSY ? "Too much is asked of its plugin host already" :
					       "Its plugin host does not run");
	sd_bus_message_ref(m);
	return 1;
}

/* ---- properties ---- */

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	const struct config_device *device = config_of(item);
	const char *text = device->name;

	if (streq(property, "Bus"))
		text = item->dbus->config.config->buses[device->bus].name;
	else if (streq(property, "Profile"))
		text = device->type->profile;
	return sd_bus_message_append(reply, "s", text);
}

static int get_enabled(sd_bus *bus, const char *path, const char *interface, const char *property,
		       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "b", (int)config_of(userdata)->enabled);
}

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	const char *reason = NULL;
	enum fieldbus_state state =
		fieldbus_device_state(item->dbus->config.fieldbus, item->id, &reason);

	return sd_bus_message_append(reply, "s",
				     streq(property, "State") ? fieldbus_state_name(state) :
				     reason		      ?:
								"");
}

static int get_statistics(sd_bus *bus, const char *path, const char *interface,
			  const char *property, sd_bus_message *reply, void *userdata,
			  sd_bus_error *error)
{
	const struct item *item = userdata;
	struct fieldbus_statistics s;

	fieldbus_device_statistics(item->dbus->config.fieldbus, item->id, &s);
	return sd_bus_message_append(reply, "a{st}", 4, "requests", s.requests, "errors", s.errors,
				     "timeouts", s.timeouts, "conflated", s.conflated);
}

const sd_bus_vtable device_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("Explain", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("s", line, "a" AGENT1_REQUEST, requests),
				device_explain, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetStatistics", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a" AGENT1_REQUEST_STATISTICS, requests,
					      "a" AGENT1_POINT_STATISTICS, points),
				device_get_statistics, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetProfile", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a" AGENT1_PROFILE_VALUE, values), device_get_profile,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Read", SD_BUS_ARGS("as", points),
				SD_BUS_RESULT("a" AGENT1_READING, readings), device_read,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Publish", SD_BUS_ARGS("a" AGENT1_PUBLISHED, values), SD_BUS_NO_RESULT,
				device_publish, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("CompleteWrite", SD_BUS_ARGS("t", serial, "s", error, "s", detail),
				SD_BUS_NO_RESULT, device_complete_write, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("WriteRequested", SD_BUS_ARGS("t", serial, "s", point, "v", value), 0),
	SD_BUS_METHOD_WITH_ARGS("Pause", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, item_pause,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Resume", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, item_resume,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Name", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Bus", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Profile", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Enabled", "b", get_enabled, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Reason", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Paused", "b", get_paused, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Statistics", "a{st}", get_statistics, 0, 0),
	SD_BUS_VTABLE_END,
};
