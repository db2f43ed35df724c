/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/transport/blocks.h"

/* Bodies in blocks between a peer and what it asks for (RFC 7959). */

static uint16_t id;

static void set_up(void)
{
	blocks_set_up();
	id = 100;
}

/* ---- Block1 to us ---- */

static void put_block(struct message *m, const char *path, uint32_t number, bool more, uint16_t size)
{
	size_t offset = MIN((size_t)number * size, (size_t)BODY_SIZE);

	peer_request(m, MESSAGE_CON, CODE_PUT, id++, path);
	set_block(&m->block1, number, more, size);
	m->payload = span_of(body + offset, more ? size : BODY_SIZE - offset);
}

static void expect(struct message *m, uint8_t code)
{
	peer_receive(m);
	ck_assert_uint_eq(m->type, MESSAGE_ACK);
	ck_assert_uint_eq(m->code, code);
}

static void send_block(const char *path, uint32_t number, bool more, uint16_t size, uint8_t code)
{
	struct message m, answer;

	put_block(&m, path, number, more, size);
	peer_send(&m);
	expect(&answer, code);
	if (code == CODE(4, 13) || code == CODE(4, 8))
		return;
	ck_assert(answer.block1.present);
	ck_assert_uint_eq(answer.block1.number, number);
	ck_assert_uint_eq(answer.block1.more, code == CODE(2, 31));
	ck_assert_uint_eq(answer.block1.size, size);
}

START_TEST(body_is_put_together)
{
	send_block("/5/0/0", 0, true, 1024, CODE(2, 31));
	send_block("/5/0/0", 1, true, 1024, CODE(2, 31));
	ck_assert_uint_eq(rig.n_requests, 0);
	ck_assert_uint_eq(rig.transport->assembling, 2048);
	send_block("/5/0/0", 2, false, 1024, CODE(2, 4));
	ck_assert_uint_eq(rig.n_requests, 1);
	ck_assert_uint_eq(rig.request_body.size, BODY_SIZE);
	ck_assert_int_eq(memcmp(rig.request_body.data, body, BODY_SIZE), 0);
	ck_assert_uint_eq(rig.transport->assembling, 0);
}
END_TEST

START_TEST(blocks_get_smaller_on_the_way)
{
	send_block("/1", 0, true, 1024, CODE(2, 31));
	for (uint32_t i = 2; i < 4; i++)
		send_block("/1", i, true, 512, CODE(2, 31));
	send_block("/1", 4, false, 512, CODE(2, 4));
	ck_assert_uint_eq(rig.request_body.size, BODY_SIZE);
	ck_assert_int_eq(memcmp(rig.request_body.data, body, BODY_SIZE), 0);
}
END_TEST

START_TEST(repeated_blocks_are_harmless)
{
	struct message m, answer;

	put_block(&m, "/1", 0, true, 1024);
	for (int i = 0; i < 3; i++) {
		peer_send(&m);
		expect(&answer, CODE(2, 31));
		if (i == 1)
			m.id = id++; /* the same block in a message of its own */
	}
	send_block("/1", 1, true, 1024, CODE(2, 31));
	send_block("/1", 2, false, 1024, CODE(2, 4));
	ck_assert_uint_eq(rig.request_body.size, BODY_SIZE);
}
END_TEST

START_TEST(missing_blocks_are_told)
{
	send_block("/1", 1, true, 1024, CODE(4, 8));
	send_block("/1", 0, true, 1024, CODE(2, 31));
	send_block("/1", 2, false, 1024, CODE(4, 8));
	send_block("/1", 1, true, 1024, CODE(4, 8)); /* gone: from the start */
	send_block("/1", 0, true, 1024, CODE(2, 31));
	send_block("/1", 0, true, 1024, CODE(2, 31)); /* a new body */
	send_block("/1", 1, true, 1024, CODE(2, 31));
	send_block("/1", 2, false, 1024, CODE(2, 4));
	ck_assert_uint_eq(rig.request_body.size, BODY_SIZE);
	ck_assert_uint_eq(rig.n_requests, 1);
}
END_TEST

