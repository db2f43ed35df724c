/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "setup.h"
#include "tests/lib/simulated.h"

/* Requests that take more than one transaction, or none that is answered: each on TCP (0) and RTU (1). */

static const struct fieldway_plugin *const plugin = &fieldway_plugin;

#define TIMEOUT_USEC UINT64_C(120000)
#define LONG_USEC UINT64_C(5000000)

enum {
	BIT,
	MASK,
	MERGED,
	WIDE,
	BACK,
	ELSEWHERE,
	VENDOR,
	REVISION,
	NAME,
	EXTRA,
	UNKNOWN,
	POWER,
	LIMIT,
	BATTERY,
	FAR,
	ID,
	PLAIN,
	POINTS,
};

static const struct {
	bool writable;
	struct fieldway_setting settings[4];
} rows[POINTS] = {
	[BIT] = { true, { UINT_("address", 100), UINT_("bit", 3) } },
	[MASK] = { true,
		   { UINT_("address", 101), TEXT_("type", "int16"), UINT_("mask", 0x0ff0),
		     TEXT_("order", "BA") } },
	[MERGED] = { true,
		     { UINT_("address", 102), UINT_("bit", 15), UINT_("write.function", 6) } },
	[WIDE] = { true,
		   { UINT_("address", 104), TEXT_("type", "uint32"), UINT_("mask", 0x00ffff00),
		     UINT_("write.function", 16) } },
	[BACK] = { true,
		   { UINT_("address", 110), TEXT_("type", "float32"), TEXT_("order", "CDAB"),
		     UINT_("write.function", 23) } },
	[ELSEWHERE] = { true,
			{ UINT_("address", 112), UINT_("write.address", 113),
			  UINT_("write.function", 23) } },
	[VENDOR] = { false, { TEXT_("area", "identification"), TEXT_("object", "vendor_name") } },
	[REVISION] = { false, { TEXT_("area", "identification"), TEXT_("object", "revision") } },
	[NAME] = { false, { TEXT_("area", "identification"), TEXT_("object", "model_name") } },
	[EXTRA] = { false,
		    { TEXT_("area", "identification"), TEXT_("object", "128"),
		      TEXT_("type", "bytes") } },
	[UNKNOWN] = { false, { TEXT_("area", "identification"), TEXT_("object", "200") } },
	[POWER] = { false,
		    { UINT_("model", 101), UINT_("model", 103), UINT_("address", 3),
		      TEXT_("type", "int16") } },
	[LIMIT] = { true, { UINT_("model", 123), UINT_("address", 2) } },
	[BATTERY] = { true, { UINT_("model", 802), UINT_("address", 2) } },
	[FAR] = { true, { UINT_("model", 103), UINT_("address", 6) } },
	[ID] = { false, { UINT_("model", 123), UINT_("address", 0) } },
	[PLAIN] = { true, { UINT_("address", 10) } },
};

static struct {
	bool serial;
	struct simulated simulated;
	struct fieldway_point points[POINTS];
	struct fieldway_setting device_settings[5], bus_settings[3];
	struct fieldway_device device;
	struct fieldway_bus bus;
	struct fieldway_driver *driver;
	struct fieldway_line *line;
	char pty[64], text[4096];
	struct fieldway_result result;
} f;

static void make_device(uint64_t unit)
{
	size_t n = 0;

	for (size_t i = 0; i < POINTS; i++) {
		f.points[i] = (struct fieldway_point){ .name = "p",
						       .readable = true,
						       .writable = rows[i].writable };
		f.points[i].settings.items = rows[i].settings;
		while (f.points[i].settings.n < 4 && rows[i].settings[f.points[i].settings.n].key)
			f.points[i].settings.n++;
	}
	f.device_settings[n++] = UINT("unit", unit);
	f.device_settings[n++] = TEXT("base.find", "SunS");
	f.device_settings[n++] = UINT("base.at", 40000);
	if (f.serial) {
		f.bus_settings[0] = TEXT("rtu.device", f.simulated.place[0]);
		f.bus_settings[1] = UINT("rtu.baud", 115200);
		f.bus_settings[2] = TEXT("rtu.format", "8N1"); /* a pty drops PARENB */
	} else {
		f.device_settings[n++] = TEXT("host", "127.0.0.1");
		f.device_settings[n++] = UINT("port", f.simulated.port[0]);
		f.bus_settings[0] = UINT("tcp.connections_per_host", 1);
	}
	f.bus = (struct fieldway_bus){ "bus", { f.bus_settings, f.serial ? 3 : 1 }, TIMEOUT_USEC };
	f.device = (struct fieldway_device){ "d", { f.device_settings, n }, f.points, POINTS };
}

