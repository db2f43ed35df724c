/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host_field.h"
#include "tests/plugins/modbus/setup.h"

START_TEST(writes_are_confirmed)
{
	field_start_tcp(1);
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	expect_outcome(field_write(0, LEVEL, 12.3), FIELDWAY_ACCEPTED, 0, "");
	ck_assert_str_eq(field_ask("get holding 100"), "123");
	rig_expect(rig, field_has(0, LEVEL, 12.3));
	expect_outcome(field_write(0, LEVEL, 12.34), FIELDWAY_REFUSED, -ERANGE, "between");
	expect_outcome(field_write(0, LEVEL, 7000), FIELDWAY_REFUSED, -ERANGE,
		       "bus lan: device m0: point level (holding 100): does not fit");
	expect_outcome(field_write(0, VOLTS, 1), FIELDWAY_REFUSED, -EACCES, "point volts");
	expect_outcome(field_write(0, 99, 1), FIELDWAY_REFUSED, -EACCES, "99");
	ck_assert_str_eq(field_ask("get holding 100"), "123");
	field_ask("exception 3");
	expect_outcome(field_write(0, LEVEL, 1), FIELDWAY_REFUSED, -EINVAL,
		       "exception 3 (illegal data value)");
	field_ask("talk");
	expect_outcome(field_write(7, LEVEL, 1), FIELDWAY_NOT_SENT, -ESTALE, "generation");
	field_stop();
}
END_TEST

/* Only LEVEL is polled, with nothing between one poll and the next. */
static void start_busy(void)
{
	field_start_tcp(1);
	field.configuration.bus.timeout_usec = 5000 * MSEC;
	for (int i = 0; i < POINTS; i++)
		field.points[i].period_usec = i == LEVEL ? MSEC : LINK_PERIOD_ON_DEMAND;
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	field_ask("delay 200");
}

START_TEST(a_poll_from_before_a_write_is_dropped)
{
	const struct fieldway_value value = { .type = FIELDWAY_INT, .integer = 8 };
	struct rig_point *level = &rig->devices[0].points[LEVEL];
	struct rig_outcome o;
	unsigned before;

	start_busy();
	/* The next poll has begun then, and takes 200 ms. */
	for (int i = 0; i < 3; i++) {
		before = level->n;
		rig_expect(rig, level->n > before);
	}
	before = level->n;
	rig_write_start(rig, 1, 0, LEVEL, 4000000, &value, &o);
	rig_expect(rig, o.done);
	expect_outcome(o, FIELDWAY_ACCEPTED, 0, "");
	ck_assert_uint_eq(level->n, before);
	rig_expect(rig, level->n > before);
	ck_assert(field_has(0, LEVEL, 8));
	field_stop();
}
END_TEST

START_TEST(what_waits_for_credit_does_not_follow_a_write)
{
	unsigned before, values;

	start_busy();
	rig->hold = true;
	rig_expect(rig, rig->n_held == LINK_CREDIT);
	/* A poll is read, and cannot be sent. */
	before = (unsigned)field_requests("requests");
	rig_expect(rig, field_requests("requests") >= before + 2);
	expect_outcome(field_write(0, LEVEL, 9), FIELDWAY_ACCEPTED, 0, "");
	before = rig->devices[0].points[LEVEL].n;
	values = rig->n_values;
	rig_release(rig);
	rig_expect(rig, rig->n_values > values);
	rig_expect(rig, rig->devices[0].points[LEVEL].n > before);
	ck_assert(field_has(0, LEVEL, 9));
	field_stop();
}
END_TEST

START_TEST(a_write_with_rounding_is_verified)
{
	field_start_tcp(1);
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	expect_outcome(field_write(0, MODE, 6.7), FIELDWAY_ACCEPTED, 0, "");
	ck_assert_str_eq(field_ask("get holding 110"), "7");
	/* Read back, although nobody polls it. */
	rig_expect(rig, field_has(0, MODE, 7));
	field_stop();
}
END_TEST

