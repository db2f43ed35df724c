/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "store/store.h"
#include "tests/unit/lwm2m/account.h"

/* Read-Composite (Core 6.3.8). */

#define NONE (-1)

static void set_up(void)
{
	account_set_up();
	account_register();
}

static void send_fetch(struct message *m, const char *path, int32_t format, int32_t accept, struct span body)
{
	server_request(m, MESSAGE_CON, CODE_FETCH, path);
	m->content_format = format;
	m->accept = accept;
	m->payload = body;
}

static uint8_t fetch(int32_t format, int32_t accept, struct span body)
{
	struct message m, answer;

	send_fetch(&m, "/", format, accept, body);
	server_ask(&m, &answer);
	return answer.code;
}

static struct span text_of(const char *text)
{
	return span_of(text, strlen(text));
}

/* What is there and readable of it, as SenML JSON. */
static const struct {
	const char *body;
	uint8_t code;
	const char *answer;
} reads[] = {
	{ "[{\"n\":\"/3/0/0\"},{\"n\":\"/3303/1/5700\"}]", CODE(2, 05),
	  "[{\"bn\":\"/\",\"n\":\"3/0/0\",\"vs\":\"ACME\"},{\"n\":\"3303/1/5700\",\"v\":21.5}]" },
	/* int-236, 281: what is not there, not readable, or not good is left out. */
	{ "[{\"n\":\"/3/0/0\"},{\"n\":\"/99/0/1\"},{\"n\":\"/3/0/4\"},{\"n\":\"/3303/0/5700\"},{\"n\":\"/3/0/16/0\"}]",
	  CODE(2, 05), "[{\"bn\":\"/\",\"n\":\"3/0/0\",\"vs\":\"ACME\"}]" },
	{ "[{\"n\":\"/99/0/1\"},{\"n\":\"/3/0/4\"}]", CODE(2, 05), "[]" },
	{ "[{\"n\":\"/3303/0/5700\"}]", CODE(2, 05), "[]" },
	{ "[{\"n\":\"/d01/3/0\"}]", CODE(2, 05), "[]" },
	/* Each once. */
	{ "[{\"n\":\"/3303/1/5700\"},{\"n\":\"/3303/1\"},{\"n\":\"/3303\"},{\"n\":\"/3303/1\"}]", CODE(2, 05),
	  "[{\"bn\":\"/\",\"n\":\"3303/1/5700\",\"v\":21.5},{\"n\":\"3303/1/5701\",\"vs\":\"Cel\"}]" },
	{ "[{\"n\":\"/3/x\"}]", CODE(4, 05), NULL },
	{ "[{\"n\":\"/0/0/0\"}]", CODE(4, 01), NULL },
	{ "[{\"n\":\"/3/0/0\",\"v\":1}]", CODE(4, 00), NULL },
	{ "[]", CODE(4, 00), NULL },
	{ "[{", CODE(4, 00), NULL },
};

START_TEST(test_read)
{
	ck_assert_uint_eq(fetch(FORMAT_ETCH_JSON, NONE, text_of(reads[_i].body)), reads[_i].code);
	if (!reads[_i].answer)
		return;
	ck_assert_int_eq(server_format, FORMAT_SENML_JSON);
	ck_assert_str_eq(server_body, reads[_i].answer);
}
END_TEST

/* Of Accept, or else of the request's family. */
static const struct {
	int32_t format, accept;
	uint8_t code;
	int32_t answer;
} formats[] = {
	{ FORMAT_ETCH_JSON, NONE, CODE(2, 05), FORMAT_SENML_JSON },
	{ FORMAT_SENML_JSON, NONE, CODE(2, 05), FORMAT_SENML_JSON },
	{ FORMAT_ETCH_JSON, FORMAT_SENML_CBOR, CODE(2, 05), FORMAT_SENML_CBOR },
	{ FORMAT_SENML_JSON, FORMAT_SENML_JSON, CODE(2, 05), FORMAT_SENML_JSON },
	{ FORMAT_ETCH_JSON, 11544, CODE(2, 05), 11544 },
	{ FORMAT_ETCH_JSON, FORMAT_TLV, CODE(4, 06), NONE },
	{ FORMAT_ETCH_JSON, FORMAT_ETCH_JSON, CODE(4, 06), NONE },
	{ FORMAT_ETCH_JSON, FORMAT_TEXT, CODE(4, 06), NONE },
	{ NONE, FORMAT_SENML_JSON, CODE(4, 15), NONE },
	{ FORMAT_TLV, FORMAT_SENML_JSON, CODE(4, 15), NONE },
};

