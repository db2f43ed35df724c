/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "capture.h"
#include "ctl/line/decode.h"
#include "ctl/line/numbers.h"
#include "ctl/line/scan.h"

static struct probed registers[] = {
	{ 10, true, 0x0102, NULL },
	{ 11, true, 0x0304, NULL },
	{ 12, true, 0x0506, NULL },
	{ 13, true, 0x0708, NULL },
};

static const struct {
	const char *names[2];
	uint64_t numbers[2];
} orders[DECODE_ORDERS] = {
	{ { "ABCD", "ABCDEFGH" }, { 0x01020304, 0x0102030405060708 } },
	{ { "CDAB", "GHEFCDAB" }, { 0x03040102, 0x0708050603040102 } },
	{ { "BADC", "BADCFEHG" }, { 0x02010403, 0x0201040306050807 } },
	{ { "DCBA", "HGFEDCBA" }, { 0x04030201, 0x0807060504030201 } },
};

START_TEST(puts_bytes_in_order)
{
	ck_assert_str_eq(decode_order_name(_i, 4), orders[_i].names[0]);
	ck_assert_str_eq(decode_order_name(_i, 8), orders[_i].names[1]);
	ck_assert_uint_eq(decode_number(registers, 2, _i), orders[_i].numbers[0]);
	ck_assert_uint_eq(decode_number(registers, 4, _i), orders[_i].numbers[1]);
}
END_TEST

START_TEST(marks_what_is_plausible)
{
	static const double yes[] = { 230.2, -230.2, 0.001, 1e7 };
	static const double no[] = { 0, 0.0009, 1.1e7, NAN, INFINITY, -INFINITY };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		ck_assert(decode_is_plausible(yes[i]));
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		ck_assert(!decode_is_plausible(no[i]));
}
END_TEST

START_TEST(prints_registers)
{
	const struct probed some[] = {
		{ 0, true, 0x4142, NULL },
		{ 1, false, 0, "illegal address" },
		{ 65535, true, 0xff1b, NULL },
	};

	page_open();
	ck_assert_int_eq(probe_print(page, "holding", some, 3), 0);
	ck_assert_int_eq(probe_print_decoded(page, some, 3), 0);
	ck_assert_str_eq(printed(), "ADDRESS  HEX              uint16  int16  TEXT\n"
				    "0        4142             16706   16706  AB\n"
				    "1        illegal address  -       -      -\n"
				    "65535    ff1b             65307   -229   ..\n"
				    "\nuint16  AB       BA\n"
				    "0       16706 *  16961 *\n"
				    "65535   65307 *  7167 *\n"
				    "\nint16  AB       BA\n"
				    "0      16706 *  16961 *\n"
				    "65535  -229 *   7167 *\n"
				    "\nfloat16  AB       BA\n"
				    "0        2.629 *  3.127 *\n"
				    "65535    -nan     0.003904 *\n"
				    "\nbcd16  AB      BA\n"
				    "0      4142 *  4241 *\n");
	page_close();
}
END_TEST

/* A number begins only where all of its registers are there, side by side. */
START_TEST(decodes_what_is_whole)
{
	const struct probed some[] = { { 5, true, 0, NULL },	  { 6, true, 0xffff, NULL },
				       { 7, true, 0xfffe, NULL }, { 8, false, 0, "" },
				       { 9, true, 1, NULL },	  { 20, true, 1, NULL } };

	page_open();
	ck_assert_int_eq(probe_print_decoded(page, some, ARRAY_SIZE(some)), 0);
	ck_assert_ptr_nonnull(strstr(printed(), "\nint32  ABCD     CDAB      BADC     DCBA\n"
						"5      65535 *  -65536 *  65535 *  -65536 *\n"
						"6      -2 *     -65537 *  -257 *   -16777217\n"));
	*strstr(page_text, "\nuint16") = '\0';
	ck_assert_ptr_null(strstr(page_text, "\n7 "));
	ck_assert_ptr_null(strstr(page_text, "\n9 "));
	ck_assert_ptr_null(strstr(page_text, "64"));
	page_close();
}
END_TEST

