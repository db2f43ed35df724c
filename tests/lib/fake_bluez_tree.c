/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_bluez.h"

#include <stdlib.h>
#include <string.h>

/* A test's peer: what cannot happen ends it. */
#define must(x) do { if ((x) < 0) { fprintf(stderr, "fake_bluez: %s\n", #x); abort(); } } while (0)

static void open_property(sd_bus_message *m, const char *name, const char *signature)
{
	must(sd_bus_message_open_container(m, 'e', "sv"));
	must(sd_bus_message_append(m, "s", name));
	must(sd_bus_message_open_container(m, 'v', signature));
}

static void close_property(sd_bus_message *m)
{
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
}

static void put_text(sd_bus_message *m, const char *name, const char *text)
{
	open_property(m, name, "s");
	must(sd_bus_message_append(m, "s", text));
	close_property(m);
}

static void put_bool(sd_bus_message *m, const char *name, bool value)
{
	open_property(m, name, "b");
	must(sd_bus_message_append(m, "b", (int)value));
	close_property(m);
}

static void put_path(sd_bus_message *m, const char *name, const char *path)
{
	open_property(m, name, "o");
	must(sd_bus_message_append(m, "o", path));
	close_property(m);
}

static void put_bytes(sd_bus_message *m, const uint8_t *data, size_t size)
{
	must(sd_bus_message_open_container(m, 'v', "ay"));
	must(sd_bus_message_append_array(m, 'y', data, size));
	must(sd_bus_message_close_container(m));
}

static void put_manufacturers(sd_bus_message *m, const struct fake_device *d)
{
	open_property(m, "ManufacturerData", "a{qv}");
	must(sd_bus_message_open_container(m, 'a', "{qv}"));
	for (size_t i = 0; i < d->n_manufacturers; i++) {
		const struct fake_entry *e = &d->manufacturers[i];

		must(sd_bus_message_open_container(m, 'e', "qv"));
		must(sd_bus_message_append(m, "q", (uint16_t)strtoul(e->name, NULL, 16)));
		put_bytes(m, e->data, e->size);
		must(sd_bus_message_close_container(m));
	}
	must(sd_bus_message_close_container(m));
	close_property(m);
}

static void put_services_data(sd_bus_message *m, const struct fake_device *d)
{
	open_property(m, "ServiceData", "a{sv}");
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
	for (size_t i = 0; i < d->n_services_data; i++) {
		const struct fake_entry *e = &d->services_data[i];

		must(sd_bus_message_open_container(m, 'e', "sv"));
		must(sd_bus_message_append(m, "s", e->name));
		put_bytes(m, e->data, e->size);
		must(sd_bus_message_close_container(m));
	}
	must(sd_bus_message_close_container(m));
	close_property(m);
}

static void put_rssi(sd_bus_message *m, const struct fake_device *d)
{
	open_property(m, "RSSI", "n");
	must(sd_bus_message_append(m, "n", d->rssi));
	close_property(m);
}

static void put_device(sd_bus_message *m, const struct fake_device *d)
{
	must(sd_bus_message_open_container(m, 'e', "sa{sv}"));
	must(sd_bus_message_append(m, "s", "org.bluez.Device1"));
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
	put_text(m, "Address", d->address);
	put_path(m, "Adapter", FAKE_ADAPTER_PATH);
	put_bool(m, "Connected", d->connected);
	put_bool(m, "ServicesResolved", d->resolved);
	put_bool(m, "Paired", d->paired);
	if (*d->name)
		put_text(m, "Name", d->name);
	if (d->has_rssi)
		put_rssi(m, d);
	if (d->n_manufacturers)
		put_manufacturers(m, d);
	if (d->n_services_data)
		put_services_data(m, d);
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
}

static void put_battery(sd_bus_message *m, const struct fake_device *d)
{
	open_property(m, "Percentage", "y");
	must(sd_bus_message_append(m, "y", (uint8_t)d->battery));
	close_property(m);
}

static void put_battery_interface(sd_bus_message *m, const struct fake_device *d)
{
	must(sd_bus_message_open_container(m, 'e', "sa{sv}"));
	must(sd_bus_message_append(m, "s", "org.bluez.Battery1"));
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
	put_battery(m, d);
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
}

