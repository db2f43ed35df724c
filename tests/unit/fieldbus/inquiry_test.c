/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fieldbus/rig.h"

/* Questions to a running host: Read, Statistics, Attempt. */

static struct {
	unsigned n;
	int error;
	char text[512];
	struct fieldway_sample sample;
	size_t n_samples;
	struct fieldbus_request_statistics request;
	struct fieldbus_point_statistics point;
	size_t n_requests, n_points;
} answer;

static void on_read(void *userdata, int error, const char *detail, const struct fieldway_sample *samples,
		    size_t n)
{
	ck_assert_ptr_eq(userdata, &answer);
	answer.n++;
	answer.error = error;
	answer.n_samples = n;
	if (n > 0)
		answer.sample = samples[0];
	snprintf(answer.text, sizeof(answer.text), "%s", detail);
}

static void on_counted(void *userdata, int error, const char *detail,
		       const struct fieldbus_device_details *details)
{
	ck_assert_ptr_eq(userdata, &answer);
	answer.n++;
	answer.error = error;
	answer.n_requests = details->n_requests;
	answer.n_points = details->n_points;
	if (details->n_requests > 0)
		answer.request = details->requests[0];
	if (details->n_points > 0)
		answer.point = details->points[0];
	snprintf(answer.text, sizeof(answer.text), "%s", detail);
}

static void set_up(void)
{
	rig_set_up();
	memset(&answer, 0, sizeof(answer));
}

static int try_read(uint32_t device, uint32_t point, size_t n)
{
	const uint32_t points[] = { point, 0, 0 };

	return fieldbus_read(rig.fieldbus, device, points, n, on_read, &answer);
}

static void ask(uint32_t point, size_t n)
{
	ck_assert_int_eq(try_read(0, point, n), 0);
	ck_assert_uint_eq(answer.n, 0);
}

START_TEST(read_answers)
{
	uint64_t before, deadline;

	rig_start();
	rig_advance(USEC_PER_HOUR);
	before = clock_monotonic_usec() - clock_offset_usec();
	ask(0, 1);
	rig_until(answer.n > 0);
	ck_assert_int_eq(answer.error, 0);
	ck_assert_uint_eq(answer.n_samples, 1);
	ck_assert_double_eq(answer.sample.value.real, 230.2);
	/* The host has less time than we wait. */
	deadline = strtoull(answer.text, NULL, 10);
	ck_assert_uint_gt(deadline, before + 9 * USEC_PER_SEC);
	ck_assert_uint_lt(deadline, before + FIELDBUS_READ_USEC);
	ck_assert_uint_eq(rig_host(0)->n_inquiries, 0);
}
END_TEST

START_TEST(read_tells_exceptions)
{
	rig_start();
	ask(2, 3);
	rig_until(answer.n > 0);
	ck_assert_int_eq(answer.error, -ENXIO);
	ck_assert_str_eq(answer.text, "bus x: device y: input 1: exception 2");
	ck_assert_uint_eq(answer.sample.point, 2);
}
END_TEST

START_TEST(read_of_nothing)
{
	ck_assert_int_eq(try_read(0, 0, 1), -EINVAL);
	rig_start();
	ck_assert_int_eq(try_read(RIG_DEVICES, 0, 1), -EINVAL);
	ck_assert_int_eq(try_read(0, RIG_POINTS, 1), -EINVAL);
	ck_assert_int_eq(try_read(0, 0, 0), -EINVAL);
	ck_assert_int_eq(try_read(3, 0, 1), -EHOSTDOWN); /* disabled */
	rig_wait_order(0, "offline");
	rig_until(fieldbus_device_state(rig.fieldbus, 0, NULL) == FIELDBUS_OFFLINE);
	ck_assert_int_eq(try_read(0, 0, 1), -EHOSTDOWN);
	ck_assert_uint_eq(answer.n, 0);
}
END_TEST

START_TEST(read_deadline)
{
	rig_start();
	ask(1, 1);
	rig_advance(FIELDBUS_READ_USEC - USEC_PER_SEC);
	ck_assert_uint_eq(answer.n, 0);
	rig_advance(USEC_PER_SEC);
	ck_assert_uint_eq(answer.n, 1);
	ck_assert_int_eq(answer.error, -ETIMEDOUT);
	ck_assert_str_eq(answer.text, "bus hall1: device m1: its plugin host did not answer in time");
	/* As long as it is not answered it counts. */
	ck_assert_uint_eq(rig_host(0)->n_inquiries, 1);
}
END_TEST

