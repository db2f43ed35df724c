/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* Observe-Composite, its notifications and its Cancel (Core 6.4.4, 6.4.5). */

#define SECONDS(n) ((n) * USEC_PER_SEC)
#define VALUE "/3303/1/5700"
#define BOTH "[{\"n\":\"/3303/1/5700\"},{\"n\":\"/3/0/0\"}]"

static void set_up(void)
{
	account_set_up();
	account_register();
}

struct fetch {
	uint8_t token;
	int32_t observe, format, accept;
	const char *query;
};

static uint8_t fetch(const char *body, struct fetch f)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, CODE_FETCH, "/");
	m.token[0] = f.token;
	m.observe = f.observe;
	m.content_format = f.format;
	m.accept = f.accept;
	m.payload = span_of(body, strlen(body));
	if (f.query)
		m.query[m.n_query++] = span_of(f.query, strlen(f.query));
	server_ask(&m, &answer);
	return answer.code;
}

static void observe(const char *body, uint8_t token, const char *query, const char *content)
{
	ck_assert_uint_eq(fetch(body, (struct fetch){ token, 0, FORMAT_ETCH_JSON, -1, query }), CODE(2, 05));
	ck_assert_int_ge(server_observe_number, 0);
	ck_assert_int_eq(server_format, FORMAT_SENML_JSON);
	ck_assert_str_eq(server_body, content);
}

#define CONTENT(name, value) \
	"[{\"bn\":\"/\",\"n\":\"3/0/0\",\"vs\":\"" name "\"},{\"n\":\"3303/1/5700\",\"v\":" value "}]"
#define ONLY(value) "[{\"bn\":\"/\",\"n\":\"3303/1/5700\",\"v\":" value "}]"

/* Without the times, which are those of the moment. */
static void expect(uint8_t token, const char *content)
{
	struct message m;
	char *bt, *end;

	server_expect_notification(token, NULL, &m);
	ck_assert_uint_eq(m.code, CODE(2, 05));
	ck_assert_int_eq(server_format, FORMAT_SENML_JSON);
	for (bt = strstr(server_body, "\"bt\":"); bt; bt = strstr(server_body, "\"bt\":")) {
		end = strchr(bt, ',') + 1;
		memmove(bt, end, strlen(end) + 1);
	}
	bt = strstr(server_body, ",\"t\":");
	if (bt) {
		end = bt + 1 + strcspn(bt + 1, ",}");
		memmove(bt, end, strlen(end) + 1);
	}
	ck_assert_str_eq(server_body, content);
}

/* Any of the paths is a reason, all of them are sent. */
START_TEST(test_any_change)
{
	observe(BOTH, 5, NULL, CONTENT("ACME", "21.5"));
	account_set(VALUE, value_float(22));
	expect(5, CONTENT("ACME", "22"));
	account_set_text("/3/0/0", "B");
	expect(5, CONTENT("B", "22"));
	account_set_text("/16/0/0/0", "x");
	peer_expect_silence();
}
END_TEST

/* int-304, 310: one window for all; the largest pmin, the smallest pmax, also when they change. */
START_TEST(test_periods)
{
	ck_assert_uint_eq(server_attributes("/3303", "pmin=10&pmax=90"), CODE(2, 04));
	ck_assert_uint_eq(server_attributes("/3", "pmin=30&pmax=45"), CODE(2, 04));
	observe(BOTH, 5, NULL, CONTENT("ACME", "21.5"));
	account_set(VALUE, value_float(22));
	rig_advance(SECONDS(29));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	expect(5, CONTENT("ACME", "22"));
	rig_advance(SECONDS(44));
	peer_expect_silence();
	rig_advance(SECONDS(1));
	expect(5, CONTENT("ACME", "22"));
	ck_assert_uint_eq(server_attributes("/3", "pmin=10&pmax=20"), CODE(2, 04));
	rig_advance(SECONDS(20));
	expect(5, CONTENT("ACME", "22"));
}
END_TEST

