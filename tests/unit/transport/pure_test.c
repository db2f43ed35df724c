/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "transport/governor.h"
#include "transport/internal.h"
#include "transport/state.h"

/* The parts that decide without a socket: schedule, states, window, blocks. */

START_TEST(retransmission_schedule)
{
	struct retransmit r;
	uint64_t total_usec;

	retransmit_start(&r, 0);
	ck_assert_uint_eq(r.timeout_usec, 2 * USEC_PER_SEC);
	total_usec = r.timeout_usec;
	for (unsigned i = 1; i <= 4; i++) {
		ck_assert(retransmit_again(&r));
		ck_assert_uint_eq(r.timeout_usec, (2 * USEC_PER_SEC) << i);
		total_usec += r.timeout_usec;
	}
	ck_assert(!retransmit_again(&r));
	ck_assert_uint_eq(total_usec, 62 * USEC_PER_SEC);
	/* RFC 7252 4.8.2: MAX_TRANSMIT_WAIT with the largest factor. */
	retransmit_start(&r, ACK_RANDOM_USEC);
	total_usec = r.timeout_usec;
	while (retransmit_again(&r))
		total_usec += r.timeout_usec;
	ck_assert_uint_eq(total_usec, MAX_TRANSMIT_WAIT_USEC);
	for (unsigned i = 0; i < 1000; i++) {
		retransmit_start(&r, (uint64_t)i * 7919 * 104729);
		ck_assert(r.timeout_usec >= 2 * USEC_PER_SEC && r.timeout_usec <= 3 * USEC_PER_SEC);
	}
}
END_TEST

#define IDLE SESSION_STATE_IDLE
#define RESOLVING SESSION_STATE_RESOLVING
#define ADMITTING SESSION_STATE_ADMITTING
#define HANDSHAKING SESSION_STATE_HANDSHAKING
#define CONNECTED SESSION_STATE_CONNECTED
#define FAILED SESSION_STATE_FAILED

static const int transitions[SESSION_STATES][SESSION_INPUTS] = {
	/* SEND, RESOLVED, ADMITTED, SECURED, RETRY, BROKEN, DISCONNECT */
	[IDLE] = { RESOLVING, -1, -1, -1, -1, -1, IDLE },
	[RESOLVING] = { -1, ADMITTING, -1, -1, -1, FAILED, IDLE },
	[ADMITTING] = { -1, -1, HANDSHAKING, -1, -1, FAILED, IDLE },
	[HANDSHAKING] = { -1, -1, -1, CONNECTED, HANDSHAKING, FAILED, IDLE },
	[CONNECTED] = { -1, -1, -1, -1, HANDSHAKING, FAILED, IDLE },
	[FAILED] = { RESOLVING, -1, -1, -1, -1, -1, IDLE },
};

START_TEST(every_state_and_input)
{
	for (int state = 0; state < SESSION_STATES; state++)
		for (int input = 0; input < SESSION_INPUTS; input++)
			ck_assert_int_eq(session_state_next((enum session_state)state,
							    (enum session_input)input),
					 transitions[state][input]);
}
END_TEST

/* ---- governor ---- */

#define TICKETS 600
static struct ticket tickets[TICKETS];
static struct ticket *granted[TICKETS];
static unsigned n_granted;

static void on_granted(struct ticket *ticket)
{
	granted[n_granted++] = ticket;
}

struct fixture {
	struct timers *timers;
	struct governor *governor;
};
static struct fixture f;

static void set_up(void)
{
	n_granted = 0;
	ck_assert_int_eq(timers_new(NULL, &f.timers), 0);
	ck_assert_int_eq(governor_create(f.timers, &f.governor), 0);
	for (unsigned i = 0; i < TICKETS; i++)
		ticket_init(&tickets[i], TICKET_REGISTRATION, on_granted);
}

static void tear_down(void)
{
	governor_destroy(f.governor);
	timers_free(f.timers);
}

static unsigned acquire_all(unsigned n)
{
	unsigned now = 0;

	for (unsigned i = 0; i < n; i++)
		now += governor_acquire(f.governor, &tickets[i], false);
	return now;
}

