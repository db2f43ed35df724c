/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* Writes whose end the field decides: in time, late, or never. */

static void set_up(void)
{
	account_set_up();
	account_register();
}

#define RELAY "/3306/0/5850"

static void send_write(struct message *m)
{
	server_request(m, MESSAGE_CON, CODE_PUT, RELAY);
	m->content_format = FORMAT_TEXT;
	m->payload = span_of("1", 1);
	peer_send(m);
	rig_until(account.n_field > 0);
}

/* The 2.04 goes first, then what changed; until then the old value is served. */
START_TEST(test_answer_before_notification)
{
	struct message m, answer;

	ck_assert_uint_eq(server_observe(RELAY, 5, -1), CODE(2, 05));
	ck_assert_str_eq(server_body, "0");
	send_write(&m);
	ck_assert_str_eq(account.field, RELAY "=1");
	ck_assert_uint_eq(server_get(RELAY, -1), CODE(2, 05));
	ck_assert_str_eq(server_body, "0");
	account_field(0, NULL);
	peer_receive(&answer);
	ck_assert_int_eq(answer.type, MESSAGE_ACK);
	ck_assert_uint_eq(answer.id, m.id);
	ck_assert_uint_eq(answer.code, CODE(2, 04));
	server_expect_notification(5, "1", &answer);
}
END_TEST

START_TEST(test_late_answer)
{
	struct message m, answer;
	uint16_t id;

	send_write(&m);
	rig_advance(USEC_PER_SEC / 2);
	peer_expect_silence();
	rig_advance(USEC_PER_SEC / 2);
	peer_receive(&answer);
	ck_assert_int_eq(answer.type, MESSAGE_ACK);
	ck_assert_uint_eq(answer.code, CODE_EMPTY);
	ck_assert_uint_eq(answer.id, m.id);
	/* The server's retransmission is no second write. */
	peer_send(&m);
	peer_receive(&answer);
	ck_assert_uint_eq(answer.code, CODE_EMPTY);
	ck_assert_uint_eq(account.n_field, 1);
	account_field(0, NULL);
	peer_receive(&answer);
	ck_assert_int_eq(answer.type, MESSAGE_CON);
	ck_assert_uint_eq(answer.code, CODE(2, 04));
	ck_assert_uint_eq(answer.token[0], m.token[0]);
	id = answer.id;
	peer_send(&m);
	peer_receive(&answer);
	ck_assert_int_eq(answer.type, MESSAGE_ACK);
	ck_assert_uint_eq(account.n_field, 1);
	peer_empty(_i ? MESSAGE_RST : MESSAGE_ACK, id);
	rig_turn();
	/* Refused or not: the write stands. */
	ck_assert_uint_eq(server_get(RELAY, -1), CODE(2, 05));
	ck_assert_str_eq(server_body, "1");
	ck_assert_int_eq(client_state(account.client), CLIENT_REGISTERED);
}
END_TEST

START_TEST(test_duplicates_are_answered_from_memory)
{
	struct message m, answer;

	send_write(&m);
	account_field(0, NULL);
	for (int i = 0; i < 2; i++) {
		peer_receive(&answer);
		ck_assert_uint_eq(answer.code, CODE(2, 04));
		peer_send(&m);
	}
	peer_receive(&answer);
	ck_assert_uint_eq(answer.code, CODE(2, 04));
	ck_assert_uint_eq(account.n_field, 1);
}
END_TEST

/* configuration.md "Writes" */
static const struct {
	int error;
	uint8_t code;
} ends[] = {
	{ 0, CODE(2, 04) },	     { -EINVAL, CODE(4, 00) },	  { -ERANGE, CODE(4, 00) },
	{ -EPERM, CODE(4, 05) },     { -EHOSTDOWN, CODE(5, 03) }, { -EBUSY, CODE(5, 03) },
	{ -ETIMEDOUT, CODE(5, 04) }, { -EHOSTUNREACH, CODE(5, 04) }, { -EIO, CODE(5, 00) },
};

START_TEST(test_end_of_write)
{
	struct message m, answer;

	send_write(&m);
	account_field(ends[_i].error, "vfd1: words");
	peer_receive(&answer);
	ck_assert_uint_eq(answer.code, ends[_i].code);
	ck_assert_uint_eq(answer.payload.n, ends[_i].error ? strlen("vfd1: words") : 0);
	ck_assert_int_eq(answer.content_format, -1);
	ck_assert_uint_eq(server_get(RELAY, -1), CODE(2, 05));
	ck_assert_str_eq(server_body, ends[_i].error ? "0" : "1");
}
END_TEST

/* The endpoint or the account goes while the field still works. */
START_TEST(test_client_goes_first)
{
	struct message m;

	send_write(&m);
	account.client = client_free(account.client);
	store_set_watch(account.store, NULL, NULL);
	account_field(0, NULL);
	peer_expect_silence();
}
END_TEST

START_TEST(test_store_goes_first)
{
	struct message m, answer;

	send_write(&m);
	account.store = store_free(account.store);
	peer_receive(&answer);
	ck_assert_uint_eq(answer.code, CODE(5, 00));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("field");
	TCase *tcase = tcase_create("field");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_test(tcase, test_answer_before_notification);
	tcase_add_loop_test(tcase, test_late_answer, 0, 2);
	tcase_add_test(tcase, test_duplicates_are_answered_from_memory);
	tcase_add_loop_test(tcase, test_end_of_write, 0, ARRAY_SIZE(ends));
	tcase_add_test(tcase, test_client_goes_first);
	tcase_add_test(tcase, test_store_goes_first);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
