/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/codec.h"
#include "store/store.h"
#include "tests/unit/lwm2m/account.h"

/* Write-Composite (Core 6.3.9) as a server meets it. */

#define NONE (-1)

static void set_up(void)
{
	account_set_up();
	account_register();
	account_set("/3308/0/5900", value_float(20));
}

static void send_patch(struct message *m, const char *path, int32_t format, const char *body, size_t size)
{
	server_request(m, MESSAGE_CON, CODE_IPATCH, path);
	m->content_format = format;
	m->payload = span_of(body, size);
}

static uint8_t patch(int32_t format, const char *body, size_t size)
{
	struct message m, answer;

	send_patch(&m, "/", format, body, size);
	server_ask(&m, &answer);
	return answer.code;
}

static void expect(const char *path, const char *text)
{
	ck_assert_uint_eq(server_get(path, NONE), text ? CODE(2, 05) : CODE(4, 04));
	if (text)
		ck_assert_str_eq(server_body, text);
}

/* Each check of all paths goes before the next check of the first one; a refusal says where. */
static const struct {
	int32_t format;
	const char *body;
	uint8_t code;
	const char *reason; /* NULL: whatever */
} refusals[] = {
	{ NONE, "[]", CODE(4, 15), NULL },
	{ FORMAT_TLV, "x", CODE(4, 15), NULL },
	{ FORMAT_ETCH_JSON, "[]", CODE(4, 00), NULL },
	{ FORMAT_ETCH_JSON, "[{", CODE(4, 00), NULL },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/1/0/2\",\"v\":7},{\"n\":\"/0/0/0\",\"vs\":\"x\"}]", CODE(4, 01), NULL },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/1/0/2\",\"v\":7},{\"n\":\"/3/x/1\",\"v\":1}]", CODE(4, 05), NULL },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/3/9/1\",\"v\":1},{\"n\":\"/1/0\",\"v\":1}]", CODE(4, 05), "/1/0" },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/1/0/2/0\",\"v\":1}]", CODE(4, 05), "/1/0/2/0" },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/1/0/0\",\"v\":1},{\"n\":\"/3/9/13\",\"v\":1}]", CODE(4, 04), "/3/9/13" },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/1/0/2\",\"v\":7},{\"n\":\"/99/0/1\",\"v\":1}]", CODE(4, 04), "/99/0/1" },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/3306/0/5851\",\"v\":1}]", CODE(4, 04), "/3306/0/5851" },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/1/0/2\",\"vs\":\"x\"},{\"n\":\"/1/0/0\",\"v\":1}]", CODE(4, 05), "/1/0/0" },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/1/0/2\",\"v\":7},{\"n\":\"/1/0/6\",\"v\":1.5}]", CODE(4, 00), NULL },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/1/0/2\",\"v\":7},{\"n\":\"/1/0/6\",\"v\":null}]", CODE(4, 00), "/1/0/6" },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/16/0/0\",\"vs\":\"x\"}]", CODE(4, 00), "/16/0/0" },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/3/0/11/0\",\"v\":null}]", CODE(4, 05), "/3/0/11/0" },
	{ FORMAT_ETCH_JSON, "[{\"n\":\"/1/0/2\",\"v\":7},{\"n\":\"/3308/0/5900\",\"v\":50.5}]", CODE(4, 00),
	  "vfd1.speed: out of range" },
};

START_TEST(test_refusal)
{
	ck_assert_uint_eq(patch(refusals[_i].format, refusals[_i].body, strlen(refusals[_i].body)),
			  refusals[_i].code);
	if (refusals[_i].reason)
		ck_assert_str_eq(server_body, refusals[_i].reason);
	expect("/1/0/2", NULL);
	ck_assert_uint_eq(account.n_field, 0);
}
END_TEST

/* Not below the root, and not for who registered as 1.0. */
START_TEST(test_where)
{
	static const char body[] = "[{\"n\":\"/1/0/2\",\"v\":7}]";
	struct message m, answer;

	send_patch(&m, "/1/0", FORMAT_ETCH_JSON, body, sizeof(body) - 1);
	server_ask(&m, &answer);
	ck_assert_uint_eq(answer.code, CODE(4, 05));
	account_open(LWM2M_1_0, true);
	account_register();
	ck_assert_uint_eq(patch(FORMAT_ETCH_JSON, body, sizeof(body) - 1), CODE(4, 05));
	account_open(LWM2M_1_1, true);
	account_register();
	ck_assert_uint_eq(patch(FORMAT_SENML_JSON, body, sizeof(body) - 1), CODE(2, 04));
}
END_TEST

