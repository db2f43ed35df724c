/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/builtin/rig.h"

/* Objects 4 and 7, on a machine and with accounts of the test's. */

static struct builtin_network network;
static struct builtin_traffic traffic;
static int error, endpoint;

static void on_facts(void *userdata, struct builtin_facts *ret)
{
	ret->power.level = -1;
}

static void on_network(void *userdata, struct builtin_network *ret)
{
	ck_assert_ptr_eq(userdata, &endpoint);
	*ret = network;
}

static void on_traffic(void *userdata, struct builtin_traffic *ret)
{
	ck_assert_ptr_eq(userdata, &endpoint);
	*ret = traffic;
}

static void on_forget_largest(void *userdata)
{
	ck_assert_ptr_eq(userdata, &endpoint);
	traffic.largest = 0;
}

static const struct builtin_ports ports = { .facts = on_facts,
					    .network = on_network,
					    .traffic = on_traffic,
					    .forget_largest = on_forget_largest };

static void make(bool host)
{
	const struct builtin_host machine = { .network = true };
	const struct builtin_values values = { .timers = timers, .host = host ? &machine : NULL };

	ck_assert_int_eq(builtin_new(store, definitions, &values, &ports, &endpoint, &builtin), 0);
	rig_watch();
}

static void set_up(void)
{
	rig_set_up();
	network = (struct builtin_network){ .bearer = BUILTIN_BEARER_ETHERNET,
					    .available = { BUILTIN_BEARER_ETHERNET },
					    .n_available = 1,
					    .addresses = { "10.0.0.2" },
					    .n_addresses = 1 };
	traffic = (struct builtin_traffic){ 0 };
}

static void on_done(void *userdata, int e, const char *reason)
{
	error = e;
}

/* As a server reads it: when it has looked. */
static void expect_looked(const char *path, const char *want)
{
	struct path p = path_of(path);

	store_refresh(store, &p, on_done, NULL);
	expect(path, want);
}

static void execute(const char *path)
{
	struct path p = path_of(path);

	store_execute(store, &p, "", on_done, NULL);
	ck_assert_int_eq(error, 0);
}

static void put_period(int64_t seconds, int want)
{
	const struct record record = { .path = path_of("/7/0/8"), .value = value_integer(seconds) };

	store_write(store, &record.path, STORE_REPLACE, &record, 1, on_done, NULL);
	ck_assert_int_eq(error, want);
}

/* ---- 4 ---- */

START_TEST(test_wire)
{
	make(true);
	expect_looked("/4/0/0", "41");
	expect_looked("/4/0/1/0", "41");
	expect_looked("/4/0/2", "0");
	expect_looked("/4/0/3", NULL);
	expect_looked("/4/0/4/0", "10.0.0.2");
	expect_looked("/4/0/4/1", NULL);
	expect_looked("/4/0/5/0", NULL);
	expect_looked("/4/0/7/0", NULL);
}
END_TEST

START_TEST(test_not_of_others)
{
	const struct path path = path_of("/4");

	make(false);
	ck_assert(!store_exists(store, &path));
	builtin_network_changed(builtin);
	ck_assert(!store_exists(store, &path));
}
END_TEST

START_TEST(test_another_network)
{
	make(true);
	network = (struct builtin_network){ .bearer = BUILTIN_BEARER_WLAN,
					    .available = { BUILTIN_BEARER_WLAN, BUILTIN_BEARER_ETHERNET },
					    .n_available = 2,
					    .signal_dbm = -61,
					    .has_quality = true,
					    .quality = 49,
					    .addresses = { "10.1.0.7", "fd00::7" },
					    .n_addresses = 2,
					    .routers = { "10.1.0.1" },
					    .n_routers = 1 };
	builtin_network_changed(builtin);
	ck_assert_str_eq(changes, "/4/0/0 /4/0/1 /4/0/2 /4/0/3 /4/0/4 /4/0/5 ");
	expect_looked("/4/0/0", "21");
	expect_looked("/4/0/1/1", "41");
	expect_looked("/4/0/2", "-61");
	expect_looked("/4/0/3", "49");
	expect_looked("/4/0/4/1", "fd00::7");
	expect_looked("/4/0/5/0", "10.1.0.1");
	/* And back. */
	rig_tear_down();
	set_up();
	make(true);
	network.n_routers = 1;
	strcpy(network.routers[0], "10.0.0.1");
	builtin_network_changed(builtin);
	expect_looked("/4/0/5/0", "10.0.0.1");
	network.n_routers = 0;
	builtin_network_changed(builtin);
	expect_looked("/4/0/5/0", NULL);
}
END_TEST

