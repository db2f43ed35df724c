/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/transport/rig.h"
#include "tests/unit/transport/tls_peer.h"
#include "transport/dtls.h"

static void set_up(void)
{
	rig_set_up(AF_INET);
	rig_open_session("127.0.0.1", SESSION_SECURITY_PSK);
	tls_peer_start(NULL);
}

static void tear_down(void)
{
	tls_peer_done();
	rig_tear_down();
}

static void answer(const struct message *request, uint8_t code)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, code);
	m.id = request->id;
	m.token_size = request->token_size;
	memcpy(m.token, request->token, sizeof(m.token));
	tls_peer_send(&m);
}

static void request_and_response(void)
{
	unsigned before = rig.n_ended;
	struct message m;

	rig_post("hello", 5, CALL_REGISTRATION);
	tls_peer_receive(&m);
	ck_assert_uint_eq(m.payload.n, 5);
	answer(&m, CODE(2, 1));
	rig_until(rig.n_ended == before + 1);
	ck_assert_int_eq(rig.ended_error, 0);
	ck_assert_uint_eq(rig.ended_code, CODE(2, 1));
}

/* GnuTLS wants these in any case. */
#define ANY ":+COMP-NULL:+GROUP-SECP256R1:+SIGN-ECDSA-SHA256"

/* RFC 7925 4.2 and what LwM2M servers offer beside it. */
static const struct {
	const char *priority;
	gnutls_cipher_algorithm_t cipher;
	gnutls_kx_algorithm_t exchange;
} suites[] = {
	{ TLS_PEER_PRIORITY, GNUTLS_CIPHER_AES_128_CCM_8, GNUTLS_KX_PSK },
	{ "NONE:+VERS-DTLS1.2:+PSK:+AES-128-CCM-8:+AEAD" ANY, GNUTLS_CIPHER_AES_128_CCM_8, GNUTLS_KX_PSK },
	{ "NONE:+VERS-DTLS1.2:+PSK:+AES-128-CBC:+SHA256" ANY, GNUTLS_CIPHER_AES_128_CBC, GNUTLS_KX_PSK },
	{ "NONE:+VERS-DTLS1.2:+ECDHE-PSK:+AES-128-CBC:+SHA256" ANY,
	  GNUTLS_CIPHER_AES_128_CBC, GNUTLS_KX_ECDHE_PSK },
};

START_TEST(suite)
{
	tls_peer_done();
	tls_peer_start(suites[_i].priority);
	request_and_response();
	ck_assert_int_eq(gnutls_cipher_get(tls_peer.tls), suites[_i].cipher);
	ck_assert_int_eq(gnutls_kx_get(tls_peer.tls), suites[_i].exchange);
	ck_assert_uint_eq(rig.n_new, 1);
	ck_assert_uint_eq(session_counters(rig.session)->handshakes, 1);
	ck_assert_uint_eq(governor_in_flight(rig.governor), 0);
	ck_assert_uint_gt(session_alive_usec(rig.session), 0);
}
END_TEST

/* The suites of a ClientHello, in the order of preference. */
START_TEST(suites_are_offered_in_order)
{
	static const uint8_t wanted[] = { 0xc0, 0xa8, 0x00, 0xae, 0xc0, 0x37 };
	/* Record and handshake headers, version and random; then session id and cookie, both empty. */
	static const unsigned at_session_id = 13 + 12 + 2 + 32;
	uint8_t hello[512];
	const uint8_t *offered;
	unsigned size;

	rig_post("hello", 5, CALL_REGISTRATION);
	rig_until(recv(rig.fd, hello, sizeof(hello), MSG_DONTWAIT) > 0);
	ck_assert_uint_eq(hello[at_session_id], 0);
	ck_assert_uint_eq(hello[at_session_id + 1], 0);
	offered = &hello[at_session_id + 4];
	size = hello[at_session_id + 2] << 8 | hello[at_session_id + 3];
	/* The one behind them says that renegotiation is safe (RFC 5746 3.3). */
	ck_assert_uint_ge(size, sizeof(wanted));
	ck_assert_mem_eq(offered, wanted, sizeof(wanted));
	if (size > sizeof(wanted))
		ck_assert_mem_eq(offered + sizeof(wanted), "\x00\xff", size - sizeof(wanted));
}
END_TEST

