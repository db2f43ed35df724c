/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/files.h"

static const char *const areas[] = { "coil", "discrete", "input", "holding", NULL };
static const char *const types[] = { "bool",   "int16",	  "uint16",  "int32",  "uint32", "int64",
				     "uint64", "float32", "float64", "string", NULL };
static const char *const orders[] = { "AB", "BA", "ABCD", "CDAB", NULL };

static struct fieldway_key keys[] = {
	{ .name = "tcp.port",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .type = FIELDWAY_UINT,
	  .minimum = 1,
	  .maximum = 65535 },
	{ .name = "tcp.connections_per_host",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .type = FIELDWAY_UINT,
	  .minimum = 1,
	  .maximum = 16 },
	{ .name = "rtu.device", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING },
	{ .name = "rtu.baud",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .type = FIELDWAY_UINT,
	  .minimum = 1200,
	  .maximum = 921600 },
	{ .name = "rtu.format", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING },
	{ .name = "rtu.pause",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .flags = FIELDWAY_KEY_DURATION,
	  .type = FIELDWAY_UINT },
	{ .name = "host", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_STRING },
	{ .name = "unit",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .flags = FIELDWAY_KEY_REQUIRED,
	  .type = FIELDWAY_UINT,
	  .minimum = 0,
	  .maximum = 255 },
	{ .name = "max_gap",
	  .scope = FIELDWAY_SCOPE_DEVICE,
	  .type = FIELDWAY_UINT,
	  .maximum = 2000,
	  .initial = "0" },
	{ .name = "max_registers",
	  .scope = FIELDWAY_SCOPE_DEVICE,
	  .type = FIELDWAY_UINT,
	  .minimum = 1,
	  .maximum = 125,
	  .initial = "125" },
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
	{ .name = "type",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .type = FIELDWAY_STRING,
	  .choices = types },
	{ .name = "order",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .type = FIELDWAY_STRING,
	  .choices = orders,
	  .initial = "ABCD" },
	{ .name = "bit", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT, .maximum = 63 },
	{ .name = "length",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .type = FIELDWAY_UINT,
	  .minimum = 1,
	  .maximum = 250 },
	{ .name = "write.address",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .type = FIELDWAY_UINT,
	  .maximum = 65535 },
	{ .name = "write.function",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .type = FIELDWAY_UINT,
	  .minimum = 5,
	  .maximum = 16 },
};

static const char *const modes[] = { "stream", "request", NULL };

/* Keys of the other kinds: chosen names, lists, secrets, contents, of a profile itself. */
static struct fieldway_key talker_keys[] = {
	{ .name = "port", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING },
	{ .name = "ca",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .flags = FIELDWAY_KEY_CONTENT,
	  .type = FIELDWAY_STRING },
	{ .name = "allow",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .flags = FIELDWAY_KEY_LIST,
	  .type = FIELDWAY_STRING },
	{ .name = "mac", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_STRING },
	{ .name = "key",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .flags = FIELDWAY_KEY_SECRET,
	  .type = FIELDWAY_STRING },
	{ .name = "channels",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .flags = FIELDWAY_KEY_LIST,
	  .type = FIELDWAY_UINT,
	  .maximum = 8 },
	{ .name = "gap", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_UINT, .initial = "3" },
	{ .name = "mode",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .type = FIELDWAY_STRING,
	  .choices = modes,
	  .initial = "stream" },
	{ .name = "frame.end", .scope = FIELDWAY_SCOPE_PROFILE, .type = FIELDWAY_STRING },
	{ .name = "frame.idle",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .flags = FIELDWAY_KEY_DURATION,
	  .type = FIELDWAY_UINT },
	{ .name = "messages.*.match",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .flags = FIELDWAY_KEY_REQUIRED,
	  .type = FIELDWAY_STRING },
	{ .name = "messages.*.every",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .flags = FIELDWAY_KEY_DURATION,
	  .type = FIELDWAY_UINT,
	  .initial = "1s" },
	{ .name = "messages.*.fields.*",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .flags = FIELDWAY_KEY_LIST,
	  .type = FIELDWAY_UINT,
	  .maximum = 100 },
	{ .name = "from",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .flags = FIELDWAY_KEY_PLACE,
	  .type = FIELDWAY_STRING },
	{ .name = "type", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING },
	{ .name = "unit", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING },
	{ .name = "unit.from", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING },
	{ .name = "unit.to", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING },
	{ .name = "good.*",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .flags = FIELDWAY_KEY_LIST,
	  .type = FIELDWAY_STRING },
};

static char modbus[] = "modbus", reader[] = "reader", talker[] = "talker", version[] = "1";

const struct config_plugin fixture_modbus = {
	.name = modbus,
	.version = version,
	.capabilities = FIELDWAY_CAN_POLL | FIELDWAY_CAN_WRITE,
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
};
const struct config_plugin fixture_reader = {
	.name = reader,
	.version = version,
	.capabilities = FIELDWAY_CAN_POLL,
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
};

const struct config_plugin fixture_talker = {
	.name = talker,
	.version = version,
	.capabilities = FIELDWAY_CAN_LISTEN | FIELDWAY_CAN_WRITE,
	.keys = talker_keys,
	.n_keys = ARRAY_SIZE(talker_keys),
};

