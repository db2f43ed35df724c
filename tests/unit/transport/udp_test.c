/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/transport/rig.h"

_Static_assert(sizeof(struct session) <= 512, "an idle session is to take half a kilobyte");

/* ---- our requests ---- */

START_TEST(request_and_piggybacked_response)
{
	struct message m, answer;

	rig_post("</1/0>", 6, CALL_REGISTRATION);
	ck_assert_uint_eq(rig.n_new, 0); /* no callback inside the call */
	peer_receive(&m);
	ck_assert_uint_eq(rig.n_new, 1);
	ck_assert_uint_eq(m.type, MESSAGE_CON);
	ck_assert_uint_eq(m.code, CODE_POST);
	ck_assert_uint_eq(m.token_size, 8); /* RFC 7252 5.3.1: what nobody guesses */
	ck_assert(message_is_path(&m, "/rd"));
	ck_assert_uint_eq(m.payload.n, 6);
	message_init(&answer, MESSAGE_ACK, CODE(2, 1));
	answer.id = m.id;
	answer.token_size = m.token_size;
	memcpy(answer.token, m.token, 8);
	ck_assert_int_eq(message_add_path(&answer, "rd"), 0);
	ck_assert_int_eq(message_add_path(&answer, "7"), 0);
	peer_send(&answer);
	rig_until(rig.n_ended == 1);
	ck_assert_int_eq(rig.ended_error, 0);
	ck_assert_uint_eq(rig.ended_code, CODE(2, 1));
	ck_assert_str_eq(rig.ended_path, "/rd/7");
	ck_assert_uint_gt(session_alive_usec(rig.session), 0);
	ck_assert_uint_eq(governor_in_flight(rig.governor), 0);
	ck_assert_uint_eq(timers_next(rig.timers), USEC_INFINITY);
}
END_TEST

START_TEST(answers_of_others_are_ignored)
{
	struct message m, odd;

	rig_post("x", 1, CALL_REGISTRATION);
	peer_receive(&m);
	odd = m;
	odd.token[3] ^= 1;
	peer_answer(&odd, CODE(2, 4)); /* right id, wrong token */
	odd = m;
	odd.id ^= 1;
	peer_answer(&odd, CODE(2, 4)); /* right token, wrong id */
	peer_empty(MESSAGE_ACK, odd.id);
	peer_expect_silence();
	ck_assert_uint_eq(rig.n_ended, 0);
	peer_answer(&m, CODE(2, 4));
	rig_until(rig.n_ended == 1);
	ck_assert_int_eq(rig.ended_error, 0);
}
END_TEST

START_TEST(separate_response_of_the_peer)
{
	struct message request, m, ack;

	rig_post("x", 1, CALL_UPDATE);
	peer_receive(&request);
	peer_empty(MESSAGE_ACK, request.id);
	peer_expect_silence();
	rig_advance(10 * USEC_PER_SEC);
	peer_expect_silence(); /* acknowledged: no retransmission */
	message_init(&m, MESSAGE_CON, CODE(2, 4));
	m.id = 0x4711;
	m.token_size = request.token_size;
	memcpy(m.token, request.token, 8);
	peer_send(&m);
	for (int i = 0; i < 2; i++) {
		peer_receive(&ack);
		ck_assert_uint_eq(ack.type, MESSAGE_ACK);
		ck_assert_uint_eq(ack.code, CODE_EMPTY);
		ck_assert_uint_eq(ack.id, 0x4711);
		if (i == 0)
			peer_send(&m); /* our ACK was lost */
	}
	ck_assert_uint_eq(rig.n_ended, 1);
	ck_assert_uint_eq(rig.ended_code, CODE(2, 4));
	m.id++; /* another response to a request that is over */
	peer_send(&m);
	peer_receive(&ack);
	ck_assert_uint_eq(ack.type, MESSAGE_RST);
	ck_assert_uint_eq(ack.id, 0x4712);
}
END_TEST

