/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/serial/driver.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup.h"

/* Devices from configuration to values, without a line. */

#define POINT(point_name, ...) { .name = (point_name), .readable = true, .settings = SETTINGS(__VA_ARGS__) }
#define POINTS(...) .points = (const struct fieldway_point[]){ __VA_ARGS__ }, \
	.n_points = sizeof((const struct fieldway_point[]){ __VA_ARGS__ }) / sizeof(struct fieldway_point)
#define POINTS_MAX 16

static struct fieldway_sample samples[POINTS_MAX];
static char text[512];

static struct fieldway_driver *compile(const struct fieldway_device *device)
{
	struct fieldway_driver *d;
	struct fieldway_error error = { .point = -1 };
	int r = driver_new(NULL, device, &d, &error);

	ck_assert_msg(r == 0, "%s (%s)", error.text, error.key ? error.key : "");
	return d;
}

/* All points out of what the device sends for its first request. */
static int decode(const struct fieldway_device *device, const char *bytes, size_t size)
{
	struct fieldway_driver *d = compile(device);
	uint32_t wanted[POINTS_MAX];
	struct fieldway_plan plan;
	int r;

	for (uint32_t i = 0; i < device->n_points; i++)
		wanted[i] = i;
	memset(samples, 0, sizeof(samples));
	ck_assert_int_eq(driver_plan(d, wanted, device->n_points, &plan), 0);
	ck_assert_uint_eq(plan.n, 1);
	r = driver_decode(d, &plan.requests[0], bytes, size, samples, text, sizeof(text));
	driver_plan_free(&plan);
	driver_free(d);
	return r;
}
#define DECODE(device, bytes) decode(&(device), bytes, sizeof(bytes) - 1)

static void expect_real(unsigned i, double value)
{
	ck_assert_int_eq(samples[i].quality, FIELDWAY_GOOD);
	ck_assert_int_eq(samples[i].value.type, FIELDWAY_FLOAT);
	ck_assert_double_eq_tol(samples[i].value.real, value, 1e-9);
}

static const struct fieldway_device scale = {
	.name = "scale",
	.settings = SETTINGS(TEXT("mode", "stream"), TEXT("frame.end", "\r\n"), UINT("frame.max", 40),
			     UINT("frame.idle", 300000),
			     TEXT("messages.weight.match", "^(?<state>ST|US|OL),(?<kind>GS|NT),(?<value>[+-][0-9.]+) *(?<unit>kg|g|lb)$")),
	POINTS(POINT("weight", TEXT("from", "weight.value"), TEXT("type", "float"), TEXT("unit.from", "weight.unit"),
		     TEXT("unit.to", "kg"), TEXT("good.weight.state", "ST")),
	       POINT("net", TEXT("from", "weight.kind"), TEXT("type", "bool"), TEXT("truth", "NT")),
	       POINT("state", TEXT("from", "weight.state"), TEXT("type", "string")),
	       POINT("code", TEXT("from", "weight.state"), TEXT("type", "int"), INT("codes.ST", 0), INT("codes.US", 1))),
};

START_TEST(a_scale)
{
	ck_assert_int_eq(DECODE(scale, "xx\r\nST,NT,+00123.4  g\r\n"), 0);
	expect_real(0, 0.1234);
	ck_assert(samples[1].value.type == FIELDWAY_BOOL && samples[1].value.boolean);
	ck_assert_int_eq(memcmp(samples[2].value.data, "ST", 2), 0);
	ck_assert_int_eq(samples[3].value.integer, 0);
	/* Not at rest: read, but no weight. */
	ck_assert_int_eq(DECODE(scale, "US,GS,+00123.4 kg\r\n"), 0);
	ck_assert_int_eq(samples[0].quality, FIELDWAY_INVALID);
	ck_assert_int_eq(samples[1].quality, FIELDWAY_GOOD);
	ck_assert_int_eq(samples[3].value.integer, 1);
	/* Overload has no code. */
	ck_assert_int_eq(DECODE(scale, "OL,GS,+99999.9 kg\r\n"), 0);
	ck_assert_int_eq(samples[3].quality, FIELDWAY_INVALID);
	ck_assert_int_eq(DECODE(scale, "garbage\r\n"), -EBADMSG);
	ck_assert_int_eq(DECODE(scale, ""), -EBADMSG);
}
END_TEST

