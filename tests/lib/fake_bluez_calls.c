/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_bluez.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE "org.bluez.Device1"
#define ADAPTER "org.bluez.Adapter1"

/* ---- what happens to a device ---- */

void fake_resolved(struct fake *f, struct fake_device *d)
{
	d->resolved = true;
	fake_services_added(f, d);
	fake_bool_changed(f, d->path, DEVICE, "ServicesResolved", true);
}

void fake_connected(struct fake *f, struct fake_device *d)
{
	d->connected = true;
	fake_bool_changed(f, d->path, DEVICE, "Connected", true);
	if (!d->holds)
		fake_resolved(f, d);
}

/* As bluetoothd: services stay listed for who is bonded; ours are all taken away. */
void fake_disconnected(struct fake *f, struct fake_device *d)
{
	if (d->hanging)
		sd_bus_reply_method_errorf(d->hanging, "org.bluez.Error.Failed", "Not connected");
	d->hanging = sd_bus_message_unref(d->hanging);
	for (size_t i = 0; i < d->n_characteristics; i++)
		d->characteristics[i].notifying = false;
	if (d->resolved) {
		d->resolved = false;
		fake_bool_changed(f, d->path, DEVICE, "ServicesResolved", false);
	}
	if (!d->connected)
		return;
	d->connected = false;
	fake_bool_changed(f, d->path, DEVICE, "Connected", false);
	fake_services_removed(f, d);
}

/* ---- faults ---- */

/* 1: the call has its answer, or will have. */
static int take_fault(struct fake_device *d, sd_bus_message *m)
{
	const char *member = sd_bus_message_get_member(m);

	for (size_t i = 0; i < d->n_faults; i++) {
		struct fake_fault *fault = &d->faults[i];
		char *text;

		if (strcmp(fault->member, member) != 0 || fault->count == 0)
			continue;
		if (fault->count > 0)
			fault->count--;
		if (strcmp(fault->error, "hang") == 0) {
			sd_bus_message_unref(d->hanging);
			d->hanging = sd_bus_message_ref(m);
			return 1;
		}
		text = strchr(fault->error, ':');
		if (text)
			return sd_bus_reply_method_errorf(m, strndupa(fault->error, (size_t)(text - fault->error)),
							  "%s", text + 1) < 0 ? -EIO : 1;
		return sd_bus_reply_method_errorf(m, fault->error, "fault") < 0 ? -EIO : 1;
	}
	return 0;
}

/* ---- calls to a device ---- */

static int call_connect(struct fake *f, struct fake_device *d, sd_bus_message *m)
{
	if (!f->powered)
		return sd_bus_reply_method_errorf(m, "org.bluez.Error.NotReady", "Resource Not Ready");
	if (!d->connected)
		fake_connected(f, d);
	return sd_bus_reply_method_return(m, "");
}

static int call_disconnect(struct fake *f, struct fake_device *d, sd_bus_message *m)
{
	fake_disconnected(f, d);
	return sd_bus_reply_method_return(m, "");
}

static int pair_ends(struct fake *f, struct fake_device *d, bool good)
{
	sd_bus_message *m = d->pairing;
	int r;

	d->pairing = NULL;
	if (good) {
		d->paired = true;
		if (!d->connected)
			fake_connected(f, d);
		fake_bool_changed(f, d->path, DEVICE, "Paired", true);
		r = sd_bus_reply_method_return(m, "");
	} else {
		r = sd_bus_reply_method_errorf(m, "org.bluez.Error.AuthenticationFailed", "Authentication Failed");
	}
	sd_bus_message_unref(m);
	return r;
}

struct question {
	struct fake *fake;
	struct fake_device *device;
};

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct question *q = userdata;
	struct fake_device *d = q->device;
	struct fake *f = q->fake;
	uint32_t passkey = 0;
	bool good = !sd_bus_message_is_method_error(m, NULL);

	free(q);
	if (good && strcmp(d->passkey, "confirm") != 0)
		good = sd_bus_message_read(m, "u", &passkey) >= 0 && passkey == strtoul(d->passkey, NULL, 10);
	if (f->trace)
		printf("trace answer %s\n", good ? "good" : "bad");
	return pair_ends(f, d, good);
}

static int call_pair(struct fake *f, struct fake_device *d, sd_bus_message *m)
{
	struct question *q;

	if (d->paired)
		return sd_bus_reply_method_errorf(m, "org.bluez.Error.AlreadyExists", "Already Exists");
	d->pairing = sd_bus_message_ref(m);
	if (!*d->passkey)
		return pair_ends(f, d, true);
	if (!*f->agent)
		return pair_ends(f, d, false);
	q = malloc(sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct question){ f, d };
	if (strcmp(d->passkey, "confirm") == 0)
		return sd_bus_call_method_async(f->bus, NULL, f->agent_owner, f->agent, "org.bluez.Agent1",
						"RequestConfirmation", on_answer, q, "ou", d->path, 123456);
	return sd_bus_call_method_async(f->bus, NULL, f->agent_owner, f->agent, "org.bluez.Agent1", "RequestPasskey",
					on_answer, q, "o", d->path);
}

