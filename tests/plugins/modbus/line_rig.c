/* SPDX-License-Identifier: Apache-2.0 */
#include "line_rig.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
	const char *area, *type;
	unsigned address, function, length;
	bool writable;
} point_rows[POINTS] = {
	[HOLDING] = { "holding", "uint16", 10, 0, 0, true },
	[COIL] = { "coil", "bool", 3, 0, 0, true },
	[DISCRETE] = { "discrete", "bool", 4, 0, 0, false },
	[INPUT] = { "input", "int16", 5, 0, 0, false },
	[COIL_15] = { "coil", "bool", 30, 15, 0, true },
	[HOLDING_16] = { "holding", "uint16", 40, 16, 0, true },
	[FLOAT] = { "holding", "float32", 50, 0, 0, true },
	[TEXT_123] = { "holding", "string", 1000, 0, 246, true },
	[BEYOND] = { "input", "uint16", 512, 0, 0, false }, /* the simulator's input area ends before it */
	[OTHER] = { "holding", "uint16", 70, 0, 0, false },
};

static const struct {
	const char *option;   /* of the simulator */
	const char *section;  /* serial: of the bus's keys */
	const char *framing;  /* tcp.framing */
} kinds[KINDS] = {
	[TCP] = { "--tcp", NULL, "tcp" },	   [TLS] = { "--tls", NULL, NULL },
	[RTU_TCP] = { "--rtu-tcp", NULL, "rtu" }, [ASCII_TCP] = { "--ascii-tcp", NULL, "ascii" },
	[RTU] = { "--rtu", "rtu", NULL },	   [ASCII] = { "--ascii", "ascii", NULL },
};

struct fixture f;

static void make_points(void)
{
	for (int i = 0; i < POINTS; i++) {
		struct fieldway_setting *s = f.point_settings[i];
		size_t n = 0;

		s[n++] = TEXT("area", point_rows[i].area);
		s[n++] = TEXT("type", point_rows[i].type);
		s[n++] = UINT("address", point_rows[i].address);
		if (point_rows[i].function)
			s[n++] = UINT("write.function", point_rows[i].function);
		if (point_rows[i].length)
			s[n++] = UINT("length", point_rows[i].length);
		f.points[i] = (struct fieldway_point){ .name = "p", .readable = true, .settings = { s, n },
						       .writable = point_rows[i].writable };
	}
}

/* Of which answers can be told by their transaction. */
bool has_transactions(void)
{
	return f.kind == TCP || f.kind == TLS;
}

bool is_serial(void)
{
	return kinds[f.kind].section;
}

void add_setting(struct fieldway_setting setting)
{
	ck_assert_uint_lt(f.bus.settings.n, sizeof(f.bus_settings) / sizeof(f.bus_settings[0]));
	f.bus_settings[f.bus.settings.n++] = setting;
}

static void make_serial(const char *section)
{
	static const char *const names[] = { "device", "baud", "format" };

	for (int i = 0; i < 3; i++)
		snprintf(f.keys[i], sizeof(f.keys[i]), "%s.%s", section, names[i]);
	add_setting(TEXT(f.keys[0], f.simulated.place[0]));
	add_setting(UINT(f.keys[1], 115200));
	add_setting(TEXT(f.keys[2], "8N1")); /* a pty drops PARENB */
}

char folder[] = "/tmp/fieldway-line-test-XXXXXX";

struct fieldway_setting file_setting(const char *key, const char *name)
{
	char path[64], *text = malloc(4096);
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	ck_assert_msg(text && file, "%s", path);
	n = fread(text, 1, 4096, file);
	fclose(file);
	return (struct fieldway_setting){ .key = key,
					  .value = { .type = FIELDWAY_BYTES, .data = text, .size = n } };
}

static void make_connections(const char *framing)
{
	if (framing) {
		add_setting(TEXT("tcp.framing", framing));
	} else {
		add_setting(file_setting("tls.ca", "ca.pem"));
		add_setting(file_setting("tls.certificate", "client.pem"));
		add_setting(file_setting("tls.key", "client.key"));
	}
}

static void make_device(void)
{
	size_t n = 0;

	make_points();
	f.device_settings[n++] = UINT("unit", 1);
	if (is_serial()) {
		make_serial(kinds[f.kind].section);
	} else {
		f.device_settings[n++] = TEXT("host", "127.0.0.1");
		f.device_settings[n++] = UINT("port", f.simulated.port[0]);
		make_connections(kinds[f.kind].framing);
	}
	f.bus.settings.items = f.bus_settings;
	f.bus.name = "bus";
	f.bus.timeout_usec = TIMEOUT_USEC;
	f.device = (struct fieldway_device){ .name = "d", .settings = { f.device_settings, n }, .points = f.points,
					     .n_points = POINTS };
}