/* ---- 7 ---- */

START_TEST(test_nothing_is_collected)
{
	make(false);
	traffic.sent_bytes = 10240;
	expect_looked("/7/0/2", "0");
	expect_looked("/7/0/3", "0");
	expect_looked("/7/0/4", "0");
	expect_looked("/7/0/5", "0");
	expect_looked("/7/0/8", "0");
	execute("/7/0/7");
	expect_looked("/7/0/2", "0");
}
END_TEST

START_TEST(test_start_and_stop)
{
	make(false);
	traffic = (struct builtin_traffic){ 50000, 70000, 110000, 100, 1200 };
	execute("/7/0/6");
	expect_looked("/7/0/2", "0");
	traffic = (struct builtin_traffic){ 50000 + 3000, 70000 + 2047, 110000 + 4000, 100 + 10, 800 };
	expect_looked("/7/0/2", "2");
	expect_looked("/7/0/3", "1");
	expect_looked("/7/0/4", "800");
	expect_looked("/7/0/5", "400");
	execute("/7/0/7");
	traffic.sent_bytes += 1 << 20;
	traffic.largest = 1500;
	expect_looked("/7/0/2", "2");
	expect_looked("/7/0/4", "800");
	/* From 0 again. */
	execute("/7/0/6");
	expect_looked("/7/0/2", "0");
	expect_looked("/7/0/4", "0");
}
END_TEST

START_TEST(test_observers_hear)
{
	make(false);
	execute("/7/0/6");
	*changes = '\0';
	traffic.sent_bytes = 5000;
	clock_advance(10 * USEC_PER_SEC);
	ck_assert_uint_eq(timers_run(timers), 1);
	ck_assert_str_eq(changes, "/7/0/2 ");
}
END_TEST

START_TEST(test_period)
{
	make(false);
	put_period(-1, -ERANGE);
	put_period(25, 0);
	execute("/7/0/6");
	for (unsigned i = 0; i < 3; i++) {
		traffic.sent_bytes += 1024;
		clock_advance((i < 2 ? 10 : 5) * USEC_PER_SEC);
		ck_assert_uint_eq(timers_run(timers), 1);
	}
	traffic.sent_bytes += 1 << 20;
	expect_looked("/7/0/2", "3");
	clock_advance(60 * USEC_PER_SEC);
	ck_assert_uint_eq(timers_run(timers), 0);
	/* It may be changed while it runs. */
	execute("/7/0/6");
	put_period(0, 0);
	clock_advance(30 * USEC_PER_SEC);
	timers_run(timers);
	traffic.sent_bytes += 4096;
	expect_looked("/7/0/2", "4");
	put_period(5, 0);
	clock_advance(1);
	ck_assert_uint_eq(timers_run(timers), 1);
	traffic.sent_bytes += 4096;
	expect_looked("/7/0/2", "4");
}
END_TEST

/* An account that is made anew counts from 0. */
START_TEST(test_an_account_goes)
{
	make(false);
	traffic = (struct builtin_traffic){ .sent_bytes = 4096 };
	execute("/7/0/6");
	traffic.sent_bytes = 6144;
	expect_looked("/7/0/2", "2");
	traffic.sent_bytes = 1024;
	expect_looked("/7/0/2", "3");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("network");
	TCase *tcase = tcase_create("network");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_test(tcase, test_wire);
	tcase_add_test(tcase, test_not_of_others);
	tcase_add_test(tcase, test_another_network);
	tcase_add_test(tcase, test_nothing_is_collected);
	tcase_add_test(tcase, test_start_and_stop);
	tcase_add_test(tcase, test_observers_hear);
	tcase_add_test(tcase, test_period);
	tcase_add_test(tcase, test_an_account_goes);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
