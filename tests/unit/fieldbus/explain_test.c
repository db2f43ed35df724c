/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fieldbus/rig.h"

/* The last answer, and how many there were. */
static struct {
	unsigned n;
	int error;
	char text[256];
} answer;

static void explained(void *userdata, int error, const char *detail, const char *line,
		      const struct fieldbus_request *requests, size_t n)
{
	(void)userdata;
	answer.n++;
	answer.error = error;
	snprintf(answer.text, sizeof(answer.text), "%s", detail);
	if (n == 1)
		snprintf(answer.text, sizeof(answer.text), "%s: %s, %u bytes, %llu us", line, requests->text,
			 requests->wire_bytes, (unsigned long long)requests->period_usec);
}

static void set_up(void)
{
	rig_set_up();
	memset(&answer, 0, sizeof(answer));
}

static void start_with(const char *setting)
{
	rig.c.buses[0].settings = rig_setting(0, setting, "");
	rig_start();
	ck_assert_int_eq(fieldbus_explain(rig.fieldbus, 0, explained, NULL), 0);
	ck_assert_uint_eq(answer.n, 0);
}

START_TEST(explain_answers)
{
	rig.c.devices[1].address = rig_setting(1, "line", "tty7");
	rig_start();
	ck_assert_int_eq(fieldbus_explain(rig.fieldbus, 1, explained, NULL), 0);
	rig_until(answer.n > 0);
	ck_assert_int_eq(answer.error, 0);
	ck_assert_str_eq(answer.text, "tty7: all of it, 42 bytes, 1000000 us");
}
END_TEST

START_TEST(explain_without_a_host)
{
	ck_assert_int_eq(fieldbus_explain(rig.fieldbus, 0, explained, NULL), -EINVAL);
	rig_start();
	ck_assert_int_eq(fieldbus_explain(rig.fieldbus, RIG_DEVICES, explained, NULL), -EINVAL);
	ck_assert_int_eq(fieldbus_explain(rig.fieldbus, 3, explained, NULL), -EHOSTDOWN); /* disabled */
	ck_assert_uint_eq(answer.n, 0);
}
END_TEST

START_TEST(explain_ends_with_the_host)
{
	start_with("die");
	rig_until(answer.n > 0);
	ck_assert_int_eq(answer.error, -ECONNRESET);
	ck_assert_str_eq(answer.text, "bus hall1: device m1: its plugin host ended before it answered");
	rig_until(rig_statistics(0).host_restarts == 1);
	ck_assert_uint_eq(answer.n, 1);
}
END_TEST

START_TEST(explain_ends_with_the_fieldbus)
{
	start_with("dumb");
	rig.fieldbus = fieldbus_free(rig.fieldbus);
	ck_assert_uint_eq(answer.n, 1);
	ck_assert_int_eq(answer.error, -ECANCELED);
}
END_TEST

/* Nor does one wait for ever that is alive otherwise. */
START_TEST(explain_ends_in_time)
{
	start_with("dumb");
	rig_advance(FIELDBUS_EXPLAIN_USEC);
	ck_assert_uint_eq(answer.n, 1);
	ck_assert_int_eq(answer.error, -ETIMEDOUT);
	ck_assert_str_eq(answer.text, "bus hall1: device m1: its plugin host did not answer in time");
}
END_TEST

START_TEST(explain_refused)
{
	rig.c.devices[0].address = rig_setting(1, "bad", "");
	rig_start();
	ck_assert_int_eq(fieldbus_explain(rig.fieldbus, 0, explained, NULL), 0);
	rig_until(answer.n > 0);
	ck_assert_int_eq(answer.error, -EINVAL);
	ck_assert_str_eq(answer.text, "the address is bad");
}
END_TEST

START_TEST(explain_limit)
{
	start_with("dumb");
	for (unsigned i = 1; i < FIELDBUS_INQUIRIES_MAX; i++)
		ck_assert_int_eq(fieldbus_explain(rig.fieldbus, 0, explained, NULL), 0);
	ck_assert_int_eq(fieldbus_explain(rig.fieldbus, 0, explained, NULL), -EBUSY);
	ck_assert_int_eq(fieldbus_explain(rig.fieldbus, 2, explained, NULL), 0); /* another host */
	rig_until(answer.n > 0);
	ck_assert_int_eq(answer.error, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain");
	TCase *tcase = tcase_create("explain");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_test(tcase, explain_answers);
	tcase_add_test(tcase, explain_without_a_host);
	tcase_add_test(tcase, explain_ends_with_the_host);
	tcase_add_test(tcase, explain_ends_with_the_fieldbus);
	tcase_add_test(tcase, explain_ends_in_time);
	tcase_add_test(tcase, explain_refused);
	tcase_add_test(tcase, explain_limit);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
