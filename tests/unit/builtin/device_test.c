/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/builtin/rig.h"

/* Object 3 of the host, on a machine of the test's. */

static struct builtin_facts facts;
static struct builtin_clock kept;
static unsigned keeps, looks;
static int error, endpoint;

static void on_facts(void *userdata, struct builtin_facts *ret)
{
	ck_assert_ptr_eq(userdata, &endpoint);
	looks++;
	*ret = facts;
}

static void on_zone(void *userdata, struct builtin_clock *ret)
{
	snprintf(ret->utc_offset, sizeof(ret->utc_offset), "+02:00");
	snprintf(ret->timezone, sizeof(ret->timezone), "Europe/Berlin");
}

static void on_keep(void *userdata, const struct builtin_clock *clock)
{
	kept = *clock;
	keeps++;
}

/* What the machine was asked, and how it answers. */
static char orders[128];
static int order_error;
static bool order_later;
static backing_done order_done;
static void *order_userdata;

static void on_reboot(void *userdata)
{
	ck_assert_ptr_eq(userdata, &endpoint);
	strcat(orders, "reboot ");
}

static void on_restart(void *userdata)
{
	strcat(orders, "restart ");
}

static void answer(backing_done done, void *userdata)
{
	if (!order_later) {
		done(userdata, order_error, "because");
		return;
	}
	order_done = done;
	order_userdata = userdata;
}

static void on_set_time(void *userdata, int64_t since_1970_s, backing_done done, void *done_userdata)
{
	sprintf(orders + strlen(orders), "time %lld ", (long long)since_1970_s);
	answer(done, done_userdata);
}

static void on_set_timezone(void *userdata, const char *timezone, backing_done done, void *done_userdata)
{
	sprintf(orders + strlen(orders), "timezone %s ", timezone);
	answer(done, done_userdata);
}

static void on_factory_reset(void *userdata)
{
	ck_assert_ptr_eq(userdata, &endpoint);
	strcat(orders, "factory reset ");
}

static const struct builtin_ports ports = { .facts = on_facts,
					    .zone = on_zone,
					    .keep_clock = on_keep,
					    .restart = on_restart,
					    .reboot = on_reboot,
					    .factory_reset = on_factory_reset,
					    .set_time = on_set_time,
					    .set_timezone = on_set_timezone };
static struct builtin_host machine;

static void make(const struct builtin_clock *clock)
{
	const struct builtin_values values = { .host = &machine };

	machine.timers = timers;
	if (clock)
		machine.clock = *clock;
	ck_assert_int_eq(builtin_new(store, definitions, &values, &ports, &endpoint, &builtin), 0);
	rig_watch();
}

static void set_up(void)
{
	rig_set_up();
	facts = (struct builtin_facts){ .power.level = -1 };
	keeps = looks = 0;
	*orders = '\0';
	order_error = 0;
	order_later = false;
	machine = (struct builtin_host){ 0 };
}

static void on_done(void *userdata, int e, const char *reason)
{
	error = e;
}

static void put(const char *path, const char *text)
{
	struct record record = { .path = path_of(path) };

	ck_assert_int_eq(value_set_string(&record.value, text), 0);
	error = 1;
	store_write(store, &record.path, STORE_REPLACE, &record, 1, on_done, NULL);
	value_done(&record.value);
}

static void put_time(int64_t seconds)
{
	const struct record record = { .path = path_of("/3/0/13"), .value = value_time(seconds) };

	store_write(store, &record.path, STORE_REPLACE, &record, 1, on_done, NULL);
	ck_assert_int_eq(error, 0);
}

static int64_t get_time(void)
{
	const struct path path = path_of("/3/0/13");
	struct value v = { 0 };

	ck_assert_int_eq(store_read(store, &path, false, &v, NULL), 0);
	return v.integer;
}

/* A moment later, the machine is looked at again. */
static void later(void)
{
	clock_advance(31 * USEC_PER_SEC);
	ck_assert_uint_eq(timers_run(timers), 1);
}

static void expect_changes(const char *want)
{
	ck_assert_str_eq(changes, want);
	*changes = '\0';
}

/* ---- 13 to 15 ---- */

