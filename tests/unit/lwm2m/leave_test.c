/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* How an account leaves its server, for good or for a while. */

#define SECONDS(n) ((n) * USEC_PER_SEC)

/* ---- De-register, disable, restart ---- */

static void expect_deregister(struct message *m)
{
	peer_receive(m);
	ck_assert_int_eq(m->type, MESSAGE_CON);
	ck_assert_int_eq(m->code, CODE_DELETE);
	ck_assert(message_is_path(m, "/rd/1"));
	ck_assert_uint_eq(m->n_query, 0);
	ck_assert_uint_eq(m->payload.n, 0);
}

START_TEST(test_stop)
{
	struct message m;

	account_register();
	client_stop(account.client);
	account_expect_states("d");
	expect_deregister(&m);
	peer_answer(&m, CODE(2, 02));
	rig_until(client_state(account.client) == CLIENT_STOPPED);
	account_expect_states("S");
	rig_advance(USEC_PER_DAY);
	peer_expect_silence();
	/* And can begin again. */
	account_register();
}
END_TEST

START_TEST(test_stop_unanswered)
{
	struct message m;

	account_register();
	client_stop(account.client);
	expect_deregister(&m);
	rig_advance(SECONDS(3));
	rig_turn();
	ck_assert_int_eq(client_state(account.client), CLIENT_STOPPED);
	account_expect_states("dS");
}
END_TEST

/* The server may have registered us before its answer is here. */
START_TEST(test_stop_while_it_registers)
{
	struct message m;

	client_start(account.client);
	peer_receive(&m);
	client_stop(account.client);
	server_registers(&m);
	expect_deregister(&m);
	peer_answer(&m, CODE(2, 02));
	rig_until(client_state(account.client) == CLIENT_STOPPED);
	account_expect_states("gdS");
}
END_TEST

START_TEST(test_stop_while_it_is_refused)
{
	struct message m;

	client_start(account.client);
	peer_receive(&m);
	client_stop(account.client);
	peer_answer(&m, CODE(4, 12));
	rig_until(client_state(account.client) == CLIENT_STOPPED);
	peer_expect_silence();
	account_expect_states("gS");
}
END_TEST

START_TEST(test_stop_while_a_register_is_unanswered)
{
	struct message m;

	client_start(account.client);
	peer_receive(&m);
	client_stop(account.client);
	rig_advance(SECONDS(4));
	rig_turn();
	account_expect_states("gS");
}
END_TEST

/* Nothing has gone out: there is nothing to take back. */
START_TEST(test_stop_before_anything_was_sent)
{
	client_start(account.client);
	client_stop(account.client);
	account_expect_states("gS");
	rig_turn();
	peer_expect_silence();
}
END_TEST

/* Wanted again after all: it does not wait for the next repetition, which may be a minute away. */
START_TEST(test_started_again_while_it_registers)
{
	struct message m;

	client_start(account.client);
	peer_receive(&m);
	client_stop(account.client);
	client_start(account.client);
	peer_receive(&m);
	server_registers(&m);
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	account_expect_states("ggR");
}
END_TEST

START_TEST(test_started_while_it_leaves)
{
	struct message m;

	account_register();
	client_stop(account.client);
	client_start(account.client);
	expect_deregister(&m);
	peer_answer(&m, CODE(2, 02));
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U");
	account_expect_states("dg");
}
END_TEST

START_TEST(test_disable)
{
	struct message m;
	in_port_t port;

	account_set("/1/0/5", value_integer(60));
	account_register();
	ck_assert_uint_eq(server_post("/1/0/4", -1, NULL, 0), CODE(2, 04));
	rig_advance(SECONDS(1));
	expect_deregister(&m);
	peer_answer(&m, CODE(2, 02));
	rig_until(client_state(account.client) == CLIENT_DISABLED);
	account_expect_states("dD");
	port = rig.session_address.v4.sin_port;
	client_start(account.client); /* harmless */
	rig_advance(SECONDS(59));
	account_set("/3303/1/5700", value_float(3));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U");
	/* The connection was closed meanwhile (Core E.2). */
	ck_assert_uint_ne(rig.session_address.v4.sin_port, port);
}
END_TEST

