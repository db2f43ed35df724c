/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "store/store.h"
#include "tests/unit/mapping/meter.h"

/* When values are not good any more, and what is told of their devices. */

/* ---- staleness ---- */

START_TEST(test_three_intervals)
{
	rig_number(0, VOLTS, 230);
	rig_advance(SECONDS(5));
	rig_expect(0, "/3316/0/5700", "230");
	rig_advance(SECONDS(1));
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
	rig_expect_explanation(0, "/3316/0/5700", "em1: last read 6s ago");
	rig_number(0, VOLTS, 231);
	rig_expect(0, "/3316/0/5700", "231");
}
END_TEST

/* The timer is armed once, for the first row; it finds later rows and later samples by itself. */
START_TEST(test_staleness_is_counted_from_the_last_sample)
{
	rig_number(0, VOLTS, 230);
	rig_number(0, ENERGY, 1);
	for (int i = 0; i < 10; i++) {
		rig_advance(SECONDS(4));
		rig_number(0, VOLTS, 230 + i);
	}
	rig_advance(SECONDS(5));
	rig_expect(0, "/3316/0/5700", "239");
	rig_advance(SECONDS(2));
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
	rig_expect(0, "/3305/3/5805", "1000"); /* after: 90 s */
	rig_advance(SECONDS(43));
	rig_expect_error(0, "/3305/3/5805", -ESTALE);
}
END_TEST

/* The first sample of a row may be due before what the timer was armed for. */
START_TEST(test_staleness_of_rows_that_are_sampled_later)
{
	rig_number(0, ENERGY, 1);
	rig_advance(SECONDS(1));
	rig_number(0, VOLTS, 230);
	rig_advance(SECONDS(6));
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
	rig_expect(0, "/3305/3/5805", "1000");
}
END_TEST

/* What waited for a daemon that was stopped is as old as it is, and no news. */
START_TEST(test_samples_that_come_late)
{
	struct fieldway_sample sample = { .point = VOLTS,
					  .boottime_usec = clock_boottime_usec() - SECONDS(7),
					  .value = { .type = FIELDWAY_FLOAT, .real = 230 } };

	mapping_values(rig.mapping, 0, &sample, 1);
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
	rig_expect_explanation(0, "/3316/0/5700", "em1: last read 7s ago");
	sample.boottime_usec = clock_boottime_usec() - SECONDS(4);
	mapping_values(rig.mapping, 0, &sample, 1);
	rig_expect(0, "/3316/0/5700", "230");
	rig_advance(SECONDS(1));
	rig_expect(0, "/3316/0/5700", "230");
	rig_advance(SECONDS(1));
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
	/* One that says to come from the future is from now. */
	sample.boottime_usec = clock_boottime_usec() + SECONDS(100);
	mapping_values(rig.mapping, 0, &sample, 1);
	rig_advance(SECONDS(5));
	rig_expect(0, "/3316/0/5700", "230");
	rig_advance(SECONDS(1));
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
}
END_TEST

START_TEST(test_once_never_grows_stale)
{
	rig_sample(0, SERIAL, (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = 7 });
	rig_number(0, VOLTS, 230);
	rig_advance(USEC_PER_DAY);
	rig_expect(0, "/3/0/2", "7");
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
}
END_TEST

/* What comes by itself is asked for by nobody, and is stale after its silence. */
START_TEST(test_silence)
{
	const struct config_point before = meter_points[SERIAL];

	meter_points[SERIAL].period_usec = CONFIG_RATE_ON_DEMAND;
	meter_points[SERIAL].silence_usec = SECONDS(30);
	meter_points[SERIAL].stale = (struct config_stale){ .after_usec = SECONDS(30) };
	rig_sample(0, SERIAL, (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = 7 });
	rig_advance(SECONDS(29));
	rig_expect(0, "/3/0/2", "7");
	rig_advance(SECONDS(1));
	rig_expect_error(0, "/3/0/2", -ESTALE);
	meter_points[SERIAL] = before;
}
END_TEST

START_TEST(test_read_last)
{
	rig_expect_error(0, "/3348/0/5750", -ENODATA);
	rig_sample(0, MODE, (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = 1 });
	rig_advance(USEC_PER_DAY);
	rig_expect(0, "/3348/0/5750", "forward");
	rig_bad_sample(0, MODE, FIELDWAY_INVALID, 0);
	rig_expect(0, "/3348/0/5750", "forward");
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	rig_expect(0, "/3348/0/5750", "forward");
}
END_TEST

