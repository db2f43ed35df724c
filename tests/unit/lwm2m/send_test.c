/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* Send (Core 6.4.6). */

#define VALUE "/3303/1/5700"
#define MUTE "/1/0/23"

static struct {
	unsigned n;
	int error;
	char reason[128];
	struct client_sending report;
} sent;

static void done(void *userdata, int error, const char *reason)
{
	ck_assert_ptr_eq(userdata, &sent);
	sent.n++;
	sent.error = error;
	strncpy(sent.reason, reason ?: "", sizeof(sent.reason) - 1);
}

/* As JSON, which can be read here, unmuted. */
static void set_up(void)
{
	static const struct codec *json[1];

	memset(&sent, 0, sizeof(sent));
	account_set_up();
	json[0] = codec_find(FORMAT_SENML_JSON);
	account.config.formats = json;
	account.config.n_formats = 1;
	account_open(LWM2M_1_2, false);
	account_register();
	account_set(MUTE, value_boolean(false));
}

/* Paths with blanks between them. */
static int send_paths(const char *text)
{
	struct path paths[SEND_PATHS_MAX + 1];
	char copy[1024], *rest = copy, *word;
	size_t n = 0;

	strncpy(copy, text, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	while ((word = strsep(&rest, " ")))
		if (*word)
			ck_assert_int_eq(path_parse(word, strlen(word), &paths[n++]), 0);
	return client_send(account.client, paths, n, done, &sent, &sent.report);
}

/* "bt":1795664315.798288, */
static void cut_time(char *text)
{
	char *at = strstr(text, "\"bt\":") ?: strstr(text, "\"t\":");
	char *end = at ? strchr(at, ',') : NULL;

	if (end)
		memmove(at, end + 1, strlen(end));
}

static void expect_sent(struct message *m, const char *content)
{
	char text[1024];

	peer_receive(m);
	ck_assert_uint_eq(m->type, MESSAGE_CON);
	ck_assert_uint_eq(m->code, CODE_POST);
	ck_assert_uint_eq(m->n_path, 1);
	ck_assert_uint_eq(m->path[0].n, 2);
	ck_assert_mem_eq(m->path[0].p, "dp", 2);
	ck_assert_int_eq(m->content_format, FORMAT_SENML_JSON);
	snprintf(text, sizeof(text), "%.*s", (int)m->payload.n, m->payload.p);
	cut_time(text);
	if (content)
		ck_assert_str_eq(text, content);
}

START_TEST(test_contents)
{
	static const struct {
		const char *paths, *content;
		size_t values;
		unsigned left_out;
	} rows[] = {
		{ VALUE, "[{\"bn\":\"/3303/1/5700\",\"v\":21.5}]", 1, 0 },
		{ "/3/0/0 /3303/1/5700", "[{\"bn\":\"/\",\"n\":\"3/0/0\",\"vs\":\"ACME\"},{\"n\":\"3303/1/5700\",\"v\":21.5}]", 2, 0 },
		/* In another order, and each only once. */
		{ "/3303/1/5700 /3303/1 /3303/1/5701 /3303/1/5700",
		  "[{\"bn\":\"/3303/1/\",\"n\":\"5700\",\"v\":21.5},{\"n\":\"5701\",\"vs\":\"Cel\"}]", 2, 0 },
		/* Never read, and with neighbours that are good. */
		{ "/3303/0 /3303/1/5701",
		  "[{\"bn\":\"/3303/\",\"n\":\"1/5701\",\"vs\":\"Cel\"}]", 1, 1 },
	};
	struct message m;

	ck_assert_int_eq(send_paths(rows[_i].paths), 0);
	ck_assert_uint_eq(sent.report.values, rows[_i].values);
	ck_assert_uint_eq(sent.report.left_out, rows[_i].left_out);
	expect_sent(&m, rows[_i].content);
	ck_assert_uint_eq(sent.n, 0);
	peer_answer(&m, CODE(2, 04));
	rig_until(sent.n > 0);
	ck_assert_int_eq(sent.error, 0);
	ck_assert_uint_eq(sent.n, 1);
}
END_TEST

static int send_recorded(struct records *records)
{
	return client_send_records(account.client, records, done, &sent);
}

/* Each with the time of its own, in the order of their recording; what is not there, secret, or only executed is left out. */
START_TEST(test_recorded)
{
	static const char *const paths[] = { VALUE, "/3303/1/5701", "/9/0/0", VALUE, "/3/0/4", "/0/0/5" };
	_cleanup_records_ struct records records = { 0 };
	struct value v;
	struct message m;
	struct path path;
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		v = value_float((double)i);
		ck_assert_int_eq(path_parse(paths[i], strlen(paths[i]), &path), 0);
		ck_assert_int_eq(records_add(&records, &path, &v, clock_boottime_usec() - USEC_PER_DAY + i * USEC_PER_HOUR), 0);
	}
	account_set(MUTE, value_boolean(true));
	ck_assert(!client_takes_send(account.client));
	ck_assert_int_eq(send_recorded(&records), -EACCES);
	account_set(MUTE, value_boolean(false));
	ck_assert(client_takes_send(account.client));
	ck_assert_int_eq(send_recorded(&records), 0);
	ck_assert_uint_eq(records.n, 3);
	expect_sent(&m, NULL);
	for (size_t i = 0; i + 4 < m.payload.n; i++)
		n += memcmp(m.payload.p + i, "\"t\":", 4) == 0;
	ck_assert_uint_eq(n, 3);
	peer_answer(&m, CODE(2, 04));
	rig_until(sent.n > 0);
	ck_assert_int_eq(sent.error, 0);
	records_done(&records);
	v = value_float(1);
	ck_assert_int_eq(path_parse("/9/0/0", 6, &path), 0);
	ck_assert_int_eq(records_add(&records, &path, &v, clock_boottime_usec()), 0);
	ck_assert_int_eq(send_recorded(&records), -ENODATA);
}
END_TEST

