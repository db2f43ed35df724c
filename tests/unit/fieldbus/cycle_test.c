/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "config/config.h"
#include "fieldbus/cycle.h"

#define MS(n) ((n) * UINT64_C(1000))
#define S(n) ((n) * UINT64_C(1000000))

/* What a line gets, and what comes of it: part of its time in percent, shortest interval. */
static const struct {
	struct cycle_request requests[5];
	double busy;
	uint64_t shortest_usec;
} cases[] = {
	{ { { 0 } }, 0, 0 },
	{ { { S(1), MS(250) }, { S(10), S(2) } }, 45, 0 },
	{ { { S(1), MS(500) }, { S(1), MS(500) } }, 100, 0 },
	/* Read once or on demand, or of unknown length. */
	{ { { CONFIG_RATE_ONCE, S(9) }, { CONFIG_RATE_ON_DEMAND, S(9) }, { MS(10), 0 } }, 0, 0 },
	/* All of one kind: as long as they take together. */
	{ { { S(1), MS(700) }, { S(1), MS(800) }, { S(1), MS(500) } }, 200, S(2) },
	/* What is wanted rarely keeps its interval; the others share the rest. */
	{ { { S(60), S(6) }, { S(1), S(1) }, { S(1), MS(800) } }, 190, S(2) },
	/* What was rare enough is not, when the frequent ones have got slower. */
	{ { { S(1), S(2) }, { S(3), S(2) } }, 800.0 / 3, S(4) },
	/* The rarer ones alone are too much. */
	{ { { S(1), MS(100) }, { S(2), S(3) }, { S(2), S(1) } }, 210, MS(4100) },
};

START_TEST(cycles)
{
	struct cycle_request requests[5];
	struct cycle c;

	for (int i = 0; i < 5; i++)
		requests[i] = cases[_i].requests[i];
	c = cycle_of(requests, 5);
	ck_assert_double_eq_tol(100 * c.busy, cases[_i].busy, 1e-6);
	ck_assert_uint_eq((c.shortest_usec + 500) / 1000, (cases[_i].shortest_usec + 500) / 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cycle");
	TCase *c = tcase_create("cycle");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(c, cycles, 0, sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(suite, c);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