/* `invalid:` is an answer, but no value; a failed read is none, and time decides. */
START_TEST(test_invalid_and_failed)
{
	rig_number(0, VOLTS, 230);
	rig_bad_sample(0, VOLTS, FIELDWAY_FAILED, -ETIMEDOUT);
	rig_expect(0, "/3316/0/5700", "230");
	rig_bad_sample(0, VOLTS, FIELDWAY_INVALID, 0);
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
	rig_expect_explanation(
		0, "/3316/0/5700",
		"em1: last read 0s ago, bus hall1: point v1 (input 0): the device has no valid value");
	rig_number(0, VOLTS, 231);
	rig_expect(0, "/3316/0/5700", "231");
	rig_advance(SECONDS(4));
	rig_bad_sample(0, VOLTS, FIELDWAY_FAILED, -ETIMEDOUT);
	rig_advance(SECONDS(2));
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
}
END_TEST

/* A device that answers with exceptions is online: what it says is the reason. */
START_TEST(test_a_point_has_reasons_of_its_own)
{
	const struct fieldway_sample numbered = { .point = VOLTS,
						  .quality = FIELDWAY_FAILED,
						  .error = -EREMOTEIO,
						  .value = { .type = FIELDWAY_UINT, .unsignd = 8 } };

	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, "");
	rig_expect_explanation(0, "/3316/0/5700", "em1: never read");
	rig_bad_sample(0, VOLTS, FIELDWAY_FAILED, -ENXIO);
	rig_expect_explanation(
		0, "/3316/0/5700",
		"em1: never read, bus hall1: point v1 (input 0): the device knows no such address");
	rig_bad_sample(0, VOLTS, FIELDWAY_FAILED, -ETIMEDOUT);
	rig_expect_explanation(
		0, "/3316/0/5700",
		"em1: never read, bus hall1: point v1 (input 0): the device did not answer");
	mapping_values(rig.mapping, 0, &numbered, 1);
	rig_expect_explanation(
		0, "/3316/0/5700",
		"em1: never read, bus hall1: point v1 (input 0): the device has failed (exception 8)");
	rig_number(0, VOLTS, 230);
	rig_advance(SECONDS(6));
	rig_expect_explanation(0, "/3316/0/5700", "em1: last read 6s ago");
}
END_TEST

/* ---- devices and their causes ---- */

START_TEST(test_offline)
{
	rig_number(0, VOLTS, 230);
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE,
		      "bus hall1, unit 1: no answer to input 0-17");
	rig_expect_error(0, "/3316/0/5700", -EHOSTDOWN);
	rig_expect_error(0, "/3305/3/5805", -EHOSTDOWN);
	rig_expect_error(0, "/3/0/2", -EHOSTDOWN); /* once, but not while offline */
	rig_expect(0, "/3/0/11/0", "8");
	rig_advance(SECONDS(3));
	rig_expect_explanation(0, "/3316/0/5700",
			       "em1: last read 3s ago, bus hall1, unit 1: no answer to input 0-17");
	rig_expect_explanation(0, "/3305/3/5805",
			       "em1: never read, bus hall1, unit 1: no answer to input 0-17");

	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, NULL);
	rig_expect(0, "/3/0/11/0", "0");
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
	rig_expect_error(0, "/3305/3/5805", -ENODATA);
	rig_number(0, VOLTS, 231);
	rig_expect(0, "/3316/0/5700", "231");
}
END_TEST

/* A bus that cannot be opened is as silent; while a host restarts, values last as they would. */
/* No half characters, wherever it is cut. */
START_TEST(test_long_reasons)
{
	const struct path path = path_of("/3316/0/5700");
	char reason[800], text[160];

	for (size_t shift = 0; shift < 2; shift++) {
		memset(reason, 'x', sizeof(reason));
		for (size_t i = shift; i + 1 < sizeof(reason); i += 2)
			memcpy(reason + i, "\303\274", 2);
		reason[700 + shift] = '\0';
		mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, reason);
		store_explain(rig.stores[0], &path, text, sizeof(text));
		ck_assert_uint_gt(strlen(text), sizeof(text) - 4);
		ck_assert(utf8_is_valid(text, strlen(text)));
	}
}
END_TEST

START_TEST(test_failed_and_unknown)
{
	rig_number(0, VOLTS, 230);
	mapping_state(rig.mapping, 0, FIELDBUS_UNKNOWN, "restarting");
	rig_expect(0, "/3316/0/5700", "230");
	rig_expect(0, "/3/0/11/0", "0");
	mapping_state(rig.mapping, 0, FIELDBUS_FAILED, "no such adapter");
	rig_expect_error(0, "/3316/0/5700", -EHOSTDOWN);
	rig_expect(0, "/3/0/11/0", "8");
	mapping_state(rig.mapping, 0, FIELDBUS_UNKNOWN, "restarting");
	rig_expect(0, "/3/0/11/0", "0");
	rig_expect_error(0, "/3316/0/5700", -ESTALE);
}
END_TEST

