/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "model/path.h"

static struct path parsed(const char *text)
{
	struct path path;

	ck_assert_msg(path_parse(text, strlen(text), &path) == 0, "%s", text);
	return path;
}

static const struct {
	const char *text, *formatted;
	unsigned depth;
	uint16_t ids[4];
} good[] = {
	{ "", "/", 0, { 0 } },
	{ "/", "/", 0, { 0 } },
	{ "/0", "/0", 1, { 0 } },
	{ "3", "/3", 1, { 3 } },
	{ "/3/0", "/3/0", 2, { 3, 0 } },
	{ "3303/1/5700", "/3303/1/5700", 3, { 3303, 1, 5700 } },
	{ "/3/0/11/7", "/3/0/11/7", 4, { 3, 0, 11, 7 } },
	{ "/65534/65534/65534/65534",
	  "/65534/65534/65534/65534",
	  4,
	  { 65534, 65534, 65534, 65534 } },
};

START_TEST(parses_and_formats)
{
	struct path path = parsed(good[_i].text);
	char text[PATH_TEXT_MAX];

	ck_assert_uint_eq(path.depth, good[_i].depth);
	for (unsigned i = 0; i < path.depth; i++)
		ck_assert_uint_eq(path.ids[i], good[_i].ids[i]);
	ck_assert_ptr_eq(path_format(&path, text), text);
	ck_assert_str_eq(text, good[_i].formatted);
}
END_TEST

static const char *const bad[] = {
	"//",	     "/3/",	     "3/",	   "/3//0", "/03",  "/3/00",   "/65535", "/3/65535",
	"/65536",    "/99999999999", "/3/0/1/2/3", "/-1",   "/+1",  "/3/ 0",   "/a",	 "/0x3",
	"/3/0/1/2/", "///",	     " /3",	   "/3\n",  "/3.0", "d01/3/0",
};

START_TEST(refuses_other_text)
{
	struct path path = path_of_object(77);

	ck_assert_msg(path_parse(bad[_i], strlen(bad[_i]), &path) == -EINVAL, "'%s'", bad[_i]);
	ck_assert_uint_eq(path.object, 77);
	ck_assert_uint_eq(path.depth, 1);
}
END_TEST

START_TEST(reads_no_further_than_its_size)
{
	struct path path;

	ck_assert_int_eq(path_parse("/3/0/1", 4, &path), 0);
	ck_assert_uint_eq(path.depth, 2);
	ck_assert_int_eq(path_parse("/3\0", 3, &path), -EINVAL);
}
END_TEST

START_TEST(parses_single_ids)
{
	uint16_t id = 1;

	ck_assert_int_eq(path_parse_id("65535", 5, &id), 0);
	ck_assert_uint_eq(id, 65535);
	ck_assert_int_eq(path_parse_id("0", 1, &id), 0);
	ck_assert_uint_eq(id, 0);
	ck_assert_int_eq(path_parse_id("", 0, &id), -EINVAL);
	ck_assert_int_eq(path_parse_id("65536", 5, &id), -EINVAL);
	ck_assert_int_eq(path_parse_id("000001", 6, &id), -EINVAL);
	ck_assert_int_eq(path_parse_id("01", 2, &id), -EINVAL);
	ck_assert_int_eq(path_parse_id("1/", 2, &id), -EINVAL);
	ck_assert_uint_eq(id, 0);
}
END_TEST

/* Ascending; each row is below all that follow. */
static const char *const ordered[] = {
	"/",	   "/0",   "/1",     "/1/0",	"/1/0/65534",	"/1/1",
	"/3",	   "/3/0", "/3/0/0", "/3/0/11", "/3/0/11/0",	"/3/0/11/1",
	"/3/0/12", "/3/2", "/10",    "/10/0",	"/3303/0/5700",
};

START_TEST(orders_by_ids_and_parents_first)
{
	for (size_t a = 0; a < ARRAY_SIZE(ordered); a++) {
		for (size_t b = 0; b < ARRAY_SIZE(ordered); b++) {
			struct path x = parsed(ordered[a]), y = parsed(ordered[b]);
			int order = path_compare(&x, &y);

			ck_assert_msg((order < 0) == (a < b) && (order > 0) == (a > b), "%s %s: %d",
				      ordered[a], ordered[b], order);
			ck_assert_int_eq(path_equal(&x, &y), a == b);
		}
	}
}
END_TEST

START_TEST(ignores_ids_below_its_depth)
{
	struct path a = { .ids = { 3, 0, 1, 2 }, .depth = 2 }, b = path_of_instance(3, 0);

	ck_assert(path_equal(&a, &b));
	ck_assert(path_contains(&a, &b));
	ck_assert(path_contains(&b, &a));
}
END_TEST

static const struct {
	const char *outer, *inner;
	bool contains;
} containment[] = {
	{ "/", "/", true },
	{ "/", "/3/0/11/0", true },
	{ "/3", "/3/0", true },
	{ "/3/0", "/3/0", true },
	{ "/3/0", "/3", false },
	{ "/3/0", "/3/1/0", false },
	{ "/3", "/33", false },
	{ "/3/0/1", "/3/0/11", false },
	{ "/3/0/11", "/3/0/11/5", true },
	{ "/3/0/11/5", "/3/0/11", false },
};

START_TEST(knows_what_lies_below)
{
	struct path outer = parsed(containment[_i].outer), inner = parsed(containment[_i].inner);

	ck_assert_int_eq(path_contains(&outer, &inner), containment[_i].contains);
}
END_TEST

START_TEST(cuts_and_extends)
{
	struct path path = path_of_resource_instance(3, 1, 11, 7), cut = path_cut(&path, 2), child;
	char text[PATH_TEXT_MAX];

	ck_assert_str_eq(path_format(&cut, text), "/3/1");
	child = path_child(&cut, 9);
	ck_assert_str_eq(path_format(&child, text), "/3/1/9");
	cut = path_cut(&path, 0);
	ck_assert_str_eq(path_format(&cut, text), "/");
	cut = path_cut(&path, 9);
	ck_assert_str_eq(path_format(&cut, text), "/3/1/11/7");
	/* There is no fifth level. */
	child = path_child(&path, 1);
	ck_assert(path_equal(&child, &path));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("path");
	TCase *tcase = tcase_create("path");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, parses_and_formats, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(tcase, refuses_other_text, 0, ARRAY_SIZE(bad));
	tcase_add_test(tcase, reads_no_further_than_its_size);
	tcase_add_test(tcase, parses_single_ids);
	tcase_add_test(tcase, orders_by_ids_and_parents_first);
	tcase_add_test(tcase, ignores_ids_below_its_depth);
	tcase_add_loop_test(tcase, knows_what_lies_below, 0, ARRAY_SIZE(containment));
	tcase_add_test(tcase, cuts_and_extends);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
