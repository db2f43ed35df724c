/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "host/value/decimal.h"
#include "host/value/transform.h"
#include "suite.h"

#define I(x)                                                                                       \
	{                                                                                          \
		.type = FIELDWAY_INT, .integer = (x)                                               \
	}
#define U(x)                                                                                       \
	{                                                                                          \
		.type = FIELDWAY_UINT, .unsignd = (x)                                              \
	}
#define F(x)                                                                                       \
	{                                                                                          \
		.type = FIELDWAY_FLOAT, .real = (x)                                                \
	}
#define B(x)                                                                                       \
	{                                                                                          \
		.type = FIELDWAY_BOOL, .boolean = (x)                                              \
	}
#define T(x)                                                                                       \
	{                                                                                          \
		.type = FIELDWAY_STRING, .data = (x), .size = sizeof(x) - 1                        \
	}

static void check_same(const struct fieldway_value *a, const struct fieldway_value *b)
{
	ck_assert_int_eq(a->type, b->type);
	switch (a->type) {
	case FIELDWAY_BOOL:
		ck_assert_int_eq(a->boolean, b->boolean);
		return;
	case FIELDWAY_INT:
		ck_assert_int_eq(a->integer, b->integer);
		return;
	case FIELDWAY_UINT:
		ck_assert_uint_eq(a->unsignd, b->unsignd);
		return;
	case FIELDWAY_FLOAT:
		ck_assert_msg(a->real == b->real, "%.17g %.17g", a->real, b->real);
		return;
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		ck_assert_uint_eq(a->size, b->size);
		ck_assert_mem_eq(a->data, b->data, a->size);
		return;
	case FIELDWAY_NONE:
		return;
	}
}

static const struct {
	struct fieldway_value raw;
	double scale, offset, factor;
	struct fieldway_value value;
} forwards[] = {
	/* Nothing to do: as it is, whatever it is. */
	{ U(UINT64_MAX), 1, 0, 1, U(UINT64_MAX) },
	{ I(INT64_MIN), 1, 0, 1, I(INT64_MIN) },
	{ B(true), 1, 0, 1, B(true) },
	{ F(0.1), 1, 0, 1, F(0.1) },
	{ T("abc"), 1, 0, 1, T("abc") },
	/* 2302 * 0.1 is 230.20000000000002 in doubles. */
	{ U(2302), 0.1, 0, 1, F(230.2) },
	{ I(-2302), 0.1, 0, 1, F(-230.2) },
	{ U(3), 0.1, 0, 1, F(0.3) },
	{ U(29), 0.01, 0, 1, F(0.29) },
	{ F(230.2), 1, 0, 40, F(9208) },
	{ F(1.1), 1.1, 0, 1, F(1.21) },
	{ U(100), 0.1, -40, 1, F(-30) },
	{ U(100), 0.1, 0.2, 3, F(30.6) },
	{ U(7), 0.001, 0, 1000, F(7) },
	{ F(1e-7), 0.1, 0, 1, F(1e-8) },
	/* Whole constants keep integers whole, as far as they go. */
	{ U(23), 10, 0, 1, I(230) },
	{ U(1), -1, 1, 1, I(0) },
	{ B(true), -1, 1, 1, I(0) },
	{ U(UINT64_MAX / 10), 10, 5, 1, U(UINT64_MAX / 10 * 10 + 5) },
	{ I(INT64_MAX), 10, 0, 1, F(92233720368547758070.0) },
	/* 64 bits that no double holds are rounded once. */
	{ U(12345678901234567), 0.001, 0, 1, F(12345678901234.567) },
	{ U(UINT64_MAX), 0.1, 0, 1, F(1844674407370955161.5) },
	/* Floats without a short decimal. */
	{ F(0.1 + 0.2), 2, 0, 1, F(2 * (0.1 + 0.2)) },
	{ F(1e300), 10, 0, 1, F(1e301) },
	{ T("abc"), 0.1, 0, 1, T("abc") },
};

static struct link_point point_of(double scale, double offset, double factor)
{
	return (struct link_point){ .scale = scale, .offset = offset, .factor = factor };
}