static int find_plugin(void *userdata, const char *name, const struct config_plugin **ret)
{
	if (streq(name, "modbus"))
		*ret = &fixture_modbus;
	else if (streq(name, "reader"))
		*ret = &fixture_reader;
	else if (streq(name, "talker"))
		*ret = &fixture_talker;
	else
		return streq(name, "broken") ? -ETIMEDOUT : -ENOENT;
	return 0;
}

static void read_definitions(struct fixture *f)
{
	const char *top = getenv("abs_top_srcdir");
	struct yaml_errors errors = { 0 };
	char folder[4096];

	snprintf(folder, sizeof(folder), "%s/objects", top ? top : ".");
	ck_assert_int_eq(definitions_new(&f->definitions), 0);
	ck_assert_int_eq(definitions_read_folder(f->definitions, folder, &errors), 0);
	ck_assert_ptr_nonnull(definitions_newest(f->definitions, 3303));
	yaml_errors_done(&errors);
}

struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	ck_assert_ptr_nonnull(f);
	read_definitions(f);
	f->sources.definitions = f->definitions;
	f->sources.plugin = find_plugin;
	f->sources.host_name = "gw7";
	f->sources.machine_id = "0123456789abcdef0123456789abcdef";
	fixture_reset(f);
	return f;
}

void fixture_reset(struct fixture *f)
{
	f->config = config_free(f->config);
	config_files_free(f->files);
	yaml_errors_done(&f->errors);
	yaml_errors_done(&f->warnings);
	free(f->error_text);
	free(f->warning_text);
	free(f->unmapped_text);
	f->error_text = f->warning_text = f->unmapped_text = NULL;
	f->files = calloc(1, sizeof(*f->files));
	ck_assert_ptr_nonnull(f->files);
	f->sources.files = f->files;
}

struct fixture *fixture_free(struct fixture *f)
{
	if (!f)
		return NULL;
	fixture_reset(f);
	config_files_free(f->files);
	definitions_free(f->definitions);
	free(f);
	return NULL;
}

void fixture_file(struct fixture *f, enum config_place place, const char *name, const char *text)
{
	ck_assert_int_eq(files_add(f->files, place, false, name, text, strlen(text)), 0);
}

void fixture_shared(struct fixture *f, enum config_place place, const char *name, const char *text)
{
	ck_assert_int_eq(files_add(f->files, place, true, name, text, strlen(text)), 0);
}

/* The lines that hold a text, which are taken out. */
static char *take_lines(char *lines, const char *text)
{
	_cleanup_buf_ struct buf kept = { 0 }, taken = { 0 };

	for (const char *line = lines, *end; (end = strchr(line, '\n')); line = end + 1) {
		size_t size = (size_t)(end - line) + 1;
		bool has = memmem(line, size, text, strlen(text)) != NULL;

		ck_assert_int_eq(buf_append(has ? &taken : &kept, line, size), 0);
	}
	ck_assert_int_eq(buf_append_byte(&kept, 0), 0);
	strcpy(lines, (const char *)kept.data);
	return buf_take_text(&taken);
}

int fixture_read(struct fixture *f)
{
	int r = config_read(&f->sources, &f->errors, &f->warnings, &f->config);

	f->error_text = buf_take_text(&f->errors.text);
	f->warning_text = buf_take_text(&f->warnings.text);
	f->unmapped_text = take_lines(f->warning_text, "appears in no resource");
	return r;
}

struct config *fixture_good(struct fixture *f)
{
	int r = fixture_read(f);

	ck_assert_msg(r == 0, "%d: %s", r, f->error_text);
	ck_assert_str_eq(f->error_text, "");
	return f->config;
}

/*
 * A whole small configuration of which one file is the case's: m fieldway.yaml,
 * b a bus, p a profile, d devices; the capital letter: without the lines that
 * each of them starts with.
 */
static const struct case_file {
	char letter;
	enum config_place place;
	const char *name, *start, *rest;
} case_file_table[] = {
	{ 'm', CONFIG_PLACE_MAIN, "fieldway.yaml", "schema: 1\n", "" },
	{ 'b', CONFIG_PLACE_BUSES, "b.yaml", "schema: 1\nbus: b\nplugin: modbus\n",
	  "tcp: {port: 502}\n" },
	{ 'p', CONFIG_PLACE_PROFILES, "p.yaml",
	  "schema: 1\nprofile: p\nplugin: modbus\nrates: {fast: 1s, slow: 1m}\n",
	  "defaults: {rate: fast}\n"
	  "parameters: {ct: {default: 1, range: 1..100}}\n"
	  "points:\n"
	  "  v: {address: 0, type: float32, unit: V, factor: ct}\n"
	  "  w: {address: 1, area: coil, access: rw}\n"
	  "  t: {address: 2, type: string, length: 4}\n"
	  "lwm2m: {3316/0/5700: v}\n" },
	{ 'd', CONFIG_PLACE_DEVICES, "d.yaml", "schema: 1\n",
	  "devices: [{name: d, profile: p, bus: b, address: {unit: 1}}]\n" },
};

void fixture_case(struct fixture *f, char letter, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(case_file_table); i++) {
		const struct case_file *file = &case_file_table[i];
		bool raw = letter == file->letter - 'a' + 'A';
		_cleanup_free_ char *whole = NULL;

		ck_assert_int_ge(asprintf(&whole, "%s%s", raw ? "" : file->start,
					  raw || letter == file->letter ? text : file->rest),
				 0);
		fixture_file(f, file->place, file->name, whole);
	}
}