static const struct fieldway_device gnss = {
	.name = "gnss",
	.settings = SETTINGS(TEXT("frame.start", "$"), TEXT("frame.end", "\\r\\n"), TEXT("checksum.kind", "xor"),
			     INT("checksum.first", 1), INT("checksum.last", -6), INT("checksum.at", -4),
			     TEXT("checksum.format", "hex"),
			     TEXT("messages.gga.match", "^G[A-Z]GGA,[^,]*,(?<lat>[^,]*),(?<ns>[^,]*),(?<lon>[^,]*),(?<ew>[^,]*),(?<fix>\\d),(?<sats>\\d*),"),
			     TEXT("messages.rmc.match", "^G[A-Z]RMC,(?<time>[^,]*),(?<status>[AV]),[^,]*,[^,]*,[^,]*,[^,]*,(?<knots>[^,]*),[^,]*,(?<date>[^,]*)")),
	POINTS(POINT("latitude", TEXT("from", "gga.lat"), TEXT("from", "gga.ns"), TEXT("format", "degrees")),
	       POINT("longitude", TEXT("from", "gga.lon"), TEXT("from", "gga.ew"), TEXT("format", "degrees")),
	       POINT("satellites", TEXT("from", "gga.sats"), TEXT("type", "uint")),
	       POINT("speed", TEXT("from", "rmc.knots"), TEXT("good.rmc.status", "A")),
	       POINT("time", TEXT("from", "rmc.date"), TEXT("from", "rmc.time"), TEXT("type", "int"), TEXT("format", "time"),
		     TEXT("pattern", "%d%m%y%H%M%S"))),
};

START_TEST(nmea_0183)
{
	ck_assert_int_eq(DECODE(gnss, "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
				      "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A\r\n"), 0);
	expect_real(0, 48.1173);
	expect_real(1, 11.516666667);
	ck_assert_uint_eq(samples[2].value.unsignd, 8);
	expect_real(3, 22.4);
	ck_assert_int_eq(samples[4].value.integer, 764426119);
	/* Wrong sums: nothing of them counts. */
	ck_assert_int_eq(DECODE(gnss, "$GPGGA,123519,4807.038,N,01131.000,E,1,09,0.9,545.4,M,46.9,M,,*47\r\n"), -EBADMSG);
	ck_assert_int_eq(DECODE(gnss, "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*48\r\n"), -EBADMSG);
	/* No fix: fields are empty. */
	ck_assert_int_eq(DECODE(gnss, "$GPGGA,,,,,,0,00,99.99,,,,,,*48\r\n"), 0);
	ck_assert_int_eq(samples[0].quality, FIELDWAY_INVALID);
	ck_assert_int_eq(samples[2].quality, FIELDWAY_GOOD);
}
END_TEST

#define READOUT "requests.readout.steps."
static const struct fieldway_device meter = {
	.name = "meter",
	.settings = SETTINGS(TEXT("mode", "request"),
			     TEXT("messages.ident.match", "^(?<maker>[A-Za-z]{3})(?<baud>[0-9A-I])(?<model>.*)$"),
			     TEXT("messages.data.records", "\\r\\n"),
			     TEXT("messages.data.match", "^(?:\\d+-\\d+:)?(?<key>[0-9A-F]+(?:\\.[0-9A-F]+)+)(?:\\*\\d+)?\\((?<value>[^*)]*)(?:\\*(?<unit>[^)]*))?\\)"),
			     TEXT(READOUT "hello.send", "/?!\\r\\n"), UINT(READOUT "hello.baud", 300),
			     TEXT(READOUT "hello.expect", "ident"), TEXT(READOUT "hello.frame.start", "/"),
			     TEXT(READOUT "hello.frame.end", "\\r\\n"),
			     TEXT(READOUT "ack.send", "\\x060{ident.baud}0\\r\\n"), TEXT(READOUT "ack.baud_from", "ident.baud"),
			     UINT(READOUT "ack.bauds.5", 9600), TEXT(READOUT "ack.expect", "data"),
			     TEXT(READOUT "ack.frame.start", "\\x02"), TEXT(READOUT "ack.frame.end", "\\x03"),
			     UINT(READOUT "ack.frame.tail", 1), UINT(READOUT "ack.frame.max", 4096),
			     TEXT(READOUT "ack.checksum.kind", "xor"), INT(READOUT "ack.checksum.first", 1)),
	POINTS(POINT("energy", TEXT("from", "data.1.8.0"), TEXT("unit.from", "data.1.8.0.unit"), TEXT("unit.to", "kWh")),
	       POINT("voltage", TEXT("from", "data.32.7")),
	       POINT("serial", TEXT("from", "data.0.0.0"), TEXT("type", "string")),
	       POINT("missing", TEXT("from", "data.2.8.0")),
	       POINT("model", TEXT("from", "ident.model"), TEXT("type", "string"))),
};