/* Of the Observe itself: instead of what is attached, but for what judges a value. */
START_TEST(test_parameters)
{
	ck_assert_uint_eq(server_attributes("/3303", "pmin=90"), CODE(2, 04));
	ck_assert_uint_eq(server_attributes(VALUE, "st=5"), CODE(2, 04));
	observe(BOTH, 5, "pmax=20", CONTENT("ACME", "21.5"));
	account_set(VALUE, value_float(22));
	peer_expect_silence();
	account_set(VALUE, value_float(27));
	expect(5, CONTENT("ACME", "27"));
	rig_advance(SECONDS(20));
	expect(5, CONTENT("ACME", "27"));
}
END_TEST

/* int-308, 309: what comes is in the next one, what goes is not. */
START_TEST(test_paths_come_and_go)
{
	const struct definitions *definitions = account.definitions;

	observe("[{\"n\":\"/3303/2\"},{\"n\":\"/3303/1/5700\"},{\"n\":\"/3303/8/5700\"}]", 5, NULL, ONLY("21.5"));
	ck_assert_int_eq(store_add_instance(account.store, definitions_newest(definitions, 3303), 2), 0);
	for (int i = 0; i < 2; i++) {
		struct message m;

		peer_receive(&m);
		if (message_is_path(&m, "/rd/1"))
			peer_answer(&m, CODE(2, 04));
		else
			ck_assert_uint_eq(m.token[0], 5);
	}
	rig_until(client_state(account.client) == CLIENT_REGISTERED);
	account_set("/3303/2/5700", value_float(7));
	expect(5, "[{\"bn\":\"/\",\"n\":\"3303/1/5700\",\"v\":21.5},{\"n\":\"3303/2/5700\",\"v\":7}]");
	ck_assert_int_eq(store_remove_value(account.store, &(struct path){ .ids = { 3303, 2, 5700 }, .depth = 3 }), 0);
	expect(5, ONLY("21.5"));
	/* All of it may go: the observation stays. */
	ck_assert_int_eq(store_remove_value(account.store, &(struct path){ .ids = { 3303, 1, 5700 }, .depth = 3 }), 0);
	expect(5, "[]");
	account_set(VALUE, value_float(1));
	expect(5, ONLY("1"));
}
END_TEST

/* What is not readable is left out, also what is not good; nothing at all is an empty pack. */
START_TEST(test_left_out)
{
	observe("[{\"n\":\"/3/0/4\"},{\"n\":\"/3303/0/5700\"},{\"n\":\"/3303/1/5700\"}]", 5, NULL, ONLY("21.5"));
	observe("[{\"n\":\"/3/0/4\"},{\"n\":\"/3303/0/5700\"}]", 6, NULL, "[]");
	account_set("/3303/0/5700", value_float(3));
	expect(5, "[{\"bn\":\"/\",\"n\":\"3303/0/5700\",\"v\":3},{\"n\":\"3303/1/5700\",\"v\":21.5}]");
	expect(6, "[{\"bn\":\"/\",\"n\":\"3303/0/5700\",\"v\":3}]");
}
END_TEST

static const struct {
	const char *body;
	struct fetch fetch;
	uint8_t code;
} refused[] = {
	{ BOTH, { 5, 0, -1, -1, NULL }, CODE(4, 15) },
	{ BOTH, { 5, 0, FORMAT_TLV, -1, NULL }, CODE(4, 15) },
	{ "[{\"n\":", { 5, 0, FORMAT_ETCH_JSON, -1, NULL }, CODE(4, 00) },
	{ "[{\"n\":\"/3/0/0\",\"v\":1}]", { 5, 0, FORMAT_ETCH_JSON, -1, NULL }, CODE(4, 00) },
	{ "[{\"n\":\"/0/0/0\"},{\"n\":\"/3/0/0\"}]", { 5, 0, FORMAT_ETCH_JSON, -1, NULL }, CODE(4, 01) },
	{ "[{\"n\":\"/3/0/x\"}]", { 5, 0, FORMAT_ETCH_JSON, -1, NULL }, CODE(4, 05) },
	{ BOTH, { 5, 0, FORMAT_ETCH_JSON, FORMAT_TEXT, NULL }, CODE(4, 06) },
	{ BOTH, { 5, 0, FORMAT_ETCH_JSON, FORMAT_TLV, NULL }, CODE(4, 06) },
	{ BOTH, { 5, 0, FORMAT_ETCH_JSON, -1, "gt=5" }, CODE(4, 00) },
	{ BOTH, { 5, 0, FORMAT_ETCH_JSON, -1, "pmin=x" }, CODE(4, 00) },
	{ BOTH, { 5, 2, FORMAT_ETCH_JSON, -1, NULL }, CODE(4, 00) },
};

