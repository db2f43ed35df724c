/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/transport/blocks.h"

/* Block1 and Block2 of our own requests (RFC 7959). */

static void answer_block(const struct message *request, uint8_t code, uint16_t size)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, code);
	m.id = request->id;
	m.token_size = request->token_size;
	memcpy(m.token, request->token, sizeof(m.token));
	m.block1 = request->block1;
	m.block1.size = size;
	peer_send(&m);
}

/* Takes blocks until one says that it is the last. */
static void collect_request(struct buf *all, struct message *m, uint16_t size)
{
	for (;;) {
		peer_receive(m);
		ck_assert(m->block1.present);
		ck_assert_uint_eq((size_t)m->block1.number * m->block1.size, all->size);
		ck_assert_int_eq(buf_append(all, m->payload.p, m->payload.n), 0);
		if (!m->block1.more)
			return;
		answer_block(m, CODE(2, 31), size > 0 ? size : m->block1.size);
	}
}

START_TEST(request_is_cut)
{
	_cleanup_buf_ struct buf all = { 0 };
	struct message m;

	rig_post((const char *)body, BODY_SIZE, CALL_REGISTRATION);
	peer_receive(&m);
	ck_assert_int_eq(m.size1, BODY_SIZE);
	ck_assert_uint_gt(m.request_tag.n, 0);
	ck_assert_uint_eq(m.block1.size, 1024);
	ck_assert_int_eq(buf_append(&all, m.payload.p, m.payload.n), 0);
	answer_block(&m, CODE(2, 31), 256);
	collect_request(&all, &m, 0);
	ck_assert_uint_eq(m.block1.size, 256);
	ck_assert(message_is_path(&m, "/rd"));
	answer_block(&m, CODE(2, 1), 256);
	rig_until(rig.n_ended == 2);
	ck_assert_int_eq(rig.ended_error, 0);
	ck_assert_uint_eq(rig.ended_code, CODE(2, 1));
	ck_assert_uint_eq(all.size, BODY_SIZE);
	ck_assert_int_eq(memcmp(all.data, body, BODY_SIZE), 0);
}
END_TEST

START_TEST(request_starts_again_smaller)
{
	_cleanup_buf_ struct buf all = { 0 };
	struct message m;

	rig_post((const char *)body, BODY_SIZE, CALL_REGISTRATION);
	peer_receive(&m);
	answer_block(&m, CODE(4, 13), 128);
	collect_request(&all, &m, 0);
	ck_assert_uint_eq(m.block1.size, 128);
	ck_assert_uint_eq(all.size, BODY_SIZE);
	answer_block(&m, CODE(4, 13), 128);
	rig_until(rig.n_ended == 2);
	ck_assert_uint_eq(rig.ended_code, CODE(4, 13));
}
END_TEST

static const char echo[] = "0123456789012345678901234567890123456789";

static void ask_for_echo(const struct message *request)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, CODE(4, 1));
	m.id = request->id;
	m.token_size = request->token_size;
	memcpy(m.token, request->token, sizeof(m.token));
	m.echo = span_of(echo, 40);
	peer_send(&m);
}

START_TEST(echo_makes_room)
{
	_cleanup_buf_ struct buf all = { 0 };
	struct message m;
	char query[100];

	/* Fits one message, but not together with the Echo. */
	memset(query, 'q', sizeof(query) - 1);
	query[sizeof(query) - 1] = '\0';
	message_init(&m, MESSAGE_CON, CODE_POST);
	ck_assert_int_eq(message_add_query(&m, query), 0);
	m.payload = span_of(body, 1024);
	ck_assert_int_eq(session_request(rig.session, &m, CALL_UPDATE, rig_ended, NULL, NULL), 0);
	peer_receive(&m);
	ck_assert(!m.block1.present);
	ask_for_echo(&m);
	collect_request(&all, &m, 0);
	ck_assert_uint_eq(m.echo.n, 40);
	ck_assert_uint_eq(all.size, 1024);
	answer_block(&m, CODE(2, 4), m.block1.size);
	rig_until(rig.n_ended == 2);
	ck_assert_uint_eq(rig.ended_code, CODE(2, 4));
}
END_TEST

/* From the beginning, as another body than the one that was begun. */
START_TEST(echo_between_blocks)
{
	_cleanup_buf_ struct buf all = { 0 };
	uint8_t tag[4];
	struct message m;

	rig_post((const char *)body, BODY_SIZE, CALL_REGISTRATION);
	peer_receive(&m);
	answer_block(&m, CODE(2, 31), 1024);
	peer_receive(&m);
	ck_assert_uint_eq(m.block1.number, 1);
	ck_assert_uint_eq(m.request_tag.n, sizeof(tag));
	memcpy(tag, m.request_tag.p, sizeof(tag));
	ask_for_echo(&m);
	collect_request(&all, &m, 0);
	ck_assert_uint_eq(m.echo.n, 40);
	ck_assert_uint_eq(m.request_tag.n, sizeof(tag));
	ck_assert_int_ne(memcmp(m.request_tag.p, tag, sizeof(tag)), 0);
	ck_assert_uint_eq(all.size, BODY_SIZE);
	/* Who wants it again has it not. */
	ask_for_echo(&m);
	rig_until(rig.n_ended == 2);
	ck_assert_uint_eq(rig.ended_code, CODE(4, 1));
}
END_TEST

