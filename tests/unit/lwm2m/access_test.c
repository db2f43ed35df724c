/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/dm/access.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "store/store.h"
#include "tests/unit/lwm2m/account.h"

/*
 * Rights of /2 (Core 8.2). The rig's account is server 101 in /1/0; a second
 * one, 102, makes them count.
 */

static void add_instance(uint16_t object, uint16_t instance)
{
	ck_assert_int_eq(store_add_instance(account.store, definitions_newest(account.definitions, object), instance),
			 0);
}

static void set_number(uint16_t instance, uint16_t resource, int64_t number)
{
	const struct path path = path_of_resource(ACCESS_OBJECT, instance, resource);
	const struct value v = value_integer(number);

	ck_assert_int_eq(store_update_one(account.store, &path, &v), 0);
}

static void set_entry(uint16_t instance, uint16_t server, int64_t rights)
{
	const struct path path = path_of_resource_instance(ACCESS_OBJECT, instance, ACCESS_ACL, server);
	const struct value v = value_integer(rights);

	ck_assert_int_eq(store_update_one(account.store, &path, &v), 0);
}

static void control(uint16_t id, uint16_t object, uint16_t instance, uint16_t owner)
{
	add_instance(ACCESS_OBJECT, id);
	set_number(id, ACCESS_OBJECT_ID, object);
	set_number(id, ACCESS_INSTANCE_ID, instance);
	set_number(id, ACCESS_OWNER, owner);
}

static void add_server(void)
{
	const struct path path = path_of_resource(1, 1, 0);
	const struct value v = value_integer(102);

	add_instance(1, 1);
	ck_assert_int_eq(store_update_one(account.store, &path, &v), 0);
}

static uint8_t rights_of(uint16_t server, uint16_t object, uint16_t instance)
{
	struct access *access = NULL;
	uint8_t rights;

	ck_assert_int_eq(access_new(account.store, server, &access), 0);
	rights = access_rights(access, object, instance);
	access_free(access);
	return rights;
}

/* ---- the rules ---- */

START_TEST(test_one_server)
{
	control(0, 3, 0, 999);
	ck_assert(!access_is_enforced(account.store));
	ck_assert_uint_eq(rights_of(101, 3, 0), ACCESS_ALL);
	ck_assert_uint_eq(rights_of(101, 3303, 1), ACCESS_ALL);
	add_server();
	ck_assert(access_is_enforced(account.store));
	ck_assert_uint_eq(rights_of(101, 3, 0), 0);
	/* Nobody tells of it. */
	ck_assert_uint_eq(rights_of(101, 3303, 1), 0);
	ck_assert_int_eq(store_remove_instance(account.store, 1, 1), 0);
	ck_assert_uint_eq(rights_of(101, 3, 0), ACCESS_ALL);
}
END_TEST

/* Entries for 101, 102, and of all others; -1: none. */
static const struct {
	uint16_t owner;
	int own, others;
	uint8_t rights;
} rules[] = {
	{ 101, -1, -1, 15 }, /* the owner, all but Create */
	{ 101, -1, 1, 15 },  /* before the entry of all others */
	{ 101, 1, 31, 1 },   /* unless it has one of its own */
	{ 101, 0, 31, 0 },
	{ 102, 5, 1, 5 },
	{ 102, 0, 31, 0 },
	{ 102, -1, 3, 3 },
	{ 102, -1, -1, 0 },
	{ ACCESS_BOOTSTRAP, -1, 1, 1 },
	{ ACCESS_BOOTSTRAP, 31, 1, 31 },
	{ 102, 0x7ff, -1, 31 }, /* bits that nobody knows */
};

START_TEST(test_rule)
{
	add_server();
	control(7, 3303, 1, rules[_i].owner);
	if (rules[_i].own >= 0)
		set_entry(7, 101, rules[_i].own & ACCESS_ALL);
	if (rules[_i].others >= 0)
		set_entry(7, 0, rules[_i].others);
	ck_assert_uint_eq(rights_of(101, 3303, 1), rules[_i].rights);
	ck_assert_uint_eq(rights_of(101, 3303, 0), 0);
}
END_TEST