START_TEST(test_alarms)
{
	rig_sample(0, OVERTEMP, yes);
	rig_expect(0, "/3/0/11/0", "16");
	rig_sample(0, DOOR, (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = 256 });
	rig_expect(0, "/3/0/11/0", "16");
	rig_expect(0, "/3/0/11/1", "17");
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	rig_expect(0, "/3/0/11/0", "8");
	rig_expect(0, "/3/0/11/1", "16");
	rig_expect(0, "/3/0/11/2", "17");
	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, NULL);
	rig_sample(0, OVERTEMP, no);
	rig_expect(0, "/3/0/11/0", "17");
	rig_expect_error(0, "/3/0/11/1", -ENOENT);
	rig_sample(0, DOOR, no);
	rig_expect(0, "/3/0/11/0", "0");
	rig_expect_error(0, "/3/0/11/1", -ENOENT);
}
END_TEST

/* A number against a limit; it begins by itself when it has held so long, and no value comes meanwhile. */
START_TEST(test_conditions)
{
	static const struct config_condition hot = { CONFIG_ABOVE, 250, 5, SECONDS(10) };
	static const struct config_map map[] = {
		{ .path = { .ids = { 3, 0, 11 }, .depth = 3 },
		  .kind = CONFIG_MAP_ALARM,
		  .device = UINT32_MAX,
		  .point = VOLTS,
		  .alarm = 18,
		  .condition = &hot },
	};

	rig_endpoint("hot", rig_device("hot", &meter), map, ARRAY_SIZE(map));
	rig_start();
	rig_number(0, VOLTS, 251);
	rig_expect(0, "/3/0/11/0", "0");
	rig_advance(SECONDS(9));
	rig_expect(0, "/3/0/11/0", "0");
	rig_advance(SECONDS(1));
	rig_expect(0, "/3/0/11/0", "18");
	rig_number(0, VOLTS, 246);
	rig_expect(0, "/3/0/11/0", "18");
	rig_number(0, VOLTS, 245);
	rig_expect(0, "/3/0/11/0", "0");
	/* Not for so long without a break. */
	rig_number(0, VOLTS, 251);
	rig_advance(SECONDS(6));
	rig_number(0, VOLTS, 249);
	rig_number(0, VOLTS, 251);
	rig_advance(SECONDS(6));
	rig_expect(0, "/3/0/11/0", "0");
	rig_advance(SECONDS(4));
	rig_expect(0, "/3/0/11/0", "18");
}
END_TEST

/* Each in its own time, though nothing else happens. */
START_TEST(test_two_conditions)
{
	static const struct config_condition conditions[] = { { CONFIG_ABOVE, 250, 0, SECONDS(10) },
							      { CONFIG_ABOVE, 240, 0, SECONDS(30) } };
	static const struct config_map map[] = {
		{ .path = { .ids = { 3, 0, 11 }, .depth = 3 },
		  .kind = CONFIG_MAP_ALARM,
		  .device = UINT32_MAX,
		  .point = VOLTS,
		  .alarm = 18,
		  .condition = &conditions[0] },
		{ .path = { .ids = { 3, 0, 11 }, .depth = 3 },
		  .kind = CONFIG_MAP_ALARM,
		  .device = UINT32_MAX,
		  .point = VOLTS,
		  .alarm = 19,
		  .condition = &conditions[1] },
	};

	rig_endpoint("hot", rig_device("hot", &meter), map, ARRAY_SIZE(map));
	rig_start();
	rig_number(0, VOLTS, 251);
	rig_advance(SECONDS(10));
	rig_expect(0, "/3/0/11/0", "18");
	rig_expect_error(0, "/3/0/11/1", -ENOENT);
	rig_advance(SECONDS(20));
	rig_expect(0, "/3/0/11/1", "19");
}
END_TEST

/* Points of two devices: never offline as a whole, one error code for each cause. */
START_TEST(test_endpoint_of_two_devices)
{
	static const struct config_map map[] = {
		POINT(0, VOLTS, 3316, 0, 5700),
		POINT(1, VOLTS, 3316, 1, 5700),
		POINT(1, ENERGY, 3305, 0, 5805),
	};

	rig_device("a", &meter);
	rig_device("b", &meter);
	rig_endpoint("room", UINT32_MAX, map, ARRAY_SIZE(map));
	rig_start();
	rig_number(0, VOLTS, 1);
	rig_number(1, VOLTS, 2);
	rig_expect(0, "/3316/0/5700", "1");
	rig_expect(0, "/3316/1/5700", "2");
	mapping_state(rig.mapping, 1, FIELDBUS_OFFLINE, "silent");
	rig_expect(0, "/3316/0/5700", "1");
	rig_expect_error(0, "/3316/1/5700", -EHOSTDOWN);
	rig_expect_error(0, "/3305/0/5805", -EHOSTDOWN);
	rig_expect(0, "/3/0/11/0", "8");
	rig_expect_error(0, "/3/0/11/1", -ENOENT);
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	rig_expect(0, "/3/0/11/0", "8");
	rig_expect(0, "/3/0/11/1", "8");
	mapping_state(rig.mapping, 1, FIELDBUS_ONLINE, NULL);
	rig_expect(0, "/3/0/11/0", "8");
	rig_expect_error(0, "/3/0/11/1", -ENOENT);
}
END_TEST

