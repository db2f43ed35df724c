/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/yaml.h"

static struct yaml_file *file;
static struct yaml_errors errors;

static void setup(void)
{
	file = NULL;
	errors = (struct yaml_errors){ 0 };
}

static void teardown(void)
{
	file = yaml_file_free(file);
	yaml_errors_done(&errors);
}

static const char *error_text(void)
{
	if (buf_append_byte(&errors.text, 0) < 0)
		return "";
	errors.text.size--;
	return (const char *)errors.text.data;
}

static void read_ok(const char *text)
{
	int r = yaml_read_text("f", text, strlen(text), &errors, &file);

	ck_assert_msg(r == 0, "%d: %s", r, error_text());
	ck_assert_uint_eq(errors.n, 0);
}

static void read_refused(const char *text, size_t size, const char *message)
{
	struct yaml_file *untouched = (struct yaml_file *)&errors;

	ck_assert_int_eq(yaml_read_text("f", text, size, &errors, &untouched), -EINVAL);
	ck_assert_ptr_eq(untouched, &errors);
	ck_assert_uint_ge(errors.n, 1);
	ck_assert_msg(strstr(error_text(), message), "\"%s\" is not in \"%s\"", message,
		      error_text());
}

START_TEST(test_tree)
{
	const struct yaml_node *top, *list;

	read_ok("name: gw7\nlist: [1, \"2\", three]\nempty:\n");
	ck_assert_uint_eq(file->n, 1);
	top = file->documents[0];
	ck_assert_int_eq(top->kind, YAML_KIND_MAPPING);
	ck_assert_uint_eq(top->n, 3);
	ck_assert_str_eq(top->keys[0]->text, "name");
	ck_assert_str_eq(yaml_get(top, "name")->text, "gw7");
	ck_assert(!yaml_get(top, "name")->quoted);
	ck_assert_ptr_null(yaml_get(top, "Name"));
	list = yaml_get(top, "list");
	ck_assert_int_eq(list->kind, YAML_KIND_SEQUENCE);
	ck_assert_uint_eq(list->n, 3);
	ck_assert(list->items[1]->quoted);
	ck_assert_ptr_null(list->keys);
	ck_assert_ptr_null(yaml_get(list, "1"));
	ck_assert_str_eq(yaml_get(top, "empty")->text, "");
}
END_TEST

START_TEST(test_marks)
{
	const struct yaml_node *top;

	read_ok("a: 1\n\"\xc3\xa4\xe2\x82\xac\": x\nlist:\n  - y\n  - {k: v}\n");
	top = file->documents[0];
	ck_assert_uint_eq(top->mark.line, 1);
	ck_assert_uint_eq(top->mark.column, 1);
	ck_assert_str_eq(top->mark.file, "f");
	ck_assert_uint_eq(top->items[0]->mark.column, 4);
	/* Columns count characters, not bytes. */
	ck_assert_uint_eq(top->items[1]->mark.line, 2);
	ck_assert_uint_eq(top->items[1]->mark.column, 7);
	ck_assert_uint_eq(top->items[2]->items[1]->mark.line, 5);
	ck_assert_uint_eq(top->items[2]->items[1]->mark.column, 5);
	ck_assert_uint_eq(top->items[2]->items[1]->items[0]->mark.column, 9);
}
END_TEST

static void ends_at(const struct yaml_node *node, unsigned line, unsigned column, bool flow)
{
	ck_assert_uint_eq(node->end.line, line);
	ck_assert_uint_eq(node->end.column, column);
	ck_assert(node->flow == flow);
}

START_TEST(test_ends)
{
	const struct yaml_node *top, *list;

	read_ok("a: \"\u00fc\" # text\nlist:\n  - {x: [1, 2] }   # row\n\n  - b: plain text  \n    c: 'q'\n\n# end\n");
	top = file->documents[0];
	ends_at(top->items[0], 1, 7, false);
	list = top->items[1];
	ends_at(list->items[0], 3, 17, true);
	ends_at(list->items[0]->items[0], 3, 15, true);
	ends_at(list->items[1]->items[0], 5, 18, false);
	ends_at(list->items[1], 6, 11, false);
	ends_at(list, 6, 11, false);
	ends_at(top, 6, 11, false);
}
END_TEST

