/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "transfer_rig.h"

/* Models of a chain in the device's registers: each on TCP (0) and RTU (1). */

/* Models 1, 103, 123. */
static void put_chain(const char *address)
{
	char command[200];

	snprintf(command, sizeof(command),
		 "set holding %s 0x5375 0x6e53 1 2 0 0 103 3 7 0xfffe 9 123 1 50 0xffff 0",
		 address);
	ask(command);
}

START_TEST(a_chain_is_walked_once)
{
	int before;

	start(_i);
	put_chain("40000");
	before = requests();
	reads(POWER, -2);
	ck_assert_int_eq(requests(),
			 before + 1 + 4 + 1); /* SunS, three models and the end, the register */
	reads(POWER, -2);
	reads(LIMIT, 50);
	reads(ID, 123);
	ck_assert_int_eq(requests(), before + 9);
	/* A missing model, and registers behind the end of one, cost no request. */
	reads_nothing(BATTERY);
	reads_nothing(FAR);
	ck_assert_int_eq(requests(), before + 9);
	writes(LIMIT, number(60), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 40013"), "60");
	writes(BATTERY, number(1), FIELDWAY_NOT_SENT, -ENXIO);
	ck_assert_str_eq(f.result.detail, "the device has no model 802 + 2");
	writes(FAR, number(1), FIELDWAY_NOT_SENT, -ENXIO);
	stop();
}
END_TEST

START_TEST(a_write_walks_too)
{
	start(_i);
	put_chain("40000");
	writes(LIMIT, number(60), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 40013"), "60");
	stop();
}
END_TEST

START_TEST(no_chain_is_an_error)
{
	start(_i);
	fails(POWER, -EREMOTEIO);
	ck_assert_str_eq(f.result.detail, "there is no \"SunS\" at address 40000");
	writes(LIMIT, number(60), FIELDWAY_NOT_SENT, -EREMOTEIO);
	ask("only 0 40000");
	ask("exception 2");
	fails(POWER, -EREMOTEIO);
	writes(LIMIT, number(60), FIELDWAY_NOT_SENT, -EREMOTEIO);
	reads(PLAIN, 0);
	ask("talk");
	put_chain("40000");
	reads(POWER, -2);
	stop();
}
END_TEST

/* Other modules: a block is gone and the next one has moved up. */
static void move_chain(void)
{
	ask("set holding 40002 103 3 7 8 9 123 1 50 0xffff 0");
}

START_TEST(a_chain_is_walked_again)
{
	start(_i);
	put_chain("40000");
	reads(POWER, -2);
	/* After silence. */
	move_chain();
	ask("silent");
	fails(PLAIN, -ETIMEDOUT);
	ask("talk");
	reads(POWER, 8);
	/* Where another ID shows. */
	put_chain("40000");
	fails(ID, -EBUSY);
	reads(ID, 123);
	reads(POWER, -2);
	/* After exception 2. */
	move_chain();
	ask("exception 2");
	fails(POWER, -ENXIO);
	ask("talk");
	reads(POWER, 8);
	stop();
}
END_TEST

/* Where its predecessor had the model is something else. */
START_TEST(a_swapped_device_is_not_written_to)
{
	start(_i);
	put_chain("40000");
	reads(POWER, -2);
	move_chain();
	writes(LIMIT, number(60), FIELDWAY_NOT_SENT, -EBUSY);
	ck_assert_str_eq(ask("get holding 40011 3"), "0 1 50");
	writes(LIMIT, number(60), FIELDWAY_ACCEPTED, 0);
	ck_assert_str_eq(ask("get holding 40007 3"), "123 1 60");
	stop();
}
END_TEST

/* A slow device, a long chain, and little time: each request gets some steps further. */
START_TEST(a_walk_that_takes_long_goes_on)
{
	const uint32_t point = POWER;
	struct fieldway_sample sample;
	int r, rounds = 0, before;

	start(_i);
	put_chain("40000");
	ask("exception 4"); /* a line that was opened just now is silent at first */
	fails(POWER, -EREMOTEIO);
	ask("talk");
	ask("delay 50");
	before = requests();
	do {
		r = read_until(&point, 1, deadline(270000), &sample);
		rounds++;
	} while (r == -EBUSY);
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(sample.value.integer, -2);
	ck_assert_int_gt(rounds, 1);
	ck_assert_int_lt(requests(), before + 30);
	stop();
}
END_TEST

START_TEST(a_walk_that_fails_begins_anew)
{
	start(_i);
	put_chain("40000");
	ask("only 0 40006");
	ask("silent");
	fails(POWER, -ETIMEDOUT);
	ask("talk");
	ask("only 0 40006");
	ask("exception 4");
	fails(POWER, -EREMOTEIO);
	ask("talk");
	reads(POWER, -2);
	stop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/chain");
	TCase *t = tcase_create("chain");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, a_chain_is_walked_once, 0, 2);
	tcase_add_loop_test(t, a_write_walks_too, 0, 2);
	tcase_add_loop_test(t, no_chain_is_an_error, 0, 2);
	tcase_add_loop_test(t, a_chain_is_walked_again, 0, 2);
	tcase_add_loop_test(t, a_swapped_device_is_not_written_to, 0, 2);
	tcase_add_loop_test(t, a_walk_that_takes_long_goes_on, 0, 2);
	tcase_add_loop_test(t, a_walk_that_fails_begins_anew, 0, 2);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