START_TEST(unanswered_request_times_out)
{
	struct message m, again;

	rig_post("x", 1, CALL_REGISTRATION);
	peer_receive(&m);
	for (unsigned i = 0; i < 4; i++) {
		/* Real time passes as well. */
		rig_advance((2 * USEC_PER_SEC << i) - USEC_PER_SEC / 2);
		peer_expect_silence();
		rig_advance((1 * USEC_PER_SEC << i) + USEC_PER_SEC / 2);
		peer_receive(&again);
		ck_assert_uint_eq(again.id, m.id);
		ck_assert_int_eq(memcmp(again.token, m.token, 8), 0);
	}
	ck_assert_uint_eq(rig.n_ended, 0);
	rig_advance(48 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_ended, 1);
	ck_assert_int_eq(rig.ended_error, -ETIMEDOUT);
	ck_assert_uint_eq(rig.n_failed, 1);
	ck_assert_int_eq(rig.error, -ETIMEDOUT);
	ck_assert_uint_eq(session_counters(rig.session)->retransmissions, 4);
	ck_assert_uint_eq(governor_in_flight(rig.governor), 0);
	/* The next send connects anew, from a new address: a new context. */
	rig_connect();
	ck_assert_uint_eq(rig.n_new, 2);
}
END_TEST

START_TEST(refused_port_is_a_hint)
{
	struct message m;
	int fd = dup(rig.fd);

	rig_post("x", 1, CALL_REGISTRATION);
	peer_receive(&m);
	close(fd);
	close(rig.fd);
	rig.fd = -1;
	for (unsigned i = 0; i < 4; i++) {
		rig_advance(3 * USEC_PER_SEC << i);
		rig_turn();
		ck_assert_uint_eq(rig.n_ended, 0);
	}
	rig_advance(48 * USEC_PER_SEC);
	ck_assert_int_eq(rig.ended_error, -ECONNREFUSED);
	ck_assert_int_eq(rig.error, -ECONNREFUSED);
	rig.fd = socket(AF_INET, SOCK_DGRAM, 0);
}
END_TEST

START_TEST(reset_ends_a_request)
{
	struct message m;

	rig_post("x", 1, CALL_REGISTRATION);
	peer_receive(&m);
	peer_empty(MESSAGE_RST, m.id);
	rig_until(rig.n_ended == 1);
	ck_assert_int_eq(rig.ended_error, -ECONNRESET);
	ck_assert_uint_eq(rig.n_resets, 0);
	ck_assert_uint_eq(rig.n_failed, 0);
}
END_TEST

START_TEST(one_outstanding_and_updates_first)
{
	struct message m, n;

	rig_connect();
	rig_post("1", 1, CALL_REGISTRATION);
	rig_post("2", 1, CALL_REGISTRATION);
	rig_notification(&n, 9, 5, "3", 1);
	ck_assert_int_eq(session_notify(rig.session, &n, true, NULL, NULL, NULL), 0);
	rig_post("4", 1, CALL_UPDATE);
	peer_receive(&m);
	ck_assert_uint_eq(m.payload.p[0], '1');
	for (const char *p = "432"; *p; p++) {
		peer_expect_silence();
		if (code_class(m.code) == 0)
			peer_answer(&m, CODE(2, 4));
		else
			peer_empty(MESSAGE_ACK, m.id);
		peer_receive(&m);
		ck_assert_uint_eq(m.payload.p[0], (unsigned)*p);
	}
}
END_TEST

START_TEST(echo_is_repeated_once)
{
	struct message m, answer;

	rig_post("x", 1, CALL_REGISTRATION);
	for (int i = 0; i < 2; i++) {
		peer_receive(&m);
		ck_assert_uint_eq(m.echo.n, i == 0 ? 0 : 3);
		ck_assert_uint_eq(m.payload.n, 1);
		message_init(&answer, MESSAGE_ACK, CODE(4, 1));
		answer.id = m.id;
		answer.token_size = m.token_size;
		memcpy(answer.token, m.token, 8);
		answer.echo = span_of("abc", 3);
		peer_send(&answer);
	}
	rig_until(rig.n_ended == 1);
	ck_assert_uint_eq(rig.ended_code, CODE(4, 1));
	peer_expect_silence();
}
END_TEST

START_TEST(cancelled_call_is_forgotten)
{
	struct message m;
	struct call *c = rig_post("x", 1, CALL_REGISTRATION);

	peer_receive(&m);
	ck_assert_ptr_null(call_cancel(c));
	peer_answer(&m, CODE(2, 4));
	rig_advance(100 * USEC_PER_SEC);
	peer_expect_silence();
	ck_assert_uint_eq(rig.n_ended, 0);
	ck_assert_uint_eq(governor_in_flight(rig.governor), 0);
	ck_assert_ptr_null(call_cancel(NULL));
}
END_TEST