START_TEST(forward)
{
	struct link_point p =
		point_of(forwards[_i].scale, forwards[_i].offset, forwards[_i].factor);
	struct fieldway_sample s = { .value = forwards[_i].raw };

	transform_forward(&p, &s);
	ck_assert_int_eq(s.quality, FIELDWAY_GOOD);
	check_same(&s.value, &forwards[_i].value);
}
END_TEST

START_TEST(invalid_values)
{
	struct fieldway_value invalid[] = { U(65535), F(NAN), I(-1), T("n/a") };
	const struct {
		struct fieldway_value raw;
		enum fieldway_quality quality;
	} rows[] = {
		{ U(65535), FIELDWAY_INVALID }, { I(65535), FIELDWAY_INVALID },
		{ F(65535), FIELDWAY_INVALID }, { F(NAN), FIELDWAY_INVALID },
		{ I(-1), FIELDWAY_INVALID },	{ T("n/a"), FIELDWAY_INVALID },
		{ U(65534), FIELDWAY_GOOD },	{ T("n/A"), FIELDWAY_GOOD },
		{ T("n"), FIELDWAY_GOOD },	{ U(UINT64_MAX), FIELDWAY_GOOD },
	};

	for (int scaled = 0; scaled < 2; scaled++) {
		struct link_point p = point_of(scaled ? 0.1 : 1, 0, 1);

		p.invalid = invalid;
		p.n_invalid = ARRAY_SIZE(invalid);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			struct fieldway_sample s = { .value = rows[i].raw };

			transform_forward(&p, &s);
			ck_assert_msg(s.quality == rows[i].quality, "%zu", i);
			if (s.quality == FIELDWAY_INVALID)
				ck_assert_int_eq(s.value.type, FIELDWAY_NONE);
		}
	}
}
END_TEST

START_TEST(what_is_not_good_stays)
{
	struct link_point p = point_of(0.1, 0, 1);
	struct fieldway_sample failed = { .quality = FIELDWAY_FAILED,
					  .error = -EIO,
					  .value = U(5) };
	struct fieldway_sample huge = { .value = F(1e308) };

	transform_forward(&p, &failed);
	ck_assert_int_eq(failed.quality, FIELDWAY_FAILED);
	ck_assert_uint_eq(failed.value.unsignd, 5);
	p.scale = 1e10;
	transform_forward(&p, &huge);
	ck_assert_int_eq(huge.quality, FIELDWAY_INVALID);
}
END_TEST

/* A uint16 register, or a float one. */
static int check_register(const void *userdata, const struct fieldway_value *raw, char *text,
			  size_t size)
{
	bool is_float = *(const bool *)userdata;
	double number = raw->type == FIELDWAY_FLOAT ? raw->real :
			raw->type == FIELDWAY_INT   ? (double)raw->integer :
			raw->type == FIELDWAY_UINT  ? (double)raw->unsignd :
			raw->type == FIELDWAY_BOOL  ? raw->boolean :
						      NAN;

	if (raw->type == FIELDWAY_STRING)
		return snprintf(text, size, "text"), -EINVAL;
	if (is_float)
		return 0;
	if (number != rint(number))
		return snprintf(text, size, "takes whole numbers only"), -EINVAL;
	if (number < 0 || number > 65535)
		return snprintf(text, size, "does not fit"), -ERANGE;
	return 0;
}

