/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/mapping/reload_world.h"

/* What a reload makes of objects that are defined otherwise. */

START_TEST(equal_definitions)
{
	world_feed();
	world_redefine(NULL);
	world_fill(then);
	world_reload();
	ck_assert_str_eq(rig.changes, "");
	world_expect_fed();
	world_feed();
	rig_execute(0, "/3303/0/5605");
}
END_TEST

#define OBJECT_3303(version) \
	"schema: 1\nobject: {id: 3303, name: T, version: \"" version "\", instances: multiple}\nresources:\n"

/* No minimum any more, and values in kelvin. */
START_TEST(other_definitions_of_an_object)
{
	world_feed();
	rig_number(1, P_VOLTS, 110);
	world_redefine(OBJECT_3303("1.7") "  5700: {name: V, operations: R, type: float, unit: K}\n"
					     "  5602: {name: M, operations: R, type: float}\n");
	world_fill(then);
	world_reload();
	rig_expect_error(0, "/3303/0/5700", -ENODATA);
	world_expect_gone(0, "/3303/0/5601");
	world_expect_gone(0, "/3303/0/5605");
	rig_expect(0, "/3305/1/5800", "1000");
	rig_expect_error(1, "/3303/0/5700", -ENODATA);
	ck_assert_ptr_eq(store_object(rig.stores[0], 3303), definitions_newest(rig.definitions, 3303));
	world_feed();
	rig_expect(0, "/3303/0/5700", "230");
	rig_expect(0, "/3303/0/5602", "230");
	world_expect_gone(0, "/3303/0/5601");
}
END_TEST

START_TEST(a_write_to_an_object_that_is_defined_otherwise)
{
	world_feed();
	rig_write(0, "/3306/0/5850", value_boolean(false));
	world_redefine("schema: 1\nobject: {id: 3306, name: T, version: \"1.7\", instances: multiple}\nresources:\n"
			  "  5850: {name: V, operations: RW, type: integer}\n");
	world_fill(then);
	world_reload();
	ck_assert_int_eq(rig.error, -ECANCELED);
	rig_expect_error(0, "/3306/0/5850", -ENODATA);
	world_feed();
	rig_expect(0, "/3306/0/5850", "1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload definitions");
	TCase *tcase = tcase_create("definitions");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, world_set_up, world_tear_down);
	tcase_add_test(tcase, equal_definitions);
	tcase_add_test(tcase, other_definitions_of_an_object);
	tcase_add_test(tcase, a_write_to_an_object_that_is_defined_otherwise);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