/* The vector of lwm2m.md: delete /16/0/0/3, write /16/0/0/1 "bb". */
START_TEST(test_resource_instances)
{
	static const char vector[] = "\x82\xa2\x00\x69/16/0/0/3\x02\xf6\xa2\x00\x69/16/0/0/1\x03\x62"
				     "bb";

	account_set_text("/16/0/0/1", "aa");
	account_set_text("/16/0/0/3", "dd");
	ck_assert_uint_eq(patch(FORMAT_ETCH_CBOR, vector, sizeof(vector) - 1), CODE(2, 04));
	expect("/16/0/0/0", "host");
	expect("/16/0/0/1", "bb");
	expect("/16/0/0/3", NULL);
	/* Once more: it is gone already. */
	ck_assert_uint_eq(patch(FORMAT_ETCH_CBOR, vector, sizeof(vector) - 1), CODE(2, 04));
}
END_TEST

/* int-230: several objects, and one Update for the lifetime among them. */
START_TEST(test_one_update)
{
	static const char body[] = "[{\"bn\":\"/1/0/\",\"n\":\"1\",\"v\":63},{\"n\":\"2\",\"v\":5},"
				   "{\"n\":\"3\",\"v\":60},{\"bn\":\"/16/0/0/\",\"n\":\"4\",\"vs\":\"x\"}]";

	ck_assert_uint_eq(patch(FORMAT_SENML_JSON, body, sizeof(body) - 1), CODE(2, 04));
	server_expect_update("lt=63", false);
	peer_expect_silence();
	expect("/1/0/2", "5");
	expect("/1/0/3", "60");
	expect("/16/0/0/4", "x");
}
END_TEST

static const char both[] = "[{\"n\":\"/1/0/2\",\"v\":5},{\"n\":\"/3306/0/5850\",\"vb\":true},"
			   "{\"n\":\"/3308/0/5900\",\"v\":30}]";

/* Devices in the order of the request; the answer waits for the last one. */
START_TEST(test_devices)
{
	struct message m, answer;

	send_patch(&m, "/", FORMAT_ETCH_JSON, both, sizeof(both) - 1);
	peer_send(&m);
	rig_until(account.n_field == 1);
	ck_assert_str_eq(account.field, "/3306/0/5850=1");
	account_field(0, NULL);
	ck_assert_str_eq(account.field, "/3308/0/5900=30");
	account_field(0, NULL);
	peer_receive(&answer);
	ck_assert_uint_eq(answer.code, CODE(2, 04));
	expect("/1/0/2", "5");
	expect("/3306/0/5850", "1");
	expect("/3308/0/5900", "30");
}
END_TEST

START_TEST(test_undone)
{
	struct message m, answer;

	send_patch(&m, "/", FORMAT_ETCH_JSON, both, sizeof(both) - 1);
	peer_send(&m);
	rig_until(account.n_field == 1);
	account_field(0, NULL);
	account_field(_i ? -ETIMEDOUT : -EIO, "vfd1: says no");
	ck_assert_str_eq(account.field, "/3306/0/5850=0");
	account_field(0, NULL);
	peer_receive(&answer);
	ck_assert_uint_eq(answer.code, CODE(5, 00));
	ck_assert_mem_eq(answer.payload.p, "/3308/0/5900 failed: vfd1: says no; taken back: /3306/0/5850",
			 answer.payload.n);
	expect("/1/0/2", NULL);
	expect("/3306/0/5850", "0");
	expect("/3308/0/5900", "20");
}
END_TEST

/* W on the instance of each. */
START_TEST(test_rights)
{
	static const char body[] = "[{\"n\":\"/1/0/2\",\"v\":5},{\"n\":\"/16/0/0/4\",\"vs\":\"x\"}]";
	static const uint16_t own[] = { 1, 0, 101 };
	const struct object_definition *control = definitions_newest(account.definitions, 2);

	ck_assert_int_eq(store_add_instance(account.store, definitions_newest(account.definitions, 1), 1), 0);
	ck_assert_int_eq(store_add_instance(account.store, control, 0), 0);
	account_set("/2/0/0", value_integer(own[0]));
	account_set("/2/0/1", value_integer(own[1]));
	account_set("/2/0/3", value_integer(own[2]));
	server_expect_update("", true);
	ck_assert_uint_eq(patch(FORMAT_ETCH_JSON, body, sizeof(body) - 1), CODE(4, 01));
	ck_assert_str_eq(server_body, "/16/0/0/4");
	expect("/1/0/2", NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("patch");
	TCase *tcase = tcase_create("patch");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_loop_test(tcase, test_refusal, 0, ARRAY_SIZE(refusals));
	tcase_add_test(tcase, test_where);
	tcase_add_test(tcase, test_resource_instances);
	tcase_add_test(tcase, test_one_update);
	tcase_add_test(tcase, test_devices);
	tcase_add_loop_test(tcase, test_undone, 0, 2);
	tcase_add_test(tcase, test_rights);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
