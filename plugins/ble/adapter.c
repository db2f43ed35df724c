/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/lib/moment.h"
#include "properties.h"
#include "session.h"

/* bluetoothd discovers in rounds with rests; only a longer silence means that it has stopped. */
#define QUIET_USEC UINT64_C(10000000)

static struct adapter *adapter_find(struct fieldway_session *s, const char *path)
{
	for (size_t i = 0; i < s->n_adapters; i++)
		if (strcmp(s->adapters[i].path, path) == 0)
			return &s->adapters[i];
	return NULL;
}

static struct adapter *adapter_add(struct fieldway_session *s, const char *path)
{
	struct adapter *a = adapter_find(s, path);

	if (a || s->n_adapters == ADAPTERS_MAX)
		return a;
	a = &s->adapters[s->n_adapters];
	*a = (struct adapter){ .path = strdup(path) };
	if (!a->path)
		return NULL;
	s->n_adapters++;
	return a;
}

static bool adapter_is_wanted(const struct fieldway_session *s, const struct adapter *a)
{
	const char *name = strrchr(a->path, '/');

	if (s->settings.any_adapter)
		return true;
	return strcasecmp(a->address ? a->address : "", s->settings.adapter) == 0 ||
	       (name && strcmp(name + 1, s->settings.adapter) == 0);
}

void adapter_choose(struct fieldway_session *s)
{
	s->adapter = NULL;
	for (size_t i = 0; i < s->n_adapters; i++) {
		struct adapter *a = &s->adapters[i];

		if (adapter_is_wanted(s, a) && (!s->adapter || (a->powered && !s->adapter->powered)))
			s->adapter = a;
	}
	s->retry_usec = 0;
	s->failures = 0;
	if (!s->adapter)
		session_enter(s, CONDITION_NO_ADAPTER, "");
	else
		session_enter(s, s->adapter->powered ? CONDITION_READY : CONDITION_OFF, "");
}

static int take_property(const char *name, sd_bus_message *m, void *userdata)
{
	struct adapter *a = userdata;
	const char *address;
	int r;

	if (strcmp(name, "Powered") == 0)
		return property_bool(m, &a->powered);
	if (strcmp(name, "Discovering") == 0)
		return property_bool(m, &a->discovering);
	if (strcmp(name, "Address") != 0)
		return 0;
	r = property_text(m, 's', &address);
	if (r > 0) {
		free(a->address);
		a->address = strdup(address);
	}
	return r;
}

/* What has become of our own one. */
static void adapter_look(struct fieldway_session *s)
{
	if (s->adapter->powered && s->condition == CONDITION_OFF) {
		s->failures = 0;
		s->retry_usec = 0;
		session_enter(s, CONDITION_READY, "");
	} else if (!s->adapter->powered && s->condition == CONDITION_READY) {
		/* Whoever has switched it off is not contradicted at once. */
		s->retry_usec = moment_now_usec() + retry_delay(s->failures++);
		session_enter(s, CONDITION_OFF, "");
	}
	if (s->adapter->discovering)
		s->quiet_usec = NEVER;
	else if (s->active && s->quiet_usec == NEVER)
		s->quiet_usec = moment_now_usec();
}

int adapter_properties(struct fieldway_session *s, const char *path, sd_bus_message *m)
{
	struct adapter *a = adapter_add(s, path);
	int r;

	if (!a)
		return sd_bus_message_skip(m, "a{sv}");
	r = properties_each(m, take_property, a);
	if (r < 0 || s->condition == CONDITION_LOOKING)
		return r;
	if (s->adapter == a)
		adapter_look(s);
	else if (!s->adapter && adapter_is_wanted(s, a))
		/* Its devices may be there already. */
		tree_ask(s);
	return r;
}

void adapter_monitors(struct fieldway_session *s, const char *path, bool there)
{
	struct adapter *a = adapter_find(s, path);

	if (a)
		a->has_monitors = there;
}