/* Puts the block's check character in place of its last byte. */
static void seal(char *telegram, size_t size)
{
	char *start = memchr(telegram, '\x02', size), sum = 0;

	for (char *p = start + 1; p < telegram + size - 1; p++)
		sum ^= *p;
	telegram[size - 1] = sum;
}

START_TEST(iec_62056_21)
{
	char telegram[] = "/EMH5\\@01 LZQJL0014E\r\n\x02"
			  "0.0.0(00123456)\r\n1-0:1.8.0*255(000123.456*kWh)\r\n32.7(230.4*V)\r\nF.F(00)\r\n!\r\n\x03?";

	seal(telegram, sizeof(telegram) - 1);
	ck_assert_int_eq(DECODE(meter, telegram), 0);
	expect_real(0, 123.456);
	expect_real(1, 230.4);
	ck_assert_int_eq(memcmp(samples[2].value.data, "00123456", 8), 0);
	ck_assert_int_eq(samples[3].quality, FIELDWAY_INVALID);
	ck_assert_int_eq(memcmp(samples[4].value.data, "\\@01 LZQJL0014E", 15), 0);
	telegram[30] ^= 1;
	ck_assert_int_eq(DECODE(meter, telegram), -EBADMSG);
	/* Half of it. */
	ck_assert_int_eq(decode(&meter, telegram, 60), -EBADMSG);
	ck_assert_int_eq(decode(&meter, telegram, 10), -EBADMSG);
}
END_TEST

static const struct fieldway_device logger = {
	.name = "logger",
	.settings = SETTINGS(TEXT("frame.end", "\n"), TEXT("messages.row.match", "^[0-9]"),
			     TEXT("messages.row.columns.separator", ";"), TEXT("messages.row.columns.names", "time"),
			     TEXT("messages.row.columns.names", "temperature")),
	POINTS(POINT("temperature", TEXT("from", "row.temperature"), TEXT("format", "comma")),
	       POINT("humidity", TEXT("from", "row"), UINT("column", 3)),
	       POINT("note", TEXT("from", "row"), UINT("column", 4), TEXT("type", "string"))),
};

START_TEST(columns)
{
	ck_assert_int_eq(DECODE(logger, "time;temp;hum\n12:00:00; 21,5 ;44.5;\"a;b\"\r\n"), 0);
	expect_real(0, 21.5);
	expect_real(1, 44.5);
	ck_assert_uint_eq(samples[2].value.size, 3);
	ck_assert_int_eq(memcmp(samples[2].value.data, "a;b", 3), 0);
	/* Too few columns for the names; enough for them, but not for the numbers. */
	ck_assert_int_eq(DECODE(logger, "12:00:00\n"), -EBADMSG);
	ck_assert_int_eq(DECODE(logger, "12:00:00;1\n"), 0);
	ck_assert_int_eq(samples[1].quality, FIELDWAY_INVALID);
}
END_TEST

static const struct fieldway_device binary = {
	.name = "binary",
	.settings = SETTINGS(TEXT("frame.start", "\\xaa"), UINT("frame.fixed", 8), TEXT("checksum.kind", "crc16-modbus"),
			     UINT("messages.state.size", 8)),
	POINTS(POINT("level", TEXT("from", "state"), UINT("at", 1), TEXT("type", "uint16"), TEXT("order", "little")),
	       POINT("signed", TEXT("from", "state"), UINT("at", 3), TEXT("type", "int16")),
	       POINT("alarm", TEXT("from", "state"), UINT("at", 5), UINT("bit", 3))),
};

