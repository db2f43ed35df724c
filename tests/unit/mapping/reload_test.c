/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "tests/unit/mapping/reload_world.h"

/* What a reload makes of rows, of their values, and of requests that are out. */

/* ---- what is the same stays ---- */

START_TEST(the_same_is_no_change)
{
	world_feed();
	world_fill(then);
	world_reload();
	ck_assert_str_eq(rig.changes, "");
	world_expect_fed();
	/* It goes on. */
	rig_number(0, P_VOLTS, 231);
	rig_expect(0, "/3303/0/5700", "231");
	rig_expect(0, "/3303/0/5602", "231");
	rig_execute(0, "/3303/0/5605");
	rig_expect(0, "/3303/0/5601", "231");
	rig_advance(SECONDS(6));
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect_explanation(0, "/3303/0/5700", "em1: last read 6s ago");
}
END_TEST

/* Everything is numbered otherwise: devices, endpoints, points, rows. */
static void fill_renumbered(struct world *w)
{
	uint32_t type = world_add_type(w);
	struct config_point *points = w->points[type];

	for (size_t i = 0; i < P_MAX; i++)
		points[i] = world_points[P_MAX - 1 - i];
	world_add_device(w, (char *)"em0", type);
	world_add_device(w, (char *)"em2", type);
	world_add_device(w, (char *)"em1", type);
	world_add_endpoint(w, (char *)"em2", 1);
	world_add_point(w, 0, "/3303/0/5700", P_MAX - 1 - P_VOLTS);
	world_add_endpoint(w, (char *)"em1", 2);
	world_add_point(w, 1, "/3/0/7/1", P_MAX - 1 - P_POWER);
	world_add_constant(w, 1, "/3/0/6/1", 5);
	world_add_constant(w, 1, "/3/0/6/0", 1);
	world_add_point(w, 1, "/3305/1/5800", P_MAX - 1 - P_POWER);
	world_add_point(w, 1, "/3306/0/5850", P_MAX - 1 - P_RUN);
	world_add_row(w, 1, (struct config_map){ .path = path_of("/3/0/11"),
					   .kind = CONFIG_MAP_ALARM,
					   .device = SELF,
					   .point = P_MAX - 1 - P_FAULT,
					   .alarm = 17 });
	world_add_point(w, 1, "/3/0/2", P_MAX - 1 - P_SERIAL);
	world_add_row(w, 1, (struct config_map){ .path = path_of("/3/0/12"),
					   .kind = CONFIG_MAP_EXECUTE,
					   .device = SELF,
					   .point = P_MAX - 1 - P_RUN,
					   .constant = value_boolean(true) });
	world_add_point(w, 1, "/3303/0/5700", P_MAX - 1 - P_VOLTS);
	world_add_point(w, 1, "/3/0/7/0", P_MAX - 1 - P_VOLTS);
}

START_TEST(other_numbers_are_no_change)
{
	world_feed();
	rig_number(1, P_VOLTS, 110);
	fill_renumbered(then);
	world_reload();
	ck_assert_str_eq(rig.changes, "");
	SWAP(rig.stores[0], rig.stores[1]);
	world_expect_fed();
	rig_expect(1, "/3303/0/5700", "110");
	rig_number(2, P_MAX - 1 - P_VOLTS, 231);
	rig_expect(0, "/3303/0/5700", "231");
	rig_expect(0, "/3/0/7/0", "231");
	rig_number(1, P_MAX - 1 - P_VOLTS, 111);
	rig_expect(1, "/3303/0/5700", "111");
	rig_expect(0, "/3303/0/5700", "231");
	rig_write(0, "/3306/0/5850", value_boolean(false));
	ck_assert_uint_eq(rig.n_writes, 1);
	ck_assert_uint_eq(rig.writes[0].device, 2);
	ck_assert_uint_eq(rig.writes[0].point, P_MAX - 1 - P_RUN);
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	rig_expect(0, "/3306/0/5850", "0");
	/* What was silent is so under its new number. */
	mapping_state(rig.mapping, 2, FIELDBUS_OFFLINE, "silent");
	rig_expect_error(0, "/3303/0/5700", -EHOSTDOWN);
	rig_expect(1, "/3303/0/5700", "111");
}
END_TEST