static void put_interfaces_of_device(sd_bus_message *m, const struct fake_device *d)
{
	must(sd_bus_message_append(m, "o", d->path));
	must(sd_bus_message_open_container(m, 'a', "{sa{sv}}"));
	put_device(m, d);
	if (d->battery >= 0)
		put_battery_interface(m, d);
	must(sd_bus_message_close_container(m));
}

static void put_adapter(sd_bus_message *m, const struct fake *f)
{
	must(sd_bus_message_append(m, "o", FAKE_ADAPTER_PATH));
	must(sd_bus_message_open_container(m, 'a', "{sa{sv}}"));
	if (f->monitors) {
		must(sd_bus_message_open_container(m, 'e', "sa{sv}"));
		must(sd_bus_message_append(m, "sa{sv}", "org.bluez.AdvertisementMonitorManager1", 0));
		must(sd_bus_message_close_container(m));
	}
	must(sd_bus_message_open_container(m, 'e', "sa{sv}"));
	must(sd_bus_message_append(m, "s", "org.bluez.Adapter1"));
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
	put_text(m, "Address", f->adapter_address);
	put_bool(m, "Powered", f->powered);
	put_bool(m, "Discovering", f->discovering);
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
}

static void service_path(const struct fake_device *d, size_t i, char *ret, size_t size)
{
	snprintf(ret, size, "%s/service%04zx", d->path, 0x10 * (i + 1));
}

static void put_service(sd_bus_message *m, const struct fake_device *d, size_t i)
{
	char path[128];

	service_path(d, i, path, sizeof(path));
	must(sd_bus_message_append(m, "o", path));
	must(sd_bus_message_open_container(m, 'a', "{sa{sv}}"));
	must(sd_bus_message_open_container(m, 'e', "sa{sv}"));
	must(sd_bus_message_append(m, "s", "org.bluez.GattService1"));
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
	put_text(m, "UUID", d->services[i]);
	put_path(m, "Device", d->path);
	put_bool(m, "Primary", true);
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
}

static void put_flags(sd_bus_message *m, const struct fake_characteristic *c)
{
	char copy[sizeof(c->flags)], *rest = NULL;

	memcpy(copy, c->flags, sizeof(copy));
	open_property(m, "Flags", "as");
	must(sd_bus_message_open_container(m, 'a', "s"));
	for (char *w = strtok_r(copy, ",", &rest); w; w = strtok_r(NULL, ",", &rest))
		must(sd_bus_message_append(m, "s", w));
	must(sd_bus_message_close_container(m));
	close_property(m);
}

static void put_characteristic(sd_bus_message *m, const struct fake_characteristic *c)
{
	must(sd_bus_message_append(m, "o", c->path));
	must(sd_bus_message_open_container(m, 'a', "{sa{sv}}"));
	must(sd_bus_message_open_container(m, 'e', "sa{sv}"));
	must(sd_bus_message_append(m, "s", "org.bluez.GattCharacteristic1"));
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
	put_text(m, "UUID", c->uuid);
	put_bool(m, "Notifying", c->notifying);
	open_property(m, "MTU", "q");
	must(sd_bus_message_append(m, "q", 247));
	close_property(m);
	put_flags(m, c);
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
}

static void put_object(sd_bus_message *m, const struct fake_device *d, int service, int characteristic)
{
	must(sd_bus_message_open_container(m, 'e', "oa{sa{sv}}"));
	if (service >= 0)
		put_service(m, d, (size_t)service);
	else if (characteristic >= 0)
		put_characteristic(m, &d->characteristics[characteristic]);
	else
		put_interfaces_of_device(m, d);
	must(sd_bus_message_close_container(m));
}

/* The lowest objects first: real ones come in no order either. */
int fake_managed_objects(struct fake *f, sd_bus_message *m)
{
	must(sd_bus_message_open_container(m, 'a', "{oa{sa{sv}}}"));
	for (size_t i = 0; f->adapter && i < f->n_devices; i++) {
		const struct fake_device *d = &f->devices[i];

		for (size_t j = 0; d->there && d->resolved && j < d->n_characteristics; j++)
			if (!d->characteristics[j].gone)
				put_object(m, d, -1, (int)j);
		for (size_t j = 0; d->there && d->resolved && j < d->n_services; j++)
			put_object(m, d, (int)j, -1);
		if (d->there)
			put_object(m, d, -1, -1);
	}
	if (f->adapter) {
		must(sd_bus_message_open_container(m, 'e', "oa{sa{sv}}"));
		put_adapter(m, f);
		must(sd_bus_message_close_container(m));
	}
	return sd_bus_message_close_container(m);
}

