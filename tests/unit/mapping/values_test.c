/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/store.h"
#include "tests/unit/mapping/meter.h"

/* North: from samples of devices to values of endpoints. */

START_TEST(test_nothing_is_known_before_it_was_read)
{
	rig_expect_error(0, "/3316/0/5700", -ENODATA);
	rig_expect_explanation(0, "/3316/0/5700", "em1: never read");
	rig_expect_error(0, "/3316/0/5601", -ENOENT);
	rig_expect_error(0, "/3316/0/5518", -ENOENT);
	ck_assert_uint_eq(rig.n_seen[0] + rig.n_complete[0], 0);
}
END_TEST

START_TEST(test_values_and_units)
{
	rig_number(0, VOLTS, 230.2);
	rig_number(0, ENERGY, 1234.5);
	rig_sample(0, SERIAL,
		   (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = 4123456789 });
	rig_sample(0, MODE, (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = 1 });
	rig_expect(0, "/3316/0/5700", "230.2");
	rig_expect(0, "/3316/0/5701", "V");
	rig_expect(0, "/3305/3/5805", "1234500");
	rig_expect(0, "/3/0/2", "4123456789");
	rig_expect(0, "/3348/0/5750", "forward");
	/* 3305 fixes its units: it has no 5701. */
	rig_expect_error(0, "/3305/3/5701", -ENOENT);
}
END_TEST

/* One batch of a device is one change for those who watch. */
START_TEST(test_a_batch_is_one_change)
{
	const struct fieldway_sample samples[] = {
		{ .point = VOLTS,
		  .boottime_usec = clock_boottime_usec(),
		  .value = { .type = FIELDWAY_FLOAT, .real = 1 } },
		{ .point = ENERGY,
		  .boottime_usec = clock_boottime_usec(),
		  .value = { .type = FIELDWAY_FLOAT, .real = 2 } },
		{ .point = 99, .boottime_usec = clock_boottime_usec(), .value = { .type = FIELDWAY_FLOAT, .real = 3 } },
	};

	mapping_values(rig.mapping, 0, samples, ARRAY_SIZE(samples));
	ck_assert_str_eq(
		rig.changes,
		"/3305/3/5518 /3305/3/5805 /3316/0/5518 /3316/0/5601 /3316/0/5602 /3316/0/5700 ");
	rig.changes[0] = 0;
	mapping_values(rig.mapping, 0, samples, ARRAY_SIZE(samples));
	ck_assert_str_eq(rig.changes, "");
}
END_TEST

START_TEST(test_time_of_the_sample)
{
	const uint64_t age = SECONDS(5); /* it is stale after 6 */
	const struct fieldway_sample sample = { .point = VOLTS,
						.boottime_usec = clock_boottime_usec() - age,
						.value = { .type = FIELDWAY_FLOAT, .real = 1 } };
	struct path path = path_of("/3316/0/5518"), value_path = path_of("/3316/0/5700");
	uint64_t boottime_usec;
	struct value v;

	mapping_values(rig.mapping, 0, &sample, 1);
	ck_assert_int_eq(store_read(rig.stores[0], &path, false, &v, NULL), 0);
	ck_assert_int_le(llabs(v.integer - (int64_t)((clock_realtime_usec() - age) / USEC_PER_SEC)),
			 1);
	ck_assert_int_eq(store_read(rig.stores[0], &value_path, false, &v, &boottime_usec), 0);
	ck_assert_uint_eq(boottime_usec, sample.boottime_usec);
}
END_TEST

START_TEST(test_what_does_not_fit_is_passed_over)
{
	rig_number(0, VOLTS, 230.2);
	rig_sample(0, VOLTS,
		   (struct fieldway_value){ .type = FIELDWAY_STRING, .data = "x", .size = 1 });
	rig_expect(0, "/3316/0/5700", "230.2");
}
END_TEST

/* ---- minimum and maximum ---- */

START_TEST(test_extremes)
{
	rig_number(0, VOLTS, 230);
	rig_expect(0, "/3316/0/5601", "230");
	rig_expect(0, "/3316/0/5602", "230");
	rig_number(0, VOLTS, 229);
	rig_number(0, VOLTS, 231);
	rig_number(0, VOLTS, 230.5);
	rig_expect(0, "/3316/0/5601", "229");
	rig_expect(0, "/3316/0/5602", "231");
	rig_execute(0, "/3316/0/5605");
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.error, 0);
	rig_expect(0, "/3316/0/5601", "230.5");
	rig_expect(0, "/3316/0/5602", "230.5");
	rig_number(0, VOLTS, 240);
	rig_expect(0, "/3316/0/5601", "230.5");
	rig_expect(0, "/3316/0/5602", "240");
}
END_TEST