START_TEST(bytes)
{
	uint8_t frame[8] = { 0xaa, 0x34, 0x12, 0xff, 0xfe, 0x08 };
	uint16_t sum = checksum_compute(CHECKSUM_CRC16_MODBUS, frame, 6);

	frame[6] = (uint8_t)sum;
	frame[7] = (uint8_t)(sum >> 8);
	ck_assert_int_eq(decode(&binary, (const char *)frame, sizeof(frame)), 0);
	ck_assert_uint_eq(samples[0].value.unsignd, 0x1234);
	ck_assert_int_eq(samples[1].value.integer, -2);
	ck_assert(samples[2].value.boolean);
	frame[1] ^= 1;
	ck_assert_int_eq(decode(&binary, (const char *)frame, sizeof(frame)), -EBADMSG);
}
END_TEST

START_TEST(encodings)
{
	const struct fieldway_device latin1 = {
		.name = "d",
		.settings = SETTINGS(TEXT("frame.end", "\n"), TEXT("encoding", "latin-1"), TEXT("messages.m.match", "^(?<t>.*°)$")),
		POINTS(POINT("t", TEXT("from", "m.t"), TEXT("type", "string"))),
	};
	const struct fieldway_device utf8 = {
		.name = "d",
		.settings = SETTINGS(TEXT("frame.end", "\n"), TEXT("messages.m.match", "^(?<t>.*)$")),
		POINTS(POINT("t", TEXT("from", "m.t"), TEXT("type", "string"))),
	};

	ck_assert_int_eq(DECODE(latin1, "20\xb0\n"), 0);
	ck_assert_int_eq(samples[0].quality, FIELDWAY_GOOD);
	ck_assert_int_eq(memcmp(samples[0].value.data, "20\xc2\xb0", 4), 0);
	ck_assert_int_eq(DECODE(utf8, "20\xc2\xb0\n"), 0);
	ck_assert_int_eq(samples[0].quality, FIELDWAY_GOOD);
	ck_assert_int_eq(DECODE(utf8, "20\xb0\n"), 0);
	ck_assert_int_eq(samples[0].quality, FIELDWAY_INVALID);
}
END_TEST

/* Several points of one request are read at once. */
START_TEST(plans)
{
	const struct fieldway_device device = {
		.name = "d",
		.settings = SETTINGS(TEXT("mode", "request"), TEXT("frame.end", "\r\n"), TEXT("requests.a.send", "A\\r\\n"),
				     TEXT("requests.a.expect", "^(?<x>.*),(?<y>.*)$"), TEXT("requests.b.send", "B\\r\\n"),
				     TEXT("requests.b.expect", "^(?<z>.*)$")),
		POINTS(POINT("z", TEXT("from", "b.z")), POINT("x", TEXT("from", "a.x")), POINT("y", TEXT("from", "a.y")),
		       { .name = "w", .writable = true, .settings = SETTINGS(TEXT("send", "W{value}\\r\\n")) }),
	};
	static const uint32_t wanted[] = { 0, 1, 2, 3 };
	struct fieldway_driver *d = compile(&device);
	struct fieldway_plan plan;

	ck_assert_int_eq(driver_plan(d, wanted, 4, &plan), 0);
	ck_assert_uint_eq(plan.n, 2);
	ck_assert_str_eq(plan.requests[0].text, "request a");
	ck_assert_uint_eq(plan.requests[0].n_points, 2);
	ck_assert_uint_eq(plan.requests[0].points[0], 1);
	ck_assert_uint_eq(plan.requests[1].n_points, 1);
	driver_plan_free(&plan);
	ck_assert_int_eq(driver_plan(d, wanted + 3, 1, &plan), 0);
	ck_assert_uint_eq(plan.n, 0);
	driver_plan_free(&plan);
	ck_assert_int_eq(driver_io(d), FIELDWAY_IO_POLLED);
	driver_free(d);
}
END_TEST

/* ---- what is refused ---- */

