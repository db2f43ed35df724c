/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "observe/attributes.h"

/* "pmin=1&st=2" as separate queries, as CoAP has them. */
static int apply(struct attributes *a, const char *text, unsigned depth)
{
	struct span queries[16];
	unsigned n = 0;

	for (const char *p = text; *text; p++) {
		const char *stop = strchrnul(p, '&');

		ck_assert_uint_lt(n, ARRAY_SIZE(queries));
		queries[n++] = span_of(p, stop - p);
		p = stop;
		if (!*p)
			break;
	}
	return attributes_apply(a, queries, n, depth);
}

static int put_one(void *userdata, const char *name, const char *value)
{
	struct buf *out = userdata;

	return buf_printf(out, "%s%s=%s", out->size > 0 ? "&" : "", name, value);
}

static const char *text_of(const struct attributes *a)
{
	_cleanup_buf_ struct buf out = { 0 };
	static char text[512];

	ck_assert_int_eq(attributes_each(a, put_one, &out), 0);
	snprintf(text, sizeof(text), "%.*s", (int)out.size, (const char *)out.data ?: "");
	return text;
}

#define ZEROS "00000000000000000000000000000000000000000"

static const struct {
	unsigned depth;
	const char *before, *query;
	int error;
	const char *after;
} rows[] = {
	{ 3, "", "", 0, "" },
	{ 1, "", "pmin=10", 0, "pmin=10" },
	{ 2, "", "pmin=10&pmax=60", 0, "pmin=10&pmax=60" },
	{ 4, "", "pmax=60", 0, "pmax=60" },
	{ 3, "", "pmax=0", 0, "pmax=0" },
	{ 3, "", "pmin=4294967295", 0, "pmin=4294967295" },
	{ 3, "", "gt=45&lt=-2.5&st=0.1", 0, "gt=45&lt=-2.5&st=0.1" },
	{ 4, "", "gt=+45", 0, "gt=45" },
	/* What is not named stays, what has no value is unset. */
	{ 3, "pmin=1&pmax=9", "pmin=2", 0, "pmin=2&pmax=9" },
	{ 3, "pmin=1&pmax=9", "pmin", 0, "pmax=9" },
	{ 3, "pmin=1&pmax=9", "pmin=", 0, "pmax=9" },
	{ 3, "pmin=1", "pmin&pmax", 0, "" },
	{ 3, "", "st", 0, "" },
	{ 3, "gt=5&lt=1", "gt", 0, "lt=1" },
	/* pmin over pmax is legal: pmax is then ignored. */
	{ 3, "", "pmin=60&pmax=10", 0, "pmin=60&pmax=10" },
	/* Of 1.1 and 1.2. */
	{ 1, "", "epmin=1&epmax=2&con=1&hqmax=10", 0, "epmin=1&epmax=2&con=1&hqmax=10" },
	{ 2, "", "epmin=1&epmax=2&con=0&hqmax=0", 0, "epmin=1&epmax=2&con=0&hqmax=0" },
	{ 4, "", "edge=1&hqmax=4294967295", 0, "edge=1&hqmax=4294967295" },
	{ 3, "edge=1&con=1", "edge=0&con", 0, "edge=0" },
	{ 3, "epmin=5&epmax=60", "epmin", 0, "epmax=60" },
	{ 3, "", "epmin=5&pmax=1", 0, "pmax=1&epmin=5" },
	{ 3, "", "epmin=5&epmax=5", -EINVAL, "" },
	{ 3, "", "epmin=6&epmax=5", -EINVAL, "" },
	{ 3, "epmax=5", "epmin=9", -EINVAL, "epmax=5" },
	{ 3, "epmax=5", "epmin=9&epmax", 0, "epmin=9" },
	{ 3, "", "edge=2", -EINVAL, "" },
	{ 3, "", "con=2", -EINVAL, "" },
	{ 3, "", "con=true", -EINVAL, "" },
	{ 3, "", "hqmax=-1", -EINVAL, "" },
	{ 3, "", "epmin=1.5", -EINVAL, "" },
	{ 2, "", "edge=1", -EINVAL, "" },
	{ 1, "", "edge", -EINVAL, "" },
	/* Those of numbers need a resource. */
	{ 1, "", "gt=1", -EINVAL, "" },
	{ 2, "", "lt=1", -EINVAL, "" },
	{ 2, "pmin=1", "pmin=2&st=1", -EINVAL, "pmin=1" },
	{ 2, "", "gt", -EINVAL, "" },
	/* Names and numbers. */
	{ 3, "pmin=1", "pmin=2&pmix=3", -EINVAL, "pmin=1" },
	{ 3, "", "PMIN=1", -EINVAL, "" },
	{ 3, "", "pmi=1", -EINVAL, "" },
	{ 3, "", "=1", -EINVAL, "" },
	{ 3, "", "pmin=-1", -EINVAL, "" },
	{ 3, "", "pmin=1.5", -EINVAL, "" },
	{ 3, "", "pmin=4294967296", -EINVAL, "" },
	{ 3, "", "pmin=99999999999999999999", -EINVAL, "" },
	{ 3, "", "pmin=0x10", -EINVAL, "" },
	{ 3, "", "pmin= 1", -EINVAL, "" },
	{ 3, "", "pmin=1=1", -EINVAL, "" },
	{ 3, "", "gt=x", -EINVAL, "" },
	{ 3, "", "gt=nan", -EINVAL, "" },
	{ 3, "", "lt=inf", -EINVAL, "" },
	{ 3, "", "gt=0x1p3", -EINVAL, "" },
	{ 3, "", "gt=1e999", -EINVAL, "" },
	{ 3, "", "st=" ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS "1", -EINVAL, "" },
	/* lt < gt, lt + 2 st < gt, st > 0, of the set that results. */
	{ 3, "", "gt=5&lt=5", -EINVAL, "" },
	{ 3, "", "gt=5&lt=6", -EINVAL, "" },
	{ 3, "", "gt=5&lt=4", 0, "gt=5&lt=4" },
	{ 3, "", "gt=30&lt=10&st=10", -EINVAL, "" },
	{ 3, "", "gt=30&lt=10&st=9.9", 0, "gt=30&lt=10&st=9.9" },
	{ 3, "", "st=0", -EINVAL, "" },
	{ 3, "", "st=-1", -EINVAL, "" },
	{ 3, "gt=30&lt=10", "st=10", -EINVAL, "gt=30&lt=10" },
	{ 3, "gt=30&st=10", "lt=20", -EINVAL, "gt=30&st=10" },
	{ 3, "gt=30&lt=10", "lt=40", -EINVAL, "gt=30&lt=10" },
	{ 3, "gt=30&lt=10", "lt=40&gt=50", 0, "gt=50&lt=40" },
	{ 3, "gt=30&lt=10", "lt=40&gt", 0, "lt=40" },
};

