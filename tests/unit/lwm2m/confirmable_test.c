/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/lwm2m/account.h"

/* Confirmable notifications (RFC 7641 4.5). */

#define SECONDS(n) ((n) * USEC_PER_SEC)
#define VALUE "/3303/1/5700"

static void set_up(void)
{
	account_set_up();
	account_register();
}

/* With the token 5. */
static void observe(const char *first)
{
	ck_assert_uint_eq(server_observe(VALUE, 5, -1), CODE(2, 05));
	ck_assert_str_eq(server_body, first);
}

/* RFC 7641 4.5: one a day. */
START_TEST(test_daily_confirmable)
{
	struct message m;

	observe("21.5");
	rig_advance(USEC_PER_DAY - 1 - SECONDS(60));
	account_set(VALUE, value_float(22));
	for (;;) {
		peer_receive(&m);
		if (!message_is_path(&m, "/rd/1"))
			break;
		peer_answer(&m, CODE(2, 04));
	}
	ck_assert_int_eq(m.type, MESSAGE_NON);
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	rig_advance(SECONDS(61));
	account_set(VALUE, value_float(23));
	server_expect_notification(5, "23", &m);
	ck_assert_int_eq(m.type, MESSAGE_CON);
	rig_turn();
	account_set(VALUE, value_float(24));
	server_expect_notification(5, "24", &m);
	ck_assert_int_eq(m.type, MESSAGE_NON);
}
END_TEST

/* While one is on its way the next waits, and is then the newest value. */
START_TEST(test_one_confirmable_at_a_time)
{
	struct message m;

	account_set("/1/0/26", value_integer(1));
	observe("21.5");
	account_set(VALUE, value_float(22));
	peer_receive(&m);
	account_set(VALUE, value_float(23));
	account_set(VALUE, value_float(24));
	peer_expect_silence();
	peer_empty(MESSAGE_ACK, m.id);
	server_expect_notification(5, "24", &m);
	peer_expect_silence();
}
END_TEST

static void expect_confirmable(const char *text, struct message *m)
{
	peer_receive(m);
	ck_assert_int_eq(m->type, MESSAGE_CON);
	ck_assert_uint_eq(m->token[0], 5);
	ck_assert_uint_eq(m->payload.n, strlen(text));
	ck_assert_mem_eq(m->payload.p, text, m->payload.n);
}

/* RFC 7641 4.5.2: what goes again is the newest that is due. */
START_TEST(test_superseded)
{
	struct message m;
	uint16_t id;
	int32_t number;

	account_set("/1/0/26", value_integer(1));
	ck_assert_uint_eq(server_attributes(VALUE, "pmin=5"), CODE(2, 04));
	observe("21.5");
	account_set(VALUE, value_float(22));
	rig_advance(SECONDS(5));
	expect_confirmable("22", &m);
	id = m.id;
	number = m.observe;
	/* 23 is not due before pmin is over. */
	account_set(VALUE, value_float(23));
	rig_advance(SECONDS(3));
	expect_confirmable("22", &m);
	ck_assert_uint_eq(m.id, id);
	ck_assert_int_eq(m.observe, number);
	account_set(VALUE, value_float(24));
	rig_advance(SECONDS(6));
	expect_confirmable("24", &m);
	ck_assert_uint_ne(m.id, id);
	ck_assert_int_gt(m.observe, number);
	/* The periods are those of the newer one. */
	account_set(VALUE, value_float(25));
	peer_empty(MESSAGE_ACK, m.id);
	rig_advance(SECONDS(4));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_notification(5, "25", &m);
	rig_turn();
	peer_expect_silence();
}
END_TEST

/* Nor is it a newer one that the server may not read, or that is of another Observe. */
START_TEST(test_not_superseded)
{
	struct message m;
	uint16_t id;

	account_set("/1/0/26", value_integer(1));
	observe("21.5");
	account_set(VALUE, value_float(22));
	expect_confirmable("22", &m);
	id = m.id;
	if (_i == 0) {
		observe("22");
		account_set(VALUE, value_float(23));
	} else {
		account_set_quality(VALUE, STORE_STALE);
	}
	rig_advance(SECONDS(3));
	expect_confirmable("22", &m);
	ck_assert_uint_eq(m.id, id);
}
END_TEST

/* Nobody acknowledged it: the connection is lost, and without security its next address is a stranger's. */
START_TEST(test_lost_confirmable)
{
	struct message m;

	account_set("/1/0/26", value_integer(1));
	observe("21.5");
	account_set(VALUE, value_float(31));
	for (int i = 0; i < 5; i++) {
		peer_receive(&m);
		ck_assert_uint_eq(m.code, CODE(2, 05));
		rig_advance(SECONDS(48));
	}
	do
		peer_receive(&m);
	while (!message_is_path(&m, "/rd"));
	server_registers(&m);
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	account_set(VALUE, value_float(32));
	peer_expect_silence();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("confirmable");
	TCase *tcase = tcase_create("confirmable");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_test(tcase, test_daily_confirmable);
	tcase_add_test(tcase, test_one_confirmable_at_a_time);
	tcase_add_test(tcase, test_superseded);
	tcase_add_loop_test(tcase, test_not_superseded, 0, 2);
	tcase_add_test(tcase, test_lost_confirmable);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
