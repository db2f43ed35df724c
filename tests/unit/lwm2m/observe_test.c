/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* Observe, Notify, Cancel (Core 6.4). */

#define SECONDS(n) ((n) * USEC_PER_SEC)
#define VALUE "/3303/1/5700"

static void set_up(void)
{
	account_set_up();
	account_register();
}

static void observe(const char *path, uint8_t token, int32_t accept, const char *first)
{
	ck_assert_uint_eq(server_observe(path, token, accept), CODE(2, 05));
	ck_assert_int_ge(server_observe_number, 0);
	if (first)
		ck_assert_str_eq(server_body, first);
}

static void cancel(const char *path, uint8_t token, uint8_t code)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, CODE_GET, path);
	m.token[0] = token;
	m.observe = 1;
	server_ask(&m, &answer);
	ck_assert_uint_eq(answer.code, code);
	ck_assert_int_eq(answer.observe, -1);
}

/* ---- notifications ---- */

START_TEST(test_any_change)
{
	struct message m;
	int32_t number;

	observe(VALUE, 5, -1, "21.5");
	number = server_observe_number;
	account_set(VALUE, value_float(22));
	server_expect_notification(5, "22", &m);
	ck_assert_int_eq(m.type, MESSAGE_NON);
	ck_assert_int_gt(server_observe_number, number);
	ck_assert_int_eq(server_format, FORMAT_TEXT);
	account_set(VALUE, value_float(22));
	peer_expect_silence();
}
END_TEST

/* The format of the first answer is that of all; only notifications carry times. */
START_TEST(test_format_is_fixed)
{
	struct message m;

	observe("/3303/1", 5, FORMAT_SENML_JSON,
		"[{\"bn\":\"/3303/1/\",\"n\":\"5700\",\"v\":21.5},{\"n\":\"5701\",\"vs\":\"Cel\"}]");
	account_set(VALUE, value_float(22));
	server_expect_notification(5, NULL, &m);
	ck_assert_int_eq(server_format, FORMAT_SENML_JSON);
	ck_assert_ptr_nonnull(strstr(server_body, "\"v\":22"));
	ck_assert_ptr_nonnull(strstr(server_body, "t\":"));
	/* 4.06 is for the Observe, not for later. */
	ck_assert_uint_eq(server_observe("/3303/1", 6, FORMAT_TEXT), CODE(4, 06));
	ck_assert_int_eq(server_observe_number, -1);
	account_set(VALUE, value_float(23));
	server_expect_notification(5, NULL, &m);
	peer_expect_silence();
}
END_TEST

/* Records of other times are history to servers, and no part of what is so now. */
START_TEST(test_one_time)
{
	struct message m;

	observe("/3303/1", 5, FORMAT_SENML_JSON, NULL);
	rig_advance(SECONDS(10));
	account_set(VALUE, value_float(22));
	server_expect_notification(5, NULL, &m);
	ck_assert_msg(strstr(server_body, "[{\"bn\":\"/3303/1/\",\"bt\":") == server_body, "%s", server_body);
	ck_assert_ptr_nonnull(strstr(server_body, ",\"n\":\"5700\",\"v\":22},{\"n\":\"5701\",\"vs\":\"Cel\"}]"));
}
END_TEST

START_TEST(test_pmin_and_pmax)
{
	struct message m;

	ck_assert_uint_eq(server_attributes(VALUE, "pmin=10&pmax=60"), CODE(2, 04));
	observe(VALUE, 5, -1, "21.5");
	account_set(VALUE, value_float(22));
	account_set(VALUE, value_float(23));
	rig_advance(SECONDS(9));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_notification(5, "23", &m);
	rig_advance(SECONDS(59));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_notification(5, "23", &m);
}
END_TEST