START_TEST(bodies_do_not_mix)
{
	struct message m, answer;

	for (uint32_t i = 0; i < 2; i++) {
		send_block("/1", i, true, 1024, CODE(2, 31));
		send_block("/2", i, true, 1024, CODE(2, 31));
		put_block(&m, "/1", i, true, 1024);
		m.code = CODE_POST;
		peer_send(&m);
		expect(&answer, CODE(2, 31));
		put_block(&m, "/1", i, true, 1024);
		m.request_tag = span_of("t", 1);
		peer_send(&m);
		expect(&answer, CODE(2, 31));
	}
	send_block("/2", 2, false, 1024, CODE(2, 4));
	ck_assert_str_eq(rig.request_path, "/2");
	ck_assert_uint_eq(rig.request_body.size, BODY_SIZE);
	/* The limit: a fifth one pushes the oldest out. */
	send_block("/3", 0, true, 1024, CODE(2, 31));
	send_block("/4", 0, true, 1024, CODE(2, 31));
	send_block("/1", 2, false, 1024, CODE(4, 8));
}
END_TEST

/* What tells bodies of one path apart: the query, and the Request-Tag, which may be empty. */
START_TEST(bodies_are_told_apart)
{
	struct message m, answer;

	for (uint32_t i = 0; i < 3; i++) {
		const bool more = i < 2;
		const uint8_t code = more ? CODE(2, 31) : CODE(2, 4);

		send_block("/1", i, more, 1024, code);
		put_block(&m, "/1", i, more, 1024);
		ck_assert_int_eq(message_add_query(&m, "a=1"), 0);
		peer_send(&m);
		expect(&answer, code);
		put_block(&m, "/1", i, more, 1024);
		m.request_tag = span_of("", 0);
		peer_send(&m);
		expect(&answer, code);
	}
	ck_assert_uint_eq(rig.n_requests, 3);
	ck_assert_uint_eq(rig.transport->assembling, 0);
}
END_TEST

START_TEST(large_bodies_are_refused)
{
	struct message m, answer;

	put_block(&m, "/5/0/0", 0, true, 1024);
	m.size1 = ASSEMBLY_SIZE_MAX + 1;
	peer_send(&m);
	expect(&answer, CODE(4, 13));
	ck_assert_int_eq(answer.size1, ASSEMBLY_SIZE_MAX);
	for (uint32_t i = 0; i < ASSEMBLY_SIZE_MAX / 1024; i++) {
		put_block(&m, "/5/0/0", i, true, 1024);
		m.payload = span_of(body, 1024);
		peer_send(&m);
		expect(&answer, CODE(2, 31));
	}
	put_block(&m, "/5/0/0", ASSEMBLY_SIZE_MAX / 1024, true, 1024);
	m.payload = span_of(body, 1024);
	peer_send(&m);
	expect(&answer, CODE(4, 13));
	ck_assert_uint_eq(rig.transport->assembling, 0);
	ck_assert_uint_eq(rig.n_requests, 0);
}
END_TEST

START_TEST(odd_blocks)
{
	struct message m, answer;

	put_block(&m, "/1", 0, true, 1024);
	m.payload.n = 1000; /* not a whole block, and more to come */
	peer_send(&m);
	expect(&answer, CODE(4, 0));
	peer_request(&m, MESSAGE_CON, CODE_PUT, id++, "/1");
	set_block(&m.block1, 0, false, 16); /* a single one: a body in itself */
	m.payload = span_of("abc", 3);
	peer_send(&m);
	expect(&answer, CODE(2, 4));
	ck_assert_uint_eq(rig.request_body.size, 3);
}
END_TEST

START_TEST(abandoned_bodies_go)
{
	send_block("/1", 0, true, 1024, CODE(2, 31));
	rig_advance(EXCHANGE_LIFETIME_USEC);
	ck_assert_uint_eq(rig.transport->assembling, 0);
	ck_assert(list_is_empty(&rig.session->assemblies));
	send_block("/1", 0, true, 1024, CODE(2, 31));
	rig.session = session_free(rig.session);
	ck_assert_uint_eq(rig.transport->assembling, 0);
}
END_TEST

/* ---- Block2 from us ---- */