void adapter_removed(struct fieldway_session *s, const char *path)
{
	struct adapter *a = adapter_find(s, path);

	if (!a)
		return;
	if (a == s->adapter) {
		s->adapter = NULL;
		session_enter(s, CONDITION_NO_ADAPTER, "");
		/* Perhaps there is another. */
		tree_ask(s);
		return;
	}
	free(a->path);
	free(a->address);
	memmove(a, a + 1, (size_t)(s->adapters + s->n_adapters - (a + 1)) * sizeof(*a));
	s->n_adapters--;
	if (s->adapter > a)
		s->adapter--;
}

void adapter_forget(struct fieldway_session *s)
{
	s->setup = sd_bus_slot_unref(s->setup);
	agent_stop(s);
	monitor_stop(s);
	/* bluetoothd lets go of monitors when it ends, too, and the next one may have them. */
	s->filtered = s->active = s->passive = s->no_monitors = false;
	s->quiet_usec = NEVER;
}

void adapter_leave(struct fieldway_session *s)
{
	for (size_t i = 0; i < s->n_remotes; i++)
		remote_leave(s->remotes[i]);
	/* Discovery, agent and monitors end with the connection to the bus. */
}

/* Nobody waits for the end: calls stay in order. */
static void take_back(struct fieldway_session *s, const char *path, const char *interface, const char *member,
		      const char *object)
{
	sd_bus_message *m = NULL;
	int r = link_call(s, path, interface, member, &m);

	if (r >= 0)
		r = sd_bus_message_append(m, "o", object);
	if (r >= 0)
		link_send(s, NULL, m, NULL, NULL, 0);
	sd_bus_message_unref(m);
}

void adapter_change(struct fieldway_session *s, bool agent)
{
	if (!s->adapter || !s->link)
		return;
	if (s->passive) {
		take_back(s, s->adapter->path, BLUEZ_MONITORS, "UnregisterMonitor", MONITOR_ROOT);
		monitor_stop(s);
		s->passive = false;
	}
	/* What was too much for patterns may fit now. */
	s->no_monitors = false;
	if (agent && s->agent) {
		take_back(s, "/org/bluez", "org.bluez.AgentManager1", "UnregisterAgent", AGENT_PATH);
		agent_stop(s);
	}
}

/* ---- setting it up, one call after the other ---- */

/* The end of a call that set something up. flag: what it is about. */
static bool setup_ended(struct fieldway_session *s, sd_bus_message *m)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);

	s->setup = sd_bus_slot_unref(s->setup);
	if (!e || sd_bus_error_has_name(e, "org.bluez.Error.InProgress") ||
	    sd_bus_error_has_name(e, "org.bluez.Error.AlreadyExists")) {
		s->failures = 0;
		return true;
	}
	trouble_of(e, s->trouble, sizeof(s->trouble));
	s->retry_usec = moment_now_usec() + retry_delay(s->failures++);
	return false;
}

static int on_powered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;

	/* Success shows in the property. Until then it is not asked again. */
	if (setup_ended(s, m))
		s->retry_usec = moment_now_usec() + retry_delay(s->failures++);
	if (s->condition == CONDITION_OFF)
		session_enter(s, CONDITION_OFF, s->trouble);
	return 0;
}

/* Whatever the devices need of the adapter cannot be had. */
static void tell_refusal(struct fieldway_session *s, const char *what)
{
	for (size_t i = 0; i < s->n_remotes; i++)
		if (s->remotes[i]->phase == PHASE_IDLE)
			remote_tell(s->remotes[i], FIELDWAY_DEVICE_FAILED, "%s: %s", what, s->trouble);
}

static int on_filtered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;

	s->filtered = setup_ended(s, m);
	if (!s->filtered)
		tell_refusal(s, "scanning");
	return 0;
}

static int on_discovery(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;

	s->active = setup_ended(s, m);
	if (!s->active)
		tell_refusal(s, "scanning");
	else if (!s->adapter->discovering)
		s->quiet_usec = moment_now_usec();
	return 0;
}

static int on_discovery_stopped(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;

	setup_ended(s, m);
	s->active = false;
	s->quiet_usec = NEVER;
	return 0;
}

static int on_monitor(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;

	s->passive = setup_ended(s, m);
	if (!s->passive) {
		/* Then actively, and at once. */
		monitor_stop(s);
		s->no_monitors = true;
		s->retry_usec = 0;
	}
	return 0;
}