static int get_longest_key(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	*ret_key = (uint8_t *)strdup(tls_peer.secret);
	*ret_size = 64;
	return 0;
}

/* RFC 4279 5.3: identities of 128 bytes and keys of 64. */
START_TEST(longest_credentials)
{
	static const char longest[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

	free(rig.session->psk_identity);
	rig.session->psk_identity = strdup(longest);
	rig.session->psk = get_longest_key;
	tls_peer.identity = longest;
	tls_peer.secret = longest + 64;
	request_and_response();
}
END_TEST

/* In the place of libc's: once, what the server says comes just behind the answer that there is nothing. */
static bool comes_late;

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int r = ppoll(fds, n, &(struct timespec){ 0 }, NULL);

	if (r == 0 && comes_late && fds->fd == rig.session->io.fd) {
		comes_late = false;
		tls_peer_uncork_record();
	}
	return r;
}

/*
 * GnuTLS looks twice before it decides to wait. What came in between would be
 * news that its flight has arrived: it forgets the flight, and what came with it.
 */
START_TEST(record_comes_between_two_looks)
{
	rig_post("hello", 5, CALL_REGISTRATION);
	rig_until((tls_peer_step(NULL, 0), tls_peer.n_datagrams == 1));
	/* The ticket, ChangeCipherSpec and Finished. */
	tls_peer_cork();
	rig_until((tls_peer_step(NULL, 0), tls_peer.established));
	for (int i = 0; i < _i; i++)
		tls_peer_uncork_record();
	comes_late = true;
	rig_until(!comes_late);
	tls_peer_uncork();
	rig_until(rig.n_new + rig.n_failed > 0);
	ck_assert_uint_eq(rig.n_new, 1);
	request_and_response();
}
END_TEST

/* ClientHello, and ClientKeyExchange, ChangeCipherSpec and Finished in one datagram. */
START_TEST(flights_are_gathered)
{
	rig_post("hello", 5, CALL_REGISTRATION);
	rig_until(tls_peer_step(NULL, 0) == 0 && tls_peer.established);
	ck_assert_uint_eq(tls_peer.n_datagrams, 2);
}
END_TEST

/* RFC 6347 4.2.1: servers ask for their cookie back before they remember anything. */
START_TEST(cookie_is_returned)
{
	tls_peer_ask_cookie();
	request_and_response();
	ck_assert(tls_peer.cookie_seen);
	ck_assert_uint_eq(rig.n_new, 1);
}
END_TEST

static ssize_t receive_raw(void)
{
	uint8_t data[2048];

	return recv(rig.fd, data, sizeof(data), MSG_DONTWAIT);
}

/* It comes back with another secret for cookies: what the repeated flight shows it means nothing. */
START_TEST(server_restarts_in_the_handshake)
{
	uint8_t data[64];

	tls_peer_ask_cookie();
	rig_post("hello", 5, CALL_REGISTRATION);
	rig_until((tls_peer_step(data, sizeof(data)), tls_peer.cookie_asked));
	rig_until(receive_raw() > 0);
	tls_peer_restart(true);
	tls_peer_ask_cookie();
	request_and_response();
	ck_assert_uint_eq(rig.n_failed, 0);
	ck_assert_uint_eq(session_counters(rig.session)->handshakes, 1);
}
END_TEST

START_TEST(largest_message_fits_every_suite)
{
	static uint8_t payload[1024];
	struct message m, n;

	tls_peer_done();
	tls_peer_start(suites[_i].priority);
	request_and_response();
	rig_notification(&n, 1, 1, payload, sizeof(payload));
	ck_assert_int_eq(message_add_path(&n, "01234567890123456789012345678901234567890123456789"
					      "01234567890123456789012345678901234567890123456789"), 0);
	ck_assert_int_eq(session_notify(rig.session, &n, false, NULL, NULL, NULL), 0);
	tls_peer_receive(&m);
	ck_assert_uint_eq(m.payload.n, sizeof(payload));
}
END_TEST