int open_line(struct fieldway_result *result)
{
	return plugin->line_open(&f.bus, f.driver, &f.line, result);
}

void make_driver(void)
{
	struct fieldway_error error = { 0 };

	plugin->driver_free(f.driver);
	f.driver = NULL;
	ck_assert_msg(plugin->driver_new(&f.bus, &f.device, &f.driver, &error) == 0, "%s", error.text);
}

/* Everything but the line. */
void prepare(int kind)
{
	const char *arguments[5] = { "--certificates", folder };

	f.kind = (enum kind)kind;
	arguments[2] = kinds[kind].option;
	arguments[3] = is_serial() ? f.pty : "127.0.0.1:0";
	snprintf(f.pty, sizeof(f.pty), "/tmp/fieldway-line-test-%d", getpid());
	ck_assert_int_eq(simulated_start(&f.simulated, arguments), 0);
	make_device();
	make_driver();
}

void start(int kind)
{
	struct fieldway_result result = { 0 };

	prepare(kind);
	ck_assert_msg(open_line(&result) == 0, "%s", result.detail);
}

/* The line again, with one setting more. */
void start_with(int kind, struct fieldway_setting setting)
{
	struct fieldway_result result = { 0 };

	prepare(kind);
	add_setting(setting);
	make_driver();
	ck_assert_msg(open_line(&result) == 0, "%s", result.detail);
}

void stop(void)
{
	plugin->line_close(f.line);
	plugin->driver_free(f.driver);
	simulated_stop(&f.simulated);
	for (size_t i = 0; i < f.bus.settings.n; i++)
		if (f.bus_settings[i].value.type == FIELDWAY_BYTES)
			free((void *)(uintptr_t)f.bus_settings[i].value.data);
	f = (struct fixture){ 0 };
}

uint64_t clock_usec(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t deadline(uint64_t usec)
{
	return clock_usec(CLOCK_MONOTONIC) + usec;
}

const char *ask(const char *command)
{
	const char *answer = simulated_ask(&f.simulated, command);

	ck_assert_msg(answer != NULL, "%s", command);
	return answer;
}

char text_room[256];

struct outcome read_until(uint32_t point, uint64_t deadline_usec)
{
	struct outcome o = { .broken = true };
	struct fieldway_plan plan;

	ck_assert_int_eq(plugin->plan_new(f.driver, &point, 1, &plan), 0);
	ck_assert_uint_eq(plan.n, 1);
	o.r = plugin->read(f.line, f.driver, &plan.requests[0], deadline_usec, &o.sample, text_room, sizeof(text_room),
			   &o.result, &o.broken);
	ck_assert_int_eq(o.r, o.result.error);
	plugin->plan_free(&plan);
	return o;
}

struct outcome read_point(uint32_t point)
{
	return read_until(point, deadline(LONG_USEC));
}

void reads(uint32_t point, uint64_t expected)
{
	struct outcome o = read_point(point);

	ck_assert_msg(o.r == 0, "%d %s", o.r, o.result.detail);
	ck_assert(!o.broken);
	ck_assert_int_eq(o.sample.quality, FIELDWAY_GOOD);
	if (o.sample.value.type == FIELDWAY_BOOL)
		ck_assert_uint_eq(o.sample.value.boolean, expected);
	else
		ck_assert_uint_eq(o.sample.value.unsignd, expected);
}

void fails(uint32_t point, int error, const char *detail)
{
	struct outcome o = read_point(point);

	ck_assert_msg(o.r == error, "%d %s", o.r, o.result.detail);
	ck_assert_msg(strstr(o.result.detail, detail) != NULL, "%s", o.result.detail);
	ck_assert(!o.broken);
}

void writes(uint32_t point, struct fieldway_value value, enum fieldway_outcome expected, int error)
{
	struct fieldway_result result = { 0 };
	bool broken = true;

	ck_assert_int_eq(plugin->write(f.line, f.driver, point, &value, deadline(LONG_USEC), &result, &broken),
			 expected);
	ck_assert_msg(result.error == error, "%d %s", result.error, result.detail);
	ck_assert(!broken);
}

struct fieldway_value number(int64_t i)
{
	return (struct fieldway_value){ .type = FIELDWAY_INT, .integer = i };
}

void make_certificates(void)
{
	char command[128];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(command, sizeof(command), "tests/lib/certificates %s", folder);
	ck_assert_int_eq(system(command), 0);
}

void remove_certificates(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

