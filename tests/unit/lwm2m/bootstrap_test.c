/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/bootstrap_rig.h"
#include "tests/unit/transport/rig.h"

/* One endpoint before a bootstrap server: how a bootstrap begins, fails and ends. */

/* ---- client-initiated ---- */

START_TEST(test_bootstrap)
{
	struct message m;

	bootstrap_start(it.bootstrap, false);
	/* Once is enough. */
	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	bootstrap_start(it.bootstrap, true);
	peer_answer(&m, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	expect_states("hrO");
	write_all();
	ck_assert_uint_eq(it.n_taken, 0);
	ck_assert_uint_eq(finish(), CODE(2, 04));
	ck_assert_str_eq(body, "");
	ck_assert_uint_eq(it.n_taken, 1);
	ck_assert_uint_eq(it.n_complete, 1);
	ck_assert_ptr_nonnull(strstr(it.content, TAKEN_5));
	expect_states("TI");
	rig_advance(USEC_PER_DAY);
	peer_expect_silence();
}
END_TEST

START_TEST(test_hold_off)
{
	struct message m;

	set_up_live(LIVE "/0/1/11 30\n");
	bootstrap_start(it.bootstrap, false);
	rig_advance(SECONDS(29));
	peer_expect_silence();
	expect_states("h");
	rig_advance(SECONDS(1));
	expect_request(&m, REQUEST);
	bootstrap_stop(it.bootstrap);
	expect_states("rI");
	/* A server that asks for it is not put off, nor is who holds off already. */
	bootstrap_start(it.bootstrap, true);
	expect_request(&m, REQUEST);
	bootstrap_stop(it.bootstrap);
	bootstrap_start(it.bootstrap, false);
	bootstrap_start(it.bootstrap, true);
	expect_request(&m, REQUEST);
}
END_TEST

START_TEST(test_hold_off_out_of_range)
{
	struct message m;

	set_up_live(LIVE "/0/1/11 -30\n");
	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	set_up_live(LIVE "/0/1/11 99999999999\n");
	bootstrap_start(it.bootstrap, false);
	rig_advance(USEC_PER_DAY);
	expect_request(&m, REQUEST);
}
END_TEST

START_TEST(test_without_format)
{
	struct message m;

	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(4, 15));
	expect_request(&m, "ep=urn:dev:ops:1-em1");
	peer_answer(&m, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	expect_states("hrrO");
}
END_TEST

START_TEST(test_without_format_refused)
{
	struct message m;

	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(4, 15));
	expect_request(&m, "ep=urn:dev:ops:1-em1");
	peer_answer(&m, CODE(4, 15));
	rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_WAITING);
}
END_TEST

/* ---- failures ---- */

START_TEST(test_refused)
{
	char trouble[BOOTSTRAP_TROUBLE_MAX];
	struct message m;

	ck_assert_str_eq(bootstrap_trouble(it.bootstrap, trouble), "");
	bootstrap_start(it.bootstrap, false);
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(4, 00));
	rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_WAITING);
	expect_states("hrW");
	ck_assert_int_eq(it.error, -EINVAL);
	ck_assert(has_prefix(bootstrap_trouble(it.bootstrap, trouble), "it answered 4.00"));
	/* Again after a minute, then two, lengthened by no more than a quarter. */
	rig_advance(SECONDS(59));
	peer_expect_silence();
	rig_advance(SECONDS(16));
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(4, 00));
	rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_WAITING);
	rig_advance(SECONDS(119));
	peer_expect_silence();
	rig_advance(SECONDS(31));
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	write_all();
	ck_assert_uint_eq(finish(), CODE(2, 04));
	ck_assert_str_eq(bootstrap_trouble(it.bootstrap, trouble), "");
}
END_TEST

START_TEST(test_unanswered)
{
	bootstrap_start(it.bootstrap, false);
	rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_REQUESTING);
	for (int i = 0; i < 200 && bootstrap_state(it.bootstrap) == BOOTSTRAP_REQUESTING; i++) {
		rig_advance(SECONDS(1));
		rig_turn();
	}
	expect_states("hrW");
	ck_assert_int_eq(it.error, -ETIMEDOUT);
}
END_TEST

