/* SPDX-License-Identifier: Apache-2.0 */
#include "api/plugin.h"

#include "driver.h"
#include "session.h"


static const struct fieldway_key keys[] = {
	/* The adapter. */
	{ .name = "adapter", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING, .initial = "any",
	  .help = "address in quotes, hci0 and so on, or any" },
	{ .name = "power", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_BOOL, .initial = "true",
	  .help = "switch the adapter on when it is off" },
	{ .name = "scan.mode", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING, .choices = scan_names,
	  .initial = "passive-if-possible", .help = "passive asks no device; off: only what bluetoothd hears anyway" },
	{ .name = "connections.max", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = CONNECTIONS_MAX, .initial = "5", .help = "connections that the adapter holds at once" },
	/* A device. */
	{ .name = "mac", .scope = FIELDWAY_SCOPE_ADDRESS, .flags = FIELDWAY_KEY_REQUIRED, .type = FIELDWAY_STRING,
	  .help = "the device's address, in quotes" },
	{ .name = "key", .scope = FIELDWAY_SCOPE_ADDRESS, .flags = FIELDWAY_KEY_SECRET, .type = FIELDWAY_STRING,
	  .help = "what BTHome packets are encrypted with, 16 bytes" },
	{ .name = "pair", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_BOOL,
	  .help = "pair with the device and keep the bond (false)" },
	{ .name = "passkey", .scope = FIELDWAY_SCOPE_ADDRESS, .flags = FIELDWAY_KEY_SECRET, .type = FIELDWAY_STRING,
	  .help = "the six digits that the device asks for" },
	{ .name = "decode", .scope = FIELDWAY_SCOPE_PROFILE, .type = FIELDWAY_STRING, .choices = decode_names,
	  .help = "what the points may be made of, beside from (anything)" },
	/* Where a point comes from: one of these. */
	{ .name = "bthome", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_STRING,
	  .help = "name of a BTHome object; temperature2 is the second of a packet" },
	{ .name = "eddystone", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_STRING,
	  .choices = eddystone_names, .help = "part of an Eddystone frame" },
	{ .name = "ibeacon", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_STRING,
	  .choices = ibeacon_names, .help = "part of an iBeacon" },
	{ .name = "manufacturer", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_UINT,
	  .minimum = 0, .maximum = 65535, .help = "company identifier: the value lies in its data" },
	{ .name = "service_data", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_STRING,
	  .help = "UUID: the value lies in its service data" },
	{ .name = "characteristic", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_STRING,
	  .help = "UUID of a GATT characteristic" },
	{ .name = "from", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_STRING,
	  .choices = device_names, .help = "what the adapter knows of the device" },
	/* Of a characteristic. */
	{ .name = "service", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING,
	  .help = "UUID of the service that the characteristic is in (any)" },
	{ .name = "index", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT, .minimum = 0, .maximum = INDEX_MAX,
	  .help = "which of several characteristics with the same UUID, by handle, from 0" },
	{ .name = "notify", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_BOOL,
	  .help = "the device tells the value by itself, and stays connected (false: it is read)" },
	{ .name = "write.response", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_BOOL,
	  .help = "the device confirms a write (true)" },
	/* How it lies in bytes. */
	{ .name = "at", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_UINT, .minimum = 0,
	  .maximum = OFFSET_MAX, .unit = "bytes", .help = "where the value begins (0)" },
	{ .name = "match", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING,
	  .help = "bytes in hexadecimal, in quotes, that the data has to begin with" },
	LAYOUT_KEYS(LENGTH_MAX),
};

/* What a broadcaster sends by itself comes when it comes. */
static enum fieldway_io driver_io(const struct fieldway_driver *driver)
{
	return FIELDWAY_IO_EVENTS;
}

FIELDWAY_EXPORT const struct fieldway_plugin fieldway_plugin = {
	.struct_size = sizeof(fieldway_plugin),
	.abi = FIELDWAY_ABI,
	.capabilities = FIELDWAY_CAN_LISTEN | FIELDWAY_CAN_WRITE,
	.name = "ble",
	.version = PACKAGE_VERSION,
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.bus_check = driver_bus_check,
	.driver_new = driver_new,
	.driver_free = driver_free,
	.line_name = driver_line_name,
	.plan_new = driver_plan,
	.plan_free = driver_plan_free,
	.decode = driver_decode,
	.write_check = driver_write_check,
	.driver_io = driver_io,
	.driver_notes = driver_notes,
	.bus_start = session_start,
	.bus_stop = session_stop,
	.bus_write = session_write,
	.bus_read = session_read,
	.bus_scan = session_scan,
	.bus_release = session_release,
	.bus_change = session_change,
	.sample = driver_sample,
};
