/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/lwm2m/account.h"

/* Which LwM2M version a Register names when /1/x/25 says what the server supports (Core E.2). */

static const struct {
	const char *listed[2];
	const char *query;
} lists[] = {
	{ { "1.0", "1.1" }, "lwm2m=1.1" },
	{ { "1.1", "1.0" }, "lwm2m=1.1" },
	{ { "1.1.1" }, "lwm2m=1.1" },
	{ { "1.0" }, "lwm2m=1.0" },
	{ { "1.1", "1.2" }, "lwm2m=1.2" },
	{ { "1.1", "2.0" }, "lwm2m=1.1" },
	/* Nothing of use: the newest is tried. */
	{ { "2.0", "1.3" }, "lwm2m=1.2" },
	{ { "1.10" }, "lwm2m=1.2" },
	{ { "" }, "lwm2m=1.2" },
	{ { "1" }, "lwm2m=1.2" },
};

static void expect_version(struct message *m, const char *query)
{
	peer_receive(m);
	ck_assert(message_is_path(m, "/rd"));
	ck_assert_msg(strstr(message_queries(m), query), "%s", message_queries(m));
}

START_TEST(test_listed)
{
	struct message m;

	account_set_text("/1/0/25/0", lists[_i].listed[0]);
	if (lists[_i].listed[1])
		account_set_text("/1/0/25/7", lists[_i].listed[1]);
	client_start(account.client);
	expect_version(&m, lists[_i].query);
}
END_TEST

/* 4.12 is the last word, whatever the list says. */
START_TEST(test_listed_and_refused)
{
	struct message m;

	account_set_text("/1/0/25/0", "1.2");
	client_start(account.client);
	expect_version(&m, "lwm2m=1.2");
	peer_answer(&m, CODE(4, 12));
	expect_version(&m, "lwm2m=1.1");
	server_registers(&m);
	rig_until(client_is_registered(account.client));
	client_restart(account.client);
	rig_advance(USEC_PER_SEC);
	expect_version(&m, "lwm2m=1.1");
}
END_TEST

START_TEST(test_fixed)
{
	struct message m;

	account_set_text("/1/0/25/0", "1.0");
	account_open(LWM2M_1_2, true);
	client_start(account.client);
	expect_version(&m, "lwm2m=1.2");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("version");
	TCase *tcase = tcase_create("version");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, account_set_up, account_tear_down);
	tcase_add_loop_test(tcase, test_listed, 0, ARRAY_SIZE(lists));
	tcase_add_test(tcase, test_listed_and_refused);
	tcase_add_test(tcase, test_fixed);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