START_TEST(test_documents)
{
	read_ok("a: 1\n---\nb: 2\n---\n- 3\n");
	ck_assert_uint_eq(file->n, 3);
	ck_assert_str_eq(yaml_get(file->documents[1], "b")->text, "2");
	ck_assert_uint_eq(file->documents[1]->mark.line, 3);
	ck_assert_int_eq(file->documents[2]->kind, YAML_KIND_SEQUENCE);
}
END_TEST

START_TEST(test_nothing)
{
	read_ok("");
	ck_assert_uint_eq(file->n, 0);
	file = yaml_file_free(file);
	read_ok("# only a comment\n\n");
	ck_assert_uint_eq(file->n, 0);
	file = yaml_file_free(file);
	ck_assert_int_eq(yaml_read_text("f", NULL, 0, &errors, &file), 0);
	ck_assert_ptr_null(yaml_file_free(NULL));
}
END_TEST

START_TEST(test_aliases)
{
	const struct yaml_node *top;

	read_ok("a: &x {k: v}\nb: *x\nc: &x 1\nd: *x\n");
	top = file->documents[0];
	ck_assert_ptr_eq(yaml_get(top, "a"), yaml_get(top, "b"));
	ck_assert_str_eq(yaml_get(top, "d")->text, "1");
}
END_TEST

START_TEST(test_byte_order_mark)
{
	read_ok("\xef\xbb\xbf"
		"a: 1\n");
	ck_assert_uint_eq(file->documents[0]->mark.column, 1);
}
END_TEST

static const struct {
	const char *text, *message;
} refused[] = {
	{ "a: 1\nb: 2\n  a: 3\n",
	  "f:3:4: mapping values are not allowed in this context: is it indented as its neighbours" },
	{ "a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key \"a\", also in line 1" },
	{ "x: {b: 1, c: 2, b: 3}\n", "f:1:17: duplicate key \"b\", also in line 1" },
	{ "a: 1\n\"a\": 3\n", "f:2:1: duplicate key \"a\"" },
	{ "? [1, 2]\n: x\n", "f:1:3: a key must be a scalar" },
	{ "a: [1, 2\n", "f:2:1: while parsing a flow sequence from line 1, did not find expected ',' or "
			"']': a comma, a ] or a quote is missing before it" },
	{ "a: {b: 1, c: 2\nd: 3\n", "f:2:2: while parsing a flow mapping from line 1, did not find expected "
				   "',' or '}': a comma, a } or a quote is missing before it" },
	{ "a: \"^\\d\"\n", "f:1:6: while parsing a quoted scalar, found unknown escape character: a text "
			  "with \\ is written in single quotes" },
	{ "a: 1\nb:2\nc: 3\n", "f:2:1: while scanning a simple key, could not find expected ':': "
			       "\": \" between key and value is missing" },
	{ "a:\n  - 1\n  b: 2\n", "f:3:3: while parsing a block collection from line 2, did not find "
			       "expected '-' indicator: not indented as the list it stands in" },
	{ "a:\n  b: 1\n c: 2\n", "f:3:2: while parsing a block mapping from line 1, did not find "
				"expected key: not indented as its neighbours" },
	{ "a: 1\nb: \"x\n", "f:2:4: while scanning a quoted scalar, found unexpected end of stream: "
			    "a quote is not closed" },
	{ "a: *nowhere\n", "f:1:4: unknown anchor *nowhere" },
	{ "a: &x [1]\n---\nb: *x\n", "f:3:4: unknown anchor *x" },
	{ "a: &x [1, *x]\n", "f:1:11: an alias inside its own anchor: *x" },
	{ "a: \"x\\0y\"\n", "f:1:4: a NUL inside a string" },
	{ "a: \"\xc3\xa4\" \xff\n", "f:1:8: not valid UTF-8" },
	{ "ok: 1\na: \x01\n", "f:2:4: control characters are not allowed" },
	{ "a: !!python/object 1\n", "f:1:4: unknown tag tag:yaml.org,2002:python/object" },
	{ "a: !!float 1\n", "f:1:4: unknown tag" },
	{ "a:\n\tb: 1\n", "f:2:1: while scanning for the next token, found character that cannot "
			 "start any token: a tab; lines are indented by spaces" },
	{ "\xc3\xa4: \xc3\xa4\nb: %x\n", "f:2:4: while scanning for the next token, found character that "
				       "cannot start any token: text that begins with it is written "
				       "in quotes" },
};