START_TEST(test_refused_paths)
{
	static const struct {
		const char *paths;
		int error;
	} rows[] = {
		{ "", -EINVAL },
		{ "/3303/9/5700", -ENOENT },
		{ "/3303/1/5700 /9", -ENOENT },
		{ "/0/0/0", -EPERM },
		{ "/0", -EPERM },
		{ "/3/0/4", -EPERM },	   /* executable */
		{ "/3303/0/5700", -ENODATA }, /* never read */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(send_paths(rows[i].paths) == rows[i].error, "%s", rows[i].paths);
	peer_expect_silence();
	ck_assert_uint_eq(sent.n, 0);
}
END_TEST

/* Nothing of what servers must not see, also in everything. */
START_TEST(test_everything)
{
	struct message m;

	ck_assert_int_eq(send_paths("/"), 0);
	expect_sent(&m, NULL);
	ck_assert_ptr_null(memmem(m.payload.p, m.payload.n, "\"0/0/", 5));
	ck_assert_ptr_nonnull(memmem(m.payload.p, m.payload.n, "\"3303/1/5700\"", 13));
}
END_TEST

START_TEST(test_too_many)
{
	struct path paths[SEND_PATHS_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		paths[i] = path_of_resource(3303, 1, 5700);
	ck_assert_int_eq(client_send(account.client, paths, SEND_PATHS_MAX + 1, done, &sent, &sent.report), -EINVAL);
	for (unsigned i = 0; i < SENDINGS_MAX; i++)
		ck_assert_int_eq(client_send(account.client, paths, SEND_PATHS_MAX, done, &sent, &sent.report), 0);
	ck_assert_int_eq(client_send(account.client, paths, 1, done, &sent, &sent.report), -EBUSY);
	/* Whoever waits hears of the end. */
	account.client = client_free(account.client);
	ck_assert_uint_eq(sent.n, SENDINGS_MAX);
	ck_assert_int_eq(sent.error, -ECANCELED);
}
END_TEST

START_TEST(test_muted)
{
	struct message m;

	const struct path mute = { .ids = { 1, 0, 23 }, .depth = PATH_RESOURCE };

	account_set(MUTE, value_boolean(true));
	ck_assert_int_eq(send_paths(VALUE), -EACCES);
	/* Where nobody says otherwise (Core E.2), too. */
	ck_assert_int_eq(store_remove_resource(account.store, &mute), 0);
	ck_assert_int_eq(send_paths(VALUE), -EACCES);
	account_set(MUTE, value_boolean(false));
	ck_assert_int_eq(send_paths(VALUE), 0);
	expect_sent(&m, NULL);
}
END_TEST

START_TEST(test_not_registered)
{
	client_stop(account.client);
	ck_assert_int_eq(send_paths(VALUE), -EHOSTDOWN);
}
END_TEST

/* 1.0 has no Send. */
START_TEST(test_version)
{
	account_open(LWM2M_1_0, true);
	account_register();
	ck_assert_int_eq(send_paths(VALUE), -EOPNOTSUPP);
}
END_TEST

START_TEST(test_answered_by_an_error)
{
	struct message m;

	ck_assert_int_eq(send_paths(VALUE), 0);
	expect_sent(&m, NULL);
	peer_answer(&m, CODE(4, 05));
	rig_until(sent.n > 0);
	ck_assert_int_eq(sent.error, -EREMOTE);
	ck_assert_str_eq(sent.reason, "the server answered 4.05 Method Not Allowed");
	peer_expect_silence();
	/* Does it still know us? */
	ck_assert_int_eq(send_paths(VALUE), 0);
	expect_sent(&m, NULL);
	peer_answer(&m, CODE(4, 04));
	server_expect_update("", false);
	ck_assert_uint_eq(sent.n, 2);
}
END_TEST

START_TEST(test_no_answer)
{
	ck_assert_int_eq(send_paths(VALUE), 0);
	for (int i = 0; i < 6 && sent.n == 0; i++) {
		rig_advance(48 * USEC_PER_SEC);
		rig_turn();
	}
	rig_until(sent.n > 0);
	ck_assert_int_eq(sent.error, -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(sent.reason, "no answer"));
}
END_TEST

/* Two blocks and more (RFC 7959). */
START_TEST(test_large)
{
	char text[1500];
	struct message m;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	account_set_text("/3341/0/5527", text);
	ck_assert_int_eq(send_paths("/3341/0/5527"), 0);
	peer_receive(&m);
	ck_assert(m.block1.present && m.block1.more);
	ck_assert_uint_eq(m.block1.number, 0);
	ck_assert_int_gt(m.size1, 1500);
	ck_assert_int_eq(m.content_format, FORMAT_SENML_JSON);
}
END_TEST

/* An instance that the server does not know yet is registered before. */
START_TEST(test_after_an_update)
{
	const struct object_definition *object = definitions_newest(account.definitions, 3303);
	struct message m;

	ck_assert_int_eq(store_add_instance(account.store, object, 7), 0);
	account_set("/3303/7/5700", value_float(1));
	ck_assert_int_eq(send_paths("/3303/7/5700"), 0);
	server_expect_update("", true);
	expect_sent(&m, "[{\"bn\":\"/3303/7/5700\",\"v\":1}]");
}
END_TEST

/* While the server is being told of others, which could be meant. */
START_TEST(test_during_an_update)
{
	const struct object_definition *object = definitions_newest(account.definitions, 3303);
	struct message m;

	client_update(account.client);
	peer_receive(&m);
	ck_assert_int_eq(store_add_instance(account.store, object, 7), 0);
	account_set("/3303/7/5700", value_float(1));
	ck_assert_int_eq(send_paths("/3303/7/5700"), -EBUSY);
	ck_assert_int_eq(send_paths(VALUE), -EBUSY);
	peer_answer(&m, CODE(2, 04));
	server_expect_update("", true);
	ck_assert_int_eq(send_paths("/3303/7/5700"), 0);
	expect_sent(&m, NULL);
}
END_TEST

/* Registered anew: nothing of before goes out, neither before the Register nor behind it. */
START_TEST(test_registration_lost)
{
	struct message update, m;

	client_update(account.client);
	peer_receive(&update);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(send_paths(VALUE), 0);
	peer_answer(&update, CODE(4, 04));
	server_expect_register(&m, "ep=urn:dev:ops:1-em1&lt=3600&lwm2m=1.2&b=U");
	ck_assert_uint_eq(sent.n, 3);
	ck_assert_int_eq(sent.error, -ECANCELED);
	server_registers(&m);
	rig_until(client_is_registered(account.client));
	peer_expect_silence();
}
END_TEST

/* Who leaves does not wait for an answer to it. */
START_TEST(test_stopped_unanswered)
{
	struct message m;

	ck_assert_int_eq(send_paths(VALUE), 0);
	ck_assert_int_eq(send_paths(VALUE), 0);
	expect_sent(&m, NULL);
	client_stop(account.client);
	ck_assert_uint_eq(sent.n, 2);
	ck_assert_int_eq(sent.error, -ECANCELED);
	peer_receive(&m);
	ck_assert_uint_eq(m.code, CODE_DELETE);
	peer_answer(&m, CODE(2, 02));
	rig_until(client_state(account.client) == CLIENT_STOPPED);
	peer_expect_silence();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("send");
	TCase *tcase = tcase_create("send");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_loop_test(tcase, test_contents, 0, 4);
	tcase_add_test(tcase, test_recorded);
	tcase_add_test(tcase, test_refused_paths);
	tcase_add_test(tcase, test_everything);
	tcase_add_test(tcase, test_too_many);
	tcase_add_test(tcase, test_muted);
	tcase_add_test(tcase, test_not_registered);
	tcase_add_test(tcase, test_version);
	tcase_add_test(tcase, test_answered_by_an_error);
	tcase_add_test(tcase, test_no_answer);
	tcase_add_test(tcase, test_large);
	tcase_add_test(tcase, test_after_an_update);
	tcase_add_test(tcase, test_during_an_update);
	tcase_add_test(tcase, test_registration_lost);
	tcase_add_test(tcase, test_stopped_unanswered);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