static void get_block(struct message *answer, const char *path, uint32_t number, uint16_t size, uint8_t code)
{
	struct message m;

	peer_request(&m, MESSAGE_CON, CODE_GET, id++, path);
	if (size > 0)
		set_block(&m.block2, number, false, size);
	peer_send(&m);
	expect(answer, code);
}

static size_t fetch_rest(const char *path, uint32_t number, uint16_t size, struct buf *all)
{
	struct message m;

	do {
		get_block(&m, path, number++, size, CODE(2, 5));
		ck_assert(m.block2.present);
		ck_assert_uint_eq(m.block2.size, size);
		ck_assert_int_eq(buf_append(all, m.payload.p, m.payload.n), 0);
	} while (m.block2.more);
	return number;
}

static void respond_with_body(void)
{
	rig.respond_code = CODE(2, 5);
	rig.respond_payload = span_of(body, BODY_SIZE);
}

START_TEST(response_is_cut)
{
	_cleanup_buf_ struct buf all = { 0 };
	struct message m;

	respond_with_body();
	get_block(&m, "/3", 0, 0, CODE(2, 5));
	ck_assert(m.block2.more);
	ck_assert_uint_eq(m.block2.size, 1024);
	ck_assert_int_eq(m.size2, BODY_SIZE);
	ck_assert_uint_eq(m.etag.n, 4);
	ck_assert_int_eq(buf_append(&all, m.payload.p, m.payload.n), 0);
	/* What is read in between does not show: it is a snapshot. */
	rig.respond_payload = span_of("other", 5);
	ck_assert_uint_eq(fetch_rest("/3", 1, 1024, &all), 3);
	ck_assert_uint_eq(all.size, BODY_SIZE);
	ck_assert_int_eq(memcmp(all.data, body, BODY_SIZE), 0);
	ck_assert_uint_eq(rig.n_requests, 1);
	get_block(&m, "/3", 3, 1024, CODE(4, 0));
	get_block(&m, "/4", 0, 0, CODE(2, 5));
	ck_assert(!m.block2.present);
}
END_TEST

START_TEST(peer_chooses_the_size)
{
	_cleanup_buf_ struct buf all = { 0 };
	struct message m;

	respond_with_body();
	ck_assert_uint_eq(fetch_rest("/3", 0, 64, &all), 40);
	ck_assert_uint_eq(all.size, BODY_SIZE);
	ck_assert_int_eq(memcmp(all.data, body, BODY_SIZE), 0);
	ck_assert_uint_eq(rig.n_requests, 1);
	/* From large to small in the middle. */
	all.size = 0;
	get_block(&m, "/3", 0, 1024, CODE(2, 5));
	fetch_rest("/3", 32, 32, &all);
	ck_assert_uint_eq(all.size, BODY_SIZE - 1024);
}
END_TEST

START_TEST(without_snapshot_it_is_read_anew)
{
	struct message m;

	respond_with_body();
	get_block(&m, "/3", 0, 0, CODE(2, 5));
	rig_advance(EXCHANGE_LIFETIME_USEC);
	ck_assert(list_is_empty(&rig.session->snapshots));
	get_block(&m, "/3", 2, 1024, CODE(2, 5));
	ck_assert_uint_eq(rig.n_requests, 2);
	ck_assert_uint_eq(m.payload.n, BODY_SIZE - 2048);
	ck_assert_int_eq(memcmp(m.payload.p, body + 2048, m.payload.n), 0);
	rig.respond_payload = span_of("short", 5);
	rig_advance(EXCHANGE_LIFETIME_USEC);
	get_block(&m, "/3", 2, 1024, CODE(4, 0));
	get_block(&m, "/3", 0, 1024, CODE(2, 5));
	ck_assert(m.block2.present && !m.block2.more);
}
END_TEST

START_TEST(snapshots_are_bounded)
{
	static const char *const paths[] = { "/1", "/2", "/3", "/4", "/5" };
	struct message m;

	respond_with_body();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		get_block(&m, paths[i], 0, 0, CODE(2, 5));
	ck_assert_uint_eq(rig.n_requests, 5);
	get_block(&m, "/5", 1, 1024, CODE(2, 5));
	ck_assert_uint_eq(rig.n_requests, 5);
	get_block(&m, "/1", 1, 1024, CODE(2, 5));
	ck_assert_uint_eq(rig.n_requests, 6);
}
END_TEST