START_TEST(test_create)
{
	struct access *access;

	add_server();
	control(0, 16, ACCESS_BOOTSTRAP, ACCESS_BOOTSTRAP);
	set_entry(0, 101, ACCESS_CREATE);
	control(1, 3303, ACCESS_BOOTSTRAP, 101);
	set_entry(1, 101, ACCESS_CREATE);
	ck_assert_int_eq(access_new(account.store, 101, &access), 0);
	ck_assert(access_may_create(access, 16));
	/* A server gives itself no such right. */
	ck_assert(!access_may_create(access, 3303));
	ck_assert(!access_may_create(access, 3));
	ck_assert(!access_may_create(access, ACCESS_OBJECT));
	access_free(access);
	ck_assert_int_eq(access_new(account.store, 102, &access), 0);
	ck_assert(!access_may_create(access, 16));
	access_free(access);
}
END_TEST

START_TEST(test_control_itself)
{
	add_server();
	control(3, 3303, 1, 101);
	ck_assert_uint_eq(rights_of(101, ACCESS_OBJECT, 3), ACCESS_READ | ACCESS_WRITE);
	ck_assert_uint_eq(rights_of(102, ACCESS_OBJECT, 3), ACCESS_READ);
}
END_TEST

/* The lowest id of two, and one without what it is about. */
START_TEST(test_odd_ones)
{
	add_server();
	control(4, 3303, 1, 102);
	set_entry(4, 101, 31);
	control(2, 3303, 1, 102);
	set_entry(2, 101, ACCESS_READ);
	add_instance(ACCESS_OBJECT, 1);
	ck_assert_uint_eq(rights_of(101, 3303, 1), ACCESS_READ);
	access_forget(account.store, 3303, 1);
	ck_assert_uint_eq(rights_of(101, 3303, 1), 0);
}
END_TEST

START_TEST(test_nothing)
{
	ck_assert_uint_eq(access_rights(&access_closed, 3, 0), 0);
	ck_assert(!access_may_create(&access_closed, 16));
}
END_TEST

/* ---- what a server meets ---- */

#define GET CODE_GET
#define PUT CODE_PUT
#define POST CODE_POST
#define DELETE CODE_DELETE
#define NONE (-1)

/* 101 reads /3303/1, writes /3306/0, executes at /3341/0, deletes /16/0; its own are /1/0 and nothing else. */
static void set_up(void)
{
	static const struct {
		uint16_t object, instance;
		uint8_t rights;
	} grants[] = { { 3303, 1, ACCESS_READ },	  { 3306, 0, ACCESS_WRITE },
		       { 3341, 0, ACCESS_EXECUTE },	  { 16, 0, ACCESS_DELETE },
		       { 16, ACCESS_BOOTSTRAP, ACCESS_CREATE } };

	account_set_up();
	account_register();
	add_server();
	for (size_t i = 0; i < ARRAY_SIZE(grants); i++) {
		control((uint16_t)i, grants[i].object, grants[i].instance, ACCESS_BOOTSTRAP);
		set_entry((uint16_t)i, 101, grants[i].rights);
		set_entry((uint16_t)i, 0, 0);
	}
	control(10, 1, 0, 101);
	control(11, 1, 1, 102);
	server_expect_update("", true);
}

static const struct {
	uint8_t method;
	const char *path;
	int32_t format;
	const char *body;
	uint8_t code;
} rows[] = {
	{ GET, "/3303/1/5700", NONE, "", CODE(2, 05) },
	{ GET, "/3303/1", NONE, "", CODE(2, 05) },
	{ GET, "/3303/0/5700", NONE, "", CODE(4, 01) },
	{ GET, "/3306/0/5850", NONE, "", CODE(4, 01) },
	{ GET, "/3306", NONE, "", CODE(4, 01) },
	{ GET, "/3/0/4", NONE, "", CODE(4, 01) },	/* right before operation */
	{ GET, "/3/0/0", 9999, "", CODE(4, 01) },	/* and before format */
	{ GET, "/3/9", NONE, "", CODE(4, 04) },		/* and behind existence */
	{ GET, "/1/0/1", NONE, "", CODE(2, 05) },
	{ GET, "/1/1/0", NONE, "", CODE(4, 01) },	/* of the other server */
	{ PUT, "/1/0/1", FORMAT_TEXT, "3600", CODE(2, 04) },
	{ PUT, "/1/1/1", FORMAT_TEXT, "3600", CODE(4, 01) },
	{ PUT, "/3303/1/5700", FORMAT_TEXT, "1", CODE(4, 01) },
	{ PUT, "/3303/1", NONE, "", CODE(2, 04) },	/* Write-Attributes */
	{ PUT, "/3306/0", NONE, "", CODE(4, 01) },
	{ PUT, "/3306", NONE, "", CODE(2, 04) },	/* open at an object */
	{ POST, "/3341/0/5530", NONE, "x", CODE(4, 00) }, /* the right is there */
	{ POST, "/3/0/4", NONE, "", CODE(4, 01) },
	{ POST, "/3306", FORMAT_TLV, "", CODE(4, 01) },
	{ POST, "/2", FORMAT_TLV, "", CODE(4, 01) },
	{ DELETE, "/3306/0", NONE, "", CODE(4, 01) },
	{ DELETE, "/2/0", NONE, "", CODE(4, 01) },
	{ GET, "/2/0/3", NONE, "", CODE(2, 05) },
	{ PUT, "/2/0/3", FORMAT_TEXT, "101", CODE(4, 01) },
	{ PUT, "/2/10/2/102", FORMAT_TEXT, "1", CODE(2, 04) },
	{ PUT, "/2/10/2/102", FORMAT_TEXT, "32", CODE(4, 00) },
	{ PUT, "/2/10/0", FORMAT_TEXT, "3", CODE(4, 05) },
	{ GET, "/0/0", NONE, "", CODE(4, 01) },
};

