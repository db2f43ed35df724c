/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "codec/codec.h"
#include "tests/unit/lwm2m/account.h"

/* Who wrote what: one line for each request that changes something (design.md "Habits"). */

static int saved_stderr, captured;
static char output[4096];

static void set_up(void)
{
	unsetenv("JOURNAL_STREAM");
	account_set_up();
	account.config.audit = true;
	account_open(LWM2M_1_2, false);
	account_register();
	saved_stderr = dup(STDERR_FILENO);
	captured = memfd_create("stderr", MFD_CLOEXEC);
	ck_assert_int_ge(captured, 0);
	ck_assert_int_ge(dup2(captured, STDERR_FILENO), 0);
	log_set_name("test");
}

static void tear_down(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(captured);
	account_tear_down();
}

static void expect_line(const char *text)
{
	ssize_t n = pread(captured, output, sizeof(output) - 1, 0);
	char want[1024];

	ck_assert_int_ge(n, 0);
	output[n] = 0;
	snprintf(want, sizeof(want), "test: urn:dev:ops:1-em1: server plant: %s\n", text);
	ck_assert_str_eq(output, *text ? want : "");
	ck_assert_int_eq(ftruncate(captured, 0), 0);
	lseek(captured, 0, SEEK_SET);
}

START_TEST(test_write)
{
	ck_assert_uint_eq(server_put("/1/0/1", FORMAT_TEXT, "60", 2), CODE(2, 04));
	expect_line("write /1/0/1 3600 -> 60: done");
	ck_assert_uint_eq(server_put("/1/0/2", FORMAT_TEXT, "5", 1), CODE(2, 04));
	expect_line("write /1/0/2 (none) -> 5: done");
}
END_TEST

/* Cut, but not within a character. */
START_TEST(test_long_text)
{
	char text[100] = "", line[200];

	for (unsigned i = 0; i < 33; i++)
		strcat(text, i == 0 ? "x" : "\u00fc");
	ck_assert_uint_eq(server_put("/16/0/0/0", FORMAT_TEXT, text, strlen(text)), CODE(2, 04));
	snprintf(line, sizeof(line), "write /16/0/0/0 host -> %.63s: done", text);
	expect_line(line);
}
END_TEST

START_TEST(test_write_by_the_field)
{
	struct message m, answer;

	server_request(&m, MESSAGE_CON, CODE_PUT, "/3306/0/5850");
	m.content_format = FORMAT_TEXT;
	m.payload = span_of("1", 1);
	peer_send(&m);
	rig_until(account.n_field == 1);
	expect_line("");
	account_field(-ETIMEDOUT, "vfd1.run: no answer");
	peer_receive(&answer);
	expect_line("write /3306/0/5850 0 -> 1: failed: vfd1.run: no answer");
}
END_TEST

START_TEST(test_refused)
{
	ck_assert_uint_eq(server_put("/3308/0/5900", FORMAT_TEXT, "51", 2), CODE(4, 00));
	expect_line(
		"write /3308/0/5900 (none) -> 51: failed: vfd1.speed: out of range");
}
END_TEST

/* Also what never came near a value says who, where and why. */
START_TEST(test_refused_before)
{
	ck_assert_uint_eq(server_put("/1/0/2", FORMAT_TEXT, "x", 1), CODE(4, 00));
	expect_line("PUT /1/0/2 refused: 4.00 Bad Request: "
		    "text is no value of the resource's type");
	ck_assert_uint_eq(server_post("/16/0/0/0/0", FORMAT_TLV, "x", 1), CODE(4, 05));
	expect_line("POST /16/0/0/0/0 refused: 4.05 Method Not Allowed");
	ck_assert_uint_eq(server_delete("/0/x\ny"), CODE(4, 01));
	expect_line("DELETE /0/x?y refused: 4.01 Unauthorized");
	ck_assert_uint_eq(server_put("/", FORMAT_TEXT, "x", 1), CODE(4, 05));
	expect_line("PUT / refused: 4.05 Method Not Allowed");
}
END_TEST

/* A server that goes on and on fills no journal. */
START_TEST(test_many_refusals)
{
	unsigned lines = 0;

	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(server_put("/3308/0/5900", FORMAT_TEXT, "x", 1), CODE(4, 00));
	output[MAX(pread(captured, output, sizeof(output) - 1, 0), 0)] = 0;
	for (const char *at = output; (at = strchr(at, '\n')); at++)
		lines++;
	ck_assert_uint_eq(lines, 10);
}
END_TEST