static void refuse(const struct fieldway_settings *settings, const struct fieldway_point *point, const char *key,
		   const char *words)
{
	const struct fieldway_device device = { .name = "d", .settings = *settings, .points = point, .n_points = 1 };
	struct fieldway_error error = { .point = -1 };
	struct fieldway_driver *d;

	ck_assert_int_eq(driver_new(NULL, &device, &d, &error), -EINVAL);
	ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
	if (key)
		ck_assert_str_eq(error.key, key);
}
#define REFUSE_PROFILE(key, words, ...) \
	refuse(&(const struct fieldway_settings)SETTINGS(__VA_ARGS__), &(struct fieldway_point)POINT("p", TEXT("from", "m.v")), key, words)
#define LINE TEXT("frame.end", "\n"), TEXT("messages.m.match", "(?<v>.*)")
#define REFUSE_POINT(key, words, ...) \
	refuse(&(const struct fieldway_settings)SETTINGS(LINE), &(struct fieldway_point)POINT("p", __VA_ARGS__), key, words)

#define REFUSE_SIZE(words, ...)                                                                                   \
	refuse(&(const struct fieldway_settings)SETTINGS(UINT("frame.fixed", 10), UINT("messages.m.size", 10)),   \
	       &(struct fieldway_point)POINT("p", TEXT("from", "m"), __VA_ARGS__), "at", words)

START_TEST(wrong_profiles)
{
	REFUSE_PROFILE(NULL, "no frame", TEXT("messages.m.match", "(?<v>.*)"));
	REFUSE_PROFILE("frame.end", "one of them", TEXT("frame.end", "\n"), UINT("frame.fixed", 4));
	REFUSE_PROFILE("frame.start", "nothing ends", TEXT("frame.start", "$"));
	REFUSE_PROFILE("frame.end", "delimiter", TEXT("frame.end", "\\q"));
	REFUSE_PROFILE("frame.length.size", "1, 2 or 4", UINT("frame.length.at", 0), UINT("frame.length.size", 3));
	REFUSE_PROFILE("messages.m.match", "wrong at character", TEXT("frame.end", "\n"), TEXT("messages.m.match", "(?<v>"));
	REFUSE_PROFILE("messages.m.records", "key and value", TEXT("frame.end", "\n"), TEXT("messages.m.records", "\n"),
		       TEXT("messages.m.match", "(?<v>.*)"));
	REFUSE_PROFILE("checksum.at", "a kind", LINE, INT("checksum.at", -1));
	REFUSE_PROFILE("mode", "mode: request", LINE, TEXT("requests.r.send", "x"));
	REFUSE_PROFILE("mode", "neither frame nor requests", TEXT("mode", "request"));
	REFUSE_PROFILE("requests.r.send", "{x.y}", TEXT("mode", "request"), LINE, TEXT("requests.r.send", "{x.y}"),
		       TEXT("requests.r.expect", "m"));
	REFUSE_PROFILE("requests.r.send", "{value}", TEXT("mode", "request"), LINE, TEXT("requests.r.send", "{value}"));
	REFUSE_PROFILE("requests.r.baud", "rate", TEXT("mode", "request"), LINE, UINT("requests.r.baud", 301),
		       TEXT("requests.r.expect", "m"));
	REFUSE_PROFILE("requests.r.refuse", "expect is missing", TEXT("mode", "request"), LINE,
		       TEXT("requests.r.send", "x"), TEXT("requests.r.refuse", "E"));
	REFUSE_SIZE("has 10 bytes only", UINT("at", 8), TEXT("type", "uint32"));
	REFUSE_SIZE("has 10 bytes only", UINT("at", 10), TEXT("type", "uint8"));
	REFUSE_PROFILE("from", "no request gets", TEXT("mode", "request"), LINE, TEXT("requests.r.send", "x"));
}
END_TEST

#define MANY 80u /* more than any limit of names */

/* A profile with n keys of one form, whose number stands where the form has %u, and mode: request. */
static int compile_many(unsigned n, const char *form, const char *value, struct fieldway_error *e)
{
	struct fieldway_setting settings[MANY + 4] = { TEXT("mode", "request"), LINE, TEXT("requests.r0.send", "x") };
	static char keys[MANY][64];
	struct fieldway_device d = { .name = "d", .settings = { settings, n + 4 } };
	struct fieldway_driver *driver = NULL;
	int r;

	for (unsigned i = 0; i < n; i++) {
		snprintf(keys[i], sizeof(keys[i]), form, i);
		settings[4 + i] = (struct fieldway_setting){
			.key = keys[i],
			.value = { .type = FIELDWAY_STRING, .data = value, .size = strlen(value) },
		};
	}
	r = driver_new(NULL, &d, &driver, e);
	driver_free(driver);
	return r;
}

