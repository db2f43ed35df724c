/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "host_field.h"
#include "tests/plugins/modbus/setup.h"

/* What the host makes of a point's samples: deadband, and powers of ten out of other points. */

/* So many more samples of a point. */
static void more_samples(uint32_t point, unsigned n)
{
	unsigned before = rig->devices[0].points[point].n;

	rig_expect(rig, rig->devices[0].points[point].n >= before + n);
}

START_TEST(deadband)
{
	uint64_t time;

	field_start_tcp(1);
	field.points[VOLTS].deadband = 0.5;
	field_ask("set input 0 2302");
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 230.2));
	time = field_sample(0, VOLTS)->boottime_usec;
	/* In decimals: 230.7 - 230.2 is exactly that much. */
	field_ask("set input 0 2307");
	more_samples(VOLTS, 3);
	ck_assert(field_has(0, VOLTS, 230.2));
	ck_assert_uint_gt(field_sample(0, VOLTS)->boottime_usec, time + PERIOD_USEC);
	field_ask("set input 0 2308");
	rig_expect(rig, field_has(0, VOLTS, 230.8));
	/* What drifts is told when it has gone that far. */
	field_ask("set input 0 2312");
	more_samples(VOLTS, 3);
	field_ask("set input 0 2316");
	rig_expect(rig, field_has(0, VOLTS, 231.6));
	field_stop();
}
END_TEST

START_TEST(deadband_ends_with_a_change_of_quality)
{
	field_start_tcp(1);
	field.points[GAP].deadband = 10;
	field_ask("set input 40 100");
	field_configure();
	rig_expect(rig, field_has(0, GAP, 100));
	field_ask("set input 40 65535");
	rig_expect(rig, field_sample(0, GAP)->quality == FIELDWAY_INVALID);
	field_ask("set input 40 105");
	rig_expect(rig, field_sample(0, GAP)->quality == FIELDWAY_GOOD);
	ck_assert(field_has(0, GAP, 105));
	field_ask("exception 4");
	rig_expect(rig, field_sample(0, GAP)->quality == FIELDWAY_FAILED);
	field_ask("set input 40 107");
	field_ask("talk");
	rig_expect(rig, field_sample(0, GAP)->quality == FIELDWAY_GOOD);
	ck_assert(field_has(0, GAP, 107));
	field_stop();
}
END_TEST

START_TEST(deadband_does_not_undo_a_write)
{
	field_start_tcp(1);
	field.points[LEVEL].deadband = 5;
	field.points[RUNNING].deadband = 5;
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0) && field_has(0, RUNNING, 0));
	expect_outcome(field_write(0, LEVEL, 3), FIELDWAY_ACCEPTED, 0, "");
	more_samples(LEVEL, 2);
	ck_assert(field_has(0, LEVEL, 3));
	/* Bits are never too near. */
	field_ask("set discrete 0 1");
	rig_expect(rig, field_has(0, RUNNING, 1));
	field_stop();
}
END_TEST

/* What proves it has moved by less than is told. */
START_TEST(deadband_does_not_hide_a_proof)
{
	const struct fieldway_value three = { .type = FIELDWAY_FLOAT, .real = 3 };
	struct rig_outcome o;

	field_start_tcp(1);
	field.points[GAP].deadband = 5;
	field.points[LEVEL].verify = (struct link_verify){ true, 2000 * MSEC, 0, GAP };
	field_configure();
	rig_expect(rig, field_has(0, GAP, 0));
	rig_write_start(rig, 1, 0, LEVEL, 4000000, &three, &o);
	rig_expect(rig, strcmp(field_ask("get holding 100"), "30") == 0);
	field_ask("set input 40 3");
	rig_expect(rig, o.done);
	expect_outcome(o, FIELDWAY_ACCEPTED, 0, "");
	more_samples(GAP, 2);
	ck_assert(field_has(0, GAP, 0));
	field_stop();
}
END_TEST

static void scale_volts_by_gap(void)
{
	field_start_tcp(1);
	field.points[VOLTS].scale10 = GAP;
	field.point_settings[GAP][1] = TEXT("type", "int16");
	field.points[GAP].n_invalid = 0;
	/* Nobody but who needs it asks for it. */
	field.points[GAP].period_usec = LINK_PERIOD_ON_DEMAND;
	field_ask("set input 0 2302");
	field_ask("set input 40 0xffff");
}

START_TEST(scale10)
{
	const struct rig_point *volts = &rig->devices[0].points[VOLTS];
	unsigned before;

	scale_volts_by_gap();
	field_configure();
	/* Whatever comes first is right. */
	rig_expect(rig, volts->n > 0);
	ck_assert(field_has(0, VOLTS, 23.02));
	ck_assert(field_has(0, GAP, -1));
	ck_assert_uint_gt(volts->sample.boottime_usec, 0);
	more_samples(VOLTS, 3);
	ck_assert(field_has(0, VOLTS, 23.02));
	/* A device that comes back may be another one: its exponent is read again. */
	field_ask("set input 40 2");
	field_ask("silent");
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	before = volts->n_good;
	field_ask("talk");
	rig_expect(rig, volts->n_good > before);
	ck_assert(field_has(0, VOLTS, 23020));
	field_stop();
}
END_TEST

