/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "plugins/modbus/bus.h"
#include "setup.h"

/* The pure half of the contract, through the descriptor: as the host sees it. */

static const struct fieldway_plugin *const plugin = &fieldway_plugin;

static int make_driver(struct fieldway_settings bus_settings, struct fieldway_settings device_settings,
		       struct fieldway_settings point_settings, bool writable, struct fieldway_driver **ret,
		       struct fieldway_error *error)
{
	struct fieldway_point point = { .name = "p", .readable = true, .writable = writable,
					.settings = point_settings };
	struct fieldway_device device = { .name = "d", .settings = device_settings, .points = &point,
					  .n_points = 1 };
	struct fieldway_bus bus = { .name = "b", .settings = bus_settings, .timeout_usec = 500000 };

	return plugin->driver_new(&bus, &device, ret, error);
}

START_TEST(descriptor)
{
	ck_assert_uint_eq(plugin->struct_size, sizeof(struct fieldway_plugin));
	ck_assert_uint_eq(plugin->abi, FIELDWAY_ABI);
	ck_assert_str_eq(plugin->name, "modbus");
	ck_assert_uint_eq(plugin->capabilities, FIELDWAY_CAN_POLL | FIELDWAY_CAN_WRITE);
	for (size_t i = 0; i < plugin->n_keys; i++) {
		const struct fieldway_key *k = &plugin->keys[i];

		ck_assert_ptr_nonnull(k->help);
		ck_assert_msg(k->scope, "%s", k->name);
		ck_assert_msg(!k->choices || k->type == FIELDWAY_STRING, "%s", k->name);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(plugin->keys[j].name, k->name);
	}
}
END_TEST

#define TCP SETTINGS(UINT("tcp.port", 502))
#define RTU SETTINGS(TEXT("rtu.device", "/dev/ttyS9"))

#define ck_bus(expected_key, ...)                                                                   \
	do {                                                                                        \
		struct fieldway_bus _b = { .name = "b", .timeout_usec = 1, .settings = SETTINGS(__VA_ARGS__) }; \
		struct fieldway_error _e = { .key = "untouched" };                                  \
		int _r = plugin->bus_check(&_b, &_e);                                               \
		ck_assert_msg(_r == ((expected_key) ? -EINVAL : 0), "%d %s", _r, _e.text);          \
		if (expected_key)                                                                   \
			ck_assert_str_eq(_e.key, (expected_key) ? (expected_key) : "");             \
	} while (0)

START_TEST(bus_settings)
{
	const char *none = NULL;
	struct fieldway_bus empty = { .name = "b" };
	struct fieldway_error error;

	ck_bus(none, UINT("tcp.port", 502), UINT("tcp.connections_per_host", 2));
	ck_bus(none, TEXT("rtu.device", "/dev/ttyS9"));
	ck_bus(none, TEXT("rtu.device", "/dev/ttyS9"), UINT("rtu.baud", 19200), TEXT("rtu.format", "8N2"));
	ck_bus("rtu.device", UINT("tcp.port", 502), TEXT("rtu.device", "/dev/ttyS9"));
	ck_bus("rtu.device", UINT("rtu.baud", 9600));
	ck_bus("rtu.baud", TEXT("rtu.device", "/dev/ttyS9"), UINT("rtu.baud", 9601));
	ck_bus("rtu.format", TEXT("rtu.device", "/dev/ttyS9"), TEXT("rtu.format", "7E1"));
	ck_bus("rtu.format", TEXT("rtu.device", "/dev/ttyS9"), TEXT("rtu.format", "8E3"));
	ck_bus("rtu.format", TEXT("rtu.device", "/dev/ttyS9"), TEXT("rtu.format", "8E"));
	ck_bus("rtu.format", TEXT("rtu.device", "/dev/ttyS9"), TEXT("rtu.format", "8X1"));
	ck_bus("tcp.port", UINT("tcp.port", 0));
	ck_bus("tcp.connections_per_host", UINT("tcp.connections_per_host", 17));
	ck_assert_int_eq(plugin->bus_check(&empty, &error), -EINVAL);
	ck_assert_ptr_null(error.key);
}
END_TEST