START_TEST(limits)
{
	static const struct {
		unsigned most;
		const char *form, *value, *why;
	} rows[] = {
		{ MESSAGES_MAX - 1, "messages.m%u.match", "x", "more than 32 messages" },
		{ REQUESTS_MAX, "requests.r%u.expect", "x", "more than 32 requests" },
		{ STEPS_MAX, "requests.s.steps.s%u.send", "x", "more than 8 steps" },
		{ MESSAGE_NAMES_MAX, "messages.m.columns.names", "x", "at most 64 columns" },
	};
	struct fieldway_error e = { 0 };

	ck_assert_msg(compile_many(rows[_i].most, rows[_i].form, rows[_i].value, &e) >= 0, "%s", e.text);
	ck_assert_int_eq(compile_many(rows[_i].most + 1, rows[_i].form, rows[_i].value, &e), -EINVAL);
	ck_assert_msg(strstr(e.text, rows[_i].why) != NULL, "%s", e.text);
}
END_TEST

/* Whatever an address has in it stands for itself in an expression. */
START_TEST(addresses_are_no_expressions)
{
	const struct fieldway_device d = {
		.name = "d",
		.settings = SETTINGS(TEXT("id", "0\\E.*[7"), TEXT("frame.end", "\n"), TEXT("messages.m.match", "^{id}:(?<v>.*)$")),
	};
	struct fieldway_bus bus = { .name = "b", .settings = SETTINGS(TEXT("serial.device", "/dev/null")) };
	struct slice groups[PATTERN_GROUPS_MAX];
	struct fieldway_error e = { 0 };
	struct fieldway_driver *driver = NULL;
	uint64_t spent = 0;

	ck_assert_msg(driver_new(&bus, &d, &driver, &e) >= 0, "%s", e.text);
	ck_assert_int_eq(pattern_match(driver->messages[0]->pattern, "0\\E.*[7:1", 9, &spent, groups), 1);
	ck_assert_int_eq(pattern_match(driver->messages[0]->pattern, "0123[7:1", 8, &spent, groups), 0);
	driver_free(driver);
}
END_TEST

START_TEST(wrong_points)
{
	REFUSE_POINT("from", "no from", TEXT("type", "float"));
	REFUSE_POINT("from", "no message other", TEXT("from", "other.v"));
	REFUSE_POINT("from", "no such field", TEXT("from", "m.other"));
	REFUSE_POINT("from", "one message", TEXT("from", "m.v"), TEXT("from", "n.v"));
	REFUSE_POINT("from", "MESSAGE.FIELD", TEXT("from", "m."));
	REFUSE_POINT("type", "of bytes", TEXT("from", "m.v"), TEXT("type", "uint16"));
	REFUSE_POINT("order", "of bytes", TEXT("from", "m.v"), TEXT("order", "little"));
	REFUSE_POINT("at", "whole message", TEXT("from", "m.v"), UINT("at", 1));
	REFUSE_POINT("column", "no columns", TEXT("from", "m"), UINT("column", 1));
	REFUSE_POINT("column", "from: MESSAGE", TEXT("from", "m.v"), UINT("column", 1));
	REFUSE_POINT("pattern", "has a pattern", TEXT("from", "m.v"), TEXT("type", "int"), TEXT("format", "time"));
	REFUSE_POINT("format", "int or uint", TEXT("from", "m.v"), TEXT("format", "hex"));
	REFUSE_POINT("good.n.v", "m.FIELD", TEXT("from", "m.v"), TEXT("good.n.v", "A"));
	REFUSE_POINT("good.m.x", "no field x", TEXT("from", "m.v"), TEXT("good.m.x", "A"));
	REFUSE_POINT("unit.to", "that unit", TEXT("from", "m.v"), TEXT("unit.from", "m.v"), TEXT("unit.to", "parsec"));
	REFUSE_POINT("unit.from", "of the message", TEXT("from", "m.v"), TEXT("unit.from", "n.v"), TEXT("unit.to", "kg"));
}
END_TEST

