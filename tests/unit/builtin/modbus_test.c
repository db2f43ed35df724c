/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/unit/builtin/modbus_rig.h"

/* Connections (10374), and both objects over another configuration. */

START_TEST(test_connection)
{
	make(false);
	expect("/10374/4/0", "/dev/ttyS1");
	expect("/10374/4/1", "2");
	expect("/10374/4/2", "1");
	expect("/10374/4/3", "19200");
	expect("/10374/4/5", "2");
	expect("/10374/4/6", "1");
	expect("/10374/4/7/1", "/dev/ttyS2");
	expect("/10374/4/8", "1");
	expect_unreadable("/10374/7/3");
	builtin_connection_state(builtin, 4, BUILTIN_CONNECTION_CONNECTED);
	expect("/10374/4/8", "2");
	builtin_connection_state(builtin, 5, BUILTIN_CONNECTION_ERROR);
	expect_unreadable("/10374/5/8");
	/* What YAML says stays, and what only reads cannot switch. */
	server_write("/10374/4", STORE_UPDATE, "3=9600");
	expect_error(-EPERM, "YAML");
	server_write("/10374/4", STORE_UPDATE, "3=19200 2=1");
	expect_error(0, NULL);
	server_write("/10374/4", STORE_UPDATE, "2=0");
	expect_error(-EPERM, "read only");
	ck_assert_int_ne(enabled, 0);
}
END_TEST

START_TEST(test_ports_are_listed_when_asked)
{
	make(false);
	ports_found[1] = NULL;
	ports_found[0] = "/dev/ttyUSB0";
	server_read("/10374/4/7");
	expect_error(0, NULL);
	expect("/10374/4/7/0", "/dev/ttyUSB0");
	expect_unreadable("/10374/4/7/1");
	ports_found[0] = NULL;
	server_read("/10374/4");
	expect_unreadable("/10374/4/7/0");
	ck_assert_int_eq(store_quality(store, &(struct path){ .ids = { 10374, 4, 7 }, .depth = 3 }), STORE_GOOD);
}
END_TEST

START_TEST(test_switch)
{
	make(true);
	server_write("/10374/4", STORE_UPDATE, "2=0");
	expect_error(0, NULL);
	ck_assert_int_eq(enabled, 0);
	server_write("/10374/7", STORE_UPDATE, "2=0");
	expect_error(-EPERM, "other connections");
}
END_TEST

START_TEST(test_not_there)
{
	static const struct builtin_values none = { 0 };

	ck_assert_int_eq(builtin_new(store, definitions, &none, &ports, NULL, &builtin), 0);
	ck_assert(!store_exists(store, &(struct path){ .ids = { 10374 }, .depth = 1 }));
	ck_assert(!store_exists(store, &(struct path){ .ids = { 10375 }, .depth = 1 }));
	builtin_connection_state(builtin, 4, BUILTIN_CONNECTION_ERROR);
	ck_assert_int_eq(builtin_clusters_adopt(builtin), 0);
}
END_TEST

/* ---- another configuration ---- */

static void reload(bool change, const struct builtin_connection *now, size_t n)
{
	const struct builtin_modbus modbus = { timers, change, now, n };
	const struct builtin_values values = { .modbus = now ? &modbus : NULL };

	ck_assert_int_eq(builtin_reload(builtin, definitions, &values), 0);
}

START_TEST(test_same_connections)
{
	make(true);
	create_read("/10375/0", CLUSTER, 3);
	builtin_connection_state(builtin, 4, BUILTIN_CONNECTION_CONNECTED);
	reload(true, connections, 2);
	expect("/10374/4/8", "2");
	expect("/10374/4/3", "19200");
	expect("/10375/0/5/0", "10");
	expect("/10375/0/7/2", "12");
	server_write("/10375/0", STORE_UPDATE, "5/0=8");
	answer_write();
	expect_error(0, NULL);
}
END_TEST

START_TEST(test_other_settings)
{
	const struct builtin_connection now[] = {
		{ .id = 4, .address = "/dev/ttyS1", .layer = 1, .serial = true, .baud = 9600, .stop_bits = 2, .enabled = true,
		  .shared = true },
		{ .id = 9, .address = "10.0.0.9:502", .enabled = true },
	};

	make(true);
	create_read("/10375/0", CLUSTER, 3);
	reload(false, now, 2);
	expect("/10374/4/1", "1");
	expect("/10374/4/3", "9600");
	expect("/10374/4/4", "2");
	expect("/10374/4/5", "0");
	expect_unreadable("/10374/7/0");
	expect("/10374/9/0", "10.0.0.9:502");
	expect_unreadable("/10374/9/3");
	expect("/10375/0/5/0", "10");
	server_write("/10374/4", STORE_UPDATE, "2=0");
	expect_error(-EPERM, "read only");
	server_write("/10375/0", STORE_UPDATE, "5/0=8");
	expect_error(-EPERM, "read only");
	/* A line of the same number by another transport. */
	reload(true, &(struct builtin_connection){ .id = 4, .address = "10.0.0.4:502", .enabled = true }, 1);
	expect("/10374/4/0", "10.0.0.4:502");
	expect_unreadable("/10374/4/3");
	expect_unreadable("/10374/9/0");
}
END_TEST

/* The connection of a cluster goes, and comes back. */
START_TEST(test_clusters_follow)
{
	make(true);
	create_read("/10375/0", CLUSTER, 3);
	create("/10375/1", "0=10374:7 1=3 2=1 3=0 4=1");
	reload(true, &connections[1], 1);
	expect_unreadable("/10375/0/5/0");
	expect_unreadable("/10375/0/6/0");
	expect("/10375/0/3", "256");
	server_write("/10375/0", STORE_UPDATE, "5/0=8");
	expect_error(-EINVAL, NULL);
	/* What was asked before ends as it would have. */
	answer_registers(1, 77);
	expect("/10375/1/5/0", "77");
	reload(true, connections, 2);
	expect_unreadable("/10375/0/5/0");
	expect("/10375/1/5/0", "77");
	server_read("/10375/0/5");
	answer_registers(3, 20);
	expect_error(0, NULL);
	expect("/10375/0/5/2", "22");
}
END_TEST

/* Switched off in YAML and on again; what was asked has ended before. */
START_TEST(test_objects_off)
{
	const struct path object = { .ids = { 10374 }, .depth = 1 }, cluster = { .ids = { 10375 }, .depth = 1 };

	make(true);
	create_read("/10375/0", CLUSTER, 3);
	reload(true, NULL, 0);
	ck_assert(!store_exists(store, &object));
	ck_assert(!store_exists(store, &cluster));
	clock_advance(11 * USEC_PER_SEC);
	timers_run(timers);
	builtin_connection_state(builtin, 4, BUILTIN_CONNECTION_CONNECTED);
	reload(true, connections, 2);
	expect("/10374/4/0", "/dev/ttyS1");
	create_read("/10375/0", CLUSTER, 3);
	expect("/10375/0/5/0", "10");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("modbus");
	TCase *tcase = tcase_create("modbus");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, modbus_set_up, rig_tear_down);
	tcase_add_test(tcase, test_connection);
	tcase_add_test(tcase, test_ports_are_listed_when_asked);
	tcase_add_test(tcase, test_switch);
	tcase_add_test(tcase, test_not_there);
	tcase_add_test(tcase, test_same_connections);
	tcase_add_test(tcase, test_other_settings);
	tcase_add_test(tcase, test_clusters_follow);
	tcase_add_test(tcase, test_objects_off);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
