/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* A Package that its backing takes as it comes. */

#define PACKAGE "/5/0/0"
#define SIZE 1024u

static char said[256];
static uint64_t size_told;
static int begin_result, take_result;
static backing_done done;
static void *done_userdata;

static void say(const char *what)
{
	ck_assert_uint_lt(strlen(said) + strlen(what), sizeof(said));
	strcat(said, what);
}

static int begin(void *userdata, const struct path *path, uint64_t size)
{
	size_told = size;
	if (begin_result >= 0)
		say("begin ");
	return begin_result;
}

static int take(void *userdata, const struct path *path, const void *data, size_t size)
{
	if (take_result == 0)
		say("take ");
	return take_result;
}

static void end(void *userdata, const struct path *path, backing_done d, void *u)
{
	say("end ");
	done = d;
	done_userdata = u;
}

static void lost(void *userdata, const struct path *path)
{
	say("lost ");
}

static void write_small(void *userdata, const struct path *path, const struct value *value, backing_done d, void *u)
{
	say("write ");
	d(u, 0, NULL);
}

static const struct backing_ops ops = {
	.write = write_small, .stream_begin = begin, .stream_take = take, .stream_end = end, .stream_lost = lost
};

static void set_up(void)
{
	const struct object_definition *firmware;
	const struct path package = path_of_resource(5, 0, 0);

	account_set_up();
	firmware = definitions_newest(account.definitions, 5);
	ck_assert_ptr_nonnull(firmware);
	ck_assert_int_eq(store_add_instance(account.store, firmware, 0), 0);
	ck_assert_int_eq(store_add_resource(account.store, &package, &(struct backing){ &ops, NULL }), 0);
	account_register();
	said[0] = '\0';
	size_told = 1;
	begin_result = take_result = 0;
	done = NULL;
}

static void send_block_as(uint8_t method, int32_t format, uint32_t number, bool more, int64_t size1)
{
	static uint8_t block[SIZE];
	struct message m;

	server_request(&m, MESSAGE_CON, method, PACKAGE);
	m.content_format = format;
	m.size1 = size1;
	m.block1 = (struct message_block){ .present = true, .more = more, .number = number, .size = SIZE };
	m.payload = span_of(block, more ? SIZE : 10);
	peer_send(&m);
}

static void send_block(uint32_t number, bool more)
{
	send_block_as(CODE_PUT, FORMAT_OPAQUE, number, more, number == 0 ? 5000 : -1);
}

static void expect(uint8_t code)
{
	struct message m;

	peer_receive(&m);
	ck_assert_uint_eq(m.code, code);
}

START_TEST(test_whole)
{
	send_block(0, true);
	expect(CODE(2, 31));
	ck_assert_uint_eq(size_told, 5000);
	send_block(1, true);
	expect(CODE(2, 31));
	send_block(2, false);
	rig_until(done);
	ck_assert_str_eq(said, "begin take take take end ");
	done(done_userdata, 0, NULL);
	expect(CODE(2, 4));
}
END_TEST

START_TEST(test_refused_at_its_end)
{
	send_block(0, true);
	expect(CODE(2, 31));
	send_block(1, false);
	rig_until(done);
	done(done_userdata, -EPERM, NULL);
	expect(CODE(4, 5));
}
END_TEST

START_TEST(test_no_room)
{
	begin_result = -EMSGSIZE;
	send_block(0, true);
	expect(CODE(4, 13));
	ck_assert_str_eq(said, "");
	begin_result = 0;
	send_block(0, true);
	expect(CODE(2, 31));
	take_result = -EMSGSIZE;
	send_block(1, true);
	expect(CODE(4, 13));
	ck_assert_str_eq(said, "begin take lost ");
}
END_TEST

START_TEST(test_later)
{
	take_result = -EBUSY;
	send_block(0, true);
	peer_expect_silence();
	take_result = 0;
	send_block(0, true);
	expect(CODE(2, 31));
}
END_TEST

/* Small ones, and those that are wrapped in something, are written like any other value. */
START_TEST(test_others)
{
	ck_assert_uint_eq(server_put(PACKAGE, FORMAT_OPAQUE, "abc", 3), CODE(2, 4));
	ck_assert_str_eq(said, "write ");
	said[0] = '\0';
	send_block_as(CODE_PUT, FORMAT_TEXT, 0, true, -1);
	expect(CODE(2, 31));
	send_block_as(CODE_POST, FORMAT_OPAQUE, 0, true, -1);
	expect(CODE(2, 31));
	ck_assert_str_eq(said, "");
}
END_TEST

/* The resource goes while it comes. */
START_TEST(test_gone)
{
	send_block(0, true);
	expect(CODE(2, 31));
	ck_assert_int_eq(store_remove_instance(account.store, 5, 0), 0);
	send_block(1, false);
	expect(CODE(4, 4));
	ck_assert_str_eq(said, "begin take take lost ");
}
END_TEST

/* While a bootstrap goes on nothing of it is taken. */
START_TEST(test_hushed)
{
	send_block(0, true);
	expect(CODE(2, 31));
	client_hush(account.client, true);
	send_block(1, false);
	peer_expect_silence();
	ck_assert_str_eq(said, "begin take take lost ");
}
END_TEST

START_TEST(test_client_goes)
{
	send_block(0, true);
	expect(CODE(2, 31));
	account.client = client_free(account.client);
	ck_assert_str_eq(said, "begin take lost ");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stream");
	TCase *tcase = tcase_create("stream");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_test(tcase, test_whole);
	tcase_add_test(tcase, test_refused_at_its_end);
	tcase_add_test(tcase, test_no_room);
	tcase_add_test(tcase, test_later);
	tcase_add_test(tcase, test_others);
	tcase_add_test(tcase, test_gone);
	tcase_add_test(tcase, test_hushed);
	tcase_add_test(tcase, test_client_goes);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
