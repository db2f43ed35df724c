/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/lib/moment.h"
#include "properties.h"
#include "session.h"

/* In which order the objects are taken: they are listed in none. */
enum level {
	LEVEL_ADAPTERS,
	LEVEL_DEVICES,
	LEVEL_BELOW,
	LEVEL_ALL, /* they come one after the other, the upper first */
	/* Of devices that are fresh only. */
	LEVEL_FRESH,
	LEVEL_BELOW_FRESH,
};

static bool is_on(enum level wanted, enum level level)
{
	return wanted == level || wanted == LEVEL_ALL;
}

/* One interface of one object; the properties are next in m. */
static int take_interface(struct fieldway_session *s, const char *path, const char *interface, sd_bus_message *m,
			  enum level level)
{
	struct remote *r;

	if (strcmp(interface, BLUEZ_DEVICE) == 0 && level == LEVEL_FRESH && !remote_find(s, path))
		return remote_properties(s, path, m, false);
	if (strcmp(interface, BLUEZ_ADAPTER) == 0 && is_on(level, LEVEL_ADAPTERS))
		return adapter_properties(s, path, m);
	if (strcmp(interface, BLUEZ_DEVICE) == 0 && is_on(level, LEVEL_DEVICES))
		return remote_properties(s, path, m, level == LEVEL_ALL);
	if (strcmp(interface, BLUEZ_MONITORS) == 0 && is_on(level, LEVEL_DEVICES))
		adapter_monitors(s, path, true);
	r = is_on(level, LEVEL_BELOW) || level == LEVEL_BELOW_FRESH ? remote_above(s, path) : NULL;
	if (r && level == LEVEL_BELOW_FRESH && !r->fresh)
		r = NULL;
	if (r && strcmp(interface, BLUEZ_SERVICE) == 0)
		return gatt_service_added(r, path, m);
	if (r && strcmp(interface, BLUEZ_CHARACTERISTIC) == 0)
		return gatt_characteristic_properties(r, path, m, false);
	if (r && strcmp(interface, BLUEZ_BATTERY) == 0)
		return remote_battery(r, m);
	return sd_bus_message_skip(m, "a{sv}");
}

