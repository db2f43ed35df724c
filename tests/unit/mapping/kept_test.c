/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "state/state.h"
#include "tests/unit/mapping/rig.h"

/* `persist: true` of local devices: values that are there again after a restart, as old as they are. */

#define SETTING(k, text) { .key = (k), .value = { .type = FIELDWAY_STRING, .data = (text), .size = sizeof(text) - 1 } }
#define PERSIST(on) { .key = "persist", .value = { .type = FIELDWAY_BOOL, .boolean = (on) } }

static const struct fieldway_setting limit_settings[] = { SETTING("type", "int64"), PERSIST(true) },
				     place_settings[] = { SETTING("type", "string"), PERSIST(true) },
				     people_settings[] = { SETTING("type", "int64"), PERSIST(false) },
				     sharp_settings[] = { SETTING("type", "float"), PERSIST(true) };
enum { LIMIT, PLACE, PEOPLE, SHARP };
static struct config_point points[] = {
	[LIMIT] = { .name = (char *)"limit", .settings = { limit_settings, 2 } },
	[PLACE] = { .name = (char *)"place", .settings = { place_settings, 2 } },
	[PEOPLE] = { .name = (char *)"people", .settings = { people_settings, 2 } },
	[SHARP] = { .name = (char *)"sharp", .settings = { sharp_settings, 2 } },
};
static const struct config_type vision = {
	.profile = (char *)"vision", .plugin = &config_plugin_local, .points = points, .n_points = 4
};
static const struct config_map map[] = {
	{ .path = { .ids = { 3300, 0, 5700 }, .depth = 3 }, .device = UINT32_MAX, .point = LIMIT },
	{ .path = { .ids = { 3300, 0, 5750 }, .depth = 3 }, .device = UINT32_MAX, .point = PLACE },
	{ .path = { .ids = { 3300, 1, 5700 }, .depth = 3 }, .device = UINT32_MAX, .point = PEOPLE },
	{ .path = { .ids = { 3300, 2, 5700 }, .depth = 3 }, .device = UINT32_MAX, .point = SHARP },
};
#define CAMERA 0u
static char folder[64];
static bool disabled;

static void start(void)
{
	rig_set_up();
	ck_assert_int_eq(state_new(folder, NULL, &rig.state), 0);
	rig_device((char *)"camera", &vision);
	rig.devices[CAMERA].enabled = !disabled;
	rig_endpoint((char *)"gw-camera", CAMERA, map, ARRAY_SIZE(map));
	rig_start();
}

static void stop(void)
{
	struct state *state = rig.state;

	rig_tear_down();
	state_free(state);
}

static void set_up(void)
{
	disabled = false;
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		points[i].silence_usec = 0;
		points[i].stale = (struct config_stale){ 0 };
		points[i].access = CONFIG_ACCESS_READ;
		points[i].scale = points[i].factor = 1;
		points[i].scale10 = points[i].verify.point = -1;
		points[i].period_usec = CONFIG_RATE_ON_DEMAND;
	}
	snprintf(folder, sizeof(folder), "%s/kept-XXXXXX", getenv("TMPDIR") ?: "/tmp");
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

static struct fieldway_value whole(int64_t n)
{
	return (struct fieldway_value){ .type = FIELDWAY_INT, .integer = n };
}

static void say(uint32_t point, const char *text)
{
	rig_sample(CAMERA, point, (struct fieldway_value){ .type = FIELDWAY_STRING, .data = text, .size = strlen(text) });
}

/* What the record of the disk has of the limit, or "", and its time. */
static const char *on_disk_since(char ret[64], unsigned long long *ret_time)
{
	_cleanup_buf_ struct buf record = { 0 };
	unsigned long long time;

	*ret = '\0';
	if (state_load(rig.state, "camera", "values", &record) < 0)
		return ret;
	ck_assert_int_eq(buf_append_byte(&record, 0), 0);
	if (sscanf((const char *)record.data, "limit int64 %llu %60s", &time, ret) == 2)
		*ret_time = time;
	return ret;
}

static const char *on_disk(char ret[64])
{
	unsigned long long ignored;

	return on_disk_since(ret, &ignored);
}

static uint64_t age(const char *text)
{
	const struct path path = path_of(text);
	uint64_t boottime;
	struct value value = { 0 };

	ck_assert_int_eq(store_read(rig.stores[0], &path, false, &value, &boottime), 0);
	value_done(&value);
	return clock_boottime_usec() - boottime;
}

