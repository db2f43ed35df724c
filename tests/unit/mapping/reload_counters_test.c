/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mapping/counter.h"
#include "tests/unit/mapping/reload_world.h"

/* What a reload makes of counters. */

static void fill_counting(struct world *w)
{
	world_fill(w);
	world_add_point(w, 0, "/3200/0/5501", P_COUNT);
}

static char folder[64];

static void start_counting(void)
{
	world_start(fill_counting);
}

static void set_up_counting(void)
{
	snprintf(folder, sizeof(folder), "%s/reload-XXXXXX", getenv("TMPDIR") ?: "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	start_counting();
}

static void tear_down_counting(void)
{
	char command[128];

	world_tear_down();
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

/* Of a state folder, which rig_set_up() forgets. */
static void restart_with(struct state *state)
{
	static const struct mapping_ops ops = { .seen = world_on_seen };
	const struct mapping_config config = { .config = &now->config,
					       .definitions = rig.definitions,
					       .timers = rig.timers,
					       .state = state };

	mapping_free(rig.mapping);
	rig.mapping = NULL;
	ck_assert_int_eq(mapping_new(&config, &ops, &rig, &rig.mapping), 0);
	rig.stores[0] = store_free(rig.stores[0]);
	rig.stores[0] = world_new_store();
	ck_assert_int_eq(mapping_attach(rig.mapping, 0, rig.stores[0]), 0);
}

static void stop_with(struct state *state)
{
	store_free(rig.stores[0]);
	store_free(rig.stores[1]);
	rig.stores[0] = rig.stores[1] = NULL;
	rig.mapping = mapping_free(rig.mapping);
	state_free(state);
}

START_TEST(counters_go_on)
{
	struct counter c;

	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, "");
	world_count(0, P_COUNT, 65500);
	world_count(0, P_COUNT, 20);
	fill_counting(then);
	/* Another number, or another type of which the counter is the same. */
	if (_i == 1)
		SWAP(then->devices[0], then->devices[1]);
	if (_i == 2)
		then->types[0].revision = 7;
	then->endpoints[0].device = _i == 1;
	then->endpoints[1].device = _i != 1;
	world_reload();
	rig_expect(0, "/3200/0/5501", "65556");
	ck_assert_int_eq(mapping_counter(rig.mapping, _i == 1, P_COUNT, &c), 0);
	ck_assert_uint_eq(c.wraps, 1);
	world_count(_i == 1, P_COUNT, 10);
	rig_expect(0, "/3200/0/5501", "65566");
}
END_TEST

/* The same as over a restart: its name and unit decide. */
START_TEST(a_counter_in_another_unit)
{
	fill_counting(then);
	then->points[0][P_COUNT].unit = unit_find("kWh", NULL);
	world_reload();
	world_count(0, P_COUNT, 65500);
	world_count(0, P_COUNT, 20);
	rig_expect(0, "/3200/0/5501", "65556");
	fill_counting(then);
	then->points[0][P_COUNT].unit = unit_find("Wh", NULL);
	world_reload();
	rig_expect_error(0, "/3200/0/5501", -ENODATA);
	world_count(0, P_COUNT, 20001);
	rig_expect(0, "/3200/0/5501", "65556001");
}
END_TEST

/* YAML says for a while that it is none. */
START_TEST(a_counter_that_is_none_for_a_while)
{
	struct state *state;

	world_tear_down();
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	start_counting();
	restart_with(state);
	world_count(0, P_COUNT, 65500);
	world_count(0, P_COUNT, 20);
	world_count(0, P_COUNT, 25);
	fill_counting(then);
	then->points[0][P_COUNT].counter.enabled = false;
	world_reload();
	world_count(0, P_COUNT, 30);
	rig_expect(0, "/3200/0/5501", "30");
	fill_counting(then);
	world_reload();
	world_count(0, P_COUNT, 31);
	rig_expect(0, "/3200/0/5501", "65567");
	stop_with(state);
}
END_TEST

START_TEST(counters_of_devices_that_go_are_kept)
{
	struct state *state;

	world_tear_down();
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	start_counting();
	restart_with(state);
	world_count(0, P_COUNT, 65500);
	world_count(0, P_COUNT, 20);
	world_count(0, P_COUNT, 21);
	fill_counting(then);
	then->devices[0].name = (char *)"away";
	world_reload();
	world_count(0, P_COUNT, 5);
	rig_expect(0, "/3200/0/5501", "5");
	fill_counting(then);
	world_reload();
	world_count(0, P_COUNT, 30);
	rig_expect(0, "/3200/0/5501", "65566");
	stop_with(state);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload counters");
	TCase *tcase = tcase_create("counting");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up_counting, tear_down_counting);
	tcase_add_loop_test(tcase, counters_go_on, 0, 3);
	tcase_add_test(tcase, a_counter_in_another_unit);
	tcase_add_test(tcase, a_counter_that_is_none_for_a_while);
	tcase_add_test(tcase, counters_of_devices_that_go_are_kept);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
