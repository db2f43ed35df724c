/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "base/str.h"
#include "capture.h"
#include "ctl/ctl.h"
#include "ctl/daemon/complaint.h"
#include "dbus/agent1.h"

/* ---- arguments ---- */

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

/* ---- options of a command's own, and settings of an address ---- */

static const struct command_option own[] = {
	{ "time", "DURATION", "so long" }, { "decode", NULL, "all" }, { "p", "NAME=VALUE", "set" }, { 0 }
};
static const struct command addressed = {
	.name = "some", .arguments = "A", .help = "does it", .most = 2, .options = own, .address = true
};
static const struct command plain = { .name = "some", .arguments = "A", .help = "does it", .most = 2, .options = own };

static const struct {
	const char *words[6];
	int r;
	const char *time, *address[2]; /* address: the first, and its value */
	int arguments;
} option_lines[] = {
	{ { "a", "--time", "5s" }, 0, "5s", { NULL }, 1 },
	{ { "--time=5s", "--time=6s", "a" }, 0, "6s", { NULL }, 1 },
	{ { "--decode", "a", "--unit", "5" }, 0, NULL, { "unit", "5" }, 1 },
	{ { "--unit=-5", "-p", "x=1", "b" }, 0, NULL, { "unit", "-5" }, 1 },
	{ { "--unit", "-5", "--" , "--time" }, 0, NULL, { "unit", "-5" }, 1 },
	{ { "--p", "5" }, 0, NULL, { "p", "5" }, 0 },

	{ { "--time" }, -EINVAL, NULL, { NULL }, 0 },
	{ { "--decode=1" }, -EINVAL, NULL, { NULL }, 0 },
	{ { "--unit" }, -EINVAL, NULL, { NULL }, 0 },
	{ { "-unit", "5" }, -EINVAL, NULL, { NULL }, 0 },
	{ { "-time", "5" }, -EINVAL, NULL, { NULL }, 0 },
	{ { "--=5" }, -EINVAL, NULL, { NULL }, 0 },
	{ { "--unit", "\xff" }, -EINVAL, NULL, { NULL }, 0 },
};

START_TEST(takes_options)
{
	char *argv[7], *words[7];
	struct invocation i = { 0 };
	int argc = 0;

	for (; option_lines[_i].words[argc]; argc++)
		argv[argc] = words[argc] = strdup(option_lines[_i].words[argc]);
	argv[argc] = NULL;
	ck_assert_int_eq(arguments_take(&addressed, argc, argv, &i), option_lines[_i].r);
	if (option_lines[_i].time)
		ck_assert_str_eq(option_find(&i, "time"), option_lines[_i].time);
	else
		ck_assert_ptr_null(option_find(&i, "time"));
	ck_assert_int_eq(i.n_address, option_lines[_i].address[0] ? 1 : 0);
	if (i.n_address > 0) {
		ck_assert_str_eq(i.address[0].name, option_lines[_i].address[0]);
		ck_assert_str_eq(i.address[0].value, option_lines[_i].address[1]);
	}
	ck_assert_int_eq(i.n, option_lines[_i].arguments);
	for (int k = 0; k < argc; k++)
		free(words[k]);
}
END_TEST

START_TEST(has_a_limit_of_options)
{
	char words[GIVEN_OPTIONS_MAX + 1][sizeof("--unit=5")], *argv[GIVEN_OPTIONS_MAX + 2] = { NULL };
	struct invocation i = { 0 };

	for (unsigned k = 0; k <= GIVEN_OPTIONS_MAX; k++)
		argv[k] = strcpy(words[k], "--unit=5");
	ck_assert_int_eq(arguments_take(&addressed, GIVEN_OPTIONS_MAX + 1, argv, &i), -EINVAL);
	for (unsigned k = 0; k <= GIVEN_OPTIONS_MAX; k++)
		argv[k] = strcpy(words[k], "--unit=5");
	ck_assert_int_eq(arguments_take(&addressed, GIVEN_OPTIONS_MAX, argv, &i), 0);
	ck_assert_int_eq(i.n_address, GIVEN_OPTIONS_MAX);
}
END_TEST

START_TEST(knows_options_of_its_own_only)
{
	char unit[] = "--unit=5", time[] = "--time=0s", *argv[] = { unit, NULL };
	struct invocation i = { 0 };
	uint64_t usec = 0;

	ck_assert_int_eq(arguments_take(&plain, 1, argv, &i), -EINVAL);
	argv[0] = time;
	ck_assert_int_eq(arguments_take(&plain, 1, argv, &i), 0);
	ck_assert_int_eq(option_duration(&i, "time", 7, &usec), -EINVAL);
	i.options[0].value = "1m";
	ck_assert_int_eq(option_duration(&i, "time", 7, &usec), 0);
	ck_assert_uint_eq(usec, 60000000);
	ck_assert_int_eq(option_duration(&i, "else", 7, &usec), 0);
	ck_assert_uint_eq(usec, 7);
}
END_TEST