START_TEST(test_request)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, rows[_i].method, rows[_i].path);
	m.content_format = rows[_i].method == GET ? NONE : rows[_i].format;
	m.accept = rows[_i].method == GET ? rows[_i].format : NONE;
	m.payload = span_of(rows[_i].body, strlen(rows[_i].body));
	server_ask(&m, &answer);
	ck_assert_uint_eq(answer.code, rows[_i].code);
}
END_TEST

/* A Write-Composite wants Write on all of it. */
START_TEST(test_write_composite)
{
	static const struct {
		const char *body;
		uint8_t code;
	} bodies[] = {
		{ "[{\"n\":\"/1/0/2\",\"v\":5},{\"n\":\"/1/0/3\",\"v\":60}]", CODE(2, 04) },
		{ "[{\"n\":\"/1/0/2\",\"v\":6},{\"n\":\"/1/1/2\",\"v\":6}]", CODE(4, 01) },
		/* Read is not enough. */
		{ "[{\"n\":\"/1/0/2\",\"v\":7},{\"n\":\"/3303/1/5700\",\"v\":7}]", CODE(4, 01) },
	};
	struct message m, answer;

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		server_request(&m, MESSAGE_CON, CODE_IPATCH, "/");
		m.content_format = FORMAT_ETCH_JSON;
		m.payload = span_of(bodies[i].body, strlen(bodies[i].body));
		server_ask(&m, &answer);
		ck_assert_uint_eq(answer.code, bodies[i].code);
	}
	ck_assert_uint_eq(server_get("/1/0/2", FORMAT_TEXT), CODE(2, 05));
	ck_assert_str_eq(server_body, "5");
}
END_TEST

/* Of what it may read in part, that part. */
START_TEST(test_read_composite)
{
	static const char body[] = "[{\"n\":\"/1\"},{\"n\":\"/3306\"}]";
	_cleanup_free_ char *text = NULL;
	struct message m, answer;

	server_request(&m, MESSAGE_CON, CODE_FETCH, "/");
	m.content_format = FORMAT_ETCH_JSON;
	m.payload = span_of(body, sizeof(body) - 1);
	server_ask(&m, &answer);
	ck_assert_uint_eq(answer.code, CODE(2, 05));
	text = strndup((const char *)answer.payload.p, answer.payload.n);
	ck_assert_ptr_nonnull(strstr(text, "\"1/0/0\""));
	ck_assert_ptr_null(strstr(text, "\"1/1/"));
	ck_assert_ptr_null(strstr(text, "3306"));
}
END_TEST

/* What it may read, and Discover shows all. */
START_TEST(test_object)
{
	ck_assert_uint_eq(server_get("/1", FORMAT_SENML_JSON), CODE(2, 05));
	ck_assert_ptr_nonnull(strstr(server_body, "\"0/1\""));
	ck_assert_ptr_null(strstr(server_body, "\"1/0\""));
	ck_assert_uint_eq(server_get("/3306/0", FORMAT_LINK), CODE(2, 05));
	ck_assert_ptr_nonnull(strstr(server_body, "</3306/0/5850>"));
}
END_TEST

static const char portfolio[] = "[{\"n\":\"/16/65535/0/0\",\"vs\":\"mine\"}]";