START_TEST(disconnect_and_free_end_calls)
{
	struct message m;

	rig_post("x", 1, CALL_REGISTRATION);
	peer_receive(&m);
	session_disconnect(rig.session);
	ck_assert_uint_eq(rig.n_ended, 1);
	ck_assert_int_eq(rig.ended_error, -ECANCELED);
	ck_assert_uint_eq(rig.n_failed, 0);
	rig_connect();
	rig_post("x", 1, CALL_REGISTRATION);
	rig.session = session_free(rig.session);
	ck_assert_int_eq(rig.ended_error, -ECANCELED);
	ck_assert_uint_eq(rig.n_ended, 3);
	ck_assert_uint_eq(governor_in_flight(rig.governor), 0);
}
END_TEST

/* ---- requests of the peer ---- */

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

/* ---- notifications ---- */

START_TEST(notifications)
{
	struct message n, m;

	rig_notification(&n, 5, 2, "21", 2);
	ck_assert_int_eq(session_notify(rig.session, &n, false, NULL, NULL, NULL), -ENOTCONN);
	rig_connect();
	rig.n_ended = 0;
	ck_assert_int_eq(session_notify(rig.session, &n, false, NULL, NULL, NULL), 0);
	peer_receive(&m);
	ck_assert_uint_eq(m.type, MESSAGE_NON);
	ck_assert_uint_eq(m.token[0], 5);
	ck_assert_int_eq(m.observe, 2);
	ck_assert_int_eq(session_notify(rig.session, &n, false, rig_ended, NULL, NULL), 0);
	ck_assert_uint_eq(rig.n_ended, 0);
	peer_receive(&m);
	rig_until(rig.n_ended == 1);
	ck_assert_int_eq(rig.ended_error, 0);
	n.token[0] = 6;
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), 0);
	peer_receive(&m);
	ck_assert_uint_eq(m.type, MESSAGE_CON);
	peer_empty(MESSAGE_ACK, m.id);
	rig_until(rig.n_ended == 2);
	ck_assert_int_eq(rig.ended_error, 0);
	ck_assert_uint_eq(rig.n_resets, 0);
}
END_TEST

START_TEST(resets_name_their_observation)
{
	struct message n, m;

	rig_connect();
	rig_notification(&n, 5, 2, "21", 2);
	ck_assert_int_eq(session_notify(rig.session, &n, false, NULL, NULL, NULL), 0);
	peer_receive(&m);
	peer_empty(MESSAGE_RST, (uint16_t)(m.id + 100));
	peer_empty(MESSAGE_RST, m.id);
	rig_until(rig.n_resets == 1);
	ck_assert_uint_eq(rig.reset_token[0], 5);
	peer_empty(MESSAGE_RST, m.id);
	n.token[0] = 6;
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), 0);
	peer_receive(&m);
	ck_assert_uint_eq(rig.n_resets, 1);
	peer_empty(MESSAGE_RST, m.id);
	rig_until(rig.n_resets == 2);
	ck_assert_uint_eq(rig.reset_token[0], 6);
	ck_assert_int_eq(rig.ended_error, -ECONNRESET);
	/* An empty token is one too. */
	n.token_size = 0;
	ck_assert_int_eq(session_notify(rig.session, &n, false, NULL, NULL, NULL), 0);
	peer_receive(&m);
	peer_empty(MESSAGE_RST, m.id);
	rig_until(rig.n_resets == 3);
	ck_assert_uint_eq(rig.n_failed, 0);
}
END_TEST

START_TEST(unacknowledged_notification_fails_the_session)
{
	struct message n, m;

	rig_connect();
	rig_notification(&n, 5, 2, "21", 2);
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), 0);
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), 0);
	peer_receive(&m);
	rig.n_ended = 0;
	for (unsigned i = 0; i < 5; i++)
		rig_advance(48 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_ended, 2);
	ck_assert_int_eq(rig.ended_error, -ETIMEDOUT);
	ck_assert_uint_eq(rig.n_failed, 1);
	ck_assert_int_eq(session_notify(rig.session, &n, true, NULL, NULL, NULL), -ENOTCONN);
}
END_TEST

