/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <systemd/sd-bus.h>

/* tests/lib/fake_bluez: an org.bluez whose radio is its standard input. See fake_bluez.md. */

#define FAKE_DEVICES 32
#define FAKE_CHARACTERISTICS 300
#define FAKE_ENTRIES 8
#define FAKE_VALUE 512
#define FAKE_FAULTS 8

struct fake_entry {
	char name[40]; /* UUID, or company in hexadecimal */
	uint8_t data[256];
	size_t size;
};

struct fake_characteristic {
	char path[128], uuid[40], flags[80]; /* flags: between commas */
	uint8_t value[FAKE_VALUE];
	size_t size;
	bool notifying, gone;
};

struct fake_fault {
	char member[32], error[80]; /* error "hang": no answer until the connection is dropped */
	int count;		    /* -1: for good */
};

struct fake_device {
	char path[64], address[18], name[64];
	bool there, has_rssi, connected, resolved, paired, holds; /* holds: services are resolved by command */
	int16_t rssi;
	int battery; /* -1: none */
	struct fake_entry manufacturers[FAKE_ENTRIES], services_data[FAKE_ENTRIES];
	size_t n_manufacturers, n_services_data;
	char services[4][40];
	size_t n_services;
	struct fake_characteristic characteristics[FAKE_CHARACTERISTICS];
	size_t n_characteristics;
	struct fake_fault faults[FAKE_FAULTS];
	size_t n_faults;
	sd_bus_message *hanging, *pairing;
	char passkey[16]; /* that it asks for; "": it just works */
};

struct fake {
	sd_bus *bus;
	bool present, adapter, powered, discovering, monitored, monitors, trace, blocked;
	char adapter_address[18], agent[64], agent_owner[32], capability[32];
	char monitor[64], monitor_owner[32];
	char denied[32]; /* a member that the policy does not allow */
	struct fake_device devices[FAKE_DEVICES];
	size_t n_devices;
};

#define FAKE_ADAPTER_PATH "/org/bluez/hci0"

/* fake_bluez_tree.c: what is told. */
int fake_managed_objects(struct fake *f, sd_bus_message *m);
void fake_device_added(struct fake *f, struct fake_device *d);
void fake_device_removed(struct fake *f, struct fake_device *d);
void fake_services_added(struct fake *f, struct fake_device *d);
void fake_services_removed(struct fake *f, struct fake_device *d);
void fake_adapter_added(struct fake *f);
void fake_adapter_removed(struct fake *f);
void fake_bool_changed(struct fake *f, const char *path, const char *interface, const char *name, bool value);
void fake_rssi_changed(struct fake *f, struct fake_device *d);
void fake_data_changed(struct fake *f, struct fake_device *d, bool manufacturers);
void fake_battery_changed(struct fake *f, struct fake_device *d);
void fake_value_changed(struct fake *f, struct fake_characteristic *c);

/* fake_bluez_calls.c: what is asked. */
int fake_call(sd_bus_message *m, void *userdata, sd_bus_error *error);
void fake_connected(struct fake *f, struct fake_device *d);
void fake_disconnected(struct fake *f, struct fake_device *d);
void fake_resolved(struct fake *f, struct fake_device *d);
/* As bluetoothd, when the adapter or it itself goes. */
void fake_release_monitor(struct fake *f);

/* fake_bluez_control.c */
void fake_command(struct fake *f, char *line, FILE *out);
