/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "host_field.h"
#include "tests/plugins/modbus/setup.h"

/* Requests that a device refuses as a whole: the simulator has no input registers from 512 on. */

static void place(uint32_t point, unsigned address)
{
	field.point_settings[point][2] = UINT("address", address);
}

/* Neighbours, read at once, and nothing else. */
static void start_at(unsigned volts, unsigned gap, unsigned far)
{
	field_start_tcp(1);
	for (int i = 0; i < POINTS; i++)
		field.points[i].period_usec = LINK_PERIOD_ON_DEMAND;
	place(VOLTS, volts);
	place(GAP, gap);
	place(FAR, far);
	field.points[VOLTS].period_usec = field.points[GAP].period_usec = PERIOD_USEC;
	field.points[FAR].period_usec = PERIOD_USEC;
	field_ask("set input 509 1 2 3");
}

static bool all_failed(int error)
{
	return field_sample(0, VOLTS)->error == error && field_sample(0, GAP)->error == error &&
	       field_sample(0, FAR)->error == error;
}

/* All three in one answer? */
static bool together(void)
{
	return field_sample(0, VOLTS)->quality == FIELDWAY_GOOD &&
	       field_sample(0, VOLTS)->boottime_usec == field_sample(0, GAP)->boottime_usec &&
	       field_sample(0, GAP)->boottime_usec == field_sample(0, FAR)->boottime_usec;
}

START_TEST(what_is_readable_is_read)
{
	uint64_t errors, requests;

	start_at(510, 511, 512);
	field_configure();
	rig_expect(rig, field_sample(0, FAR)->quality == FIELDWAY_FAILED);
	ck_assert_int_eq(field_sample(0, FAR)->error, -ENXIO);
	rig_expect(rig, field_has(0, VOLTS, 0.2) && field_has(0, GAP, 3));
	/* The two are one request now, and the third is left alone. */
	rig_expect(rig, rig->devices[0].points[VOLTS].n_good >= 5);
	ck_assert_uint_eq(field_sample(0, VOLTS)->boottime_usec, field_sample(0, GAP)->boottime_usec);
	errors = rig->devices[0].counters.errors;
	requests = rig->devices[0].counters.requests;
	ck_assert_uint_le(errors, 4);
	ck_assert_uint_eq(rig->devices[0].points[FAR].n, 1);
	rig_expect(rig, rig->devices[0].counters.requests >= requests + 10);
	ck_assert_uint_eq(rig->devices[0].counters.errors, errors);
	ck_assert_int_eq(rig->devices[0].state, LINK_ONLINE);
	/* When it comes back everything is tried again, as it was learned. */
	field_ask("silent");
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	field_ask("talk");
	rig_expect(rig, rig->devices[0].points[FAR].n >= 2 && field_has(0, VOLTS, 0.2));
	ck_assert_int_eq(field_sample(0, FAR)->error, -ENXIO);
	field_stop();
}
END_TEST

START_TEST(one_that_stands_alone)
{
	start_at(513, 510, 511);
	field_configure();
	rig_expect(rig, field_has(0, GAP, 2) && field_has(0, FAR, 3));
	rig_expect(rig, field_sample(0, VOLTS)->error == -ENXIO);
	field_stop();
}
END_TEST

/* Trouble of another kind, or of the device as a whole, takes no request apart. */
START_TEST(nothing_is_learned)
{
	start_at(509, 510, 511);
	field_configure();
	rig_expect(rig, together());
	field_ask("exception 4");
	rig_expect(rig, all_failed(-EREMOTEIO));
	field_ask("exception 2");
	rig_expect(rig, all_failed(-ENXIO));
	field_ask("talk");
	rig_expect(rig, together());
	field_stop();
}
END_TEST

START_TEST(a_once_request_is_learned)
{
	start_at(510, 511, 512);
	field.points[VOLTS].period_usec = field.points[GAP].period_usec = LINK_PERIOD_ONCE;
	field.points[FAR].period_usec = LINK_PERIOD_ONCE;
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0.2) && field_has(0, GAP, 3));
	rig_expect(rig, field_sample(0, FAR)->error == -ENXIO);
	field_stop();
}
END_TEST

START_TEST(silence_during_a_lesson)
{
	start_at(510, 511, 512);
	field.configuration.bus.timeout_usec = 100 * MSEC;
	field_ask("fault mute 2");
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0.2) && field_has(0, GAP, 3));
	rig_expect(rig, field_sample(0, FAR)->error == -ENXIO);
	field_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("learn");
	TCase *tcase = tcase_create("learn");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, what_is_readable_is_read);
	tcase_add_test(tcase, one_that_stands_alone);
	tcase_add_test(tcase, nothing_is_learned);
	tcase_add_test(tcase, a_once_request_is_learned);
	tcase_add_test(tcase, silence_during_a_lesson);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
