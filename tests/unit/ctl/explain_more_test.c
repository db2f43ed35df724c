/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "capture.h"
#include "ctl/show/explain_more.h"
#include "dbus/agent1.h"
#include "message.h"

static const struct profile_value values[] = {
	{ "", "profile", "meter, revision 3", "d.yaml:3" },
	{ "", "unit", "7", "d.yaml:3" },
	{ "v1", "address", "0", "" },
	{ "v1", "unit", "V", "p.yaml:8" },
	{ "v1", "rate", "fast (500ms)", "p.yaml:8" },
	{ "name", "rate", "once", "p.yaml:9" },
	{ "x\033", "rate", "slow (1m)", "p.yaml:10" },
};

static struct request_record requests[] = {
	{ .period_usec = 0, .wire_usec = 1000000, .text = "a" },
	{ .period_usec = 500000, .wire_usec = 100000, .text = "b" },
	{ .period_usec = 500000, .wire_usec = 100000, .text = "c" },
	{ .period_usec = 60000000, .wire_usec = 100000, .text = "d" },
};
static struct explanation device = { .line = "/dev/ttyA", .requests = requests, .n = 4 };
static struct line_load load;

static void setup(void)
{
	page_open();
	load = (struct line_load){ .line = "/dev/ttyA" };
}

static void teardown(void)
{
	line_load_done(&load);
	page_close();
}

static const char *print_load(unsigned devices)
{
	for (unsigned i = 0; i < devices; i++)
		ck_assert_int_eq(line_load_add(&load, &device), 0);
	line_load_print(page, &load, &device, values, ARRAY_SIZE(values));
	return printed();
}

START_TEST(tells_whether_a_line_fits)
{
	struct explanation other = device;

	/* Of another line: none of this one's business. */
	other.line = "/dev/ttyB";
	ck_assert_int_eq(line_load_add(&load, &other), 0);
	ck_assert_str_eq(print_load(1), "\nLine /dev/ttyA: 1 device, 40 % busy, all as wanted\n");
}
END_TEST

START_TEST(tells_how_often_then)
{
	/* 20 requests of 100 ms go round in 2 s, and a little for the slow ones. */
	ck_assert_str_eq(print_load(10),
			 "\nLine /dev/ttyA: 10 devices, 402 % busy, it cannot keep up:\n"
			 "  fast wanted 500ms, gets 2.03s\n");
}
END_TEST

START_TEST(names_no_rate_that_has_none)
{
	requests[1].period_usec = requests[2].period_usec = 400000;
	ck_assert_ptr_nonnull(strstr(print_load(10), "\n  what is wanted 400ms, gets 2.03s\n"));
	requests[1].period_usec = requests[2].period_usec = 500000;
}
END_TEST

START_TEST(knows_what_it_does_not_know)
{
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		requests[i].wire_usec = 0;
	ck_assert_str_eq(print_load(1), "\nLine /dev/ttyA: 1 device, how long its requests take "
					"nobody can say beforehand\n");
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		requests[i].wire_usec = i == 0 ? 1000000 : 100000;
}
END_TEST

START_TEST(prints_points)
{
	ck_assert_int_eq(profile_values_print(page, values, ARRAY_SIZE(values), false), 0);
	ck_assert_str_eq(printed(), "profile  meter, revision 3\n"
				    "unit     7\n"
				    "\nPOINT  UNIT  RATE          KEYS\n"
				    "v1     V     fast (500ms)  address: 0\n"
				    "name   -     once          -\n"
				    "x\\x1b  -     slow (1m)     -\n");
}
END_TEST

START_TEST(prints_origins)
{
	ck_assert_int_eq(profile_values_print(page, values, 3, true), 0);
	ck_assert_str_eq(printed(), "POINT     KEY      VALUE              ORIGIN\n"
				    "(device)  profile  meter, revision 3  d.yaml:3\n"
				    "(device)  unit     7                  d.yaml:3\n"
				    "v1        address  0                  (default)\n");
}
END_TEST

START_TEST(prints_what_was_measured)
{
	const struct measured_request measured[] = {
		{ .text = "input 0-35",
		  .period_usec = 2000000,
		  .effective_usec = 7840000,
		  .requests = 12345,
		  .errors = 3,
		  .timeouts = 2,
		  .exceptions = 1,
		  .mean_usec = 85300,
		  .max_usec = 450 },
		{ .text = "serial" },
		{ .text = "weight", .period_usec = UINT64_MAX },
	};

	ck_assert_int_eq(measured_print(page, measured, 3), 0);
	ck_assert_str_eq(printed(), "\nMEASURED    WANTED     GETS   ANSWER  LONGEST  ERRORS  TIMEOUTS\n"
				    "input 0-35  2s         7.84s  85ms    0.45ms   4       2\n"
				    "serial      once       -      -       -        0       0\n"
				    "weight      on demand  -      -       -        0       0\n");
}
END_TEST

START_TEST(reads_answers)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct measured_request *measured;
	struct profile_value *read;
	sd_bus_message *m;
	size_t n;

	message_setup();
	m = message_new();
	ck_assert_int_ge(sd_bus_message_append(m, "a" AGENT1_PROFILE_VALUE, 1, "a", "b", "c", "d:1"), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "a" AGENT1_REQUEST_STATISTICS, 1, "t", UINT64_C(1),
					       UINT64_C(2), UINT64_C(3), UINT64_C(4), UINT64_C(5),
					       UINT64_C(6), UINT64_C(7), UINT64_C(8), UINT64_C(9)),
			 0);
	message_turn(m);
	ck_assert_int_eq(profile_values_read(m, &arena, &read, &n), 0);
	ck_assert_int_eq(n, 1);
	ck_assert_str_eq(read->origin, "d:1");
	ck_assert_int_eq(measured_read(m, &arena, &measured, &n), 0);
	ck_assert_uint_eq(measured->effective_usec, 2);
	ck_assert_uint_eq(measured->max_usec, 9);
	ck_assert_int_eq(profile_values_read(m, &arena, &read, &n), -EBADMSG);
	sd_bus_message_unref(m);
	message_teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain_more");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, tells_whether_a_line_fits);
	tcase_add_test(tcase, tells_how_often_then);
	tcase_add_test(tcase, names_no_rate_that_has_none);
	tcase_add_test(tcase, knows_what_it_does_not_know);
	tcase_add_test(tcase, prints_points);
	tcase_add_test(tcase, prints_origins);
	tcase_add_test(tcase, prints_what_was_measured);
	tcase_add_test(tcase, reads_answers);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
