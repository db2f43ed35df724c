/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/registration/profile_id.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lwm2m/account.h"

/* Profile ID: what it is made of, and what a server is told in its place. */

#define LIST_ENDS "</3308>;ver=1.1,</3308/0>,</3341/0>"

/* ---- pure ---- */

static const char vector[] = "</1>;ver=1.2,</1/0>,</3>;ver=1.2,</3/0>";

static const struct hash {
	unsigned suite;
	const char *id;
} hashes[] = {
	{ 6, "6:93bc7b74" },
	{ 0, "6:93bc7b74" },
	{ 7, "6:93bc7b74" },
	{ 255, "6:93bc7b74" },
};

START_TEST(test_hash)
{
	char id[PROFILE_ID_MAX];

	ck_assert_int_eq(profile_hash(span_of(vector, strlen(vector)), hashes[_i].suite, id), 0);
	ck_assert_str_eq(id, hashes[_i].id);
}
END_TEST

/* RFC 6920 section 9.4: bits of each. */
START_TEST(test_suites)
{
	static const size_t digits[] = { 0, 64, 32, 30, 24, 16, 8 };
	char longest[PROFILE_ID_MAX], id[PROFILE_ID_MAX];

	ck_assert_int_eq(profile_hash(span_of(vector, strlen(vector)), 1, longest), 0);
	for (unsigned suite = 1; suite < ARRAY_SIZE(digits); suite++) {
		ck_assert_int_eq(profile_hash(span_of(vector, strlen(vector)), suite, id), 0);
		ck_assert_uint_eq(strlen(id), 2 + digits[suite]);
		ck_assert_int_eq(id[0], '0' + (int)suite);
		ck_assert_mem_eq(id + 1, longest + 1, 1 + digits[suite]);
	}
}
END_TEST

/* Every object with its version, the bootstrap's own left out. */
START_TEST(test_list)
{
	const struct view view = { account.definitions, account.store, LWM2M_1_2 };
	_cleanup_buf_ struct buf out = { 0 };

	ck_assert_int_eq(profile_list(&view, &out), 0);
	ck_assert_int_eq(buf_append_byte(&out, 0), 0);
	ck_assert_str_eq((char *)out.data,
			 "</1>;ver=1.2,</1/0>,</3>;ver=1.2,</3/0>,</16>;ver=1.0,</16/0>,"
			 "</3303>;ver=1.1,</3303/0>,</3303/1>,</3306>;ver=1.1,</3306/0>,"
			 "</3308>;ver=1.1,</3308/0>,</3341>;ver=1.0,</3341/0>");
}
END_TEST

START_TEST(test_memory)
{
	static struct profile_memory m;
	char id[PROFILE_ID_MAX];

	for (unsigned i = 0; i <= PROFILES_KNOWN_MAX; i++) {
		snprintf(id, sizeof(id), "6:%08x", i);
		profile_learn(&m, id);
		profile_learn(&m, id);
		ck_assert(profile_is_known(&m, id));
	}
	/* Only the first had to go. */
	ck_assert(!profile_is_known(&m, "6:00000000"));
	ck_assert(profile_is_known(&m, "6:00000001"));
	profile_forget(&m, "6:00000001");
	ck_assert(!profile_is_known(&m, "6:00000001"));
	profile_forget(&m, "6:ffffffff");
}
END_TEST

/* ---- at a server ---- */

static struct profile_memory memory;

static void open_account(const char *id, const char *list)
{
	account.config.profile_id = id;
	account.config.profile_list = list;
	account.config.profiles = &memory;
	account_open(LWM2M_1_2, false);
}

/* The id of the account as it is now. */
static const char *current_id(void)
{
	static char id[PROFILE_ID_MAX];
	const struct view view = { account.definitions, account.store, LWM2M_1_2 };
	_cleanup_buf_ struct buf list = { 0 };

	ck_assert_int_eq(profile_list(&view, &list), 0);
	ck_assert_int_eq(profile_hash(span_of(list.data, list.size), 6, id), 0);
	return id;
}

/* Receives a Register: pid is NULL or its text, payload NULL or what it ends in. */
static void expect_register(struct message *m, const char *version, const char *pid,
			    const char *payload)
{
	char queries[512];

	snprintf(queries, sizeof(queries), "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=%s&b=U%s%s", version,
		 pid ? "&pid=" : "", pid ?: "");
	peer_receive(m);
	ck_assert(message_is_path(m, "/rd"));
	ck_assert_str_eq(message_queries(m), queries);
	ck_assert_int_eq(m->content_format, payload ? FORMAT_LINK : -1);
	ck_assert_int_eq(m->payload.n > 0, payload != NULL);
	if (payload)
		ck_assert_mem_eq(m->payload.p + m->payload.n - strlen(payload), payload,
				 strlen(payload));
}

