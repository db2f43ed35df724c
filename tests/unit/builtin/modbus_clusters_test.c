/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/builtin/modbus_rig.h"

/* Clusters of registers (10375). */

START_TEST(test_read)
{
	static const uint8_t want[] = { 3, 1, 0, 0, 3 };

	make(false);
	create_read("/10375/0", CLUSTER, 3);
	ck_assert_uint_eq(asked[0].connection, 4);
	ck_assert_uint_eq(asked[0].unit, 9);
	ck_assert_uint_eq(asked[0].size, sizeof(want));
	ck_assert_mem_eq(asked[0].pdu, want, sizeof(want));
	expect("/10375/0/5/2", "12");
	server_read("/10375/0/5");
	ck_assert_int_eq(ended, 0);
	answer_registers(3, 20);
	expect_error(0, NULL);
	expect("/10375/0/5/0", "20");
	server_read("/10375/0");
	answer(0, "", (const uint8_t[]){ 0x83, 2 }, 2);
	expect_error(-EIO, "exception 2");
	expect_unreadable("/10375/0/5/0");
	server_read("/10375/0");
	answer(-ETIMEDOUT, "bus yard: no answer", NULL, 0);
	expect_error(-ETIMEDOUT, "no answer");
	server_read("/10375/0");
	answer(0, "", (const uint8_t[]){ 3, 2, 0, 0 }, 4);
	expect_error(-EIO, "does not fit");
	refuses = -EBUSY;
	server_read("/10375/0");
	expect_error(-EBUSY, "too much");
	refuses = 0;
	server_read("/10375/0");
	answer_registers(3, 1);
	expect_error(0, NULL);
	expect("/10375/0/5/2", "3");
}
END_TEST

static void execute(const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	store_execute(store, &path, "", server_done, NULL);
}

START_TEST(test_extremes)
{
	make(false);
	create("/10375/0", CLUSTER);
	expect_unreadable("/10375/0/6/0");
	execute("/10375/0/8");
	expect_error(0, NULL);
	answer_registers(3, 10);
	expect("/10375/0/6/2", "12");
	expect("/10375/0/7/2", "12");
	server_read("/10375/0/5");
	answer_registers(3, 65533);
	server_read("/10375/0/5");
	answer_registers(3, 4);
	ended = 0;
	expect("/10375/0/6/0", "4");
	expect("/10375/0/7/0", "65533");
	server_read("/10375/0/5");
	answer(-ETIMEDOUT, "no answer", NULL, 0);
	ended = 0;
	expect("/10375/0/7/2", "65535");
	execute("/10375/0/8");
	expect_error(0, NULL);
	expect("/10375/0/6/2", "6");
	expect("/10375/0/7/2", "6");
	/* Of other registers. */
	server_write("/10375/0", STORE_UPDATE, "4=2");
	expect_error(0, NULL);
	expect_unreadable("/10375/0/7/0");
	answer_registers(2, 100);
	expect("/10375/0/7/1", "101");
	expect_unreadable("/10375/0/7/2");
	server_write("/10375/0", STORE_UPDATE, "6/0=1");
	expect_error(-EPERM, NULL);
}
END_TEST

START_TEST(test_settled_anew)
{
	make(false);
	create_read("/10375/0", CLUSTER, 3);
	server_read("/10375/0");
	server_write("/10375/0", STORE_UPDATE, "3=1 4=2");
	expect_error(0, NULL);
	expect_unreadable("/10375/0/5/0");
	/* The answer of before is none of it. */
	answer_registers(3, 50);
	ended = 0;
	expect_unreadable("/10375/0/5/0");
	answer_registers(2, 60);
	expect("/10375/0/5/1", "61");
	expect_unreadable("/10375/0/5/2");
	ck_assert_int_eq(store_delete(store, &(struct path){ .ids = { 10375, 0 }, .depth = 2 }), 0);
	create("/10375/0", "0=10374:7 1=1 2=255 3=0");
	ck_assert_uint_eq(asked[3].connection, 7);
	answer(0, "", (const uint8_t[]){ 1, 1, 0xff }, 3);
	expect("/10375/0/5/0", "1");
}
END_TEST

START_TEST(test_deleted_meanwhile)
{
	make(true);
	create_read("/10375/0", CLUSTER, 3);
	server_read("/10375/0");
	server_write("/10375/0/5", STORE_UPDATE, "5/0=1");
	ck_assert_int_eq(store_delete(store, &(struct path){ .ids = { 10375, 0 }, .depth = 2 }), 0);
	answer_registers(3, 50);
	expect_error(0, NULL);
	answer_write();
	ck_assert_int_eq(ended, 1);
	expect_unreadable("/10375/0/5/0");
}
END_TEST