START_TEST(test_reset_before_the_first_value)
{
	rig_execute(0, "/3316/0/5605");
	ck_assert_int_eq(rig.error, 0);
	rig_expect_error(0, "/3316/0/5601", -ENOENT);
}
END_TEST

/* Every object of the registry that keeps extremes, with its value. */
static const struct {
	uint16_t object, value;
	const char *minimum, *maximum;
} kept[] = {
	{ 3202, 5600, "/3202/0/5601", "/3202/0/5602" },
	{ 3303, 5700, "/3303/0/5601", "/3303/0/5602" },
	{ 3305, 5800, "/3305/0/5801", "/3305/0/5802" },
	{ 3305, 5810, "/3305/0/5811", "/3305/0/5812" },
	{ 3332, 5705, "/3332/0/5601", "/3332/0/5602" },
	{ 3337, 5536, "/3337/0/5601", "/3337/0/5602" },
	{ 3346, 5700, "/3346/0/5601", "/3346/0/5602" },
};

START_TEST(test_extremes_of_object)
{
	const struct config_map map[] = { POINT(SELF, DOOR, kept[_i].object, 0, kept[_i].value) };
	char reset[32];

	rig_endpoint("one", rig_device("one", &meter), map, 1);
	rig_start();
	rig_number(0, DOOR, 12);
	rig_number(0, DOOR, 10);
	rig_expect(0, kept[_i].minimum, "10");
	rig_expect(0, kept[_i].maximum, "12");
	snprintf(reset, sizeof(reset), "/%u/0/5605", kept[_i].object);
	rig_execute(0, reset);
	ck_assert_int_eq(rig.error, 0);
	rig_expect(0, kept[_i].maximum, "10");
}
END_TEST

/* What a profile maps is the device's, not the agent's. */
START_TEST(test_mapped_extremes_are_the_devices)
{
	const struct config_map map[] = {
		POINT(SELF, VOLTS, 3316, 0, 5700),
		POINT(SELF, ENERGY, 3316, 0, 5602),
		POINT(SELF, ASKED, 3316, 0, 5518),
		{ .path = { .ids = { 3316, 0, 5701 }, .depth = 3 }, .kind = CONFIG_MAP_CONSTANT,
		  .constant = { .type = VALUE_STRING, .size = 4, .data = (char *)"volt" } },
	};

	rig_endpoint("one", rig_device("one", &meter), map, ARRAY_SIZE(map));
	rig_start();
	rig_number(0, VOLTS, 230);
	rig_expect_error(0, "/3316/0/5602", -ENODATA);
	rig_expect_error(0, "/3316/0/5518", -ENODATA);
	rig_expect(0, "/3316/0/5601", "230");
	rig_expect(0, "/3316/0/5701", "volt");
	/* Nor does a reset touch what the device counts. */
	meter_points[ENERGY].unit = NULL;
	rig_number(0, ENERGY, 250);
	rig_number(0, VOLTS, 235);
	rig_execute(0, "/3316/0/5605");
	rig_expect(0, "/3316/0/5601", "235");
	rig_expect(0, "/3316/0/5602", "250");
}
END_TEST

/* Thousands of one type: each has its own values. */
START_TEST(test_devices_of_one_type)
{
	rig_endpoint("a", rig_device("a", &meter), meter_map, ARRAY_SIZE(meter_map));
	rig_endpoint("b", rig_device("b", &meter), meter_map, ARRAY_SIZE(meter_map));
	rig_start();
	rig_number(0, VOLTS, 1);
	rig_number(1, VOLTS, 2);
	rig_expect(0, "/3316/0/5602", "1");
	rig_expect(1, "/3316/0/5602", "2");
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	rig_expect_error(0, "/3316/0/5700", -EHOSTDOWN);
	rig_expect(1, "/3316/0/5700", "2");
}
END_TEST

