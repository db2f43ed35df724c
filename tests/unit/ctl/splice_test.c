/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/yaml.h"
#include "ctl/files/splice.h"

static struct yaml_file *yaml;

static const struct yaml_node *read_text(const char *text)
{
	struct yaml_errors errors = { 0 };

	ck_assert_int_eq(yaml_read_text("f", text, strlen(text), &errors, &yaml), 0);
	return yaml->documents[0];
}

static void teardown(void)
{
	yaml = yaml_file_free(yaml);
}

static void gives(int r, char *text, int wanted_r, const char *wanted)
{
	ck_assert_int_eq(r, wanted_r);
	if (r < 0)
		return;
	ck_assert_str_eq(text, wanted);
	free(text);
}

/* The first value becomes X. */
static const struct {
	const char *text, *after;
} values[] = {
	{ "a: old # why\nb: 1\n", "a: X # why\nb: 1\n" },
	{ "{a: \"o, }\\\"ld\", b: 1}", "{a: X, b: 1}" },
	{ "a: 'it''s'\r\nb: 1\r\n", "a: X\r\nb: 1\r\n" },
	{ "\xef\xbb\xbf\xc3\xbc: \xc3\xbc\xc3\xbc # \xc3\xbc\n", "\xef\xbb\xbf\xc3\xbc: X # \xc3\xbc\n" },
	{ "a:\n    long\n    text\nb: 1\n", "a:\n    X\nb: 1\n" },
	{ "a: {b: c}\n", NULL },
};

START_TEST(replaces_scalars)
{
	const struct yaml_node *top = read_text(values[_i].text);
	char *text = NULL;
	int r = splice_replace(values[_i].text, top->items[0], "X", &text);

	gives(r, text, values[_i].after ? 0 : -ENOTSUP, values[_i].after);
}
END_TEST

/* k: v goes into the whole, or into the value of `in`. */
static const struct {
	const char *text, *after;
} maps[] = {
	{ "a: 1", "a: 1\nk: v" },
	{ "a: 1   # last\n\n# end\n", "a: 1   # last\nk: v\n\n# end\n" },
	{ "in: {a: 1 }   # c\n", "in: {a: 1, k: v }   # c\n" },
	{ "in: {}\n", "in: {k: v}\n" },
	{ "in:\n  a: [1,\n    2]\nb: 1\n", "in:\n  a: [1,\n    2]\n  k: v\nb: 1\n" },
	{ "in:\n  - a: 1\n", NULL },
};

START_TEST(inserts_keys)
{
	const struct yaml_node *top = read_text(maps[_i].text), *in = yaml_get(top, "in");
	char *text = NULL;
	int r = splice_insert(maps[_i].text, in ?: top, "k", "v", &text);

	gives(r, text, maps[_i].after ? 0 : -ENOTSUP, maps[_i].after);
}
END_TEST

static const struct {
	const char *text;
	size_t item;
	const char *after;
} lists[] = {
	{ "[a, b, c]", 0, "[b, c]" },
	{ "[a, b, c]", 2, "[a, b]" },
	{ "- {a: 1}   # one\n# two\n- a: 2\n  b: 3\n- c: 1\n", 0, "# two\n- a: 2\n  b: 3\n- c: 1\n" },
	{ "- {a: 1}   # one\n# two\n- a: 2\n  b: 3\n- c: 1\n", 1, "- {a: 1}   # one\n# two\n- c: 1\n" },
	{ "- {a: 1}\n- c: 1", 1, "- {a: 1}\n" },
	{ "- a", 0, NULL },
	{ "a: b", 0, NULL },
};

START_TEST(removes_items)
{
	const struct yaml_node *top = read_text(lists[_i].text);
	char *text = NULL;
	int r = splice_remove(lists[_i].text, top, lists[_i].item, &text);

	gives(r, text, lists[_i].after ? 0 : -ENOTSUP, lists[_i].after);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("splice");
	TCase *tcase = tcase_create("splice");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_loop_test(tcase, replaces_scalars, 0, ARRAY_SIZE(values));
	tcase_add_loop_test(tcase, inserts_keys, 0, ARRAY_SIZE(maps));
	tcase_add_loop_test(tcase, removes_items, 0, ARRAY_SIZE(lists));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
