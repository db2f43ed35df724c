/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "config/config.h"
#include "config/files.h"
#include "tests/fuzz/fuzz.h"

/*
 * Any bytes as one file of a configuration whose other files are good: refused
 * with messages, or read into something whole. The first byte says which file.
 */

#define MAIN_TEXT \
	"schema: 1\n" \
	"gateway: {name: g, endpoint: \"urn:{gateway}\", endpoint_template: \"{machine_id}-{name}\", mode: endpoints}\n" \
	"servers:\n" \
	"  - {name: s, short_id: 1, uri: \"coaps://[2001:db8::1]:5684\", protocol: \"1.1\", lifetime: 1h, queue_mode: false,\n" \
	"     notify: {pmin: 1s, pmax: 1m}, formats: [tlv], liveness: 5m, endpoints: [\"*\"], access: all,\n" \
	"     security: {mode: psk, identity: \"{endpoint}\", key: \"psk-file:k\"}}\n" \
	"stale: {after: 3x, read: last}\n" \
	"register: {wait: seen, at_most: 30s}\n" \
	"writes: {audit: true, allow: false}\n" \
	"limits: {endpoints: 100, sessions: 100}\n"

#define BUSES_TEXT \
	"schema: 1\nbus: b\nplugin: modbus\ntcp: {port: 502}\ntimeout: 500ms\nretries: 1\nrates: {fast: 10s}\n" \
	"offline: {after: 3, retry: 5s..5m}\n---\nschema: 1\nbus: c\nplugin: modbus\nstale: {after: 1m}\n"

#define PROFILE_TEXT \
	"schema: 1\nprofile: p\nrevision: 3\nplugin: modbus\ninfo: {manufacturer: A, model: B}\n" \
	"parameters: {ct: {type: integer, default: 1, range: 1..9}}\nrates: {fast: 1s, slow: once}\n" \
	"defaults: {type: float32, rate: fast, max_gap: 8, invalid: [nan, 1]}\n" \
	"points:\n" \
	"  \"v{p}\": {repeat: {p: 1-3}, address: 0, step: 2, unit: V, factor: ct}\n" \
	"  w: {address: 9, type: uint16, access: rw, range: 0..50, enum: {0: a, 1: b}, write: {address: 1}, verify: {point: v1}}\n" \
	"  x: {address: 9, bit: 1, access: rw, verify: true}\n" \
	"lwm2m:\n" \
	"  \"3316/{i}\": {repeat: {p: 1-3}, 5700: \"v{p}\", 5750: {value: \"L{p}\"}}\n" \
	"  3/0/11: {alarms: {x: 16}}\n" \
	"  3/0/12: {execute: x, value: true}\n" \
	"samples: [{registers: {input: {0: [1, 2]}}, expect: {v1: 1.5, w: invalid}}]\n"

#define TALKER_TEXT \
	"schema: 1\nprofile: p\nplugin: talker\nmessages: {w: {match: '^(?<v>[0-9]{3})$'}, x: {match: y, every: 2s}}\n" \
	"points:\n  w: {from: w.v, good: {w.state: [ST, GS], x: y}, unit: kg}\n  \"v{p}\": {repeat: {p: 1-2}, address: 1}\n"

#define EXTENDING_TEXT \
	"schema: 1\nprofile: p\nextends: q\nrates: {fast: 2s}\npoints: {v: {scale: 2, deadband: 1}, w: null, x: {address: 4}}\n" \
	"lwm2m: {3316/0: {5700: x}, 3316/1/5700: null}\nidentify: {point: v, equals: [1, 2]}\n" \
	"---\nschema: 1\nprofile: q\nplugin: modbus\nparameters: {g: {default: 1}}\nrates: {fast: 1s}\n" \
	"defaults: {rate: fast, max_gap: \"{g}\"}\npoints: {v: {address: 1, scale10: w}, w: {address: 2}}\n" \
	"lwm2m: {3316/0/5700: v, 3316/1: {5700: v}}\n"

#define INPUTS_TEXT \
	"schema: 1\nprofile: p\nplugin: talker\nsilence: 5s\npoints: {w: {from: a, silence: 9s, sample: {every: 1s, keep: mean}}}\n" \
	"samples: [{bytes: \"02 4f\", message: w, expect: {w: 1}}, {text: [a, b], expect: {w: 1}},\n" \
	"  {advertisement: {service_data: {fcd2: \"40\"}}, gatt: {2a19: 64}, expect: {w: 1}}]\n"