START_TEST(applies_all_or_nothing)
{
	struct attributes a = { 0 };

	ck_assert_int_eq(apply(&a, rows[_i].before, PATH_RESOURCE), 0);
	ck_assert_msg(apply(&a, rows[_i].query, rows[_i].depth) == rows[_i].error, "%s",
		      rows[_i].query);
	ck_assert_str_eq(text_of(&a), rows[_i].after);
}
END_TEST

START_TEST(takes_no_hidden_bytes)
{
	struct span query = span_of("pmin=1\0002", 8);
	struct attributes a = { 0 };

	ck_assert_int_eq(attributes_apply(&a, &query, 1, PATH_RESOURCE), -EINVAL);
	/* Nor one at the end. */
	query.n--;
	ck_assert_int_eq(attributes_apply(&a, &query, 1, PATH_RESOURCE), -EINVAL);
}
END_TEST

static int stop_at_once(void *userdata, const char *name, const char *value)
{
	++*(int *)userdata;
	return 5;
}

START_TEST(stops_when_told)
{
	struct attributes a = { 0 };
	int calls = 0;

	ck_assert_int_eq(apply(&a, "pmin=1&pmax=2", 3), 0);
	ck_assert_int_eq(attributes_each(&a, stop_at_once, &calls), 5);
	ck_assert_int_eq(calls, 1);
}
END_TEST

static const struct {
	const char *a, *b, *all;
} unions[] = {
	{ "", "", "" },
	{ "pmin=5", "", "pmin=5" },
	{ "pmin=5&pmax=60", "pmin=9&pmax=30", "pmin=9&pmax=30" },
	{ "pmax=0", "pmax=30", "pmax=30" },
	{ "pmax=30", "pmax=0", "pmax=30" },
	{ "pmin=10&pmax=5", "pmax=60", "pmin=10&pmax=60" },
	{ "pmax=60", "pmin=10&pmax=9", "pmin=10&pmax=60" },
	{ "pmin=10&pmax=10", "pmax=60", "pmin=10&pmax=10" },
	{ "epmin=1&epmax=9", "epmin=2&epmax=3", "epmin=2&epmax=3" },
	{ "con=0&hqmax=5", "con=1&hqmax=3", "con=1&hqmax=5" },
	{ "gt=5&lt=1&st=1", "edge=1&gt=1", "" },
};

