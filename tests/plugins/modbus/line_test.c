/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "setup.h"
#include "tests/lib/simulated.h"

/* The polled half of the contract against libmodbus slaves: each test on TCP (0) and RTU (1). */

static const struct fieldway_plugin *const plugin = &fieldway_plugin;

#define TIMEOUT_USEC UINT64_C(120000)
#define LONG_USEC UINT64_C(5000000)

enum {
	HOLDING,
	COIL,
	DISCRETE,
	INPUT,
	COIL_15,
	HOLDING_16,
	FLOAT,
	TEXT_123,
	BEYOND,
	OTHER,
	POINTS,
};

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

struct fixture {
	bool serial;
	struct simulated simulated;
	struct fieldway_setting point_settings[POINTS][5];
	struct fieldway_point points[POINTS];
	struct fieldway_setting device_settings[4], bus_settings[3];
	struct fieldway_device device;
	struct fieldway_bus bus;
	struct fieldway_driver *driver;
	struct fieldway_line *line;
	char pty[64];
};

static struct fixture f;

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

static void make_device(void)
{
	size_t n = 0;

	make_points();
	f.device_settings[n++] = UINT("unit", 1);
	if (f.serial) {
		f.bus_settings[0] = TEXT("rtu.device", f.simulated.place[0]);
		f.bus_settings[1] = UINT("rtu.baud", 115200);
		f.bus_settings[2] = TEXT("rtu.format", "8N1"); /* a pty drops PARENB */
		f.bus.settings = (struct fieldway_settings){ f.bus_settings, 3 };
	} else {
		f.device_settings[n++] = TEXT("host", "127.0.0.1");
		f.device_settings[n++] = UINT("port", f.simulated.port[0]);
		f.bus_settings[0] = UINT("tcp.connections_per_host", 1);
		f.bus.settings = (struct fieldway_settings){ f.bus_settings, 1 };
	}
	f.bus.name = "bus";
	f.bus.timeout_usec = TIMEOUT_USEC;
	f.device = (struct fieldway_device){ .name = "d", .settings = { f.device_settings, n }, .points = f.points,
					     .n_points = POINTS };
}

static int open_line(struct fieldway_result *result)
{
	return plugin->line_open(&f.bus, f.driver, &f.line, result);
}

static void start(bool serial)
{
	const char *const arguments[] = { serial ? "--rtu" : "--tcp", serial ? f.pty : "127.0.0.1:0", NULL };
	struct fieldway_error error = { 0 };
	struct fieldway_result result = { 0 };

	f.serial = serial;
	snprintf(f.pty, sizeof(f.pty), "/tmp/fieldway-line-test-%d", getpid());
	ck_assert_int_eq(simulated_start(&f.simulated, arguments), 0);
	make_device();
	ck_assert_msg(plugin->driver_new(&f.bus, &f.device, &f.driver, &error) == 0, "%s", error.text);
	ck_assert_msg(open_line(&result) == 0, "%s", result.detail);
}

static void stop(void)
{
	plugin->line_close(f.line);
	plugin->driver_free(f.driver);
	simulated_stop(&f.simulated);
}