#define DEVICES_TEXT \
	"schema: 1\n" \
	"devices:\n" \
	"  - {name: \"d{unit:03}\", profile: p, bus: b, address: {unit: 1-4}, override: {2: {enabled: false, note: n},\n" \
	"     3: {rates: {fast: 1m}, parameters: {ct: 4}, lwm2m: {3316/0/5750: {value: \"{unit}\"}}}}}\n" \
	"  - {name: \"t{room}\", profile: p, bus: c, each: [{room: a}, {room: b}], address: {host: \"{room}\"}}\n" \
	"  - {name: \"c{x}\", profile: p, bus: c, each: csv:t.csv, address: {host: \"{y}\"}, endpoint: none}\n" \
	"endpoints: [{name: \"e{n}\", each: {n: 1-2}, lwm2m: {3316/0/5700: \"d001.v{n}\"}}]\n"

#define TABLE_TEXT "x,y\r\n1,\"a\"\"b\"\r\n2,c\n"

static const struct file {
	char letter;
	enum config_place place;
	const char *name, *text;
} good[] = {
	{ 'm', CONFIG_PLACE_MAIN, "fieldway.yaml", MAIN_TEXT },
	{ 'b', CONFIG_PLACE_BUSES, "b.yaml", BUSES_TEXT },
	{ 'p', CONFIG_PLACE_PROFILES, "p.yaml", PROFILE_TEXT },
	{ 'd', CONFIG_PLACE_DEVICES, "d.yaml", DEVICES_TEXT },
	{ 't', CONFIG_PLACE_TABLES, "t.csv", TABLE_TEXT },
};

static const char definitions_text[] =
	"schema: 1\n"
	"object: {id: 3, name: Device, version: \"1.2\", instances: single, mandatory: true}\n"
	"resources:\n"
	"  2: {name: Serial Number, operations: R, type: string}\n"
	"  11: {name: Error Code, operations: R, type: integer, multiple: true, mandatory: true, range: 0..32}\n"
	"  12: {name: Reset Error Code, operations: E}\n"
	"---\n"
	"schema: 1\n"
	"object: {id: 3316, name: Voltage, version: \"1.1\", instances: multiple, mandatory: false}\n"
	"resources:\n"
	"  5700: {name: Sensor Value, operations: R, type: float, mandatory: true, unit: V}\n"
	"  5750: {name: Application Type, operations: RW, type: string}\n";

static const char *const areas[] = { "coil", "input", "holding", NULL };
static struct fieldway_key keys[] = {
	{ .name = "tcp.port",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .type = FIELDWAY_UINT,
	  .maximum = 65535 },
	{ .name = "host", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_STRING },
	{ .name = "unit", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_UINT, .maximum = 255 },
	{ .name = "max_gap",
	  .scope = FIELDWAY_SCOPE_DEVICE,
	  .type = FIELDWAY_UINT,
	  .initial = "0" },
	{ .name = "area",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .type = FIELDWAY_STRING,
	  .choices = areas,
	  .initial = "holding" },
	{ .name = "address",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .flags = FIELDWAY_KEY_REQUIRED,
	  .type = FIELDWAY_UINT,
	  .maximum = 65535 },
	{ .name = "type", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING },
	{ .name = "bit", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT },
	{ .name = "write.address", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT },
};
static struct fieldway_key talker_keys[] = {
	{ .name = "ca", .scope = FIELDWAY_SCOPE_BUS, .flags = FIELDWAY_KEY_CONTENT, .type = FIELDWAY_STRING },
	{ .name = "key", .scope = FIELDWAY_SCOPE_ADDRESS, .flags = FIELDWAY_KEY_SECRET, .type = FIELDWAY_STRING },
	{ .name = "mac", .scope = FIELDWAY_SCOPE_ADDRESS, .flags = FIELDWAY_KEY_LIST, .type = FIELDWAY_STRING },
	{ .name = "messages.*.match",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .flags = FIELDWAY_KEY_REQUIRED,
	  .type = FIELDWAY_STRING },
	{ .name = "messages.*.every",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .flags = FIELDWAY_KEY_DURATION,
	  .type = FIELDWAY_UINT,
	  .initial = "1s" },
	{ .name = "from", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING },
	{ .name = "good.*", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_LIST, .type = FIELDWAY_STRING },
};
static char plugin_name[] = "modbus", plugin_version[] = "1";
static const struct config_plugin plugin = { plugin_name, plugin_version, FIELDWAY_CAN_WRITE, keys,
					     ARRAY_SIZE(keys) };