static const struct {
	const char *contents;
	int error;
	const char *reason;
} refused[] = {
	{ "0=10374:4 1=3 2=9 3=0 4=126", -ERANGE, "125" },
	{ "0=10374:4 1=1 2=9 3=65000 4=600", -ERANGE, "65535" },
	{ "0=10374:4 1=3 2=0 3=0", -ERANGE, "everybody" },
	{ "0=10374:4 1=3 2=255 3=0", -ERANGE, "unit" },
	{ "0=10374:7 1=3 2=248 3=0", -ERANGE, "unit" },
	{ "0=10374:7 1=3 2=-1 3=0", -ERANGE, "unit" },
	{ "0=3:0 1=3 2=1 3=0", -EINVAL, "10374" },
	{ "0=10374:9 1=3 2=1 3=0", -EINVAL, NULL },
	{ "0=10374:4 1=5 2=1 3=0", -ERANGE, NULL },
	{ "0=10374:4 1=3 3=0", -EINVAL, NULL },
	{ "0=10374:4 1=3 2=1 3=0 5/0=7", -EINVAL, "settled" },
};

START_TEST(test_refused_cluster)
{
	make(true);
	server_write("/10375/0", STORE_CREATE, refused[_i].contents);
	expect_error(refused[_i].error, refused[_i].reason);
	ck_assert(!store_exists(store, &(struct path){ .ids = { 10375, 0 }, .depth = 2 }));
	ck_assert_uint_eq(n_asked, 0);
}
END_TEST

START_TEST(test_write)
{
	static const uint8_t together[] = { 16, 1, 0, 0, 3, 6, 0, 1, 0, 2, 0, 3 };
	static const uint8_t first[] = { 6, 1, 0, 0, 7 }, last[] = { 6, 1, 2, 0, 8 };

	make(true);
	create_read("/10375/0", CLUSTER, 3);
	server_write("/10375/0/5", STORE_REPLACE, "5/2=3 5/0=1 5/1=2");
	ck_assert_uint_eq(n_asked, 2);
	ck_assert_uint_eq(asked[1].size, sizeof(together));
	ck_assert_mem_eq(asked[1].pdu, together, sizeof(together));
	answer_write();
	expect_error(0, NULL);
	expect("/10375/0/5/1", "2");
	/* What the device made of it. */
	answer_registers(3, 1);
	server_write("/10375/0/5", STORE_UPDATE, "5/0=7 5/2=8");
	ck_assert_mem_eq(asked[3].pdu, first, sizeof(first));
	answer_write();
	ck_assert_int_eq(ended, 0);
	ck_assert_mem_eq(asked[4].pdu, last, sizeof(last));
	answer(0, "", (const uint8_t[]){ 0x86, 4 }, 2);
	expect_error(-EREMOTEIO, "exception 4");
	/* Half of it was done: it is looked at. */
	ck_assert_uint_eq(asked[5].pdu[0], 3);
	answer_registers(3, 7);
	expect("/10375/0/5/0", "7");
	server_write("/10375/0/5", STORE_UPDATE, "5/0=1");
	answer(0, "", (const uint8_t[]){ 6, 1, 0, 0, 2 }, 5);
	expect_error(-EIO, "does not fit");
}
END_TEST

static const struct {
	const char *target;
	enum store_write_mode mode;
	const char *contents;
	int error;
} refused_values[] = {
	{ "/10375/0/5", STORE_REPLACE, "5/0=1 5/1=2", -EINVAL },
	{ "/10375/0/5", STORE_UPDATE, "5/3=1", -EINVAL },
	{ "/10375/0/5", STORE_UPDATE, "5/0=65536", -ERANGE },
	{ "/10375/0", STORE_UPDATE, "3=9 5/0=1", -EINVAL },
	{ "/10375/1/5", STORE_UPDATE, "5/0=2", -ERANGE },
	{ "/10375/2/5", STORE_UPDATE, "5/0=1", -EPERM },
};

static void make_three(bool change)
{
	make(change);
	create_read("/10375/0", CLUSTER, 3);
	create("/10375/1", "0=10374:4 1=1 2=9 3=0");
	answer(0, "", (const uint8_t[]){ 1, 1, 0 }, 3);
	create_read("/10375/2", "0=10374:4 1=4 2=9 3=0", 1);
}