/* 247 s without a message; each one begins them anew (Core 6.1.3.3). */
START_TEST(test_silent_server)
{
	open_it();
	rig_advance(SECONDS(246));
	rig_turn();
	ck_assert_uint_eq(put("/1/5", "[" SERVER_5 "]"), CODE(2, 04));
	rig_advance(SECONDS(246));
	rig_turn();
	ck_assert_uint_eq(get("/1", FORMAT_LINK), CODE(2, 05));
	rig_advance(SECONDS(246));
	rig_turn();
	ck_assert(bootstrap_is_open(it.bootstrap));
	rig_advance(SECONDS(1));
	rig_turn();
	expect_states("W");
	ck_assert_int_eq(it.error, -ETIMEDOUT);
	ck_assert_uint_eq(it.n_taken, 0);
}
END_TEST

/* ---- the Pack ---- */

START_TEST(test_pack)
{
	struct message m;

	it.config.pack = true;
	set_up_live(LIVE);
	bootstrap_start(it.bootstrap, false);
	expect_pack_request(&m);
	answer_pack(&m, CODE(2, 05), FORMAT_SENML_JSON, "[" SECURITY_5 "," SERVER_5 "]");
	rig_until(it.n_complete > 0);
	expect_states("hpTI");
	ck_assert_uint_eq(it.n_taken, 1);
	ck_assert_ptr_nonnull(strstr(it.content, TAKEN_5));
	/* No Finish is waited for, and nobody is listened to. */
	request(&m, CODE_POST, "/bs", -1, "");
	peer_send(&m);
	peer_expect_silence();
}
END_TEST

static const struct {
	uint8_t code;
	int32_t format;
	const char *text;
	int take_error;
} useless[] = {
	{ CODE(5, 01), -1, "", 0 },
	{ CODE(4, 05), -1, "", 0 },
	{ CODE(4, 00), -1, "", 0 },
	{ CODE(2, 05), FORMAT_TEXT, "x", 0 },
	{ CODE(2, 05), -1, "", 0 },
	{ CODE(2, 05), FORMAT_SENML_JSON, "[" SECURITY_5 "]", 0 },
	{ CODE(2, 05), FORMAT_SENML_JSON, "[{\"n\":\"/9999/0/0\",\"v\":1}]", 0 },
	{ CODE(2, 05), FORMAT_SENML_JSON, "[" SECURITY_5 "," SERVER_5 "]", -ENOMEM },
};

START_TEST(test_pack_of_no_use)
{
	struct message m;

	it.config.pack = true;
	it.take_error = useless[_i].take_error;
	set_up_live(LIVE);
	bootstrap_start(it.bootstrap, false);
	expect_pack_request(&m);
	answer_pack(&m, useless[_i].code, useless[_i].format, useless[_i].text);
	expect_request(&m, REQUEST);
	peer_answer(&m, CODE(2, 04));
	rig_until(bootstrap_is_open(it.bootstrap));
	expect_states(useless[_i].take_error < 0 ? "hpTrO" : "hprO");
	/* Nothing of the pack is left. */
	ck_assert_uint_eq(get("/0", FORMAT_LINK), CODE(2, 05));
	ck_assert_str_eq(body, "</>;lwm2m=1.2,</0/1>");
	ck_assert_uint_eq(it.n_complete, 0);
}
END_TEST

/* ---- the account's time ---- */

START_TEST(test_expiry)
{
	set_up_live(LIVE "/0/1/12 600\n");
	open_it();
	write_all();
	ck_assert_uint_eq(finish(), CODE(2, 04));
	rig_advance(SECONDS(599));
	ck_assert_uint_eq(it.n_expired, 0);
	rig_advance(SECONDS(1));
	ck_assert_uint_eq(it.n_expired, 1);
	ck_assert_ptr_null(it.bootstrap);
}
END_TEST