START_TEST(test_format)
{
	ck_assert_uint_eq(fetch(formats[_i].format, formats[_i].accept, text_of("[{\"n\":\"/3/0/0\"}]")),
			  formats[_i].code);
	if (formats[_i].answer != NONE)
		ck_assert_int_eq(server_format, formats[_i].answer);
}
END_TEST

/* The vector of lwm2m.md: /3/0/16, /3/0/11/0 and /1/0. */
START_TEST(test_vector)
{
	static const char vector[] = "\x83\xa1\x00\x67/3/0/16\xa1\x00\x69/3/0/11/0\xa1\x00\x64/1/0";

	ck_assert_uint_eq(fetch(FORMAT_ETCH_CBOR, NONE, span_of(vector, sizeof(vector) - 1)), CODE(2, 05));
	ck_assert_int_eq(server_format, FORMAT_SENML_CBOR);
	/* Four of /1/0 that can be read, and two more. */
	ck_assert_uint_eq((uint8_t)server_body[0], 0x87);
	ck_assert_uint_eq(fetch(FORMAT_SENML_CBOR, FORMAT_SENML_JSON, span_of(vector, sizeof(vector) - 1)),
			  CODE(2, 05));
	ck_assert_ptr_nonnull(strstr(server_body, "\"3/0/16\""));
	ck_assert_ptr_nonnull(strstr(server_body, "\"3/0/11/0\""));
	ck_assert_ptr_nonnull(strstr(server_body, "\"1/0/1\""));
	ck_assert_ptr_null(strstr(server_body, "\"3/0/0\""));
}
END_TEST

/* int-235: all but the objects of servers alone. */
START_TEST(test_root)
{
	ck_assert_uint_eq(fetch(FORMAT_ETCH_JSON, NONE, text_of("[{\"n\":\"/\"}]")), CODE(2, 05));
	ck_assert_ptr_nonnull(strstr(server_body, "\"3/0/0\""));
	ck_assert_ptr_nonnull(strstr(server_body, "1/0/1\""));
	ck_assert_ptr_nonnull(strstr(server_body, "\"3303/1/5700\""));
	ck_assert_ptr_null(strstr(server_body, "coap://"));
}
END_TEST

START_TEST(test_where)
{
	struct message m, answer;

	send_fetch(&m, "/3", FORMAT_ETCH_JSON, NONE, text_of("[{\"n\":\"/3/0/0\"}]"));
	server_ask(&m, &answer);
	ck_assert_uint_eq(answer.code, CODE(4, 05));
	account_open(LWM2M_1_0, true);
	account_register();
	ck_assert_uint_eq(fetch(FORMAT_ETCH_JSON, NONE, text_of("[{\"n\":\"/3/0/0\"}]")), CODE(4, 05));
}
END_TEST

/* Of all but /3303/1 it may read nothing. */
static void close_all_but_one(void)
{
	ck_assert_int_eq(store_add_instance(account.store, definitions_newest(account.definitions, 1), 1), 0);
	ck_assert_int_eq(store_add_instance(account.store, definitions_newest(account.definitions, 2), 0), 0);
	account_set("/2/0/0", value_integer(3303));
	account_set("/2/0/1", value_integer(1));
	account_set("/2/0/2/101", value_integer(1));
	account_set("/2/0/3", value_integer(65535));
	server_expect_update("", true);
}

/* Without a right they are left out; without any it is 4.01. */
START_TEST(test_rights)
{
	close_all_but_one();
	ck_assert_uint_eq(fetch(FORMAT_ETCH_JSON, NONE, text_of("[{\"n\":\"/3/0/0\"},{\"n\":\"/3303/1/5701\"}]")),
			  CODE(2, 05));
	ck_assert_str_eq(server_body, "[{\"bn\":\"/\",\"n\":\"3303/1/5701\",\"vs\":\"Cel\"}]");
	ck_assert_uint_eq(fetch(FORMAT_ETCH_JSON, NONE, text_of("[{\"n\":\"/3/0/0\"},{\"n\":\"/99\"}]")), CODE(4, 01));
}
END_TEST

/* ---- what is only read when somebody asks ---- */