START_TEST(test_refused)
{
	read_refused(refused[_i].text, strlen(refused[_i].text), refused[_i].message);
}
END_TEST

START_TEST(test_nul_byte)
{
	static const char text[] = "a: 1\nb\0: 2\n";

	read_refused(text, sizeof(text) - 1, "f:2:2: a NUL byte");
}
END_TEST

START_TEST(test_every_duplicate_is_reported)
{
	read_refused("a: 1\na: 2\na: 3\nb: {c: 1, c: 2}\n", 31, "f:4:11: duplicate key \"c\"");
	ck_assert_uint_eq(errors.n, 3);
	ck_assert_ptr_nonnull(strstr(error_text(), "f:2:1: duplicate key \"a\""));
	ck_assert_ptr_nonnull(strstr(error_text(), "f:3:1: duplicate key \"a\""));
}
END_TEST

static char *nested(unsigned depth)
{
	char *text = malloc(2 * depth + 1);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	text[2 * depth] = '\0';
	return text;
}

START_TEST(test_depth)
{
	_cleanup_free_ char *deepest = nested(YAML_DEPTH_MAX - 1);
	_cleanup_free_ char *deeper = nested(YAML_DEPTH_MAX);
	_cleanup_free_ char *absurd = nested(100000);

	/* The innermost could hold a scalar at the last level. */
	read_ok(deepest);
	read_refused(deeper, strlen(deeper), "nested too deeply");
	read_refused(absurd, strlen(absurd), "nested too deeply");
}
END_TEST

START_TEST(test_depth_by_aliases)
{
	struct buf b = { 0 };

	buf_append_text(&b, "a0: &a0 [x]\n");
	for (unsigned i = 1; i < 30; i++)
		buf_printf(&b, "a%u: &a%u [*a%u]\n", i, i, i - 1);
	read_refused((char *)b.data, b.size, "nested too deeply, by *a");
	buf_done(&b);
}
END_TEST

