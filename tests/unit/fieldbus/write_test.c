/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fieldbus/rig.h"

START_TEST(write_outcomes)
{
	rig_start();
	rig_wait_order(0, "accept");
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
	ck_assert_int_eq(rig.error, 0);
	rig_wait_order(0, "refuse");
	ck_assert_int_eq(rig.outcome, FIELDWAY_REFUSED);
	ck_assert_int_eq(rig.error, -EINVAL);
	ck_assert_str_eq(rig.detail, "exception 3");
	rig_wait_order(0, "error");
	ck_assert_int_eq(rig.outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(rig.error, -EIO);
	ck_assert_str_eq(rig.detail, "bus hall1: device m1: point order: the host is confused");
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 0);
	ck_assert_uint_eq(rig_host(0)->n_writes, 0);
}
END_TEST

START_TEST(write_has_less_time_than_we_wait)
{
	uint64_t before, deadline;

	rig_start();
	rig_advance(USEC_PER_HOUR); /* which the kernel's clock knows nothing of */
	before = clock_monotonic_usec() - clock_offset_usec();
	rig_wait_order(0, "deadline");
	deadline = strtoull(rig.detail, NULL, 10);
	ck_assert_uint_gt(deadline, before + 3 * USEC_PER_SEC);
	ck_assert_uint_lt(deadline, before + FIELDBUS_WRITE_USEC);
}
END_TEST

START_TEST(write_before_the_host_runs)
{
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_wait_order(0, "accept");
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
}
END_TEST

START_TEST(write_never_sent)
{
	rig.c.buses[0].settings = rig_setting(0, "mode", "ignore");
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_order(0, "accept");
	rig_until(rig_host(0)->state == HOST_CONFIGURING);
	rig_advance(FIELDBUS_WRITE_USEC);
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.outcome, FIELDWAY_NOT_SENT);
	ck_assert_int_eq(rig.error, -ETIMEDOUT);
	ck_assert_str_eq(rig.detail, "bus hall1: device m1: point order: its plugin host was not ready in time");
}
END_TEST

START_TEST(write_deadline)
{
	rig_start();
	rig_order(0, "silence");
	rig_advance(FIELDBUS_WRITE_USEC - USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_done, 0);
	rig_advance(USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(rig.error, -ETIMEDOUT);
}
END_TEST

/* Calls that are not answered count, even when their owners have given up. */
START_TEST(write_limit)
{
	rig_start();
	for (unsigned i = 0; i < FIELDBUS_WRITES_MAX; i++)
		rig_order(i % 2, "hold");
	ck_assert_int_eq(rig_try(0, "accept"), -EBUSY);
	/* Other buses have a limit of their own. */
	rig_wait_order(2, "accept");
	rig_advance(FIELDBUS_WRITE_USEC);
	ck_assert_uint_eq(rig.n_done, 1 + FIELDBUS_WRITES_MAX);
	ck_assert_int_eq(rig_try(0, "accept"), -EBUSY);
	rig_advance(5 * USEC_PER_SEC);
	rig_until(rig_host(0)->n_writes == 0);
	ck_assert_uint_eq(rig.n_done, 1 + FIELDBUS_WRITES_MAX);
	rig_wait_order(0, "accept");
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 0);
}
END_TEST

START_TEST(write_forgotten)
{
	rig_start();
	rig_order(0, "hold");
	rig_order(2, "hold");
	fieldbus_forget(rig.fieldbus, &rig_done);
	fieldbus_forget(rig.fieldbus, &rig);
	rig_advance(5 * USEC_PER_SEC);
	rig_until(rig_host(0)->n_writes == 0 && rig_host(2)->n_writes == 0);
	ck_assert_uint_eq(rig.n_done, 0);
}
END_TEST

START_TEST(write_of_bad_text)
{
	struct fieldway_value value = { .type = FIELDWAY_STRING, .data = "\xff", .size = 1 };

	rig_start();
	ck_assert_int_eq(fieldbus_write(rig.fieldbus, 0, RIG_ORDER, &value, rig_done, &rig), -EINVAL);
	ck_assert_int_eq(fieldbus_write(rig.fieldbus, 0, RIG_POINTS, &value, rig_done, &rig), -EINVAL);
	ck_assert_uint_eq(rig_host(0)->n_writes, 0);
}
END_TEST