START_TEST(all_snapshots_are_bounded)
{
	size_t others = SNAPSHOT_TOTAL_MAX - BODY_SIZE;
	struct message m;

	respond_with_body();
	rig.transport->snapshot_bytes = others;
	get_block(&m, "/1", 0, 0, CODE(2, 5));
	get_block(&m, "/1", 1, 1024, CODE(2, 5));
	ck_assert_uint_eq(rig.n_requests, 1);
	/* No room for another: it is read anew. */
	get_block(&m, "/2", 0, 0, CODE(2, 5));
	get_block(&m, "/2", 1, 1024, CODE(2, 5));
	ck_assert_uint_eq(rig.n_requests, 3);
	session_disconnect(rig.session);
	ck_assert_uint_eq(rig.transport->snapshot_bytes, others);
}
END_TEST

START_TEST(separate_response_in_blocks)
{
	_cleanup_buf_ struct buf all = { 0 };
	struct message m, response;

	rig.hold = true;
	peer_request(&m, MESSAGE_CON, CODE_GET, id++, "/3");
	peer_send(&m);
	rig_until(rig.n_requests == 1);
	exchange_acknowledge(rig.held[0]);
	peer_receive(&m);
	message_init(&response, MESSAGE_ACK, CODE(2, 5));
	response.payload = span_of(body, BODY_SIZE);
	exchange_respond(rig.held[0], &response, rig_acked, NULL);
	peer_receive(&m);
	ck_assert_uint_eq(m.type, MESSAGE_CON);
	ck_assert(m.block2.more);
	peer_empty(MESSAGE_ACK, m.id);
	rig_until(rig.n_acked == 1);
	fetch_rest("/3", 1, 1024, &all);
	ck_assert_uint_eq(all.size, BODY_SIZE - 1024);
	ck_assert_uint_eq(rig.n_requests, 1);
}
END_TEST

START_TEST(fetch_with_its_own_body)
{
	struct message m, answer;

	respond_with_body();
	for (uint32_t i = 0; i < 3; i++) {
		peer_request(&m, MESSAGE_CON, CODE_FETCH, id++, "");
		m.payload = i == 2 ? span_of("other", 5) : span_of("paths", 5);
		if (i > 0)
			set_block(&m.block2, 1, false, 1024);
		peer_send(&m);
		expect(&answer, CODE(2, 5));
		ck_assert_uint_eq(answer.block2.number, i > 0);
		ck_assert_uint_eq(rig.n_requests, i == 2 ? 2 : 1);
	}
}
END_TEST

/* The rest of what a FETCH of this body is answered or notified with. */
static void expect_second_block(const char *paths, const uint8_t *content)
{
	struct message m, answer;

	peer_request(&m, MESSAGE_CON, CODE_FETCH, id++, "");
	m.payload = span_of(paths, strlen(paths));
	set_block(&m.block2, 1, false, 1024);
	peer_send(&m);
	expect(&answer, CODE(2, 5));
	ck_assert_uint_eq(answer.block2.number, 1);
	ck_assert_int_eq(memcmp(answer.payload.p, content, answer.payload.n), 0);
}

/* Two observations of the same path tell theirs apart by their bodies. */
START_TEST(notifications_of_fetches)
{
	static const char *const paths[] = { "paths", "other" };
	static uint8_t contents[2][2048];
	struct message m, n;

	rig.respond_code = CODE(2, 5);
	rig.respond_observe = 1;
	rig.respond_payload = span_of("small", 5);
	for (uint8_t i = 0; i < 2; i++) {
		memset(contents[i], 'a' + i, sizeof(contents[i]));
		peer_request(&m, MESSAGE_CON, CODE_FETCH, id++, "");
		m.token_size = 1;
		m.token[0] = 0x77 + i;
		m.observe = 0;
		m.payload = span_of(paths[i], strlen(paths[i]));
		peer_send(&m);
		expect(&m, CODE(2, 5));
	}
	for (uint8_t i = 0; i < 2; i++) {
		rig_notification(&n, 0x77 + i, 7, contents[i], sizeof(contents[i]));
		ck_assert_int_eq(session_notify(rig.session, &n, false, rig_ended, NULL, NULL), 0);
		peer_receive(&m);
		ck_assert(m.block2.present && m.block2.more);
	}
	for (uint8_t i = 0; i < 2; i++)
		expect_second_block(paths[i], contents[i]);
	ck_assert_uint_eq(rig.n_requests, 2);
}
END_TEST

