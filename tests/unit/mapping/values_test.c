/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "store/store.h"
#include "tests/unit/mapping/rig.h"

/* North: from samples of devices to values of endpoints. */

#define R CONFIG_ACCESS_READ
#define SECONDS(n) ((n) * USEC_PER_SEC)

enum { VOLTS, ENERGY, SERIAL, MODE, OVERTEMP, DOOR, ASKED };
static struct config_label mode_labels[] = { { 0, (char *)"stop" }, { 1, (char *)"forward" } };
#define READ_EVERY(n, period, ...) \
	{ .name = n, .access = R, .period_usec = period, .stale = { __VA_ARGS__ } }
static struct config_point meter_points[] = {
	[VOLTS] = READ_EVERY("v1", SECONDS(2), .times = 3),
	[ENERGY] = READ_EVERY("energy", SECONDS(60), .after_usec = SECONDS(90)),
	[SERIAL] = READ_EVERY("serial", CONFIG_RATE_ONCE, .times = 3),
	[MODE] = READ_EVERY("mode", SECONDS(2), .times = 3, .read = CONFIG_STALE_LAST),
	[OVERTEMP] = READ_EVERY("overtemp", SECONDS(2), .times = 3),
	[DOOR] = READ_EVERY("door", SECONDS(2), .times = 3),
	[ASKED] = READ_EVERY("asked", CONFIG_RATE_ON_DEMAND, .times = 3),
};
static const struct config_type meter = { .profile = (char *)"meter", .points = meter_points,
					  .n_points = ARRAY_SIZE(meter_points) };
/* A device's row of its own type says "the device itself". */
#define SELF UINT32_MAX
#define POINT(d, p, o, i, r)                                                                       \
	{                                                                                          \
		.path = { .ids = { o, i, r }, .depth = 3 }, .kind = CONFIG_MAP_POINT, .device = d, \
		.point = p                                                                         \
	}
#define ALARM(d, p, code)                                                                          \
	{                                                                                          \
		.path = { .ids = { 3, 0, 11 }, .depth = 3 }, .kind = CONFIG_MAP_ALARM,             \
		.device = d, .point = p, .alarm = code                                             \
	}

static struct config_map meter_map[] = {
	POINT(SELF, VOLTS, 3316, 0, 5700),
	POINT(SELF, ENERGY, 3305, 3, 5805),
	POINT(SELF, SERIAL, 3, 0, 2),
	POINT(SELF, MODE, 3348, 0, 5750),
	ALARM(SELF, OVERTEMP, 16),
	ALARM(SELF, DOOR, 17),
};

static void set_up_own(void)
{
	rig_set_up();
	meter_points[MODE].labels = mode_labels;
	meter_points[MODE].n_labels = ARRAY_SIZE(mode_labels);
	meter_points[VOLTS].unit = unit_find("V", NULL);
	meter_points[ENERGY].unit = unit_find("kWh", NULL);
}

static void set_up_meter(void)
{
	set_up_own();
	rig_endpoint("em1", rig_device("em1", &meter), meter_map, ARRAY_SIZE(meter_map));
	rig_start();
}

static const struct fieldway_value yes = { .type = FIELDWAY_BOOL, .boolean = true },
				   no = { .type = FIELDWAY_BOOL, .boolean = false };

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
	tcase_add_test(of_meter, test_three_intervals);
	tcase_add_test(of_meter, test_staleness_is_counted_from_the_last_sample);
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
	tcase_add_test(of_meter, test_detach_and_attach_again);
	suite_add_tcase(suite, of_own);
	tcase_add_checked_fixture(of_own, set_up_own, rig_tear_down);
	tcase_add_loop_test(of_own, test_extremes_of_object, 0, ARRAY_SIZE(kept));
	tcase_add_test(of_own, test_mapped_extremes_are_the_devices);
	tcase_add_test(of_own, test_devices_of_one_type);
	tcase_add_test(of_own, test_two_points_of_an_instance);
	tcase_add_test(of_own, test_endpoint_of_two_devices);
	tcase_add_test(of_own, test_disabled_device);
	tcase_add_test(of_own, test_seen);
	tcase_add_test(of_own, test_a_row_that_fits_nothing_is_refused);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
