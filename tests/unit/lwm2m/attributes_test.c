/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* Write-Attributes and Discover (Core 6.3.2, 6.3.6). */

static void set_up(void)
{
	account_set_up();
	account_register();
}

static const struct {
	const char *path, *queries;
	uint8_t code;
} attributes[] = {
	{ "/3303", "pmin=1&pmax=60", CODE(2, 04) },
	{ "/3303/1", "pmin=1", CODE(2, 04) },
	{ "/3303/1/5700", "gt=30&lt=10&st=0.5&pmin=0", CODE(2, 04) },
	{ "/3/0/11/0", "pmax=60&gt=1", CODE(2, 04) },
	{ "/3303/1/5700", "gt=-5.5&lt=-10", CODE(2, 04) },
	{ "/3303/1/5700", "pmin=60&pmax=1", CODE(2, 04) }, /* legal: pmax is then ignored */
	{ "/3303/1/5700", "gt=10&lt=20", CODE(4, 00) },
	{ "/3303/1/5700", "gt=20&lt=10&st=5", CODE(4, 00) },
	{ "/3303/1/5700", "st=0", CODE(4, 00) },
	{ "/3303/1/5700", "st=-1", CODE(4, 00) },
	{ "/3303/1", "gt=10", CODE(4, 00) }, /* at a level that has no number */
	{ "/3303", "st=1", CODE(4, 00) },
	{ "/3303/1/5701", "gt=10", CODE(4, 00) }, /* no number */
	{ "/16/0/0/0", "st=1", CODE(4, 00) },
	{ "/3303/1/5701", "gt&pmin=1", CODE(2, 04) },
	{ "/3303", "epmin=1&epmax=60&con=1&hqmax=5", CODE(2, 04) },
	{ "/3303/1/5700", "epmin=60&epmax=60", CODE(4, 00) },
	{ "/3306/0/5850", "edge=1", CODE(2, 04) },
	{ "/3306/0/5850", "edge=2", CODE(4, 00) },
	{ "/3306/0/5850", "gt=0", CODE(4, 00) },
	{ "/3306/0", "edge=1", CODE(4, 00) },
	{ "/3303/1/5700", "edge=1", CODE(4, 00) }, /* no Boolean */
	{ "/3303/1/5700", "pmin=x", CODE(4, 00) },
	{ "/3303/1/5700", "pmin=-1", CODE(4, 00) },
	{ "/3303/1/5700", "colour=red", CODE(4, 00) },
	{ "/3303/9/5700", "pmin=1", CODE(4, 04) },
	{ "/3/0/0/0", "pmin=1", CODE(4, 05) },
	{ "/", "pmin=1", CODE(4, 05) },
};

START_TEST(test_attributes)
{
	ck_assert_uint_eq(server_attributes(attributes[_i].path, attributes[_i].queries),
			  attributes[_i].code);
	ck_assert_uint_eq(account.n_attributes, attributes[_i].code == CODE(2, 04));
}
END_TEST

static uint8_t discover(const char *path, const char *query)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, CODE_GET, path);
	m.accept = FORMAT_LINK;
	if (query)
		m.query[m.n_query++] = span_of(query, strlen(query));
	server_ask(&m, &answer);
	return answer.code;
}

static const struct {
	enum lwm2m_version version;
	const char *path, *query;
	uint8_t code;
	const char *links;
} discoveries[] = {
	/* int-260 */
	{ LWM2M_1_1, "/3", NULL, CODE(2, 05),
	  "</3>;pmin=10,</3/0>;pmax=60,</3/0/0>,</3/0/4>,</3/0/11>;dim=1;pmin=5,</3/0/16>" },
	{ LWM2M_1_1, "/3/0", NULL, CODE(2, 05),
	  "</3/0>;pmax=60,</3/0/0>,</3/0/4>,</3/0/11>;dim=1;pmin=5,</3/0/16>" },
	{ LWM2M_1_1, "/3/0/11", NULL, CODE(2, 05), "</3/0/11>;dim=1;pmin=5;pmax=60,</3/0/11/0>" },
	{ LWM2M_1_1, "/3/0/0", NULL, CODE(2, 05), "</3/0/0>;pmin=10;pmax=60" },
	{ LWM2M_1_1, "/3303/1", NULL, CODE(2, 05), "</3303/1>,</3303/1/5700>,</3303/1/5701>" },
	{ LWM2M_1_1, "/3303", NULL, CODE(2, 05),
	  "</3303>;ver=1.1,</3303/0>,</3303/0/5700>,</3303/1>,</3303/1/5700>,</3303/1/5701>" },
	/* depth came with 1.2: before that it says nothing (Core 6.3.2) */
	{ LWM2M_1_1, "/3/0/11", "depth=0", CODE(2, 05),
	  "</3/0/11>;dim=1;pmin=5;pmax=60,</3/0/11/0>" },
	{ LWM2M_1_1, "/3/0/0", "depth=9", CODE(2, 05), "</3/0/0>;pmin=10;pmax=60" },
	/* int-264, 266: /1/x/2 and 3 are shown to 1.2 servers */
	{ LWM2M_1_2, "/3", "depth=0", CODE(2, 05), "</3>;pmin=10;pmax=900" },
	{ LWM2M_1_2, "/3", "depth=1", CODE(2, 05), "</3>;pmin=10;pmax=900,</3/0>;pmax=60" },
	{ LWM2M_1_2, "/3/0", "depth=0", CODE(2, 05), "</3/0>;pmin=10;pmax=60" },
	{ LWM2M_1_2, "/3/0/11", "depth=3", CODE(2, 05),
	  "</3/0/11>;dim=1;pmin=5;pmax=60,</3/0/11/0>" },
	{ LWM2M_1_2, "/3303/1", NULL, CODE(2, 05),
	  "</3303/1>;pmin=1;pmax=900,</3303/1/5700>,</3303/1/5701>" },
	{ LWM2M_1_2, "/3", "depth=4", CODE(4, 00), NULL },
	{ LWM2M_1_2, "/3", "depth=", CODE(4, 00), NULL },
	{ LWM2M_1_2, "/3", "depth=10", CODE(4, 00), NULL },
	{ LWM2M_1_2, "/3", "deep=1", CODE(4, 00), NULL },
	{ LWM2M_1_2, "/3/0/11/0", NULL, CODE(4, 05), NULL },
	{ LWM2M_1_2, "/3/7", NULL, CODE(4, 04), NULL },
};

