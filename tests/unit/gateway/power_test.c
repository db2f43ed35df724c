/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/machine/power.h"

/* Trees as the kernel makes them below /sys/class/power_supply. */

static char folder[64];
static struct builtin_power power;

static void set_up(void)
{
	snprintf(folder, sizeof(folder), "/tmp/power-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *f)
{
	return remove(path);
}

static void tear_down(void)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* files: "name=line name=line" */
static void add(const char *supply, const char *files)
{
	char path[256], copy[512], *rest = copy, *one;

	snprintf(path, sizeof(path), "%s/%s", folder, supply);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(copy, sizeof(copy), "%s", files);
	while ((one = strsep(&rest, " "))) {
		char *line = strchr(one, '=');
		FILE *f;

		*line++ = '\0';
		snprintf(path, sizeof(path), "%s/%s/%s", folder, supply, one);
		f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		fprintf(f, "%s\n", line);
		fclose(f);
	}
	power_read(folder, &power);
}

START_TEST(test_none)
{
	power_read(folder, &power);
	ck_assert_uint_eq(power.n, 0);
	ck_assert(!power.has_battery && !power.external_off);
	power_read("/nonexistent/power_supply", &power);
	ck_assert_uint_eq(power.n, 0);
}
END_TEST

START_TEST(test_battery_and_mains)
{
	add("BAT0", "type=Battery present=1 status=Charging capacity=87 voltage_now=12345678 current_now=-1500000");
	add("AC", "type=Mains online=1");
	ck_assert_uint_eq(power.n, 2);
	/* By name. */
	ck_assert_int_eq(power.supplies[0].source, BUILTIN_SOURCE_AC);
	ck_assert(!power.supplies[0].has_voltage && !power.supplies[0].has_current);
	ck_assert_int_eq(power.supplies[1].source, BUILTIN_SOURCE_INTERNAL_BATTERY);
	ck_assert_int_eq(power.supplies[1].mv, 12345);
	ck_assert_int_eq(power.supplies[1].ma, -1500);
	ck_assert(power.has_battery);
	ck_assert_int_eq(power.level, 87);
	ck_assert_int_eq(power.status, BUILTIN_BATTERY_CHARGING);
	ck_assert(!power.external_off);
}
END_TEST

START_TEST(test_external)
{
	add("AC", "type=Mains online=0");
	ck_assert(power.external_off);
	/* A charger on USB gives, too. */
	add("usb", "type=USB online=1");
	ck_assert(!power.external_off);
}
END_TEST

/* A free port is no supply that fails. */
START_TEST(test_free_port)
{
	add("usb", "type=USB_C online=0");
	ck_assert_uint_eq(power.n, 1);
	ck_assert_int_eq(power.supplies[0].source, BUILTIN_SOURCE_USB);
	ck_assert(!power.external_off);
}
END_TEST

START_TEST(test_not_of_this_machine)
{
	add("mouse", "type=Battery scope=Device capacity=12");
	add("odd", "type=Flywheel online=0");
	add("empty", "type=");
	ck_assert_uint_eq(power.n, 0);
	ck_assert(!power.has_battery);
}
END_TEST

static const struct {
	const char *files;
	enum builtin_battery status;
	int level;
} batteries[] = {
	{ "type=Battery status=Full capacity=100", BUILTIN_BATTERY_FULL, 100 },
	{ "type=Battery status=Discharging capacity=40", BUILTIN_BATTERY_NORMAL, 40 },
	{ "type=Battery present=0 capacity=40", BUILTIN_BATTERY_MISSING, 40 },
	{ "type=Battery status=Discharging health=Dead", BUILTIN_BATTERY_DAMAGED, -1 },
	{ "type=Battery status=Discharging capacity_level=Critical", BUILTIN_BATTERY_LOW, -1 },
	{ "type=Battery status=Charging capacity_level=Low", BUILTIN_BATTERY_CHARGING, -1 },
	{ "type=UPS status=Unknown capacity=101", BUILTIN_BATTERY_UNKNOWN, -1 },
	{ "type=UPS capacity=much", BUILTIN_BATTERY_UNKNOWN, -1 },
};

START_TEST(test_battery)
{
	add("BAT0", batteries[_i].files);
	ck_assert_int_eq(power.status, batteries[_i].status);
	ck_assert_int_eq(power.level, batteries[_i].level);
}
END_TEST

START_TEST(test_many)
{
	char name[16];

	for (unsigned i = 0; i < 2 * BUILTIN_SUPPLIES_MAX; i++) {
		snprintf(name, sizeof(name), "S%02u", i);
		add(name, "type=Mains online=1");
	}
	ck_assert_uint_eq(power.n, BUILTIN_SUPPLIES_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("power");
	TCase *tcase = tcase_create("power");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, test_none);
	tcase_add_test(tcase, test_battery_and_mains);
	tcase_add_test(tcase, test_external);
	tcase_add_test(tcase, test_free_port);
	tcase_add_test(tcase, test_not_of_this_machine);
	tcase_add_loop_test(tcase, test_battery, 0, ARRAY_SIZE(batteries));
	tcase_add_test(tcase, test_many);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
