/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static int saved_stderr, captured;
static char output[16384];

static void setup(void)
{
	unsetenv("JOURNAL_STREAM");
	saved_stderr = dup(STDERR_FILENO);
	captured = memfd_create("stderr", MFD_CLOEXEC);
	ck_assert_int_ge(captured, 0);
	ck_assert_int_ge(dup2(captured, STDERR_FILENO), 0);
	log_set_name("test");
	log_set_level(LOG_INFO);
	for (unsigned i = 0; log_module_name(i); i++)
		log_set_module_level(log_module_name(i), LOG_LEVEL_COMMON);
}

static void teardown(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(captured);
}

static const char *take_output(void)
{
	ssize_t n = pread(captured, output, sizeof(output) - 1, 0);

	ck_assert_int_ge(n, 0);
	output[n] = '\0';
	ck_assert_int_eq(ftruncate(captured, 0), 0);
	lseek(captured, 0, SEEK_SET);
	return output;
}

START_TEST(test_line)
{
	errno = EAGAIN;
	log_info(NULL, "number %d", 5);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_str_eq(take_output(), "test: number 5\n");
}
END_TEST

START_TEST(test_fields)
{
	struct log_about about = {
		.endpoint = "e1",
		.device = "d1",
		.message_id = "0123456789abcdef0123456789abcdef",
	};

	log_warning(&about, "device d1 is silent");
	ck_assert_str_eq(take_output(), "test: device d1 is silent ENDPOINT=e1\n");
}
END_TEST

START_TEST(test_level)
{
	log_debug(NULL, "hidden");
	ck_assert_str_eq(take_output(), "");
	log_set_level(LOG_DEBUG);
	log_debug(NULL, "shown");
	ck_assert_str_eq(take_output(), "test: shown\n");
	log_set_level(LOG_ERR);
	log_warning(NULL, "hidden");
	log_error(NULL, "shown");
	ck_assert_str_eq(take_output(), "test: shown\n");
	ck_assert_int_eq(log_level(), LOG_ERR);
}
END_TEST

START_TEST(test_peer_cannot_forge_lines)
{
	log_info(&(struct log_about){ .bus = "b\nc" }, "a\nroot: \x1b[31mx");
	ck_assert_str_eq(take_output(), "test: a root: ?[31mx BUS=b c\n");
}
END_TEST

START_TEST(test_long_text_is_cut)
{
	static char text[8000];
	struct log_about about = { .endpoint = text, .device = text };

	memset(text, 'x', sizeof(text) - 1);
	log_info(&about, "%s", text);
	take_output();
	ck_assert_uint_gt(strlen(output), 2000);
	ck_assert_ptr_eq(strchr(output, '\n'), output + strlen(output) - 1);
}
END_TEST

START_TEST(test_level_names)
{
	int level = -1;

	ck_assert_int_eq(log_level_parse("debug", &level), 0);
	ck_assert_int_eq(level, LOG_DEBUG);
	ck_assert_int_eq(log_level_parse("info", &level), 0);
	ck_assert_int_eq(level, LOG_INFO);
	ck_assert_int_eq(log_level_parse("notice", &level), 0);
	ck_assert_int_eq(level, LOG_NOTICE);
	ck_assert_int_eq(log_level_parse("warning", &level), 0);
	ck_assert_int_eq(level, LOG_WARNING);
	ck_assert_int_eq(log_level_parse("error", &level), 0);
	ck_assert_int_eq(level, LOG_ERR);
	ck_assert_int_eq(log_level_parse("Debug", &level), -EINVAL);
	ck_assert_int_eq(log_level_parse("", &level), -EINVAL);
	ck_assert_int_eq(level, LOG_ERR);
}
END_TEST