/* ---- signals ---- */

static void emit(struct fake *f, sd_bus_message *m)
{
	if (f->present)
		must(sd_bus_send(f->bus, m, NULL));
	sd_bus_message_unref(m);
}

static sd_bus_message *added(struct fake *f)
{
	sd_bus_message *m = NULL;

	must(sd_bus_message_new_signal(f->bus, &m, "/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded"));
	return m;
}

static void emit_removed(struct fake *f, const char *path, const char *interface)
{
	sd_bus_message *m = NULL;

	must(sd_bus_message_new_signal(f->bus, &m, "/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved"));
	must(sd_bus_message_append(m, "oas", path, 2, interface, "org.freedesktop.DBus.Properties"));
	emit(f, m);
}

void fake_adapter_added(struct fake *f)
{
	sd_bus_message *m = added(f);

	put_adapter(m, f);
	emit(f, m);
}

void fake_adapter_removed(struct fake *f)
{
	emit_removed(f, FAKE_ADAPTER_PATH, "org.bluez.Adapter1");
}

void fake_device_added(struct fake *f, struct fake_device *d)
{
	sd_bus_message *m = added(f);

	put_interfaces_of_device(m, d);
	emit(f, m);
}

void fake_device_removed(struct fake *f, struct fake_device *d)
{
	emit_removed(f, d->path, "org.bluez.Device1");
}

void fake_services_added(struct fake *f, struct fake_device *d)
{
	sd_bus_message *m;

	for (size_t i = 0; i < d->n_services; i++) {
		m = added(f);
		put_service(m, d, i);
		emit(f, m);
	}
	for (size_t i = 0; i < d->n_characteristics; i++) {
		if (d->characteristics[i].gone)
			continue;
		m = added(f);
		put_characteristic(m, &d->characteristics[i]);
		emit(f, m);
	}
}

void fake_services_removed(struct fake *f, struct fake_device *d)
{
	char path[128];

	for (size_t i = 0; i < d->n_characteristics; i++)
		emit_removed(f, d->characteristics[i].path, "org.bluez.GattCharacteristic1");
	for (size_t i = 0; i < d->n_services; i++) {
		service_path(d, i, path, sizeof(path));
		emit_removed(f, path, "org.bluez.GattService1");
	}
}

static sd_bus_message *changed(struct fake *f, const char *path, const char *interface)
{
	sd_bus_message *m = NULL;

	must(sd_bus_message_new_signal(f->bus, &m, path, "org.freedesktop.DBus.Properties", "PropertiesChanged"));
	must(sd_bus_message_append(m, "s", interface));
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
	return m;
}

static void emit_changed(struct fake *f, sd_bus_message *m)
{
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_append(m, "as", 0));
	emit(f, m);
}

void fake_bool_changed(struct fake *f, const char *path, const char *interface, const char *name, bool value)
{
	sd_bus_message *m = changed(f, path, interface);

	put_bool(m, name, value);
	emit_changed(f, m);
}

void fake_rssi_changed(struct fake *f, struct fake_device *d)
{
	sd_bus_message *m = changed(f, d->path, "org.bluez.Device1");

	put_rssi(m, d);
	emit_changed(f, m);
}

void fake_data_changed(struct fake *f, struct fake_device *d, bool manufacturers)
{
	sd_bus_message *m = changed(f, d->path, "org.bluez.Device1");

	if (manufacturers)
		put_manufacturers(m, d);
	else
		put_services_data(m, d);
	emit_changed(f, m);
}

void fake_battery_changed(struct fake *f, struct fake_device *d)
{
	sd_bus_message *m = changed(f, d->path, "org.bluez.Battery1");

	put_battery(m, d);
	emit_changed(f, m);
}

void fake_value_changed(struct fake *f, struct fake_characteristic *c)
{
	sd_bus_message *m = changed(f, c->path, "org.bluez.GattCharacteristic1");

	must(sd_bus_message_open_container(m, 'e', "sv"));
	must(sd_bus_message_append(m, "s", "Value"));
	put_bytes(m, c->value, c->size);
	must(sd_bus_message_close_container(m));
	emit_changed(f, m);
}
