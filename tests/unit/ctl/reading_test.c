/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "capture.h"
#include "ctl/daemon/reading.h"
#include "dbus/agent1.h"
#include "message.h"

static sd_bus_message *m;
static struct arena arena;
static struct reading *readings;
static size_t n;

static void setup(void)
{
	page_open();
	message_setup();
	m = message_new();
}

static void teardown(void)
{
	arena_done(&arena);
	m = sd_bus_message_unref(m);
	message_teardown();
	page_close();
}

static void must(int r)
{
	ck_assert_int_ge(r, 0);
}

START_TEST(reads_all_kinds)
{
	static const uint8_t bytes[] = { 0, 0xff };

	must(sd_bus_message_open_container(m, 'a', AGENT1_READING));
	must(sd_bus_message_append(m, "(ssv)", "truth", "", "b", 1));
	must(sd_bus_message_append(m, "(ssv)", "whole", "", "x", INT64_MIN));
	must(sd_bus_message_append(m, "(ssv)", "natural", "", "t", UINT64_MAX));
	must(sd_bus_message_append(m, "(ssv)", "real", "", "d", 230.2));
	must(sd_bus_message_append(m, "(ssv)", "text", "", "s", "a\033b"));
	must(sd_bus_message_open_container(m, 'r', "ssv"));
	must(sd_bus_message_append(m, "ss", "bytes", ""));
	must(sd_bus_message_open_container(m, 'v', "ay"));
	must(sd_bus_message_append_array(m, 'y', bytes, sizeof(bytes)));
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_append(m, "(ssv)", "gone", "illegal address", "s", ""));
	must(sd_bus_message_close_container(m));
	must(readings_read(message_turn(m), &arena, &readings, &n));
	ck_assert_int_eq(n, 7);
	ck_assert_int_eq(reading_find(readings, n, "gone")->value.type, FIELDWAY_NONE);
	ck_assert_ptr_null(reading_find(readings, n, "else"));
	must(readings_print(page, readings, n));
	ck_assert_str_eq(printed(), "truth    true\nwhole    -9223372036854775808\n"
				    "natural  18446744073709551615\nreal     230.2\n"
				    "text     a\\x1bb\nbytes    00ff\ngone     illegal address\n");
}
END_TEST

static const char *const wrong[] = { "a(ss)", "a(sv)", "u" };

START_TEST(refuses_other_types)
{
	must(sd_bus_message_append(m, wrong[_i], 0));
	ck_assert_int_eq(readings_read(message_turn(m), &arena, &readings, &n), -EBADMSG);
}
END_TEST

START_TEST(refuses_other_values)
{
	must(sd_bus_message_append(m, "a(ssv)", 1, "a", "", "(qq)", 1, 2));
	ck_assert_int_eq(readings_read(message_turn(m), &arena, &readings, &n), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reading");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reads_all_kinds);
	tcase_add_loop_test(tcase, refuses_other_types, 0, ARRAY_SIZE(wrong));
	tcase_add_test(tcase, refuses_other_values);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
