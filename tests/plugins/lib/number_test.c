/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "plugins/lib/layout_number.h"

static const struct {
	float single;
	double expected;
} widths[] = {
	{ 230.2f, 230.2 },
	{ 0.1f, 0.1 },
	{ 38.1f, 38.1 },
	{ -1.5f, -1.5 },
	{ 3.4028235e38f, 3.4028235e38 },
	{ 1e-45f, 1e-45 },
	{ 1.17549435e-38f, 1.1754944e-38 },
	{ 16777216.0f, 16777216.0 },
	{ 1e10f, 1e10 },
	{ 0.33333334f, 0.33333334 },
	{ 123456.79f, 123456.79 },
	{ 5e-7f, 5e-7 },
};

START_TEST(floats_become_their_shortest_decimal)
{
	ck_assert_double_eq(float_widen(widths[_i].single), widths[_i].expected);
	ck_assert((float)float_widen(widths[_i].single) == widths[_i].single);
}
END_TEST

START_TEST(every_float_comes_back)
{
	uint32_t bits = 1;

	for (int i = 0; i < 20000; i++) {
		float f, back;

		bits = bits * 1664525u + 1013904223u;
		memcpy(&f, &bits, sizeof(f));
		back = (float)float_widen(f);
		ck_assert(back == f || (f != f && back != back));
	}
}
END_TEST

/* IEEE 754-2019, 3.4: 1, the largest, the smallest normal and subnormal one, a third, and others. */
static const struct {
	uint16_t bits;
	double value;
} halves[] = {
	{ 0x3c00, 1 },	       { 0x7bff, 65504 },  { 0xfbff, -65504 }, { 0x0400, 6.104e-5 },
	{ 0x0001, 6e-8 },      { 0x3555, 0.3333 }, { 0x2e66, 0.1 },    { 0x4d00, 20 },
	{ 0xc580, -5.5 },      { 0x0000, 0 },	   { 0x8000, -0.0 },   { 0x7c00, INFINITY },
	{ 0xfc00, -INFINITY }, { 0x5b32, 230.2 },
};

START_TEST(halves_both_ways)
{
	uint16_t bits = 0;

	ck_assert_double_eq(half_widen(halves[_i].bits), halves[_i].value);
	ck_assert_int_eq(half_narrow(halves[_i].value, &bits), 0);
	ck_assert_uint_eq(bits, halves[_i].bits);
}
END_TEST

START_TEST(every_half_comes_back)
{
	uint16_t back;

	for (uint32_t bits = 0; bits <= 0xffff; bits++) {
		double value = half_widen((uint16_t)bits);

		ck_assert_int_eq(half_narrow(value, &back), 0);
		if (value == value)
			ck_assert_uint_eq(back, bits);
		else
			ck_assert(half_widen(back) != half_widen(back));
	}
}
END_TEST

static const struct {
	double value;
	int expected;
	uint16_t bits;
} roundings[] = {
	{ 2049, 0, 0x6800 },	  { 2051, 0, 0x6802 }, /* ties to even */
	{ 2049.1, 0, 0x6801 },	  { 65519.9, 0, 0x7bff }, { 65520, -ERANGE, 0 },
	{ 1e300, -ERANGE, 0 },	  { -65520, -ERANGE, 0 }, { 1e-300, 0, 0 },
	{ 2.98e-8, 0, 0 },	  { 2.99e-8, 0, 1 },	  { 6.1e-5, 0, 0x03ff },
	{ 6.1035e-5, 0, 0x0400 }, /* from subnormal to normal */
};

START_TEST(halves_are_rounded)
{
	uint16_t bits = 0;

	ck_assert_int_eq(half_narrow(roundings[_i].value, &bits), roundings[_i].expected);
	ck_assert_uint_eq(bits, roundings[_i].bits);
}
END_TEST

START_TEST(digits_in_nibbles)
{
	uint64_t number = 0, raw = 0;

	ck_assert(bcd_decode(0x9876543210987654, 16, &number));
	ck_assert_uint_eq(number, UINT64_C(9876543210987654));
	ck_assert(bcd_encode(number, 16, &raw));
	ck_assert_uint_eq(raw, 0x9876543210987654);
	ck_assert(!bcd_decode(0x123a, 4, &number));
	ck_assert(!bcd_decode(0xf000, 4, &number));
	ck_assert_uint_eq(number, UINT64_C(9876543210987654));
	ck_assert(bcd_encode(9999, 4, &raw));
	ck_assert(!bcd_encode(10000, 4, &raw));
	ck_assert_uint_eq(raw, 0x9999);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plugins/lib/number");
	TCase *t = tcase_create("numbers");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, floats_become_their_shortest_decimal, 0,
			    sizeof(widths) / sizeof(widths[0]));
	tcase_add_test(t, every_float_comes_back);
	tcase_add_loop_test(t, halves_both_ways, 0, sizeof(halves) / sizeof(halves[0]));
	tcase_add_test(t, every_half_comes_back);
	tcase_add_loop_test(t, halves_are_rounded, 0, sizeof(roundings) / sizeof(roundings[0]));
	tcase_add_test(t, digits_in_nibbles);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