START_TEST(settings_of_other_transports)
{
	const char *none = NULL;

	ck_bus(none, TEXT("ascii.device", "/dev/ttyS9"));
	ck_bus(none, TEXT("ascii.device", "/dev/ttyS9"), TEXT("ascii.format", "7O2"), UINT("ascii.baud", 1200));
	ck_bus(none, TEXT("ascii.device", "/dev/ttyS9"), TEXT("ascii.format", "8N1"));
	ck_bus("ascii.format", TEXT("ascii.device", "/dev/ttyS9"), TEXT("ascii.format", "6N1"));
	ck_bus("ascii.device", UINT("ascii.baud", 9600));
	ck_bus("ascii.device", TEXT("rtu.device", "/dev/ttyS9"), TEXT("ascii.device", "/dev/ttyS9"));
	ck_bus("ascii.device", UINT("tcp.port", 502), TEXT("ascii.device", "/dev/ttyS9"));
	ck_bus("rtu.device", TEXT("tls.server_name", "x"), TEXT("rtu.device", "/dev/ttyS9"));
	ck_bus(none, TEXT("tcp.framing", "rtu"));
	ck_bus(none, TEXT("tcp.framing", "ascii"), UINT("tcp.idle", 30000000));
	ck_bus("tcp.framing", TEXT("tcp.framing", "mbap"));
	ck_bus("tcp.connections_per_host", TEXT("tcp.framing", "rtu"), UINT("tcp.connections_per_host", 2));
	ck_bus("tls.certificate", TEXT("tls.ca", "-"));
	ck_bus("tls.ca", TEXT("tls.ca", "-"), TEXT("tls.certificate", "-"), TEXT("tls.key", "-"));
	ck_bus("tcp.framing", TEXT("tls.ca", "-"), TEXT("tls.certificate", "-"), TEXT("tls.key", "-"),
	       TEXT("tcp.framing", "rtu"));
	ck_bus(none, TEXT("rtu.device", "/dev/ttyS9"), TEXT("rtu.rs485", "rts"), TEXT("rtu.rts_active", "low"),
	       UINT("rtu.rts_before", 1));
	ck_bus("rtu.rts_after", TEXT("rtu.device", "/dev/ttyS9"), UINT("rtu.rts_after", 1));
	ck_bus("rtu.rts_active", TEXT("rtu.device", "/dev/ttyS9"), TEXT("rtu.rs485", "none"),
	       TEXT("rtu.rts_active", "low"));
}
END_TEST