/* Else what was asked for would stand, where the device rounds. */
START_TEST(what_is_read_back_comes_behind_the_answer)
{
	struct rig_point *mode = &rig->devices[0].points[MODE];
	struct rig_outcome o;

	field_start_tcp(1);
	for (int i = 0; i < POINTS; i++)
		field.points[i].period_usec = LINK_PERIOD_ON_DEMAND;
	field_configure();
	for (int i = 1; i <= 5; i++) {
		const struct fieldway_value value = { .type = FIELDWAY_FLOAT, .real = i + 0.3 };
		unsigned before = mode->n;

		rig_write_start(rig, 1, 0, MODE, 4000000, &value, &o);
		rig_expect(rig, o.done || mode->n > before);
		ck_assert(o.done && mode->n == before);
		expect_outcome(o, FIELDWAY_ACCEPTED, 0, "");
		rig_expect(rig, field_has(0, MODE, i));
		/* Nothing was sent for so long that it goes out at once. */
		rig_run(rig, 50 * MSEC);
	}
	field_stop();
}
END_TEST

START_TEST(verify_by_another_point)
{
	struct rig_outcome o;
	const struct fieldway_value on = { .type = FIELDWAY_BOOL, .boolean = true };

	field_start_tcp(1);
	field_configure();
	rig_expect(rig, field_has(0, RUNNING, 0));
	expect_outcome(field_write(0, RUN, 1), FIELDWAY_REFUSED, -EILSEQ,
		       "point run (coil 0): accepted, but");
	ck_assert_str_eq(field_ask("get coil 0"), "1");
	/* The contact follows after a while. */
	rig_write_start(rig, 1, 0, RUN, 4000000, &on, &o);
	rig_run(rig, 150 * MSEC);
	ck_assert(!o.done);
	field_ask("set discrete 0 1");
	rig_expect(rig, o.done);
	expect_outcome(o, FIELDWAY_ACCEPTED, 0, "");
	field_stop();
}
END_TEST

START_TEST(silence_makes_a_write_unknown_and_never_repeats_it)
{
	field_start_tcp(1);
	for (int i = 0; i < POINTS; i++)
		field.points[i].period_usec = i == LEVEL ? 3600 * 1000 * MSEC : LINK_PERIOD_ON_DEMAND;
	field.configuration.offline_after = 30;
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	field_ask("silent");
	expect_outcome(field_write(0, LEVEL, 4.2), FIELDWAY_UNKNOWN, -ETIMEDOUT,
		       "point level (holding 100): no answer");
	field_ask("talk");
	/* It may have been done, or not: it is read back long before its time. */
	rig_expect(rig, rig->devices[0].points[LEVEL].n >= 2);
	rig_run(rig, 2 * TIMEOUT_USEC);
	/* The silent simulator has not done it: whoever asked again would have had it done. */
	ck_assert_str_eq(field_ask("get holding 100"), "0");
	field_stop();
}
END_TEST

START_TEST(offline_is_known)
{
	field_start_tcp(1);
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	field_ask("silent");
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	expect_outcome(field_write(0, LEVEL, 1), FIELDWAY_NOT_SENT, -EHOSTDOWN, "offline");
	field_ask("unplug");
	expect_outcome(field_write(0, LEVEL, 1), FIELDWAY_NOT_SENT, -EHOSTDOWN, "offline");
	field_stop();
}
END_TEST

#define MANY 70

START_TEST(too_many_writes)
{
	static struct rig_outcome outcomes[MANY];
	const struct fieldway_value value = { .type = FIELDWAY_INT, .integer = 5 };
	unsigned busy = 0, accepted = 0;

	field_start_tcp(1);
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	field_ask("delay 20");
	for (unsigned i = 0; i < MANY; i++)
		rig_write_start(rig, 1, 0, LEVEL, 10000000, &value, &outcomes[i]);
	for (unsigned i = 0; i < MANY; i++) {
		rig_expect(rig, outcomes[i].done);
		busy += outcomes[i].outcome == FIELDWAY_NOT_SENT && outcomes[i].error == -EBUSY;
		accepted += outcomes[i].outcome == FIELDWAY_ACCEPTED;
	}
	ck_assert_uint_ge(accepted, 64);
	ck_assert_uint_ge(busy, 1);
	ck_assert_uint_eq(busy + accepted, MANY);
	field_stop();
}
END_TEST