static void take(const struct message *m)
{
	server_registers(m);
	rig_until(client_is_registered(account.client));
}

START_TEST(test_first_both_then_alone)
{
	struct message m;

	open_account(PROFILE_AUTO, NULL);
	client_start(account.client);
	expect_register(&m, "1.2", current_id(), LIST_ENDS);
	take(&m);
	client_restart(account.client);
	expect_register(&m, "1.2", current_id(), NULL);
	take(&m);
	/* Another account with the same objects there has it easier. */
	open_account(PROFILE_AUTO, NULL);
	client_start(account.client);
	expect_register(&m, "1.2", current_id(), NULL);
}
END_TEST

/* The server has lost what it knew: it learns anew. */
START_TEST(test_alone_refused)
{
	struct message m;

	profile_learn(&memory, current_id());
	open_account(PROFILE_AUTO, NULL);
	client_start(account.client);
	expect_register(&m, "1.2", current_id(), NULL);
	peer_answer(&m, CODE(4, 9));
	expect_register(&m, "1.2", current_id(), LIST_ENDS);
	take(&m);
	account_expect_states("ggR");
	client_restart(account.client);
	expect_register(&m, "1.2", current_id(), NULL);
}
END_TEST

/* Any error, 4.12 too: the list alone, as the same version, and so for all accounts there. */
START_TEST(test_both_refused)
{
	static const uint8_t codes[] = { CODE(4, 00), CODE(4, 12), CODE(4, 03), CODE(5, 00) };
	struct message m;

	open_account(PROFILE_AUTO, NULL);
	client_start(account.client);
	expect_register(&m, "1.2", current_id(), LIST_ENDS);
	peer_answer(&m, codes[_i]);
	expect_register(&m, "1.2", NULL, LIST_ENDS);
	take(&m);
	ck_assert(memory.refused);
	client_restart(account.client);
	expect_register(&m, "1.2", NULL, LIST_ENDS);
	open_account(PROFILE_AUTO, NULL);
	client_start(account.client);
	expect_register(&m, "1.2", NULL, LIST_ENDS);
}
END_TEST

/* When the list is refused as well it was not the id, and the next attempt has it again. */
START_TEST(test_list_refused)
{
	struct message m;

	open_account(PROFILE_AUTO, NULL);
	client_start(account.client);
	expect_register(&m, "1.2", current_id(), LIST_ENDS);
	peer_answer(&m, CODE(5, 03));
	expect_register(&m, "1.2", NULL, LIST_ENDS);
	peer_answer(&m, CODE(5, 03));
	rig_until(client_state(account.client) == CLIENT_WAITING);
	ck_assert(!memory.refused);
	rig_advance(75 * USEC_PER_SEC);
	expect_register(&m, "1.2", current_id(), LIST_ENDS);
}
END_TEST

START_TEST(test_never_with_1_1)
{
	struct message m;

	open_account(PROFILE_AUTO, NULL);
	client_start(account.client);
	expect_register(&m, "1.2", current_id(), LIST_ENDS);
	peer_answer(&m, CODE(4, 12));
	expect_register(&m, "1.2", NULL, LIST_ENDS);
	peer_answer(&m, CODE(4, 12));
	expect_register(&m, "1.1", NULL, LIST_ENDS);
	take(&m);
	client_restart(account.client);
	expect_register(&m, "1.1", NULL, LIST_ENDS);
	account_open(LWM2M_1_1, true);
	client_start(account.client);
	expect_register(&m, "1.1", NULL, LIST_ENDS);
}
END_TEST

/* /1/x/27 */
START_TEST(test_preferred_suite)
{
	char pid[PROFILE_ID_MAX];
	const struct view view = { account.definitions, account.store, LWM2M_1_2 };
	_cleanup_buf_ struct buf list = { 0 };
	struct message m;

	account_set("/1/0/27", value_unsigned(5));
	ck_assert_int_eq(profile_list(&view, &list), 0);
	ck_assert_int_eq(profile_hash(span_of(list.data, list.size), 5, pid), 0);
	ck_assert_int_eq(strncmp(pid, "5:", 2), 0);
	open_account(PROFILE_AUTO, NULL);
	client_start(account.client);
	expect_register(&m, "1.2", pid, LIST_ENDS);
}
END_TEST

/* ETS 110 and 111: a text that stands in the configuration, with or without a list. */
static const struct fixed {
	const char *id, *list, *pid, *payload;
} fixed[] = {
	{ "6:27354b9a", NULL, "6:27354b9a", NULL },
	{ "6:27354b9a", "</4/0>", "6:27354b9a", "</4/0>" },
	{ "oma:meter,v:7", NULL, "\"oma:meter,v:7\"", NULL },
	{ "v:7", PROFILE_LIST_ALL, "v:7", LIST_ENDS },
};