static uint64_t clock_usec(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t deadline(uint64_t usec)
{
	return clock_usec(CLOCK_MONOTONIC) + usec;
}

static const char *ask(const char *command)
{
	const char *answer = simulated_ask(&f.simulated, command);

	ck_assert_msg(answer != NULL, "%s", command);
	return answer;
}

struct outcome {
	int r;
	struct fieldway_result result;
	bool broken;
	struct fieldway_sample sample; /* text lies in text_room */
};

static char text_room[256];

static struct outcome read_until(uint32_t point, uint64_t deadline_usec)
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

static struct outcome read_point(uint32_t point)
{
	return read_until(point, deadline(LONG_USEC));
}

static void reads(uint32_t point, uint64_t expected)
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

static void fails(uint32_t point, int error, const char *detail)
{
	struct outcome o = read_point(point);

	ck_assert_msg(o.r == error, "%d %s", o.r, o.result.detail);
	ck_assert_msg(strstr(o.result.detail, detail) != NULL, "%s", o.result.detail);
	ck_assert(!o.broken);
}

static void writes(uint32_t point, struct fieldway_value value, enum fieldway_outcome expected, int error)
{
	struct fieldway_result result = { 0 };
	bool broken = true;

	ck_assert_int_eq(plugin->write(f.line, f.driver, point, &value, deadline(LONG_USEC), &result, &broken),
			 expected);
	ck_assert_msg(result.error == error, "%d %s", result.error, result.detail);
	ck_assert(!broken);
}

static struct fieldway_value number(int64_t i)
{
	return (struct fieldway_value){ .type = FIELDWAY_INT, .integer = i };
}

START_TEST(functions_that_read)
{
	uint64_t before = clock_usec(CLOCK_BOOTTIME);
	struct outcome o;

	start(_i);
	ask("set holding 10 4711");
	ask("set coil 3 1");
	ask("set discrete 4 1");
	ask("set input 5 65535");
	ask("set holding 50 0x4366 0x3333");
	reads(HOLDING, 4711);
	reads(COIL, 1);
	reads(DISCRETE, 1);
	reads(INPUT, UINT64_MAX); /* int16 -1 */
	o = read_point(FLOAT);
	ck_assert_int_eq(o.r, 0);
	ck_assert_double_eq(o.sample.value.real, 230.2);
	ck_assert_uint_ge(o.sample.boottime_usec, before);
	ck_assert_uint_le(o.sample.boottime_usec, clock_usec(CLOCK_BOOTTIME));
	ck_assert_str_eq(ask("requests"), "5");
	stop();
}
END_TEST

START_TEST(one_request_for_neighbours)
{
	const uint32_t wanted[] = { COIL, COIL_15 };
	struct fieldway_sample samples[2];
	struct fieldway_result result;
	struct fieldway_plan plan;
	bool broken;

	start(_i);
	plugin->driver_free(f.driver);
	f.device_settings[f.device.settings.n++] = UINT("max_gap", 100);
	ck_assert_int_eq(plugin->driver_new(&f.bus, &f.device, &f.driver, &(struct fieldway_error){ 0 }), 0);
	ck_assert_int_eq(plugin->plan_new(f.driver, wanted, 2, &plan), 0);
	ck_assert_uint_eq(plan.n, 1);
	ask("set coil 30 1");
	ck_assert_int_eq(plugin->read(f.line, f.driver, &plan.requests[0], deadline(LONG_USEC), samples, NULL, 0,
				      &result, &broken),
			 0);
	ck_assert_uint_eq(samples[0].point, COIL);
	ck_assert(!samples[0].value.boolean);
	ck_assert_uint_eq(samples[1].point, COIL_15);
	ck_assert(samples[1].value.boolean);
	ck_assert_str_eq(ask("requests"), "1");
	plugin->plan_free(&plan);
	stop();
}
END_TEST

START_TEST(functions_that_write)
{
	char text[246];
	struct outcome o;

	start(_i);
	memset(text, 'x', sizeof(text));
	writes(HOLDING, number(40000), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 10"), "40000");
	writes(COIL, number(1), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get coil 3"), "1");
	writes(COIL, number(0), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get coil 3"), "0");
	writes(COIL_15, number(1), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get coil 30"), "1");
	writes(HOLDING_16, number(9), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 40"), "9");
	writes(FLOAT, (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = 230.2 }, FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 50 2"), "17254 13107");
	writes(TEXT_123, (struct fieldway_value){ .type = FIELDWAY_STRING, .data = text, .size = sizeof(text) },
	       FIELDWAY_ACCEPTED, 0);
	o = read_point(TEXT_123);
	ck_assert_uint_eq(o.sample.value.size, sizeof(text));
	ck_assert_mem_eq(o.sample.value.data, text, sizeof(text));
	ck_assert_str_eq(ask("requests"), "8");
	stop();
}
END_TEST

START_TEST(what_does_not_fit_is_not_sent)
{
	start(_i);
	writes(HOLDING, number(70000), FIELDWAY_NOT_SENT, -ERANGE);
	writes(OTHER, number(1), FIELDWAY_NOT_SENT, -EINVAL);
	ck_assert_str_eq(ask("requests"), "0");
	stop();
}
END_TEST

static const struct {
	int code, error;
	enum fieldway_outcome outcome;
	const char *detail;
} exceptions[] = {
	{ 1, -EOPNOTSUPP, FIELDWAY_REFUSED, "exception 1 (illegal function)" },
	{ 2, -ENXIO, FIELDWAY_REFUSED, "exception 2 (illegal data address)" },
	{ 3, -EINVAL, FIELDWAY_REFUSED, "exception 3 (illegal data value)" },
	{ 4, -EREMOTEIO, FIELDWAY_REFUSED, "exception 4 (device failure)" },
	{ 5, -EBUSY, FIELDWAY_UNKNOWN, "exception 5" },
	{ 6, -EBUSY, FIELDWAY_REFUSED, "exception 6 (device busy)" },
	{ 10, -EREMOTEIO, FIELDWAY_REFUSED, "exception 10" },
	{ 11, -EHOSTDOWN, FIELDWAY_UNKNOWN, "exception 11 (gateway target did not answer)" },
};

START_TEST(exceptions_by_number)
{
	start(_i);
	ask("set holding 10 3");
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		char command[32];

		snprintf(command, sizeof(command), "exception %d", exceptions[i].code);
		ask(command);
		fails(HOLDING, exceptions[i].error, exceptions[i].detail);
		writes(HOLDING, number(1), exceptions[i].outcome, exceptions[i].error);
	}
	ask("talk");
	reads(HOLDING, 3);
	ck_assert_str_eq(ask("requests"), "17");
	fails(BEYOND, -ENXIO, "exception 2");
	stop();
}
END_TEST

START_TEST(a_late_answer_is_never_the_next_one)
{
	start(_i);
	ask("set holding 10 1010");
	ask("set holding 70 7070");
	for (int i = 0; i < 3; i++) {
		ask("delay 150"); /* later than the timeout, sooner than the next would be given up */
		fails(HOLDING, -ETIMEDOUT, "no answer");
		ask("talk");
		reads(OTHER, 7070);
		reads(HOLDING, 1010);
	}
	ck_assert_str_eq(ask("requests"), "9");
	stop();
}
END_TEST

START_TEST(silence_makes_a_write_unknown)
{
	start(_i);
	ask("silent");
	writes(HOLDING, number(1), FIELDWAY_UNKNOWN, -ETIMEDOUT);
	ask("talk");
	ck_assert_str_eq(ask("requests"), "1");
	reads(HOLDING, 0);
	stop();
}
END_TEST

START_TEST(the_deadline_ends_the_wait)
{
	uint64_t begin = clock_usec(CLOCK_MONOTONIC);
	struct fieldway_value one = number(1);
	struct fieldway_result result;
	struct outcome o;
	bool broken;

	start(_i);
	f.bus.timeout_usec = 20 * LONG_USEC;
	plugin->line_close(f.line);
	plugin->driver_free(f.driver);
	ck_assert_int_eq(plugin->driver_new(&f.bus, &f.device, &f.driver, &(struct fieldway_error){ 0 }), 0);
	ck_assert_int_eq(open_line(&result), 0);
	ask("silent");
	o = read_until(HOLDING, deadline(30000));
	ck_assert_int_eq(o.r, -ETIMEDOUT);
	ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, LONG_USEC);
	/* The same unit owes an answer for long: a serial line may not send before, so the deadline comes first. */
	o = read_until(HOLDING, deadline(30000));
	ck_assert_int_eq(o.r, -ETIMEDOUT);
	ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, LONG_USEC);
	ck_assert_str_eq(ask("requests"), _i ? "1" : "2");
	ck_assert_int_eq(plugin->write(f.line, f.driver, HOLDING, &one, deadline(0), &result, &broken),
			 FIELDWAY_NOT_SENT);
	ck_assert_int_eq(result.error, -ETIMEDOUT);
	ck_assert_str_eq(ask("requests"), _i ? "1" : "2");
	stop();
}
END_TEST

START_TEST(garbled_answers)
{
	start(_i);
	ask("set holding 10 5");
	ask("garble");
	fails(HOLDING, -EBADMSG, _i ? "checksum" : "does not fit");
	writes(HOLDING, number(1), FIELDWAY_UNKNOWN, -EBADMSG);
	ask("talk");
	reads(HOLDING, 5);
	stop();
}
END_TEST

/* Checksums by the algorithm of Serial Line V1.02, 6.2.2. */
static const struct {
	const char *command, *detail;
} raws[] = {
	{ "raw 02 03 02 00 07 bd 86", "another unit" },
	{ "raw 01 03 02 00 07 f9 86 00", "" },           /* right, and a byte too many: taken, the rest dropped */
	{ "raw 01 03 04 00 07 00 08 4a 34", "does not fit" }, /* two registers for one */
	{ "raw 01 03 02 00 07 00 00", "checksum" },
	{ "raw 01 03", "no answer" },
	{ "raw 01 83 02 c0 f1", "exception 2" },
};

START_TEST(wrong_answers_on_the_serial_line)
{
	struct outcome o;

	start(true);
	ask("set holding 10 10");
	ask("set holding 70 70");
	ask(raws[_i].command);
	o = read_point(HOLDING);
	ck_assert_msg(strstr(o.result.detail, raws[_i].detail) != NULL, "%s", o.result.detail);
	if (*raws[_i].detail)
		ck_assert_int_lt(o.r, 0);
	else
		ck_assert_uint_eq(o.sample.value.unsignd, 7);
	reads(OTHER, 70);
	reads(HOLDING, 10);
	stop();
}
END_TEST

/* What an answer can have wrong, by the simulator's names; 0: it cannot, on this kind of line. */
static const struct {
	const char *fault;
	bool read; /* else it shows in the answers to writes only */
	int tcp, serial;
} faults[] = {
	{ "unit", true, -EBADMSG, -EBADMSG },
	{ "transaction", true, -EBADMSG, 0 },
	{ "function", true, -EBADMSG, -EBADMSG },
	{ "length", true, -EBADMSG, -EBADMSG },
	{ "data", false, -EBADMSG, -EBADMSG },
	{ "crc", true, 0, -EBADMSG },
	{ "truncate", true, -ETIMEDOUT, -ETIMEDOUT },
	{ "noise", true, -EBADMSG, -ETIMEDOUT }, /* taken for the beginning of a longer one */
	{ "mute", true, -ETIMEDOUT, -ETIMEDOUT },
	{ "half", true, -ECONNRESET, -ENODEV },
	{ "close", true, -ECONNRESET, -ENODEV },
	{ "reset", true, -ECONNRESET, -ENODEV },
};
#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static void spoil(const char *fault)
{
	char command[32];

	snprintf(command, sizeof(command), "fault %s", fault);
	ask(command);
}

/* A line that is broken is opened again, as the host does it. */
static void reopen(bool broken)
{
	struct fieldway_result result;

	if (!broken)
		return;
	plugin->line_close(f.line);
	ck_assert_msg(open_line(&result) == 0, "%s", result.detail);
}

/* Spoilt: none is a value, and none says anything about a write, which is done once. */
static void spoilt(const char *fault, bool read, int error)
{
	const struct fieldway_value value = number(77);
	struct fieldway_result result = { 0 };
	struct outcome o;
	bool broken;

	ask("set holding 10 10");
	ask("set holding 70 70");
	if (read) {
		spoil(fault);
		o = read_point(HOLDING);
		ck_assert_msg(o.r == error, "%s: %d %s", fault, o.r, o.result.detail);
		ask("talk");
		reopen(o.broken);
		reads(OTHER, 70);
		reads(HOLDING, 10);
	}
	spoil(fault);
	ck_assert_int_eq(plugin->write(f.line, f.driver, HOLDING, &value, deadline(LONG_USEC), &result, &broken),
			 FIELDWAY_UNKNOWN);
	ck_assert_msg(result.error == error, "%s: %d %s", fault, result.error, result.detail);
	ask("talk");
	reopen(broken);
	reads(OTHER, 70);
	reads(HOLDING, 77);
	ck_assert_str_eq(ask("requests"), read ? "6" : "3");
}

START_TEST(spoilt_answers)
{
	bool serial = (size_t)_i >= FAULTS;
	size_t i = (size_t)_i % FAULTS;
	int error = serial ? faults[i].serial : faults[i].tcp;

	if (!error)
		return;
	start(serial);
	spoilt(faults[i].fault, faults[i].read, error);
	stop();
}
END_TEST

/* Who asks for the device itself, or is answered by it, does not mind what it calls itself. */
START_TEST(units_that_mean_the_device)
{
	start(false);
	for (int i = 0; i < 2; i++) {
		plugin->driver_free(f.driver);
		f.device_settings[0] = UINT("unit", i ? 0 : 255);
		ck_assert_int_eq(
			plugin->driver_new(&f.bus, &f.device, &f.driver, &(struct fieldway_error){ 0 }), 0);
		ask("set holding 10 5");
		/* Its answers have the unit 0 or 1. */
		spoil("unit");
		reads(HOLDING, 5);
		ask("talk");
		reads(HOLDING, 5);
	}
	stop();
}
END_TEST

START_TEST(an_idle_connection_that_was_cut_is_made_again)
{
	start(false);
	reads(HOLDING, 0);
	ask("cut");
	reads(HOLDING, 0);
	ask("cut");
	writes(HOLDING, number(3), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("requests"), "3");
	stop();
}
END_TEST

START_TEST(a_connection_cut_while_waiting)
{
	start(false);
	ask("hangup");
	fails(HOLDING, -ECONNRESET, "closed by the device");
	ask("hangup");
	writes(HOLDING, number(3), FIELDWAY_UNKNOWN, -ECONNRESET);
	reads(HOLDING, 0);
	ck_assert_str_eq(ask("requests"), "3");
	stop();
}
END_TEST

START_TEST(nobody_listens)
{
	struct fieldway_value one = number(1);
	struct fieldway_result result;
	struct outcome o;
	bool broken = false;

	start(false);
	ask("unplug");
	o = read_point(HOLDING);
	ck_assert_int_eq(o.r, -ECONNREFUSED);
	ck_assert(o.broken);
	ck_assert_int_eq(plugin->write(f.line, f.driver, HOLDING, &one, deadline(LONG_USEC), &result, &broken),
			 FIELDWAY_NOT_SENT);
	ck_assert_int_eq(result.error, -ECONNREFUSED);
	ck_assert(broken);
	plugin->line_close(f.line);
	ck_assert_int_eq(open_line(&result), -ECONNREFUSED);
	snprintf(text_room, sizeof(text_room), "cannot connect to 127.0.0.1 port %u: Connection refused",
		 f.simulated.port[0]);
	ck_assert_str_eq(result.detail, text_room);
	ask("talk");
	ck_assert_int_eq(open_line(&result), 0);
	reads(HOLDING, 0);
	stop();
}
END_TEST

START_TEST(a_serial_port_that_was_unplugged)
{
	struct fieldway_result result;
	struct outcome o;

	start(true);
	reads(HOLDING, 0);
	ask("unplug");
	o = read_point(HOLDING);
	ck_assert_int_eq(o.r, -ENODEV);
	ck_assert(o.broken);
	plugin->line_close(f.line);
	ck_assert_int_eq(open_line(&result), -ENODEV);
	ask("talk");
	ck_assert_int_eq(open_line(&result), 0);
	reads(HOLDING, 0);
	stop();
}
END_TEST

#define SELECT_LIMIT 1024

static int filled[2 * SELECT_LIMIT];
static size_t n_filled;

static int take_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	filled[n_filled++] = fd;
	return fd;
}

/* Leaves none below the limit. */
static void take_descriptors(void)
{
	const struct rlimit limit = { 2 * SELECT_LIMIT, 2 * SELECT_LIMIT };

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while (take_descriptor() < SELECT_LIMIT)
		;
}

static void give_descriptors_back(void)
{
	while (n_filled)
		close(filled[--n_filled]);
}

START_TEST(descriptors_beyond_select_are_refused)
{
	struct fieldway_result result;
	struct outcome o;

	start(_i);
	reads(HOLDING, 0);
	take_descriptors();
	plugin->line_close(f.line); /* leaves one descriptor that can be used */
	ck_assert_int_eq(open_line(&result), 0);
	reads(HOLDING, 0);
	if (!_i) {
		ask("cut");
		ck_assert_int_eq(read_point(HOLDING).r, 0);
		ask("unplug");
		o = read_point(HOLDING);
		ck_assert_int_eq(o.r, -ECONNREFUSED);
		ask("talk");
		ck_assert_int_lt(take_descriptor(), SELECT_LIMIT);
		o = read_point(HOLDING);
		ck_assert_int_eq(o.r, -EMFILE);
		ck_assert(o.broken);
	}
	plugin->line_close(f.line);
	f.line = NULL;
	take_descriptors();
	ck_assert_int_eq(open_line(&result), -EMFILE);
	ck_assert_msg(strstr(result.detail, "1023") != NULL, "%s", result.detail);
	give_descriptors_back();
	stop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/line");
	TCase *t = tcase_create("line");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 20);
	tcase_add_loop_test(t, functions_that_read, 0, 2);
	tcase_add_loop_test(t, one_request_for_neighbours, 0, 2);
	tcase_add_loop_test(t, functions_that_write, 0, 2);
	tcase_add_loop_test(t, what_does_not_fit_is_not_sent, 0, 2);
	tcase_add_loop_test(t, exceptions_by_number, 0, 2);
	tcase_add_loop_test(t, a_late_answer_is_never_the_next_one, 0, 2);
	tcase_add_loop_test(t, silence_makes_a_write_unknown, 0, 2);
	tcase_add_loop_test(t, the_deadline_ends_the_wait, 0, 2);
	tcase_add_loop_test(t, garbled_answers, 0, 2);
	tcase_add_loop_test(t, wrong_answers_on_the_serial_line, 0, sizeof(raws) / sizeof(raws[0]));
	tcase_add_loop_test(t, spoilt_answers, 0, 2 * FAULTS);
	tcase_add_test(t, units_that_mean_the_device);
	tcase_add_test(t, an_idle_connection_that_was_cut_is_made_again);
	tcase_add_test(t, a_connection_cut_while_waiting);
	tcase_add_test(t, nobody_listens);
	tcase_add_test(t, a_serial_port_that_was_unplugged);
	tcase_add_loop_test(t, descriptors_beyond_select_are_refused, 0, 2);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