/* What a bus's settings come to: the port, and how long bytes take. */
START_TEST(compiled_buses)
{
	const struct {
		struct fieldway_settings settings;
		uint16_t port;
		uint64_t wire_usec, pause_usec;
	} rows[] = {
		{ SETTINGS(UINT("tcp.pause", 5)), 502, 0, 5 },
		{ SETTINGS(TEXT("tls.ca", "-"), TEXT("tls.certificate", "-"), TEXT("tls.key", "-")), 802, 0, 0 },
		{ SETTINGS(TEXT("tls.ca", "-"), TEXT("tls.certificate", "-"), TEXT("tls.key", "-"),
			   UINT("tcp.port", 8802)), 8802, 0, 0 },
		/* 11 bits a character: 3.5 of them at 9600 baud are 4.01 ms, above 19200 always 1.75. */
		{ SETTINGS(TEXT("rtu.device", "d")), 0, 114583, 4010 },
		{ SETTINGS(TEXT("rtu.device", "d"), UINT("rtu.baud", 115200)), 0, 9548, 1750 },
		{ SETTINGS(TEXT("rtu.device", "d"), UINT("rtu.pause", 9000)), 0, 114583, 9000 },
		/* 10 bits, twice as many characters, and no rest. */
		{ SETTINGS(TEXT("ascii.device", "d")), 0, 208333, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fieldway_bus from = { .name = "b", .settings = rows[i].settings };
		struct fieldway_error error = { 0 };
		struct bus bus;

		ck_assert_msg(bus_compile(&from, &bus, &error) == 0, "%s", error.text);
		ck_assert_uint_eq(bus.port, rows[i].port);
		ck_assert_uint_eq(bus_wire_usec(&bus, 100), rows[i].wire_usec);
		ck_assert_uint_eq(bus.pause_usec, rows[i].pause_usec);
	}
}
END_TEST

#define POINT SETTINGS(UINT("address", 0))
#define BOOL(name, on) \
	((struct fieldway_setting){ .key = (name), .value = { .type = FIELDWAY_BOOL, .boolean = (on) } })

static void refused(struct fieldway_settings bus, struct fieldway_settings device, const char *key)
{
	struct fieldway_driver *driver = NULL;
	struct fieldway_error error = { 0 };

	ck_assert_int_eq(make_driver(bus, device, POINT, false, &driver, &error), -EINVAL);
	ck_assert_str_eq(error.key, key);
	ck_assert_int_eq(error.point, -1);
	ck_assert_ptr_null(driver);
}

START_TEST(device_settings)
{
	refused(TCP, SETTINGS(TEXT("host", "h")), "unit");
	refused(TCP, SETTINGS(UINT("unit", 1)), "host");
	refused(TCP, SETTINGS(UINT("unit", 248), TEXT("host", "h")), "unit");
	refused(TCP, SETTINGS(UINT("unit", 1), TEXT("host", "h"), UINT("port", 0)), "port");
	refused(RTU, SETTINGS(UINT("unit", 255)), "unit");
	refused(RTU, SETTINGS(UINT("unit", 1), TEXT("host", "h")), "host");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("port", 9)), "port");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("max_registers", 126)), "max_registers");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("max_gap", 2001)), "max_gap");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("max_coils", 2001)), "max_coils");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("max_coils", 0)), "max_coils");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("max_write_registers", 124)), "max_write_registers");
	refused(RTU, SETTINGS(UINT("unit", 1), TEXT("address_base", "2")), "address_base");
	refused(RTU, SETTINGS(UINT("unit", 1), BOOL("broadcast", true)), "broadcast");
	refused(RTU, SETTINGS(UINT("unit", 1), TEXT("base.find", "Sun")), "base.find");
	refused(RTU, SETTINGS(UINT("unit", 1), TEXT("base.find", "SunSSunSSunSSunS++")), "base.find");
	refused(RTU, SETTINGS(UINT("unit", 1), TEXT("base.find", "SunS"), UINT("base.address", 1)), "base.address");
	refused(RTU, SETTINGS(UINT("unit", 1), TEXT("base.find", "SunS"), UINT("base.at", 65535)), "base.at");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("base.at", 0)), "base.at");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("base.address", 65536)), "base.address");
	refused(SETTINGS(UINT("tcp.port", 70000)), SETTINGS(UINT("unit", 1)), "tcp.port");
}
END_TEST

/* Unit 0 of a serial line is everybody; over TCP it is one device, unless said otherwise. */
static int everybody(bool serial, bool readable, bool said, struct fieldway_settings settings)
{
	struct fieldway_point point = { .name = "p", .readable = readable, .writable = true, .settings = settings };
	struct fieldway_device device = {
		.name = "d",
		.settings = serial ? SETTINGS(UINT("unit", 0), BOOL("broadcast", said)) :
				     SETTINGS(UINT("unit", 0), BOOL("broadcast", said), TEXT("host", "h")),
		.points = &point,
		.n_points = 1,
	};
	struct fieldway_bus bus = { .name = "b", .settings = serial ? RTU : TCP, .timeout_usec = 500000 };
	struct fieldway_driver *driver;
	struct fieldway_error error = { 0 };

	if (plugin->driver_new(&bus, &device, &driver, &error) == 0) {
		plugin->driver_free(driver);
		return 0;
	}
	ck_assert_str_eq(error.key, "unit");
	ck_assert_int_eq(error.point, 0);
	return -1;
}