START_TEST(requests_of_the_server)
{
	struct message m;

	request_and_response();
	for (int i = 0; i < 2; i++) {
		peer_request(&m, MESSAGE_CON, CODE_PUT, 1, "/3/0/13");
		tls_peer_send(&m);
		tls_peer_receive(&m);
		ck_assert_uint_eq(m.type, MESSAGE_ACK);
		ck_assert_uint_eq(m.code, CODE(2, 4));
	}
	ck_assert_uint_eq(rig.n_requests, 1);
}
END_TEST

/* More than are read in one turn; nothing else need come for the rest to be seen. */
START_TEST(many_records_in_a_datagram)
{
	struct message m;

	request_and_response();
	tls_peer_cork();
	for (uint16_t id = 1; id <= 3 * READ_BATCH; id++) {
		peer_request(&m, MESSAGE_NON, CODE_PUT, id, "/3/0/13");
		tls_peer_send(&m);
	}
	tls_peer_uncork();
	rig_until(rig.n_requests == 3 * READ_BATCH);
}
END_TEST

/* RFC 6347 4.1.2.7: of a datagram only the records that are broken are dropped. */
START_TEST(broken_record_before_a_good_one)
{
	struct message m;

	request_and_response();
	tls_peer_cork();
	for (uint16_t id = 1; id <= 3; id++) {
		peer_request(&m, MESSAGE_NON, CODE_PUT, id, "/3/0/13");
		tls_peer_send(&m);
		if (id < 3)
			tls_peer_damage();
	}
	tls_peer_uncork();
	rig_until(rig.n_requests > 0);
	ck_assert_uint_eq(rig.n_requests, 1);
}
END_TEST

/* Nothing else need come for it to be seen. */
START_TEST(request_behind_finished)
{
	struct message m;

	rig_post("hello", 5, CALL_REGISTRATION);
	rig_until((tls_peer_step(NULL, 0), tls_peer.n_datagrams == 1));
	tls_peer_cork();
	rig_until((tls_peer_step(NULL, 0), tls_peer.established));
	peer_request(&m, MESSAGE_NON, CODE_PUT, 1, "/3/0/13");
	tls_peer_send(&m);
	tls_peer_uncork();
	rig_until(rig.n_requests == 1);
}
END_TEST

static void turn_both(void)
{
	uint8_t data[64];

	tls_peer_step(data, sizeof(data));
}

static void fail_to_connect(void)
{
	rig_post("hello", 5, CALL_REGISTRATION);
	while (rig.n_failed == 0) {
		turn_both();
		rig_turn();
	}
	ck_assert_uint_eq(rig.n_new, 0);
	ck_assert_uint_eq(rig.n_ended, 1);
	ck_assert_int_eq(rig.ended_error, rig.error);
	ck_assert_uint_eq(governor_in_flight(rig.governor), 0);
}

START_TEST(unknown_identity_is_refused)
{
	free(rig.session->psk_identity);
	rig.session->psk_identity = strdup("stranger");
	fail_to_connect();
	ck_assert_int_eq(rig.error, -EACCES);
	ck_assert_int_ge(rig.alert, 0);
}
END_TEST

static int wrong_key(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	*ret_key = (uint8_t *)strdup("wrong!");
	*ret_size = 6;
	return 0;
}

START_TEST(wrong_key_is_refused)
{
	rig.session->psk = wrong_key;
	rig_post("hello", 5, CALL_REGISTRATION);
	rig_until((turn_both(), rig.session->dtls && rig.session->counters.sent_bytes > 200));
	for (unsigned i = 0; i < 20; i++) {
		turn_both();
		rig_turn();
	}
	ck_assert(!tls_peer.established);
	for (unsigned i = 0; i < 20 && rig.n_failed == 0; i++)
		rig_advance(USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_failed, 1);
	ck_assert_int_eq(rig.error, -EACCES);
}
END_TEST

static bool says_hello(void)
{
	uint8_t data[2048];
	ssize_t n;

	rig_turn();
	do
		n = recv(rig.fd, data, sizeof(data), MSG_DONTWAIT);
	while (n > 13 && (data[0] != 22 || data[13] != GNUTLS_HANDSHAKE_CLIENT_HELLO));
	return n > 13;
}