static const struct {
	struct fieldway_value value;
	double scale, offset, factor;
	bool is_float, reject;
	int r;
	struct fieldway_value raw;
} inverses[] = {
	{ U(5), 1, 0, 1, false, true, 0, U(5) },
	{ B(true), 1, 0, 1, false, true, 0, B(true) },
	{ F(5), 1, 0, 1, false, true, 0, I(5) },
	{ F(5.4), 1, 0, 1, false, false, 0, I(5) },
	{ F(5.4), 1, 0, 1, false, true, -ERANGE },
	{ F(5.4), 1, 0, 1, true, true, 0, F(5.4) },
	{ F(NAN), 1, 0, 1, false, false, -EINVAL },
	/* 230.2 / 0.1 is 2301.9999999999995 in doubles. */
	{ F(230.2), 0.1, 0, 1, false, true, 0, I(2302) },
	{ F(0.3), 0.1, 0, 1, false, true, 0, I(3) },
	{ F(23.45), 0.1, 0, 1, false, true, -ERANGE },
	{ F(23.45), 0.1, 0, 1, false, false, 0, I(235) },
	{ F(23.44), 0.1, 0, 1, false, false, 0, I(234) },
	{ F(-30), 0.1, -40, 1, false, true, 0, I(100) },
	{ F(30.6), 0.1, 0.2, 3, false, true, 0, I(100) },
	{ I(230), 10, 0, 1, false, true, 0, I(23) },
	{ I(235), 10, 0, 1, false, true, -ERANGE },
	{ I(0), -1, 1, 1, false, true, 0, I(1) },
	{ F(6553.5), 0.1, 0, 1, false, true, 0, I(65535) },
	{ F(6553.6), 0.1, 0, 1, false, true, -ERANGE },
	{ F(-0.1), 0.1, 0, 1, false, true, -ERANGE },
	{ F(1e300), 0.1, 0, 1, false, false, -ERANGE },
	{ F(1e300), 0.1, 0, 1, true, false, 0, F(1e301) },
	{ U(UINT64_MAX), 5, 0, 1, true, true, 0, I(INT64_C(3689348814741910323)) },
	{ T("x"), 1, 0, 1, false, true, -EINVAL },
	{ T("x"), 0.1, 0, 1, false, true, -EINVAL },
};

START_TEST(inverse)
{
	struct link_point p =
		point_of(inverses[_i].scale, inverses[_i].offset, inverses[_i].factor);
	struct fieldway_value raw = { 0 };
	char text[128] = "";
	int r;

	p.inexact_reject = inverses[_i].reject;
	r = transform_inverse(&p, 0, &inverses[_i].value, check_register, &inverses[_i].is_float, &raw,
			      text, sizeof(text));
	ck_assert_msg(r == inverses[_i].r, "%d %s", r, text);
	if (r < 0)
		ck_assert_str_ne(text, "");
	else
		check_same(&raw, &inverses[_i].raw);
}
END_TEST

/* What was read can be written back and is the same. */
START_TEST(round_trip)
{
	const double scales[] = { 0.1, 0.01, 0.001, 0.5, 0.25, 2, 10, 0.3, 1.6 };
	const double factors[] = { 1, 40, 0.1, 2000 };
	const bool is_float = false;

	for (size_t i = 0; i < ARRAY_SIZE(scales); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(factors); j++) {
			struct link_point p = point_of(scales[i], -0.5, factors[j]);

			p.inexact_reject = true;
			for (unsigned raw = 0; raw <= 65535; raw += 13) {
				struct fieldway_sample s = { .value = U(raw) };
				struct fieldway_value back;
				char text[128];

				transform_forward(&p, &s);
				ck_assert_int_eq(transform_inverse(&p, 0, &s.value, check_register,
								   &is_float, &back, text,
								   sizeof(text)),
						 0);
				ck_assert_int_eq(back.integer, raw);
			}
		}
	}
}
END_TEST

