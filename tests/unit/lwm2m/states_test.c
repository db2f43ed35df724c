/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/lwm2m/account.h"

/* Every event in every state of the client. */

#define SECONDS(n) ((n) * USEC_PER_SEC)

static void bring_to(enum client_state state)
{
	struct message m;

	switch (state) {
	case CLIENT_STOPPED:
		break;
	case CLIENT_REGISTERING:
		client_start(account.client);
		peer_receive(&m);
		break;
	case CLIENT_WAITING:
		client_start(account.client);
		peer_receive(&m);
		peer_answer(&m, CODE(5, 03));
		break;
	case CLIENT_REGISTERED:
		account_register();
		break;
	case CLIENT_UPDATING:
		account_register();
		client_update(account.client);
		peer_receive(&m);
		break;
	case CLIENT_DISABLED:
		account_register();
		client_disable(account.client);
		rig_advance(SECONDS(1));
		peer_receive(&m);
		peer_answer(&m, CODE(2, 02));
		break;
	case CLIENT_DEREGISTERING:
		account_register();
		client_stop(account.client);
		peer_receive(&m);
		break;
	}
	rig_until(client_state(account.client) == state);
	account.states[0] = 0;
}

static void remove_instance(struct client *c)
{
	store_remove_instance(account.store, 3341, 0);
}

static void change_lifetime(struct client *c)
{
	account_set("/1/0/1", value_integer(7200));
}

static void ask_something(struct client *c)
{
	struct message m;

	server_request(&m, MESSAGE_CON, CODE_GET, "/3/0/0");
	if (rig.session_address.any.sa_family != AF_UNSPEC)
		peer_send(&m);
}

static void pass_a_day(struct client *c)
{
	rig_advance(USEC_PER_DAY + USEC_PER_DAY / 4);
}

static void disable_and_wait(struct client *c)
{
	client_disable(c);
	rig_advance(SECONDS(1));
}

static void restart_and_wait(struct client *c)
{
	client_restart(c);
	rig_advance(SECONDS(1));
}

/* States that follow at once, by event. */
static const struct {
	void (*event)(struct client *c);
	const char *states[7];
} events[] = {
	/* stopped, registering, registered, updating, waiting, disabled, de-registering */
	{ client_start,		  { "g",     "",	 "",	    "",	     "",     "",      "" } },
	{ client_stop,		  { "",	     "",	 "d",	    "d",     "S",    "S",     "" } },
	{ client_disable,	  { "",	     "",	 "",	    "",	     "",     "",      "" } },
	{ client_restart,	  { "",	     "",	 "",	    "",	     "",     "",      "" } },
	{ disable_and_wait,	  { "",	     "",	 "d",	    "d",     "",     "",      "" } },
	{ restart_and_wait,	  { "",	     "",	 "g",	    "g",     "",     "",      "" } },
	{ client_update,	  { "",	     "",	 "U",	    "",	     "",     "",      "" } },
	{ remove_instance,	  { "",	     "",	 "U",	    "",	     "",     "",      "" } },
	{ change_lifetime,	  { "",	     "",	 "U",	    "",	     "",     "",      "" } },
	{ ask_something,	  { "",	     "",	 "",	    "",	     "",     "",      "" } },
	{ pass_a_day,		  { "",	     "",	 "U",	    "",	     "g",    "g",     "S" } },
};

START_TEST(test_event_in_state)
{
	enum client_state state = _i % 7;

	bring_to(state);
	events[_i / 7].event(account.client);
	rig_turn();
	rig_turn();
	ck_assert_msg(strcmp(account.states, events[_i / 7].states[state]) == 0,
		      "event %d in %s: %s", _i / 7, client_state_name(state), account.states);
}
END_TEST

/* Requests are answered while registered, and dropped otherwise (Core 6.3). */
START_TEST(test_requests_by_state)
{
	enum client_state state = _i;
	struct message m;

	bring_to(state);
	ask_something(account.client);
	if (state == CLIENT_REGISTERED || state == CLIENT_UPDATING) {
		peer_receive(&m);
		ck_assert_uint_eq(m.code, CODE(2, 05));
	} else {
		peer_expect_silence();
		rig_advance(SECONDS(1)); /* nor an empty ACK */
		peer_expect_silence();
	}
}
END_TEST

/* Somebody else has its say (Core 6.1.1). */
START_TEST(test_hushed)
{
	struct message m;

	account_register();
	client_hush(account.client, true);
	ask_something(account.client);
	peer_expect_silence();
	client_hush(account.client, false);
	ask_something(account.client);
	peer_receive(&m);
	ck_assert_uint_eq(m.code, CODE(2, 05));
}
END_TEST

START_TEST(test_names_of_states)
{
	for (unsigned i = 0; i < 7; i++)
		ck_assert_ptr_nonnull(client_state_name(i));
	ck_assert_str_eq(client_state_name(CLIENT_DEREGISTERING), "de-registering");
}
END_TEST

/* Freed in any state, with whatever is under way. */
START_TEST(test_free_in_state)
{
	bring_to(_i);
	account.client = client_free(account.client);
	rig_advance(USEC_PER_DAY);
	rig_turn();
	account_expect_states("");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("states");
	TCase *tcase = tcase_create("states");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, account_set_up, account_tear_down);
	tcase_add_loop_test(tcase, test_event_in_state, 0, 7 * ARRAY_SIZE(events));
	tcase_add_loop_test(tcase, test_requests_by_state, 0, 7);
	tcase_add_test(tcase, test_hushed);
	tcase_add_test(tcase, test_names_of_states);
	tcase_add_loop_test(tcase, test_free_in_state, 0, 7);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