START_TEST(test_refused_values)
{
	make_three(true);
	server_write(refused_values[_i].target, refused_values[_i].mode, refused_values[_i].contents);
	expect_error(refused_values[_i].error, NULL);
	ck_assert_uint_eq(n_asked, 3);
}
END_TEST

START_TEST(test_read_only)
{
	make_three(false);
	server_write("/10375/0/5", STORE_UPDATE, "5/0=1");
	expect_error(-EPERM, "read only");
	ck_assert_uint_eq(n_asked, 3);
}
END_TEST

START_TEST(test_limits)
{
	char target[32];

	make(false);
	for (unsigned i = 0; i < 64; i++) {
		snprintf(target, sizeof(target), "/10375/%u", i);
		create_read(target, CLUSTER, 3);
	}
	server_write("/10375/64", STORE_CREATE, CLUSTER);
	expect_error(-EINVAL, "64");
	/* Eight at once; the rest has its turn as they end. */
	server_read("/10375");
	ck_assert_uint_eq(n_asked, 64 + 8);
	for (unsigned i = 0; i < 64; i++)
		answer_registers(3, 5);
	expect_error(0, NULL);
	ck_assert_uint_eq(n_asked, 128);
	/* 256 wait at most. */
	for (unsigned i = 0; i < 4; i++)
		server_read("/10375");
	ck_assert_int_eq(ended, 0);
	server_read("/10375/0");
	expect_error(-EBUSY, "too much");
	refuses = -EHOSTDOWN;
	for (unsigned i = 0; i < 8; i++)
		answer(-ECANCELED, "", NULL, 0);
	ck_assert_int_eq(ended, 4);
}
END_TEST

static const uint16_t observable[] = { 5, 6, 7 };

START_TEST(test_observed)
{
	make(false);
	create_read("/10375/0", CLUSTER, 3);
	clock_advance(10 * USEC_PER_SEC);
	timers_run(timers);
	ck_assert_uint_eq(n_asked, 1);
	observed = observable[_i];
	clock_advance(10 * USEC_PER_SEC);
	timers_run(timers);
	ck_assert_uint_eq(n_asked, 2);
	/* One that is slow is not asked twice. */
	clock_advance(10 * USEC_PER_SEC);
	timers_run(timers);
	ck_assert_uint_eq(n_asked, 2);
	answer_registers(3, 33);
	expect("/10375/0/5/0", "33");
}
END_TEST

START_TEST(test_adopted)
{
	const struct path quantity = path_of_resource(10375, 3, 4);
	struct record records[] = {
		{ .path = path_of_resource(10375, 3, 0), .value = value_objlnk(10374, 4) },
		{ .path = path_of_resource(10375, 3, 1), .value = value_integer(3) },
		{ .path = path_of_resource(10375, 3, 2), .value = value_integer(9) },
		{ .path = path_of_resource(10375, 3, 3), .value = value_integer(256) },
		{ .path = quantity, .value = value_integer(2) },
	};

	make(false);
	ck_assert_int_eq(store_add_instance(store, definitions_newest(definitions, 10375), 3), 0);
	ck_assert_int_eq(store_update(store, records, 5), 0);
	ck_assert_int_eq(builtin_clusters_adopt(builtin), 0);
	ck_assert_uint_eq(n_asked, 0);
	server_read("/10375/3/5");
	answer_registers(2, 4);
	expect_error(0, NULL);
	expect("/10375/3/5/1", "5");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("modbus_clusters");
	TCase *tcase = tcase_create("modbus_clusters");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, modbus_set_up, rig_tear_down);
	tcase_add_test(tcase, test_read);
	tcase_add_test(tcase, test_extremes);
	tcase_add_test(tcase, test_settled_anew);
	tcase_add_test(tcase, test_deleted_meanwhile);
	tcase_add_loop_test(tcase, test_refused_cluster, 0, ARRAY_SIZE(refused));
	tcase_add_test(tcase, test_write);
	tcase_add_loop_test(tcase, test_refused_values, 0, ARRAY_SIZE(refused_values));
	tcase_add_test(tcase, test_read_only);
	tcase_add_test(tcase, test_limits);
	tcase_add_loop_test(tcase, test_observed, 0, ARRAY_SIZE(observable));
	tcase_add_test(tcase, test_adopted);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