START_TEST(writes)
{
	const struct fieldway_device device = {
		.name = "d",
		.settings = SETTINGS(LINE),
		POINTS({ .name = "w", .writable = true,
			 .settings = SETTINGS(TEXT("type", "int"), TEXT("send", "W{value:02d}\r\n")) },
		       { .name = "c", .writable = true,
			 .settings = SETTINGS(TEXT("type", "int"), TEXT("send", "C{value}\r\n"), INT("codes.ON", 1)) },
		       POINT("r", TEXT("from", "m.v"))),
	};
	static const struct fieldway_value one = { .type = FIELDWAY_INT, .integer = 1 };
	static const struct fieldway_value two = { .type = FIELDWAY_INT, .integer = 2 };
	static const struct fieldway_value half = { .type = FIELDWAY_FLOAT, .real = 0.5 };
	struct fieldway_driver *d = compile(&device);
	struct fieldway_error error;

	ck_assert_int_eq(driver_write_check(d, 0, &two, &error), 0);
	ck_assert_int_eq(driver_write_check(d, 0, &half, &error), -EINVAL);
	ck_assert_int_eq(driver_write_check(d, 1, &one, &error), 0);
	ck_assert_int_eq(driver_write_check(d, 1, &two, &error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "codes"));
	ck_assert_int_eq(driver_write_check(d, 2, &one, &error), -EINVAL);
	driver_free(d);
}
END_TEST

START_TEST(buses)
{
	const struct {
		struct fieldway_settings settings;
		const char *key;
	} rows[] = {
		{ SETTINGS(TEXT("serial.device", "/dev/ttyUSB0")), "" },
		{ SETTINGS(TEXT("serial.device", "/dev/ttyUSB0"), UINT("serial.baud", 300), TEXT("serial.format", "7E1")), "" },
		{ SETTINGS(TEXT("tcp.host", "192.0.2.1"), UINT("tcp.port", 4001)), "" },
		{ SETTINGS(TEXT("tcp.host", "2001:db8::1"), UINT("tcp.port", 4001)), "" },
		{ SETTINGS(UINT("other", 1)), NULL },
		{ SETTINGS(TEXT("serial.device", "")), "serial.device" },
		{ SETTINGS(TEXT("serial.device", "/dev/a"), UINT("serial.baud", 12345)), "serial.baud" },
		{ SETTINGS(TEXT("serial.device", "/dev/a"), TEXT("serial.format", "9N1")), "serial.format" },
		{ SETTINGS(TEXT("serial.device", "/dev/a"), TEXT("tcp.host", "192.0.2.1")), "serial.device" },
		{ SETTINGS(TEXT("tcp.host", "server.example"), UINT("tcp.port", 1)), "" },
		{ SETTINGS(TEXT("tcp.host", "http://server"), UINT("tcp.port", 1)), "tcp.host" },
		{ SETTINGS(TEXT("tcp.host", "192.0.2.1")), "tcp.port" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fieldway_bus bus = { .name = "b", .settings = rows[i].settings };
		struct fieldway_error error = { .key = NULL };
		int r = driver_bus_check(&bus, &error);

		if (rows[i].key && !*rows[i].key) {
			ck_assert_int_eq(r, 0);
			continue;
		}
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_pstr_eq(error.key, rows[i].key);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("driver");
	TCase *t = tcase_create("driver");
	SRunner *runner;
	int failed;

	tcase_add_test(t, a_scale);
	tcase_add_test(t, nmea_0183);
	tcase_add_test(t, iec_62056_21);
	tcase_add_test(t, columns);
	tcase_add_test(t, bytes);
	tcase_add_test(t, encodings);
	tcase_add_test(t, plans);
	tcase_add_test(t, wrong_profiles);
	tcase_add_loop_test(t, limits, 0, 4);
	tcase_add_test(t, addresses_are_no_expressions);
	tcase_add_test(t, wrong_points);
	tcase_add_test(t, writes);
	tcase_add_test(t, buses);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
