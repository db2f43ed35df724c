/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "line_rig.h"

/* The polled half of the contract against simulated devices: each test on every kind of line. */

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
	{ 10, -EHOSTUNREACH, FIELDWAY_REFUSED, "exception 10 (gateway path unavailable)" },
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

/* As any line, but with this timeout. */
static void start_patiently(int kind, uint64_t timeout_usec)
{
	struct fieldway_result result;

	start(kind);
	f.bus.timeout_usec = timeout_usec;
	plugin->line_close(f.line);
	plugin->driver_free(f.driver);
	ck_assert_int_eq(plugin->driver_new(&f.bus, &f.device, &f.driver, &(struct fieldway_error){ 0 }), 0);
	ck_assert_int_eq(open_line(&result), 0);
}

START_TEST(a_late_answer_is_never_the_next_one)
{
	start_patiently(_i, 3 * TIMEOUT_USEC);
	ask("set holding 10 1010");
	ask("set holding 70 7070");
	for (int i = 0; i < 2; i++) {
		ask("delay 670"); /* later than the timeout, sooner than the next would be given up */
		fails(HOLDING, -ETIMEDOUT, "no answer");
		ask("talk");
		reads(OTHER, 7070);
		reads(HOLDING, 1010);
	}
	ck_assert_str_eq(ask("requests"), "6");
	stop();
}
END_TEST

/* Nor is it that of a host which has been replaced, or of a port that was lent. */
START_TEST(a_late_answer_outlives_its_line)
{
	struct fieldway_result result;

	start_patiently(_i, 3 * TIMEOUT_USEC);
	ask("set holding 10 1010");
	ask("set holding 70 7070");
	ask("delay 750");
	fails(HOLDING, -ETIMEDOUT, "no answer");
	ask("talk");
	plugin->line_close(f.line);
	ck_assert_int_eq(open_line(&result), 0);
	reads(OTHER, 7070);
	reads(HOLDING, 1010);
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
	struct fieldway_value one = number(1);
	struct fieldway_result result;
	struct outcome o;
	uint64_t begin;
	bool broken;

	start_patiently(_i, 10 * TIMEOUT_USEC);
	reads(HOLDING, 0);
	ask("silent");
	begin = clock_usec(CLOCK_MONOTONIC);
	o = read_until(HOLDING, deadline(TIMEOUT_USEC));
	ck_assert_int_eq(o.r, -ETIMEDOUT);
	ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, 10 * TIMEOUT_USEC);
	/* The same unit owes an answer for long: a serial line may not send before, so the deadline comes first. */
	o = read_until(HOLDING, deadline(TIMEOUT_USEC));
	ck_assert_int_eq(o.r, -ETIMEDOUT);
	ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begin, 10 * TIMEOUT_USEC);
	ck_assert_str_eq(ask("requests"), has_transactions() ? "3" : "2");
	ck_assert_int_eq(plugin->write(f.line, f.driver, HOLDING, &one, deadline(0), &result, &broken),
			 FIELDWAY_NOT_SENT);
	ck_assert_int_eq(result.error, -ETIMEDOUT);
	ck_assert_str_eq(ask("requests"), has_transactions() ? "3" : "2");
	stop();
}
END_TEST

START_TEST(garbled_answers)
{
	start(_i);
	ask("set holding 10 5");
	ask("garble");
	fails(HOLDING, -EBADMSG, has_transactions() ? "does not fit" : "checksum");
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
	{ "raw 02 03 02 00 07 bd 86", "answer of another unit, 2 (1 foreign frame)" },
	{ "raw 01 03 02 00 07 f9 86 00", "" },           /* right, and a byte too many: taken, the rest dropped */
	{ "raw 01 03 04 00 07 00 08 4a 34", "does not fit" }, /* two registers for one */
	{ "raw 01 03 02 00 07 00 00", "checksum" },
	{ "raw 01 03", "no answer (2 garbled bytes)" }, /* too few to be an answer, but somebody is there */
	{ "raw 01 83 02 c0 f1", "exception 2" },
	{ "raw 01 83 4d 81 05", "exception 77 (that no standard knows)" },
};

#define RAWS (int)(sizeof(raws) / sizeof(raws[0]))

START_TEST(wrong_answers_of_rtu)
{
	struct outcome o;

	start(_i < RAWS ? RTU : RTU_TCP);
	ask("set holding 10 10");
	ask("set holding 70 70");
	ask(raws[_i % RAWS].command);
	o = read_point(HOLDING);
	ck_assert_msg(strstr(o.result.detail, raws[_i % RAWS].detail) != NULL, "%s", o.result.detail);
	if (*raws[_i % RAWS].detail)
		ck_assert_int_lt(o.r, 0);
	else
		ck_assert_uint_eq(o.sample.value.unsignd, 7);
	reads(OTHER, 70);
	reads(HOLDING, 10);
	stop();
}
END_TEST

#define FOUND 1 /* in spite of it */