static char talker_name[] = "talker";
static const struct config_plugin talker = { talker_name, plugin_version,
					     FIELDWAY_CAN_LISTEN | FIELDWAY_CAN_WRITE, talker_keys,
					     ARRAY_SIZE(talker_keys) };

static int find_plugin(void *userdata, const char *name, const struct config_plugin **ret)
{
	if (!streq(name, "modbus") && !streq(name, "talker"))
		return -ENOENT;
	*ret = streq(name, "modbus") ? &plugin : &talker;
	return 0;
}

static void check_map(const struct config *c, const struct config_map *map, size_t n,
		      const struct config_type *own)
{
	for (size_t i = 0; i < n; i++) {
		const struct config_type *type = own;

		if (map[i].kind == CONFIG_MAP_CONSTANT)
			continue;
		if (map[i].device != UINT32_MAX) {
			require(map[i].device < c->n_devices);
			type = c->devices[map[i].device].type;
		}
		require(type && map[i].point < type->n_points);
	}
}

static void check_config(const struct config *c)
{
	for (size_t i = 0; i < c->n_devices; i++) {
		const struct config_device *d = &c->devices[i];

		require(d->name && d->type && d->bus < c->n_buses);
		require(config_device_find(c, d->name) == d);
		require(config_setting_mark(c, &d->address, "unit").file != NULL);
		for (size_t k = 0; k < d->type->n_points; k++)
			require(d->type->points[k].name &&
				d->type->points[k].verify.point < (int)d->type->n_points);
	}
	for (size_t i = 0; i < c->n_endpoints; i++) {
		const struct config_endpoint *e = &c->endpoints[i];

		require(e->name && e->endpoint);
		check_map(c, e->map, e->n_map,
			  e->device == UINT32_MAX ? NULL : c->devices[e->device].type);
	}
	for (size_t i = 0; i < c->n_samples; i++)
		for (size_t k = 0; k < c->samples[i].n_expectations; k++)
			require(c->samples[i].expectations[k].point < c->samples[i].type->n_points);
}

static void add_file(struct config_files *files, const struct file *file, const char *text,
		     size_t size)
{
	require(files_add(files, file->place, false, file->name, text, size) == 0);
}

static void read_files(const struct config_files *files, const struct definitions *definitions)
{
	const struct config_sources sources = { .files = files,
						.definitions = definitions,
						.plugin = find_plugin,
						.host_name = "h",
						.machine_id = "0" };
	struct yaml_errors errors = { 0 }, warnings = { 0 };
	struct config *config = NULL;
	int r = config_read(&sources, &errors, &warnings, &config);

	require(r == 0 || r == -EINVAL);
	require((r == 0) == (config != NULL) && (r == 0) == (errors.n == 0));
	if (config)
		check_config(config);
	config_free(config);
	yaml_errors_done(&errors);
	yaml_errors_done(&warnings);
}

static const struct fuzz_seed seeds[] = {
	{ "6d", MAIN_TEXT },	{ "62", BUSES_TEXT }, { "70", PROFILE_TEXT },
	{ "64", DEVICES_TEXT }, { "74", TABLE_TEXT },
	{ "70", TALKER_TEXT },	{ "70", EXTENDING_TEXT }, { "70", INPUTS_TEXT },
};

const struct fuzz_target fuzz_target = { "config", seeds, ARRAY_SIZE(seeds), 500 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct definitions *definitions;
	struct yaml_errors errors = { 0 };
	struct config_files *files;

	if (size == 0)
		return 0;
	if (!definitions) {
		require(definitions_new(&definitions) == 0);
		require(definitions_read_text(definitions, "objects", definitions_text,
					      strlen(definitions_text), &errors) == 0);
	}
	files = calloc(1, sizeof(*files));
	require(files != NULL);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (data[0] == good[i].letter)
			add_file(files, &good[i], (const char *)data + 1, size - 1);
		else
			add_file(files, &good[i], good[i].text, strlen(good[i].text));
	read_files(files, definitions);
	config_files_free(files);
	return 0;
}
