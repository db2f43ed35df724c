/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/transport/rig.h"

/* Requests of the peer, and what it is answered. */

START_TEST(duplicate_put_runs_once)
{
	struct message put, m;
	const void *datagram;
	uint8_t first[64];
	size_t n, again;

	rig_connect();
	peer_request(&put, MESSAGE_CON, CODE_PUT, 0x1000, "/3303/0/5700");
	put.payload = span_of("21", 2);
	peer_send(&put);
	peer_receive(&m);
	ck_assert_uint_eq(m.type, MESSAGE_ACK);
	ck_assert_uint_eq(m.code, CODE(2, 4));
	ck_assert_uint_eq(m.id, 0x1000);
	ck_assert_uint_eq(m.token[0], 0x77);
	ck_assert_uint_eq(rig.n_acked, 1);
	ck_assert_str_eq(rig.request_path, "/3303/0/5700");
	datagram = peer_datagram(&n);
	memcpy(first, datagram, n);
	peer_send(&put);
	peer_receive(&m);
	datagram = peer_datagram(&again);
	ck_assert_uint_eq(n, again);
	ck_assert_int_eq(memcmp(first, datagram, n), 0);
	ck_assert_uint_eq(rig.n_requests, 1);
	ck_assert_uint_eq(session_counters(rig.session)->duplicates, 1);
	ck_assert_uint_eq(rig.transport->n_answers, 1);
	/* After EXCHANGE_LIFETIME the id is free for something new. */
	rig_advance(EXCHANGE_LIFETIME_USEC);
	ck_assert_uint_eq(rig.transport->n_answers, 0);
	peer_send(&put);
	peer_receive(&m);
	ck_assert_uint_eq(rig.n_requests, 2);
}
END_TEST

START_TEST(kept_are_all_but_plain_reads)
{
	static const struct {
		uint8_t code;
		int32_t observe;
		unsigned runs;
	} cases[] = {
		{ CODE_GET, -1, 2 }, { CODE_FETCH, -1, 2 }, { CODE_GET, 0, 1 },
		{ CODE_FETCH, 1, 1 }, { CODE_POST, -1, 1 }, { CODE_DELETE, -1, 1 }, { CODE_IPATCH, -1, 1 },
	};
	struct message m, answer;

	rig_connect();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned before = rig.n_requests;

		for (unsigned type = MESSAGE_CON; type <= MESSAGE_NON; type++) {
			peer_request(&m, (uint8_t)type, cases[i].code, (uint16_t)(i * 2 + type), "/1/2/3");
			m.observe = cases[i].observe;
			peer_send(&m);
			peer_receive(&answer);
			peer_send(&m);
			if (type == MESSAGE_CON || cases[i].runs == 2)
				peer_receive(&answer);
		}
		peer_expect_silence();
		ck_assert_uint_eq(rig.n_requests - before, 2 * cases[i].runs);
	}
}
END_TEST

START_TEST(slow_answer_is_separate)
{
	struct message put, m, response;

	rig_connect();
	rig.hold = true;
	peer_request(&put, MESSAGE_CON, CODE_PUT, 0x2000, "/1/2");
	peer_send(&put);
	rig_until(rig.n_requests == 1);
	peer_expect_silence();
	peer_send(&put); /* a duplicate of what is still being done */
	peer_expect_silence();
	rig_advance(PIGGYBACK_USEC);
	peer_receive(&m);
	ck_assert_uint_eq(m.type, MESSAGE_ACK);
	ck_assert_uint_eq(m.code, CODE_EMPTY);
	ck_assert_uint_eq(m.id, 0x2000);
	peer_send(&put);
	peer_receive(&m);
	ck_assert_uint_eq(m.code, CODE_EMPTY);
	message_init(&response, MESSAGE_ACK, CODE(2, 4));
	exchange_respond(rig.held[0], &response, rig_acked, NULL);
	peer_receive(&m);
	ck_assert_uint_eq(m.type, MESSAGE_CON);
	ck_assert_uint_eq(m.code, CODE(2, 4));
	ck_assert_uint_eq(m.token[0], 0x77);
	ck_assert_uint_eq(rig.n_acked, 0);
	peer_empty(MESSAGE_ACK, m.id);
	rig_until(rig.n_acked == 1);
	ck_assert_int_eq(rig.acked_error, 0);
	peer_send(&put);
	peer_receive(&m);
	ck_assert_uint_eq(m.type, MESSAGE_ACK);
	ck_assert_uint_eq(m.code, CODE_EMPTY);
	ck_assert_uint_eq(rig.n_requests, 1);
}
END_TEST

