/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/macro.h"
#include "observe/condition.h"

#define GT ATTRIBUTE_GT
#define LT ATTRIBUTE_LT
#define ST ATTRIBUTE_ST
#define EDGE ATTRIBUTE_EDGE

/* The vectors of lwm2m.md "Notifications" come first. */
static const struct {
	struct attributes attributes;
	double last, value;
	bool crossed;
} crossings[] = {
	{ { GT | ST, .gt = 45, .st = 10 }, 45, 50, true },
	{ { GT | ST, .gt = 45, .st = 10 }, 38, 49, true },
	{ { GT | ST, .gt = 45, .st = 10 }, 48, 42, true },
	{ { GT | ST, .gt = 45, .st = 10 }, 48, 55, false },
	{ { LT | GT | ST, .lt = 20, .gt = 85, .st = 10 }, 87, 99, true },
	{ { LT | GT | ST, .lt = 20, .gt = 85, .st = 10 }, 87, 96, false },
	{ { LT | GT | ST, .lt = 20, .gt = 85, .st = 10 }, 21, 19, true },
	{ { LT | GT | ST, .lt = 20, .gt = 85, .st = 10 }, 19, 21, true },
	{ { GT, .gt = 45 }, 44, 45, false },
	{ { GT, .gt = 45 }, 45, 45.001, true },
	{ { GT, .gt = 45 }, 46, 45, true },
	{ { GT, .gt = 45 }, 46, 1000, false },
	{ { LT, .lt = 20 }, 21, 20, false },
	{ { LT, .lt = 20 }, 20, 19.999, true },
	{ { LT, .lt = 20 }, 19, 20, true },
	{ { LT, .lt = 20 }, 19, -1000, false },
	{ { ST, .st = 5 }, 10, 15, true },
	{ { ST, .st = 5 }, 10, 5, true },
	{ { ST, .st = 5 }, 10, 14.9, false },
	{ { ST, .st = 5 }, 10, 10, false },
	/* As decimals, not as what they are in binary. */
	{ { ST, .st = 0.1 }, 230.2, 230.3, true },
	{ { ST, .st = 0.1 }, 230.3, 230.4, true },
	{ { ST, .st = 0.1 }, 230.4, 230.3, true },
	{ { ST, .st = 0.1 }, 230.3, 230.39, false },
	{ { ST, .st = 1e-30 }, 230.3, 230.3, false },
	{ { ST, .st = 1e-30 }, 230.3, 230.30000000000004, true },
	{ { ST, .st = 1 }, 1, NAN, false },
	{ { ST, .st = 1 }, NAN, 1, false },
	{ { 0, .gt = 45, .lt = 20, .st = 1 }, 0, 100, false },
	{ { EDGE, .edge = 1 }, 0, 1, true },
	{ { EDGE, .edge = 1 }, 1, 0, false },
	{ { EDGE, .edge = 1 }, 1, 1, false },
	{ { EDGE, .edge = 0 }, 1, 0, true },
	{ { EDGE, .edge = 0 }, 0, 1, false },
	{ { 0, .edge = 1 }, 0, 1, false },
};

START_TEST(judges_numbers)
{
	ck_assert_int_eq(condition_crossed(&crossings[_i].attributes, crossings[_i].last,
					   crossings[_i].value),
			 crossings[_i].crossed);
}
END_TEST

#define PMIN ATTRIBUTE_PMIN
#define PMAX ATTRIBUTE_PMAX
#define NEVER UINT64_MAX

/* Seconds; the last notification was at 1000. */
static const struct {
	struct attributes attributes;
	bool triggered, bad;
	unsigned now;
	bool due;
	uint64_t next;
} moments[] = {
	{ { 0 }, .now = 5000, .next = NEVER },
	{ { 0 }, .triggered = true, .now = 1000, .due = true },
	{ { PMIN, 10 }, .triggered = true, .now = 1009, .next = 1010 },
	{ { PMIN, 10 }, .triggered = true, .now = 1010, .due = true },
	{ { PMIN, 10 }, .now = 1010, .next = NEVER },
	{ { PMAX, .pmax_s = 60 }, .now = 1059, .next = 1060 },
	{ { PMAX, .pmax_s = 60 }, .now = 1060, .due = true },
	{ { PMAX, .pmax_s = 60 }, .triggered = true, .now = 1001, .due = true },
	{ { PMIN | PMAX, 10, 60 }, .triggered = true, .now = 1009, .next = 1010 },
	{ { PMIN | PMAX, 10, 60 }, .now = 1009, .next = 1060 },
	/* Equal: periodic. */
	{ { PMIN | PMAX, 10, 10 }, .triggered = true, .now = 1009, .next = 1010 },
	{ { PMIN | PMAX, 10, 10 }, .now = 1009, .next = 1010 },
	{ { PMIN | PMAX, 10, 10 }, .now = 1010, .due = true },
	/* pmax 0 or below pmin is ignored. */
	{ { PMAX, .pmax_s = 0 }, .now = 5000, .next = NEVER },
	{ { PMIN | PMAX, 60, 10 }, .now = 5000, .next = NEVER },
	{ { PMIN | PMAX, 60, 10 }, .triggered = true, .now = 1010, .next = 1060 },
	{ { PMIN | PMAX, 4294967295, 4294967295 }, .now = 5000, .next = 4294968295 },
	/* Nothing stale is repeated. */
	{ { PMAX, .pmax_s = 60 }, .bad = true, .now = 5000, .next = NEVER },
	{ { 0 }, .triggered = true, .bad = true, .now = 5000, .next = NEVER },
};

START_TEST(knows_the_moment)
{
	const struct condition c = {
		.attributes = &moments[_i].attributes,
		.sent_usec = 1000 * USEC_PER_SEC,
		.triggered = moments[_i].triggered,
		.good = !moments[_i].bad,
	};
	uint64_t next = 1;

	ck_assert_int_eq(condition_due(&c, moments[_i].now * USEC_PER_SEC, &next), moments[_i].due);
	if (!moments[_i].due)
		ck_assert_uint_eq(next, moments[_i].next == NEVER ?
						USEC_INFINITY :
						moments[_i].next * USEC_PER_SEC);
}
END_TEST

#define EPMIN ATTRIBUTE_EPMIN
#define EPMAX ATTRIBUTE_EPMAX

static const struct {
	struct attributes attributes;
	uint64_t period_s;
} samplings[] = {
	{ { 0 }, NEVER },
	{ { EPMIN, .epmin_s = 5 }, NEVER },
	{ { EPMAX, .epmax_s = 0 }, NEVER },
	{ { EPMAX, .epmax_s = 30 }, 30 },
	{ { EPMIN | EPMAX, .epmin_s = 5, .epmax_s = 30 }, 30 },
	/* From different levels. */
	{ { EPMIN | EPMAX, .epmin_s = 60, .epmax_s = 30 }, 60 },
};

START_TEST(knows_how_often_to_sample)
{
	uint64_t period = samplings[_i].period_s;

	ck_assert_uint_eq(condition_sampling_usec(&samplings[_i].attributes),
			  period == NEVER ? USEC_INFINITY : period * USEC_PER_SEC);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("condition");
	TCase *tcase = tcase_create("condition");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, judges_numbers, 0, ARRAY_SIZE(crossings));
	tcase_add_loop_test(tcase, knows_how_often_to_sample, 0, ARRAY_SIZE(samplings));
	tcase_add_loop_test(tcase, knows_the_moment, 0, ARRAY_SIZE(moments));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