/* As a product of doubles 2302 * 0.1 * 1e-1 is 23.020000000000003. */
START_TEST(powers_of_ten)
{
	const struct {
		double scale;
		int exponent;
		struct fieldway_value raw, value;
	} rows[] = {
		{ 0.1, -1, I(2302), F(23.02) },
		{ 1, -10, I(7), F(7e-10) },
		{ 1, 10, I(7), I(70000000000) },
		{ 1, 0, U(UINT64_MAX), U(UINT64_MAX) },
		{ 1, 2, U(UINT64_MAX), F(1.8446744073709552e21) },
		{ 0.3, 1, I(-5), F(-15) },
		{ 1, -1, F(0.3), F(0.03) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct link_point p = point_of(rows[i].scale, 0, 1);
		struct fieldway_sample s = { .value = rows[i].raw };
		const bool is_float = rows[i].raw.type == FIELDWAY_FLOAT;
		struct fieldway_value back;
		char text[128];

		transform_forward_by(&p, rows[i].exponent, &s);
		check_same(&s.value, &rows[i].value);
		if (rows[i].raw.type != FIELDWAY_INT)
			continue;
		p.inexact_reject = true;
		ck_assert_int_eq(transform_inverse(&p, rows[i].exponent, &s.value, check_register,
						   &is_float, &back, text, sizeof(text)),
				 rows[i].raw.integer < 0 ? -ERANGE : 0);
		if (rows[i].raw.integer >= 0)
			check_same(&back, &rows[i].raw);
	}
}
END_TEST

START_TEST(near)
{
	const struct {
		struct fieldway_value a, b;
		double tolerance;
		bool near;
	} rows[] = {
		{ F(0.3), F(0.2), 0.1, true },
		{ F(0.3), F(0.2), 0.09, false },
		{ B(true), I(1), 0, true },
		{ B(true), B(false), 0, false },
		{ U(5), F(5), 0, true },
		{ T("a"), T("a"), 0, true },
		{ T("a"), T("b"), 0, false },
		{ T("1"), I(1), 0, false },
		{ F(NAN), F(NAN), 0, true },
		{ F(NAN), F(1), 9, false },
		{ U(UINT64_MAX), U(UINT64_MAX - 1), 0, false },
		{ F(INFINITY), F(INFINITY), 0, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(value_is_near(&rows[i].a, &rows[i].b, rows[i].tolerance) ==
				      rows[i].near,
			      "%zu", i);
}
END_TEST

START_TEST(decimals)
{
	const double doubles[] = {
		0, 1, -1, 0.1, 230.2, -0.001, 1e-22, 123456789.123456, 9007199254740991.0, 1e15
	};
	struct decimal d, big = { (__int128)1 << 100, 0 }, one = { 1, 0 };
	__int128 whole;
	bool exact;

	for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
		ck_assert_msg(decimal_from_double(doubles[i], &d), "%g", doubles[i]);
		ck_assert_double_eq(decimal_to_double(d), doubles[i]);
	}
	ck_assert(!decimal_from_double(NAN, &d));
	ck_assert(!decimal_from_double(INFINITY, &d));
	ck_assert(!decimal_from_double(0.1 + 0.2, &d)); /* 0.30000000000000004 */
	ck_assert(!decimal_multiply(big, big, &d));
	ck_assert(!decimal_add(big, (struct decimal){ 1, -30 }, &d));
	ck_assert(decimal_add(one, (struct decimal){ -5, -1 }, &d));
	ck_assert_double_eq(decimal_to_double(d), 0.5);
	ck_assert_double_eq(decimal_to_double((struct decimal){ 1, 400 }), INFINITY);
	ck_assert_double_eq(decimal_to_double((struct decimal){ -25, -30 }), -25e-30);
	ck_assert_double_eq(decimal_to_double((struct decimal){ 0, -400 }), 0);
	ck_assert(
		decimal_divide((struct decimal){ 5, 0 }, (struct decimal){ 2, 0 }, &whole, &exact));
	ck_assert(whole == 3 && !exact);
	ck_assert(decimal_divide((struct decimal){ -5, 0 }, (struct decimal){ 2, 0 }, &whole,
				 &exact));
	ck_assert(whole == -3 && !exact);
	ck_assert(decimal_divide((struct decimal){ 6, 1 }, (struct decimal){ -2, -1 }, &whole,
				 &exact));
	ck_assert(whole == -300 && exact);
	ck_assert(decimal_to_integer((struct decimal){ 120, -1 }, &whole) && whole == 12);
	ck_assert(!decimal_to_integer((struct decimal){ 125, -1 }, &whole));
}
END_TEST

static void add(TCase *t)
{
	tcase_add_loop_test(t, forward, 0, ARRAY_SIZE(forwards));
	tcase_add_test(t, invalid_values);
	tcase_add_test(t, what_is_not_good_stays);
	tcase_add_loop_test(t, inverse, 0, ARRAY_SIZE(inverses));
	tcase_add_test(t, round_trip);
	tcase_add_test(t, powers_of_ten);
	tcase_add_test(t, near);
	tcase_add_test(t, decimals);
}

int main(void)
{
	return run_suite("transform", add);
}