START_TEST(test_fixed)
{
	const struct fixed *f = &fixed[_i];
	struct message m;

	for (unsigned round = 0; round < 2; round++) {
		open_account(f->id, f->list);
		client_start(account.client);
		expect_register(&m, "1.2", f->pid, f->payload);
		take(&m);
	}
	client_restart(account.client);
	expect_register(&m, "1.2", f->pid, f->payload);
	peer_answer(&m, CODE(4, 9));
	expect_register(&m, "1.2", NULL, LIST_ENDS);
}
END_TEST

static void expect_update(struct message *m, const char *pid, bool list)
{
	char queries[512];

	snprintf(queries, sizeof(queries), "%s%s", pid ? "pid=" : "", pid ?: "");
	peer_receive(m);
	ck_assert(message_is_path(m, "/rd/1"));
	ck_assert_str_eq(message_queries(m), queries);
	ck_assert_int_eq(m->payload.n > 0, list);
	ck_assert_int_eq(m->content_format, list ? FORMAT_LINK : -1);
}

START_TEST(test_update)
{
	struct message m;

	open_account(PROFILE_AUTO, NULL);
	account_register();
	/* Nothing has changed: nothing is said. */
	client_update(account.client);
	expect_update(&m, NULL, false);
	peer_answer(&m, CODE(2, 04));
	rig_until(client_is_registered(account.client));
	ck_assert_int_eq(store_remove_instance(account.store, 3303, 0), 0);
	expect_update(&m, current_id(), true);
	peer_answer(&m, CODE(2, 04));
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	ck_assert(profile_is_known(&memory, current_id()));
	/* One that it knows by now, but it has forgotten. */
	ck_assert_int_eq(store_remove_instance(account.store, 3303, 1), 0);
	profile_learn(&memory, current_id());
	expect_update(&m, current_id(), false);
	peer_answer(&m, CODE(4, 9));
	expect_update(&m, current_id(), true);
	peer_answer(&m, CODE(4, 00));
	expect_update(&m, NULL, true);
	peer_answer(&m, CODE(2, 04));
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	ck_assert(memory.refused);
}
END_TEST

/* What else the Update said is said again with the list. */
START_TEST(test_update_of_more)
{
	struct message m;
	char queries[512];

	open_account(PROFILE_AUTO, NULL);
	account_register();
	account_set("/1/0/1", value_integer(7200));
	ck_assert_int_eq(store_remove_instance(account.store, 3303, 0), 0);
	peer_receive(&m);
	snprintf(queries, sizeof(queries), "lt=7200&pid=%s", current_id());
	ck_assert_str_eq(message_queries(&m), queries);
	peer_answer(&m, CODE(4, 00));
	peer_receive(&m);
	ck_assert_str_eq(message_queries(&m), "lt=7200");
	ck_assert_uint_gt(m.payload.n, 0);
	peer_answer(&m, CODE(2, 04));
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
}
END_TEST

/* 4.04 is about the registration, not about the id. */
START_TEST(test_update_of_a_stranger)
{
	struct message m;

	open_account(PROFILE_AUTO, NULL);
	account_register();
	ck_assert_int_eq(store_remove_instance(account.store, 3303, 0), 0);
	expect_update(&m, current_id(), true);
	peer_answer(&m, CODE(4, 04));
	expect_register(&m, "1.2", current_id(), LIST_ENDS);
	take(&m);
}
END_TEST

/* A fixed text is of the list that was there: after a change the list tells. */
START_TEST(test_update_with_fixed)
{
	struct message m;

	open_account("6:27354b9a", NULL);
	account_register();
	ck_assert_int_eq(store_remove_instance(account.store, 3303, 0), 0);
	expect_update(&m, NULL, true);
	peer_answer(&m, CODE(2, 04));
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	ck_assert(!memory.refused);
}
END_TEST

static void set_up(void)
{
	memory = (struct profile_memory){ 0 };
	account_set_up();
}

int main(void)
{
	Suite *suite = suite_create("profile");
	TCase *tcase = tcase_create("profile");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_loop_test(tcase, test_hash, 0, ARRAY_SIZE(hashes));
	tcase_add_test(tcase, test_suites);
	tcase_add_test(tcase, test_list);
	tcase_add_test(tcase, test_memory);
	tcase_add_test(tcase, test_first_both_then_alone);
	tcase_add_test(tcase, test_alone_refused);
	tcase_add_loop_test(tcase, test_both_refused, 0, 4);
	tcase_add_test(tcase, test_list_refused);
	tcase_add_test(tcase, test_never_with_1_1);
	tcase_add_test(tcase, test_preferred_suite);
	tcase_add_loop_test(tcase, test_fixed, 0, ARRAY_SIZE(fixed));
	tcase_add_test(tcase, test_update);
	tcase_add_test(tcase, test_update_of_more);
	tcase_add_test(tcase, test_update_of_a_stranger);
	tcase_add_test(tcase, test_update_with_fixed);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