/* /1/x/2 and 3 where nothing is attached; a change of attributes acts on what runs. */
START_TEST(test_defaults_and_changes_of_attributes)
{
	struct message m;

	account_set("/1/0/3", value_integer(30));
	observe(VALUE, 5, -1, "21.5");
	rig_advance(SECONDS(30));
	server_expect_notification(5, "21.5", &m);
	ck_assert_uint_eq(server_attributes("/3303", "pmax=10"), CODE(2, 04));
	rig_advance(SECONDS(10));
	server_expect_notification(5, "21.5", &m);
	ck_assert_uint_eq(server_attributes(VALUE, "st=2"), CODE(2, 04));
	account_set(VALUE, value_float(23.4));
	peer_expect_silence();
	account_set(VALUE, value_float(23.5));
	server_expect_notification(5, "23.5", &m);
}
END_TEST

/* Max-Age: until when the next one comes at the latest, where that is known. */
START_TEST(test_max_age)
{
	struct message m, answer;

	ck_assert_uint_eq(server_attributes(VALUE, "pmin=10&pmax=300"), CODE(2, 04));
	server_request(&m, MESSAGE_CON, CODE_GET, VALUE);
	m.token[0] = 5;
	m.observe = 0;
	server_ask(&m, &answer);
	ck_assert_int_eq(answer.max_age, 300);
	rig_advance(SECONDS(300));
	server_expect_notification(5, "21.5", &m);
	ck_assert_int_eq(m.max_age, 300);
	ck_assert_uint_eq(server_attributes(VALUE, "pmax=0"), CODE(2, 04));
	rig_advance(SECONDS(10));
	account_set(VALUE, value_float(22));
	server_expect_notification(5, "22", &m);
	ck_assert_int_eq(m.max_age, -1);
}
END_TEST

/* con: attached to any part of what is observed. */
START_TEST(test_con)
{
	struct message m;

	ck_assert_uint_eq(server_attributes(VALUE, "con=1"), CODE(2, 04));
	observe("/3303/1", 5, FORMAT_SENML_JSON, NULL);
	account_set(VALUE, value_float(22));
	server_expect_notification(5, NULL, &m);
	ck_assert_int_eq(m.type, MESSAGE_CON);
	rig_turn();
	ck_assert_uint_eq(server_attributes(VALUE, "con=0"), CODE(2, 04));
	account_set("/1/0/26", value_integer(1));
	observe(VALUE, 6, -1, "22");
	account_set(VALUE, value_float(23));
	for (int i = 0; i < 2; i++) {
		peer_receive(&m);
		ck_assert_int_eq(m.type, m.token[0] == 6 ? MESSAGE_NON : MESSAGE_CON);
		if (m.type == MESSAGE_CON)
			peer_empty(MESSAGE_ACK, m.id);
	}
}
END_TEST

START_TEST(test_edge)
{
	struct message m;

	ck_assert_uint_eq(server_attributes("/3306/0/5850", "edge=1"), CODE(2, 04));
	observe("/3306/0/5850", 5, -1, "0");
	account_set("/3306/0/5850", value_boolean(true));
	server_expect_notification(5, "1", &m);
	account_set("/3306/0/5850", value_boolean(false));
	peer_expect_silence();
	account_set("/3306/0/5850", value_boolean(true));
	server_expect_notification(5, "1", &m);
}
END_TEST

static uint8_t observe_with(const char *path, const char *query, const char *more)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, CODE_GET, path);
	m.token[0] = 5;
	m.observe = 0;
	m.query[m.n_query++] = span_of(query, strlen(query));
	if (more)
		m.query[m.n_query++] = span_of(more, strlen(more));
	server_ask(&m, &answer);
	return answer.code;
}

/* int-312, 313: parameters of the Observe count instead of all that is attached. */
START_TEST(test_parameters)
{
	struct message m;

	account_set("/1/0/2", value_integer(2));
	ck_assert_uint_eq(server_attributes(VALUE, "pmin=1&pmax=60&st=5"), CODE(2, 04));
	ck_assert_uint_eq(observe_with(VALUE, "pmax=10", NULL), CODE(2, 05));
	account_set(VALUE, value_float(22)); /* less than st */
	rig_advance(SECONDS(1));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_notification(5, "22", &m);
	rig_advance(SECONDS(10));
	server_expect_notification(5, "22", &m);
	/* The attached ones are as they were, for others. */
	observe(VALUE, 6, -1, "22");
	rig_advance(SECONDS(10));
	server_expect_notification(5, "22", &m);
	peer_expect_silence();
}
END_TEST