START_TEST(killed_with_pending_writes)
{
	int before;

	rig_start();
	rig_wait_order(0, "values");
	before = fieldbus_host_pid(rig.fieldbus, 0);
	rig.n_done = 0;
	rig_order(0, "silence");
	rig_order(1, "die");
	rig_until(rig.n_done == 2);
	ck_assert_int_eq(rig.outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(rig.error, -ECONNRESET);
	rig_until(rig.states[0] == FIELDBUS_UNKNOWN);
	ck_assert_str_eq(rig_reason(0), "bus hall1: plugin host ended (killed by SIGKILL)");
	rig_until(rig_is_back(0, before) && rig_is_back(1, before));
	ck_assert_str_eq(rig_reason(0), "");
	/* The other bus has not noticed. */
	ck_assert_uint_eq(rig.n_states[2], 1);
	rig_wait_order(0, "values");
	ck_assert_uint_eq(rig.n_values[0], 2);
	ck_assert_uint_eq(rig_statistics(0).host_restarts, 1);
	ck_assert_uint_eq(rig_statistics(0).requests, 40);
	ck_assert_uint_eq(rig_statistics(2).host_restarts, 0);
}
END_TEST

START_TEST(killed_from_outside)
{
	int before;

	rig_start();
	before = fieldbus_host_pid(rig.fieldbus, 0);
	ck_assert_int_eq(kill(before, SIGKILL), 0);
	rig_until(rig_is_back(0, before));
}
END_TEST

/* The link's end may be seen after the exit: what was said is still heard. */
START_TEST(last_words)
{
	rig_start();
	rig_wait_order(0, "accept-and-die");
	ck_assert_int_eq(rig.outcome, FIELDWAY_ACCEPTED);
}
END_TEST

static void write_again(void *userdata, enum fieldway_outcome outcome, int error, const char *detail)
{
	rig_done(userdata, outcome, error, detail);
	rig_order(0, "accept");
}

START_TEST(write_from_a_result)
{
	struct fieldway_value value = { .type = FIELDWAY_STRING, .data = "die", .size = 3 };
	int before;

	rig_start();
	before = fieldbus_host_pid(rig.fieldbus, 0);
	ck_assert_int_eq(fieldbus_write(rig.fieldbus, 0, RIG_ORDER, &value, write_again, &rig), 0);
	/* It finds a link that is closing, and no next host yet: not sent, and said so; never lost. */
	rig_until(rig.n_done == 2);
	ck_assert_int_ne(rig.outcome, FIELDWAY_UNKNOWN);
	rig_until(rig_is_back(0, before));
}
END_TEST

START_TEST(free_with_pending_writes)
{
	rig_start();
	rig_order(0, "silence");
	rig_order(2, "stubborn");
	rig_until(rig.n_done == 1);
	rig_order(2, "accept");
	rig.fieldbus = fieldbus_free(rig.fieldbus);
	ck_assert_uint_eq(rig.n_done, 3);
	ck_assert_int_eq(rig.outcome, FIELDWAY_UNKNOWN);
	ck_assert_int_eq(rig.error, -ECANCELED);
}
END_TEST

START_TEST(free_before_anything_was_sent)
{
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_order(0, "accept");
	rig.fieldbus = fieldbus_free(rig.fieldbus);
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.outcome, FIELDWAY_NOT_SENT);
	ck_assert_int_eq(rig.error, -ECANCELED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("write");
	TCase *tcase = tcase_create("write");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, rig_set_up, rig_tear_down);
	tcase_add_test(tcase, write_outcomes);
	tcase_add_test(tcase, write_has_less_time_than_we_wait);
	tcase_add_test(tcase, write_before_the_host_runs);
	tcase_add_test(tcase, write_never_sent);
	tcase_add_test(tcase, write_deadline);
	tcase_add_test(tcase, write_limit);
	tcase_add_test(tcase, write_forgotten);
	tcase_add_test(tcase, write_of_bad_text);
	tcase_add_test(tcase, killed_with_pending_writes);
	tcase_add_test(tcase, killed_from_outside);
	tcase_add_test(tcase, last_words);
	tcase_add_test(tcase, write_from_a_result);
	tcase_add_test(tcase, free_with_pending_writes);
	tcase_add_test(tcase, free_before_anything_was_sent);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