START_TEST(notification_in_blocks)
{
	_cleanup_buf_ struct buf all = { 0 };
	struct message m, n;

	rig.respond_code = CODE(2, 5);
	rig.respond_observe = 1;
	rig.respond_payload = span_of("small", 5);
	peer_request(&m, MESSAGE_CON, CODE_GET, id++, "/3303/0");
	m.observe = 0;
	peer_send(&m);
	expect(&m, CODE(2, 5));
	ck_assert_int_eq(m.observe, 1);
	for (unsigned i = 0; i < 2; i++) {
		rig_notification(&n, 0x77, 7 + (int32_t)i, body, BODY_SIZE);
		ck_assert_int_eq(session_notify(rig.session, &n, i == 1, rig_ended, NULL, NULL), 0);
		peer_receive(&m);
		ck_assert_uint_eq(m.type, i == 1 ? MESSAGE_CON : MESSAGE_NON);
		ck_assert_int_eq(m.observe, 7 + (int32_t)i);
		ck_assert(m.block2.present && m.block2.more);
		ck_assert_uint_eq(m.payload.n, 1024);
		if (i == 1)
			peer_empty(MESSAGE_ACK, m.id);
		all.size = 0;
		fetch_rest("/3303/0", 1, 1024, &all);
		ck_assert_uint_eq(all.size, BODY_SIZE - 1024);
		ck_assert_int_eq(memcmp(all.data, body + 1024, all.size), 0);
	}
	ck_assert_uint_eq(rig.n_requests, 1);
	/* The end of the observation ends its entry. */
	ck_assert_ptr_nonnull(rig.session->observations);
	message_init(&n, MESSAGE_NON, CODE(4, 4));
	n.token_size = 1;
	n.token[0] = 0x77;
	ck_assert_int_eq(session_notify(rig.session, &n, false, NULL, NULL, NULL), 0);
	ck_assert_ptr_null(rig.session->observations);
}
END_TEST

START_TEST(observation_entries_come_and_go)
{
	struct message m, answer;

	rig.respond_code = CODE(2, 5);
	for (unsigned round = 0; round < 2; round++) {
		rig.respond_observe = round == 0 ? 1 : -1;
		for (uint8_t i = 0; i < 20; i++) {
			peer_request(&m, MESSAGE_CON, CODE_GET, id++, "/1");
			m.token[0] = i;
			m.observe = (int32_t)round;
			peer_send(&m);
			expect(&answer, CODE(2, 5));
		}
		ck_assert_int_eq(rig.session->observations == NULL, round == 1);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("block");
	TCase *tcase = tcase_create("block");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_add_test(tcase, body_is_put_together);
	tcase_add_test(tcase, blocks_get_smaller_on_the_way);
	tcase_add_test(tcase, repeated_blocks_are_harmless);
	tcase_add_test(tcase, missing_blocks_are_told);
	tcase_add_test(tcase, bodies_do_not_mix);
	tcase_add_test(tcase, bodies_are_told_apart);
	tcase_add_test(tcase, large_bodies_are_refused);
	tcase_add_test(tcase, odd_blocks);
	tcase_add_test(tcase, abandoned_bodies_go);
	tcase_add_test(tcase, response_is_cut);
	tcase_add_test(tcase, peer_chooses_the_size);
	tcase_add_test(tcase, without_snapshot_it_is_read_anew);
	tcase_add_test(tcase, snapshots_are_bounded);
	tcase_add_test(tcase, all_snapshots_are_bounded);
	tcase_add_test(tcase, separate_response_in_blocks);
	tcase_add_test(tcase, fetch_with_its_own_body);
	tcase_add_test(tcase, notifications_of_fetches);
	tcase_add_test(tcase, notification_in_blocks);
	tcase_add_test(tcase, observation_entries_come_and_go);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
