/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
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

/* RFC 7641 4.5.2: an id of its own, with the attempts and the time that the older one has left. */
START_TEST(newer_notifications_take_over)
{
	struct message n, newer, m;
	struct call *call;
	uint16_t first;

	rig_connect();
	rig.n_ended = 0;
	rig_notification(&n, 5, 2, "21", 2);
	rig_notification(&newer, 5, 3, "225", 3);
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, &call), 0);
	peer_receive(&m);
	first = m.id;
	rig_advance(3 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_repeats, 1);
	peer_receive(&m);
	ck_assert_uint_eq(m.id, first);
	rig.newer = &newer;
	rig_advance(6 * USEC_PER_SEC);
	peer_receive(&m);
	ck_assert_uint_eq(m.type, MESSAGE_CON);
	ck_assert_uint_ne(m.id, first);
	ck_assert_int_eq(m.observe, 3);
	ck_assert_uint_eq(m.payload.n, 3);
	ck_assert_mem_eq(m.payload.p, "225", 3);
	ck_assert_mem_eq(m.token, newer.token, 1);
	/* Who acknowledges the older one may not have the newer one. */
	peer_empty(MESSAGE_ACK, first);
	rig.newer = NULL;
	rig_advance(7 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_repeats, 2);
	rig_advance(5 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_repeats, 3);
	peer_receive(&m);
	ck_assert_int_eq(m.observe, 3);
	peer_empty(MESSAGE_ACK, m.id);
	rig_until(rig.n_ended == 1);
	ck_assert_int_eq(rig.ended_error, 0);
	rig_advance(60 * USEC_PER_SEC);
	peer_expect_silence();
}
END_TEST

START_TEST(newer_notifications_have_no_attempts_of_their_own)
{
	struct message n, m;
	struct call *call;

	rig_connect();
	rig.n_ended = 0;
	rig_notification(&n, 5, 2, "21", 2);
	rig.newer = &n;
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, &call), 0);
	for (unsigned i = 0; i < 5; i++) {
		peer_receive(&m);
		ck_assert_uint_eq(rig.n_repeats, i);
		rig_advance(48 * USEC_PER_SEC);
	}
	ck_assert_uint_eq(rig.n_ended, 1);
	ck_assert_int_eq(rig.ended_error, -ETIMEDOUT);
}
END_TEST

START_TEST(a_reset_of_the_older_one_names_the_observation)
{
	struct message n, m;
	struct call *call;
	uint16_t first;

	rig_connect();
	rig_notification(&n, 5, 2, "21", 2);
	rig.newer = &n;
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, &call), 0);
	peer_receive(&m);
	first = m.id;
	rig_advance(3 * USEC_PER_SEC);
	peer_receive(&m);
	ck_assert_uint_ne(m.id, first);
	peer_empty(MESSAGE_RST, first);
	rig_until(rig.n_resets == 1);
	ck_assert_uint_eq(rig.reset_token[0], 5);
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

/* ---- descriptors ---- */

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
	tcase_add_test(tcase, notifications);
	tcase_add_test(tcase, resets_name_their_observation);
	tcase_add_test(tcase, newer_notifications_take_over);
	tcase_add_test(tcase, newer_notifications_have_no_attempts_of_their_own);
	tcase_add_test(tcase, a_reset_of_the_older_one_names_the_observation);
	tcase_add_test(tcase, unacknowledged_notification_fails_the_session);
	tcase_add_test(tcase, calls_are_bounded);
	tcase_add_test(tcase, registrations_are_paced);
	tcase_add_test(tcase, descriptors_above_1024);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