START_TEST(everybody_is_only_written_to)
{
	ck_assert_int_eq(everybody(true, true, false, POINT), -1);
	ck_assert_int_eq(everybody(true, false, false, POINT), 0);
	ck_assert_int_eq(everybody(true, false, true, POINT), 0);
	ck_assert_int_eq(everybody(false, true, false, POINT), 0);
	ck_assert_int_eq(everybody(false, true, true, POINT), -1);
	ck_assert_int_eq(everybody(false, false, true, POINT), 0);
	/* Nobody tells what is there now. */
	ck_assert_int_eq(everybody(true, false, true, SETTINGS(UINT("address", 0), UINT("bit", 1))), 0);
	ck_assert_int_eq(everybody(true, false, true,
				   SETTINGS(UINT("address", 0), UINT("bit", 1), UINT("write.function", 6))), -1);
	ck_assert_int_eq(everybody(true, false, true, SETTINGS(UINT("address", 0), UINT("write.function", 23))), -1);
}
END_TEST

/* A device of several points; their settings, of which each has a name of one letter. */
struct several {
	struct fieldway_point points[8];
	struct fieldway_device device;
	struct fieldway_driver *driver;
};

static void make_several(struct several *s, struct fieldway_settings device, size_t n,
			 const struct fieldway_settings *points)
{
	static const char names[][2] = { "a", "b", "c", "d", "e", "f", "g", "h" };
	struct fieldway_error error = { 0 };

	for (size_t i = 0; i < n; i++) {
		bool writable = points[i].n > 0 && strcmp(points[i].items[0].key, "write.function") == 0;

		s->points[i] = (struct fieldway_point){ .name = names[i], .readable = true, .writable = writable,
							.settings = points[i] };
	}
	s->device = (struct fieldway_device){ .name = "d", .settings = device, .points = s->points, .n_points = n };
	ck_assert_msg(plugin->driver_new(NULL, &s->device, &s->driver, &error) == 0, "%s", error.text);
}

#define NONE ((struct fieldway_settings){ NULL, 0 })
#define AT(address, type) SETTINGS(UINT("address", address), TEXT("type", type))
#define RW(function, address, ...) SETTINGS(UINT("write.function", function), UINT("address", address), __VA_ARGS__)

static const char *const note_rows[] = {
	"d: reads the same as point a",
	"b: reads what point a reads too, as another type",
	"c: overlaps point a by half: one of the addresses or types is wrong",
	"b: reads what point d reads too, as another type",
	"c: overlaps point d by half: one of the addresses or types is wrong",
	"c: reads what point b reads too, as another type",
	"f: reads what point e reads too, as another type",
	"f: writes what point e writes too",
	("h: is written by reading its registers, changing its bits and writing all of them back: "
	 "what others write in between is lost"),
};

START_TEST(what_looks_wrong_is_noted)
{
	const struct fieldway_settings points[] = {
		AT(1, "float32"),  AT(2, "uint16"),
		AT(2, "float32"),  AT(1, "float32"),
		RW(16, 10, TEXT("type", "uint32")), RW(6, 11, TEXT("type", "uint16")),
		RW(22, 20, UINT("bit", 1)),	    RW(6, 20, UINT("bit", 2)),
	};
	struct fieldway_error notes[16];
	struct several s;
	size_t n;

	make_several(&s, NONE, 8, points);
	n = plugin->driver_notes(s.driver, notes, 16);
	for (size_t i = 0; i < n; i++) {
		char text[300];

		snprintf(text, sizeof(text), "%.1s: %.250s", s.points[notes[i].point].name, notes[i].text);
		ck_assert_msg(i < sizeof(note_rows) / sizeof(note_rows[0]), "%s", text);
		ck_assert_str_eq(text, note_rows[i]);
	}
	ck_assert_uint_eq(n, sizeof(note_rows) / sizeof(note_rows[0]));
	ck_assert_uint_eq(plugin->driver_notes(s.driver, notes, 2), 2);
	ck_assert_uint_eq(plugin->driver_notes(s.driver, notes, 0), 0);
	plugin->driver_free(s.driver);
}
END_TEST