static int take_interfaces(struct fieldway_session *s, const char *path, sd_bus_message *m, enum level level)
{
	const char *interface;
	int r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		r = sd_bus_message_read(m, "s", &interface);
		if (r >= 0)
			r = take_interface(s, path, interface, m, level);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int take_objects(struct fieldway_session *s, sd_bus_message *m, enum level level)
{
	const char *path;
	int r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
		r = sd_bus_message_read(m, "o", &path);
		if (r >= 0)
			r = take_interfaces(s, path, m, level);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r;
}

/* Nothing else would make anybody ask again: bluetoothd is there, and may be asked when it has come to itself. */
static void ask_later(struct fieldway_session *s, const char *text)
{
	session_enter(s, CONDITION_NO_BLUEZ, text);
	s->retry_usec = moment_now_usec() + retry_delay(s->failures++);
}

void tree_turn(struct fieldway_session *s, uint64_t now, uint64_t *next)
{
	if (!s->link || !s->owner || s->condition != CONDITION_NO_BLUEZ)
		return;
	if (now >= s->retry_usec)
		tree_ask(s);
	if (s->condition == CONDITION_NO_BLUEZ)
		earliest(next, s->retry_usec);
}

static int on_objects(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;
	char text[TROUBLE_MAX];
	int r;

	/* An answer of the bluetoothd before this one. */
	if (s->condition != CONDITION_LOOKING)
		return 0;
	if (sd_bus_message_is_method_error(m, NULL)) {
		trouble_of(sd_bus_message_get_error(m), text, sizeof(text));
		ask_later(s, text);
		return 0;
	}
	r = take_objects(s, m, LEVEL_ADAPTERS);
	adapter_choose(s);
	for (int level = LEVEL_DEVICES; r >= 0 && level <= LEVEL_BELOW; level++) {
		r = sd_bus_message_rewind(m, true);
		if (r >= 0)
			r = take_objects(s, m, level);
	}
	if (r < 0)
		ask_later(s, "bluetoothd's answer is not understood");
	return 0;
}

int tree_ask(struct fieldway_session *s)
{
	sd_bus_message *m = NULL;
	int r;

	session_enter(s, CONDITION_LOOKING, "");
	r = link_call(s, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &m);
	if (r >= 0)
		r = link_send(s, NULL, m, on_objects, s, CALL_USEC);
	sd_bus_message_unref(m);
	if (r < 0)
		ask_later(s, strerror(-r));
	return r;
}

static int on_scan(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;

	if (s->condition == CONDITION_READY && !sd_bus_message_is_method_error(m, NULL))
		take_objects(s, m, LEVEL_DEVICES);
	return 0;
}

int tree_scan(struct fieldway_session *s)
{
	sd_bus_message *m = NULL;
	int r = link_call(s, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &m);

	if (r >= 0)
		r = link_send(s, NULL, m, on_scan, s, CALL_USEC);
	sd_bus_message_unref(m);
	return r;
}

static int on_look(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;

	if (s->condition != CONDITION_READY || sd_bus_message_is_method_error(m, NULL))
		return 0;
	if (take_objects(s, m, LEVEL_FRESH) >= 0 && sd_bus_message_rewind(m, true) >= 0)
		take_objects(s, m, LEVEL_BELOW_FRESH);
	for (size_t i = 0; i < s->n_remotes; i++)
		s->remotes[i]->fresh = false;
	return 0;
}

int tree_look(struct fieldway_session *s)
{
	sd_bus_message *m = NULL;
	int r = link_call(s, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &m);

	if (r >= 0)
		r = link_send(s, NULL, m, on_look, s, CALL_USEC);
	sd_bus_message_unref(m);
	return r;
}

int tree_added(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *path;

	if (session_is_bluez(userdata, m) && sd_bus_message_read(m, "o", &path) >= 0)
		take_interfaces(userdata, path, m, LEVEL_ALL);
	return 0;
}

static void remove_interface(struct fieldway_session *s, const char *path, const char *interface)
{
	struct remote *r;

	if (strcmp(interface, BLUEZ_ADAPTER) == 0)
		adapter_removed(s, path);
	else if (strcmp(interface, BLUEZ_MONITORS) == 0)
		adapter_monitors(s, path, false);
	else if (strcmp(interface, BLUEZ_DEVICE) == 0 && (r = remote_find(s, path)))
		remote_removed(r);
	else if ((r = remote_above(s, path)))
		gatt_removed(r, path);
}

int tree_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *path, *interface;

	if (!session_is_bluez(userdata, m) || sd_bus_message_read(m, "o", &path) < 0 ||
	    sd_bus_message_enter_container(m, 'a', "s") < 0)
		return 0;
	while (sd_bus_message_read(m, "s", &interface) > 0)
		remove_interface(userdata, path, interface);
	return 0;
}

int tree_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;
	const char *interface, *name, *path = sd_bus_message_get_path(m);
	struct remote *r;

	if (!session_is_bluez(s, m) || sd_bus_message_read(m, "s", &interface) < 0)
		return 0;
	if (strcmp(interface, BLUEZ_CHARACTERISTIC) == 0) {
		r = remote_above(s, path);
		if (r)
			gatt_characteristic_properties(r, path, m, true);
		return 0;
	}
	r = strcmp(interface, BLUEZ_DEVICE) == 0 ? remote_find(s, path) : NULL;
	/* Most that is heard is of devices that are none of ours. */
	if (!r && strcmp(interface, BLUEZ_DEVICE) == 0)
		return 0;
	if (take_interface(s, path, interface, m, LEVEL_ALL) < 0)
		return 0;
	if (!r || sd_bus_message_enter_container(m, 'a', "s") < 0)
		return 0;
	while (sd_bus_message_read(m, "s", &name) > 0)
		remote_invalidated(r, name);
	return 0;
}

void tree_forget(struct fieldway_session *s)
{
	for (size_t i = 0; i < s->n_adapters; i++) {
		free(s->adapters[i].path);
		free(s->adapters[i].address);
	}
	memset(s->adapters, 0, sizeof(s->adapters));
	s->n_adapters = 0;
	s->adapter = NULL;
	for (size_t i = 0; i < s->n_remotes; i++)
		remote_forget(s->remotes[i]);
}