static void simulate(bool serial)
{
	const char *const arguments[] = { serial ? "--rtu" : "--tcp",
					  serial ? f.pty : "127.0.0.1:0", NULL };

	f.serial = serial;
	snprintf(f.pty, sizeof(f.pty), "/tmp/fieldway-transfer-test-%d", getpid());
	ck_assert_int_eq(simulated_start(&f.simulated, arguments), 0);
}

static void open_line(void)
{
	struct fieldway_error error = { 0 };

	ck_assert_msg(plugin->driver_new(&f.bus, &f.device, &f.driver, &error) == 0, "%d %s",
		      error.point, error.text);
	ck_assert_msg(plugin->line_open(&f.bus, f.driver, &f.line, &f.result) == 0, "%s",
		      f.result.detail);
}

static void start(bool serial)
{
	simulate(serial);
	make_device(1);
	open_line();
}

static void stop(void)
{
	plugin->line_close(f.line);
	plugin->driver_free(f.driver);
	simulated_stop(&f.simulated);
}

static uint64_t deadline(uint64_t usec)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000 + usec;
}

static const char *ask(const char *command)
{
	const char *answer = simulated_ask(&f.simulated, command);

	ck_assert_msg(answer, "%s", command);
	return answer;
}

/* How many requests came until now. */
static int requests(void)
{
	return atoi(ask("requests"));
}

static int read_until(const uint32_t *points, size_t n, uint64_t deadline_usec,
		      struct fieldway_sample *samples)
{
	struct fieldway_plan plan;
	bool broken;
	int r;

	ck_assert_int_eq(plugin->plan_new(f.driver, points, n, &plan), 0);
	ck_assert_uint_eq(plan.n, 1);
	f.result = (struct fieldway_result){ 0 };
	r = plugin->read(f.line, f.driver, &plan.requests[0], deadline_usec, samples, f.text,
			 sizeof(f.text), &f.result, &broken);
	ck_assert_int_eq(r, f.result.error);
	plugin->plan_free(&plan);
	return r;
}

static int read_points(const uint32_t *points, size_t n, struct fieldway_sample *samples)
{
	return read_until(points, n, deadline(LONG_USEC), samples);
}

static struct fieldway_sample read_one(uint32_t point)
{
	struct fieldway_sample sample = { 0 };

	ck_assert_msg(read_points(&point, 1, &sample) == 0, "%d %s", f.result.error,
		      f.result.detail);
	ck_assert_uint_eq(sample.point, point);
	ck_assert_uint_ne(sample.boottime_usec, 0);
	return sample;
}

static void reads(uint32_t point, int64_t expected)
{
	struct fieldway_sample sample = read_one(point);

	ck_assert_int_eq(sample.quality, FIELDWAY_GOOD);
	ck_assert_int_eq(sample.value.integer, expected);
}

static void reads_nothing(uint32_t point)
{
	ck_assert_int_eq(read_one(point).quality, FIELDWAY_INVALID);
}

static void fails(uint32_t point, int error)
{
	struct fieldway_sample sample;

	ck_assert_int_eq(read_points(&point, 1, &sample), error);
	ck_assert_uint_gt(strlen(f.result.detail), 5);
}

static void writes(uint32_t point, struct fieldway_value value, enum fieldway_outcome expected,
		   int error)
{
	bool broken;

	ck_assert_int_eq(plugin->write(f.line, f.driver, point, &value, deadline(LONG_USEC),
				       &f.result, &broken),
			 expected);
	ck_assert_int_eq(f.result.error, error);
	ck_assert(error == 0 || strlen(f.result.detail) > 5);
}

static struct fieldway_value number(int64_t i)
{
	return (struct fieldway_value){ .type = FIELDWAY_INT, .integer = i };
}

static struct fieldway_value on(bool b)
{
	return (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = b };
}

/* ---- bits ---- */

