/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lwm2m/queue.h"
#include "tests/unit/lwm2m/account.h"

/* Queue mode (Transport 6.5). */

#define SECONDS(n) ((n) * USEC_PER_SEC)
#define VALUE "/3303/1/5700"

static const struct {
	struct queue_view view;
	unsigned now_s;
	bool asleep;
} views[] = {
	{ { .on = true, .spoke_usec = SECONDS(1000) }, 1000, false },
	{ { .on = true, .spoke_usec = SECONDS(1000) }, 1092, false },
	{ { .on = true, .spoke_usec = SECONDS(1000) }, 1093, true },
	{ { .on = true, .spoke_usec = SECONDS(1000), .busy = true }, 5000, false },
	{ { .on = false, .spoke_usec = SECONDS(1000) }, 5000, false },
};

START_TEST(test_asleep)
{
	ck_assert_int_eq(queue_is_asleep(&views[_i].view, SECONDS(views[_i].now_s)), views[_i].asleep);
}
END_TEST

static void set_up(void)
{
	account_set_up();
	account.config.queue_mode = true;
	account.config.liveness_usec = SECONDS(300);
	account_open(LWM2M_1_2, false);
}

static const struct {
	enum lwm2m_version version;
	const char *queries;
} registers[] = {
	{ LWM2M_1_0, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.0&b=UQ" },
	{ LWM2M_1_1, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.1&b=U&Q" },
	{ LWM2M_1_2, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U&Q" },
};

START_TEST(test_register)
{
	struct message m;

	account_open(registers[_i].version, true);
	client_start(account.client);
	server_expect_register(&m, registers[_i].queries);
}
END_TEST

/* Only the lifetime wakes it: liveness is no reason. */
START_TEST(test_no_liveness)
{
	account_register();
	rig_advance(SECONDS(3600 - 93 - 1));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	server_expect_update("", false);
}
END_TEST

/* An Update first, and behind its answer the newest value. */
START_TEST(test_notification_wakes)
{
	struct message m;

	account_register();
	ck_assert_uint_eq(server_observe(VALUE, 5, -1), CODE(2, 05));
	rig_advance(SECONDS(92));
	account_set(VALUE, value_float(22));
	server_expect_notification(5, "22", &m);
	rig_advance(SECONDS(93));
	account_set(VALUE, value_float(23));
	peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd/1"));
	account_set(VALUE, value_float(24));
	peer_expect_silence();
	peer_answer(&m, CODE(2, 04));
	server_expect_notification(5, "24", &m);
	/* Awake it needs none. */
	account_set(VALUE, value_float(25));
	server_expect_notification(5, "25", &m);
}
END_TEST

static void sent(void *userdata, int error, const char *reason)
{
	++*(unsigned *)userdata;
	ck_assert_int_eq(error, 0);
}

START_TEST(test_send_wakes)
{
	const struct path path = { .ids = { 3303, 1, 5700 }, .depth = PATH_RESOURCE };
	struct client_sending sending;
	unsigned n_sent = 0;
	struct message m;

	account_set("/1/0/23", value_boolean(false));
	account_register();
	rig_advance(SECONDS(93));
	ck_assert_int_eq(client_send(account.client, &path, 1, sent, &n_sent, &sending), 0);
	peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd/1"));
	peer_expect_silence();
	peer_answer(&m, CODE(2, 04));
	peer_receive(&m);
	ck_assert(message_is_path(&m, "/dp"));
	peer_answer(&m, CODE(2, 04));
	rig_until(n_sent == 1);
}
END_TEST

/* A server that asks all the same is answered, and that keeps it awake. */
START_TEST(test_requests_are_answered)
{
	struct message m;

	account_register();
	ck_assert_uint_eq(server_observe(VALUE, 5, -1), CODE(2, 05));
	rig_advance(SECONDS(200));
	ck_assert_uint_eq(server_get(VALUE, -1), CODE(2, 05));
	account_set(VALUE, value_float(22));
	server_expect_notification(5, "22", &m);
}
END_TEST

/* A server that has lost it meanwhile is registered at again. */
START_TEST(test_waking_where_nobody_knows_it)
{
	struct message m;

	account_register();
	ck_assert_uint_eq(server_observe(VALUE, 5, -1), CODE(2, 05));
	rig_advance(SECONDS(100));
	account_set(VALUE, value_float(22));
	peer_receive(&m);
	peer_answer(&m, CODE(4, 04));
	peer_receive(&m);
	ck_assert(message_is_path(&m, "/rd"));
	server_registers(&m);
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	ck_assert_uint_eq(server_observe(VALUE, 6, -1), CODE(2, 05));
	account_set(VALUE, value_float(23));
	server_expect_notification(6, "23", &m);
}
END_TEST

/* Another configuration has it otherwise: the server is told by Register, once. */
START_TEST(test_another_configuration)
{
	static const char queries[] = "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U";
	struct message m;

	client_start(account.client);
	if (_i > 0) {
		/* While it registers. */
		server_expect_register(&m, registers[2].queries);
	} else {
		peer_receive(&m);
		server_registers(&m);
		rig_until(client_state(account.client) == CLIENT_REGISTERED);
	}
	account.config.queue_mode = false;
	client_adopt(account.client, &account.config);
	if (_i > 0) {
		server_registers(&m);
		rig_until(client_state(account.client) == CLIENT_REGISTERED);
	}
	rig_advance(SECONDS(1));
	server_expect_register(&m, queries);
	server_registers(&m);
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	client_adopt(account.client, &account.config);
	rig_advance(SECONDS(1));
	peer_expect_silence();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("queue");
	TCase *tcase = tcase_create("queue"), *pure = tcase_create("pure");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, pure);
	tcase_add_loop_test(pure, test_asleep, 0, ARRAY_SIZE(views));
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_loop_test(tcase, test_register, 0, ARRAY_SIZE(registers));
	tcase_add_test(tcase, test_no_liveness);
	tcase_add_test(tcase, test_notification_wakes);
	tcase_add_test(tcase, test_send_wakes);
	tcase_add_test(tcase, test_requests_are_answered);
	tcase_add_test(tcase, test_waking_where_nobody_knows_it);
	tcase_add_loop_test(tcase, test_another_configuration, 0, 2);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