START_TEST(read_limit)
{
	rig_start();
	for (unsigned i = 0; i < FIELDBUS_INQUIRIES_MAX; i++)
		ask(1, 1);
	ck_assert_int_eq(try_read(0, 0, 1), -EBUSY);
	ck_assert_int_eq(try_read(1, 0, 1), -EBUSY); /* the same host */
	ck_assert_int_eq(try_read(2, 0, 1), 0);
	rig_until(answer.n == 1);
	fieldbus_forget(rig.fieldbus, &answer);
}
END_TEST

START_TEST(read_ends_with_the_host)
{
	rig_start();
	ask(0, 2);
	rig_until(answer.n > 0);
	ck_assert_int_eq(answer.error, -ECONNRESET);
	ck_assert_str_eq(answer.text, "bus hall1: device m1: its plugin host ended before it answered");
	rig_until(rig_statistics(0).host_restarts == 1);
	ck_assert_uint_eq(answer.n, 1);
}
END_TEST

START_TEST(read_ends_with_the_fieldbus)
{
	rig_start();
	ask(1, 1);
	rig.fieldbus = fieldbus_free(rig.fieldbus);
	ck_assert_uint_eq(answer.n, 1);
	ck_assert_int_eq(answer.error, -ECANCELED);
}
END_TEST

START_TEST(read_malformed)
{
	int pid;

	rig_start();
	pid = fieldbus_host_pid(rig.fieldbus, 0);
	ask(2, 1);
	rig_until(answer.n > 0);
	ck_assert_int_eq(answer.error, -EBADMSG);
	rig_until(rig_is_back(0, pid));
	ck_assert_uint_eq(answer.n, 1);
}
END_TEST

START_TEST(read_forgotten)
{
	rig_start();
	ask(1, 1);
	fieldbus_forget(rig.fieldbus, &answer);
	rig_advance(FIELDBUS_READ_USEC);
	ck_assert_uint_eq(answer.n, 0);
}
END_TEST

START_TEST(statistics_answer)
{
	rig_start();
	ck_assert_int_eq(fieldbus_statistics_get(rig.fieldbus, RIG_DEVICES, on_counted, &answer), -EINVAL);
	ck_assert_int_eq(fieldbus_statistics_get(rig.fieldbus, 0, on_counted, &answer), 0);
	rig_until(answer.n > 0);
	ck_assert_int_eq(answer.error, 0);
	ck_assert_uint_eq(answer.n_requests, 1);
	ck_assert_uint_eq(answer.request.period_usec, 1000);
	ck_assert_uint_eq(answer.request.effective_usec, 2000);
	ck_assert_uint_eq(answer.request.requests, 30);
	ck_assert_uint_eq(answer.request.errors, 4);
	ck_assert_uint_eq(answer.request.timeouts, 3);
	ck_assert_uint_eq(answer.request.exceptions, 1);
	ck_assert_uint_eq(answer.request.last_usec, 50);
	ck_assert_uint_eq(answer.request.mean_usec, 60);
	ck_assert_uint_eq(answer.request.max_usec, 70);
	ck_assert_uint_eq(answer.n_points, 2);
	ck_assert_uint_eq(answer.point.good, 1);
	ck_assert_uint_eq(answer.point.invalid, 2);
	ck_assert_uint_eq(answer.point.failed, 3);
	ck_assert_uint_eq(answer.point.unchanged, 4);
	ck_assert_uint_eq(answer.point.conflated, 5);
	ck_assert_int_eq(answer.point.error, -ENXIO);
}
END_TEST

START_TEST(statistics_that_are_none)
{
	rig_start();
	ck_assert_int_eq(fieldbus_statistics_get(rig.fieldbus, 2, on_counted, &answer), 0);
	rig_until(answer.n == 1);
	ck_assert_int_eq(answer.error, -ESTALE);
	ck_assert_str_eq(answer.text, "bus lan: device m3: no such device");
	ck_assert_uint_eq(answer.n_points, 0);
	ck_assert_int_eq(fieldbus_statistics_get(rig.fieldbus, 1, on_counted, &answer), 0);
	rig_until(answer.n == 2);
	ck_assert_int_eq(answer.error, -EBADMSG);
}
END_TEST