static bool is_logged(const char *text)
{
	output[MAX(pread(captured, output, sizeof(output) - 1, 0), 0)] = 0;
	return strstr(output, text) != NULL;
}

/* What all accounts of a server would say is bounded for all of them; what is this one's own is not hidden by it. */
START_TEST(test_storm_of_others)
{
	struct log_budget spent = { 0 };
	struct message m;
	char rest[2048];

	while (log_budget_take(&spent, NULL))
		;
	account.config.server_budget = &spent;
	account_open(LWM2M_1_2, true);
	client_start(account.client);
	peer_receive(&m);
	for (unsigned i = 0; i < 5; i++)
		rig_advance(48 * USEC_PER_SEC);
	ck_assert_int_eq(client_state(account.client), CLIENT_WAITING);
	/* The budget came back meanwhile, and tells how many it swallowed. */
	ck_assert(is_logged("not registered at server plant: no answer"));
	ck_assert(is_logged(" (1 more like this)\n"));
	while (log_budget_take(&spent, NULL))
		;
	ck_assert_int_eq(ftruncate(captured, 0), 0);
	lseek(captured, 0, SEEK_SET);
	/* What was retransmitted is of no interest. */
	while (recv(rig.fd, rest, sizeof(rest), MSG_DONTWAIT) >= 0)
		;
	rig_advance(76 * USEC_PER_SEC);
	peer_receive(&m);
	peer_answer(&m, CODE(4, 03));
	rig_until(client_state(account.client) == CLIENT_WAITING);
	ck_assert(is_logged("not registered at server plant: it answered 4.03 Forbidden"));
}
END_TEST

START_TEST(test_execute)
{
	ck_assert_uint_eq(server_post("/1/0/8", -1, NULL, 0), CODE(2, 04));
	expect_line("execute /1/0/8: done");
}
END_TEST

START_TEST(test_create_and_delete)
{
	ck_assert_uint_eq(server_post("/16", FORMAT_TLV, "\x83\x00\x41\x00x", 5), CODE(2, 01));
	expect_line("write /16/1/0/0 (none) -> x: done");
	ck_assert_uint_eq(server_delete("/16/0/0/0"), CODE(2, 02));
	expect_line("delete /16/0/0/0: done");
	ck_assert_uint_eq(server_delete("/16/1"), CODE(2, 02));
	expect_line("delete /16/1: done");
}
END_TEST

/* Long values are cut, many are counted. */
START_TEST(test_bounds)
{
	static const char body[] =
		"[{\"bn\":\"/16/0/0/\",\"n\":\"0\",\"vs\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"},"
		"{\"n\":\"1\",\"vs\":\"b\"},{\"n\":\"2\",\"vs\":\"c\"},{\"n\":\"3\",\"vs\":\"d\"},{\"n\":\"4\",\"vs\":\"e\"},"
		"{\"n\":\"5\",\"vs\":\"f\"},{\"n\":\"6\",\"vs\":\"g\"},{\"n\":\"7\",\"vs\":\"h\"},{\"n\":\"8\",\"vs\":\"i\"}]";

	ck_assert_uint_eq(server_put("/16/0/0", FORMAT_SENML_JSON, body, sizeof(body) - 1),
			  CODE(2, 04));
	expect_line(
		"write /16/0/0/0 host -> 0123456789012345678901234567890123456789012345678901234567890123, "
		"/16/0/0/1 (none) -> b, /16/0/0/2 (none) -> c, /16/0/0/3 (none) -> d, /16/0/0/4 (none) -> e, "
		"/16/0/0/5 (none) -> f, /16/0/0/6 (none) -> g, /16/0/0/7 (none) -> h and 1 more: done");
}
END_TEST

START_TEST(test_reading_is_no_news)
{
	ck_assert_uint_eq(server_get("/3/0/0", -1), CODE(2, 05));
	ck_assert_uint_eq(server_attributes("/3/0", "pmin=1"), CODE(2, 04));
	expect_line("");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit");
	TCase *tcase = tcase_create("audit");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, test_write);
	tcase_add_test(tcase, test_long_text);
	tcase_add_test(tcase, test_write_by_the_field);
	tcase_add_test(tcase, test_refused);
	tcase_add_test(tcase, test_refused_before);
	tcase_add_test(tcase, test_many_refusals);
	tcase_add_test(tcase, test_storm_of_others);
	tcase_add_test(tcase, test_execute);
	tcase_add_test(tcase, test_create_and_delete);
	tcase_add_test(tcase, test_bounds);
	tcase_add_test(tcase, test_reading_is_no_news);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
