/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "mapping/alarm.h"

#define S USEC_PER_SEC

/* What a value does, one after the other; value NAN: only time passes. */
struct step {
	unsigned at_s;
	double value;
	bool on;
};

static const struct course {
	struct config_condition condition;
	struct step steps[10];
} courses[] = {
	/* A limit is not beyond itself. */
	{ { CONFIG_ABOVE, 80, 0, 0 }, { { 1, 80, false }, { 2, 80.1, true }, { 3, 80, false } } },
	{ { CONFIG_BELOW, -5, 0, 0 }, { { 1, -5, false }, { 2, -5.1, true }, { 3, -5, false } } },
	{ { CONFIG_EQUALS, 3, 0, 0 }, { { 1, 2, false }, { 2, 3, true }, { 3, 4, false } } },
	/* It ends so far back, and begins at the limit again. */
	{ { CONFIG_ABOVE, 80, 2, 0 },
	  { { 1, 79, false }, { 2, 81, true }, { 3, 79, true }, { 4, 78.1, true }, { 5, 78, false },
	    { 6, 79, false }, { 7, 81, true } } },
	{ { CONFIG_BELOW, 10, 3, 0 },
	  { { 1, 11, false }, { 2, 9, true }, { 3, 12, true }, { 4, 13, false }, { 5, 12, false } } },
	/* It has to hold for so long without a break. */
	{ { CONFIG_ABOVE, 80, 0, 10 * S },
	  { { 1, 81, false }, { 10, 90, false }, { 11, 85, true }, { 12, 80, false } } },
	{ { CONFIG_ABOVE, 80, 0, 10 * S },
	  { { 1, 81, false }, { 9, 80, false }, { 12, 81, false }, { 21, 81, false }, { 22, 81, true } } },
	/* Also where no value comes meanwhile. */
	{ { CONFIG_ABOVE, 80, 0, 10 * S }, { { 1, 81, false }, { 10, NAN, false }, { 11, NAN, true }, { 60, NAN, true } } },
	/* While it waits there is no hysteresis: it has not begun. */
	{ { CONFIG_ABOVE, 80, 5, 10 * S }, { { 1, 81, false }, { 2, 79, false }, { 30, NAN, false } } },
	/* An end waits for nothing. */
	{ { CONFIG_BELOW, 10, 1, 5 * S }, { { 1, 9, false }, { 6, 9, true }, { 7, 11, false }, { 8, 9, false } } },
};

START_TEST(test_course)
{
	const struct course *c = &courses[_i];
	struct alarm alarm = { 0 };

	for (unsigned i = 0; i < 10 && c->steps[i].at_s > 0; i++) {
		const struct step *step = &c->steps[i];
		bool before = alarm.on, changed;

		changed = isnan(step->value) ? alarm_wait(&alarm, &c->condition, step->at_s * S) :
					       alarm_take(&alarm, &c->condition, step->value, step->at_s * S);
		ck_assert_msg(alarm.on == step->on, "step %u: %d", i, alarm.on);
		ck_assert_msg(changed == (before != alarm.on), "step %u", i);
	}
}
END_TEST

START_TEST(test_due)
{
	static const struct config_condition c = { CONFIG_ABOVE, 80, 0, 10 * S };
	struct alarm alarm = { 0 };

	ck_assert_uint_eq(alarm_due_usec(&alarm, &c), USEC_INFINITY);
	alarm_take(&alarm, &c, 81, 5 * S);
	ck_assert_uint_eq(alarm_due_usec(&alarm, &c), 15 * S);
	/* Not later because of another value. */
	alarm_take(&alarm, &c, 82, 7 * S);
	ck_assert_uint_eq(alarm_due_usec(&alarm, &c), 15 * S);
	ck_assert(alarm_wait(&alarm, &c, 15 * S));
	ck_assert_uint_eq(alarm_due_usec(&alarm, &c), USEC_INFINITY);
	ck_assert(!alarm_wait(&alarm, &c, 99 * S));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("alarm");
	TCase *tcase = tcase_create("alarm");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, test_course, 0, ARRAY_SIZE(courses));
	tcase_add_test(tcase, test_due);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
