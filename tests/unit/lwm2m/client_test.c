/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* The account's life against a scripted server. */

#define SECONDS(n) ((n) * USEC_PER_SEC)
/* With all retransmissions and room for their jitter: a call has given up. */
#define GIVE_UP_USEC SECONDS(100)

#define LIST_1_2                                                                                   \
	"</>;ct=\"60 110 112 11542 11544 320 322\",</1/0>,</3/0>,</16/0>,"                                       \
	"</3303>;ver=1.1,</3303/0>,</3303/1>,</3306>;ver=1.1,</3306/0>,</3308>;ver=1.1,</3308/0>," \
	"</3341/0>"

static void expect_payload(const struct message *m, const char *text)
{
	ck_assert_uint_eq(m->payload.n, strlen(text));
	ck_assert_mem_eq(m->payload.p, text, strlen(text));
}

/* Lets the current call give up, unanswered. */
static void stay_silent(void)
{
	struct message m;

	for (int i = 0; i < 5; i++) {
		rig_advance(SECONDS(48));
		rig_turn();
	}
	rig_turn();
	/* What was retransmitted is of no interest. */
	while (recv(rig.fd, &m, sizeof(m), MSG_DONTWAIT) >= 0)
		;
}

/* ---- Register ---- */

START_TEST(test_register)
{
	struct message m;

	client_start(account.client);
	client_start(account.client);
	account_expect_states("g");
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U");
	expect_payload(&m, LIST_1_2);
	ck_assert(!client_is_registered(account.client));
	server_registers(&m);
	rig_until(client_is_registered(account.client));
	account_expect_states("R");
	ck_assert_int_eq(client_version(account.client), LWM2M_1_2);
	peer_expect_silence();
}
END_TEST

/* 4.12: again as 1.1, with the objects of 1.1, and so until the agent ends. */
START_TEST(test_fallback)
{
	struct message m;

	client_start(account.client);
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U");
	peer_answer(&m, CODE(4, 12));
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.1&b=U");
	server_registers(&m);
	rig_until(client_is_registered(account.client));
	account_expect_states("ggR");
	ck_assert_int_eq(client_version(account.client), LWM2M_1_1);
	client_restart(account.client);
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.1&b=U");
}
END_TEST

/* Once for a server: its other accounts begin with what one of them has found out. */
START_TEST(test_fallback_is_shared)
{
	enum lwm2m_version known = 0;
	struct message m;

	account.config.server_version = &known;
	account_open(LWM2M_1_2, false);
	client_start(account.client);
	peer_receive(&m);
	peer_answer(&m, CODE(4, 12));
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.1&b=U");
	ck_assert_int_eq(known, LWM2M_1_1);

	account_open(LWM2M_1_2, false);
	client_start(account.client);
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.1&b=U");
	/* A fixed version is what YAML says. */
	account_open(LWM2M_1_2, true);
	client_start(account.client);
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U");
	account_open(LWM2M_1_0, false);
	client_start(account.client);
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.0&b=U");
}
END_TEST

/* A version that YAML fixes is not left, and 1.1 has nothing to fall back to. */
START_TEST(test_no_fallback)
{
	struct message m;

	account_open(_i ? LWM2M_1_1 : LWM2M_1_2, !_i);
	client_start(account.client);
	peer_receive(&m);
	peer_answer(&m, CODE(4, 12));
	rig_until(client_state(account.client) == CLIENT_WAITING);
	account_expect_states("gW");
	ck_assert_int_eq(account.error, -EPROTO);
}
END_TEST

START_TEST(test_register_as_1_0)
{
	struct message m;

	account_open(LWM2M_1_0, true);
	client_start(account.client);
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.0&b=U");
	ck_assert_mem_eq(m.payload.p, "</1/0>,</3/0>", 13);
}
END_TEST

START_TEST(test_infinite_lifetime)
{
	struct message m;

	account_set("/1/0/1", value_integer(0));
	client_start(account.client);
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=0&lwm2m=1.2&b=U");
	peer_answer(&m, CODE(4, 12));
	/* Before 1.2 that is a registration that has just expired. */
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=2147483647&lwm2m=1.1&b=U");
}
END_TEST

/* What is no registration, however it is called. */
static const struct {
	uint8_t code;
	int error;
	const char *told;
} refusals[] = {
	{ CODE(4, 00), -EINVAL, "it answered 4.00 Bad Request" },
	{ CODE(4, 03), -ECONNREFUSED, "it answered 4.03 Forbidden" },
	{ CODE(5, 00), -EIO, "it answered 5.00 Internal Server Error" },
	{ CODE(5, 03), -EHOSTDOWN, "it answered 5.03 Service Unavailable" },
	{ CODE(2, 01), -EBADMSG, "its answer makes no sense" }, /* without a Location */
};