START_TEST(test_modules)
{
	const char *here = "../agent/lwm2m/client.c", *other = "/srv/agent/x/agent/dbus/bus.c";
	unsigned n = 0;

	ck_assert_int_eq(log_set_module_level("lwm2m", LOG_DEBUG), 0);
	ck_assert(log_wants(LOG_DEBUG, here));
	ck_assert(!log_wants(LOG_DEBUG, other));
	ck_assert(log_wants(LOG_INFO, other));
	/* This one is of no module. */
	log_debug(NULL, "hidden");
	log_info(NULL, "shown");
	ck_assert_str_eq(take_output(), "test: shown\n");
	ck_assert_int_eq(log_set_module_level("dbus", LOG_ERR), 0);
	ck_assert(!log_wants(LOG_WARNING, other));
	ck_assert(log_wants(LOG_ERR, other));
	ck_assert_int_eq(log_set_module_level("main", LOG_ERR), 0);
	ck_assert(!log_wants(LOG_WARNING, "agent/main.c"));
	log_set_level(LOG_DEBUG);
	ck_assert(!log_wants(LOG_WARNING, other));
	ck_assert_int_eq(log_set_module_level("dbus", LOG_LEVEL_COMMON), 0);
	ck_assert(log_wants(LOG_DEBUG, other));
	ck_assert_int_eq(log_set_module_level("lwm2", LOG_DEBUG), -ENOENT);
	ck_assert_int_eq(log_set_module_level("lwm2mm", LOG_DEBUG), -ENOENT);
	ck_assert_int_eq(log_set_module_level("", LOG_DEBUG), -ENOENT);
	while (log_module_name(n))
		n++;
	ck_assert_int_eq(log_module_level(n), LOG_LEVEL_COMMON);
}
END_TEST

static int level_of(const char *module)
{
	for (unsigned i = 0; log_module_name(i); i++)
		if (strcmp(log_module_name(i), module) == 0)
			return log_module_level(i);
	return -2;
}

START_TEST(test_levels_as_text)
{
	static const char *const wrong[] = { "",	    "loud",	   "lwm2m",		"lwm2m=", "lwm2m=loud", "x=debug",
					     "debug,",	    ",debug",	   "lwm2m=debug,x=info", "=debug", "lwm2m =debug",
					     "lwm2m=debug=", "0123456789012345678901234567890123456789012345678901234567890123=debug" };

	ck_assert_int_eq(log_levels_take("warning,lwm2m=debug,dbus=error"), 0);
	ck_assert_int_eq(log_level(), LOG_WARNING);
	ck_assert_int_eq(level_of("lwm2m"), LOG_DEBUG);
	ck_assert_int_eq(level_of("dbus"), LOG_ERR);
	ck_assert_int_eq(level_of("store"), LOG_LEVEL_COMMON);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_int_eq(log_levels_take(wrong[i]), -EINVAL);
	ck_assert_int_eq(log_level(), LOG_WARNING);
	ck_assert_int_eq(level_of("lwm2m"), LOG_DEBUG);
	ck_assert_str_eq(log_level_name(LOG_NOTICE), "notice");
	ck_assert_str_eq(log_level_name(LOG_CRIT), "");
}
END_TEST

START_TEST(test_budget)
{
	struct log_budget budget = { 0 };
	unsigned suppressed = 42;

	for (unsigned i = 0; i < 10; i++) {
		ck_assert_int_eq(log_budget_take(&budget, &suppressed), 1);
		ck_assert_uint_eq(suppressed, 0);
	}
	suppressed = 42;
	for (unsigned i = 0; i < 7; i++)
		ck_assert_int_eq(log_budget_take(&budget, &suppressed), 0);
	ck_assert_uint_eq(suppressed, 42);
	clock_advance(31 * USEC_PER_SEC);
	ck_assert_int_eq(log_budget_take(&budget, &suppressed), 1);
	ck_assert_uint_eq(suppressed, 7);
	ck_assert_int_eq(log_budget_take(&budget, NULL), 1);
	ck_assert_int_eq(log_budget_take(&budget, &suppressed), 1);
	ck_assert_uint_eq(suppressed, 0);
}
END_TEST

START_TEST(test_budget_of_many)
{
	struct log_budget budget = { .limit = 25 };

	for (unsigned i = 0; i < 25; i++)
		ck_assert_int_eq(log_budget_take(&budget, NULL), 1);
	ck_assert_int_eq(log_budget_take(&budget, NULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_line);
	tcase_add_test(tcase, test_fields);
	tcase_add_test(tcase, test_level);
	tcase_add_test(tcase, test_peer_cannot_forge_lines);
	tcase_add_test(tcase, test_long_text_is_cut);
	tcase_add_test(tcase, test_level_names);
	tcase_add_test(tcase, test_modules);
	tcase_add_test(tcase, test_levels_as_text);
	tcase_add_test(tcase, test_budget);
	tcase_add_test(tcase, test_budget_of_many);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