START_TEST(test_alias_bomb)
{
	struct buf b = { 0 };

	buf_append_text(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (unsigned i = 1; i < 10; i++) {
		buf_printf(&b, "a%u: &a%u [*a%u", i, i, i - 1);
		for (unsigned k = 0; k < 8; k++)
			buf_printf(&b, ",*a%u", i - 1);
		buf_append_text(&b, "]\n");
	}
	read_refused((char *)b.data, b.size, "too many nodes, by *a");
	buf_done(&b);
}
END_TEST

START_TEST(test_too_many_nodes)
{
	struct buf b = { 0 };

	buf_append_byte(&b, '[');
	for (unsigned i = 0; i < YAML_NODES_MAX; i++)
		buf_append_text(&b, "1,");
	buf_append_byte(&b, ']');
	read_refused((char *)b.data, b.size, "too many nodes");
	buf_done(&b);
}
END_TEST

START_TEST(test_too_many_anchors)
{
	struct buf b = { 0 };

	for (unsigned i = 0; i <= YAML_ANCHORS_MAX; i++)
		buf_printf(&b, "- &a%u x\n", i);
	read_refused((char *)b.data, b.size, "f:1001:3: too many anchors");
	buf_done(&b);
}
END_TEST

START_TEST(test_too_large)
{
	char *text = calloc(1, YAML_BYTES_MAX + 1);

	memset(text, ' ', YAML_BYTES_MAX + 1);
	read_refused(text, YAML_BYTES_MAX + 1, "f:1:1: larger than");
	free(text);
}
END_TEST

START_TEST(test_many_keys)
{
	struct buf b = { 0 };

	for (unsigned i = 0; i < 50000; i++)
		buf_printf(&b, "k%u: 1\n", i);
	buf_append_text(&b, "k77: 1\n");
	read_refused((char *)b.data, b.size, "f:50001:1: duplicate key \"k77\", also in line 78");
	buf_done(&b);
}
END_TEST

START_TEST(test_errors_are_bounded)
{
	for (unsigned i = 0; i < 2 * YAML_ERRORS_MAX; i++)
		yaml_error(&errors, (struct yaml_mark){ "f", i, 1 }, "no");
	ck_assert_uint_eq(errors.n, 2 * YAML_ERRORS_MAX);
	ck_assert_uint_lt(errors.text.size, YAML_ERRORS_MAX * 16);
	yaml_error(NULL, (struct yaml_mark){ "f", 1, 1 }, "nobody listens");
}
END_TEST

static const struct {
	const char *text;
	int r;
	bool value;
	const char *message;
} booleans[] = {
	{ "true", 0, true, "" },
	{ "false", 0, false, "" },
	{ "yes", -EINVAL, false, "f:1:1: \"yes\" is no boolean here, write true\n" },
	{ "Off", -EINVAL, false, "f:1:1: \"Off\" is no boolean here, write false\n" },
	{ "no", -EINVAL, false, "write false" },
	{ "ON", -EINVAL, false, "write true" },
	{ "TRUE", -EINVAL, false, "write true" },
	{ "\"true\"", -EINVAL, false, "expected true or false, found the string \"true\"" },
	{ "1", -EINVAL, false, "expected true or false, found 1" },
	{ "[]", -EINVAL, false, "found a sequence" },
	{ "{}", -EINVAL, false, "found a mapping" },
	{ "---", -EINVAL, false, "found nothing" },
};

static void join(void *userdata, const char *line, size_t size)
{
	ck_assert_int_eq(buf_append(userdata, line, size), 0);
	ck_assert_int_eq(buf_append_byte(userdata, '|'), 0);
}

START_TEST(test_errors_line_by_line)
{
	const struct yaml_mark mark = { .file = "a", .line = 1, .column = 2 };
	struct buf lines = { 0 };

	yaml_errors_each(&errors, join, &lines);
	ck_assert_uint_eq(lines.size, 0);
	yaml_error(&errors, mark, "one");
	yaml_error(&errors, mark, "two");
	yaml_errors_each(&errors, join, &lines);
	ck_assert_uint_eq(lines.size, strlen("a:1:2: one|a:1:2: two|"));
	ck_assert_mem_eq(lines.data, "a:1:2: one|a:1:2: two|", lines.size);
	buf_done(&lines);
}
END_TEST

START_TEST(test_booleans)
{
	bool value = !booleans[_i].value;

	read_ok(booleans[_i].text);
	ck_assert_int_eq(yaml_to_bool(file->documents[0], &value, &errors), booleans[_i].r);
	if (booleans[_i].r == 0)
		ck_assert_int_eq(value, booleans[_i].value);
	ck_assert_int_eq(errors.n, booleans[_i].r == 0 ? 0 : 1);
	ck_assert_ptr_nonnull(strstr(error_text(), booleans[_i].message));
}
END_TEST

START_TEST(test_integers)
{
	const struct yaml_node *n;
	long long value = 0;

	read_ok("[5, 0x70, -3, \"5\", 5.5, 99999999999999999999, x, 010]");
	n = file->documents[0];
	ck_assert_int_eq(yaml_to_i64(n->items[0], &value, &errors), 0);
	ck_assert_int_eq(value, 5);
	ck_assert_int_eq(yaml_to_i64(n->items[1], &value, &errors), 0);
	ck_assert_int_eq(value, 0x70);
	ck_assert_int_eq(yaml_to_i64(n->items[2], &value, &errors), 0);
	ck_assert_int_eq(value, -3);
	ck_assert_uint_eq(errors.n, 0);
	for (size_t i = 3; i < 7; i++)
		ck_assert_int_eq(yaml_to_i64(n->items[i], &value, &errors), -EINVAL);
	ck_assert_uint_eq(errors.n, 4);
	ck_assert_ptr_nonnull(
		strstr(error_text(), "f:1:15: expected an integer, found the string"));
	ck_assert_ptr_nonnull(strstr(error_text(), "does not fit into 64 bits"));
	/* No octal numbers: YAML 1.1 would say 8. */
	ck_assert_int_eq(yaml_to_i64(n->items[7], &value, NULL), 0);
	ck_assert_int_eq(value, 10);
}
END_TEST

START_TEST(test_doubles_and_durations)
{
	unsigned long long usec = 0;
	const struct yaml_node *n;
	double value = 0;

	read_ok("[0.1, 0x10, 1e400, .nan, 5s, 5, \"5s\"]");
	n = file->documents[0];
	ck_assert_int_eq(yaml_to_double(n->items[0], &value, &errors), 0);
	ck_assert_double_eq(value, 0.1);
	ck_assert_int_eq(yaml_to_double(n->items[1], &value, &errors), 0);
	ck_assert_double_eq(value, 16);
	ck_assert_int_eq(yaml_to_double(n->items[2], &value, &errors), -EINVAL);
	ck_assert_int_eq(yaml_to_double(n->items[3], &value, &errors), -EINVAL);
	ck_assert_int_eq(yaml_to_usec(n->items[4], &usec, &errors), 0);
	ck_assert_uint_eq(usec, 5000000);
	ck_assert_int_eq(yaml_to_usec(n->items[5], &usec, &errors), -EINVAL);
	ck_assert_int_eq(yaml_to_usec(n->items[6], &usec, &errors), -EINVAL);
	ck_assert_uint_eq(errors.n, 4);
	ck_assert_ptr_nonnull(strstr(error_text(), "f:1:30: expected a duration such as"));
}
END_TEST

START_TEST(test_file)
{
	char path[] = "/tmp/fieldway-yaml-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "a: 1\n", 5), 5);
	close(fd);
	ck_assert_int_eq(yaml_read_file(path, &errors, &file), 0);
	ck_assert_str_eq(file->documents[0]->mark.file, path);
	unlink(path);
	ck_assert_int_eq(yaml_read_file(path, &errors, &file), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error_text(), ":1:1: cannot be read: No such file"));
	ck_assert_int_eq(yaml_read_file("/", &errors, &file), -EISDIR);
	ck_assert_uint_eq(errors.n, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("yaml");
	TCase *tcase = tcase_create("yaml");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_tree);
	tcase_add_test(tcase, test_marks);
	tcase_add_test(tcase, test_ends);
	tcase_add_test(tcase, test_documents);
	tcase_add_test(tcase, test_nothing);
	tcase_add_test(tcase, test_aliases);
	tcase_add_test(tcase, test_byte_order_mark);
	tcase_add_loop_test(tcase, test_refused, 0, ARRAY_SIZE(refused));
	tcase_add_test(tcase, test_nul_byte);
	tcase_add_test(tcase, test_every_duplicate_is_reported);
	tcase_add_test(tcase, test_depth);
	tcase_add_test(tcase, test_depth_by_aliases);
	tcase_add_test(tcase, test_alias_bomb);
	tcase_add_test(tcase, test_too_many_nodes);
	tcase_add_test(tcase, test_too_many_anchors);
	tcase_add_test(tcase, test_too_large);
	tcase_add_test(tcase, test_many_keys);
	tcase_add_test(tcase, test_errors_are_bounded);
	tcase_add_test(tcase, test_errors_line_by_line);
	tcase_add_loop_test(tcase, test_booleans, 0, ARRAY_SIZE(booleans));
	tcase_add_test(tcase, test_integers);
	tcase_add_test(tcase, test_doubles_and_durations);
	tcase_add_test(tcase, test_file);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