/* "SunS", the common model, an inverter, a second common model, the end. */
static const struct fieldway_cell sunspec[] = {
	{ "holding", 50000, 0x5375 }, { "holding", 50001, 0x6e53 }, { "holding", 50002, 1 },   { "holding", 50003, 3 },
	{ "holding", 50004, 0x4142 }, { "holding", 50005, 0x4300 }, { "holding", 50006, 7 },   { "holding", 50007, 103 },
	{ "holding", 50008, 2 },      { "holding", 50009, 230 },    { "holding", 50010, 5 },   { "holding", 50011, 1 },
	{ "holding", 50012, 3 },      { "holding", 50013, 0x5858 }, { "holding", 50014, 0 },   { "holding", 50015, 8 },
	{ "holding", 50016, 0xffff }, { "holding", 50017, 0 },
};
#define N_SUNSPEC (sizeof(sunspec) / sizeof(sunspec[0]))

static const struct {
	struct fieldway_setting settings[4];
	size_t n;
	const char *text;
	enum fieldway_quality quality;
	uint64_t expected;
} model_rows[] = {
	{ { UINT_("model", 103), UINT_("address", 2) }, 2, "model 103 + 2 (1 register)", FIELDWAY_GOOD, 230 },
	{ { UINT_("model", 101), UINT_("model", 103), UINT_("address", 3) }, 3, "model 101|103 + 3 (1 register)",
	  FIELDWAY_GOOD, 5 },
	{ { UINT_("model", 1), UINT_("address", 4) }, 2, "model 1 + 4 (1 register)", FIELDWAY_GOOD, 7 },
	{ { UINT_("model", 1), UINT_("address", 4), UINT_("occurrence", 2) }, 3, "model 1 (2.) + 4 (1 register)",
	  FIELDWAY_GOOD, 8 },
	{ { UINT_("model", 103), UINT_("address", 0) }, 2, "model 103 + 0 (1 register)", FIELDWAY_GOOD, 103 },
	{ { UINT_("model", 103), UINT_("address", 4) }, 2, "model 103 + 4 (1 register)", FIELDWAY_INVALID, 0 },
	{ { UINT_("model", 103), UINT_("address", 3), TEXT_("type", "uint32") }, 3, "model 103 + 3-4 (2 registers)",
	  FIELDWAY_INVALID, 0 },
	{ { UINT_("model", 160), UINT_("address", 2) }, 2, "model 160 + 2 (1 register)", FIELDWAY_INVALID, 0 },
	{ { UINT_("address", 50009) }, 1, "holding 50009 (1 register)", FIELDWAY_GOOD, 230 },
};

static ssize_t answer_row(const struct several *s, size_t row, const struct fieldway_cell *cells, size_t n,
			  struct fieldway_sample *ret)
{
	const uint32_t wanted[] = { 0 };
	struct fieldway_plan plan;
	uint8_t bytes[8];
	ssize_t size;

	ck_assert_int_eq(plugin->plan_new(s->driver, wanted, 1, &plan), 0);
	ck_assert_str_eq(plan.requests[0].text, model_rows[row].text);
	size = plugin->answer(s->driver, &plan.requests[0], cells, n, bytes, sizeof(bytes));
	if (size >= 0)
		ck_assert_int_eq(plugin->decode(s->driver, &plan.requests[0], bytes, (size_t)size, ret, NULL, 0), 0);
	plugin->plan_free(&plan);
	return size;
}

