/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
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

static void start(void)
{
	rig_set_up();
	ck_assert_int_eq(state_new(folder, NULL, &rig.state), 0);
	rig_device((char *)"camera", &vision);
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
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
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

/* What the record of the disk has of the limit, or "". */
static const char *on_disk(char ret[64])
{
	_cleanup_buf_ struct buf record = { 0 };
	unsigned long long time;

	*ret = '\0';
	if (state_load(rig.state, "camera", "values", &record) < 0)
		return ret;
	ck_assert_int_eq(buf_append_byte(&record, 0), 0);
	ck_assert_int_eq(sscanf((const char *)record.data, "limit int64 %llu %60s", &time, ret), 2);
	return ret;
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
	/* What is no value does not take its place. */
	rig_bad_sample(CAMERA, LIMIT, FIELDWAY_INVALID, 0);
	stop();
	start();
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
	tcase_add_test(tcase, another_type);
	tcase_add_test(tcase, not_too_often);
	tcase_add_test(tcase, damaged_records);
	tcase_add_test(tcase, unknown_age);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