/* ---- what changes ---- */

START_TEST(rows_come_and_go)
{
	world_feed();
	world_fill(then);
	then->endpoints[0].n_map = 0;
	world_add_point(then, 0, "/3303/0/5700", P_VOLTS);
	world_add_point(then, 0, "/3303/4/5700", P_POWER);
	world_reload();
	ck_assert_str_eq(rig.changes, "/3303/4 /3305 /3305/1 /3306 /3306/0 /3/0/2 /3/0/6 /3/0/7 /3/0/11 /3/0/12 "
				      "/3303/4/5605 /3303/4/5700 ");
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect(0, "/3303/0/5601", "230");
	rig_expect_error(0, "/3303/4/5700", -ENODATA);
	rig_expect(0, "/3/0/11/0", "0");
	world_expect_gone(0, "/3305");
	world_expect_gone(0, "/3306/0");
	world_expect_gone(0, "/3/0/2");
	world_expect_gone(0, "/3/0/6");
	world_expect_gone(0, "/3/0/12");
	rig_number(0, P_POWER, 7);
	rig_expect(0, "/3303/4/5700", "7");
	/* And back again: nothing is known of what had been. */
	world_fill(then);
	world_reload();
	world_expect_gone(0, "/3303/4");
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect_error(0, "/3305/1/5800", -ENODATA);
	rig_expect(0, "/3/0/6/1", "5");
	rig_expect(0, "/3/0/11/0", "0");
	world_feed();
	world_expect_fed();
}
END_TEST

START_TEST(a_row_of_something_else_begins_anew)
{
	world_feed();
	world_fill(then);
	then->maps[0][0].point = P_POWER;
	then->points[0][P_SERIAL].settings.n = 0;
	then->maps[0][6].constant = value_integer(3);
	then->maps[0][3].alarm = 18;
	world_reload();
	rig_expect_error(0, "/3303/0/5700", -ENODATA);
	world_expect_gone(0, "/3303/0/5601");
	rig_expect(0, "/3/0/6/0", "3");
	rig_expect(0, "/3/0/6/1", "5");
	rig_expect(0, "/3/0/11/0", "0");
	rig_expect(0, "/3305/1/5800", "1000");
	rig_number(0, P_POWER, 1001);
	rig_expect(0, "/3303/0/5700", "1001");
	rig_expect(0, "/3303/0/5601", "1001");
}
END_TEST

/* Another meter behind the same rows: all of its values, and nobody else's. */
START_TEST(another_point_is_another_value)
{
	world_feed();
	rig_number(1, P_VOLTS, 110);
	world_fill(then);
	world_add_type(then);
	then->types[1].profile = (char *)"other";
	then->points[1][P_VOLTS].scale = 0.1;
	then->devices[0].type = &then->types[1];
	world_reload();
	rig_expect_error(0, "/3303/0/5700", -ENODATA);
	rig_expect(0, "/3305/1/5800", "1000");
	rig_expect(1, "/3303/0/5700", "110");
	/* Of a resource with several sources the others stay. */
	rig_expect(0, "/3/0/7/1", "1000");
	world_expect_gone(0, "/3/0/7/0");
}
END_TEST

/* How often it is read and when it is stale changes no value, but counts from now on. */
START_TEST(another_rate)
{
	world_feed();
	world_fill(then);
	then->points[0][P_VOLTS].period_usec = SECONDS(1);
	then->points[0][P_POWER].stale.times = 5;
	world_reload();
	ck_assert_str_eq(rig.changes, "");
	world_expect_fed();
	rig_advance(SECONDS(3));
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect(0, "/3305/1/5800", "1000");
	rig_advance(SECONDS(6));
	rig_expect(0, "/3305/1/5800", "1000");
	rig_advance(SECONDS(1));
	rig_expect_error(0, "/3305/1/5800", -ESTALE);
	/* It would have been stale by now. */
	world_feed();
	rig_advance(SECONDS(2));
	world_fill(then);
	then->points[0][P_VOLTS].period_usec = SECONDS(1) / 4;
	world_reload();
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect(0, "/3305/1/5800", "1000");
}
END_TEST