START_TEST(test_refused)
{
	char trouble[CLIENT_TROUBLE_MAX];
	struct message m;

	ck_assert_str_eq(client_trouble(account.client, trouble), "");
	client_start(account.client);
	peer_receive(&m);
	peer_answer(&m, refusals[_i].code);
	rig_until(client_state(account.client) == CLIENT_WAITING);
	ck_assert_int_eq(account.error, refusals[_i].error);
	ck_assert_mem_eq(client_trouble(account.client, trouble), refusals[_i].told,
			 strlen(refusals[_i].told));
	peer_expect_silence();
	rig_advance(SECONDS(59));
	peer_expect_silence();
	rig_advance(SECONDS(17));
	peer_receive(&m);
	/* It is being tried, but all is not well yet. */
	ck_assert_str_ne(client_trouble(account.client, trouble), "");
	server_registers(&m);
	rig_until(client_is_registered(account.client));
	account_expect_states("gWgR");
}
END_TEST

static const struct {
	struct span segment; /* comes twice */
	int error;
} locations[] = {
	{ { (const uint8_t *)"0123456789012345678901234567890123456789012345678901234567890123", 64 },
	  -ENAMETOOLONG },
	/* A NUL ends a segment where it is kept. */
	{ { (const uint8_t *)"a\0b", 3 }, -EBADMSG },
	{ { (const uint8_t *)"ab\0", 3 }, -EBADMSG },
};

START_TEST(test_odd_location)
{
	struct message m, answer;

	client_start(account.client);
	peer_receive(&m);
	message_init(&answer, MESSAGE_ACK, CODE(2, 01));
	answer.id = m.id;
	answer.token_size = m.token_size;
	memcpy(answer.token, m.token, sizeof(m.token));
	answer.path[0] = answer.path[1] = locations[_i].segment;
	answer.n_path = 2;
	peer_send(&answer);
	rig_until(client_state(account.client) == CLIENT_WAITING);
	ck_assert_int_eq(account.error, locations[_i].error);
}
END_TEST

/* Core 6.2.1.1, with the settings of /1/x/17-20. */
START_TEST(test_retry_sequence)
{
	static const unsigned waits[] = { 10, 20, 100, 10, 20, 100 };
	struct message m;

	account_set("/1/0/17", value_unsigned(3));
	account_set("/1/0/18", value_unsigned(10));
	account_set("/1/0/19", value_unsigned(100));
	client_start(account.client);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		peer_receive(&m);
		peer_answer(&m, CODE(5, 03));
		rig_until(client_state(account.client) == CLIENT_WAITING);
		ck_assert_uint_eq(account.failed, (i + 1) / 3);
		rig_advance(SECONDS(waits[i]) - 1 - USEC_PER_SEC / 2);
		peer_expect_silence();
		rig_advance(SECONDS(waits[i]) / 4 + USEC_PER_SEC);
	}
	peer_receive(&m);
	server_registers(&m);
	rig_until(client_is_registered(account.client));
}
END_TEST

/* /1/x/16: what servers reject is worth another bootstrap at once, what they cannot do is not. */
static const struct {
	uint8_t code;
	bool stays; /* /1/x/16 is false */
	unsigned failed;
} rejections[] = {
	{ CODE(4, 03), false, 1 }, { CODE(4, 00), false, 1 }, { CODE(4, 03), true, 0 },
	{ CODE(4, 00), true, 0 },  { CODE(4, 12), false, 0 }, { CODE(5, 00), false, 0 },
};

START_TEST(test_rejected)
{
	struct message m;

	/* As a bootstrap server wrote it. */
	account_set("/1/0/16", value_boolean(!rejections[_i].stays));
	account_open(LWM2M_1_1, true);
	client_start(account.client);
	peer_receive(&m);
	peer_answer(&m, rejections[_i].code);
	rig_until(client_state(account.client) == CLIENT_WAITING);
	ck_assert_uint_eq(account.failed, rejections[_i].failed);
	/* It goes on as if it had been any other refusal. */
	rig_advance(SECONDS(76));
	peer_receive(&m);
	server_registers(&m);
	rig_until(client_is_registered(account.client));
}
END_TEST