START_TEST(test_clock_is_kept)
{
	make(NULL);
	expect("/3/0/14", "+02:00");
	expect("/3/0/15", "Europe/Berlin");
	put_time(2013);
	ck_assert_uint_eq(keeps, 1);
	put("/3/0/14", "-03:30");
	put("/3/0/15", "America/St_Johns");
	ck_assert_uint_eq(keeps, 3);
	ck_assert_str_eq(kept.utc_offset, "-03:30");
	ck_assert_str_eq(kept.timezone, "America/St_Johns");
	expect("/3/0/14", "-03:30");
	expect("/3/0/15", "America/St_Johns");
	/* Another run. */
	rig_tear_down();
	set_up();
	make(&kept);
	ck_assert_int_ge(get_time(), 2013);
	ck_assert_int_le(get_time(), 2020);
	expect("/3/0/14", "-03:30");
	expect("/3/0/15", "America/St_Johns");
}
END_TEST

static const struct {
	const char *path, *text;
	int error;
} zones[] = {
	{ "/3/0/14", "Z", 0 },
	{ "/3/0/14", "+01", 0 },
	{ "/3/0/14", "-0330", 0 },
	{ "/3/0/14", "+14:00", 0 },
	{ "/3/0/14", "+14:01", -EINVAL },
	{ "/3/0/14", "+15", -EINVAL },
	{ "/3/0/14", "01:00", -EINVAL },
	{ "/3/0/14", "+1:00", -EINVAL },
	{ "/3/0/14", "+01:", -EINVAL },
	{ "/3/0/14", "+01:60", -EINVAL },
	{ "/3/0/14", "+01:000", -EINVAL },
	{ "/3/0/14", "+01:0", -EINVAL },
	{ "/3/0/14", "UTC", -EINVAL },
	{ "/3/0/14", "", -EINVAL },
	{ "/3/0/15", "UTC", 0 },
	{ "/3/0/15", "Etc/GMT+5", 0 },
	{ "/3/0/15", "America/Argentina/Buenos_Aires", 0 },
	{ "/3/0/15", "", -EINVAL },
	{ "/3/0/15", "/etc/passwd", -EINVAL },
	{ "/3/0/15", "../../etc/passwd", -EINVAL },
	{ "/3/0/15", "Europe/Berlin\n", -EINVAL },
	{ "/3/0/15", "0123456789012345678901234567890123456789012345678901234567890123", -EINVAL },
};

START_TEST(test_zone)
{
	make(NULL);
	put(zones[_i].path, zones[_i].text);
	ck_assert_int_eq(error, zones[_i].error);
	ck_assert_uint_eq(keeps, zones[_i].error == 0);
	if (zones[_i].error == 0)
		expect(zones[_i].path, zones[_i].text);
}
END_TEST

/* ---- where servers may ---- */

static void reboot(void)
{
	const struct path path = path_of("/3/0/4");

	store_execute(store, &path, "", on_done, NULL);
	ck_assert_int_eq(error, 0);
}

START_TEST(test_reboot)
{
	const struct builtin_values values = { .host = &machine };

	machine.may_reboot = true;
	make(NULL);
	reboot();
	/* The answer goes first. */
	ck_assert_str_eq(orders, "");
	clock_advance(USEC_PER_SEC);
	ck_assert_uint_eq(timers_run(timers), 1);
	ck_assert_str_eq(orders, "reboot ");
	machine.may_reboot = false;
	ck_assert_int_eq(builtin_reload(builtin, definitions, &values), 0);
	reboot();
	ck_assert_str_eq(orders, "reboot restart ");
}
END_TEST

START_TEST(test_factory_reset)
{
	const struct builtin_values values = { .host = &machine };
	const struct path path = path_of("/3/0/5");

	make(NULL);
	ck_assert(!store_exists(store, &path));
	machine.may_factory_reset = true;
	ck_assert_int_eq(builtin_reload(builtin, definitions, &values), 0);
	put("/3/0/14", "+05:00");
	store_execute(store, &path, "", on_done, NULL);
	ck_assert_int_eq(error, 0);
	ck_assert_str_eq(orders, "");
	clock_advance(USEC_PER_SEC);
	ck_assert_uint_eq(timers_run(timers), 1);
	ck_assert_str_eq(orders, "factory reset ");
	builtin_forget_clock(builtin);
	expect("/3/0/14", "+02:00");
	machine.may_factory_reset = false;
	ck_assert_int_eq(builtin_reload(builtin, definitions, &values), 0);
	ck_assert(!store_exists(store, &path));
}
END_TEST

