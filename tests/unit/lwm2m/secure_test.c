/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/lwm2m/account.h"
#include "tests/unit/transport/tls_peer.h"

/* What a lost connection means under DTLS (Core 6.4.1, lwm2m.md "New security context"). */

#define SECONDS(n) ((n) * USEC_PER_SEC)

static char host[] = "127.0.0.1";
static struct uri uri;

static int get_psk(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	*ret_key = (uint8_t *)strdup("secret");
	*ret_size = 6;
	return *ret_key ? 0 : -ENOMEM;
}

static void set_up(void)
{
	account_set_up();
	tls_peer_start(NULL);
	uri = (struct uri){ .scheme = URI_COAPS, .host = host, .port = rig.port };
	account.config.uri = &uri;
	account.config.security = SESSION_SECURITY_PSK;
	account.config.psk_identity = "me";
	account.config.psk = get_psk;
	account_open(LWM2M_1_2, true);
}

static void tear_down(void)
{
	account_tear_down();
	tls_peer_done();
}

static void answer(const struct message *request, uint8_t code, const char *location)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, code);
	m.id = request->id;
	m.token_size = request->token_size;
	memcpy(m.token, request->token, sizeof(m.token));
	if (location) {
		message_add_path(&m, "rd");
		message_add_path(&m, location);
	}
	tls_peer_send(&m);
}

static void expect_register(void)
{
	struct message m;

	tls_peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd"));
	answer(&m, CODE(2, 01), "1");
	rig_until(client_is_registered(account.client));
}

static void observe(void)
{
	struct message m;

	peer_request(&m, MESSAGE_CON, CODE_GET, 0x4000, "/3303/1/5700");
	m.observe = 0;
	tls_peer_send(&m);
	tls_peer_receive(&m);
	ck_assert_uint_eq(m.code, CODE(2, 05));
	ck_assert_int_ge(m.observe, 0);
}

/* The Update gives up; the server that comes next knows nothing of the old connection. */
static void lose_update(bool list)
{
	struct message m;
	char rest[2048];

	if (list)
		ck_assert_int_eq(store_remove_instance(account.store, 3341, 0), 0);
	else
		client_update(account.client);
	tls_peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd/1"));
	ck_assert_int_eq(m.payload.n > 0, list);
	for (int i = 0; i < 5; i++)
		rig_advance(SECONDS(48));
	while (recv(rig.fd, rest, sizeof(rest), MSG_DONTWAIT) >= 0)
		;
	tls_peer_restart(true);
}

START_TEST(test_the_same_update_once_more)
{
	struct message m;

	client_start(account.client);
	expect_register();
	observe();
	account.states[0] = 0;
	account_set("/1/0/1", value_integer(7200));
	lose_update(true);
	tls_peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd/1"));
	ck_assert_uint_gt(m.payload.n, 0);
	ck_assert_str_eq(message_queries(&m), "lt=7200");
	answer(&m, CODE(2, 04), NULL);
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	account_expect_states("UUR");
	/* Observations outlive it. */
	account_set("/3303/1/5700", value_float(22));
	tls_peer_receive(&m);
	ck_assert_uint_eq(m.token[0], 0x77);
	ck_assert_uint_eq(m.code, CODE(2, 05));
	/* And a later loss gets its second try as well. */
	lose_update(false);
	tls_peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd/1"));
}
END_TEST

START_TEST(test_forgotten_meanwhile)
{
	struct message m;

	client_start(account.client);
	expect_register();
	lose_update(false);
	tls_peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd/1"));
	answer(&m, CODE(4, 04), NULL);
	expect_register();
}
END_TEST

START_TEST(test_1_1_registers)
{
	account_open(LWM2M_1_1, true);
	client_start(account.client);
	expect_register();
	account.states[0] = 0;
	lose_update(false);
	expect_register();
	account_expect_states("UgR");
}
END_TEST

/* Nobody acknowledged it: an Update asks, and the value is owed, whatever the conditions say. */
START_TEST(test_lost_confirmable)
{
	static const char attached[] = "/3303/1/5700 gt=30\n";
	char rest[2048];
	struct message m;

	account_set("/1/0/26", value_integer(1));
	ck_assert_int_eq(client_load_attributes(account.client, span_of(attached, strlen(attached))),
			 0);
	client_start(account.client);
	expect_register();
	observe();
	account_set("/3303/1/5700", value_float(31));
	tls_peer_receive(&m);
	ck_assert_int_eq(m.type, MESSAGE_CON);
	for (int i = 0; i < 5; i++)
		rig_advance(SECONDS(48));
	while (recv(rig.fd, rest, sizeof(rest), MSG_DONTWAIT) >= 0)
		;
	tls_peer_restart(true);
	tls_peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd/1"));
	answer(&m, CODE(2, 04), NULL);
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	rig_advance(SECONDS(5));
	tls_peer_receive(&m);
	ck_assert_uint_eq(m.token[0], 0x77);
	ck_assert_mem_eq(m.payload.p, "31", 2);
}
END_TEST

/*
 * The server closes the connection: an Update brings it back, as a resumption
 * (0: the context is the old one) or not (1). A 1.1 client then has to register.
 */
static const struct {
	enum lwm2m_version version;
	bool forget_tickets;
	const char *states;
} goodbyes[] = {
	{ LWM2M_1_2, false, "UR" },
	{ LWM2M_1_2, true, "UR" },
	{ LWM2M_1_1, false, "UR" },
	{ LWM2M_1_1, true, "UgR" },
};