START_TEST(test_wrong_parameters)
{
	ck_assert_uint_eq(observe_with(VALUE, "pmax=x", NULL), CODE(4, 00));
	ck_assert_uint_eq(observe_with(VALUE, "gt=1", "lt=2"), CODE(4, 00));
	ck_assert_uint_eq(observe_with(VALUE, "colour=red", NULL), CODE(4, 00));
	ck_assert_uint_eq(observe_with("/3303/1/5701", "st=1", NULL), CODE(4, 00)); /* no number */
	ck_assert_uint_eq(observe_with("/3303/1", "gt=1", NULL), CODE(4, 00));
	account_set(VALUE, value_float(22));
	peer_expect_silence();
}
END_TEST

/* Before 1.2 a query of a GET has no meaning. */
START_TEST(test_no_parameters_before_1_2)
{
	account_open(LWM2M_1_1, true);
	account_register();
	ck_assert_uint_eq(observe_with(VALUE, "pmax=10", NULL), CODE(2, 05));
	rig_advance(SECONDS(100));
	peer_expect_silence();
}
END_TEST

/* What went bad is nothing to send, pmax or not; the first good value goes at once. */
START_TEST(test_stale)
{
	struct message m;

	ck_assert_uint_eq(server_attributes("/3306/0/5850", "pmax=10"), CODE(2, 04));
	observe("/3306/0/5850", 5, -1, "0");
	account_set_quality("/3306/0/5850", STORE_STALE);
	peer_expect_silence();
	rig_advance(SECONDS(100));
	peer_expect_silence();
	account_set("/3306/0/5850", value_boolean(false));
	server_expect_notification(5, "0", &m);
}
END_TEST

START_TEST(test_removed_path)
{
	struct message m;

	account_set("/3303/0/5700", value_float(19));
	observe(VALUE, 5, -1, "21.5");
	observe("/3303", 6, FORMAT_SENML_JSON, NULL);
	ck_assert_int_eq(store_remove_instance(account.store, 3303, 1), 0);
	/* The order of the two is of no importance; one ends, one goes on. */
	for (int i = 0; i < 2; i++) {
		peer_receive(&m);
		if (message_is_path(&m, "/rd/1")) {
			peer_answer(&m, CODE(2, 04));
			i--;
			continue;
		}
		ck_assert_int_eq(m.type, MESSAGE_NON);
		ck_assert_uint_eq(m.code, m.token[0] == 5 ? CODE(4, 04) : CODE(2, 05));
		ck_assert_int_eq(m.observe >= 0, m.token[0] == 6);
	}
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
}
END_TEST

/* A server that observes without end gets plain answers (RFC 7641 4.1). */
START_TEST(test_observations_are_bounded)
{
	struct message m, answer;

	for (unsigned i = 0; i <= 256; i++) {
		server_request(&m, MESSAGE_CON, CODE_GET, VALUE);
		m.token_size = 2;
		m.token[0] = i >> 8;
		m.token[1] = i;
		m.observe = 0;
		server_ask(&m, &answer);
		ck_assert_uint_eq(answer.code, CODE(2, 05));
		ck_assert_int_eq(answer.observe >= 0, i < 256);
	}
}
END_TEST

/* ---- the end of an observation ---- */

START_TEST(test_cancel)
{
	struct message m;

	observe(VALUE, 5, -1, "21.5");
	observe(VALUE, 6, -1, "21.5");
	cancel(VALUE, 5, CODE(2, 05));
	ck_assert_str_eq(server_body, "21.5");
	account_set(VALUE, value_float(22));
	server_expect_notification(6, "22", &m);
	peer_expect_silence();
	/* Of what nobody observes: a Read. */
	cancel(VALUE, 7, CODE(2, 05));
}
END_TEST