START_TEST(models_of_a_sample)
{
	const struct fieldway_settings point = { model_rows[_i].settings, model_rows[_i].n };
	struct fieldway_sample sample;
	struct several s;

	make_several(&s, SETTINGS(TEXT("base.find", "SunS")), 1, &point);
	ck_assert_int_ge(answer_row(&s, (size_t)_i, sunspec, N_SUNSPEC, &sample), 0);
	ck_assert_int_eq(sample.quality, model_rows[_i].quality);
	if (sample.quality == FIELDWAY_GOOD)
		ck_assert_uint_eq(sample.value.unsignd, model_rows[_i].expected);
	/* A sample that has no chain, or not as far as the model, says nothing about it. */
	if (_i < 8) {
		ck_assert_int_eq(answer_row(&s, (size_t)_i, sunspec, 1, &sample), -ENODATA);
		ck_assert_int_eq(answer_row(&s, (size_t)_i, sunspec, 2, &sample), -ENODATA);
	}
	plugin->driver_free(s.driver);
}
END_TEST

START_TEST(a_point_error_names_its_point)
{
	struct fieldway_driver *driver;
	struct fieldway_error error = { 0 };

	ck_assert_int_eq(make_driver(RTU, SETTINGS(UINT("unit", 1)), SETTINGS(TEXT("area", "input")), false, &driver,
				     &error),
			 -EINVAL);
	ck_assert_int_eq(error.point, 0);
	ck_assert_str_eq(error.key, "address");
	ck_assert_int_eq(make_driver(RTU, SETTINGS(UINT("unit", 1), UINT("max_registers", 3)),
				     SETTINGS(UINT("address", 1), TEXT("type", "int64")), false, &driver, &error),
			 -EINVAL);
	ck_assert_int_eq(error.point, 0);
	ck_assert_str_eq(error.key, "max_registers");
}
END_TEST

static void line_is(struct fieldway_settings bus, struct fieldway_settings device, const char *expected)
{
	struct fieldway_driver *driver;
	struct fieldway_error error = { 0 };
	char name[64], small[4];

	ck_assert_msg(make_driver(bus, device, POINT, false, &driver, &error) == 0, "%s", error.text);
	ck_assert_int_eq(plugin->line_name(driver, name, sizeof(name)), 0);
	ck_assert_str_eq(name, expected);
	ck_assert_int_eq(plugin->line_name(driver, small, sizeof(small)), -ENAMETOOLONG);
	plugin->driver_free(driver);
}

START_TEST(lines)
{
	line_is(RTU, SETTINGS(UINT("unit", 1)), "/dev/ttyS9");
	line_is(TCP, SETTINGS(UINT("unit", 1), TEXT("host", "10.0.1.7")), "10.0.1.7:502/0");
	line_is(TCP, SETTINGS(UINT("unit", 1), TEXT("host", "Meter-A.Example")), "meter-a.example:502/0");
	line_is(TCP, SETTINGS(UINT("unit", 255), TEXT("host", "::1"), UINT("port", 1502)), "[::1]:1502/0");
	line_is(SETTINGS(UINT("tcp.port", 503), UINT("tcp.connections_per_host", 3)),
		SETTINGS(UINT("unit", 5), TEXT("host", "plc")), "plc:503/2");
	plugin->driver_free(NULL);
}
END_TEST

/* The sample of configuration.md: registers {input: {0: [0x4366, 0x3333]}} are 230.2. */
START_TEST(a_sample_is_answered_and_decoded)
{
	const struct fieldway_cell cells[] = { { "input", 0, 0x4366 }, { "holding", 1, 9 }, { "input", 1, 0x3333 } };
	struct fieldway_driver *driver;
	struct fieldway_error error = { 0 };
	struct fieldway_plan plan;
	struct fieldway_sample sample;
	uint8_t bytes[8];
	const uint32_t wanted[] = { 0 };

	ck_assert_int_eq(make_driver(RTU, SETTINGS(UINT("unit", 1)),
				     SETTINGS(TEXT("area", "input"), UINT("address", 0), TEXT("type", "float32"),
					      TEXT("order", "ABCD")),
				     false, &driver, &error),
			 0);
	ck_assert_int_eq(plugin->plan_new(driver, wanted, 1, &plan), 0);
	ck_assert_int_eq(plugin->answer(driver, &plan.requests[0], cells, 3, bytes, sizeof(bytes)), 4);
	ck_assert_int_eq(plugin->decode(driver, &plan.requests[0], bytes, 4, &sample, NULL, 0), 0);
	ck_assert_double_eq(sample.value.real, 230.2);
	ck_assert_int_eq(plugin->answer(driver, &plan.requests[0], cells, 2, bytes, sizeof(bytes)), -ENODATA);
	ck_assert_int_eq(plugin->answer(driver, &plan.requests[0], cells, 3, bytes, 3), -ENOBUFS);
	plugin->plan_free(&plan);
	plugin->driver_free(driver);
}
END_TEST

