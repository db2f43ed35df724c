/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/unit/transport/rig.h"

/* Calls that end while others of the same session do. Freed memory shows under the address sanitizer. */

/* The window is full with what others do. */
static struct ticket others[GOVERNOR_WINDOW_FIRST];

static void fill_window(void)
{
	for (unsigned i = 0; i < GOVERNOR_WINDOW_FIRST; i++) {
		ticket_init(&others[i], TICKET_UPDATE, NULL);
		ck_assert(governor_acquire(rig.governor, &others[i], false));
	}
}

static void empty_window(void)
{
	for (unsigned i = 0; i < GOVERNOR_WINDOW_FIRST; i++)
		governor_cancel(rig.governor, &others[i]);
}

static unsigned n_calls(void)
{
	return rig.session->n_calls;
}

/* More unconfirmed ones than the budget lets go: some wait for the next round, which then begins unnoticed. */
static void queue_bursts(unsigned wanted)
{
	struct message n;
	unsigned before = n_calls();

	rig_notification(&n, 6, 3, "22", 2);
	for (unsigned i = 0; n_calls() < before + wanted && i < 100000; i++)
		ck_assert_int_eq(session_notify(rig.session, &n, false, NULL, NULL, NULL), 0);
	ck_assert_uint_eq(n_calls(), before + wanted);
	clock_advance(GOVERNOR_ROUND_USEC);
}

START_TEST(bursts_go_while_all_ends)
{
	struct message n;

	rig_connect();
	rig_notification(&n, 5, 2, "21", 2);
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), 0);
	queue_bursts(3);
	rig.n_ended = 0;
	session_disconnect(rig.session);
	ck_assert_uint_eq(rig.n_ended, 1);
	ck_assert_int_eq(rig.ended_error, -ECANCELED);
	ck_assert_uint_eq(n_calls(), 0);
}
END_TEST

START_TEST(bursts_go_while_an_update_overtakes)
{
	struct message n;

	rig_connect();
	fill_window();
	rig_notification(&n, 5, 2, "21", 2);
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), 0);
	queue_bursts(3);
	rig_post("x", 1, CALL_UPDATE);
	ck_assert_uint_eq(n_calls(), 2);
	empty_window();
}
END_TEST

static void end_and_free(void *userdata, int error, const struct message *response)
{
	rig_ended(userdata, error, response);
	rig.session = session_free(rig.session);
	/* Nobody hears of the others later. */
	ck_assert_uint_eq(rig.n_ended, 3);
}

START_TEST(freed_by_the_first_of_many)
{
	struct message n, m;

	rig_connect();
	rig.n_ended = 0;
	rig_notification(&n, 5, 2, "21", 2);
	ck_assert_int_eq(session_notify(rig.session, &n, true, end_and_free, NULL, NULL), 0);
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), 0);
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), 0);
	peer_receive(&m);
	for (unsigned i = 0; i < 5; i++)
		rig_advance(48 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_ended, 3);
	ck_assert_ptr_null(rig.session);
	ck_assert_uint_eq(rig.n_failed, 1);
}
END_TEST

/* ---- what its user does when it hears of the end ---- */

static struct call *under_way;

static void free_session(void *userdata, enum session_event event, int error, int alert)
{
	if (event != SESSION_FAILED)
		return;
	ck_assert_uint_eq(rig.n_ended, 0);
	rig.session = session_free(rig.session);
	ck_assert_uint_eq(rig.n_ended, 2);
}

static void forget_call(void *userdata, enum session_event event, int error, int alert)
{
	if (event != SESSION_FAILED)
		return;
	under_way = call_cancel(under_way);
	session_disconnect(rig.session);
	/* What is new does not end with the old. */
	rig_post("new", 3, CALL_REGISTRATION);
}

static void break_with(void (*event)(void *, enum session_event, int, int))
{
	static struct session_ops ops;
	struct message n, m;

	rig_connect();
	ops = rig_ops;
	ops.event = event;
	rig.session->ops = &ops;
	rig.n_ended = 0;
	under_way = rig_post("x", 1, CALL_UPDATE);
	rig_notification(&n, 5, 2, "21", 2);
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), 0);
	peer_receive(&m);
	session_fail(rig.session, -ECONNABORTED, 49);
}

START_TEST(freed_when_it_fails)
{
	break_with(free_session);
	ck_assert_ptr_null(rig.session);
	ck_assert_uint_eq(rig.n_ended, 2);
	ck_assert_int_eq(rig.ended_error, -ECONNABORTED);
}
END_TEST

START_TEST(forgotten_when_it_fails)
{
	struct message m;

	break_with(forget_call);
	ck_assert_uint_eq(rig.n_ended, 1);
	ck_assert_int_eq(rig.ended_error, -ECONNABORTED);
	peer_receive(&m);
	ck_assert_mem_eq(m.payload.p, "new", 3);
	peer_answer(&m, CODE(2, 04));
	rig_until(rig.n_ended == 2);
	ck_assert_int_eq(rig.ended_error, 0);
}
END_TEST

static void end_and_disconnect(void *userdata, int error, const struct message *response)
{
	struct message n;

	rig_ended(userdata, error, response);
	session_disconnect(rig.session);
	/* Not connected any more; a request begins anew. */
	rig_notification(&n, 5, 2, "21", 2);
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), -ENOTCONN);
	rig_post("y", 1, CALL_UPDATE);
}

START_TEST(disconnected_by_the_first_of_many)
{
	struct message n, m;

	rig_connect();
	rig.n_ended = 0;
	rig_notification(&n, 5, 2, "21", 2);
	ck_assert_int_eq(session_notify(rig.session, &n, true, end_and_disconnect, NULL, NULL), 0);
	ck_assert_int_eq(session_notify(rig.session, &n, true, rig_ended, NULL, NULL), 0);
	peer_receive(&m);
	for (unsigned i = 0; i < 5 && rig.n_ended == 0; i++)
		rig_advance(48 * USEC_PER_SEC);
	ck_assert_uint_eq(rig.n_ended, 2);
	ck_assert_int_eq(rig.ended_error, -ETIMEDOUT);
	/* The new request is none of those that ended. */
	while (m.code != CODE_POST)
		peer_receive(&m);
	peer_answer(&m, CODE(2, 4));
	rig_until(rig.n_ended == 3);
	ck_assert_int_eq(rig.ended_error, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transport-ends");
	TCase *tcase = tcase_create("ends");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, rig_set_up_v4, rig_tear_down);
	tcase_add_test(tcase, bursts_go_while_all_ends);
	tcase_add_test(tcase, bursts_go_while_an_update_overtakes);
	tcase_add_test(tcase, freed_by_the_first_of_many);
	tcase_add_test(tcase, freed_when_it_fails);
	tcase_add_test(tcase, forgotten_when_it_fails);
	tcase_add_test(tcase, disconnected_by_the_first_of_many);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