START_TEST(calls_are_bounded)
{
	struct message n;
	int r = 0;
	unsigned i;

	rig_connect();
	rig_notification(&n, 5, 2, "21", 2);
	for (i = 0; i <= CALLS_MAX && r == 0; i++)
		r = session_notify(rig.session, &n, true, NULL, NULL, NULL);
	ck_assert_int_eq(r, -ENOBUFS);
	ck_assert_uint_eq(i, CALLS_MAX + 1);
}
END_TEST

/* ---- many sessions at one server ---- */

START_TEST(registrations_are_paced)
{
	enum { SESSIONS = 150 };
	struct session *sessions[SESSIONS];
	struct message requests[GOVERNOR_WINDOW_FIRST], m;

	for (unsigned i = 0; i < SESSIONS; i++) {
		rig_open_session("127.0.0.1", SESSION_SECURITY_NONE);
		rig_post("x", 1, CALL_REGISTRATION);
		sessions[i] = TAKE_PTR(rig.session);
	}
	for (unsigned i = 0; i < GOVERNOR_WINDOW_FIRST; i++) {
		peer_receive(&requests[i]);
		ck_assert_uint_eq(requests[i].type, MESSAGE_CON);
	}
	peer_expect_silence();
	ck_assert_uint_eq(governor_in_flight(rig.governor), GOVERNOR_WINDOW_FIRST);
	/* The last one heard is answered: another one may go. */
	peer_answer(&requests[GOVERNOR_WINDOW_FIRST - 1], CODE(2, 1));
	peer_receive(&m);
	peer_expect_silence();
	/* What nobody answers holds nobody up for longer than a timeout. */
	rig_advance(3 * USEC_PER_SEC);
	for (unsigned i = 0; i < GOVERNOR_WINDOW_FIRST + GOVERNOR_WINDOW_FIRST / 2; i++)
		peer_receive(&m);
	ck_assert_uint_eq(governor_window(rig.governor), GOVERNOR_WINDOW_FIRST / 2);
	for (unsigned i = 0; i < SESSIONS; i++)
		session_free(sessions[i]);
	ck_assert_uint_eq(governor_in_flight(rig.governor), 0);
	ck_assert_uint_eq(rig.n_ended, SESSIONS);
}
END_TEST

/* ---- addresses ---- */

static int resolve_two(const char *host, struct address *ret, int max)
{
	address_parse("127.0.0.2", &ret[0]);
	address_parse("127.0.0.1", &ret[1]);
	return 2;
}

static int resolve_nothing(const char *host, struct address *ret, int max)
{
	return -EHOSTUNREACH;
}

static void use_resolver(names_resolve resolve)
{
	rig.session = session_free(rig.session);
	names_free(rig.transport->names);
	ck_assert_int_eq(names_new(rig.transport->loop, resolve, &rig.transport->names), 0);
	rig_open_session("server.example", SESSION_SECURITY_NONE);
}

START_TEST(names_are_resolved)
{
	rig_open_session("localhost", SESSION_SECURITY_NONE);
	rig_post("x", 1, CALL_REGISTRATION);
	rig_until(rig.n_new == 1);
}
END_TEST

START_TEST(next_address_when_nobody_is_there)
{
	char text[ADDRESS_TEXT_MAX];
	struct message m;

	use_resolver(resolve_two);
	rig_post("x", 1, CALL_REGISTRATION);
	rig_until(rig.n_new == 1);
	rig_until(rig.session->tried == 1);
	rig_advance(3 * USEC_PER_SEC);
	peer_receive(&m);
	peer_answer(&m, CODE(2, 1));
	rig_until(rig.n_ended == 1);
	ck_assert_uint_eq(rig.n_new, 1);
	ck_assert_int_eq(session_local_address(rig.session, text, sizeof(text)), 0);
	ck_assert_int_eq(strncmp(text, "127.0.0.1:", 10), 0);
}
END_TEST

/* Nobody may send to the second one (EACCES); asked again, the name has another. */
static int resolve_dead_ends(const char *host, struct address *ret, int max)
{
	static _Atomic bool asked;

	if (atomic_exchange(&asked, true))
		return address_parse("127.0.0.1", &ret[0]) < 0 ? -EINVAL : 1;
	address_parse("127.0.0.2", &ret[0]);
	address_parse("255.255.255.255", &ret[1]);
	return 2;
}