START_TEST(bits_leave_the_others_alone)
{
	start(_i);
	ask("set holding 100 0x5a00 0x1234");
	writes(BIT, on(true), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 100"), "23048"); /* 0x5a08 */
	writes(BIT, on(false), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 100"), "23040");
	/* 0x1234 is 0x3412 as the point has it. */
	reads(MASK, 0x41);
	writes(MASK, number(-2), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 101"), "57919"); /* 0x3fe2, bytes swapped: 0xe23f */
	reads(MASK, -2);
	writes(MASK, number(128), FIELDWAY_NOT_SENT, -ERANGE);
	stop();
}
END_TEST

START_TEST(a_bit_takes_one_request)
{
	int before;

	start(_i);
	before = requests();
	writes(BIT, on(true), FIELDWAY_ACCEPTED, 0);
	ck_assert_int_eq(requests(), before + 1);
	writes(MERGED, on(true), FIELDWAY_ACCEPTED, 0);
	ck_assert_int_eq(requests(), before + 3);
	stop();
}
END_TEST

START_TEST(bits_are_merged_where_it_is_asked_for)
{
	start(_i);
	ask("set holding 102 0x0123 0 0xaabb 0xccdd");
	writes(MERGED, on(true), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 102"), "33059"); /* 0x8123 */
	writes(WIDE, number(0x1234), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 104 2"), "43538 13533"); /* 0xaa12 0x34dd */
	stop();
}
END_TEST

/* Before the write nothing has been written: its outcome is known. */
START_TEST(what_cannot_be_read_is_not_merged)
{
	start(_i);
	ask("exception 4");
	writes(MERGED, on(true), FIELDWAY_REFUSED, -EREMOTEIO);
	ask("talk");
	ask("silent");
	writes(MERGED, on(true), FIELDWAY_NOT_SENT, -ETIMEDOUT);
	ask("talk");
	ck_assert_str_eq(ask("get holding 102"), "0");
	stop();
}
END_TEST

START_TEST(a_device_without_function_22)
{
	start(_i);
	ask("exception 1");
	writes(BIT, on(true), FIELDWAY_REFUSED, -EOPNOTSUPP);
	ask("talk");
	ask("fault data 1");
	writes(BIT, on(true), FIELDWAY_UNKNOWN, -EBADMSG);
	stop();
}
END_TEST

START_TEST(written_and_read_back)
{
	const struct fieldway_value f230 = { .type = FIELDWAY_FLOAT, .real = 230.2 };
	int before;

	start(_i);
	before = requests();
	writes(BACK, f230, FIELDWAY_ACCEPTED, 0);
	ck_assert_int_eq(requests(), before + 1);
	ck_assert_str_eq(ask("get holding 110 2"), "13107 17254"); /* 0x3333 0x4366 */
	ask("fault data 1");
	writes(BACK, f230, FIELDWAY_UNKNOWN, -EBADMSG);
	ck_assert_str_eq(f.result.detail, "the device reads back another value");
	/* What is read elsewhere need not be what was written. */
	ask("set holding 112 7 8");
	writes(ELSEWHERE, number(9), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 112 2"), "7 9");
	ask("fault length 1");
	writes(BACK, f230, FIELDWAY_UNKNOWN, -EBADMSG);
	stop();
}
END_TEST

/* ---- identification ---- */

static void text_is(const struct fieldway_sample *s, const char *expected)
{
	ck_assert_int_eq(s->quality, FIELDWAY_GOOD);
	ck_assert_int_eq(s->value.type, FIELDWAY_STRING);
	ck_assert_uint_eq(s->value.size, strlen(expected));
	ck_assert_mem_eq(s->value.data, expected, s->value.size);
}

START_TEST(objects_come_in_a_stream)
{
	const uint32_t basic[] = { VENDOR, REVISION },
		       all[] = { VENDOR, REVISION, NAME, EXTRA, UNKNOWN };
	struct fieldway_sample samples[5];
	int before;

	start(_i);
	before = requests();
	ck_assert_int_eq(read_points(basic, 2, samples), 0);
	ck_assert_int_eq(requests(), before + 1);
	text_is(&samples[0], "Fieldway");
	text_is(&samples[1], "V1.5");
	before = requests();
	ck_assert_int_eq(read_points(all, 5, samples), 0);
	ck_assert_int_gt(requests(), before + 2);
	text_is(&samples[0], "Fieldway");
	text_is(&samples[2], "Simulator");
	ck_assert_uint_eq(samples[3].value.size, 2);
	ck_assert_mem_eq(samples[3].value.data, "\1\2", 2);
	ck_assert_int_eq(samples[4].quality, FIELDWAY_INVALID);
	stop();
}
END_TEST

START_TEST(devices_that_say_less)
{
	const uint32_t all[] = { VENDOR, NAME, EXTRA };
	struct fieldway_sample samples[3];

	start(_i);
	ask("identification 2");
	ck_assert_int_eq(read_points(all, 3, samples), 0);
	text_is(&samples[1], "Simulator");
	ck_assert_int_eq(samples[2].quality, FIELDWAY_INVALID);
	/* Refuses to be asked for more. */
	ask("identification 1");
	ck_assert_int_eq(read_points(all, 3, samples), 0);
	text_is(&samples[0], "Fieldway");
	ck_assert_int_eq(samples[1].quality, FIELDWAY_INVALID);
	ask("identification 0");
	ck_assert_int_eq(read_points(all, 3, samples), -EOPNOTSUPP);
	stop();
}
END_TEST

START_TEST(identification_goes_wrong)
{
	start(_i);
	ask("silent");
	fails(VENDOR, -ETIMEDOUT);
	ask("talk");
	ask("fault mute 1");
	fails(VENDOR, -ETIMEDOUT);
	text_is(&(struct fieldway_sample){ .value = read_one(VENDOR).value }, "Fieldway");
	stop();
}
END_TEST

/* ---- models ---- */

/* Models 1, 103, 123. */
static void put_chain(const char *address)
{
	char command[200];

	snprintf(command, sizeof(command),
		 "set holding %s 0x5375 0x6e53 1 2 0 0 103 3 7 0xfffe 9 123 1 50 0xffff 0",
		 address);
	ask(command);
}

START_TEST(a_chain_is_walked_once)
{
	int before;

	start(_i);
	put_chain("40000");
	before = requests();
	reads(POWER, -2);
	ck_assert_int_eq(requests(),
			 before + 1 + 4 + 1); /* SunS, three models and the end, the register */
	reads(POWER, -2);
	reads(LIMIT, 50);
	reads(ID, 123);
	ck_assert_int_eq(requests(), before + 9);
	/* A missing model, and registers behind the end of one, cost no request. */
	reads_nothing(BATTERY);
	reads_nothing(FAR);
	ck_assert_int_eq(requests(), before + 9);
	writes(LIMIT, number(60), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 40013"), "60");
	writes(BATTERY, number(1), FIELDWAY_NOT_SENT, -ENXIO);
	ck_assert_str_eq(f.result.detail, "the device has no model 802 + 2");
	writes(FAR, number(1), FIELDWAY_NOT_SENT, -ENXIO);
	stop();
}
END_TEST

START_TEST(a_write_walks_too)
{
	start(_i);
	put_chain("40000");
	writes(LIMIT, number(60), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 40013"), "60");
	stop();
}
END_TEST

START_TEST(no_chain_is_an_error)
{
	start(_i);
	fails(POWER, -EREMOTEIO);
	ck_assert_str_eq(f.result.detail, "there is no \"SunS\" at address 40000");
	writes(LIMIT, number(60), FIELDWAY_NOT_SENT, -EREMOTEIO);
	ask("only 0 40000");
	ask("exception 2");
	fails(POWER, -EREMOTEIO);
	writes(LIMIT, number(60), FIELDWAY_NOT_SENT, -EREMOTEIO);
	reads(PLAIN, 0);
	ask("talk");
	put_chain("40000");
	reads(POWER, -2);
	stop();
}
END_TEST

/* Other modules: a block is gone and the next one has moved up. */
static void move_chain(void)
{
	ask("set holding 40002 103 3 7 8 9 123 1 50 0xffff 0");
}

START_TEST(a_chain_is_walked_again)
{
	start(_i);
	put_chain("40000");
	reads(POWER, -2);
	/* After silence. */
	move_chain();
	ask("silent");
	fails(PLAIN, -ETIMEDOUT);
	ask("talk");
	reads(POWER, 8);
	/* Where another ID shows. */
	put_chain("40000");
	fails(ID, -EBUSY);
	reads(ID, 123);
	reads(POWER, -2);
	/* After exception 2. */
	move_chain();
	ask("exception 2");
	fails(POWER, -ENXIO);
	ask("talk");
	reads(POWER, 8);
	stop();
}
END_TEST

/* Where its predecessor had the model is something else. */
START_TEST(a_swapped_device_is_not_written_to)
{
	start(_i);
	put_chain("40000");
	reads(POWER, -2);
	move_chain();
	writes(LIMIT, number(60), FIELDWAY_NOT_SENT, -EBUSY);
	ck_assert_str_eq(ask("get holding 40011 3"), "0 1 50");
	writes(LIMIT, number(60), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 40007 3"), "123 1 60");
	stop();
}
END_TEST

/* A slow device, a long chain, and little time: each request gets some steps further. */
START_TEST(a_walk_that_takes_long_goes_on)
{
	const uint32_t point = POWER;
	struct fieldway_sample sample;
	int r, rounds = 0, before;

	start(_i);
	put_chain("40000");
	ask("exception 4"); /* a line that was opened just now is silent at first */
	fails(POWER, -EREMOTEIO);
	ask("talk");
	ask("delay 50");
	before = requests();
	do {
		r = read_until(&point, 1, deadline(160000), &sample);
		rounds++;
	} while (r == -EBUSY);
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(sample.value.integer, -2);
	ck_assert_int_gt(rounds, 1);
	ck_assert_int_lt(requests(), before + 30);
	stop();
}
END_TEST

START_TEST(a_walk_that_fails_begins_anew)
{
	start(_i);
	put_chain("40000");
	ask("only 0 40006");
	ask("silent");
	fails(POWER, -ETIMEDOUT);
	ask("talk");
	ask("only 0 40006");
	ask("exception 4");
	fails(POWER, -EREMOTEIO);
	ask("talk");
	reads(POWER, -2);
	stop();
}
END_TEST

/* ---- broadcasts ---- */

static void start_broadcast(bool accepted)
{
	const uint64_t unit = 0;

	simulate(true);
	make_device(unit);
	f.device_settings[1] =
		(struct fieldway_setting){ "broadcast",
					   { .type = FIELDWAY_BOOL, .boolean = accepted } };
	f.device.settings.n = 2;
	f.device.points = &f.points[PLAIN];
	f.device.n_points = 1;
	f.points[PLAIN].readable = false;
	open_line();
}

START_TEST(everybody_is_told)
{
	start_broadcast(_i);
	writes(0, number(7), _i ? FIELDWAY_ACCEPTED : FIELDWAY_UNKNOWN, _i ? 0 : -ETIMEDOUT);
	writes(0, number(8), _i ? FIELDWAY_ACCEPTED : FIELDWAY_UNKNOWN, _i ? 0 : -ETIMEDOUT);
	/* The second waited until the first was surely done. */
	ck_assert_int_ge(requests(), 1);
	while (strcmp(ask("get holding 10"), "8") != 0)
		;
	ck_assert_int_eq(requests(), 2);
	stop();
}
END_TEST

/* Nobody answers, so nobody is waited for. */
START_TEST(a_raw_request_to_everybody)
{
	const uint8_t request[] = { 6, 0, 10, 0, 9 };
	uint64_t begin = deadline(0);
	uint8_t answer[8];
	size_t size = 99;
	bool broken;

	start_broadcast(false);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(plugin->raw(f.line, f.driver, request, sizeof(request), deadline(LONG_USEC),
					     answer, sizeof(answer), &size, &f.result, &broken),
				 0);
	ck_assert_uint_eq(size, 0);
	ck_assert(!broken);
	ck_assert_uint_ge(deadline(0) - begin, 100000);
	while (strcmp(ask("get holding 10"), "9") != 0)
		;
	stop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/transfer");
	TCase *t = tcase_create("transfer");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, bits_leave_the_others_alone, 0, 2);
	tcase_add_loop_test(t, a_bit_takes_one_request, 0, 2);
	tcase_add_loop_test(t, bits_are_merged_where_it_is_asked_for, 0, 2);
	tcase_add_loop_test(t, what_cannot_be_read_is_not_merged, 0, 2);
	tcase_add_loop_test(t, a_device_without_function_22, 0, 2);
	tcase_add_loop_test(t, written_and_read_back, 0, 2);
	tcase_add_loop_test(t, objects_come_in_a_stream, 0, 2);
	tcase_add_loop_test(t, devices_that_say_less, 0, 2);
	tcase_add_loop_test(t, identification_goes_wrong, 0, 2);
	tcase_add_loop_test(t, a_chain_is_walked_once, 0, 2);
	tcase_add_loop_test(t, a_write_walks_too, 0, 2);
	tcase_add_loop_test(t, no_chain_is_an_error, 0, 2);
	tcase_add_loop_test(t, a_chain_is_walked_again, 0, 2);
	tcase_add_loop_test(t, a_swapped_device_is_not_written_to, 0, 2);
	tcase_add_loop_test(t, a_walk_that_takes_long_goes_on, 0, 2);
	tcase_add_loop_test(t, a_walk_that_fails_begins_anew, 0, 2);
	tcase_add_loop_test(t, everybody_is_told, 0, 2);
	tcase_add_test(t, a_raw_request_to_everybody);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