START_TEST(test_disable_unanswered)
{
	struct message m;

	account_register();
	client_disable(account.client);
	rig_advance(SECONDS(1));
	expect_deregister(&m);
	client_start(account.client); /* it is started */
	rig_advance(SECONDS(3));
	rig_turn();
	account_expect_states("dD");
}
END_TEST

/* An Update that fails meanwhile does not bring it back. */
START_TEST(test_disable_during_an_update)
{
	struct message m;

	account_register();
	client_update(account.client);
	peer_receive(&m);
	client_disable(account.client);
	peer_answer(&m, CODE(4, 04));
	rig_until(client_state(account.client) == CLIENT_DISABLED);
	account_expect_states("UD");
	peer_expect_silence();
}
END_TEST

/* What a server may have written to /1/x/5. */
static const struct {
	int64_t written;
	uint64_t seconds;
} absences[] = { { -1, 86400 },
		 { 0, 0 },
		 { INT64_MAX, 86400 },
		 { INT64_C(1) << 44, 86400 },
		 { UINT32_MAX, UINT32_MAX } };

START_TEST(test_absence)
{
	struct message m;

	account_set("/1/0/5", value_integer(absences[_i].written));
	account_register();
	client_disable(account.client);
	rig_advance(SECONDS(1));
	expect_deregister(&m);
	peer_answer(&m, CODE(2, 02));
	rig_until(strchr(account.states, 'D'));
	if (absences[_i].seconds > 0) {
		rig_advance(SECONDS(absences[_i].seconds - 1));
		peer_expect_silence();
		rig_advance(SECONDS(1));
	}
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U");
}
END_TEST

START_TEST(test_stop_ends_a_disable)
{
	struct message m;

	account_register();
	client_disable(account.client);
	client_stop(account.client);
	expect_deregister(&m);
	peer_answer(&m, CODE(2, 02));
	rig_until(client_state(account.client) == CLIENT_STOPPED);
	account_expect_states("dS");
}
END_TEST

/* /3/0/4 of a virtual endpoint: 2.04, then Register. */
START_TEST(test_restart)
{
	struct message m;

	account_register();
	ck_assert_uint_eq(server_post("/3/0/4", -1, NULL, 0), CODE(2, 04));
	/* The answer has a second on its way; what else is due does not put it off. */
	client_update(account.client);
	rig_advance(SECONDS(1) / 2);
	peer_expect_silence();
	rig_advance(SECONDS(1) / 2);
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U");
	server_registers(&m);
	rig_until(client_is_registered(account.client));
	account_expect_states("gR");
}
END_TEST

START_TEST(test_update_trigger)
{
	account_register();
	ck_assert_uint_eq(server_post("/1/0/8", -1, NULL, 0), CODE(2, 04));
	server_expect_update("", false);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("leave");
	TCase *tcase = tcase_create("leave");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, account_set_up, account_tear_down);
	tcase_add_test(tcase, test_stop);
	tcase_add_test(tcase, test_stop_unanswered);
	tcase_add_test(tcase, test_stop_while_it_registers);
	tcase_add_test(tcase, test_stop_while_it_is_refused);
	tcase_add_test(tcase, test_stop_while_a_register_is_unanswered);
	tcase_add_test(tcase, test_stop_before_anything_was_sent);
	tcase_add_test(tcase, test_started_again_while_it_registers);
	tcase_add_test(tcase, test_started_while_it_leaves);
	tcase_add_test(tcase, test_disable);
	tcase_add_test(tcase, test_disable_unanswered);
	tcase_add_test(tcase, test_disable_during_an_update);
	tcase_add_loop_test(tcase, test_absence, 0, ARRAY_SIZE(absences));
	tcase_add_test(tcase, test_stop_ends_a_disable);
	tcase_add_test(tcase, test_restart);
	tcase_add_test(tcase, test_update_trigger);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
