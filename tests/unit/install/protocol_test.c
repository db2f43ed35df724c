/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "install/protocol.h"

START_TEST(request_there_and_back)
{
	const struct install_request q = {
		.action = INSTALL_PACKAGE, .handler = "deb", .id = "0a1b", .software = "app.1", .severity = 2, .defer_s = 4294967295u
	};
	struct install_request back = { 0 };
	char text[INSTALL_MESSAGE_MAX];
	int n = install_request_encode(&q, text, sizeof(text));

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(install_request_decode(text, (size_t)n, &back), 0);
	ck_assert_int_eq(back.action, q.action);
	ck_assert_str_eq(back.handler, "deb");
	ck_assert_str_eq(back.id, "0a1b");
	ck_assert_str_eq(back.software, "app.1");
	ck_assert_uint_eq(back.severity, 2);
	ck_assert_uint_eq(back.defer_s, 4294967295u);
	ck_assert_int_eq(install_request_encode(&q, text, 20), -ENOBUFS);
}
END_TEST

START_TEST(answer_there_and_back)
{
	const struct install_answer a = {
		.end = INSTALL_REFUSED, .code = 88, .name = "rootfs", .version = "1.2", .reason = "no such"
	};
	struct install_answer back = { 0 };
	char text[INSTALL_MESSAGE_MAX];
	int n = install_answer_encode(&a, text, sizeof(text));

	ck_assert_int_eq(install_answer_decode(text, (size_t)n, &back), 0);
	ck_assert_int_eq(back.end, INSTALL_REFUSED);
	ck_assert_uint_eq(back.code, 88);
	ck_assert_str_eq(back.name, "rootfs");
	ck_assert_str_eq(back.version, "1.2");
	ck_assert_str_eq(back.reason, "no such");
}
END_TEST

/* None of them may lead to another file, or to another request. */
START_TEST(bad_requests)
{
	static const char *const bad[] = {
		"",
		"action=install\nhandler=deb\n",
		"action=erase\nhandler=deb\nid=1\n",
		"action=install\nhandler=../../bin/sh\nid=1\n",
		"action=install\nhandler=.deb\nid=1\n",
		"action=install\nhandler=-deb\nid=1\n",
		"action=install\nhandler=\nid=1\n",
		"action=install\nhandler=Deb\nid=1\n",
		"action=install\nhandler=deb\nid=a/b\n",
		"action=install\nhandler=deb\nid=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	};
	struct install_request q;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(install_request_decode(bad[i], strlen(bad[i]), &q) == -EBADMSG, "%s", bad[i]);
}
END_TEST

START_TEST(lines)
{
	static const char text[] = "noise\nname=a\x01" "b\nname = no\nname=last \xc3\xa9\xc3\nversion=";
	char value[16] = "untouched";

	ck_assert(!install_line(text, sizeof(text) - 1, "other", value, sizeof(value)));
	ck_assert_str_eq(value, "untouched");
	ck_assert(install_line(text, sizeof(text) - 1, "name", value, sizeof(value)));
	ck_assert_str_eq(value, "last \xc3\xa9");
	ck_assert(install_line(text, sizeof(text) - 1, "version", value, sizeof(value)));
	ck_assert_str_eq(value, "");
	ck_assert(install_line("name=a\x01z", 8, "name", value, sizeof(value)));
	ck_assert_str_eq(value, "a z");
	/* Cut between characters. */
	ck_assert(install_line("name=12\xc3\xa9", 9, "name", value, 4));
	ck_assert_str_eq(value, "12");
}
END_TEST

START_TEST(unknown_answers)
{
	struct install_answer a;

	ck_assert_int_eq(install_answer_decode("code=0\n", 7, &a), -EBADMSG);
	ck_assert_int_eq(install_answer_decode("end=late\n", 9, &a), -EBADMSG);
	/* What a later version adds. */
	ck_assert_int_eq(install_answer_decode("end=exited\nmore=1\ncode=3\n", 25, &a), 0);
	ck_assert_uint_eq(a.code, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("install protocol");
	TCase *tcase = tcase_create("messages");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, request_there_and_back);
	tcase_add_test(tcase, answer_there_and_back);
	tcase_add_test(tcase, bad_requests);
	tcase_add_test(tcase, lines);
	tcase_add_test(tcase, unknown_answers);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