START_TEST(prints_help_of_options)
{
	command_print_help(page, &addressed);
	ck_assert(has_prefix(printed(), "Usage: fieldwayctl some A [--KEY VALUE]... [OPTION]... [--json]\nDoes it.\n"));
	ck_assert_ptr_nonnull(strstr(page_text, "\n  --time DURATION  so long\n  --decode         all\n"
						"  -p NAME=VALUE    set\n"));
	ck_assert_ptr_nonnull(strstr(page_text, "settings of the device's address"));
}
END_TEST

START_TEST(prints_help)
{
	command_print_help(page, &some);
	ck_assert(has_prefix(printed(), "Usage: fieldwayctl some A [B] [--json] [--bus=BUS]\nDoes it.\n"));
	ck_assert_ptr_nonnull(strstr(page_text, "--bus=BUS  where"));
	ck_assert_ptr_nonnull(strstr(page_text, "\n  --json     print JSON instead of text\n"));
}
END_TEST

START_TEST(takes_json)
{
	char json[] = "--json", *argv[] = { json, NULL }, valued[] = "--json=yes", one[] = "-json";
	struct invocation i = { 0 };

	ck_assert_int_eq(arguments_take(&plain, 0, argv, &i), 0);
	ck_assert(!i.json);
	ck_assert_int_eq(arguments_take(&addressed, 1, argv, &i), 0);
	ck_assert(i.json);
	ck_assert_int_eq(i.n_address, 0);
	argv[0] = valued;
	ck_assert_int_eq(arguments_take(&plain, 1, argv, &i), -EINVAL);
	argv[0] = one;
	ck_assert_int_eq(arguments_take(&plain, 1, argv, &i), -EINVAL);
}
END_TEST

static const struct {
	int r, status;
} statuses[] = {
	{ 0, EXIT_SUCCESS },	      { 1, EXIT_SUCCESS },	{ -EIO, EXIT_FAILURE },
	{ -EINVAL, EXIT_FAILURE },    { -ENOENT, EXIT_ABSENT }, { -EHOSTDOWN, EXIT_NO_DAEMON },
	{ -EACCES, EXIT_DENIED },     { -EPERM, EXIT_DENIED },	{ -EDOM, EXIT_USAGE },
	{ -ENOMEM, EXIT_FAILURE },
};

START_TEST(has_a_status_for_each_end)
{
	ck_assert_int_eq(exit_status(statuses[_i].r), statuses[_i].status);
}
END_TEST

/* ---- errors ---- */

static const struct {
	const char *name;
	int error;
} errors[] = {
	{ SD_BUS_ERROR_SERVICE_UNKNOWN, -EHOSTDOWN },
	{ "System.Error.ENOTCONN", -EHOSTDOWN },
	/* What was asked may have been done. */
	{ SD_BUS_ERROR_NO_REPLY, -EIO },
	{ SD_BUS_ERROR_ACCESS_DENIED, -EACCES },
	{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, -EACCES },
	{ AGENT1_ERROR_NO_SUCH_ENDPOINT, -ENOENT },
	{ AGENT1_ERROR_NO_SUCH_DEVICE, -ENOENT },
	{ AGENT1_ERROR_NO_SUCH_BUS, -ENOENT },
	{ AGENT1_ERROR_NO_SUCH_SERVER, -ENOENT },
	{ AGENT1_ERROR_NO_SUCH_PATH, -ENOENT },
	{ AGENT1_ERROR_NO_VALUE, -ENOENT },
	{ AGENT1_ERROR_STALE, -ENOENT },
	{ AGENT1_ERROR_NO_ANSWER, -EIO },
	{ SD_BUS_ERROR_UNKNOWN_METHOD, -EIO },
	{ SD_BUS_ERROR_INVALID_ARGS, -EIO },
	{ "System.Error.ENODEV", -EIO },
};

START_TEST(knows_errors)
{
	ck_assert_int_eq(complaint_error(errors[_i].name), errors[_i].error);
}
END_TEST


#define UNKNOWN "; it may have been written or not: read it before writing again\n"

