/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* An Observe of what was never read waits for its first value. */

#define SECONDS(n) ((n) * USEC_PER_SEC)
#define UNREAD "/3303/0/5700"

static void set_up(void)
{
	account_set_up();
	account_register();
}

START_TEST(test_first_value)
{
	struct message m;

	ck_assert_uint_eq(server_observe(UNREAD, 5, -1), CODE_EMPTY);
	peer_expect_silence();
	rig_advance(SECONDS(20));
	peer_expect_silence();
	account_set(UNREAD, value_float(19));
	server_expect_notification(5, "19", &m);
	ck_assert_int_eq(m.type, MESSAGE_CON); /* the separate response */
	rig_turn();
	account_set(UNREAD, value_float(20));
	server_expect_notification(5, "20", &m);
	ck_assert_int_eq(m.type, MESSAGE_NON);
}
END_TEST

/* A device that is offline, or goes so meanwhile, may come back. */
START_TEST(test_first_value_of_an_offline_device)
{
	const struct path path = { .ids = { 3303, 0, 5700 }, .depth = PATH_RESOURCE };
	struct message m;

	if (_i)
		store_set_quality(account.store, &path, STORE_OFFLINE);
	ck_assert_uint_eq(server_observe(UNREAD, 5, -1), CODE_EMPTY);
	store_set_quality(account.store, &path, STORE_OFFLINE);
	peer_expect_silence();
	store_set_quality(account.store, &path, STORE_NEVER);
	peer_expect_silence();
	account_set(UNREAD, value_float(19));
	server_expect_notification(5, "19", &m);
	/* One that has been read has its answer at once. */
	store_set_quality(account.store, &path, STORE_OFFLINE);
	ck_assert_uint_eq(server_observe(UNREAD, 6, -1), CODE(5, 03));
}
END_TEST

/* What it waits for goes before it has come. */
START_TEST(test_gone_before_the_first_value)
{
	const struct path path = { .ids = { 3303, 0, 5700 }, .depth = PATH_RESOURCE };
	struct message m;

	ck_assert_uint_eq(server_observe(UNREAD, 5, -1), CODE_EMPTY);
	if (_i)
		ck_assert_int_eq(store_remove_resource(account.store, &path), 0);
	else
		ck_assert_int_eq(store_remove_object(account.store, 3303), 0);
	rig_turn();
	server_expect_notification(5, NULL, &m);
	ck_assert_uint_eq(m.code, CODE(4, 04));
	ck_assert_int_eq(m.observe, -1);
}
END_TEST

START_TEST(test_no_first_value)
{
	struct message m;

	ck_assert_uint_eq(server_observe(UNREAD, 5, -1), CODE_EMPTY);
	rig_advance(SECONDS(29));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_notification(5, NULL, &m);
	ck_assert_int_eq(m.type, MESSAGE_CON);
	ck_assert_uint_eq(m.code, CODE(5, 03));
	ck_assert_int_eq(m.observe, -1);
	ck_assert_str_eq(server_body, "th1: words");
	rig_turn();
	account_set(UNREAD, value_float(20));
	peer_expect_silence();
}
END_TEST

START_TEST(test_observe_by_non)
{
	struct message m;

	server_request(&m, MESSAGE_NON, CODE_GET, UNREAD);
	m.observe = 0;
	m.token[0] = 5;
	peer_send(&m);
	peer_expect_silence();
	account_set(UNREAD, value_float(19));
	server_expect_notification(5, "19", &m);
	ck_assert_int_eq(m.type, MESSAGE_NON);
}
END_TEST

/* What will never be answered otherwise is not waited for. */
static const struct {
	const char *path;
	int32_t accept;
	uint8_t code;
} at_once[] = {
	{ UNREAD, FORMAT_OPAQUE, CODE(4, 06) },
	{ UNREAD, 9999, CODE(4, 06) },
	{ "/3303/7/5700", -1, CODE(4, 04) },
	{ "/3/0/4", -1, CODE(4, 05) },
	{ "/3303/0", -1, CODE(5, 03) },
};

START_TEST(test_refused_at_once)
{
	ck_assert_uint_eq(server_observe(at_once[_i].path, 5, at_once[_i].accept),
			  at_once[_i].code);
	account_set(UNREAD, value_float(20));
	peer_expect_silence();
}
END_TEST

START_TEST(test_cancelled_before_the_first_value)
{
	struct message m;

	ck_assert_uint_eq(server_observe(UNREAD, 5, -1), CODE_EMPTY);
	server_request(&m, MESSAGE_CON, CODE_GET, UNREAD);
	m.token[0] = 5;
	m.observe = 1;
	peer_send(&m);
	/* The waiting Observe ends, and the cancelling Read is answered. */
	for (int i = 0; i < 2; i++) {
		peer_receive(&m);
		ck_assert_uint_eq(m.code, CODE(5, 03));
		ck_assert_int_eq(m.observe, -1);
		if (m.type == MESSAGE_CON)
			peer_empty(MESSAGE_ACK, m.id);
	}
	rig_turn();
	account_set(UNREAD, value_float(20));
	peer_expect_silence();
}
END_TEST

START_TEST(test_waits_end_with_the_registration)
{
	struct message m;

	ck_assert_uint_eq(server_observe(UNREAD, 5, -1), CODE_EMPTY);
	client_stop(account.client);
	peer_receive(&m);
	account_set(UNREAD, value_float(20));
	/* Before the De-register, which nobody answers, is said again. */
	rig_advance(SECONDS(1));
	peer_expect_silence();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("first_value");
	TCase *tcase = tcase_create("first_value");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_test(tcase, test_first_value);
	tcase_add_loop_test(tcase, test_first_value_of_an_offline_device, 0, 2);
	tcase_add_loop_test(tcase, test_gone_before_the_first_value, 0, 2);
	tcase_add_test(tcase, test_no_first_value);
	tcase_add_test(tcase, test_observe_by_non);
	tcase_add_loop_test(tcase, test_refused_at_once, 0, ARRAY_SIZE(at_once));
	tcase_add_test(tcase, test_cancelled_before_the_first_value);
	tcase_add_test(tcase, test_waits_end_with_the_registration);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
