/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>

#include "base/macro.h"
#include "capture.h"
#include "ctl/value/value.h"
#include "message.h"

static sd_bus_message *m;

static void setup(void)
{
	page_open();
	message_setup();
	m = message_new();
}

static void teardown(void)
{
	m = sd_bus_message_unref(m);
	message_teardown();
	page_close();
}

/* As it is shown at /3303/0/5700. */
static const char *show(void)
{
	_cleanup_value_lines_ struct value_lines lines = { 0 };
	const struct path path = path_of_resource(3303, 0, 5700);

	ck_assert_int_eq(value_lines_read(message_turn(m), &path, &lines), 0);
	ck_assert_int_eq(value_lines_print(page, &lines), 0);
	return printed();
}

#define SHOWS(text, ...)                                                                           \
	do {                                                                                       \
		ck_assert_int_ge(sd_bus_message_append(m, "v", __VA_ARGS__), 0);                   \
		ck_assert_str_eq(show(), text);                                                    \
	} while (0)

START_TEST(shows_a_string)
{
	SHOWS("Chiller 2\n", "s", "Chiller 2");
}
END_TEST

START_TEST(shows_an_empty_string)
{
	SHOWS("\n", "s", "");
}
END_TEST

START_TEST(keeps_a_string_on_its_line)
{
	SHOWS("a\\nb\\x1b[2J\n", "s", "a\nb\033[2J");
}
END_TEST

START_TEST(shows_an_integer)
{
	SHOWS("-9223372036854775808\n", "x", INT64_MIN);
}
END_TEST

START_TEST(shows_an_unsigned)
{
	SHOWS("18446744073709551615\n", "t", UINT64_MAX);
}
END_TEST

START_TEST(shows_a_float)
{
	SHOWS("230.2\n", "d", 230.2);
}
END_TEST

START_TEST(shows_no_number)
{
	SHOWS("nan\n", "d", (double)NAN);
}
END_TEST

START_TEST(shows_a_boolean)
{
	SHOWS("1\n", "b", 1);
}
END_TEST

START_TEST(shows_bytes)
{
	SHOWS("AAH/\n", "ay", 3, 0, 1, 255);
}
END_TEST

START_TEST(shows_a_link)
{
	SHOWS("3:65535\n", "(qq)", 3, 65535);
}
END_TEST

START_TEST(shows_instances_of_a_resource)
{
	SHOWS("/3303/0/5700/0   1\n"
	      "/3303/0/5700/12  a\\tb\n",
	      "a{qv}", 2, 0, "x", INT64_C(1), 12, "s", "a\tb");
}
END_TEST

START_TEST(shows_one_instance_by_its_path)
{
	SHOWS("/3303/0/5700/0  1\n", "a{qv}", 1, 0, "x", INT64_C(1));
}
END_TEST

START_TEST(shows_nothing)
{
	SHOWS("", "a{qv}", 0);
}
END_TEST

/* From the root down to a resource instance, which is as deep as it goes. */
START_TEST(shows_a_tree)
{
	_cleanup_value_lines_ struct value_lines lines = { 0 };
	const struct path root = { 0 };

	ck_assert_int_ge(sd_bus_message_append(m, "v", "a{qv}", 2, 3, "a{qv}", 1, 0, "a{qv}", 2, 0,
					       "s", "ACME", 11, "a{qv}", 1, 0, "x", INT64_C(0),
					       3303, "a{qv}", 1, 0, "a{qv}", 1, 5700, "d", 21.5),
			 0);
	ck_assert_int_eq(value_lines_read(message_turn(m), &root, &lines), 0);
	ck_assert_int_eq(value_lines_print(page, &lines), 0);
	ck_assert_str_eq(printed(), "/3/0/0        ACME\n"
				    "/3/0/11/0     0\n"
				    "/3303/0/5700  21.5\n");
}
END_TEST

static void refuse(void)
{
	const struct path path = path_of_resource(3303, 0, 5700);
	struct value_lines lines = { 0 };

	ck_assert_int_eq(value_lines_read(message_turn(m), &path, &lines), -EBADMSG);
	ck_assert_ptr_null(lines.items);
}

START_TEST(refuses_what_is_deeper_than_paths)
{
	ck_assert_int_ge(
		sd_bus_message_append(m, "v", "a{qv}", 1, 0, "a{qv}", 1, 0, "x", INT64_C(1)), 0);
	refuse();
}
END_TEST

START_TEST(refuses_other_types)
{
	ck_assert_int_ge(
		sd_bus_message_append(m, "v", "a{qv}", 2, 0, "x", INT64_C(1), 1, "a{sv}", 0), 0);
	refuse();
}
END_TEST

START_TEST(refuses_what_is_no_variant)
{
	ck_assert_int_ge(sd_bus_message_append(m, "s", "21.5"), 0);
	refuse();
}
END_TEST

START_TEST(refuses_an_empty_answer)
{
	refuse();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("value");
	TCase *tcase = tcase_create("value");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, shows_a_string);
	tcase_add_test(tcase, shows_an_empty_string);
	tcase_add_test(tcase, keeps_a_string_on_its_line);
	tcase_add_test(tcase, shows_an_integer);
	tcase_add_test(tcase, shows_an_unsigned);
	tcase_add_test(tcase, shows_a_float);
	tcase_add_test(tcase, shows_no_number);
	tcase_add_test(tcase, shows_a_boolean);
	tcase_add_test(tcase, shows_bytes);
	tcase_add_test(tcase, shows_a_link);
	tcase_add_test(tcase, shows_instances_of_a_resource);
	tcase_add_test(tcase, shows_one_instance_by_its_path);
	tcase_add_test(tcase, shows_nothing);
	tcase_add_test(tcase, shows_a_tree);
	tcase_add_test(tcase, refuses_what_is_deeper_than_paths);
	tcase_add_test(tcase, refuses_other_types);
	tcase_add_test(tcase, refuses_what_is_no_variant);
	tcase_add_test(tcase, refuses_an_empty_answer);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
