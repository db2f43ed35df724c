/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keys_internal.h"

/* Places of buses.d and devices.d. */

static const struct key bus_keys[] = {
	SCHEMA("format version of the file"),
	{ "bus", KEY_NAME, .required = true, .reload = RELOAD_BUS, AT(bus_section, bus),
	  .help = "its name" },
	{ "plugin", KEY_NAME, .required = true, .reload = RELOAD_BUS, AT(bus_section, plugin),
	  .help = "protocol" },
	{ "timeout", KEY_DURATION, .minimum = 0.001, .maximum = 60, .initial = "1s",
	  .reload = RELOAD_BUS, AT(bus_section, timeout_usec), .help = "silence after a request" },
	{ "retries", KEY_UINT, .maximum = 10, .initial = "1", .reload = RELOAD_BUS,
	  AT(bus_section, retries), .help = "more tries of one request" },
	{ "offline", KEY_NODE, .reload = RELOAD_BUS, AT(bus_section, offline),
	  .help = "when a device is given up" },
	{ "rates", KEY_NODE, .reload = RELOAD_BUS, AT(bus_section, rates),
	  .help = "classes of the profiles, slower or faster here" },
	{ "stale", KEY_NODE, AT(bus_section, stale), .help = "as in fieldway.yaml, for this bus" },
};

static const struct key offline_keys[] = {
	{ "after", KEY_UINT, .minimum = 1, .maximum = 1000, .initial = "3",
	  AT(offline_section, after),
	  .help = "requests in a row without an answer, all tries of one counted as one" },
	{ "retry", KEY_NODE, AT(offline_section, retry),
	  .help = "between probes, first..last (5s..5m)" },
};

static const struct key devices_keys[] = {
	SCHEMA("format version of the file"),
	{ "devices", KEY_NODE, AT(devices_section, devices), .help = "list of devices" },
	{ "endpoints", KEY_NODE, AT(devices_section, endpoints),
	  .help = "list of endpoints that are not simply one device" },
};

/* clang-format off */
#define LEVEL_KEYS(prefix)                                                                         \
	{ "enabled", KEY_NODE, prefix(enabled), .reload = RELOAD_ENDPOINT,                         \
	  .help = "false: not polled, no endpoint of its own" },                                   \
	{ "note", KEY_NODE, prefix(note), .help = "for people" },                                  \
	{ "parameters", KEY_NODE, prefix(parameters), .reload = RELOAD_BUS,                        \
	  .help = "values of the profile's parameters" },                                          \
	{ "rates", KEY_NODE, prefix(rates), .reload = RELOAD_BUS,                                  \
	  .help = "classes, other than in the profile" },                                          \
	{ "stale", KEY_NODE, prefix(stale), .help = "as in fieldway.yaml, for this device" },      \
	{ "lwm2m", KEY_NODE, prefix(lwm2m),                             \
	  .help = "rows instead of those of the profile, or more" },                               \
	{ "create", KEY_NODE, prefix(create),                                                      \
	  .help = "list of objects whose instances servers may make at its endpoint" },            \
	{ "endpoint", KEY_NODE, prefix(endpoint), .reload = RELOAD_ENDPOINT,                       \
	  .help = "endpoint client name, or none" }
/* clang-format on */

#define ROW(member) .offset = offsetof(struct device_section, level.member)
static const struct key device_keys[] = {
	{ "name", KEY_NAME, .required = true, .reload = RELOAD_ENDPOINT, AT(device_section, name),
	  .help = "its name" },
	{ "profile", KEY_NAME, .required = true, .reload = RELOAD_BUS, AT(device_section, profile),
	  .help = "device type" },
	{ "bus", KEY_NAME, .reload = RELOAD_BUS, AT(device_section, bus),
	  .help = "where it is; a device of plugin local has none, all others need one" },
	{ "address", KEY_NODE, .reload = RELOAD_BUS, AT(device_section, address),
	  .help = "the plugin's keys; a range such as 1-40 makes a device of each" },
	{ "each", KEY_NODE, AT(device_section, each),
	  .help = "ranges of placeholders, rows of them, or csv:FILE" },
	{ "override", KEY_NODE, AT(device_section, overrides),
	  .help = "for some of them, by the varying placeholder's value or by name" },
	LEVEL_KEYS(ROW),
	LATER("pin", "keep an old revision of the profile"),
};

#define OVERRIDE(member) .offset = offsetof(struct level_section, member)
static const struct key override_keys[] = {
	LEVEL_KEYS(OVERRIDE),
	LATER("pin", "keep an old revision of the profile"),
};

static const struct key endpoint_keys[] = {
	{ "name", KEY_NAME, .required = true, .reload = RELOAD_ENDPOINT, AT(endpoint_section, name),
	  .help = "its name" },
	{ "each", KEY_NODE, AT(endpoint_section, each),
	  .help = "ranges of placeholders, rows of them, or csv:FILE" },
	{ "info", KEY_NODE, AT(endpoint_section, info),
	  .help = "manufacturer and model, /3/0/0 and /3/0/1" },
	{ "lwm2m", KEY_NODE, .required = true,
	  AT(endpoint_section, lwm2m), .help = "path: device.point" },
	{ "create", KEY_NODE, AT(endpoint_section, create),
	  .help = "list of objects whose instances servers may make and delete, such as 19 (none)" },
	{ "endpoint", KEY_NODE, .reload = RELOAD_ENDPOINT, AT(endpoint_section, endpoint),
	  .help = "endpoint client name" },
};

const struct key_table keys_bus = KEY_TABLE("bus", bus_keys);
const struct key_table keys_offline = KEY_TABLE("bus offline", offline_keys);
const struct key_table keys_devices = KEY_TABLE("devices.d", devices_keys);
const struct key_table keys_device = KEY_TABLE("devices[]", device_keys);
/* All of them are the plugin's. */
const struct key_table keys_address = { .place = "devices[].address" };
const struct key_table keys_override = KEY_TABLE("devices[].override.*", override_keys);
const struct key_table keys_endpoint = KEY_TABLE("endpoints[]", endpoint_keys);
