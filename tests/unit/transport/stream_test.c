/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/transport/rig.h"

/* Bodies that are taken as they come. */

#define SIZE 1024u
#define N_BLOCKS 9216u /* together more than would be held */

static struct body_sink sink;
static unsigned n_begun, n_lost, n_blocks;
static uint64_t taken;
static int64_t size_told;
static int take_result;
static uint8_t begin_code;
static uint8_t block[SIZE];
static uint16_t id;

static int take(struct body_sink *s, struct span span)
{
	ck_assert_ptr_eq(s, &sink);
	if (take_result != 0)
		return take_result;
	ck_assert_uint_eq(span.p[0], (uint8_t)n_blocks);
	n_blocks++;
	taken += span.n;
	return 0;
}

static void lost(struct body_sink *s)
{
	ck_assert_ptr_eq(s, &sink);
	n_lost++;
}

static uint8_t begin(const struct message *first, struct body_sink **ret)
{
	size_told = first->size1;
	if (begin_code)
		return begin_code;
	n_begun++;
	n_blocks = 0;
	taken = 0;
	*ret = &sink;
	return 0;
}

static void set_up(void)
{
	rig_set_up(AF_INET);
	rig_connect();
	rig.body = begin;
	sink = (struct body_sink){ take, lost };
	n_begun = n_lost = n_blocks = 0;
	take_result = 0;
	begin_code = 0;
	id = 100;
}

static void send_block(uint32_t number, bool more, int64_t size1)
{
	struct message m;

	peer_request(&m, MESSAGE_CON, CODE_PUT, id++, "/5/0/0");
	m.size1 = size1;
	m.block1 = (struct message_block){ .present = true, .more = more, .number = number, .size = SIZE };
	memset(block, (uint8_t)number, sizeof(block));
	m.payload = span_of(block, more ? SIZE : 10);
	peer_send(&m);
}

static void expect(uint8_t code)
{
	struct message m;

	peer_receive(&m);
	ck_assert_uint_eq(m.code, code);
}

START_TEST(nothing_is_held)
{
	for (uint32_t i = 0; i < N_BLOCKS; i++) {
		send_block(i, true, i == 0 ? INT64_C(1) << 31 : -1);
		expect(CODE(2, 31));
		ck_assert_uint_eq(rig.transport->assembling, 0);
	}
	ck_assert_int_eq(size_told, INT64_C(1) << 31);
	ck_assert_uint_eq(rig.n_requests, 0);
	send_block(N_BLOCKS, false, -1);
	expect(CODE(2, 4));
	ck_assert_uint_eq(rig.n_requests, 1);
	ck_assert_ptr_eq(rig.streamed, &sink);
	ck_assert_uint_eq(rig.request_body.size, 0);
	ck_assert_uint_eq(taken, (uint64_t)N_BLOCKS * SIZE + 10);
	/* It is whoever answers who has it now. */
	ck_assert_uint_eq(n_lost, 0);
}
END_TEST

START_TEST(single_messages_are_not_asked_about)
{
	send_block(0, false, -1);
	expect(CODE(2, 4));
	ck_assert_uint_eq(n_begun, 0);
	ck_assert_ptr_null(rig.streamed);
	ck_assert_uint_eq(rig.request_body.size, 10);
}
END_TEST

START_TEST(refused_from_the_start)
{
	begin_code = CODE(5, 3);
	send_block(0, true, -1);
	expect(CODE(5, 3));
	send_block(1, true, -1);
	expect(CODE(4, 8));
	ck_assert_uint_eq(n_lost, 0);
}
END_TEST

START_TEST(refused_on_the_way)
{
	send_block(0, true, -1);
	expect(CODE(2, 31));
	take_result = CODE(4, 13);
	send_block(1, true, -1);
	expect(CODE(4, 13));
	ck_assert_uint_eq(n_lost, 1);
	take_result = 0;
	send_block(2, true, -1);
	expect(CODE(4, 8));
}
END_TEST

/* Whoever cannot keep up says nothing: the peer repeats the same message. */
START_TEST(not_now)
{
	send_block(0, true, -1);
	expect(CODE(2, 31));
	take_result = -EBUSY;
	send_block(1, true, -1);
	peer_expect_silence();
	ck_assert_uint_eq(n_blocks, 1);
	take_result = 0;
	id--;
	send_block(1, true, -1);
	expect(CODE(2, 31));
	ck_assert_uint_eq(n_blocks, 2);
	ck_assert_uint_eq(n_lost, 0);
}
END_TEST

START_TEST(repeated_blocks)
{
	for (int again = 0; again < 2; again++) {
		send_block(0, true, -1);
		expect(CODE(2, 31));
		ck_assert_uint_eq(n_lost, (unsigned)again);
	}
	for (int again = 0; again < 2; again++) {
		send_block(1, true, -1);
		expect(CODE(2, 31));
	}
	ck_assert_uint_eq(n_blocks, 2);
}
END_TEST

START_TEST(lost_ones)
{
	send_block(0, true, -1);
	expect(CODE(2, 31));
	/* A hole. */
	send_block(2, true, -1);
	expect(CODE(4, 8));
	ck_assert_uint_eq(n_lost, 1);
	/* Nobody goes on. */
	send_block(0, true, -1);
	expect(CODE(2, 31));
	rig_advance(EXCHANGE_LIFETIME_USEC);
	ck_assert_uint_eq(n_lost, 2);
	/* The session goes. */
	send_block(0, true, -1);
	expect(CODE(2, 31));
	rig.session = session_free(rig.session);
	ck_assert_uint_eq(n_lost, 3);
	ck_assert_uint_eq(n_begun, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stream");
	TCase *tcase = tcase_create("stream");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_test(tcase, nothing_is_held);
	tcase_add_test(tcase, single_messages_are_not_asked_about);
	tcase_add_test(tcase, refused_from_the_start);
	tcase_add_test(tcase, refused_on_the_way);
	tcase_add_test(tcase, not_now);
	tcase_add_test(tcase, repeated_blocks);
	tcase_add_test(tcase, lost_ones);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