START_TEST(separate_response_that_nobody_wants)
{
	struct message m, response;

	rig_connect();
	rig.hold = true;
	message_init(&response, MESSAGE_ACK, CODE(2, 4));
	for (uint16_t i = 0; i < 2; i++) {
		peer_request(&m, MESSAGE_CON, CODE_PUT, i, "/1/2");
		peer_send(&m);
		rig_until(rig.n_requests == i + 1u);
		exchange_acknowledge(rig.held[i]);
		peer_receive(&m);
		exchange_respond(rig.held[i], &response, rig_acked, NULL);
		peer_receive(&m);
		ck_assert_uint_eq(m.type, MESSAGE_CON);
		if (i == 0) {
			peer_empty(MESSAGE_RST, m.id);
			rig_until(rig.n_acked == 1);
			ck_assert_int_eq(rig.acked_error, -ECONNRESET);
			continue;
		}
		for (unsigned k = 0; k < 5; k++)
			rig_advance(48 * USEC_PER_SEC);
		ck_assert_uint_eq(rig.n_acked, 2);
		ck_assert_int_eq(rig.acked_error, -ETIMEDOUT);
	}
	ck_assert_uint_eq(rig.n_failed, 0);
}
END_TEST

START_TEST(responses_do_not_wait_for_our_requests)
{
	struct message m, put;

	rig_connect();
	rig_post("x", 1, CALL_REGISTRATION);
	peer_receive(&m);
	peer_request(&put, MESSAGE_CON, CODE_PUT, 1, "/1");
	peer_send(&put);
	peer_receive(&m);
	ck_assert_uint_eq(m.type, MESSAGE_ACK);
	ck_assert_uint_eq(m.code, CODE(2, 4));
}
END_TEST

START_TEST(ignored_requests_may_come_again)
{
	struct message put, m;

	rig_connect();
	rig.ignore = true;
	peer_request(&put, MESSAGE_CON, CODE_PUT, 1, "/1");
	peer_send(&put);
	rig_until(rig.n_requests == 1);
	rig_advance(PIGGYBACK_USEC);
	peer_expect_silence();
	rig.ignore = false;
	peer_send(&put);
	peer_receive(&m);
	ck_assert_uint_eq(m.code, CODE(2, 4));
}
END_TEST

START_TEST(responses_after_the_end)
{
	struct message m, response;

	rig_connect();
	rig.hold = true;
	for (uint16_t i = 0; i < 3; i++) {
		peer_request(&m, MESSAGE_CON, CODE_PUT, i, "/1");
		peer_send(&m);
		rig_until(rig.n_requests == i + 1u);
	}
	message_init(&response, MESSAGE_ACK, CODE(2, 4));
	session_disconnect(rig.session);
	exchange_acknowledge(rig.held[0]);
	exchange_respond(rig.held[0], &response, rig_acked, NULL);
	ck_assert_int_eq(rig.acked_error, -ENOTCONN);
	rig.session = session_free(rig.session);
	exchange_respond(rig.held[1], &response, NULL, NULL);
	exchange_ignore(rig.held[2]);
	peer_expect_silence();
}
END_TEST

START_TEST(odd_requests)
{
	static const uint8_t bad_option[] = { 0x40, 3, 0, 1, 0x11, 0xaa };
	static const uint8_t many[] = { 0x40, 3, 0, 2, 0xb0, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t garbage[] = { 0x40, 1, 0, 3, 0xff };
	static const uint8_t unknown[] = { 0x40, 8, 0, 4 };
	static const uint8_t reserved[] = { 0x40, 0x21, 0, 5 };
	static const uint8_t ping[] = { 0x40, 0, 0, 6 };
	static const struct {
		const uint8_t *data;
		size_t size;
		uint8_t type, code;
	} cases[] = {
		{ bad_option, sizeof(bad_option), MESSAGE_ACK, CODE(4, 2) },
		{ many, sizeof(many), MESSAGE_ACK, CODE(4, 0) },
		{ garbage, sizeof(garbage), MESSAGE_RST, 0 },
		{ unknown, sizeof(unknown), MESSAGE_ACK, CODE(4, 5) },
		{ reserved, sizeof(reserved), MESSAGE_RST, 0 },
		{ ping, sizeof(ping), MESSAGE_RST, 0 },
	};
	struct message m;

	rig_connect();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t non[16];

		peer_send_bytes(cases[i].data, cases[i].size);
		peer_receive(&m);
		ck_assert_uint_eq(m.type, cases[i].type);
		ck_assert_uint_eq(m.code, cases[i].code);
		ck_assert_uint_eq(m.id, i + 1);
		/* The same as NON never gets an RST. */
		memcpy(non, cases[i].data, cases[i].size);
		non[0] = 0x50;
		non[2] = 1;
		peer_send_bytes(non, cases[i].size);
		if (i == 1 || i == 3) {
			peer_receive(&m);
			ck_assert_uint_eq(m.type, MESSAGE_NON);
			ck_assert_uint_eq(m.code, cases[i].code);
		}
		peer_expect_silence();
	}
	peer_send_bytes("", 0);
	peer_send_bytes("\x80\x01\x00\x01", 4); /* another version */
	peer_expect_silence();
	ck_assert_uint_eq(rig.n_requests, 0);
	ck_assert_uint_eq(session_counters(rig.session)->malformed, 8);
	ck_assert_uint_eq(rig.n_failed, 0);
}
END_TEST