START_TEST(window_holds_back)
{
	ck_assert_uint_eq(acquire_all(100), GOVERNOR_WINDOW_FIRST);
	ck_assert_uint_eq(governor_in_flight(f.governor), GOVERNOR_WINDOW_FIRST);
	governor_success(f.governor, &tickets[0]);
	ck_assert_uint_eq(n_granted, 1);
	ck_assert_ptr_eq(granted[0], &tickets[GOVERNOR_WINDOW_FIRST]);
	/* One that waits can leave, and one that was cancelled is nobody's. */
	governor_cancel(f.governor, &tickets[GOVERNOR_WINDOW_FIRST + 1]);
	governor_cancel(f.governor, &tickets[GOVERNOR_WINDOW_FIRST + 1]);
	governor_cancel(f.governor, &tickets[1]);
	ck_assert_ptr_eq(granted[1], &tickets[GOVERNOR_WINDOW_FIRST + 2]);
}
END_TEST

START_TEST(window_grows_and_shrinks)
{
	/* One place more for each window's worth of answers, up to the limit. */
	for (unsigned i = 0; i <= GOVERNOR_WINDOW_FIRST; i++) {
		ck_assert(governor_acquire(f.governor, &tickets[0], false));
		governor_success(f.governor, &tickets[0]);
	}
	ck_assert_uint_eq(governor_window(f.governor), GOVERNOR_WINDOW_FIRST + 1);
	for (unsigned i = 0; i < 100000; i++) {
		governor_acquire(f.governor, &tickets[0], false);
		governor_success(f.governor, &tickets[0]);
	}
	ck_assert_uint_eq(governor_window(f.governor), GOVERNOR_WINDOW_MAX);
	/* All that were sent together and are lost together halve it once. */
	acquire_all(200);
	for (unsigned i = 0; i < 200; i++)
		governor_loss(f.governor, &tickets[i]);
	ck_assert_uint_eq(governor_window(f.governor), GOVERNOR_WINDOW_MAX / 2);
	for (unsigned i = 0; i < 20; i++) {
		ck_assert(governor_acquire(f.governor, &tickets[0], false));
		governor_loss(f.governor, &tickets[0]);
	}
	ck_assert_uint_eq(governor_window(f.governor), GOVERNOR_WINDOW_MIN);
	ck_assert_uint_eq(governor_in_flight(f.governor), 0);
}
END_TEST

START_TEST(priorities_are_served_in_order)
{
	static const enum ticket_priority order[] = {
		TICKET_REGISTRATION, TICKET_NOTIFICATION, TICKET_RESPONSE, TICKET_UPDATE,
	};

	acquire_all(GOVERNOR_WINDOW_FIRST);
	for (unsigned i = 0; i < 4; i++) {
		ticket_init(&tickets[500 + i], order[i], on_granted);
		ck_assert(!governor_acquire(f.governor, &tickets[500 + i], false));
	}
	for (unsigned i = 0; i < 4; i++)
		governor_success(f.governor, &tickets[i]);
	ck_assert_uint_eq(n_granted, 4);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_ptr_eq(granted[i], &tickets[503 - i]);
}
END_TEST

START_TEST(responses_never_wait)
{
	acquire_all(200);
	ticket_init(&tickets[300], TICKET_RESPONSE, on_granted);
	governor_force(f.governor, &tickets[300]);
	ck_assert_int_eq(tickets[300].state, TICKET_HELD);
	ck_assert_uint_eq(governor_in_flight(f.governor), GOVERNOR_WINDOW_FIRST + 1);
	/* They count: the next place that is free is not given away. */
	governor_success(f.governor, &tickets[0]);
	ck_assert_uint_eq(n_granted, 0);
	governor_success(f.governor, &tickets[300]);
	ck_assert_uint_eq(n_granted, 1);
}
END_TEST