START_TEST(test_set_time)
{
	int64_t before;

	make(NULL);
	put_time(2013);
	ck_assert_str_eq(orders, "");
	rig_tear_down();
	set_up();
	machine.may_set_time = true;
	make(&kept);
	ck_assert_int_le(get_time(), 2100);
	order_later = true;
	error = 1;
	put("/3/0/15", "Asia/Tokyo");
	ck_assert_int_eq(error, 0);
	error = 1;
	store_write(store, &(struct path){ .ids = { 3, 0, 13 }, .depth = 3 }, STORE_REPLACE,
		    &(struct record){ .path = { .ids = { 3, 0, 13 }, .depth = 3 }, .value = value_time(1700000000) }, 1,
		    on_done, NULL);
	ck_assert_str_eq(orders, "time 1700000000 ");
	ck_assert_int_eq(error, 1);
	before = get_time();
	ck_assert_int_le(before, 2100);
	/* It has done it: there is nothing to keep beside. */
	order_done(order_userdata, 0, NULL);
	ck_assert_int_eq(error, 0);
	ck_assert_int_gt(get_time(), before + 1000000);
	ck_assert_int_eq(kept.offset_s, 0);
}
END_TEST

START_TEST(test_set_timezone)
{
	machine.may_set_timezone = true;
	make(NULL);
	put("/3/0/14", "+09:00");
	put("/3/0/15", "Asia/Tokyo");
	ck_assert_int_eq(error, 0);
	ck_assert_str_eq(orders, "timezone Asia/Tokyo ");
	/* Both are the machine's now. */
	expect("/3/0/14", "+02:00");
	expect("/3/0/15", "Europe/Berlin");
	order_error = -EBUSY;
	put("/3/0/15", "Asia/Seoul");
	ck_assert_int_eq(error, -EBUSY);
	put("/3/0/15", "no zone");
	ck_assert_int_eq(error, -EINVAL);
	ck_assert_str_eq(orders, "timezone Asia/Tokyo timezone Asia/Seoul ");
}
END_TEST

/* ---- 6 to 9, 20 ---- */

static void with_battery(int level, enum builtin_battery status)
{
	facts.power = (struct builtin_power){
		.n = 2,
		.supplies = { { .source = BUILTIN_SOURCE_AC },
			      { .source = BUILTIN_SOURCE_INTERNAL_BATTERY, .has_voltage = true, .mv = 12000 } },
		.has_battery = true,
		.level = level,
		.status = status,
	};
}

START_TEST(test_without_power)
{
	static const char *const paths[] = { "/3/0/6", "/3/0/7", "/3/0/8", "/3/0/9", "/3/0/10", "/3/0/20", "/3/0/21" };

	make(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct path path = path_of(paths[i]);

		ck_assert_msg(!store_exists(store, &path), "%s", paths[i]);
	}
	expect("/3/0/11/0", "0");
}
END_TEST

START_TEST(test_power)
{
	with_battery(80, BUILTIN_BATTERY_CHARGING);
	make(NULL);
	expect("/3/0/6/0", "6");
	expect("/3/0/6/1", "1");
	/* Instances are those of the sources. */
	expect("/3/0/7/0", NULL);
	expect("/3/0/7/1", "12000");
	expect("/3/0/8/0", NULL);
	expect("/3/0/9", "80");
	expect("/3/0/20", "1");
	facts.power.level = 79;
	later();
	expect("/3/0/9", "79");
	expect_changes("/3/0/9 ");
	/* It is taken out. */
	facts.power = (struct builtin_power){ .level = -1 };
	later();
	expect("/3/0/6/0", NULL);
	expect("/3/0/9", NULL);
	expect("/3/0/20", NULL);
}
END_TEST

START_TEST(test_read_looks)
{
	const struct path path = path_of("/3/0");
	unsigned before;

	with_battery(80, BUILTIN_BATTERY_CHARGING);
	make(NULL);
	before = looks;
	with_battery(70, BUILTIN_BATTERY_NORMAL);
	store_refresh(store, &path, on_done, NULL);
	ck_assert_int_eq(error, 0);
	ck_assert_uint_gt(looks, before);
	expect("/3/0/9", "70");
	expect("/3/0/20", "0");
}
END_TEST