START_TEST(unites)
{
	struct attributes all = { 0 }, a = { 0 }, b = { 0 };

	ck_assert_int_eq(apply(&a, unions[_i].a, PATH_RESOURCE), 0);
	ck_assert_int_eq(apply(&b, unions[_i].b, PATH_RESOURCE), 0);
	attributes_unite(&all, &a);
	attributes_unite(&all, &b);
	ck_assert_str_eq(text_of(&all), unions[_i].all);
}
END_TEST

/* ---- sets ---- */

static struct attribute_set *set;

static void setup(void)
{
	ck_assert_int_eq(attribute_set_new(&set), 0);
}

static void teardown(void)
{
	set = attribute_set_free(set);
}

static struct path path_of(const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	return path;
}

static int put(const char *where, const char *text)
{
	struct path path = path_of(where);
	struct attributes a = { 0 };

	ck_assert_int_eq(apply(&a, text, path.depth), 0);
	return attribute_set_put(set, &path, &a);
}

static const struct {
	const char *path, *effective;
} inherited[] = {
	{ "/3303", "pmin=1&pmax=100" },
	{ "/3303/0", "pmin=2&pmax=100" },
	{ "/3303/0/5700", "pmin=2&pmax=300&gt=5" },
	{ "/3303/0/5700/0", "pmin=2&pmax=300&gt=5&st=1" },
	{ "/3303/0/5701", "pmin=2&pmax=100" },
	{ "/3303/1/5700", "pmin=1&pmax=100" },
	{ "/3304/0/5700", "" },
	{ "/", "" },
};

START_TEST(lower_levels_override)
{
	struct path path = path_of(inherited[_i].path);
	struct attributes a;

	ck_assert_int_eq(put("/3303", "pmin=1&pmax=100"), 0);
	ck_assert_int_eq(put("/3303/0", "pmin=2"), 0);
	ck_assert_int_eq(put("/3303/0/5700", "pmax=300&gt=5"), 0);
	ck_assert_int_eq(put("/3303/0/5700/0", "st=1"), 0);
	a = attribute_set_effective(set, &path);
	ck_assert_str_eq(text_of(&a), inherited[_i].effective);
}
END_TEST

START_TEST(keeps_what_is_attached_at_a_path)
{
	struct path path = path_of("/3/0"), other = path_of("/3/0/1");

	ck_assert_ptr_null(attribute_set_find(set, &path));
	ck_assert_int_eq(put("/3/0", "pmin=1"), 0);
	ck_assert_int_eq(put("/3", "pmax=1"), 0);
	ck_assert_str_eq(text_of(attribute_set_find(set, &path)), "pmin=1");
	ck_assert_ptr_null(attribute_set_find(set, &other));
	ck_assert_int_eq(put("/3/0", "pmin=2"), 0);
	ck_assert_str_eq(text_of(attribute_set_find(set, &path)), "pmin=2");
	/* Nothing present removes. */
	ck_assert_int_eq(put("/3/0", ""), 0);
	ck_assert_ptr_null(attribute_set_find(set, &path));
	ck_assert_int_eq(put("/3/0/1", ""), 0);
	ck_assert_ptr_null(attribute_set_find(set, &other));
}
END_TEST

START_TEST(knows_what_confirms_below)
{
	struct path object = path_of("/3303"), instance = path_of("/3303/0"), other = path_of("/3303/1"),
		    resource = path_of("/3303/0/5700");

	ck_assert_int_eq(put("/3303/0/5700", "con=1"), 0);
	ck_assert_int_eq(put("/3303/1/5700", "con=0"), 0);
	ck_assert(attribute_set_confirms_below(set, &object));
	ck_assert(attribute_set_confirms_below(set, &instance));
	ck_assert(!attribute_set_confirms_below(set, &other));
	/* What is at the path itself is in force there anyway. */
	ck_assert(!attribute_set_confirms_below(set, &resource));
}
END_TEST

START_TEST(goes_with_its_path)
{
	struct path instance = path_of("/3/0"), object = path_of("/3"),
		    resource = path_of("/3/0/1");

	ck_assert_int_eq(put("/3", "pmin=1"), 0);
	ck_assert_int_eq(put("/3/0/1", "pmin=1"), 0);
	ck_assert_int_eq(put("/3/0/11/0", "pmin=1"), 0);
	ck_assert_int_eq(put("/3/1", "pmin=1"), 0);
	ck_assert(attribute_set_remove(set, &instance));
	ck_assert(!attribute_set_remove(set, &instance));
	ck_assert_ptr_null(attribute_set_find(set, &resource));
	ck_assert_ptr_nonnull(attribute_set_find(set, &object));
	ck_assert(attribute_set_remove(set, &object));
	ck_assert_ptr_null(attribute_set_find(set, &object));
}
END_TEST