/* /1/x/14, which the gateway counts. */
START_TEST(test_begins_later)
{
	struct message m;

	client_start_at(account.client, clock_monotonic_usec() + SECONDS(30));
	ck_assert_int_eq(client_state(account.client), CLIENT_WAITING);
	rig_advance(SECONDS(29));
	peer_expect_silence();
	/* A reload has mended nothing that it waits for. */
	client_adopt(account.client, &account.config);
	peer_expect_silence();
	rig_advance(SECONDS(2));
	peer_receive(&m);
	server_registers(&m);
	rig_until(client_is_registered(account.client));
	account_expect_states("WgR");
}
END_TEST

START_TEST(test_begins_at_once)
{
	client_start_at(account.client, clock_monotonic_usec());
	ck_assert_int_eq(client_state(account.client), CLIENT_REGISTERING);
}
END_TEST

START_TEST(test_leaves_before_it_begins)
{
	client_start_at(account.client, clock_monotonic_usec() + SECONDS(30));
	client_stop(account.client);
	account_expect_states("WS");
	rig_advance(SECONDS(31));
	peer_expect_silence();
}
END_TEST

static const struct {
	const char *path;
	int64_t value;
} order_values[] = {
	{ "/1/0/13", 4294967295 },
	{ "/1/0/14", 30 },
	{ "/1/0/15", true },
	{ "/1/0/16", false },
};

START_TEST(test_order_settings)
{
	struct order_account order = { 0 };

	client_order_settings(account.client, &order);
	ck_assert(!order.has_priority && !order.blocks && order.bootstraps);
	ck_assert_uint_eq(order.delay_usec, 0);
	for (size_t i = 0; i < ARRAY_SIZE(order_values); i++)
		account_set(order_values[i].path, i < 2 ? value_unsigned(order_values[i].value) :
							  value_boolean(order_values[i].value));
	client_order_settings(account.client, &order);
	ck_assert(order.has_priority && order.blocks && !order.bootstraps);
	ck_assert_uint_eq(order.priority, UINT32_MAX);
	ck_assert_uint_eq(order.delay_usec, SECONDS(30));
}
END_TEST

/* One attempt is a Register with all its retransmissions. */
START_TEST(test_silent_server)
{
	struct message m;

	client_start(account.client);
	peer_receive(&m);
	stay_silent();
	rig_until(client_state(account.client) == CLIENT_WAITING);
	account_expect_states("gW");
	ck_assert_int_eq(account.error, -ETIMEDOUT);
	rig_advance(SECONDS(75));
	peer_receive(&m);
	server_registers(&m);
	rig_until(client_is_registered(account.client));
}
END_TEST

/* Who reads the files again has mended something, and wants to see it work. */
START_TEST(test_adopted_while_it_waits)
{
	struct message m;

	client_start(account.client);
	peer_receive(&m);
	peer_answer(&m, CODE(4, 03));
	rig_until(client_state(account.client) == CLIENT_WAITING);
	peer_expect_silence();
	client_adopt(account.client, &account.config);
	peer_receive(&m);
	server_registers(&m);
	rig_until(client_is_registered(account.client));
	client_adopt(account.client, &account.config);
	peer_expect_silence();
}
END_TEST

/* ---- Update ---- */

START_TEST(test_refresh)
{
	account_register();
	rig_advance(SECONDS(3506));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_update("", false);
	account_expect_states("UR");
	rig_advance(SECONDS(3506));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_update("", false);
}
END_TEST

START_TEST(test_lifetime)
{
	account_register();
	account_set("/1/0/1", value_integer(120));
	server_expect_update("lt=120", false);
	/* Then in time for it: half, as 93 s would leave too little. */
	rig_advance(SECONDS(59));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_update("", false);
	/* The same again changes nothing. */
	account_set("/1/0/1", value_integer(120));
	peer_expect_silence();
}
END_TEST

START_TEST(test_instances)
{
	struct message m;

	account_register();
	ck_assert_int_eq(store_remove_instance(account.store, 3303, 0), 0);
	ck_assert_int_eq(store_remove_instance(account.store, 3303, 1), 0);
	ck_assert_int_eq(store_remove_instance(account.store, 3341, 0), 0);
	peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd/1"));
	/* The whole list, not what changed. */
	expect_payload(&m, "</>;ct=\"60 110 112 11542 11544 320 322\",</1/0>,</3/0>,</16/0>,</3303>;ver=1.1,"
			   "</3306>;ver=1.1,</3306/0>,</3308>;ver=1.1,</3308/0>,</3341>");
	/* What happens meanwhile is told afterwards. */
	ck_assert_int_eq(store_remove_instance(account.store, 3308, 0), 0);
	account_set("/1/0/1", value_integer(7200));
	peer_expect_silence();
	peer_answer(&m, CODE(2, 04));
	server_expect_update("lt=7200", true);
	peer_expect_silence();
}
END_TEST

