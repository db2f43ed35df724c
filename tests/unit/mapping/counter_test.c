/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "mapping/counter.h"
#include "state/state.h"
#include "tests/unit/mapping/rig.h"

/* Totals that go on over wrap, reset and restart (configuration.md, Counters). */

/* ---- pure ---- */

static const struct reading {
	double wrap, max_step, before, now, total;
	bool pause;
	enum counter_event event;
} readings[] = {
	{ .wrap = 1000, .before = 990, .now = 995, .total = 995 },
	{ .wrap = 1000, .before = 990, .now = 990, .total = 990 },
	{ .wrap = 1000, .before = 990, .now = 5, .total = 1005, .event = COUNTER_WRAP },
	{ .wrap = 1000, .before = 990, .now = 0, .total = 1000, .event = COUNTER_WRAP },
	{ .wrap = 1000, .before = 400, .now = 5, .total = 405, .event = COUNTER_RESET },
	{ .wrap = 1000, .before = 990, .now = 5, .total = 1005, .pause = true, .event = COUNTER_WRAP },
	{ .wrap = 1000, .max_step = 10, .before = 990, .now = 5, .total = 995, .event = COUNTER_RESET },
	{ .wrap = 1000, .max_step = 20, .before = 990, .now = 5, .total = 1005, .event = COUNTER_WRAP },
	{ .max_step = 100, .before = 4000, .now = 4100, .total = 4100 },
	{ .max_step = 100, .before = 4000, .now = 4101, .total = 4000, .event = COUNTER_JUMP },
	{ .max_step = 100, .before = 4000, .now = 9000, .total = 9000, .pause = true },
	{ .max_step = 100, .before = 4000, .now = 2, .total = 4002, .event = COUNTER_RESET },
	{ .max_step = 100, .before = 4000, .now = 3990, .total = 4000, .event = COUNTER_JUMP },
	{ .max_step = 100, .before = 4000, .now = 150, .total = 4150, .pause = true, .event = COUNTER_RESET },
	{ .max_step = 100, .before = 0.1, .now = 0.3, .total = 0.3 },
};

START_TEST(takes_a_reading)
{
	const struct reading *t = &readings[_i];
	const struct config_counter config = { .enabled = true, .wrap = t->wrap, .max_step = t->max_step };
	struct counter c = { 0 };

	ck_assert_int_eq(counter_take(&config, &c, t->before, false), COUNTER_STEP);
	ck_assert_int_eq(counter_take(&config, &c, t->now, !t->pause), t->event);
	ck_assert_double_eq(counter_total(&c), t->total);
	ck_assert_uint_eq(c.wraps, t->event == COUNTER_WRAP);
	ck_assert_uint_eq(c.resets, t->event == COUNTER_RESET);
	ck_assert_uint_eq(c.jumps, t->event == COUNTER_JUMP);
	/* It goes on from there. */
	ck_assert_int_eq(counter_take(&config, &c, t->now + 1, true), COUNTER_STEP);
	ck_assert_double_eq(counter_total(&c), t->total + 1);
}
END_TEST

START_TEST(sums_without_dust)
{
	const struct config_counter config = { .enabled = true, .max_step = 1000 };
	struct counter c = { 0 };

	for (int i = 0; i < 100; i++) {
		counter_take(&config, &c, 0.1, true);
		counter_take(&config, &c, 230.2, true);
	}
	ck_assert_double_eq(counter_total(&c), 23020);
}
END_TEST

/* ---- a device's, and over a restart ---- */

static struct config_point points[] = {
	{ .name = (char *)"pulses",
	  .access = CONFIG_ACCESS_READ,
	  .period_usec = USEC_PER_SEC,
	  .stale = { .times = 3 },
	  .counter = { .enabled = true, .wrap = 65536 } },
	{ .name = (char *)"energy",
	  .access = CONFIG_ACCESS_READ,
	  .period_usec = USEC_PER_SEC,
	  .stale = { .times = 3 },
	  .counter = { .enabled = true, .max_step = 10 } },
};
static const struct config_type meter = { .profile = (char *)"meter", .points = points, .n_points = 2 };
static const struct config_map map[] = {
	{ .path = { .ids = { 3200, 0, 5501 }, .depth = 3 }, .device = UINT32_MAX, .point = 0 },
	{ .path = { .ids = { 3331, 0, 5700 }, .depth = 3 }, .device = UINT32_MAX, .point = 1 },
};
#define PULSES "/3200/0/5501"
#define ENERGY "/3331/0/5700"
enum { METER };
static char folder[64];

static void start(void)
{
	rig_set_up();
	ck_assert_int_eq(state_new(folder, NULL, &rig.state), 0);
	rig_device((char *)"em1", &meter);
	rig_endpoint((char *)"gw-em1", METER, map, ARRAY_SIZE(map));
	rig_start();
	mapping_state(rig.mapping, METER, FIELDBUS_ONLINE, "");
}