START_TEST(context_after_a_move_that_failed)
{
	use_resolver(resolve_dead_ends);
	rig_post("x", 1, CALL_REGISTRATION);
	rig_until(rig.n_failed == 1);
	ck_assert_uint_eq(rig.n_new, 1);
	rig_connect();
	ck_assert_uint_eq(rig.n_new, 2);
}
END_TEST

START_TEST(name_without_addresses)
{
	use_resolver(resolve_nothing);
	for (unsigned i = 1; i <= 2; i++) {
		rig_post("x", 1, CALL_REGISTRATION);
		rig_until(rig.n_failed == i);
		ck_assert_int_eq(rig.error, -EHOSTUNREACH);
		ck_assert_uint_eq(rig.n_ended, i);
		ck_assert_int_eq(rig.ended_error, -EHOSTUNREACH);
	}
}
END_TEST

START_TEST(version_6)
{
	char text[ADDRESS_TEXT_MAX];

	rig_tear_down();
	rig_set_up(AF_INET6);
	ck_assert_int_eq(session_local_address(rig.session, text, sizeof(text)), -ENOTCONN);
	rig_connect();
	ck_assert_int_eq(session_local_address(rig.session, text, sizeof(text)), 0);
	ck_assert_int_eq(strncmp(text, "[::1]:", 6), 0);
}
END_TEST

/* 192.0.2.77 is nobody's: what a socket looks like whose address has been taken away. */
static void lose_address(void)
{
	struct address address;
	int one = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(address_parse("192.0.2.77", &address), 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)), 0);
	ck_assert_int_eq(bind(fd, &address.any, address_size(&address)), 0);
	ck_assert_int_eq(dup2(fd, rig.session->io.fd), rig.session->io.fd);
	close(fd);
}

START_TEST(network_changes)
{
	rig_connect();
	session_network_changed(rig.session);
	rig_until(!rig.session->recheck);
	ck_assert_uint_eq(rig.n_failed, 0);
	lose_address();
	rig_post("x", 1, CALL_UPDATE);
	rig.n_ended = 0;
	session_network_changed(rig.session);
	ck_assert_uint_eq(rig.n_failed, 0);
	rig_until(rig.n_failed == 1);
	ck_assert_int_eq(rig.error, -ENETRESET);
	ck_assert_int_eq(rig.ended_error, -ENETRESET);
	rig_connect();
	ck_assert_uint_eq(rig.n_new, 2);
}
END_TEST

START_TEST(descriptors_above_1024)
{
	struct rlimit limit;
	int first = 3;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = MIN(limit.rlim_max, 4096u);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_gt(limit.rlim_cur, 1200);
	while (first < 1100)
		first = fcntl(rig.fd, F_DUPFD_CLOEXEC, 3);
	rig_connect();
	ck_assert_int_gt(rig.session->io.fd, 1024);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("udp");
	TCase *tcase = tcase_create("udp");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, rig_set_up_v4, rig_tear_down);
	tcase_add_test(tcase, request_and_piggybacked_response);
	tcase_add_test(tcase, answers_of_others_are_ignored);
	tcase_add_test(tcase, separate_response_of_the_peer);
	tcase_add_test(tcase, unanswered_request_times_out);
	tcase_add_test(tcase, refused_port_is_a_hint);
	tcase_add_test(tcase, reset_ends_a_request);
	tcase_add_test(tcase, one_outstanding_and_updates_first);
	tcase_add_test(tcase, echo_is_repeated_once);
	tcase_add_test(tcase, cancelled_call_is_forgotten);
	tcase_add_test(tcase, disconnect_and_free_end_calls);
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
	tcase_add_test(tcase, notifications);
	tcase_add_test(tcase, resets_name_their_observation);
	tcase_add_test(tcase, unacknowledged_notification_fails_the_session);
	tcase_add_test(tcase, calls_are_bounded);
	tcase_add_test(tcase, registrations_are_paced);
	tcase_add_test(tcase, names_are_resolved);
	tcase_add_test(tcase, next_address_when_nobody_is_there);
	tcase_add_test(tcase, context_after_a_move_that_failed);
	tcase_add_test(tcase, name_without_addresses);
	tcase_add_test(tcase, version_6);
	tcase_add_test(tcase, network_changes);
	tcase_add_test(tcase, descriptors_above_1024);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