/* `stale: {read: last}` serves what was too old, or offline, at once; never what was not read; and the other way round. */
START_TEST(another_policy)
{
	world_feed();
	if (_i)
		mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	else
		rig_advance(SECONDS(6));
	rig_expect_error(0, "/3303/0/5700", _i ? -EHOSTDOWN : -ESTALE);
	world_fill(then);
	then->points[0][P_VOLTS].stale.read = CONFIG_STALE_LAST;
	world_reload();
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect_error(0, "/3305/1/5800", _i ? -EHOSTDOWN : -ESTALE);
	/* The other source of this one goes by its own. */
	rig_expect_error(0, "/3/0/7/0", _i ? -EHOSTDOWN : -ESTALE);
	rig_expect_error(1, "/3303/0/5700", -ENODATA);
	world_fill(then);
	world_reload();
	rig_expect_error(0, "/3303/0/5700", _i ? -EHOSTDOWN : -ESTALE);
}
END_TEST

START_TEST(resource_instances_come_and_go)
{
	world_feed();
	world_fill(then);
	then->endpoints[0].n_map = 6;
	world_add_constant(then, 0, "/3/0/6/1", 5);
	world_add_constant(then, 0, "/3/0/6/2", 2);
	world_add_point(then, 0, "/3/0/7/1", P_POWER);
	world_add_point(then, 0, "/3/0/7/2", P_VOLTS);
	world_reload();
	world_expect_gone(0, "/3/0/6/0");
	rig_expect(0, "/3/0/6/1", "5");
	rig_expect(0, "/3/0/6/2", "2");
	world_expect_gone(0, "/3/0/7/0");
	rig_expect(0, "/3/0/7/1", "1000");
	rig_number(0, P_VOLTS, 231);
	rig_expect(0, "/3/0/7/2", "231");
}
END_TEST

/* What the agent gives without asking, until YAML maps it, and after. */
START_TEST(given_and_mapped)
{
	world_feed();
	world_fill(then);
	world_add_point(then, 0, "/3303/0/5601", P_POWER);
	world_reload();
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect_error(0, "/3303/0/5601", -ENODATA);
	rig_expect(0, "/3303/0/5602", "230");
	rig_number(0, P_POWER, 5);
	rig_expect(0, "/3303/0/5601", "5");
	world_fill(then);
	world_reload();
	world_expect_gone(0, "/3303/0/5601");
	rig_number(0, P_VOLTS, 229);
	rig_expect(0, "/3303/0/5601", "229");
	rig_expect(0, "/3303/0/5602", "230");
}
END_TEST

START_TEST(units_follow)
{
	static struct world *w;

	world_fill(then);
	then->points[0][P_VOLTS].unit = unit_find("V", NULL);
	world_reload();
	rig_expect(0, "/3303/0/5701", "V");
	w = then;
	world_fill(w);
	w->points[0][P_VOLTS].unit = unit_find("A", NULL);
	world_reload();
	rig_expect(0, "/3303/0/5701", "A");
	world_fill(then);
	world_reload();
	world_expect_gone(0, "/3303/0/5701");
}
END_TEST

START_TEST(what_a_server_wrote_stays)
{
	const struct path type = path_of("/3303/0/5750");
	_cleanup_value_ struct value v = { 0 };

	world_feed();
	ck_assert_int_eq(value_set_string(&v, "boiler"), 0);
	ck_assert_int_eq(store_update_one(rig.stores[0], &type, &v), 0);
	world_fill(then);
	then->maps[0][0].point = P_POWER;
	world_reload();
	rig_expect(0, "/3303/0/5750", "boiler");
}
END_TEST