static const struct {
	struct complaint complaint;
	const char *line;
} complaints[] = {
	{ { "", "system", SD_BUS_ERROR_SERVICE_UNKNOWN,
	    "The name org.fieldway.Agent1 was not provided", false, true },
	  "fieldwayctl: fieldwayd does not run (systemctl status fieldway)\n" },
	{ { "", "unix:path=/\033", SD_BUS_ERROR_NAME_HAS_NO_OWNER, "x", false, true },
	  "fieldwayctl: no fieldwayd on the bus unix:path=/\\x1b\n" },
	{ { "m1 /3/0/0", "system", "System.Error.ENOTCONN", "Transport endpoint is not connected",
	    true, true },
	  "fieldwayctl: m1 /3/0/0: no answer of the bus system\n" },
	{ { "m1 /3/0/0", "system", SD_BUS_ERROR_NO_REPLY, "Method call timed out", false, true },
	  "fieldwayctl: m1 /3/0/0: fieldwayd has not answered\n" },
	{ { "m1 /3/0/0", "system", SD_BUS_ERROR_TIMEOUT, "Connection timed out", true, true },
	  "fieldwayctl: m1 /3/0/0: fieldwayd has not answered" UNKNOWN },
	{ { "m1 /3/0/0", "system", "System.Error.ECONNRESET", "Connection reset by peer", true,
	    true },
	  "fieldwayctl: m1 /3/0/0: fieldwayd has not answered" UNKNOWN },
	{ { "m1 /3/0/0", "system", SD_BUS_ERROR_ACCESS_DENIED, "Rejected send message", true,
	    false },
	  "fieldwayctl: m1 /3/0/0: needs root or the group fieldway-admin\n" },
	/* Root needs no more rights: then it is something that nobody may. */
	{ { "m1 /0/0/5", "system", SD_BUS_ERROR_ACCESS_DENIED, "keys are not shown", true, true },
	  "fieldwayctl: m1 /0/0/5: keys are not shown\n" },
	{ { "m1 /0/0/5", "system", SD_BUS_ERROR_ACCESS_DENIED, "keys are not shown", false, false },
	  "fieldwayctl: m1 /0/0/5: keys are not shown\n" },
	{ { "m1", "system", SD_BUS_ERROR_UNKNOWN_METHOD, "Unknown method Explain", false, true },
	  "fieldwayctl: m1: the running fieldwayd is of another version than this fieldwayctl (Unknown method Explain)\n" },
	{ { "m1 /3/0/0", "system", AGENT1_ERROR_NO_ANSWER, "lan: vfd.speed: no answer", true,
	    true },
	  "fieldwayctl: m1 /3/0/0: lan: vfd.speed: no answer" UNKNOWN },
	{ { "m1 /3/0/0", "system", AGENT1_ERROR_OFFLINE, "vfd is offline", true, true },
	  "fieldwayctl: m1 /3/0/0: vfd is offline\n" },
	{ { "m1 /3/0/0", "system", SD_BUS_ERROR_INVALID_ARGS, "a\nb\033c", true, false },
	  "fieldwayctl: m1 /3/0/0: a\\nb\\x1bc\n" },
	{ { "ble0", "system", "System.Error.ENODEV", "No such device", true, true },
	  "fieldwayctl: ble0: no port or adapter that can be used: is it plugged in, and for Bluetooth: "
	  "does bluetoothd run (fieldwayctl ports, systemctl status bluetooth)?\n" },
	{ { "m1", "system", AGENT1_ERROR_STALE, "", false, false },
	  "fieldwayctl: m1: org.fieldway.Agent1.Error.Stale\n" },
	{ { "m1", "system", AGENT1_ERROR_STALE, NULL, false, false },
	  "fieldwayctl: m1: org.fieldway.Agent1.Error.Stale\n" },
};

START_TEST(says_what_to_do)
{
	complaint_print(page, &complaints[_i].complaint);
	ck_assert_str_eq(printed(), complaints[_i].line);
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
	tcase_add_loop_test(tcase, takes_options, 0, ARRAY_SIZE(option_lines));
	tcase_add_test(tcase, has_a_limit_of_options);
	tcase_add_test(tcase, knows_options_of_its_own_only);
	tcase_add_test(tcase, prints_help_of_options);
	tcase_add_test(tcase, prints_help);
	tcase_add_test(tcase, takes_json);
	tcase_add_loop_test(tcase, has_a_status_for_each_end, 0, ARRAY_SIZE(statuses));
	tcase_add_loop_test(tcase, knows_errors, 0, ARRAY_SIZE(errors));
	tcase_add_loop_test(tcase, says_what_to_do, 0, ARRAY_SIZE(complaints));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