START_TEST(decodes_64_bits)
{
	page_open();
	ck_assert_int_eq(probe_print_decoded(page, registers, 4), 0);
	ck_assert_ptr_nonnull(strstr(printed(), "\nuint64  ABCDEFGH           GHEFCDAB"));
	ck_assert_ptr_nonnull(strstr(page_text, "\n10      72623859790382856  "));
	page_close();
}
END_TEST

START_TEST(decodes_what_is_rare)
{
	/* Halves: a usual one, the largest, the smallest, none. */
	const struct probed some[] = { { 1, true, 0xc000, NULL }, { 2, true, 0x7bff, NULL },
				       { 3, true, 0x0001, NULL }, { 4, true, 0x7c00, NULL },
				       { 6, true, 0x6925, NULL }, { 7, true, 0x1234, NULL } };

	page_open();
	ck_assert_int_eq(probe_print_decoded(page, some, ARRAY_SIZE(some)), 0);
	ck_assert_ptr_nonnull(strstr(printed(), "\n1        -2 *        "));
	ck_assert_ptr_nonnull(strstr(page_text, "\n2        6.55e+04 *  "));
	ck_assert_ptr_nonnull(strstr(page_text, "\n3        5.96e-08    "));
	ck_assert_ptr_nonnull(strstr(page_text, "\n4        inf         "));
	ck_assert_ptr_nonnull(strstr(page_text, "\nbcd32  ABCD      CDAB      BADC      DCBA\n"
						"6      69251234  12346925  25693412  34122569\n"));
	ck_assert_ptr_nonnull(strstr(page_text, "\nunix32  ABCD"));
	ck_assert_ptr_nonnull(strstr(page_text, "\n6       2025-11-25 "));
	page_close();
}
END_TEST

static const struct {
	const char *text;
	int r;
	uint32_t first, last;
} ranges[] = {
	{ "5", 0, 5, 5 },	  { "0-200", 0, 0, 200 },   { "0x10-0x1F", 0, 16, 31 },
	{ "200-200", 0, 200, 200 }, { "", -EINVAL, 0, 0 },  { "-5", -EINVAL, 0, 0 },
	{ "5-", -EINVAL, 0, 0 },  { "5-3", -EINVAL, 0, 0 }, { "0-201", -EINVAL, 0, 0 },
	{ "x", -EINVAL, 0, 0 },	  { "1-2-3", -EINVAL, 0, 0 }, { "00000000000000000005", -EINVAL, 0, 0 },
};

START_TEST(reads_ranges)
{
	uint32_t first = 7, last = 7;

	ck_assert_int_eq(numbers_parse(ranges[_i].text, 200, &first, &last), ranges[_i].r);
	ck_assert_uint_eq(first, ranges[_i].r < 0 ? 7 : ranges[_i].first);
	ck_assert_uint_eq(last, ranges[_i].r < 0 ? 7 : ranges[_i].last);
}
END_TEST

START_TEST(knows_areas)
{
	uint32_t most = 0;

	ck_assert_int_eq(area_function("holding", &most), 3);
	ck_assert_uint_eq(most, 125);
	ck_assert_int_eq(area_function("coil", &most), 1);
	ck_assert_uint_eq(most, 2000);
	ck_assert_int_eq(area_function("register", &most), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decode");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, puts_bytes_in_order, 0, DECODE_ORDERS);
	tcase_add_test(tcase, marks_what_is_plausible);
	tcase_add_test(tcase, prints_registers);
	tcase_add_test(tcase, decodes_what_is_whole);
	tcase_add_test(tcase, decodes_64_bits);
	tcase_add_test(tcase, decodes_what_is_rare);
	tcase_add_loop_test(tcase, reads_ranges, 0, ARRAY_SIZE(ranges));
	tcase_add_test(tcase, knows_areas);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