START_TEST(endpoints_come_and_go)
{
	if (_i)
		world_redefine(NULL);
	world_feed();
	rig_number(1, P_VOLTS, 110);
	world_fill(then);
	then->endpoints[0].name = then->endpoints[0].endpoint = (char *)"em3";
	rig_write(0, "/3306/0/5850", value_boolean(false));
	rig_execute(0, "/3/0/12");
	world_reload();
	/* What was asked of it ends; what it has can be read until it is gone. */
	ck_assert(rig.writes[0].forgotten && rig.writes[1].forgotten);
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_ptr_nonnull(gone[0]);
	SWAP(rig.stores[0], gone[0]);
	world_expect_fed();
	rig_write(0, "/3306/0/5850", value_boolean(false));
	ck_assert_int_eq(rig.error, -EPERM);
	rig_execute(0, "/3/0/12");
	ck_assert_int_eq(rig.error, -EPERM);
	rig_execute(0, "/3303/0/5605");
	ck_assert_int_eq(rig.error, -EPERM);
	store_refresh(rig.stores[0], &(struct path){ 0 }, NULL, NULL);
	rig_expect_explanation(0, "/3303/0/5700", "");
	store_free(rig.stores[0]);
	rig.stores[0] = gone[0];
	rig_expect_error(0, "/3303/0/5700", -ENODATA);
	rig_number(0, P_VOLTS, 231);
	rig_expect(0, "/3303/0/5700", "231");
	rig_expect(1, "/3303/0/5700", "110");
}
END_TEST

/* ---- requests that are out ---- */

START_TEST(a_write_of_a_row_that_stays)
{
	world_feed();
	rig_write(0, "/3306/0/5850", value_boolean(false));
	fill_renumbered(then);
	world_reload();
	SWAP(rig.stores[0], rig.stores[1]);
	ck_assert_uint_eq(rig.n_done, 0);
	ck_assert(!rig.writes[0].forgotten);
	rig_answer(0, FIELDWAY_ACCEPTED, 0, "");
	ck_assert_int_eq(rig.error, 0);
	rig_expect(0, "/3306/0/5850", "0");
}
END_TEST

START_TEST(a_write_of_a_row_that_goes)
{
	world_feed();
	rig_write(0, "/3306/0/5850", value_boolean(false));
	world_fill(then);
	if (_i)
		then->maps[0][2].path = path_of("/3306/1/5850");
	else
		then->maps[0][2].point = P_FAULT;
	world_reload();
	ck_assert_uint_eq(rig.n_done, 1);
	ck_assert_int_eq(rig.error, -ECANCELED);
	ck_assert_str_eq(rig.reason, "the configuration has changed");
	ck_assert(rig.writes[0].forgotten);
	if (_i)
		world_expect_gone(0, "/3306/0");
	else
		rig_expect_error(0, "/3306/0/5850", -ENODATA);
}
END_TEST

START_TEST(unknown_outcomes_after_it)
{
	world_feed();
	rig_write(0, "/3306/0/5850", value_boolean(false));
	fill_renumbered(then);
	world_reload();
	SWAP(rig.stores[0], rig.stores[1]);
	rig_answer(0, FIELDWAY_UNKNOWN, -ETIMEDOUT, "no answer");
	rig_expect_error(0, "/3306/0/5850", -ESTALE);
}
END_TEST

static unsigned n_refreshed;
static int refresh_error;

static void refreshed(void *userdata, int error, const char *reason)
{
	n_refreshed++;
	refresh_error = error;
}

static void fill_asking(struct world *w)
{
	world_fill(w);
	world_add_point(w, 0, "/3303/9/5700", P_ASKED);
}

static void set_up_asking(void)
{
	n_refreshed = 0;
	world_start(fill_asking);
}

START_TEST(a_read_of_a_device_that_stays)
{
	const struct path path = path_of("/3303/9/5700");
	struct fieldway_sample sample = { .point = P_ASKED,
					  .boottime_usec = clock_boottime_usec(),
					  .value = { .type = FIELDWAY_FLOAT, .real = 3 } };

	store_refresh(rig.stores[0], &path, refreshed, NULL);
	ck_assert_uint_eq(rig.n_reads, 1);
	fill_asking(then);
	SWAP(then->devices[0], then->devices[1]);
	then->endpoints[0].device = 1;
	then->endpoints[1].device = 0;
	world_reload();
	ck_assert_uint_eq(n_refreshed, 0);
	rig.read.done(rig.read.userdata, 0, "", &sample, 1);
	ck_assert_uint_eq(n_refreshed, 1);
	ck_assert_int_eq(refresh_error, 0);
	rig_expect(0, "/3303/9/5700", "3");
}
END_TEST