START_TEST(test_create_and_delete)
{
	ck_assert_uint_eq(server_get("/16/0/0", FORMAT_TLV), CODE(4, 01));
	ck_assert_uint_eq(server_post("/16", FORMAT_SENML_JSON, portfolio, sizeof(portfolio) - 1), CODE(2, 01));
	server_expect_update("", true);
	/* It owns what it made. */
	ck_assert_uint_eq(rights_of(101, 16, 1), ACCESS_ALL & ~ACCESS_CREATE);
	ck_assert_uint_eq(rights_of(102, 16, 1), 0);
	ck_assert_uint_eq(server_get("/16/1/0", FORMAT_TLV), CODE(2, 05));
	ck_assert_uint_eq(server_get("/2/5/3", FORMAT_TEXT), CODE(2, 05));
	ck_assert_str_eq(server_body, "101");
	ck_assert_uint_eq(server_put("/2/5/2/102", FORMAT_TEXT, "1", 1), CODE(2, 04));
	ck_assert_uint_eq(rights_of(102, 16, 1), ACCESS_READ);
	ck_assert_uint_eq(server_delete("/16/1"), CODE(2, 02));
	server_expect_update("", true);
	ck_assert_uint_eq(server_get("/2/5", NONE), CODE(4, 04));
}
END_TEST

/* A right that goes away takes the observation along. */
START_TEST(test_observe)
{
	struct message m;

	ck_assert_uint_eq(server_observe("/3306/0/5850", 8, NONE), CODE(4, 01));
	ck_assert_uint_eq(server_observe("/3303/1/5700", 9, NONE), CODE(2, 05));
	account_set("/3303/1/5700", value_float(22));
	server_expect_notification(9, "22", &m);
	set_entry(0, 101, 0);
	account_set("/3303/1/5700", value_float(23));
	peer_receive(&m);
	ck_assert_uint_eq(m.code, CODE(4, 01));
	ck_assert_uint_eq(m.token[0], 9);
	account_set("/3303/1/5700", value_float(24));
	peer_expect_silence();
}
END_TEST

static void never(void *userdata, int error, const char *reason)
{
	ck_abort_msg("done");
}

static void ignore(void *userdata, int error, const char *reason)
{
}

/* What was recorded goes by the rights of now. */
START_TEST(test_send_of_records)
{
	static const struct path open = { .ids = { 3303, 1, 5700 }, .depth = 3 }, closed = { .ids = { 3306, 0, 5850 }, .depth = 3 };
	_cleanup_records_ struct records records = { 0 };
	struct value number = value_float(21), on = value_boolean(true), off = value_boolean(false);
	struct message m;

	account_set("/1/0/23", value_boolean(false));
	ck_assert_int_eq(records_add(&records, &closed, &on, 1), 0);
	ck_assert_int_eq(records_add(&records, &open, &number, 2), 0);
	ck_assert_int_eq(client_send_records(account.client, &records, ignore, NULL), 0);
	ck_assert_uint_eq(records.n, 1);
	ck_assert(path_equal(&records.items[0].path, &open));
	peer_receive(&m);
	ck_assert(message_is_path(&m, "/dp"));
	peer_answer(&m, CODE(2, 04));
	records_done(&records);
	ck_assert_int_eq(records_add(&records, &closed, &off, 3), 0);
	ck_assert_int_eq(client_send_records(account.client, &records, never, NULL), -ENODATA);
}
END_TEST

START_TEST(test_send)
{
	static const struct path closed = { .ids = { 3306, 0, 5850 }, .depth = 3 };
	struct client_sending sending;

	account_set("/1/0/23", value_boolean(false));
	ck_assert_int_eq(client_send(account.client, &closed, 1, never, NULL, &sending), -EPERM);
	ck_assert(path_equal(&sending.at, &closed));
}
END_TEST

int main(void)
{
	TCase *pure = tcase_create("rules"), *wire = tcase_create("requests");
	Suite *suite = suite_create("access");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(pure, account_set_up, account_tear_down);
	tcase_add_test(pure, test_one_server);
	tcase_add_loop_test(pure, test_rule, 0, ARRAY_SIZE(rules));
	tcase_add_test(pure, test_create);
	tcase_add_test(pure, test_control_itself);
	tcase_add_test(pure, test_odd_ones);
	tcase_add_test(pure, test_nothing);
	suite_add_tcase(suite, pure);
	tcase_add_checked_fixture(wire, set_up, account_tear_down);
	tcase_add_loop_test(wire, test_request, 0, ARRAY_SIZE(rows));
	tcase_add_test(wire, test_write_composite);
	tcase_add_test(wire, test_read_composite);
	tcase_add_test(wire, test_object);
	tcase_add_test(wire, test_create_and_delete);
	tcase_add_test(wire, test_observe);
	tcase_add_test(wire, test_send);
	tcase_add_test(wire, test_send_of_records);
	suite_add_tcase(suite, wire);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