/* One device in two endpoints, and who hears of a first sample. */
START_TEST(test_seen)
{
	static const struct config_map first[] = { POINT(0, VOLTS, 3316, 0, 5700),
						   POINT(0, ASKED, 3316, 1, 5700) };
	static const struct config_map second[] = { POINT(0, ENERGY, 3305, 0, 5805),
						    ALARM(0, OVERTEMP, 16) };

	rig_device("plc1", &meter);
	rig_endpoint("a", UINT32_MAX, first, ARRAY_SIZE(first));
	rig_endpoint("b", UINT32_MAX, second, ARRAY_SIZE(second));
	rig_start();
	rig_bad_sample(0, VOLTS, FIELDWAY_FAILED, -ETIMEDOUT);
	rig_bad_sample(0, SERIAL, FIELDWAY_GOOD, 0);
	ck_assert_uint_eq(rig.n_seen[0] + rig.n_complete[0] + rig.n_seen[1] + rig.n_complete[1], 0);

	/* All that is read without being asked for: one callback says first and complete. */
	rig_number(0, VOLTS, 1);
	ck_assert_uint_eq(rig.n_seen[0], 0);
	ck_assert_uint_eq(rig.n_complete[0], 1);
	ck_assert_uint_eq(rig.n_seen[1] + rig.n_complete[1], 0);

	rig_bad_sample(0, ENERGY, FIELDWAY_INVALID, 0);
	ck_assert_uint_eq(rig.n_seen[1], 1);
	ck_assert_uint_eq(rig.n_complete[1], 0);
	rig_number(0, ENERGY, 1);
	ck_assert_uint_eq(rig.n_seen[1], 1);
	rig_sample(0, OVERTEMP, no);
	ck_assert_uint_eq(rig.n_complete[1], 1);
	rig_sample(0, OVERTEMP, yes);
	rig_number(0, VOLTS, 2);
	ck_assert_uint_eq(rig.n_seen[0], 0);
	ck_assert_uint_eq(rig.n_complete[0], 1);
	ck_assert_uint_eq(rig.n_seen[1], 1);
	ck_assert_uint_eq(rig.n_complete[1], 1);
	rig_expect(1, "/3305/0/5805", "1000");
}
END_TEST

/* Nobody waits for a device that is not read at all. */
START_TEST(test_disabled_device)
{
	static const struct config_map map[] = { POINT(0, VOLTS, 3316, 0, 5700),
						 POINT(1, VOLTS, 3316, 1, 5700) };

	rig_device("a", &meter);
	rig.devices[rig_device("b", &meter)].enabled = false;
	rig_endpoint("room", UINT32_MAX, map, ARRAY_SIZE(map));
	rig_start();
	rig_number(0, VOLTS, 1);
	ck_assert_uint_eq(rig.n_complete[0], 1);
	rig_expect_error(0, "/3316/1/5700", -ENODATA);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quality");
	TCase *of_meter = tcase_create("meter"), *of_own = tcase_create("own");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, of_meter);
	tcase_add_checked_fixture(of_meter, set_up_meter, rig_tear_down);
	tcase_add_test(of_meter, test_three_intervals);
	tcase_add_test(of_meter, test_staleness_is_counted_from_the_last_sample);
	tcase_add_test(of_meter, test_staleness_of_rows_that_are_sampled_later);
	tcase_add_test(of_meter, test_samples_that_come_late);
	tcase_add_test(of_meter, test_once_never_grows_stale);
	tcase_add_test(of_meter, test_silence);
	tcase_add_test(of_meter, test_read_last);
	tcase_add_test(of_meter, test_invalid_and_failed);
	tcase_add_test(of_meter, test_a_point_has_reasons_of_its_own);
	tcase_add_test(of_meter, test_offline);
	tcase_add_test(of_meter, test_long_reasons);
	tcase_add_test(of_meter, test_failed_and_unknown);
	tcase_add_test(of_meter, test_alarms);
	suite_add_tcase(suite, of_own);
	tcase_add_checked_fixture(of_own, set_up_own, rig_tear_down);
	tcase_add_test(of_own, test_conditions);
	tcase_add_test(of_own, test_two_conditions);
	tcase_add_test(of_own, test_endpoint_of_two_devices);
	tcase_add_test(of_own, test_seen);
	tcase_add_test(of_own, test_disabled_device);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