START_TEST(a_read_of_a_device_that_changes)
{
	const struct path path = path_of("/3303/9/5700");

	store_refresh(rig.stores[0], &path, refreshed, NULL);
	fill_asking(then);
	if (_i)
		then->devices[0].name = (char *)"em9";
	else
		then->types[0].revision = 2;
	world_reload();
	ck_assert_uint_eq(n_refreshed, 1);
	ck_assert_int_eq(refresh_error, -ECANCELED);
	ck_assert_ptr_null(rig.read.done);
}
END_TEST

/* ---- states ---- */

START_TEST(states_go_on)
{
	world_feed();
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "silent");
	world_fill(then);
	world_add_point(then, 0, "/3303/4/5700", P_POWER);
	world_reload();
	rig_expect_error(0, "/3303/0/5700", -EHOSTDOWN);
	rig_expect_error(0, "/3303/4/5700", -EHOSTDOWN);
	rig_expect_explanation(0, "/3303/4/5700", "em1: never read, silent");
	rig_expect(0, "/3/0/11/0", "8");
	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, NULL);
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect_error(0, "/3303/4/5700", -ENODATA);
}
END_TEST

START_TEST(seen_when_what_was_missing_goes)
{
	world_feed();
	world_count(0, P_COUNT, 1);
	ck_assert_uint_eq(rig.n_seen[0], 1);
	rig.n_complete[0] = 0;
	world_fill(then);
	world_add_point(then, 0, "/3303/7/5700", P_COUNT);
	then->points[0][P_COUNT].name = (char *)"other";
	world_reload();
	ck_assert_uint_eq(rig.n_complete[0], 0);
	world_fill(then);
	world_reload();
	ck_assert_uint_eq(rig.n_complete[0], 1);
	ck_assert_uint_eq(rig.n_seen[0], 1);
	/* One more that waits: complete again when it has come. */
	world_fill(then);
	world_add_point(then, 0, "/3303/7/5700", P_COUNT);
	world_reload();
	world_feed();
	ck_assert_uint_eq(rig.n_complete[0], 1);
	world_count(0, P_COUNT, 1);
	ck_assert_uint_eq(rig.n_complete[0], 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload");
	TCase *tcase = tcase_create("standard"), *asking = tcase_create("asking");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, world_set_up, world_tear_down);
	tcase_add_test(tcase, the_same_is_no_change);
	tcase_add_test(tcase, other_numbers_are_no_change);
	tcase_add_test(tcase, rows_come_and_go);
	tcase_add_test(tcase, a_row_of_something_else_begins_anew);
	tcase_add_test(tcase, another_point_is_another_value);
	tcase_add_test(tcase, another_rate);
	tcase_add_loop_test(tcase, another_policy, 0, 2);
	tcase_add_test(tcase, resource_instances_come_and_go);
	tcase_add_test(tcase, given_and_mapped);
	tcase_add_test(tcase, units_follow);
	tcase_add_test(tcase, what_a_server_wrote_stays);
	tcase_add_loop_test(tcase, endpoints_come_and_go, 0, 2);
	tcase_add_test(tcase, a_write_of_a_row_that_stays);
	tcase_add_loop_test(tcase, a_write_of_a_row_that_goes, 0, 2);
	tcase_add_test(tcase, unknown_outcomes_after_it);
	tcase_add_test(tcase, states_go_on);
	tcase_add_test(tcase, seen_when_what_was_missing_goes);
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(asking, set_up_asking, world_tear_down);
	tcase_add_test(asking, a_read_of_a_device_that_stays);
	tcase_add_loop_test(asking, a_read_of_a_device_that_changes, 0, 2);
	suite_add_tcase(suite, asking);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
