/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "api/value.h"
#include "ctl/daemon/record.h"
#include "ctl/output/colour.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"

/* What is printed on standard output goes to a file meanwhile. */
static char text[4096];
static int saved;
static FILE *file;

static void catch_output(void)
{
	fflush(stdout);
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	saved = dup(STDOUT_FILENO);
	ck_assert_int_ge(dup2(fileno(file), STDOUT_FILENO), 0);
}

static const char *caught(void)
{
	size_t n;

	fflush(stdout);
	ck_assert_int_ge(dup2(saved, STDOUT_FILENO), 0);
	close(saved);
	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

START_TEST(prints_over_several_lines)
{
	int r;

	catch_output();
	r = document_print(json_pack("{s:s?, s:[iii], s:{s:b}, s:[], s:{}}", "a", NULL, "b", 1, 2, 3, "c",
				     "d\n\"\xc3\xbc", 1, "e", "f"));
	ck_assert_str_eq(caught(), "{\n"
				   "  \"a\": null,\n"
				   "  \"b\": [\n    1,\n    2,\n    3\n  ],\n"
				   "  \"c\": {\n    \"d\\n\\\"\xc3\xbc\": true\n  },\n"
				   "  \"e\": [],\n"
				   "  \"f\": {}\n"
				   "}\n");
	ck_assert_int_eq(r, 0);
}
END_TEST

START_TEST(prints_on_one_line)
{
	catch_output();
	document_print_line(json_pack("{s:[s,n], s:i}", "a", "x", "b", -5));
	ck_assert_str_eq(caught(), "{\"a\":[\"x\",null],\"b\":-5}\n");
}
END_TEST

static const struct {
	double number;
	const char *text;
} numbers[] = {
	{ 230.2, "230.2\n" },	{ 0.1 + 0.2, "0.30000000000000004\n" }, { -1.5, "-1.5\n" },
	{ INFINITY, "null\n" }, { NAN, "null\n" },
};

START_TEST(prints_numbers_as_they_came)
{
	catch_output();
	document_print(document_double(numbers[_i].number));
	ck_assert_str_eq(caught(), numbers[_i].text);
}
END_TEST

START_TEST(keeps_large_numbers)
{
	catch_output();
	document_print_line(json_pack("[o,o]", document_u64(INT64_MAX), document_u64(UINT64_MAX)));
	ck_assert_str_eq(caught(), "[9223372036854775807,\"18446744073709551615\"]\n");
}
END_TEST

static const struct {
	struct fieldway_value value;
	const char *text;
} values[] = {
	{ { .type = FIELDWAY_NONE }, "null\n" },
	{ { .type = FIELDWAY_BOOL, .boolean = true }, "true\n" },
	{ { .type = FIELDWAY_INT, .integer = -7 }, "-7\n" },
	{ { .type = FIELDWAY_UINT, .unsignd = 7 }, "7\n" },
	{ { .type = FIELDWAY_FLOAT, .real = 21.5 }, "21.5\n" },
	{ { .type = FIELDWAY_STRING, .data = "a\xff"
					     "b",
	    .size = 3 },
	  "\"ab\"\n" },
	{ { .type = FIELDWAY_BYTES, .data = "\x01\xff", .size = 2 }, "\"01ff\"\n" },
};

START_TEST(has_values_of_all_types)
{
	catch_output();
	document_print(document_value(&values[_i].value));
	ck_assert_str_eq(caught(), values[_i].text);
}
END_TEST

START_TEST(leaves_out_what_is_no_text)
{
	json_t *t = document_any_text("a\xc3\x28\xe2\x82z\xf0");

	ck_assert_str_eq(json_string_value(t), "a(z");
	json_decref(t);
}
END_TEST

START_TEST(makes_objects_of_rows)
{
	_cleanup_table_ struct table t = { .columns = 2 };

	ck_assert_int_eq(table_add(&t, (const char *[]){ "NAME", "STATE" }), 0);
	ck_assert_int_eq(table_add(&t, (const char *[]){ "m1", "" }), 0);
	catch_output();
	document_print_line(document_rows(&t, (const char *[]){ "name", "state" }));
	ck_assert_str_eq(caught(), "[{\"name\":\"m1\",\"state\":null}]\n");
}
END_TEST

START_TEST(has_records)
{
	const char *devices[] = { "m1" };
	struct account_record account = {
		.server = "plant", .uri = "coap://h", .state = "waiting", .security = "psk", .source = "yaml",
		.version = "", .last_error = "no answer",
	};
	const struct endpoint_record e = {
		.name = "m1", .client_name = "gw-m1", .state = "waiting", .last_error = "",
		.accounts = &account, .n_accounts = 1, .devices = devices, .n_devices = 1,
	};

	catch_output();
	document_print_line(endpoint_record_document(&e));
	ck_assert_str_eq(caught(),
			 "{\"name\":\"m1\",\"client_name\":\"gw-m1\",\"state\":\"waiting\",\"paused\":false,"
			 "\"servers\":[{\"name\":\"plant\",\"uri\":\"coap://h\",\"state\":\"waiting\","
			 "\"security\":\"psk\",\"source\":\"yaml\",\"version\":null,"
			 "\"last_error\":\"no answer\"}],\"devices\":"
			 "[\"m1\"],\"last_error\":null}\n");
}
END_TEST

/* What had no memory is nothing, not less. */
START_TEST(is_whole_or_nothing)
{
	json_t *array = json_array();

	document_add(&array, json_integer(1));
	document_add(&array, NULL);
	ck_assert_ptr_null(array);
	document_add(&array, json_integer(2));
	ck_assert_ptr_null(array);
	catch_output();
	ck_assert_int_eq(document_print(json_pack("{s:o}", "a", NULL)), -ENOMEM);
	ck_assert_str_eq(caught(), "");
}
END_TEST

START_TEST(has_colours_on_terminals_only)
{
	ck_assert_int_eq(colour_of_state("online"), COLOUR_GOOD);
	ck_assert_int_eq(colour_of_state("waiting"), COLOUR_WAITING);
	ck_assert_int_eq(colour_of_state("failed"), COLOUR_BAD);
	ck_assert_int_eq(colour_of_state("m1"), COLOUR_NONE);
	catch_output();
	ck_assert(!colour_is_on(stdout));
	colour_begin(stdout, COLOUR_BAD);
	colour_end(stdout, COLOUR_BAD);
	ck_assert_str_eq(caught(), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("document");
	TCase *tcase = tcase_create("document");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, prints_over_several_lines);
	tcase_add_test(tcase, prints_on_one_line);
	tcase_add_loop_test(tcase, prints_numbers_as_they_came, 0, ARRAY_SIZE(numbers));
	tcase_add_test(tcase, keeps_large_numbers);
	tcase_add_loop_test(tcase, has_values_of_all_types, 0, ARRAY_SIZE(values));
	tcase_add_test(tcase, leaves_out_what_is_no_text);
	tcase_add_test(tcase, makes_objects_of_rows);
	tcase_add_test(tcase, has_records);
	tcase_add_test(tcase, is_whole_or_nothing);
	tcase_add_test(tcase, has_colours_on_terminals_only);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