static struct asked {
	backing_done done[4];
	void *userdata[4];
	unsigned n;
} asked;

static void on_refresh(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
		       void *done_userdata)
{
	(void)userdata;
	(void)path;
	(void)period_usec;
	asked.done[asked.n] = done;
	asked.userdata[asked.n++] = done_userdata;
}

static void back_both(void)
{
	static const struct backing_ops ops = { .refresh = on_refresh };
	static const struct backing backing = { .ops = &ops };
	const struct path one = path_of_resource(3303, 0, 5700), other = path_of_resource(3303, 1, 5700);

	asked.n = 0;
	ck_assert_int_eq(store_add_resource(account.store, &one, &backing), 0);
	ck_assert_int_eq(store_add_resource(account.store, &other, &backing), 0);
}

static const char both[] = "[{\"n\":\"/3303/0/5700\"},{\"n\":\"/3303/1/5700\"}]";

/* All of it is waited for; what fails is left out. */
START_TEST(test_refresh)
{
	struct message m, answer;

	back_both();
	send_fetch(&m, "/", FORMAT_ETCH_JSON, NONE, text_of(both));
	peer_send(&m);
	rig_until(asked.n == 2);
	account_set("/3303/1/5700", value_float(30));
	asked.done[1](asked.userdata[1], 0, NULL);
	peer_expect_silence();
	asked.done[0](asked.userdata[0], -ETIMEDOUT, "no answer");
	peer_receive(&answer);
	ck_assert_uint_eq(answer.code, CODE(2, 05));
	ck_assert_mem_eq(answer.payload.p, "[{\"bn\":\"/\",\"n\":\"3303/1/5700\",\"v\":30}]",
			 answer.payload.n);
}
END_TEST

/* Who may not read it has it read by nobody else. */
START_TEST(test_refresh_of_others)
{
	struct message m, answer;

	back_both();
	close_all_but_one();
	send_fetch(&m, "/", FORMAT_ETCH_JSON, NONE, text_of(both));
	m.observe = _i == 0 ? -1 : 0;
	peer_send(&m);
	rig_until(asked.n == 1);
	asked.done[0](asked.userdata[0], 0, NULL);
	peer_receive(&answer);
	ck_assert_uint_eq(answer.code, CODE(2, 05));
	rig_turn();
	ck_assert_uint_eq(asked.n, 1);
}
END_TEST

/* It is nothing that the server has done wrong. */
START_TEST(test_too_many_values)
{
	const struct object_definition *portfolio = definitions_newest(account.definitions, 16);
	char path[PATH_TEXT_MAX];

	store_begin(account.store);
	for (unsigned i = 0; i <= RECORDS_MAX / 4; i++) {
		ck_assert_int_eq(store_add_instance(account.store, portfolio, (uint16_t)i), 0);
		for (unsigned k = 0; k < 4; k++) {
			snprintf(path, sizeof(path), "/16/%u/0/%u", i, k);
			account_set_text(path, "x");
		}
	}
	store_end(account.store);
	server_expect_update("", true);
	ck_assert_uint_eq(fetch(FORMAT_ETCH_JSON, NONE, text_of("[{\"n\":\"/16\"}]")), CODE(5, 00));
	ck_assert_uint_eq(server_get("/16", NONE), CODE(5, 00));
}
END_TEST

START_TEST(test_account_goes_meanwhile)
{
	struct message m;

	back_both();
	send_fetch(&m, "/", FORMAT_ETCH_JSON, NONE, text_of(both));
	peer_send(&m);
	rig_until(asked.n == 2);
	account.client = client_free(account.client);
	asked.done[0](asked.userdata[0], 0, NULL);
	asked.done[1](asked.userdata[1], 0, NULL);
	peer_expect_silence();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fetch");
	TCase *tcase = tcase_create("fetch");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_loop_test(tcase, test_read, 0, ARRAY_SIZE(reads));
	tcase_add_loop_test(tcase, test_format, 0, ARRAY_SIZE(formats));
	tcase_add_test(tcase, test_vector);
	tcase_add_test(tcase, test_root);
	tcase_add_test(tcase, test_where);
	tcase_add_test(tcase, test_rights);
	tcase_add_test(tcase, test_refresh);
	tcase_add_loop_test(tcase, test_refresh_of_others, 0, 2);
	tcase_add_test(tcase, test_too_many_values);
	tcase_add_test(tcase, test_account_goes_meanwhile);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