/* ---- 10, 21 ---- */

START_TEST(test_storage)
{
	const struct path path = path_of("/3/0/10");

	facts.has_storage = true;
	facts.total_kb = 1000000;
	facts.free_kb = 500000;
	make(NULL);
	expect("/3/0/10", "500000");
	expect("/3/0/21", "1000000");
	/* A little is no news, but who asks is told. */
	facts.free_kb = 499500;
	later();
	expect_changes("");
	store_refresh(store, &path, on_done, NULL);
	expect("/3/0/10", "499500");
	expect_changes("/3/0/10 ");
	facts.free_kb = 490000;
	later();
	expect("/3/0/10", "490000");
	expect_changes("/3/0/10 ");
}
END_TEST

/* ---- 11, 12 ---- */

static void reset(void)
{
	const struct path path = path_of("/3/0/12");

	store_execute(store, &path, "", on_done, NULL);
	ck_assert_int_eq(error, 0);
}

START_TEST(test_errors)
{
	facts.has_storage = true;
	facts.total_kb = 1000000;
	facts.free_kb = 9999;
	with_battery(9, BUILTIN_BATTERY_NORMAL);
	facts.power.external_off = true;
	make(NULL);
	expect("/3/0/11/0", "1");
	expect("/3/0/11/1", "2");
	expect("/3/0/11/2", "5");
	expect("/3/0/11/3", NULL);
	with_battery(9, BUILTIN_BATTERY_CHARGING);
	/* Not yet well. */
	facts.free_kb = 19999;
	later();
	expect("/3/0/11/0", "5");
	expect("/3/0/11/1", NULL);
	facts.free_kb = 20000;
	later();
	expect("/3/0/11/0", "0");
	expect("/3/0/11/1", NULL);
}
END_TEST

START_TEST(test_errors_of_others)
{
	static const int64_t codes[] = { 17, 8, 17, 99, -1 };

	facts.power.external_off = true;
	make(NULL);
	builtin_host_errors(builtin, codes, ARRAY_SIZE(codes));
	expect("/3/0/11/0", "2");
	expect("/3/0/11/1", "8");
	expect("/3/0/11/2", "17");
	expect("/3/0/11/3", NULL);
	reset();
	expect("/3/0/11/0", "0");
	/* 17 goes and comes. */
	builtin_host_errors(builtin, codes + 1, 1);
	builtin_host_errors(builtin, codes, 2);
	expect("/3/0/11/0", "17");
	expect("/3/0/11/1", NULL);
	builtin_host_errors(builtin, NULL, 0);
	expect("/3/0/11/0", "0");
}
END_TEST

START_TEST(test_reset)
{
	facts.power.external_off = true;
	make(NULL);
	expect("/3/0/11/0", "2");
	reset();
	expect("/3/0/11/0", "0");
	/* It lasts: no news. Another one is, and the same one when it comes anew. */
	later();
	expect("/3/0/11/0", "0");
	with_battery(5, BUILTIN_BATTERY_NORMAL);
	facts.power.external_off = true;
	later();
	expect("/3/0/11/0", "1");
	expect("/3/0/11/1", NULL);
	facts.power = (struct builtin_power){ .level = -1 };
	later();
	facts.power.external_off = true;
	later();
	expect("/3/0/11/0", "2");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("device");
	TCase *tcase = tcase_create("device");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_test(tcase, test_clock_is_kept);
	tcase_add_loop_test(tcase, test_zone, 0, ARRAY_SIZE(zones));
	tcase_add_test(tcase, test_reboot);
	tcase_add_test(tcase, test_factory_reset);
	tcase_add_test(tcase, test_set_time);
	tcase_add_test(tcase, test_set_timezone);
	tcase_add_test(tcase, test_without_power);
	tcase_add_test(tcase, test_power);
	tcase_add_test(tcase, test_read_looks);
	tcase_add_test(tcase, test_storage);
	tcase_add_test(tcase, test_errors);
	tcase_add_test(tcase, test_errors_of_others);
	tcase_add_test(tcase, test_reset);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
