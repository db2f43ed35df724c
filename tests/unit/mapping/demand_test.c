/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "tests/unit/mapping/rig.h"

/* Points of the rate on-demand: a server's Read asks the device. */

enum { ASKED, POLLED, TALKS };
static struct config_point points[] = {
	[ASKED] = { .name = (char *)"asked",
		    .access = CONFIG_ACCESS_READ,
		    .period_usec = CONFIG_RATE_ON_DEMAND,
		    .stale = { .times = 3 } },
	[POLLED] = { .name = (char *)"polled",
		     .access = CONFIG_ACCESS_READ,
		     .period_usec = USEC_PER_SEC,
		     .stale = { .times = 3 } },
	[TALKS] = { .name = (char *)"talks",
		    .access = CONFIG_ACCESS_READ,
		    .period_usec = CONFIG_RATE_ON_DEMAND,
		    .silence_usec = 60 * USEC_PER_SEC,
		    .stale = { .after_usec = 60 * USEC_PER_SEC } },
};
static const struct config_type meter = { .profile = (char *)"meter", .points = points, .n_points = 3 };
#define ROW(o, i, p) { .path = { .ids = { o, i, 5700 }, .depth = 3 }, .device = UINT32_MAX, .point = p }
static const struct config_map map[] = { ROW(3303, 0, ASKED), ROW(3303, 1, POLLED), ROW(3303, 2, TALKS) };

static unsigned n_done;
static int done_error;
static char done_reason[64];

static void on_done(void *userdata, int error, const char *reason)
{
	(void)userdata;
	n_done++;
	done_error = error;
	snprintf(done_reason, sizeof(done_reason), "%s", reason ?: "");
}

static void refresh(const char *path)
{
	const struct path p = path_of(path);

	store_refresh(rig.stores[0], &p, on_done, NULL);
}

static void set_up(void)
{
	rig_set_up();
	rig_device((char *)"em1", &meter);
	rig_endpoint((char *)"gw-em1", 0, map, ARRAY_SIZE(map));
	rig_start();
	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, "");
	n_done = 0;
}

static void answer(double value)
{
	const struct fieldway_sample sample = { .point = ASKED,
						.boottime_usec = clock_boottime_usec(),
						.value = { .type = FIELDWAY_FLOAT, .real = value } };

	rig.read.done(rig.read.userdata, 0, "", &sample, 1);
}

START_TEST(a_read_asks_the_device)
{
	refresh("/3303/0/5700");
	ck_assert_uint_eq(rig.n_reads, 1);
	ck_assert_uint_eq(rig.read.n, 1);
	ck_assert_uint_eq(rig.read.points[0], ASKED);
	ck_assert_uint_eq(n_done, 0);
	answer(21.5);
	ck_assert_uint_eq(n_done, 1);
	ck_assert_int_eq(done_error, 0);
	rig_expect(0, "/3303/0/5700", "21.5");
	/* What is fresh is not asked for again; a second later it is. */
	refresh("/3303/0/5700");
	ck_assert_uint_eq(rig.n_reads, 1);
	ck_assert_uint_eq(n_done, 2);
	rig_advance(USEC_PER_SEC + 1);
	refresh("/3303");
	ck_assert_uint_eq(rig.n_reads, 2);
	answer(22);
	ck_assert_uint_eq(n_done, 3);
}
END_TEST

START_TEST(what_comes_anyway_is_not_asked_for)
{
	refresh("/3303/1/5700");
	refresh("/3303/2/5700");
	ck_assert_uint_eq(rig.n_reads, 0);
	ck_assert_uint_eq(n_done, 2);
}
END_TEST

static void sample(const char *path, unsigned period_s)
{
	const struct path p = path_of(path);

	store_sample(rig.stores[0], &p, period_s * USEC_PER_SEC);
}

/* epmax of an observation: what the host polls that often is left to it. */
START_TEST(what_is_polled_too_rarely_is_sampled_in_between)
{
	points[POLLED].period_usec = 60 * USEC_PER_SEC;
	sample("/3303/1/5700", 60);
	sample("/3303/2/5700", 1);
	ck_assert_uint_eq(rig.n_reads, 0);
	sample("/3303/1/5700", 59);
	ck_assert_uint_eq(rig.n_reads, 1);
	ck_assert_uint_eq(rig.read.points[0], POLLED);
	/* Not again before it has answered; others are. */
	sample("/3303/1/5700", 59);
	ck_assert_uint_eq(rig.n_reads, 1);
	rig.read.done(rig.read.userdata, -ETIMEDOUT, "", NULL, 0);
	sample("/3303/0/5700", 10);
	ck_assert_uint_eq(rig.n_reads, 2);
	ck_assert_uint_eq(rig.read.points[0], ASKED);
	answer(20);
	rig_expect(0, "/3303/0/5700", "20");
	points[POLLED].period_usec = USEC_PER_SEC;
}
END_TEST

START_TEST(a_device_that_does_not_answer)
{
	refresh("/3303/0/5700");
	rig.read.done(rig.read.userdata, -ETIMEDOUT, "bus hall1: device em1: no answer", NULL, 0);
	ck_assert_int_eq(done_error, -ETIMEDOUT);
	ck_assert_str_eq(done_reason, "bus hall1: device em1: no answer");
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent for 5 min");
	rig.write_error = -EHOSTDOWN;
	refresh("/3303/0/5700");
	ck_assert_int_eq(done_error, -EHOSTDOWN);
	ck_assert_str_eq(done_reason, "silent for 5 min");
}
END_TEST

START_TEST(who_waits_is_told_of_the_end)
{
	refresh("/3303/0/5700");
	mapping_detach(rig.mapping, 0);
	ck_assert_uint_eq(n_done, 1);
	ck_assert_int_eq(done_error, -EBUSY);
	ck_assert_ptr_null(rig.read.done);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("demand");
	TCase *tcase = tcase_create("demand");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_test(tcase, a_read_asks_the_device);
	tcase_add_test(tcase, what_comes_anyway_is_not_asked_for);
	tcase_add_test(tcase, what_is_polled_too_rarely_is_sampled_in_between);
	tcase_add_test(tcase, a_device_that_does_not_answer);
	tcase_add_test(tcase, who_waits_is_told_of_the_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
