/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "capture.h"
#include "ctl/ctl.h"

static const struct command some = { .name = "some",
				     .arguments = "A [B]",
				     .help = "does it",
				     .least = 1,
				     .most = 2,
				     .bus = true };

static const struct {
	const char *words[6];
	int r;
	const char *bus, *arguments[2];
} lines[] = {
	{ { "a" }, 0, "system", { "a" } },
	{ { "a", "b" }, 0, "system", { "a", "b" } },
	{ { "--bus=session", "a" }, 0, "session", { "a" } },
	{ { "a", "--bus", "unix:path=/x", "b" }, 0, "unix:path=/x", { "a", "b" } },
	/* Values are no options. */
	{ { "a", "-5" }, 0, "system", { "a", "-5" } },
	{ { "-.5", "-" }, 0, "system", { "-.5", "-" } },
	{ { "--bus=system", "--", "--bus=x:", "--help" }, 0, "system", { "--bus=x:", "--help" } },
	{ { "", "b" }, 0, "system", { "", "b" } },

	{ { NULL }, -EINVAL, NULL, { NULL } },
	{ { "a", "b", "c" }, -EINVAL, NULL, { NULL } },
	{ { "a", "--bus" }, -EINVAL, NULL, { NULL } },
	{ { "a", "--bus=" }, -EINVAL, NULL, { NULL } },
	{ { "a", "--bus=sesion" }, -EINVAL, NULL, { NULL } },
	{ { "a", "--busy" }, -EINVAL, NULL, { NULL } },
	{ { "a", "--colour" }, -EINVAL, NULL, { NULL } },
	{ { "a", "-x" }, -EINVAL, NULL, { NULL } },
};

START_TEST(takes_arguments)
{
	char *argv[6];
	struct invocation i = { .bus = "untouched" };
	int argc = 0;

	for (; argc < 6 && lines[_i].words[argc]; argc++) {
		argv[argc] = strdup(lines[_i].words[argc]);
		ck_assert_ptr_nonnull(argv[argc]);
	}
	char *const words[] = { argv[0], argv[1], argv[2], argv[3], argv[4], argv[5] };

	ck_assert_int_eq(arguments_take(&some, argc, argv, &i), lines[_i].r);
	ck_assert_str_eq(i.bus, lines[_i].bus ?: "untouched");
	for (int k = 0; k < i.n; k++)
		ck_assert_str_eq(i.arguments[k], lines[_i].arguments[k]);
	ck_assert(lines[_i].r < 0 || i.n == 2 || !lines[_i].arguments[i.n]);
	for (int k = 0; k < argc; k++)
		free(words[k]);
}
END_TEST

START_TEST(prints_help)
{
	command_print_help(page, &some);
	ck_assert(has_prefix(printed(), "Usage: fieldwayctl some A [B] [--bus=BUS]\nDoes it.\n"));
	ck_assert_ptr_nonnull(strstr(page_text, "--bus=BUS  where"));
	ck_assert_ptr_nonnull(strstr(page_text, "Exit status: 0 done, 1 failed, 2 wrong usage."));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command");
	TCase *tcase = tcase_create("command");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, page_open, page_close);
	tcase_add_loop_test(tcase, takes_arguments, 0, ARRAY_SIZE(lines));
	tcase_add_test(tcase, prints_help);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