START_TEST(place_changes_hands)
{
	ck_assert(governor_acquire(f.governor, &tickets[0], false));
	governor_transfer(&tickets[0], &tickets[1]);
	ck_assert_int_eq(tickets[0].state, TICKET_IDLE);
	ck_assert(governor_acquire(f.governor, &tickets[1], false));
	ck_assert_uint_eq(governor_in_flight(f.governor), 1);
	governor_success(f.governor, &tickets[0]);
	ck_assert_uint_eq(governor_in_flight(f.governor), 1);
	governor_success(f.governor, &tickets[1]);
	ck_assert_uint_eq(governor_in_flight(f.governor), 0);
}
END_TEST

START_TEST(bursts_are_spread)
{
	unsigned now = 0;

	for (unsigned i = 0; i < 300; i++)
		now += governor_acquire(f.governor, &tickets[i], true);
	/* The budget, and what came in while the loop ran. */
	ck_assert_uint_ge(now, GOVERNOR_WINDOW_FIRST);
	ck_assert_uint_lt(now, 300);
	ck_assert_uint_eq(governor_in_flight(f.governor), 0);
	ck_assert_uint_ne(timers_next(f.timers), USEC_INFINITY);
	for (unsigned i = 0; i < 1000 && now + n_granted < 300; i++) {
		unsigned before = n_granted;

		clock_advance(USEC_PER_MSEC);
		timers_run(f.timers);
		ck_assert_uint_le(n_granted - before, GOVERNOR_WINDOW_FIRST);
	}
	ck_assert_uint_eq(now + n_granted, 300);
	ck_assert_ptr_eq(granted[0], &tickets[now]);
}
END_TEST

/* ---- blocks ---- */

START_TEST(bodies_are_cut)
{
	static uint8_t body[100];
	struct message_block block;
	struct span part;

	ck_assert(block_cut(span_of(body, 100), 0, 64, &block, &part));
	ck_assert(block.more);
	ck_assert_uint_eq(part.n, 64);
	ck_assert(block_cut(span_of(body, 100), 1, 64, &block, &part));
	ck_assert(!block.more);
	ck_assert_uint_eq(part.n, 36);
	ck_assert_ptr_eq(part.p, body + 64);
	ck_assert(!block_cut(span_of(body, 100), 2, 64, &block, &part));
	ck_assert(block_cut(span_of(body, 64), 0, 64, &block, &part));
	ck_assert(!block.more);
	ck_assert(!block_cut(span_of(body, 64), 1, 64, &block, &part));
	ck_assert(block_cut(span_of(body, 0), 0, 64, &block, &part));
	ck_assert_uint_eq(part.n, 0);
	ck_assert(!block_cut(span_of(body, 100), 0xfffff, 1024, &block, &part));
}
END_TEST

START_TEST(block_sizes_fit)
{
	char query[200];
	struct message m;

	message_init(&m, MESSAGE_CON, CODE_POST);
	ck_assert_uint_eq(block_size_fit(&m, 5000, 1024), 1024);
	ck_assert_uint_eq(block_size_fit(&m, 5000, 64), 64);
	memset(query, 'q', sizeof(query) - 1);
	query[sizeof(query) - 1] = '\0';
	ck_assert_int_eq(message_add_query(&m, query), 0);
	ck_assert_uint_eq(block_size_fit(&m, 5000, 1024), 512);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(message_add_query(&m, query), 0);
	ck_assert_uint_eq(block_size_fit(&m, 5000, 1024), 128);
	ck_assert_int_eq(message_add_query(&m, query), 0);
	ck_assert_uint_eq(block_size_fit(&m, 5000, 1024), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pure");
	TCase *tcase = tcase_create("pure");
	TCase *governor = tcase_create("governor");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, retransmission_schedule);
	tcase_add_test(tcase, every_state_and_input);
	tcase_add_test(tcase, bodies_are_cut);
	tcase_add_test(tcase, block_sizes_fit);
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(governor, set_up, tear_down);
	tcase_add_test(governor, window_holds_back);
	tcase_add_test(governor, window_grows_and_shrinks);
	tcase_add_test(governor, priorities_are_served_in_order);
	tcase_add_test(governor, responses_never_wait);
	tcase_add_test(governor, place_changes_hands);
	tcase_add_test(governor, bursts_are_spread);
	suite_add_tcase(suite, governor);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