/* ---- calls to a characteristic ---- */

static int call_read(struct fake *f, struct fake_characteristic *c, sd_bus_message *m)
{
	sd_bus_message *reply = NULL;
	int r;

	if (!strstr(c->flags, "read"))
		return sd_bus_reply_method_errorf(m, "org.bluez.Error.NotSupported", "Operation is not supported");
	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = sd_bus_message_append_array(reply, 'y', c->value, c->size);
	if (r >= 0)
		r = sd_bus_send(f->bus, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int call_write(struct fake *f, struct fake_characteristic *c, sd_bus_message *m)
{
	const void *data;
	const char *option, *type = "none";
	size_t size;
	int r = sd_bus_message_read_array(m, 'y', &data, &size);

	if (r >= 0 && sd_bus_message_enter_container(m, 'a', "{sv}") > 0 &&
	    sd_bus_message_enter_container(m, 'e', "sv") > 0 && sd_bus_message_read(m, "s", &option) > 0)
		r = sd_bus_message_read(m, "v", "s", &type);
	if (r < 0 || size > sizeof(c->value))
		return sd_bus_reply_method_errorf(m, "org.bluez.Error.InvalidArguments", "Invalid arguments");
	if (f->trace) {
		printf("trace written %s ", type);
		for (size_t i = 0; i < size; i++)
			printf("%02x", ((const uint8_t *)data)[i]);
		printf("\n");
	}
	memcpy(c->value, data, size);
	c->size = size;
	return sd_bus_reply_method_return(m, "");
}

static int call_notify(struct fake *f, struct fake_characteristic *c, sd_bus_message *m, bool on)
{
	if (!strstr(c->flags, "notify") && !strstr(c->flags, "indicate"))
		return sd_bus_reply_method_errorf(m, "org.bluez.Error.NotSupported", "Operation is not supported");
	c->notifying = on;
	fake_bool_changed(f, c->path, "org.bluez.GattCharacteristic1", "Notifying", on);
	return sd_bus_reply_method_return(m, "");
}

static int call_characteristic(struct fake *f, struct fake_device *d, struct fake_characteristic *c,
			       sd_bus_message *m)
{
	const char *member = sd_bus_message_get_member(m);

	if (!d->connected)
		return sd_bus_reply_method_errorf(m, "org.bluez.Error.Failed", "Not connected");
	if (strcmp(member, "ReadValue") == 0)
		return call_read(f, c, m);
	if (strcmp(member, "WriteValue") == 0)
		return call_write(f, c, m);
	if (strcmp(member, "StartNotify") == 0)
		return call_notify(f, c, m, true);
	if (strcmp(member, "StopNotify") == 0)
		return call_notify(f, c, m, false);
	if (strcmp(member, "AcquireNotify") == 0)
		return sd_bus_reply_method_errorf(m, "org.bluez.Error.NotSupported", "Operation is not supported");
	return 0;
}

/* ---- calls to the adapter and its managers ---- */

static int call_set(struct fake *f, sd_bus_message *m)
{
	const char *interface, *name;
	int value;

	if (sd_bus_message_read(m, "ss", &interface, &name) < 0 || strcmp(name, "Powered") != 0 ||
	    sd_bus_message_read(m, "v", "b", &value) < 0)
		return sd_bus_reply_method_errorf(m, "org.bluez.Error.InvalidArguments", "Invalid arguments");
	if (f->blocked)
		return sd_bus_reply_method_errorf(m, "org.bluez.Error.Failed", "Blocked through rfkill");
	if (f->powered != (value != 0)) {
		f->powered = value != 0;
		fake_bool_changed(f, FAKE_ADAPTER_PATH, ADAPTER, "Powered", f->powered);
	}
	return sd_bus_reply_method_return(m, "");
}

static int call_discovery(struct fake *f, sd_bus_message *m, bool on)
{
	if (!f->powered)
		return sd_bus_reply_method_errorf(m, "org.bluez.Error.NotReady", "Resource Not Ready");
	if (f->discovering != on) {
		f->discovering = on;
		fake_bool_changed(f, FAKE_ADAPTER_PATH, ADAPTER, "Discovering", on);
	}
	return sd_bus_reply_method_return(m, "");
}

static int call_remove(struct fake *f, sd_bus_message *m)
{
	const char *path;

	if (sd_bus_message_read(m, "o", &path) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < f->n_devices; i++) {
		struct fake_device *d = &f->devices[i];

		if (strcmp(d->path, path) != 0 || !d->there)
			continue;
		fake_disconnected(f, d);
		d->there = false;
		fake_device_removed(f, d);
		return sd_bus_reply_method_return(m, "");
	}
	return sd_bus_reply_method_errorf(m, "org.bluez.Error.DoesNotExist", "Does Not Exist");
}

static int call_agent(struct fake *f, sd_bus_message *m)
{
	const char *path, *capability;

	if (sd_bus_message_read(m, "os", &path, &capability) < 0)
		return -EBADMSG;
	snprintf(f->agent, sizeof(f->agent), "%s", path);
	snprintf(f->capability, sizeof(f->capability), "%s", capability);
	snprintf(f->agent_owner, sizeof(f->agent_owner), "%s", sd_bus_message_get_sender(m));
	return sd_bus_reply_method_return(m, "");
}

/* The first object of those that are listed. */
static void keep_monitor(struct fake *f, sd_bus_message *m)
{
	const char *path;

	if (sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}") > 0 &&
	    sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}") > 0 && sd_bus_message_read(m, "o", &path) > 0)
		snprintf(f->monitor, sizeof(f->monitor), "%s", path);
	snprintf(f->monitor_owner, sizeof(f->monitor_owner), "%s", sd_bus_message_get_sender(m));
}

void fake_release_monitor(struct fake *f)
{
	sd_bus_message *m = NULL;

	if (f->monitored && f->monitor[0] &&
	    sd_bus_message_new_method_call(f->bus, &m, f->monitor_owner, f->monitor,
					   "org.bluez.AdvertisementMonitor1", "Release") >= 0) {
		sd_bus_message_set_expect_reply(m, 0);
		sd_bus_send(f->bus, m, NULL);
	}
	sd_bus_message_unref(m);
	f->monitored = false;
}

/* As bluetoothd: the monitors are objects of whoever registers. */
static int on_monitors(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fake *f = userdata;

	f->monitored = !sd_bus_message_is_method_error(m, NULL);
	if (f->monitored)
		keep_monitor(f, m);
	printf("trace monitors %s\n", f->monitored ? "read" : "failed");
	return 0;
}

static int call_monitor(struct fake *f, sd_bus_message *m)
{
	const char *path;
	int r;

	if (sd_bus_message_read(m, "o", &path) < 0)
		return -EBADMSG;
	r = sd_bus_call_method_async(f->bus, NULL, sd_bus_message_get_sender(m), path,
				     "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", on_monitors, f, "");
	return r < 0 ? r : sd_bus_reply_method_return(m, "");
}

static int call_objects(struct fake *f, sd_bus_message *m)
{
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(m, &reply);

	if (r >= 0)
		r = fake_managed_objects(f, reply);
	if (r >= 0)
		r = sd_bus_send(f->bus, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

static int call_other(struct fake *f, sd_bus_message *m)
{
	const char *member = sd_bus_message_get_member(m);

	if (strcmp(member, f->denied) == 0)
		return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_ACCESS_DENIED, "Rejected send message");
	if (strcmp(member, "GetManagedObjects") == 0)
		return call_objects(f, m);
	if (strcmp(member, "Set") == 0)
		return call_set(f, m);
	if (strcmp(member, "SetDiscoveryFilter") == 0)
		return sd_bus_reply_method_return(m, "");
	if (strcmp(member, "StartDiscovery") == 0)
		return call_discovery(f, m, true);
	if (strcmp(member, "StopDiscovery") == 0)
		return call_discovery(f, m, false);
	if (strcmp(member, "RemoveDevice") == 0)
		return call_remove(f, m);
	if (strcmp(member, "RegisterAgent") == 0)
		return call_agent(f, m);
	if (strcmp(member, "RegisterMonitor") == 0)
		return call_monitor(f, m);
	return 0;
}

static int call_device(struct fake *f, struct fake_device *d, const char *path, sd_bus_message *m)
{
	const char *member = sd_bus_message_get_member(m);
	int r = take_fault(d, m);

	if (r != 0)
		return r;
	for (size_t i = 0; i < d->n_characteristics; i++)
		if (strcmp(d->characteristics[i].path, path) == 0 && !d->characteristics[i].gone)
			return call_characteristic(f, d, &d->characteristics[i], m);
	if (strcmp(path, d->path) != 0)
		return 0;
	if (strcmp(member, "Connect") == 0)
		return call_connect(f, d, m);
	if (strcmp(member, "Disconnect") == 0)
		return call_disconnect(f, d, m);
	if (strcmp(member, "Pair") == 0)
		return call_pair(f, d, m);
	return 0;
}

int fake_call(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *path = sd_bus_message_get_path(m), *name = strrchr(path, '/');
	struct fake *f = userdata;

	if (f->trace)
		printf("trace %s %s\n", sd_bus_message_get_member(m), name[1] ? name + 1 : "/");
	for (size_t i = 0; i < f->n_devices; i++) {
		struct fake_device *d = &f->devices[i];
		size_t size = strlen(d->path);

		if (d->there && strncmp(path, d->path, size) == 0 && (path[size] == '/' || path[size] == 0))
			return call_device(f, d, path, m);
	}
	return call_other(f, m);
}