START_TEST(test_other_observe_values)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, CODE_GET, VALUE);
	m.observe = 2;
	server_ask(&m, &answer);
	ck_assert_uint_eq(answer.code, CODE(4, 00));
}
END_TEST

START_TEST(test_reset)
{
	struct message m;

	account_set("/1/0/26", value_integer(_i)); /* NON, CON */
	observe(VALUE, 5, -1, "21.5");
	account_set(VALUE, value_float(22));
	peer_receive(&m);
	ck_assert_int_eq(m.type, _i ? MESSAGE_CON : MESSAGE_NON);
	peer_empty(MESSAGE_RST, m.id);
	/* A refused CON asks whether we are known at all (design.md "Liveness"). */
	if (_i)
		server_expect_update("", false);
	rig_turn();
	account_set(VALUE, value_float(23));
	peer_expect_silence();
}
END_TEST

/* What the transport keeps of observations, for notifications in blocks. */
static bool transport_knows_any(void)
{
	struct session *s;

	list_for_each(s, &rig.transport->sessions, all_node)
		if (s->observations)
			return true;
	return false;
}

/* Who leaves does not wait for the server to acknowledge the last ones. */
START_TEST(test_leaving_drops_notifications)
{
	struct message m;

	account_set("/1/0/26", value_integer(1));
	observe(VALUE, 5, -1, "21.5");
	observe("/3/0/0", 6, -1, "ACME");
	account_set(VALUE, value_float(22));
	account_set_text("/3/0/0", "ACME 2");
	peer_receive(&m);
	ck_assert_uint_eq(m.type, MESSAGE_CON);
	client_stop(account.client);
	peer_receive(&m);
	ck_assert_uint_eq(m.code, CODE_DELETE);
	peer_answer(&m, CODE(2, 02));
	rig_until(client_state(account.client) == CLIENT_STOPPED);
	peer_expect_silence();
}
END_TEST

START_TEST(test_register_drops_observations)
{
	struct message m;

	observe(VALUE, 5, -1, "21.5");
	ck_assert(transport_knows_any());
	client_restart(account.client);
	rig_advance(SECONDS(1));
	ck_assert(!transport_knows_any());
	account_set(VALUE, value_float(22));
	peer_receive(&m);
	server_registers(&m);
	rig_until(client_is_registered(account.client));
	account_set(VALUE, value_float(23));
	peer_expect_silence();
}
END_TEST

START_TEST(test_update_keeps_observations)
{
	struct message m;

	observe(VALUE, 5, -1, "21.5");
	client_update(account.client);
	server_expect_update("", false);
	account_set(VALUE, value_float(23));
	server_expect_notification(5, "23", &m);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observe");
	TCase *tcase = tcase_create("observe");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_test(tcase, test_any_change);
	tcase_add_test(tcase, test_format_is_fixed);
	tcase_add_test(tcase, test_one_time);
	tcase_add_test(tcase, test_pmin_and_pmax);
	tcase_add_test(tcase, test_defaults_and_changes_of_attributes);
	tcase_add_test(tcase, test_max_age);
	tcase_add_test(tcase, test_con);
	tcase_add_test(tcase, test_edge);
	tcase_add_test(tcase, test_parameters);
	tcase_add_test(tcase, test_wrong_parameters);
	tcase_add_test(tcase, test_no_parameters_before_1_2);
	tcase_add_test(tcase, test_stale);
	tcase_add_test(tcase, test_removed_path);
	tcase_add_test(tcase, test_observations_are_bounded);
	tcase_add_test(tcase, test_cancel);
	tcase_add_test(tcase, test_other_observe_values);
	tcase_add_loop_test(tcase, test_reset, 0, 2);
	tcase_add_test(tcase, test_leaving_drops_notifications);
	tcase_add_test(tcase, test_register_drops_observations);
	tcase_add_test(tcase, test_update_keeps_observations);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