START_TEST(lost_block_is_repeated)
{
	struct message m, again;

	rig_post((const char *)body, BODY_SIZE, CALL_REGISTRATION);
	peer_receive(&m);
	answer_block(&m, CODE(2, 31), 1024);
	peer_receive(&m);
	rig_advance(3 * USEC_PER_SEC);
	peer_receive(&again);
	ck_assert_uint_eq(again.id, m.id);
	ck_assert_uint_eq(again.block1.number, 1);
	answer_block(&m, CODE(4, 8), 1024);
	rig_until(rig.n_ended == 2);
	ck_assert_uint_eq(rig.ended_code, CODE(4, 8));
}
END_TEST

static void answer_part(const struct message *request, uint32_t number, bool more, const char *etag)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, CODE(2, 5));
	m.id = request->id;
	m.token_size = request->token_size;
	memcpy(m.token, request->token, sizeof(m.token));
	m.content_format = 110;
	m.etag = span_of(etag, 1);
	set_block(&m.block2, number, more, 1024);
	m.payload = span_of(body + number * 1024, MIN(BODY_SIZE - number * 1024, 1024u));
	peer_send(&m);
}

START_TEST(response_is_put_together)
{
	struct message m;

	rig_post("x", 1, CALL_UPDATE);
	for (uint32_t i = 0; i < 3; i++) {
		peer_receive(&m);
		ck_assert_uint_eq(m.code, CODE_POST);
		ck_assert(message_is_path(&m, "/rd"));
		ck_assert_uint_eq(m.payload.n, i == 0);
		ck_assert_int_eq(m.block2.present, i > 0);
		ck_assert_uint_eq(m.block2.number, i);
		answer_part(&m, i, i < 2, "e");
	}
	rig_until(rig.n_ended == 2);
	ck_assert_int_eq(rig.ended_error, 0);
	ck_assert_uint_eq(rig.ended_body.size, BODY_SIZE);
	ck_assert_int_eq(memcmp(rig.ended_body.data, body, BODY_SIZE), 0);
}
END_TEST

/* What has come of the answer comes again. */
START_TEST(echo_between_parts)
{
	struct message m;

	rig_post("x", 1, CALL_UPDATE);
	peer_receive(&m);
	answer_part(&m, 0, true, "e");
	peer_receive(&m);
	ck_assert_uint_eq(m.block2.number, 1);
	ask_for_echo(&m);
	for (uint32_t i = 0; i < 3; i++) {
		peer_receive(&m);
		ck_assert_uint_eq(m.echo.n, 40);
		ck_assert_uint_eq(m.payload.n, i == 0);
		ck_assert_uint_eq(m.block2.number, i);
		answer_part(&m, i, i < 2, "f");
	}
	rig_until(rig.n_ended == 2);
	ck_assert_int_eq(rig.ended_error, 0);
	ck_assert_uint_eq(rig.ended_body.size, BODY_SIZE);
	ck_assert_int_eq(memcmp(rig.ended_body.data, body, BODY_SIZE), 0);
	ck_assert_uint_eq(rig.transport->assembling, 0);
}
END_TEST

START_TEST(responses_are_bounded)
{
	size_t others = ASSEMBLY_TOTAL_MAX - 1024;
	struct message m;

	rig.transport->assembling = others;
	rig_post("x", 1, CALL_UPDATE);
	peer_receive(&m);
	answer_part(&m, 0, true, "e");
	peer_receive(&m);
	ck_assert_uint_eq(rig.transport->assembling, ASSEMBLY_TOTAL_MAX);
	answer_part(&m, 1, true, "e");
	rig_until(rig.n_ended == 2);
	ck_assert_int_eq(rig.ended_error, -EFBIG);
	ck_assert_uint_eq(rig.transport->assembling, others);
	rig.transport->assembling = 0;
}
END_TEST

START_TEST(responses_that_do_not_fit_together)
{
	struct message m;

	for (unsigned i = 0; i < 3; i++) {
		rig_post("x", 1, CALL_UPDATE);
		peer_receive(&m);
		answer_part(&m, i == 0 ? 1 : 0, true, "e");
		if (i > 0) {
			peer_receive(&m);
			answer_part(&m, i == 1 ? 2 : 1, false, i == 1 ? "e" : "f");
		}
		rig_until(rig.n_ended == i + 2);
		ck_assert_int_eq(rig.ended_error, -EPROTO);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transfer");
	TCase *tcase = tcase_create("transfer");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, blocks_set_up, rig_tear_down);
	tcase_add_test(tcase, request_is_cut);
	tcase_add_test(tcase, request_starts_again_smaller);
	tcase_add_test(tcase, echo_makes_room);
	tcase_add_test(tcase, echo_between_blocks);
	tcase_add_test(tcase, lost_block_is_repeated);
	tcase_add_test(tcase, response_is_put_together);
	tcase_add_test(tcase, echo_between_parts);
	tcase_add_test(tcase, responses_are_bounded);
	tcase_add_test(tcase, responses_that_do_not_fit_together);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