/* What an answer can have wrong, by the simulator's names; 0: it cannot, on this kind of line. */
static const struct {
	const char *fault;
	bool read; /* else it shows in the answers to writes only */
	int transactions, others;
} faults[] = {
	{ "unit", true, -EBADMSG, -EBADMSG },
	{ "transaction", true, -EBADMSG, 0 },
	{ "function", true, -EBADMSG, -EBADMSG },
	{ "length", true, -EBADMSG, -EBADMSG },
	{ "data", false, -EBADMSG, -EBADMSG },
	{ "crc", true, 0, -EBADMSG },
	{ "truncate", true, -ETIMEDOUT, -ETIMEDOUT },
	{ "noise", true, -EBADMSG, FOUND },
	{ "split", true, FOUND, FOUND },
	{ "mute", true, -ETIMEDOUT, -ETIMEDOUT },
	{ "half", true, -ECONNRESET, -ECONNRESET },
	{ "close", true, -ECONNRESET, -ECONNRESET },
	{ "reset", true, -ECONNRESET, -ECONNRESET },
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
		ck_assert_msg(o.r == (error == FOUND ? 0 : error), "%s: %d %s", fault, o.r, o.result.detail);
		ask("talk");
		reopen(o.broken);
		reads(OTHER, 70);
		reads(HOLDING, 10);
	}
	spoil(fault);
	ck_assert_int_eq(plugin->write(f.line, f.driver, HOLDING, &value, deadline(LONG_USEC), &result, &broken),
			 error == FOUND ? FIELDWAY_ACCEPTED : FIELDWAY_UNKNOWN);
	ck_assert_msg(result.error == (error == FOUND ? 0 : error), "%s: %d %s", fault, result.error,
		      result.detail);
	ask("talk");
	reopen(broken);
	reads(OTHER, 70);
	reads(HOLDING, 77);
	ck_assert_str_eq(ask("requests"), read ? "6" : "3");
}

START_TEST(spoilt_answers)
{
	size_t i = (size_t)_i % FAULTS;
	int error;

	f.kind = (enum kind)((size_t)_i / FAULTS);
	error = has_transactions() ? faults[i].transactions : faults[i].others;
	if (!error)
		return;
	start((int)f.kind);
	if (is_serial() && error == -ECONNRESET)
		error = -ENODEV; /* it is pulled */
	spoilt(faults[i].fault, faults[i].read, error);
	stop();
}
END_TEST

/* Who asks for the device itself, or is answered by it, does not mind what it calls itself. */
START_TEST(units_that_mean_the_device)
{
	start(_i);
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
	start(_i);
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
	start(_i);
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

	start(_i);
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

	start(_i);
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

/* libmodbus would end the process, or worse: it opens, but never waits. */
START_TEST(descriptors_beyond_select_can_be_used)
{
	struct fieldway_result result;

	start(_i);
	reads(HOLDING, 0);
	plugin->line_close(f.line);
	take_descriptors();
	ck_assert_int_eq(open_line(&result), 0);
	reads(HOLDING, 0);
	ask("silent");
	fails(HOLDING, -ETIMEDOUT, "no answer");
	ask("talk");
	reads(HOLDING, 0);
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

	tcase_add_unchecked_fixture(t, make_certificates, remove_certificates);
	tcase_set_timeout(t, 20);
	tcase_add_loop_test(t, functions_that_read, 0, KINDS);
	tcase_add_loop_test(t, one_request_for_neighbours, 0, KINDS);
	tcase_add_loop_test(t, functions_that_write, 0, KINDS);
	tcase_add_loop_test(t, what_does_not_fit_is_not_sent, 0, KINDS);
	tcase_add_loop_test(t, exceptions_by_number, 0, KINDS);
	tcase_add_loop_test(t, a_late_answer_is_never_the_next_one, 0, KINDS);
	tcase_add_loop_test(t, a_late_answer_outlives_its_line, RTU, KINDS);
	tcase_add_loop_test(t, silence_makes_a_write_unknown, 0, KINDS);
	tcase_add_loop_test(t, the_deadline_ends_the_wait, 0, KINDS);
	tcase_add_loop_test(t, garbled_answers, 0, KINDS);
	tcase_add_loop_test(t, wrong_answers_of_rtu, 0, 2 * RAWS);
	tcase_add_loop_test(t, spoilt_answers, 0, KINDS * FAULTS);
	tcase_add_loop_test(t, units_that_mean_the_device, 0, RTU_TCP);
	tcase_add_loop_test(t, an_idle_connection_that_was_cut_is_made_again, 0, RTU);
	tcase_add_loop_test(t, a_connection_cut_while_waiting, 0, RTU);
	tcase_add_loop_test(t, nobody_listens, 0, RTU);
	tcase_add_loop_test(t, a_serial_port_that_was_unplugged, RTU, KINDS);
	tcase_add_loop_test(t, descriptors_beyond_select_can_be_used, 0, KINDS);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