START_TEST(test_value_is_no_update)
{
	account_register();
	account_set("/3303/1/5700", value_float(22));
	account_set("/1/0/2", value_integer(5));
	peer_expect_silence();
}
END_TEST

START_TEST(test_trigger)
{
	account_register();
	client_update(account.client);
	server_expect_update("", false);
	peer_expect_silence();
}
END_TEST

/* Update answered: as lwm2m.md says for each code. */
static const struct {
	uint8_t code;
	const char *states;
} update_answers[] = {
	{ CODE(4, 04), "Ug" }, { CODE(4, 00), "Ug" }, { CODE(4, 03), "Ug" },
	{ CODE(5, 00), "UW" }, { CODE(5, 03), "UW" },
};

START_TEST(test_update_answer)
{
	struct message m;

	account_register();
	client_update(account.client);
	peer_receive(&m);
	peer_answer(&m, update_answers[_i].code);
	rig_until(client_state(account.client) != CLIENT_UPDATING);
	account_expect_states(update_answers[_i].states);
	if (client_state(account.client) == CLIENT_WAITING)
		rig_advance(SECONDS(75));
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U");
	server_registers(&m);
	rig_until(client_is_registered(account.client));
}
END_TEST

/* Without security a new session has a new address: the server knows nobody there. */
START_TEST(test_update_unanswered)
{
	struct address before;
	struct message m;

	account_register();
	before = rig.session_address;
	client_update(account.client);
	peer_receive(&m);
	stay_silent();
	rig_until(client_state(account.client) == CLIENT_REGISTERING);
	account_expect_states("Ug");
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U");
	ck_assert(before.v4.sin_port != rig.session_address.v4.sin_port);
	server_registers(&m);
	rig_until(client_is_registered(account.client));
}
END_TEST

START_TEST(test_liveness)
{
	struct message m;

	account.config.liveness_usec = SECONDS(300);
	account_open(LWM2M_1_2, false);
	account_register();
	rig_advance(SECONDS(299));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_update("", false);
	/* The server answers a confirmable message of ours at 200 s: 300 s from there. */
	rig_advance(SECONDS(200));
	ck_assert_uint_eq(server_observe("/3303/1/5700", 5, -1), CODE(2, 05));
	rig_advance(SECONDS(90));
	account_set("/1/0/26", value_integer(1));
	account_set("/3303/1/5700", value_float(22));
	server_expect_notification(5, "22", &m);
	rig_turn();
	rig_advance(SECONDS(299));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_update("", false);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("client");
	TCase *tcase = tcase_create("client");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, account_set_up, account_tear_down);
	tcase_add_test(tcase, test_register);
	tcase_add_test(tcase, test_fallback);
	tcase_add_test(tcase, test_fallback_is_shared);
	tcase_add_loop_test(tcase, test_no_fallback, 0, 2);
	tcase_add_test(tcase, test_register_as_1_0);
	tcase_add_test(tcase, test_infinite_lifetime);
	tcase_add_loop_test(tcase, test_refused, 0, ARRAY_SIZE(refusals));
	tcase_add_loop_test(tcase, test_odd_location, 0, ARRAY_SIZE(locations));
	tcase_add_test(tcase, test_retry_sequence);
	tcase_add_loop_test(tcase, test_rejected, 0, ARRAY_SIZE(rejections));
	tcase_add_test(tcase, test_begins_later);
	tcase_add_test(tcase, test_begins_at_once);
	tcase_add_test(tcase, test_leaves_before_it_begins);
	tcase_add_test(tcase, test_order_settings);
	tcase_add_test(tcase, test_silent_server);
	tcase_add_test(tcase, test_adopted_while_it_waits);
	tcase_add_test(tcase, test_refresh);
	tcase_add_test(tcase, test_lifetime);
	tcase_add_test(tcase, test_instances);
	tcase_add_test(tcase, test_value_is_no_update);
	tcase_add_test(tcase, test_trigger);
	tcase_add_loop_test(tcase, test_update_answer, 0, ARRAY_SIZE(update_answers));
	tcase_add_test(tcase, test_update_unanswered);
	tcase_add_test(tcase, test_liveness);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