START_TEST(test_refused)
{
	ck_assert_uint_eq(fetch(refused[_i].body, refused[_i].fetch), refused[_i].code);
	ck_assert_int_eq(server_observe_number, -1);
	account_set(VALUE, value_float(22));
	peer_expect_silence();
}
END_TEST

START_TEST(test_not_in_1_0)
{
	account_open(LWM2M_1_0, true);
	account_register();
	ck_assert_uint_eq(fetch(BOTH, (struct fetch){ 5, 0, FORMAT_SENML_JSON, -1, NULL }), CODE(4, 05));
}
END_TEST

/* int-305: the same token and list; with another one it goes on. */
START_TEST(test_cancel)
{
	const struct fetch cancel = { 5, 1, FORMAT_ETCH_JSON, -1, NULL };

	observe(BOTH, 5, NULL, CONTENT("ACME", "21.5"));
	ck_assert_uint_eq(fetch("[{\"n\":\"/3/0/0\"}]", cancel), CODE(2, 05));
	account_set(VALUE, value_float(22));
	expect(5, CONTENT("ACME", "22"));
	ck_assert_uint_eq(fetch(BOTH, cancel), CODE(2, 05));
	ck_assert_int_eq(server_observe_number, -1);
	ck_assert_str_eq(server_body, CONTENT("ACME", "22"));
	account_set(VALUE, value_float(23));
	peer_expect_silence();
}
END_TEST

START_TEST(test_reset)
{
	struct message m;

	observe(BOTH, 5, NULL, CONTENT("ACME", "21.5"));
	account_set(VALUE, value_float(22));
	peer_receive(&m);
	peer_empty(MESSAGE_RST, m.id);
	rig_turn();
	account_set(VALUE, value_float(23));
	peer_expect_silence();
}
END_TEST

/* con attached to any of the paths. */
START_TEST(test_con)
{
	struct message m;

	ck_assert_uint_eq(server_attributes("/3/0/0", "con=1"), CODE(2, 04));
	observe(BOTH, 5, NULL, CONTENT("ACME", "21.5"));
	account_set(VALUE, value_float(22));
	server_expect_notification(5, NULL, &m);
	ck_assert_int_eq(m.type, MESSAGE_CON);
}
END_TEST

/* The root: all that servers may read. */
START_TEST(test_root)
{
	ck_assert_uint_eq(fetch("[{\"n\":\"/\"}]", (struct fetch){ 5, 0, FORMAT_ETCH_JSON, -1, NULL }), CODE(2, 05));
	ck_assert_ptr_nonnull(strstr(server_body, "\"3/0/16\",\"vs\":\"U\""));
	ck_assert_ptr_null(strstr(server_body, "\"0/"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observe_composite");
	TCase *tcase = tcase_create("observe_composite");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_test(tcase, test_any_change);
	tcase_add_test(tcase, test_periods);
	tcase_add_test(tcase, test_parameters);
	tcase_add_test(tcase, test_paths_come_and_go);
	tcase_add_test(tcase, test_left_out);
	tcase_add_loop_test(tcase, test_refused, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tcase, test_not_in_1_0);
	tcase_add_test(tcase, test_cancel);
	tcase_add_test(tcase, test_reset);
	tcase_add_test(tcase, test_con);
	tcase_add_test(tcase, test_root);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