START_TEST(too_many_requests_at_a_time)
{
	struct message m;

	rig_connect();
	rig.hold = true;
	for (uint16_t i = 0; i < EXCHANGES_MAX; i++) {
		peer_request(&m, MESSAGE_CON, CODE_PUT, i, "/1");
		peer_send(&m);
		rig_until(rig.n_requests == i + 1u);
	}
	peer_request(&m, MESSAGE_CON, CODE_PUT, 100, "/1");
	peer_send(&m);
	peer_receive(&m);
	ck_assert_uint_eq(m.code, CODE(5, 3));
	for (unsigned i = 0; i < EXCHANGES_MAX; i++)
		exchange_ignore(rig.held[i]);
}
END_TEST

START_TEST(kept_answers_are_bounded)
{
	struct message m, answer;

	rig_connect();
	for (uint16_t i = 0; i < ANSWERS_MAX + 10; i++) {
		rig.n_requests = 0;
		peer_request(&m, MESSAGE_CON, CODE_PUT, i, "/1");
		peer_send(&m);
		peer_receive(&answer);
	}
	ck_assert_uint_eq(rig.session->n_answers, ANSWERS_MAX);
	ck_assert_uint_eq(rig.transport->n_answers, ANSWERS_MAX);
	rig.session = session_free(rig.session);
	ck_assert_uint_eq(rig.transport->n_answers, 0);
}
END_TEST

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1103515245 + 12345;
	return *state >> 8;
}

/* Whatever comes, in whatever state: no crash, no request without an end, and the session goes on. */
START_TEST(any_datagrams)
{
	static const uint8_t codes[] = { 0, 1, 3, 5, CODE(2, 5), CODE(2, 31), CODE(4, 4), CODE(7, 1) };
	uint32_t state = 4711;

	rig_connect();
	rig.respond_payload = span_of(rig.transport->in, 1500);
	for (unsigned i = 0; i < 30000; i++) {
		uint8_t data[48];
		size_t size = 4 + next_random(&state) % (sizeof(data) - 4);

		for (size_t k = 0; k < size; k++)
			data[k] = (uint8_t)next_random(&state);
		data[0] = (uint8_t)(0x40 | (data[0] & 0x31));
		data[1] = codes[data[1] % ARRAY_SIZE(codes)];
		data[2] = 0;
		/* Small deltas and lengths make options that mean something. */
		for (size_t k = 5; k < size; k += 2)
			data[k] = data[k] % 3 ? data[k] & 0xf3 : data[k];
		rig.n_requests = 0;
		if (i % 97 == 0 && rig.session->state == SESSION_STATE_CONNECTED)
			rig_post("x", 1, CALL_UPDATE);
		session_received(rig.session, data, size);
		if (i % 1000 == 0)
			rig_advance(20 * USEC_PER_SEC);
	}
	ck_assert_uint_eq(rig.session->n_exchanges, 0);
	ck_assert_uint_gt(session_counters(rig.session)->malformed, 1000);
	session_disconnect(rig.session);
	close(rig.fd);
	rig.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("answers");
	TCase *tcase = tcase_create("answers");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, rig_set_up_v4, rig_tear_down);
	tcase_add_test(tcase, duplicate_put_runs_once);
	tcase_add_test(tcase, kept_are_all_but_plain_reads);
	tcase_add_test(tcase, slow_answer_is_separate);
	tcase_add_test(tcase, separate_response_that_nobody_wants);
	tcase_add_test(tcase, responses_do_not_wait_for_our_requests);
	tcase_add_test(tcase, ignored_requests_may_come_again);
	tcase_add_test(tcase, responses_after_the_end);
	tcase_add_test(tcase, odd_requests);
	tcase_add_test(tcase, too_many_requests_at_a_time);
	tcase_add_test(tcase, kept_answers_are_bounded);
	tcase_add_test(tcase, any_datagrams);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