START_TEST(kept)
{
	rig_sample(CAMERA, LIMIT, whole(-7));
	rig_sample(CAMERA, PEOPLE, whole(3));
	rig_number(CAMERA, SHARP, 0.1);
	say(PLACE, "T\xc3\xbcr \n1");
	rig_advance(100 * USEC_PER_SEC);
	/* What could not be read does not take its place. */
	rig_bad_sample(CAMERA, LIMIT, FIELDWAY_FAILED, -EIO);
	stop();
	start();
	/* Nor that nobody has said anything yet. */
	mapping_state(rig.mapping, CAMERA, FIELDBUS_UNKNOWN, "no program has published yet");
	rig_expect(0, "/3300/0/5700", "-7");
	rig_expect(0, "/3300/2/5700", "0.1");
	rig_expect(0, "/3300/0/5750", "T\xc3\xbcr \n1");
	rig_expect_error(0, "/3300/1/5700", -ENODATA);
	ck_assert_uint_ge(age("/3300/0/5700"), 100 * USEC_PER_SEC);
	ck_assert_uint_lt(age("/3300/0/5700"), 160 * USEC_PER_SEC);
	/* And once more, without a word in between. */
	stop();
	start();
	rig_expect(0, "/3300/0/5700", "-7");
}
END_TEST

/* That there is no value is kept as well as one would be. */
START_TEST(no_value)
{
	char text[64];

	rig_sample(CAMERA, LIMIT, whole(7));
	rig_number(CAMERA, SHARP, 0.5);
	rig_bad_sample(CAMERA, LIMIT, FIELDWAY_INVALID, 0);
	rig_expect_error(0, "/3300/0/5700", -ESTALE);
	rig_advance(10 * USEC_PER_SEC);
	ck_assert_str_eq(on_disk(text), "");
	stop();
	start();
	rig_expect_error(0, "/3300/0/5700", -ENODATA);
	rig_expect(0, "/3300/2/5700", "0.5");
	rig_sample(CAMERA, LIMIT, whole(8));
	stop();
	start();
	rig_expect(0, "/3300/0/5700", "8");
}
END_TEST

/* Nobody will ever say anything else of it. */
START_TEST(of_one_that_is_disabled)
{
	rig_sample(CAMERA, LIMIT, whole(7));
	stop();
	disabled = true;
	start();
	rig_expect_error(0, "/3300/0/5700", -ENODATA);
	stop();
	disabled = false;
	start();
	rig_expect(0, "/3300/0/5700", "7");
}
END_TEST

static void state_is(enum fieldbus_state state)
{
	mapping_state(rig.mapping, CAMERA, state, "");
}

/* What was said holds while somebody is known to speak for the device. */
START_TEST(left_alone)
{
	points[SHARP].silence_usec = points[SHARP].stale.after_usec = 30 * USEC_PER_SEC;
	state_is(FIELDBUS_ONLINE);
	rig_sample(CAMERA, PEOPLE, whole(3));
	rig_number(CAMERA, SHARP, 0.5);
	rig_expect(0, "/3300/1/5700", "3");
	state_is(FIELDBUS_PAUSED);
	rig_expect_error(0, "/3300/1/5700", -ESTALE);
	/* It has its silence. */
	rig_expect(0, "/3300/2/5700", "0.5");
	state_is(FIELDBUS_UNKNOWN);
	rig_expect_error(0, "/3300/2/5700", -ESTALE);
	state_is(FIELDBUS_ONLINE);
	rig_sample(CAMERA, PEOPLE, whole(4));
	rig_expect(0, "/3300/1/5700", "4");
	/* As where a reload gives it another owner. */
	state_is(FIELDBUS_UNKNOWN);
	rig_expect_error(0, "/3300/1/5700", -ESTALE);
	/* Said once: what comes then is good. */
	rig_sample(CAMERA, PEOPLE, whole(5));
	state_is(FIELDBUS_UNKNOWN);
	rig_expect(0, "/3300/1/5700", "5");
}
END_TEST

/* A point may have become another one. */
START_TEST(another_type)
{
	rig_sample(CAMERA, LIMIT, whole(7));
	rig_number(CAMERA, SHARP, 0.5);
	stop();
	points[LIMIT].settings = (struct fieldway_settings){ sharp_settings, 2 };
	points[SHARP].settings = (struct fieldway_settings){ people_settings, 2 };
	start();
	rig_expect_error(0, "/3300/0/5700", -ENODATA);
	rig_expect_error(0, "/3300/2/5700", -ENODATA);
	stop();
	points[LIMIT].settings = (struct fieldway_settings){ limit_settings, 2 };
	points[SHARP].settings = (struct fieldway_settings){ sharp_settings, 2 };
	start();
}
END_TEST

/* The disk wears: a value that changes all the time is on it every ten seconds, one that only is seen each hour. */
START_TEST(not_too_often)
{
	char text[64];

	rig_sample(CAMERA, LIMIT, whole(1));
	rig_advance(9 * USEC_PER_SEC);
	rig_sample(CAMERA, LIMIT, whole(2));
	ck_assert_str_eq(on_disk(text), "");
	rig_advance(USEC_PER_SEC);
	ck_assert_str_eq(on_disk(text), "2");
	rig_sample(CAMERA, LIMIT, whole(2));
	ck_assert_int_eq(state_remove(rig.state, "camera", "values"), 0);
	rig_advance(3599 * USEC_PER_SEC);
	ck_assert_str_eq(on_disk(text), "");
	rig_advance(USEC_PER_SEC);
	ck_assert_str_eq(on_disk(text), "2");
}
END_TEST

