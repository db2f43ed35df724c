/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include "host/value/exponent.h"
#include "suite.h"

/* Points 0 and 1 need point 2, point 3 nothing. */
static struct link_point points[4];
static const struct link_type type = { .points = points, .n_points = 4 };

#define FLOAT(x) { .type = FIELDWAY_FLOAT, .real = (x) }
#define INTEGER(x) { .type = FIELDWAY_INT, .integer = (x) }

static struct exponents *make(void)
{
	struct exponents *e;

	for (int i = 0; i < 4; i++)
		points[i] = (struct link_point){ .name = "p",
						 .access = LINK_READ,
						 .scale = 0.1,
						 .factor = 1,
						 .scale10 = i < 2 ? 2 : -1 };
	ck_assert_int_eq(exponents_new(&type, &e), 0);
	return e;
}

START_TEST(what_is_an_exponent)
{
	const struct {
		struct fieldway_value value;
		int exponent;
	} rows[] = {
		{ INTEGER(0), 0 },
		{ INTEGER(-10), -10 },
		{ INTEGER(10), 10 },
		{ INTEGER(11), EXPONENT_INVALID },
		{ INTEGER(-11), EXPONENT_INVALID },
		{ INTEGER(-32768), EXPONENT_INVALID },
		{ { .type = FIELDWAY_UINT, .unsignd = 3 }, 3 },
		{ { .type = FIELDWAY_UINT, .unsignd = UINT64_MAX }, EXPONENT_INVALID },
		{ FLOAT(-2), -2 },
		{ FLOAT(0.5), EXPONENT_INVALID },
		{ FLOAT(NAN), EXPONENT_INVALID },
		{ { .type = FIELDWAY_STRING, .data = "1", .size = 1 }, EXPONENT_INVALID },
		{ { .type = FIELDWAY_BOOL, .boolean = true }, EXPONENT_INVALID },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fieldway_sample s = { .value = rows[i].value };

		ck_assert_msg(exponent_value(&s) == rows[i].exponent, "%zu", i);
	}
}
END_TEST

START_TEST(nobody_needs_one)
{
	struct exponents *e = make();

	exponents_free(e);
	points[0].scale10 = points[1].scale10 = -1;
	ck_assert_int_eq(exponents_new(&type, &e), 0);
	ck_assert_ptr_null(e);
	ck_assert_int_eq(exponents_of(e, 0), 0);
	exponents_reset(e);
	exponents_forget(e, 0);
}
END_TEST

START_TEST(samples_wait)
{
	struct exponents *e = make();
	struct fieldway_sample s = { .point = 0, .value = INTEGER(5) };
	const struct fieldway_sample exponent = { .point = 2, .value = INTEGER(-1) };
	const struct fieldway_sample failed = { .point = 2, .quality = FIELDWAY_FAILED, .error = -EIO };
	unsigned seen = 0;
	int before;

	ck_assert_int_eq(exponents_of(e, 0), EXPONENT_UNKNOWN);
	ck_assert_int_eq(exponents_of(e, 3), 0);
	exponents_wait(e, &s);
	s.value.integer = 6; /* the newer one of the point */
	exponents_wait(e, &s);
	s.point = 1;
	exponents_wait(e, &s);
	ck_assert(!exponents_take(e, 3, &s, &before));
	ck_assert(exponents_learn(e, &failed));
	ck_assert_int_eq(exponents_of(e, 0), EXPONENT_UNKNOWN);
	ck_assert(exponents_learn(e, &exponent));
	ck_assert_int_eq(exponents_of(e, 0), -1);
	while (exponents_take(e, 2, &s, &before)) {
		ck_assert_int_eq(before, EXPONENT_UNKNOWN);
		ck_assert_int_eq(s.value.integer, 6);
		seen |= 1u << s.point;
	}
	ck_assert_uint_eq(seen, 3);
	ck_assert(!exponents_learn(e, &failed));
	ck_assert_int_eq(exponents_of(e, 1), -1);
	exponents_wait(e, &s);
	exponents_forget(e, s.point);
	ck_assert(!exponents_take(e, 2, &s, &before));
	exponents_wait(e, &s);
	ck_assert(exponents_take(e, 2, &s, &before));
	ck_assert_int_eq(before, -1);
	exponents_wait(e, &s);
	exponents_reset(e);
	ck_assert(!exponents_take(e, 2, &s, &before));
	ck_assert_int_eq(exponents_of(e, 1), EXPONENT_UNKNOWN);
	exponents_free(e);
}
END_TEST

/* How often a point is read, and its exponent. */
static const struct {
	uint64_t point, exponent;
	bool follows;
} rates[] = {
	{ 1000, 1000, true },
	{ 1000, 500, true },
	{ 1000, 2000, false },
	{ 1000, LINK_PERIOD_ONCE, false },
	{ 1000, LINK_PERIOD_ON_DEMAND, false },
	{ LINK_PERIOD_ONCE, 1000, true },
	{ LINK_PERIOD_ONCE, LINK_PERIOD_ONCE, false },
	{ LINK_PERIOD_ONCE, LINK_PERIOD_ON_DEMAND, false },
	{ LINK_PERIOD_ON_DEMAND, 1000, true },
	{ LINK_PERIOD_ON_DEMAND, LINK_PERIOD_ON_DEMAND, true },
	{ LINK_PERIOD_ON_DEMAND, LINK_PERIOD_ONCE, false },
};

START_TEST(who_is_read_for_whom)
{
	exponents_free(make());
	points[0].period_usec = rates[_i].point;
	points[2].period_usec = rates[_i].exponent;
	ck_assert(exponent_follows(&type, 0) == rates[_i].follows);
	ck_assert(!exponent_follows(&type, 3));
}
END_TEST

START_TEST(applied)
{
	struct fieldway_sample s = { .value = INTEGER(2302) };

	exponents_free(make());
	exponent_apply(&points[0], -2, &s);
	ck_assert_double_eq(s.value.real, 2.302);
	s.value = (struct fieldway_value)INTEGER(2302);
	exponent_apply(&points[0], EXPONENT_INVALID, &s);
	ck_assert_int_eq(s.quality, FIELDWAY_INVALID);
	ck_assert_int_eq(s.value.type, FIELDWAY_NONE);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_test(t, what_is_an_exponent);
	tcase_add_test(t, nobody_needs_one);
	tcase_add_test(t, samples_wait);
	tcase_add_loop_test(t, who_is_read_for_whom, 0, sizeof(rates) / sizeof(rates[0]));
	tcase_add_test(t, applied);
}

int main(void)
{
	return run_suite("exponent", add);
}