START_TEST(a_write_waits_no_longer_than_it_may)
{
	const struct fieldway_value value = { .type = FIELDWAY_INT, .integer = 5 };
	struct rig_outcome first, second;

	field_start_tcp(1);
	field.configuration.bus.timeout_usec = 2000 * MSEC;
	field.configuration.offline_after = 30;
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	field_ask("silent");
	rig_write_start(rig, 1, 0, LEVEL, 3600000, &value, &first);
	rig_write_start(rig, 1, 0, LEVEL, 50000, &value, &second);
	rig_expect(rig, second.done && !first.done);
	expect_outcome(second, FIELDWAY_NOT_SENT, -ETIMEDOUT, "busy");
	rig_expect(rig, first.done);
	ck_assert_int_eq(first.error, -ETIMEDOUT);
	field_ask("talk");
	field_stop();
}
END_TEST

/* As a host finds it that was stopped while the daemon gave up waiting. */
START_TEST(a_write_that_comes_too_late_is_not_sent)
{
	const struct fieldway_value value = { .type = FIELDWAY_INT, .integer = 5 };
	struct rig_outcome o;

	field_start_tcp(1);
	for (int i = 0; i < POINTS; i++)
		field.points[i].period_usec = i == LEVEL ? 3600 * 1000 * MSEC : LINK_PERIOD_ON_DEMAND;
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	ck_assert_uint_eq(rig->devices[0].points[LEVEL].n, 1);
	rig_write_start(rig, 1, 0, LEVEL, 0 - 1000 * MSEC, &value, &o);
	rig_expect(rig, o.done);
	expect_outcome(o, FIELDWAY_NOT_SENT, -ETIMEDOUT, "point level (holding 100): it came to the plugin host");
	/* The daemon calls it unknown: it is read back. */
	rig_expect(rig, rig->devices[0].points[LEVEL].n == 2);
	ck_assert_str_eq(field_ask("get holding 100"), "0");
	field_stop();
}
END_TEST

/* What was sent is proved before all that waits is sent. */
START_TEST(a_read_back_is_not_behind_all_writes)
{
	const struct fieldway_value value = { .type = FIELDWAY_INT, .integer = 8 };
	static struct rig_outcome first, others[30];
	size_t done = 0;

	field_start_tcp(1);
	field.configuration.bus.timeout_usec = 5000 * MSEC;
	for (int i = 0; i < POINTS; i++)
		field.points[i].period_usec = LINK_PERIOD_ON_DEMAND;
	field_configure();
	field_ask("delay 60");
	rig_write_start(rig, 1, 0, MODE, 4000000, &value, &first);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		rig_write_start(rig, 1, 0, LEVEL, 4000000, &value, &others[i]);
	rig_expect(rig, first.done);
	expect_outcome(first, FIELDWAY_ACCEPTED, 0, "");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		done += others[i].done;
	ck_assert_uint_le(done, 2);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		rig_expect(rig, others[i].done);
	field_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("writes");
	TCase *tcase = tcase_create("writes");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, writes_are_confirmed);
	tcase_add_test(tcase, a_poll_from_before_a_write_is_dropped);
	tcase_add_test(tcase, what_waits_for_credit_does_not_follow_a_write);
	tcase_add_test(tcase, a_write_with_rounding_is_verified);
	tcase_add_test(tcase, what_is_read_back_comes_behind_the_answer);
	tcase_add_test(tcase, verify_by_another_point);
	tcase_add_test(tcase, a_read_back_is_not_behind_all_writes);
	tcase_add_test(tcase, silence_makes_a_write_unknown_and_never_repeats_it);
	tcase_add_test(tcase, offline_is_known);
	tcase_add_test(tcase, too_many_writes);
	tcase_add_test(tcase, a_write_waits_no_longer_than_it_may);
	tcase_add_test(tcase, a_write_that_comes_too_late_is_not_sent);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
