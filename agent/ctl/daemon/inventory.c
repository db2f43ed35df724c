/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/daemon/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"
#include "ctl/daemon/client.h"
#include "dbus/agent1.h"

/* While the message is read; the arrays grow. */
struct reader {
	struct arena arena;
	struct buf endpoints, devices, buses;
	size_t objects;
};

static int take_endpoint(sd_bus_message *m, struct reader *reader)
{
	struct endpoint_record e;
	int r = endpoint_record_read(m, &reader->arena, &e);

	return r < 0 ? r : buf_append(&reader->endpoints, &e, sizeof(e));
}

static int take_device(sd_bus_message *m, struct reader *reader)
{
	struct device_record d;
	int r = device_record_read(m, &reader->arena, &d);

	return r < 0 ? r : buf_append(&reader->devices, &d, sizeof(d));
}

static int take_bus(sd_bus_message *m, struct reader *reader)
{
	struct bus_record b;
	int r = bus_record_read(m, &reader->arena, &b);

	return r < 0 ? r : buf_append(&reader->buses, &b, sizeof(b));
}

static int read_interface(sd_bus_message *m, void *reader)
{
	const char *name;
	int r = sd_bus_message_read_basic(m, 's', &name);

	if (r <= 0)
		return record_error(r);
	if (streq(name, AGENT1_ENDPOINT))
		return take_endpoint(m, reader);
	if (streq(name, AGENT1_DEVICE))
		return take_device(m, reader);
	if (streq(name, AGENT1_BUS))
		return take_bus(m, reader);
	r = sd_bus_message_skip(m, "a{sv}");
	return r >= 0 ? 0 : record_error(r);
}

static int read_object(sd_bus_message *m, void *userdata)
{
	struct reader *reader = userdata;
	int r = sd_bus_message_skip(m, "o");

	if (r < 0)
		return record_error(r);
	if (++reader->objects > INVENTORY_OBJECTS_MAX)
		return -E2BIG;
	return record_entries_read(m, "{sa{sv}}", read_interface, reader);
}

static int by_endpoint_name(const void *a, const void *b)
{
	const struct endpoint_record *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int by_device_name(const void *a, const void *b)
{
	const struct device_record *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int by_bus_name(const void *a, const void *b)
{
	const struct bus_record *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static void sort(struct inventory *i)
{
	if (i->n_endpoints > 0)
		qsort(i->endpoints, i->n_endpoints, sizeof(*i->endpoints), by_endpoint_name);
	if (i->n_devices > 0)
		qsort(i->devices, i->n_devices, sizeof(*i->devices), by_device_name);
	if (i->n_buses > 0)
		qsort(i->buses, i->n_buses, sizeof(*i->buses), by_bus_name);
}

int inventory_read(sd_bus_message *m, struct inventory *ret)
{
	struct reader reader = { 0 };
	struct inventory i;
	int r = record_entries_read(m, "{oa{sa{sv}}}", read_object, &reader);

	i = (struct inventory){
		.endpoints = (void *)reader.endpoints.data,
		.n_endpoints = reader.endpoints.size / sizeof(*i.endpoints),
		.devices = (void *)reader.devices.data,
		.n_devices = reader.devices.size / sizeof(*i.devices),
		.buses = (void *)reader.buses.data,
		.n_buses = reader.buses.size / sizeof(*i.buses),
		.arena = reader.arena,
		.message = sd_bus_message_ref(m),
	};
	if (r < 0) {
		inventory_done(&i);
		return r;
	}
	sort(&i);
	*ret = i;
	return 0;
}

void inventory_done(struct inventory *i)
{
	free(i->endpoints);
	free(i->devices);
	free(i->buses);
	arena_done(&i->arena);
	sd_bus_message_unref(i->message);
	*i = (struct inventory){ 0 };
}

int inventory_fetch(struct client *client, struct inventory *ret)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r = client_call(client, AGENT1_PATH, "org.freedesktop.DBus.ObjectManager",
			    "GetManagedObjects", &reply, "");

	if (r < 0)
		return r;
	r = inventory_read(reply, ret);
	return r < 0 ? client_misunderstood(r) : 0;
}
