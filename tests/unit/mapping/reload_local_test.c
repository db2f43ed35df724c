/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>

#include "tests/unit/mapping/reload_world.h"

/* What a reload makes of local devices, whose values nobody can ask for. */

#define TEXT(k, text) { .key = (k), .value = { .type = FIELDWAY_STRING, .data = (text), .size = sizeof(text) - 1 } }
static const struct fieldway_setting volts_settings[] = { TEXT("type", "float"),
							  { .key = "persist",
							    .value = { .type = FIELDWAY_BOOL, .boolean = true } } },
				     power_settings[] = { TEXT("type", "float") };

static void fill(struct world *w)
{
	uint32_t type = world_add_type(w);
	struct config_point *points = w->points[type];

	w->types[type].plugin = &config_plugin_local;
	for (size_t i = 0; i < P_MAX; i++)
		points[i].period_usec = CONFIG_RATE_ON_DEMAND;
	points[P_VOLTS].settings = (struct fieldway_settings){ volts_settings, 2 };
	points[P_POWER].settings = (struct fieldway_settings){ power_settings, 1 };
	world_add_device(w, (char *)"camera", type);
	world_add_endpoint(w, (char *)"camera", 0);
	world_add_point(w, 0, "/3303/0/5700", P_VOLTS);
	world_add_point(w, 0, "/3305/1/5800", P_POWER);
}

static void set_up(void)
{
	world_start(fill);
	mapping_state(rig.mapping, 0, FIELDBUS_ONLINE, "");
	rig_number(0, P_VOLTS, 230);
	rig_number(0, P_POWER, 1000);
}

static void add_other_endpoint(struct world *w)
{
	world_add_endpoint(w, (char *)"other", 0);
	world_add_point(w, 1, "/3303/0/5700", P_VOLTS);
}

/* An endpoint that comes shows what is kept, of one that is there. */
START_TEST(an_endpoint_comes)
{
	fill(then);
	add_other_endpoint(then);
	world_reload();
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect(0, "/3305/1/5800", "1000");
	rig_expect(1, "/3303/0/5700", "230");
}
END_TEST

START_TEST(an_endpoint_of_one_that_is_gone)
{
	mapping_state(rig.mapping, 0, FIELDBUS_OFFLINE, "its program has left");
	fill(then);
	add_other_endpoint(then);
	world_reload();
	rig_expect_error(1, "/3303/0/5700", -EHOSTDOWN);
	rig_expect_explanation(1, "/3303/0/5700", "camera: last read 0s ago, its program has left");
}
END_TEST

/* A row that comes shows what it would after a restart, and others are what they were. */
START_TEST(a_row_comes)
{
	fill(then);
	world_add_point(then, 0, "/3303/4/5700", P_VOLTS);
	world_reload();
	rig_expect(0, "/3303/4/5700", "230");
	mapping_state(rig.mapping, 0, FIELDBUS_UNKNOWN, "");
	rig_expect_error(0, "/3303/4/5700", -ESTALE);
	fill(then);
	world_add_point(then, 0, "/3303/4/5700", P_VOLTS);
	world_add_point(then, 0, "/3303/5/5700", P_VOLTS);
	world_reload();
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect_error(0, "/3303/4/5700", -ESTALE);
}
END_TEST

/* Its former owner's values are nobody's; the fieldbus says that it begins anew. */
START_TEST(another_owner)
{
	fill(then);
	then->devices[0].owner = "somebody";
	then->devices[0].owner_uid = 7;
	world_reload();
	mapping_state(rig.mapping, 0, FIELDBUS_UNKNOWN, "no program has published yet");
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect_error(0, "/3305/1/5800", -ESTALE);
	rig_number(0, P_POWER, 1);
	rig_expect(0, "/3305/1/5800", "1");
}
END_TEST

START_TEST(disabled)
{
	fill(then);
	then->devices[0].enabled = false;
	add_other_endpoint(then);
	world_reload();
	mapping_state(rig.mapping, 0, FIELDBUS_UNKNOWN, "");
	rig_expect_error(0, "/3303/0/5700", -ESTALE);
	rig_expect_error(1, "/3303/0/5700", -ENODATA);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload_local");
	TCase *tcase = tcase_create("reload_local");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, world_tear_down);
	tcase_add_test(tcase, an_endpoint_comes);
	tcase_add_test(tcase, an_endpoint_of_one_that_is_gone);
	tcase_add_test(tcase, a_row_comes);
	tcase_add_test(tcase, another_owner);
	tcase_add_test(tcase, disabled);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
