/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/arena.h"
#include "base/macro.h"
#include "capture.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"

static const struct {
	const char *text, *shown;
	size_t width;
} shown[] = {
	{ "", "", 0 },
	{ "21.5", "21.5", 4 },
	{ "K\303\274hlraum 3 \302\260C", "K\303\274hlraum 3 \302\260C", 13 },
	{ "\360\237\224\245", "\360\237\224\245", 1 },
	/* What would clear the screen, or set its title. */
	{ "\033[2J\033]0;x\007", "\\x1b[2J\\x1b]0;x\\x07", 19 },
	{ "a\nb\tc\rd", "a\\nb\\tc\\rd", 10 },
	{ "C:\\x1b", "C:\\\\x1b", 7 },
	{ "\177", "\\x7f", 4 },
	/* CSI as one character; another direction; an end of line; a byte order mark. */
	{ "\302\2332J", "\\xc2\\x9b2J", 10 },
	{ "\342\200\256abc", "\\xe2\\x80\\xaeabc", 15 },
	{ "a\330\234b", "a\\xd8\\x9cb", 10 },
	{ "\342\200\250", "\\xe2\\x80\\xa8", 12 },
	{ "\357\273\277", "\\xef\\xbb\\xbf", 12 },
	/* No UTF-8: cut off, too long, out of nothing. */
	{ "a\303", "a\\xc3", 5 },
	{ "\342\202", "\\xe2\\x82", 8 },
	{ "\300\200", "\\xc0\\x80", 8 },
	{ "\2003", "\\x803", 5 },
};

START_TEST(shows_only_what_is_harmless)
{
	text_print(page, shown[_i].text);
	ck_assert_str_eq(printed(), shown[_i].shown);
	ck_assert_uint_eq(text_width(shown[_i].text), shown[_i].width);
}
END_TEST

static const struct {
	const char *text;
	size_t columns;
	const char *shown;
} cuts[] = {
	{ "abcdef", 6, "abcdef" },
	{ "abcdef", 5, "ab..." },
	{ "abcdef", 3, "..." },
	{ "abcdef", 2, ".." },
	{ "abcdef", 0, "" },
	{ "\303\274\303\274\303\274\303\274\303\274", 4, "\303\274..." },
	{ "ab\ncdefg", 6, "ab..." },
};

START_TEST(cuts_between_characters)
{
	text_print_cut(page, cuts[_i].text, cuts[_i].columns);
	ck_assert_str_eq(printed(), cuts[_i].shown);
}
END_TEST

START_TEST(groups_digits)
{
	char text[TEXT_NUMBER_MAX];

	ck_assert_str_eq(text_number(0, text), "0");
	ck_assert_str_eq(text_number(999, text), "999");
	ck_assert_str_eq(text_number(24800, text), "24,800");
	ck_assert_str_eq(text_number(UINT64_MAX, text), "18,446,744,073,709,551,615");
}
END_TEST

START_TEST(joins)
{
	_cleanup_arena_ struct arena arena = { 0 };

	ck_assert_str_eq(text_join(&arena, NULL, 0), "");
	ck_assert_str_eq(text_join(&arena, (const char *[]){ "a" }, 1), "a");
	ck_assert_str_eq(text_join(&arena, (const char *[]){ "a", "", "bc" }, 3), "a,,bc");
}
END_TEST

/* ---- tables ---- */

static void fill(struct table *t, size_t rows)
{
	static const char *const names[] = { "m1", "k\303\274che", "a\nb", "m4", "m5" };

	for (size_t i = 0; i < rows; i++)
		ck_assert_int_eq(table_add(t, (const char *[]){ names[i % 5],
								i == 2 ? "" : "online", "why" }),
				 0);
}

static const struct {
	size_t rows;
	struct table_frame frame;
	const char *shown;
	size_t lines;
} tables[] = {
	{ 0, { .label = "Not online" }, "", 0 },
	{ 3,
	  { 0 },
	  "m1     online  why\n"
	  "k\303\274che  online  why\n"
	  "a\\nb   -       why\n",
	  3 },
	{ 2,
	  { .label = "Buses", .indent = 7 },
	  "Buses  m1     online  why\n"
	  "       k\303\274che  online  why\n",
	  2 },
	{ 5,
	  { .most = 5 },
	  "m1     online  why\nk\303\274che  online  why\na\\nb   -       why\nm4     online  why\n"
	  "m5     online  why\n",
	  5 },
	/* The line that says so counts. */
	{ 5,
	  { .label = "L", .indent = 2, .most = 2, .more = "fieldwayctl list" },
	  "L m1  online  why\n"
	  "  and 4 more: fieldwayctl list\n",
	  2 },
	{ 2, { .label = "L", .indent = 2, .most = 1, .more = "x" }, "L and 2 more: x\n", 1 },
	{ 2, { .indent = 2, .width = 18 }, "  m1     online  .\n  k\303\274che  online  .\n", 2 },
	{ 2, { .indent = 2, .width = 8 }, "  m1\n  k\303\274che\n", 2 },
	{ 2, { .indent = 2, .width = 10 }, "  m1     .\n  k\303\274che  .\n", 2 },
};

START_TEST(aligns)
{
	_cleanup_table_ struct table t = { .columns = 3 };

	fill(&t, tables[_i].rows);
	table_print(page, &t, &tables[_i].frame);
	ck_assert_str_eq(printed(), tables[_i].shown);
	ck_assert_uint_eq(table_lines(&t, &tables[_i].frame), tables[_i].lines);
}
END_TEST

START_TEST(takes_many_rows)
{
	_cleanup_table_ struct table t = { .columns = 3 };
	const char *end;

	fill(&t, 10000);
	table_print(page, &t, &(struct table_frame){ 0 });
	end = printed() + page_size - sizeof("m5     online  why\n") + 1;
	ck_assert_str_eq(end, "m5     online  why\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, page_open, page_close);
	tcase_add_loop_test(tcase, shows_only_what_is_harmless, 0, ARRAY_SIZE(shown));
	tcase_add_loop_test(tcase, cuts_between_characters, 0, ARRAY_SIZE(cuts));
	tcase_add_test(tcase, groups_digits);
	tcase_add_test(tcase, joins);
	tcase_add_loop_test(tcase, aligns, 0, ARRAY_SIZE(tables));
	tcase_add_test(tcase, takes_many_rows);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