/* A profile's samples are judged where no device of it is configured. */
START_TEST(a_device_without_a_bus)
{
	const struct fieldway_setting address = UINT("address", 0), far = UINT("address", 65536);
	struct fieldway_point point = { .name = "p", .readable = true, .settings = { &address, 1 } };
	struct fieldway_device device = { .name = "d", .points = &point, .n_points = 1 };
	const struct fieldway_cell cell = { "holding", 0, 4711 };
	struct fieldway_driver *driver;
	struct fieldway_error error = { .point = -1 };
	struct fieldway_plan plan;
	struct fieldway_sample sample;
	const uint32_t wanted[] = { 0 };
	uint8_t bytes[2];

	ck_assert_msg(plugin->driver_new(NULL, &device, &driver, &error) == 0, "%s", error.text);
	ck_assert_int_eq(plugin->plan_new(driver, wanted, 1, &plan), 0);
	ck_assert_int_eq(plugin->answer(driver, &plan.requests[0], &cell, 1, bytes, sizeof(bytes)),
			 2);
	ck_assert_int_eq(plugin->decode(driver, &plan.requests[0], bytes, 2, &sample, NULL, 0), 0);
	ck_assert_uint_eq(sample.value.unsignd, 4711);
	plugin->plan_free(&plan);
	plugin->driver_free(driver);
	point.settings.items = &far;
	ck_assert_int_eq(plugin->driver_new(NULL, &device, &driver, &error), -EINVAL);
	ck_assert_int_eq(error.point, 0);
	ck_assert_str_eq(error.key, "address");
}
END_TEST

START_TEST(write_check)
{
	const struct fieldway_value fits = { .type = FIELDWAY_INT, .integer = 40000 },
				    not = { .type = FIELDWAY_INT, .integer = 70000 };
	struct fieldway_driver *driver;
	struct fieldway_error error = { 0 };

	ck_assert_int_eq(make_driver(RTU, SETTINGS(UINT("unit", 1)), POINT, true, &driver, &error), 0);
	ck_assert_int_eq(plugin->write_check(driver, 0, &fits, &error), 0);
	ck_assert_int_eq(plugin->write_check(driver, 0, &not, &error), -ERANGE);
	ck_assert_str_eq(error.text, "does not fit into uint16");
	ck_assert_int_eq(error.point, 0);
	ck_assert_int_eq(plugin->write_check(driver, 1, &fits, &error), -EINVAL);
	plugin->driver_free(driver);
	ck_assert_int_eq(make_driver(RTU, SETTINGS(UINT("unit", 1)), POINT, false, &driver, &error), 0);
	ck_assert_int_eq(plugin->write_check(driver, 0, &fits, &error), -EINVAL);
	plugin->driver_free(driver);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/driver");
	TCase *t = tcase_create("driver");
	SRunner *runner;
	int failed;

	tcase_add_test(t, descriptor);
	tcase_add_test(t, bus_settings);
	tcase_add_test(t, settings_of_other_transports);
	tcase_add_test(t, compiled_buses);
	tcase_add_test(t, device_settings);
	tcase_add_test(t, everybody_is_only_written_to);
	tcase_add_test(t, what_looks_wrong_is_noted);
	tcase_add_loop_test(t, models_of_a_sample, 0, sizeof(model_rows) / sizeof(model_rows[0]));
	tcase_add_test(t, a_point_error_names_its_point);
	tcase_add_test(t, lines);
	tcase_add_test(t, a_sample_is_answered_and_decoded);
	tcase_add_test(t, a_device_without_a_bus);
	tcase_add_test(t, write_check);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
