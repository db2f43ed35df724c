/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* Notifications that wait for a server that is away: /1/x/6 and hqmax. */

#define SECONDS(n) ((n) * USEC_PER_SEC)
#define VALUE "/3303/1/5700"

static void set_up(void)
{
	account_set_up();
	account_set("/1/0/5", value_integer(600));
	account_register();
}

static void observe(uint8_t token, int32_t accept)
{
	ck_assert_uint_eq(server_observe(VALUE, token, accept), CODE(2, 05));
	ck_assert_int_ge(server_observe_number, 0);
}

static void be_disabled(void)
{
	struct message m;

	client_disable(account.client);
	rig_advance(SECONDS(1));
	peer_receive(&m);
	ck_assert_uint_eq(m.code, CODE_DELETE);
	peer_answer(&m, CODE(2, 02));
	rig_until(client_state(account.client) == CLIENT_DISABLED);
}

static void register_again(void)
{
	struct message m;

	do
		peer_receive(&m);
	while (!message_is_path(&m, "/rd"));
	server_registers(&m);
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
}

static void measure(double value)
{
	rig_advance(SECONDS(20));
	account_set(VALUE, value_float(value));
}

/* "1 2.5 ": the numbers of a SenML JSON pack, each with a time of its own. */
static const char *numbers(void)
{
	static char text[128];
	const char *at = server_body;
	size_t used = 0;

	text[0] = 0;
	while ((at = strstr(at, "\"v\":"))) {
		at += 4;
		used += snprintf(text + used, sizeof(text) - used, "%.*s ", (int)strcspn(at, ",}"), at);
	}
	return text;
}

START_TEST(test_disabled)
{
	struct message m;

	ck_assert_uint_eq(server_attributes(VALUE, "hqmax=3"), CODE(2, 04));
	observe(5, FORMAT_SENML_JSON);
	be_disabled();
	for (int i = 1; i <= 4; i++)
		measure(i);
	rig_advance(SECONDS(600));
	register_again();
	peer_expect_silence();
	observe(6, FORMAT_SENML_JSON);
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_notification(6, NULL, &m);
	ck_assert_int_eq(m.type, MESSAGE_CON);
	ck_assert_str_eq(numbers(), "2 3 4 ");
	ck_assert_ptr_nonnull(strstr(server_body, "\"t\":"));
	rig_turn();
	/* That was all. */
	peer_expect_silence();
	account_set(VALUE, value_float(5));
	server_expect_notification(6, NULL, &m);
	ck_assert_str_eq(numbers(), "5 ");
}
END_TEST

/* Where the server wants nothing stored, or has a format without times, its first answer is all. */
START_TEST(test_not_stored)
{
	account_set("/1/0/6", value_boolean(_i == 1));
	ck_assert_uint_eq(server_attributes(VALUE, "hqmax=3"), CODE(2, 04));
	observe(5, _i == 1 ? FORMAT_TEXT : FORMAT_SENML_JSON);
	be_disabled();
	measure(1);
	measure(2);
	rig_advance(SECONDS(600));
	register_again();
	observe(6, FORMAT_SENML_JSON);
	rig_advance(SECONDS(10));
	peer_expect_silence();
}
END_TEST

/* Without security a server that does not answer is registered at anew: what it did not get is stored. */
START_TEST(test_lost)
{
	struct message m;

	ck_assert_uint_eq(server_attributes(VALUE, "hqmax=9&con=1"), CODE(2, 04));
	observe(5, FORMAT_SENML_JSON);
	account_set(VALUE, value_float(1));
	for (int i = 0; i < 5; i++) {
		peer_receive(&m);
		ck_assert_uint_eq(m.code, CODE(2, 05));
		/* What is to be stored is not superseded: the server is told all of it. */
		account_set(VALUE, value_float(2));
		rig_advance(SECONDS(48));
	}
	register_again();
	observe(6, FORMAT_SENML_JSON);
	rig_advance(SECONDS(1));
	server_expect_notification(6, NULL, &m);
	ck_assert_str_eq(numbers(), "1 2 ");
}
END_TEST

/* What one message cannot carry is given up, and the newest told instead. */
START_TEST(test_too_large)
{
	static const char path[] = "/3303/1/5750";
	static char text[30000];
	struct message m;

	memset(text, 1, sizeof(text) - 1);
	account_set_text(path, "begin");
	ck_assert_uint_eq(server_attributes(path, "hqmax=3"), CODE(2, 04));
	ck_assert_uint_eq(server_observe(path, 5, FORMAT_SENML_JSON), CODE(2, 05));
	be_disabled();
	for (char c = '0'; c < '2'; c++) {
		text[0] = c;
		rig_advance(SECONDS(20));
		account_set_text(path, text);
	}
	rig_advance(SECONDS(20));
	account_set_text(path, "end");
	rig_advance(SECONDS(600));
	register_again();
	ck_assert_uint_eq(server_observe(path, 6, FORMAT_SENML_JSON), CODE(2, 05));
	rig_advance(SECONDS(1));
	server_expect_notification(6, NULL, &m);
	ck_assert_ptr_nonnull(strstr(server_body, "\"end\""));
	rig_advance(SECONDS(20));
	peer_expect_silence();
}
END_TEST

/* Who may not read it any more is not told what it was either. */
START_TEST(test_rights_have_gone)
{
	struct message m;

	ck_assert_uint_eq(server_attributes(VALUE, "hqmax=3"), CODE(2, 04));
	observe(5, FORMAT_SENML_JSON);
	be_disabled();
	measure(1);
	measure(2);
	rig_advance(SECONDS(600));
	register_again();
	observe(6, FORMAT_SENML_JSON);
	ck_assert_int_eq(store_add_instance(account.store, definitions_newest(account.definitions, 1), 1), 0);
	server_expect_update("", true);
	rig_advance(SECONDS(1));
	peer_receive(&m);
	ck_assert_uint_eq(m.code, CODE(4, 01));
	rig_advance(SECONDS(20));
	peer_expect_silence();
}
END_TEST

/* What is to be stored gets a format that has times. */
START_TEST(test_format)
{
	ck_assert_uint_eq(server_attributes(VALUE, "hqmax=3"), CODE(2, 04));
	observe(5, -1);
	ck_assert_int_eq(server_format, FORMAT_SENML_CBOR);
	ck_assert_uint_eq(server_attributes(VALUE, "hqmax=0"), CODE(2, 04));
	observe(5, -1);
	ck_assert_int_eq(server_format, FORMAT_TEXT);
}
END_TEST

/* Who stops does not come back for it. */
START_TEST(test_stopped)
{
	struct message m;

	ck_assert_uint_eq(server_attributes(VALUE, "hqmax=3"), CODE(2, 04));
	observe(5, FORMAT_SENML_JSON);
	client_stop(account.client);
	peer_receive(&m);
	peer_answer(&m, CODE(2, 02));
	rig_until(client_state(account.client) == CLIENT_STOPPED);
	measure(1);
	client_start(account.client);
	register_again();
	observe(6, FORMAT_SENML_JSON);
	rig_advance(SECONDS(10));
	peer_expect_silence();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stored");
	TCase *tcase = tcase_create("stored");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_test(tcase, test_disabled);
	tcase_add_loop_test(tcase, test_not_stored, 0, 2);
	tcase_add_test(tcase, test_lost);
	tcase_add_test(tcase, test_too_large);
	tcase_add_test(tcase, test_rights_have_gone);
	tcase_add_test(tcase, test_format);
	tcase_add_test(tcase, test_stopped);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