/* It knew the key, as its ChangeCipherSpec shows, but its Finished was lost for good. */
START_TEST(last_flight_is_lost)
{
	rig_post("hello", 5, CALL_REGISTRATION);
	rig_until((tls_peer_step(NULL, 0), tls_peer.n_datagrams == 1));
	tls_peer_cork();
	rig_until((tls_peer_step(NULL, 0), tls_peer.established));
	tls_peer_uncork_record();
	tls_peer_uncork_record();
	tls_peer_discard();
	for (unsigned i = 0; i < 20 && !says_hello(); i++)
		rig_advance(USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_failed, 0);
	tls_peer_restart(false);
	/* The one that says_hello() took is repeated. */
	rig_until((tls_peer_step(NULL, 0), rig.n_new + rig.n_failed > 0));
	ck_assert_uint_eq(rig.n_new, 1);
	request_and_response();
}
END_TEST

static int no_key(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	return -ENOKEY;
}

START_TEST(missing_key_is_told)
{
	rig.session->psk = no_key;
	fail_to_connect();
	ck_assert_int_eq(rig.error, -ENOKEY);
	ck_assert_int_eq(rig.alert, -1);
}
END_TEST

START_TEST(no_common_suite)
{
	tls_peer_done();
	tls_peer_start("NONE:+VERS-DTLS1.2:+PSK:+AES-256-GCM:+AEAD" ANY);
	fail_to_connect();
	ck_assert_int_eq(rig.error, -EACCES);
	ck_assert_int_eq(rig.alert, GNUTLS_A_HANDSHAKE_FAILURE);
}
END_TEST

/* Or a few endpoints with a wrong key would keep all others waiting, for 15 s each time. */
START_TEST(silent_server_holds_nobody_up)
{
	rig_post("x", 1, CALL_REGISTRATION);
	rig_until(rig.session->state == SESSION_STATE_HANDSHAKING);
	ck_assert_uint_eq(governor_in_flight(rig.governor), 1);
	rig_advance(2 * USEC_PER_SEC);
	ck_assert_uint_eq(governor_in_flight(rig.governor), 0);
	ck_assert_int_eq(rig.session->state, SESSION_STATE_HANDSHAKING);
	ck_assert_uint_eq(governor_window(rig.governor), GOVERNOR_WINDOW_FIRST / 2);
}
END_TEST

START_TEST(silent_server_times_out)
{
	rig_post("hello", 5, CALL_REGISTRATION);
	rig_until(rig.session->state == SESSION_STATE_HANDSHAKING);
	rig_advance(HANDSHAKE_USEC - USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_failed, 0);
	for (unsigned i = 0; i < 2; i++)
		rig_advance(5 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_failed, 1);
	ck_assert_int_eq(rig.error, -ETIMEDOUT);
	ck_assert_int_eq(rig.ended_error, -ETIMEDOUT);
}
END_TEST

static void lose_connection(void)
{
	rig_post("into the void", 13, CALL_UPDATE);
	for (unsigned i = 0; i < 6; i++)
		rig_advance(48 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_failed, 1);
	ck_assert_int_eq(rig.ended_error, -ETIMEDOUT);
}

START_TEST(resumed_after_silence)
{
	request_and_response();
	lose_connection();
	tls_peer_restart(false);
	request_and_response();
	ck_assert_uint_eq(rig.n_new, 1);
	ck_assert_uint_eq(rig.n_resumed, 1);
	ck_assert_uint_eq(session_counters(rig.session)->resumptions, 1);
	/* Asked to leave, it starts from the beginning. */
	session_disconnect(rig.session);
	rig_until((turn_both(), tls_peer.closed));
	tls_peer_restart(false);
	request_and_response();
	ck_assert_uint_eq(rig.n_new, 2);
	ck_assert_uint_eq(rig.n_resumed, 1);
}
END_TEST

START_TEST(restarted_server)
{
	request_and_response();
	tls_peer_restart(true);
	lose_connection();
	tls_peer_restart(true);
	request_and_response();
	ck_assert_uint_eq(rig.n_new, 2);
	ck_assert_uint_eq(rig.n_resumed, 0);
}
END_TEST