static bool is_right(unsigned before)
{
	const struct rig_point *volts = &rig->devices[0].points[VOLTS];

	if (volts->n_good <= before)
		return false;
	ck_assert_msg(field_has(0, VOLTS, 23.02) || field_has(0, VOLTS, 23), "%.15g", volts->sample.value.real);
	return true;
}

/* The number and its exponent come by two requests, and the device changes both at once. */
START_TEST(scale10_that_changes)
{
	char zeroes[2 * 39 + 1] = "", command[128];
	const struct rig_point *volts = &rig->devices[0].points[VOLTS];

	for (int i = 0; i < 39; i++)
		strcat(zeroes, " 0");
	scale_volts_by_gap();
	field.points[GAP].period_usec = PERIOD_USEC;
	field_configure();
	rig_expect(rig, is_right(0));
	for (int i = 0; i < 20; i++) {
		snprintf(command, sizeof(command), "set input 0 %s%s %s", i % 2 ? "2302" : "230", zeroes,
			 i % 2 ? "0xffff" : "0");
		field_ask(command);
		for (unsigned k = 0, before = volts->n_good; k < 1 + (unsigned)i % 3; k++)
			rig_expect(rig, is_right(before + k));
	}
	/* Whatever it is now, that is told in the end. */
	field_ask("set input 0 2302");
	field_ask("set input 40 1");
	rig_expect(rig, field_has(0, VOLTS, 2302));
	field_stop();
}
END_TEST

START_TEST(scale10_that_is_none)
{
	const struct rig_point *volts = &rig->devices[0].points[VOLTS];

	scale_volts_by_gap();
	field.points[GAP].period_usec = PERIOD_USEC;
	field_ask("set input 40 11");
	field_configure();
	rig_expect(rig, volts->n > 0);
	ck_assert_int_eq(volts->sample.quality, FIELDWAY_INVALID);
	field_ask("set input 40 10");
	rig_expect(rig, field_has(0, VOLTS, 2302000000000));
	field_stop();
}
END_TEST

START_TEST(scale10_that_cannot_be_read)
{
	const struct rig_point *volts = &rig->devices[0].points[VOLTS];

	scale_volts_by_gap();
	field.points[VOLTS].scale10 = FAR;
	field_configure();
	rig_expect(rig, volts->n > 0);
	ck_assert_int_eq(volts->sample.quality, FIELDWAY_FAILED);
	ck_assert_int_eq(volts->sample.error, -ENXIO);
	field_stop();
}
END_TEST

START_TEST(scale10_of_writes)
{
	field_start_tcp(1);
	field.points[LEVEL].scale10 = MODE;
	field.points[LEVEL].period_usec = LINK_PERIOD_ON_DEMAND;
	field_ask("set holding 110 1");
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	expect_outcome(field_write(0, LEVEL, 12), FIELDWAY_NOT_SENT, -EBUSY,
		       "its scale10, point mode, has not been read yet");
	ck_assert_str_eq(field_ask("get holding 100"), "0");
	rig_expect(rig, field_has(0, MODE, 1));
	expect_outcome(field_write(0, LEVEL, 12), FIELDWAY_ACCEPTED, 0, "");
	ck_assert_str_eq(field_ask("get holding 100"), "12");
	expect_outcome(field_write(0, LEVEL, 12.5), FIELDWAY_REFUSED, -ERANGE, "lies between");
	field_stop();
}
END_TEST

START_TEST(scale10_is_checked)
{
	field_start_tcp(1);
	field.points[VOLTS].scale10 = VOLTS;
	ck_assert_uint_eq(rig_configure(rig, &field.configuration, &field.arena, &field.refusals), 1);
	ck_assert_msg(strstr(field.refusals[0].text, "point volts has a scale10 itself") != NULL, "%s",
		      field.refusals[0].text);
	ck_assert_str_eq(field.refusals[0].key, "scale10");
	field_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("points");
	TCase *tcase = tcase_create("points");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, deadband);
	tcase_add_test(tcase, deadband_ends_with_a_change_of_quality);
	tcase_add_test(tcase, deadband_does_not_undo_a_write);
	tcase_add_test(tcase, deadband_does_not_hide_a_proof);
	tcase_add_test(tcase, scale10);
	tcase_add_test(tcase, scale10_that_changes);
	tcase_add_test(tcase, scale10_that_is_none);
	tcase_add_test(tcase, scale10_that_cannot_be_read);
	tcase_add_test(tcase, scale10_of_writes);
	tcase_add_test(tcase, scale10_is_checked);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