START_TEST(damaged_records)
{
	static const char lines[] = "limit\nlimit int64\nlimit int64 x 5\nlimit int64 1 z\nlimit float 1 5\nplace string 1 7\n"
				    "place string 1 zz\nplace string 1 ff\nsharp float 1 nan\nnobody int64 1 5\n\n";

	ck_assert_int_eq(state_save(rig.state, "camera", "values", lines, strlen(lines)), 0);
	stop();
	start();
	rig_expect_error(0, "/3300/0/5700", -ENODATA);
	rig_expect_error(0, "/3300/0/5750", -ENODATA);
	rig_expect_error(0, "/3300/2/5700", -ENODATA);
}
END_TEST

/* The disk has its true time for good, whatever this boot can say of it. */
START_TEST(true_time)
{
	unsigned long long time = 0;
	char text[64];

	ck_assert_int_eq(state_save(rig.state, "camera", "values", "limit int64 1000000 5\n", 22), 0);
	stop();
	start();
	rig_number(CAMERA, SHARP, 0.5);
	stop();
	start();
	rig_number(CAMERA, SHARP, 0.25);
	rig_advance(10 * USEC_PER_SEC);
	ck_assert_str_eq(on_disk_since(text, &time), "5");
	ck_assert_uint_eq(time, 1000000);
	/* A time that has not come would be the past some day. */
	points[LIMIT].settings = (struct fieldway_settings){ sharp_settings, 2 };
	stop();
	start();
	ck_assert_int_eq(state_save(rig.state, "camera", "values", "limit int64 9999999999999999 5\n", 31), 0);
	points[LIMIT].settings = (struct fieldway_settings){ limit_settings, 2 };
	stop();
	start();
	rig_number(CAMERA, SHARP, 0.75);
	rig_advance(10 * USEC_PER_SEC);
	ck_assert_str_eq(on_disk_since(text, &time), "5");
	ck_assert_uint_eq(time, 0);
}
END_TEST

/* What its age is the judge of must not be young again because the machine is. */
START_TEST(silence_is_over)
{
	char line[64];

	points[LIMIT].silence_usec = points[LIMIT].stale.after_usec = 15 * 60 * USEC_PER_SEC;
	for (unsigned minutes = 14; minutes <= 16; minutes += 2) {
		snprintf(line, sizeof(line), "limit int64 %" PRIu64 " 5\n",
			 clock_realtime_usec() - minutes * 60 * USEC_PER_SEC);
		ck_assert_int_eq(state_save(rig.state, "camera", "values", line, strlen(line)), 0);
		stop();
		start();
		if (minutes == 14)
			rig_expect(0, "/3300/0/5700", "5");
		else
			rig_expect_error(0, "/3300/0/5700", -ENODATA);
	}
	ck_assert_int_eq(state_save(rig.state, "camera", "values", "limit int64 0 5\n", 16), 0);
	stop();
	start();
	rig_expect_error(0, "/3300/0/5700", -ENODATA);
}
END_TEST

/* What does not get there is tried again, without anything new. */
START_TEST(not_saved)
{
	char name[301], text[64], *good = rig.devices[CAMERA].name;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	rig_sample(CAMERA, LIMIT, whole(7));
	rig.devices[CAMERA].name = name;
	rig_advance(10 * USEC_PER_SEC);
	rig.devices[CAMERA].name = good;
	ck_assert_str_eq(on_disk(text), "");
	rig_advance(USEC_PER_HOUR);
	ck_assert_str_eq(on_disk(text), "7");
}
END_TEST

/* Older than this boot, or from a time that has not come: as old as can be said, and never younger. */
START_TEST(unknown_age)
{
	static const char *const times[] = { "0", "1", "18446744073709551615" };
	char line[64];

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		snprintf(line, sizeof(line), "limit int64 %s 5\n", times[i]);
		ck_assert_int_eq(state_save(rig.state, "camera", "values", line, strlen(line)), 0);
		stop();
		start();
		rig_expect(0, "/3300/0/5700", "5");
		ck_assert_uint_ge(age("/3300/0/5700"), clock_boottime_usec() - USEC_PER_SEC);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept");
	TCase *tcase = tcase_create("kept");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, kept);
	tcase_add_test(tcase, no_value);
	tcase_add_test(tcase, of_one_that_is_disabled);
	tcase_add_test(tcase, left_alone);
	tcase_add_test(tcase, another_type);
	tcase_add_test(tcase, not_too_often);
	tcase_add_test(tcase, damaged_records);
	tcase_add_test(tcase, unknown_age);
	tcase_add_test(tcase, true_time);
	tcase_add_test(tcase, silence_is_over);
	tcase_add_test(tcase, not_saved);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