START_TEST(server_says_goodbye)
{
	request_and_response();
	gnutls_bye(tls_peer.tls, GNUTLS_SHUT_WR);
	rig_until(rig.n_failed == 1);
	ck_assert_int_eq(rig.error, -ECONNABORTED);
	ck_assert_int_eq(rig.alert, GNUTLS_A_CLOSE_NOTIFY);
	tls_peer_restart(false);
	request_and_response();
	ck_assert_uint_eq(rig.n_resumed, 1);
}
END_TEST

START_TEST(fatal_alert_ends_the_session)
{
	request_and_response();
	gnutls_alert_send(tls_peer.tls, GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
	rig_until(rig.n_failed == 1);
	ck_assert_int_eq(rig.error, -ECONNABORTED);
	ck_assert_int_eq(rig.alert, GNUTLS_A_INTERNAL_ERROR);
	tls_peer_restart(false);
	request_and_response();
	ck_assert_uint_eq(rig.n_new, 2);
}
END_TEST

START_TEST(forged_datagrams_change_nothing)
{
	static const char alert[] = "\x15\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x09\x00\x02\x02\x28";
	static const char protected[] = "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x09\x00\x04" "abcd";
	/* GnuTLS would end the session for these two. */
	static const char giant[] = "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x09\x48\x01" "abcd";
	static const char plain[] = "\x17\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x09\x00\x04" "abcd";

	request_and_response();
	peer_send_bytes("", 0);
	peer_send_bytes("garbage", 7);
	peer_send_bytes(giant, sizeof(giant) - 1);
	peer_send_bytes(plain, sizeof(plain) - 1);
	peer_send_bytes(alert, sizeof(alert) - 1); /* in the clear, after the handshake */
	peer_send_bytes(protected, sizeof(protected) - 1);
	request_and_response();
	ck_assert_uint_eq(rig.n_failed, 0);
}
END_TEST

START_TEST(clock_steps)
{
	ck_assert(!dtls_clock_stepped(45 * USEC_PER_SEC, 45 * USEC_PER_SEC + 1000));
	ck_assert(!dtls_clock_stepped(45 * USEC_PER_SEC, 44 * USEC_PER_SEC));
	ck_assert(dtls_clock_stepped(10 * USEC_PER_SEC, 3600 * USEC_PER_SEC));
	ck_assert(dtls_clock_stepped(10 * USEC_PER_SEC, 2 * USEC_PER_SEC));
	/* Backwards: the difference of unsigned times wraps. */
	ck_assert(dtls_clock_stepped(10 * USEC_PER_SEC, (uint64_t)0 - 3600 * USEC_PER_SEC));
}
END_TEST

int main(void)
{
	Suite *all = suite_create("dtls");
	TCase *tcase = tcase_create("dtls");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 20);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, suite, 0, ARRAY_SIZE(suites));
	tcase_add_loop_test(tcase, largest_message_fits_every_suite, 0, ARRAY_SIZE(suites));
	tcase_add_test(tcase, suites_are_offered_in_order);
	tcase_add_test(tcase, longest_credentials);
	tcase_add_test(tcase, flights_are_gathered);
	tcase_add_loop_test(tcase, record_comes_between_two_looks, 1, 3);
	tcase_add_test(tcase, cookie_is_returned);
	tcase_add_test(tcase, server_restarts_in_the_handshake);
	tcase_add_test(tcase, many_records_in_a_datagram);
	tcase_add_test(tcase, broken_record_before_a_good_one);
	tcase_add_test(tcase, request_behind_finished);
	tcase_add_test(tcase, requests_of_the_server);
	tcase_add_test(tcase, unknown_identity_is_refused);
	tcase_add_test(tcase, wrong_key_is_refused);
	tcase_add_test(tcase, last_flight_is_lost);
	tcase_add_test(tcase, missing_key_is_told);
	tcase_add_test(tcase, no_common_suite);
	tcase_add_test(tcase, silent_server_holds_nobody_up);
	tcase_add_test(tcase, silent_server_times_out);
	tcase_add_test(tcase, resumed_after_silence);
	tcase_add_test(tcase, restarted_server);
	tcase_add_test(tcase, server_says_goodbye);
	tcase_add_test(tcase, fatal_alert_ends_the_session);
	tcase_add_test(tcase, forged_datagrams_change_nothing);
	tcase_add_test(tcase, clock_steps);
	suite_add_tcase(all, tcase);
	runner = srunner_create(all);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