START_TEST(test_closed_by_the_server)
{
	struct message m;

	account_open(goodbyes[_i].version, true);
	client_start(account.client);
	expect_register();
	account.states[0] = 0;
	gnutls_bye(tls_peer.tls, GNUTLS_SHUT_WR);
	rig_until(client_state(account.client) == CLIENT_UPDATING);
	tls_peer_restart(goodbyes[_i].forget_tickets);
	tls_peer_receive(&m);
	if (strchr(goodbyes[_i].states, 'g')) {
		ck_assert(message_is_path(&m, "/rd"));
		answer(&m, CODE(2, 01), "1");
	} else {
		ck_assert(message_is_path(&m, "/rd/1"));
		answer(&m, CODE(2, 04), NULL);
	}
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	account_expect_states(goodbyes[_i].states);
}
END_TEST

/* /1/x/11 tells which alert it was. */
START_TEST(test_alert)
{
	const struct path path = path_of_resource(1, 0, 11);
	struct message m;
	struct value v;

	client_start(account.client);
	expect_register();
	ck_assert_int_eq(store_read(account.store, &path, false, &v, NULL), -ENOENT);
	gnutls_alert_send(tls_peer.tls, GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
	rig_until(client_state(account.client) == CLIENT_UPDATING);
	tls_peer_restart(true);
	tls_peer_receive(&m);
	answer(&m, CODE(2, 04), NULL);
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	ck_assert_int_eq(store_read(account.store, &path, false, &v, NULL), 0);
	ck_assert_uint_eq(v.unsignd, GNUTLS_A_INTERNAL_ERROR);
}
END_TEST

static void expect_attempt_after(unsigned seconds)
{
	rig_advance(SECONDS(seconds) - 1 - USEC_PER_SEC / 2);
	rig_turn();
	ck_assert_int_eq(client_state(account.client), CLIENT_WAITING);
	rig_advance(SECONDS(seconds) / 4 + USEC_PER_SEC);
	rig_until(client_state(account.client) == CLIENT_REGISTERING);
}

/* A server that refuses us for good is not asked again in this sequence (Transport 5.2.10). */
START_TEST(test_final_alert)
{
	account_set("/1/0/19", value_unsigned(1000));
	client_start(account.client);
	expect_register();
	gnutls_alert_send(tls_peer.tls, GNUTLS_AL_FATAL, GNUTLS_A_ACCESS_DENIED);
	rig_until(client_state(account.client) == CLIENT_WAITING);
	/* The only sequence, by default. */
	ck_assert_uint_eq(account.failed, 1);
	tls_peer_restart(true);
	expect_attempt_after(1000);
	expect_register();
}
END_TEST

/* It was stopped, and only waited for an answer to take its registration back. */
START_TEST(test_final_alert_while_it_stops)
{
	struct message m;

	client_start(account.client);
	tls_peer_receive(&m);
	client_stop(account.client);
	ck_assert_int_eq(client_state(account.client), CLIENT_REGISTERING);
	gnutls_alert_send(tls_peer.tls, GNUTLS_AL_FATAL, GNUTLS_A_ACCESS_DENIED);
	rig_until(client_state(account.client) != CLIENT_REGISTERING);
	account_expect_states("gS");
	ck_assert_uint_eq(account.failed, 0);
}
END_TEST

/* In the handshake of an Update or a Register. */
START_TEST(test_final_alert_in_handshake)
{
	uint8_t data[64];

	account_set("/1/0/19", value_unsigned(1000));
	client_start(account.client);
	if (_i) {
		expect_register();
		gnutls_bye(tls_peer.tls, GNUTLS_SHUT_WR);
		rig_until(client_state(account.client) == CLIENT_UPDATING);
		tls_peer_restart(true);
	}
	rig_until((tls_peer_step(data, sizeof(data)),
		   (int)gnutls_handshake_get_last_in(tls_peer.tls) == GNUTLS_HANDSHAKE_CLIENT_HELLO));
	gnutls_alert_send(tls_peer.tls, GNUTLS_AL_FATAL, GNUTLS_A_UNKNOWN_PSK_IDENTITY);
	rig_until(client_state(account.client) == CLIENT_WAITING);
	ck_assert_int_eq(account.error, -EACCES);
	rig_turn();
	/* One failure, one attempt counted, one line. */
	account_expect_states(_i ? "gRUW" : "gW");
	tls_peer_restart(true);
	expect_attempt_after(1000);
	expect_register();
}
END_TEST

START_TEST(test_wrong_key)
{
	tls_peer_done();
	tls_peer_start("NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK:+AES-128-CCM-8");
	account.config.psk_identity = "somebody else";
	account_open(LWM2M_1_2, true);
	client_start(account.client);
	rig_until((tls_peer_step((char[2048]){ 0 }, 2048),
		   client_state(account.client) == CLIENT_WAITING));
	ck_assert_int_lt(account.error, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("secure");
	TCase *tcase = tcase_create("secure");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, test_the_same_update_once_more);
	tcase_add_test(tcase, test_forgotten_meanwhile);
	tcase_add_test(tcase, test_1_1_registers);
	tcase_add_test(tcase, test_lost_confirmable);
	tcase_add_loop_test(tcase, test_closed_by_the_server, 0, ARRAY_SIZE(goodbyes));
	tcase_add_test(tcase, test_alert);
	tcase_add_test(tcase, test_final_alert);
	tcase_add_test(tcase, test_final_alert_while_it_stops);
	tcase_add_loop_test(tcase, test_final_alert_in_handshake, 0, 2);
	tcase_add_test(tcase, test_wrong_key);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