START_TEST(test_discover)
{
	account_set("/1/0/2", value_integer(1));
	account_set("/1/0/3", value_integer(900));
	account_open(discoveries[_i].version, true);
	account_register();
	ck_assert_uint_eq(server_attributes("/3", "pmin=10"), CODE(2, 04));
	ck_assert_uint_eq(server_attributes("/3/0", "pmax=60"), CODE(2, 04));
	ck_assert_uint_eq(server_attributes("/3/0/11", "pmin=5"), CODE(2, 04));
	ck_assert_uint_eq(discover(discoveries[_i].path, discoveries[_i].query),
			  discoveries[_i].code);
	if (discoveries[_i].links) {
		ck_assert_str_eq(server_body, discoveries[_i].links);
		ck_assert_int_eq(server_format, FORMAT_LINK);
	}
}
END_TEST

/* A server of an older version is shown none of the newer ones, and cannot write them. */
START_TEST(test_attributes_by_version)
{
	static const char line[] = "/3303/1/5700 epmin=1&epmax=9&con=1&hqmax=4";

	account_open(LWM2M_1_1, true);
	ck_assert_int_eq(client_load_attributes(account.client, span_of(line, strlen(line))), 0);
	account_register();
	ck_assert_uint_eq(discover("/3303/1/5700", NULL), CODE(2, 05));
	ck_assert_str_eq(server_body, "</3303/1/5700>;epmin=1;epmax=9");
	ck_assert_uint_eq(server_attributes("/3303/1/5700", "pmin=2"), CODE(2, 04));
	ck_assert_uint_eq(server_attributes("/3306/0/5850", "edge=1"), CODE(4, 00));
	ck_assert_uint_eq(server_attributes("/3303", "hqmax=1"), CODE(4, 00));
	ck_assert_uint_eq(server_attributes("/3303", "epmax=1"), CODE(2, 04));
}
END_TEST

START_TEST(test_attributes_are_kept_and_forgotten)
{
	_cleanup_buf_ struct buf saved = { 0 };

	ck_assert_uint_eq(server_attributes("/3303/1/5700", "gt=30&pmin=2"), CODE(2, 04));
	ck_assert_uint_eq(server_attributes("/3303", "pmax=7"), CODE(2, 04));
	ck_assert_int_eq(client_save_attributes(account.client, &saved), 0);
	/* A value that is missing unsets. */
	ck_assert_uint_eq(server_attributes("/3303/1/5700", "gt"), CODE(2, 04));
	ck_assert_uint_eq(discover("/3303/1/5700", NULL), CODE(2, 05));
	ck_assert_str_eq(server_body, "</3303/1/5700>;pmin=2;pmax=7");

	account_open(LWM2M_1_2, false);
	ck_assert_int_eq(client_load_attributes(account.client, span_of(saved.data, saved.size)),
			 0);
	account_register();
	ck_assert_uint_eq(discover("/3303/1/5700", NULL), CODE(2, 05));
	ck_assert_str_eq(server_body, "</3303/1/5700>;pmin=2;pmax=7;gt=30");

	/* They go with their instance. */
	account.n_attributes = 0;
	ck_assert_int_eq(store_remove_instance(account.store, 3303, 1), 0);
	ck_assert_uint_eq(account.n_attributes, 1);
	server_expect_update("", true);
	ck_assert_int_eq(
		store_add_instance(account.store, definitions_newest(account.definitions, 3303), 1),
		0);
	server_expect_update("", true);
	ck_assert_uint_eq(account.n_attributes, 1);
	account_set("/3303/1/5700", value_float(1));
	ck_assert_uint_eq(discover("/3303/1/5700", NULL), CODE(2, 05));
	ck_assert_str_eq(server_body, "</3303/1/5700>;pmax=7");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attributes");
	TCase *tcase = tcase_create("attributes");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, account_tear_down);
	tcase_add_loop_test(tcase, test_attributes, 0, ARRAY_SIZE(attributes));
	tcase_add_loop_test(tcase, test_discover, 0, ARRAY_SIZE(discoveries));
	tcase_add_test(tcase, test_attributes_by_version);
	tcase_add_test(tcase, test_attributes_are_kept_and_forgotten);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