START_TEST(statistics_of_a_bus)
{
	struct fieldbus_statistics s;

	rig_start();
	rig_wait_order(0, "values");
	rig_until(rig_statistics(0).requests == 20);
	fieldbus_bus_statistics(rig.fieldbus, 0, &s);
	/* 20 of m1, 10 of m2 with its state. */
	ck_assert_uint_eq(s.requests, 30);
	ck_assert_uint_eq(s.errors, 5 + 3);
	ck_assert_uint_eq(s.timeouts, 4 + 2);
	ck_assert_uint_eq(s.conflated, 3 + 1);
	ck_assert_uint_eq(s.host_restarts, 0);
	fieldbus_bus_statistics(rig.fieldbus, 7, &s);
	ck_assert_uint_eq(s.requests, 0);
}
END_TEST

START_TEST(attempt_answers)
{
	struct fieldbus_attempt what = { .bus = 1, .name = "new", .type = &rig.c.type, .within_usec = USEC_PER_SEC };

	rig_start();
	ck_assert_int_eq(fieldbus_attempt(rig.fieldbus, &what, on_read, &answer), 0);
	rig_until(answer.n > 0);
	ck_assert_int_eq(answer.error, 0);
	ck_assert_str_eq(answer.text, "new on lan");
	ck_assert_uint_eq(answer.sample.point, 1);
	what.address = rig_setting(3, "any", "thing");
	ck_assert_int_eq(fieldbus_attempt(rig.fieldbus, &what, on_read, &answer), 0);
	rig_until(answer.n > 1);
	ck_assert_int_eq(answer.error, -EINVAL);
	ck_assert_str_eq(answer.text, "the address is bad");
	ck_assert_uint_eq(answer.n_samples, 0);
	what.bus = RIG_BUSES;
	ck_assert_int_eq(fieldbus_attempt(rig.fieldbus, &what, on_read, &answer), -EINVAL);
}
END_TEST

/* Of a bus that was split: by the host that has the line, where none has by the first; its point tells which. */
static const struct {
	const char *name;
	uint32_t point;
} split[] = { { "far", 0 }, { "nowhere", 1 }, { "new", 1 } };

START_TEST(attempt_finds_the_line)
{
	const struct fieldbus_attempt what = {
		.bus = 0, .name = split[_i].name, .type = &rig.c.type, .within_usec = USEC_PER_SEC
	};

	rig_start();
	rig.fieldbus->hosts[1]->bus = 0;
	ck_assert_int_eq(fieldbus_attempt(rig.fieldbus, &what, on_read, &answer), 0);
	rig_until(answer.n > 0);
	rig.fieldbus->hosts[1]->bus = 1;
	ck_assert_int_eq(answer.error, 0);
	ck_assert_uint_eq(answer.sample.point, split[_i].point);
	rig_advance(USEC_PER_SEC);
	ck_assert_uint_eq(answer.n, 1);
	ck_assert_uint_eq(rig.fieldbus->hosts[0]->n_inquiries + rig.fieldbus->hosts[1]->n_inquiries, 0);
}
END_TEST

START_TEST(attempt_without_a_host)
{
	const struct fieldbus_attempt what = { .bus = 0, .name = "new", .type = &rig.c.type };

	ck_assert_int_eq(fieldbus_attempt(rig.fieldbus, &what, on_read, &answer), -EINVAL);
	rig.c.devices[0].enabled = rig.c.devices[1].enabled = false;
	rig_start();
	ck_assert_int_eq(fieldbus_attempt(rig.fieldbus, &what, on_read, &answer), -EHOSTDOWN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inquiry");
	TCase *tcase = tcase_create("inquiry");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, read_answers);
	tcase_add_test(tcase, read_tells_exceptions);
	tcase_add_test(tcase, read_of_nothing);
	tcase_add_test(tcase, read_deadline);
	tcase_add_test(tcase, read_limit);
	tcase_add_test(tcase, read_ends_with_the_host);
	tcase_add_test(tcase, read_ends_with_the_fieldbus);
	tcase_add_test(tcase, read_malformed);
	tcase_add_test(tcase, read_forgotten);
	tcase_add_test(tcase, statistics_answer);
	tcase_add_test(tcase, statistics_that_are_none);
	tcase_add_test(tcase, statistics_of_a_bus);
	tcase_add_test(tcase, attempt_answers);
	tcase_add_loop_test(tcase, attempt_finds_the_line, 0,
			    sizeof(split) / sizeof(split[0]));
	tcase_add_test(tcase, attempt_without_a_host);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