static void stop(void)
{
	struct state *state = rig.state;

	rig_tear_down();
	state_free(state);
}

static void set_up(void)
{
	snprintf(folder, sizeof(folder), "%s/counter-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	start();
}

static void tear_down(void)
{
	char command[128];

	stop();
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

static void pulses(uint64_t n)
{
	rig_sample(METER, 0, (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = n });
}

START_TEST(goes_on_over_a_wrap)
{
	struct counter c;

	pulses(65500);
	rig_expect(0, PULSES, "65500");
	pulses(20);
	rig_expect(0, PULSES, "65556");
	ck_assert_int_eq(mapping_counter(rig.mapping, METER, 0, &c), 0);
	ck_assert_uint_eq(c.wraps, 1);
	ck_assert_int_eq(mapping_counter(rig.mapping, METER, 2, &c), -ENOENT);
	/* What is no reading changes nothing. */
	rig_bad_sample(METER, 0, FIELDWAY_FAILED, -ETIMEDOUT);
	pulses(21);
	rig_expect(0, PULSES, "65557");
}
END_TEST

START_TEST(survives_a_restart)
{
	pulses(65500);
	pulses(20);
	rig_number(METER, 1, 4711.25);
	rig_number(METER, 1, 4712.5);
	stop();
	/* Meanwhile both began again. */
	start();
	pulses(10);
	rig_number(METER, 1, 0.5);
	rig_expect(0, PULSES, "65566");
	rig_expect(0, ENERGY, "4713");
}
END_TEST

START_TEST(a_pause_allows_any_step)
{
	rig_number(METER, 1, 100);
	rig_number(METER, 1, 105);
	mapping_state(rig.mapping, METER, FIELDBUS_OFFLINE, "gone");
	mapping_state(rig.mapping, METER, FIELDBUS_ONLINE, "");
	rig_number(METER, 1, 400);
	rig_expect(0, ENERGY, "400");
	rig_number(METER, 1, 500);
	rig_expect(0, ENERGY, "400");
	rig_number(METER, 1, 501);
	rig_expect(0, ENERGY, "401");
}
END_TEST

/* The name is the same, the meter or its profile may not be. */
START_TEST(another_unit)
{
	points[1].unit = unit_find("kWh", NULL);
	rig_number(METER, 1, 100);
	rig_number(METER, 1, 105);
	stop();
	points[1].unit = unit_find("Wh", NULL);
	start();
	rig_number(METER, 1, 3);
	rig_expect(0, ENERGY, "105003");
	stop();
	points[1].unit = unit_find("m3", NULL);
	start();
	rig_number(METER, 1, 7);
	rig_expect(0, ENERGY, "7");
	points[1].unit = NULL;
}
END_TEST

/* Power is cut: what was not saved yet is a step that nobody saw, and lost is nothing. */
START_TEST(a_record_may_be_old)
{
	struct state *state = rig.state;
	struct buf record = { 0 };

	pulses(100);
	pulses(5000);
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_eq(state_load(state, "em1", "counters", &record), 0);
	ck_assert_int_eq(buf_append_byte(&record, 0), 0);
	ck_assert_ptr_nonnull(strstr((char *)record.data, "pulses 0 100 0 0 0"));
	buf_done(&record);
	rig_advance(UINT64_C(3601) * USEC_PER_SEC);
	ck_assert_int_eq(state_load(state, "em1", "counters", &record), 0);
	ck_assert_int_eq(buf_append_byte(&record, 0), 0);
	ck_assert_ptr_nonnull(strstr((char *)record.data, "pulses 0 5000 0 0 0"));
	buf_done(&record);
}
END_TEST

START_TEST(damaged_records_are_none)
{
	static const char *const lines = "pulses 1 2\npulses x y 0 0 0\nenergy inf 1 0 0 0\nother 1 2 0 0 0\n\npulses\n";

	ck_assert_int_eq(state_save(rig.state, "em1", "counters", lines, strlen(lines)), 0);
	ck_assert_int_eq(state_flush(rig.state), 0);
	stop();
	start();
	pulses(7);
	rig_expect(0, PULSES, "7");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("counter");
	TCase *pure = tcase_create("pure"), *device = tcase_create("device");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(pure, takes_a_reading, 0, ARRAY_SIZE(readings));
	tcase_add_test(pure, sums_without_dust);
	suite_add_tcase(suite, pure);
	tcase_add_checked_fixture(device, set_up, tear_down);
	tcase_add_test(device, goes_on_over_a_wrap);
	tcase_add_test(device, survives_a_restart);
	tcase_add_test(device, a_pause_allows_any_step);
	tcase_add_test(device, another_unit);
	tcase_add_test(device, a_record_may_be_old);
	tcase_add_test(device, damaged_records_are_none);
	suite_add_tcase(suite, device);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