/* Two points of one instance in one batch: one time stamp, that of the sample. */
START_TEST(test_two_points_of_an_instance)
{
	static const struct config_map map[] = { POINT(SELF, VOLTS, 3305, 0, 5800),
						 POINT(SELF, DOOR, 3305, 0, 5820) };
	const struct fieldway_sample samples[] = {
		{ .point = VOLTS,
		  .boottime_usec = clock_boottime_usec(),
		  .value = { .type = FIELDWAY_FLOAT, .real = 1 } },
		{ .point = DOOR,
		  .boottime_usec = clock_boottime_usec(),
		  .value = { .type = FIELDWAY_FLOAT, .real = 2 } },
	};

	meter_points[VOLTS].unit = NULL;
	rig_endpoint("one", rig_device("one", &meter), map, ARRAY_SIZE(map));
	rig_start();
	mapping_values(rig.mapping, 0, samples, ARRAY_SIZE(samples));
	ck_assert_str_eq(rig.changes,
			 "/3305/0/5518 /3305/0/5800 /3305/0/5801 /3305/0/5802 /3305/0/5820 ");
}
END_TEST

/* ---- coming and going ---- */

START_TEST(test_detach_and_attach_again)
{
	rig_number(0, VOLTS, 230);
	mapping_detach(rig.mapping, 0);
	rig_number(0, VOLTS, 231);
	rig_expect(0, "/3316/0/5700", "230");
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	rig_expect(0, "/3/0/11/0", "0");

	/* The new store finds the device as it is. */
	store_free(rig.stores[0]);
	ck_assert_int_eq(store_new(rig.definitions, &rig.stores[0]), 0);
	ck_assert_int_eq(mapping_attach(rig.mapping, 0, rig.stores[0]), 0);
	rig_expect_error(0, "/3316/0/5700", -EHOSTDOWN);
	rig_expect_explanation(0, "/3316/0/5700", "em1: never read, silent");
	rig_expect(0, "/3/0/11/0", "8");
	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, NULL);
	rig_expect_error(0, "/3316/0/5700", -ENODATA);
	rig_number(0, VOLTS, 232);
	rig_expect(0, "/3316/0/5700", "232");
}
END_TEST

START_TEST(test_a_row_that_fits_nothing_is_refused)
{
	static const struct config_map map[] = { POINT(SELF, VOLTS, 3316, 0, 5700),
						 POINT(SELF, VOLTS, 3316, 0, 9) };
	static const struct config_map unknown[] = { POINT(SELF, VOLTS, 64999, 0, 5700) };

	rig_endpoint("one", rig_device("one", &meter), meter_map, 1);
	rig_start();
	rig.endpoints[0].map = map;
	rig.endpoints[0].n_map = 2;
	mapping_free(rig.mapping);
	rig.mapping = NULL;
	ck_assert_int_eq(mapping_new(&(struct mapping_config){ .config = &rig.config,
							       .definitions = rig.definitions,
							       .timers = rig.timers },
				     NULL, NULL, &rig.mapping),
			 0);
	ck_assert_int_eq(mapping_attach(rig.mapping, 0, rig.stores[0]), -EINVAL);
	rig_number(0, VOLTS, 1); /* not attached: nobody is told */
	rig.endpoints[0].map = unknown;
	rig.endpoints[0].n_map = 1;
	ck_assert_int_eq(mapping_attach(rig.mapping, 0, rig.stores[0]), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("values");
	TCase *of_meter = tcase_create("meter"), *of_own = tcase_create("own");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, of_meter);
	tcase_add_checked_fixture(of_meter, set_up_meter, rig_tear_down);
	tcase_add_test(of_meter, test_nothing_is_known_before_it_was_read);
	tcase_add_test(of_meter, test_values_and_units);
	tcase_add_test(of_meter, test_a_batch_is_one_change);
	tcase_add_test(of_meter, test_time_of_the_sample);
	tcase_add_test(of_meter, test_what_does_not_fit_is_passed_over);
	tcase_add_test(of_meter, test_extremes);
	tcase_add_test(of_meter, test_reset_before_the_first_value);
	tcase_add_test(of_meter, test_detach_and_attach_again);
	suite_add_tcase(suite, of_own);
	tcase_add_checked_fixture(of_own, set_up_own, rig_tear_down);
	tcase_add_loop_test(of_own, test_extremes_of_object, 0, ARRAY_SIZE(kept));
	tcase_add_test(of_own, test_mapped_extremes_are_the_devices);
	tcase_add_test(of_own, test_devices_of_one_type);
	tcase_add_test(of_own, test_two_points_of_an_instance);
	tcase_add_test(of_own, test_a_row_that_fits_nothing_is_refused);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