START_TEST(test_expiry_that_was_left)
{
	bootstrap_expire_in(it.bootstrap, SECONDS(5));
	bootstrap_expire_in(it.bootstrap, USEC_INFINITY);
	rig_advance(USEC_PER_DAY);
	ck_assert_uint_eq(it.n_expired, 0);
	bootstrap_expire_in(it.bootstrap, SECONDS(5));
	/* 0 or absent: never. What comes out of a bootstrap counts. */
	open_it();
	write_all();
	ck_assert_uint_eq(finish(), CODE(2, 04));
	rig_advance(USEC_PER_DAY);
	ck_assert_uint_eq(it.n_expired, 0);
}
END_TEST

/* ---- every event in every state ---- */

static void enter(enum bootstrap_state state)
{
	struct message m;

	switch (state) {
	case BOOTSTRAP_IDLE:
		break;
	case BOOTSTRAP_HOLDING:
		set_up_live(LIVE "/0/1/11 30\n");
		bootstrap_start(it.bootstrap, false);
		break;
	case BOOTSTRAP_PACKING:
		it.config.pack = true;
		set_up_live(LIVE);
		bootstrap_start(it.bootstrap, false);
		expect_pack_request(&m);
		break;
	case BOOTSTRAP_REQUESTING:
		bootstrap_start(it.bootstrap, false);
		expect_request(&m, REQUEST);
		break;
	case BOOTSTRAP_OPEN:
		open_it();
		break;
	case BOOTSTRAP_TAKING:
		open_it();
		write_all();
		it.take_later = true;
		request(&m, CODE_POST, "/bs", -1, "");
		peer_send(&m);
		rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_TAKING);
		break;
	case BOOTSTRAP_WAITING:
		bootstrap_start(it.bootstrap, false);
		expect_request(&m, REQUEST);
		peer_answer(&m, CODE(4, 03));
		rig_until(bootstrap_state(it.bootstrap) == BOOTSTRAP_WAITING);
		break;
	}
	ck_assert_int_eq(bootstrap_state(it.bootstrap), state);
	it.states[0] = 0;
}

START_TEST(test_stop)
{
	enter((enum bootstrap_state)_i);
	bootstrap_stop(it.bootstrap);
	ck_assert_int_eq(bootstrap_state(it.bootstrap), BOOTSTRAP_IDLE);
	rig_turn();
	rig_advance(USEC_PER_DAY);
	peer_expect_silence();
	ck_assert_str_eq(it.states, _i == BOOTSTRAP_IDLE ? "" : "I");
}
END_TEST

START_TEST(test_free)
{
	enter((enum bootstrap_state)_i);
	it.bootstrap = bootstrap_free(it.bootstrap);
	rig_turn();
	rig_advance(USEC_PER_DAY);
	peer_expect_silence();
	ck_assert_str_eq(it.states, "");
}
END_TEST

START_TEST(test_names)
{
	for (int i = BOOTSTRAP_IDLE; i <= BOOTSTRAP_WAITING; i++)
		ck_assert_uint_gt(strlen(bootstrap_state_name((enum bootstrap_state)i)), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bootstrap");
	TCase *tests = tcase_create("bootstrap");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, bootstrap_set_up, bootstrap_tear_down);
	tcase_add_test(tests, test_bootstrap);
	tcase_add_test(tests, test_hold_off);
	tcase_add_test(tests, test_hold_off_out_of_range);
	tcase_add_test(tests, test_without_format);
	tcase_add_test(tests, test_without_format_refused);
	tcase_add_test(tests, test_refused);
	tcase_add_test(tests, test_unanswered);
	tcase_add_test(tests, test_silent_server);
	tcase_add_test(tests, test_pack);
	tcase_add_loop_test(tests, test_pack_of_no_use, 0, ARRAY_SIZE(useless));
	tcase_add_test(tests, test_expiry);
	tcase_add_test(tests, test_expiry_that_was_left);
	tcase_add_loop_test(tests, test_stop, BOOTSTRAP_IDLE, BOOTSTRAP_WAITING + 1);
	tcase_add_loop_test(tests, test_free, BOOTSTRAP_IDLE, BOOTSTRAP_WAITING + 1);
	tcase_add_test(tests, test_names);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