static int on_agent(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;

	s->agent = setup_ended(s, m);
	if (!s->agent)
		tell_refusal(s, "pairing");
	return 0;
}

static int power_on(struct fieldway_session *s)
{
	sd_bus_message *m = NULL;
	int r = link_call(s, s->adapter->path, "org.freedesktop.DBus.Properties", "Set", &m);

	if (r >= 0)
		r = sd_bus_message_append(m, "ssv", BLUEZ_ADAPTER, "Powered", "b", 1);
	if (r >= 0)
		r = link_send(s, &s->setup, m, on_powered, s, CALL_USEC);
	sd_bus_message_unref(m);
	return r;
}

static int set_filter(struct fieldway_session *s)
{
	sd_bus_message *m = NULL;
	int r = link_call(s, s->adapter->path, BLUEZ_ADAPTER, "SetDiscoveryFilter", &m);

	/* Duplicates tell that a device is there, even when it always says the same. */
	if (r >= 0)
		r = sd_bus_message_append(m, "a{sv}", 2, "Transport", "s", "le", "DuplicateData", "b", 1);
	if (r >= 0)
		r = link_send(s, &s->setup, m, on_filtered, s, CALL_USEC);
	sd_bus_message_unref(m);
	return r;
}

static int discover(struct fieldway_session *s, const char *member, sd_bus_message_handler_t done)
{
	sd_bus_message *m = NULL;
	int r = link_call(s, s->adapter->path, BLUEZ_ADAPTER, member, &m);

	if (r >= 0)
		r = link_send(s, &s->setup, m, done, s, CALL_USEC);
	sd_bus_message_unref(m);
	return r;
}

static int register_agent(struct fieldway_session *s)
{
	sd_bus_message *m = NULL;
	int r = agent_start(s);

	if (r >= 0)
		r = link_call(s, "/org/bluez", "org.bluez.AgentManager1", "RegisterAgent", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "os", AGENT_PATH, agent_capability(s));
	if (r >= 0)
		r = link_send(s, &s->setup, m, on_agent, s, CALL_USEC);
	sd_bus_message_unref(m);
	return r;
}

static bool wants_agent(const struct fieldway_session *s)
{
	for (size_t i = 0; i < s->n_remotes; i++)
		if (s->remotes[i]->driver->pair)
			return true;
	return false;
}

static bool wants_passive(const struct fieldway_session *s)
{
	return s->settings.scan == SCAN_PASSIVE && s->adapter->has_monitors && !s->no_monitors && monitor_fits(s);
}

static bool wants_active(const struct fieldway_session *s)
{
	return s->scan_usec || s->settings.scan == SCAN_ACTIVE ||
	       (s->settings.scan == SCAN_PASSIVE && !wants_passive(s));
}

/* The next call that is needed. */
static int adapter_step(struct fieldway_session *s)
{
	if (s->condition == CONDITION_OFF)
		return s->settings.power ? power_on(s) : 0;
	if (wants_agent(s) && !s->agent)
		return register_agent(s);
	if (wants_passive(s) && !s->passive)
		return monitor_start(s, on_monitor);
	if (wants_active(s) && !s->filtered)
		return set_filter(s);
	if (wants_active(s) && !s->active)
		return discover(s, "StartDiscovery", on_discovery);
	if (!wants_active(s) && s->active)
		return discover(s, "StopDiscovery", on_discovery_stopped);
	return 0;
}

void adapter_turn(struct fieldway_session *s, uint64_t now, uint64_t *next)
{
	if (!s->adapter || s->setup || (s->condition != CONDITION_OFF && s->condition != CONDITION_READY))
		return;
	if (s->active && s->quiet_usec != NEVER) {
		if (now < s->quiet_usec + QUIET_USEC) {
			earliest(next, s->quiet_usec + QUIET_USEC);
		} else {
			s->active = s->filtered = false;
			s->quiet_usec = NEVER;
		}
	}
	if (now < s->retry_usec)
		earliest(next, s->retry_usec);
	else if (adapter_step(s) < 0)
		earliest(next, s->retry_usec = now + retry_delay(s->failures++));
}