START_TEST(is_bounded)
{
	struct attributes a = { .present = ATTRIBUTE_PMIN, .pmin_s = 1 }, none = { 0 };
	struct path path;

	for (unsigned i = 0; i < ATTRIBUTE_PATHS_MAX; i++) {
		path = path_of_object(i);
		ck_assert_int_eq(attribute_set_put(set, &path, &a), 0);
	}
	path = path_of_object(5000);
	ck_assert_int_eq(attribute_set_put(set, &path, &a), -ENOSPC);
	ck_assert_ptr_null(attribute_set_find(set, &path));
	path = path_of_object(7);
	ck_assert_int_eq(attribute_set_put(set, &path, &a), 0);
	ck_assert_int_eq(attribute_set_put(set, &path, &none), 0);
	path = path_of_object(5000);
	ck_assert_int_eq(attribute_set_put(set, &path, &a), 0);
}
END_TEST

/* ---- as text ---- */

static const char *formatted(void)
{
	_cleanup_buf_ struct buf out = { 0 };
	static char text[1024];

	ck_assert_int_eq(attribute_set_format(set, &out), 0);
	snprintf(text, sizeof(text), "%.*s", (int)out.size, (const char *)out.data ?: "");
	return text;
}

static int parse(const char *text)
{
	return attribute_set_parse(set, span_of(text, strlen(text)));
}

START_TEST(large_numbers_survive_as_text)
{
	const struct path path = path_of_resource(3303, 0, 5700);
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(parse("/3303/0/5700 gt=1e222&lt=-1.5e-300"), 0);
	text = strdup(formatted());
	ck_assert_int_eq(parse("/3303/0/5700 gt=1&lt=0"), 0);
	ck_assert_int_eq(parse(text), 0);
	ck_assert_double_eq(attribute_set_find(set, &path)->gt, 1e222);
	ck_assert_double_eq(attribute_set_find(set, &path)->lt, -1.5e-300);
}
END_TEST

START_TEST(survives_as_text)
{
	static const char lines[] =
		"/3 pmin=1&pmax=4294967295\n/3303/0/5700 gt=85.5&lt=-20&st=0.1\n"
		"/3306/0/5850 epmin=1&epmax=9&edge=0&con=1&hqmax=3\n";

	ck_assert_str_eq(formatted(), "");
	ck_assert_int_eq(parse(lines), 0);
	ck_assert_str_eq(formatted(), lines);
	ck_assert_int_eq(parse(""), 0);
	ck_assert_int_eq(parse("/3 pmin=2"), 0);
	ck_assert_str_eq(formatted(),
			 "/3 pmin=2\n/3303/0/5700 gt=85.5&lt=-20&st=0.1\n"
			 "/3306/0/5850 epmin=1&epmax=9&edge=0&con=1&hqmax=3\n");
}
END_TEST

START_TEST(passes_over_what_it_cannot_read)
{
	ck_assert_int_eq(parse("\n"
			       "/3\n"
			       "3x pmin=1\n"
			       "/3/0 pmin=x\n"
			       "/3/0 st=1\n"
			       "/3/0/1 gt=1&lt=2\n"
			       "/3/0/2 edge=7\n"
			       "/3/0/3 \n"
			       "/3/0/4 pmin=1&\n"
			       "/3/0/9 pmin=5\n"
			       "\x01\x02"),
			 0);
	ck_assert_str_eq(formatted(), "/3/0/4 pmin=1\n/3/0/9 pmin=5\n");
}
END_TEST

START_TEST(says_when_text_has_too_many_paths)
{
	_cleanup_buf_ struct buf text = { 0 };

	for (unsigned i = 0; i <= ATTRIBUTE_PATHS_MAX; i++)
		ck_assert_int_eq(buf_printf(&text, "/%u pmin=1\n", i), 0);
	ck_assert_int_eq(attribute_set_parse(set, span_of(text.data, text.size)), -ENOSPC);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attributes");
	TCase *tcase = tcase_create("attributes");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, applies_all_or_nothing, 0, ARRAY_SIZE(rows));
	tcase_add_test(tcase, takes_no_hidden_bytes);
	tcase_add_test(tcase, stops_when_told);
	tcase_add_loop_test(tcase, unites, 0, ARRAY_SIZE(unions));
	tcase_add_loop_test(tcase, lower_levels_override, 0, ARRAY_SIZE(inherited));
	tcase_add_test(tcase, keeps_what_is_attached_at_a_path);
	tcase_add_test(tcase, knows_what_confirms_below);
	tcase_add_test(tcase, goes_with_its_path);
	tcase_add_test(tcase, is_bounded);
	tcase_add_test(tcase, survives_as_text);
	tcase_add_test(tcase, large_numbers_survive_as_text);
	tcase_add_test(tcase, passes_over_what_it_cannot_read);
	tcase_add_test(tcase, says_when_text_has_too_many_paths);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
