/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "ctl/line/script.h"

static struct script script;
static struct buf answer;
static const char *wrong;
static unsigned line;
static size_t size;

static void teardown(void)
{
	script_done(&script);
	buf_done(&answer);
}

static int read_text(const char *text, const char *name)
{
	return script_read(text, strlen(text), name, &script, &line, &wrong);
}

static int take(const char *bytes, size_t n)
{
	answer.size = 0;
	return script_take(&script, span_of(bytes, n), &answer, &size);
}

static void answers(const char *bytes, size_t n)
{
	ck_assert_uint_eq(answer.size, n);
	ck_assert_mem_eq(answer.data, bytes, n);
}

static const char modbus_tcp[] = "+0.000000 a:502 > 00 01 00 00 00 06 01 03 00 00 00 01\n"
				 "+0.010000 a:502 < 00 01 00 00 00 05 01 03 02 00 07\n"
				 "+0.020000 b:502 > 00 09 00 00 00 02 01 07\n"
				 "+1.000000 a:502 > 00 02 00 00 00 06 01 03 00 00 00 01\n"
				 "+1.010000 a:502 < 00 02 00 00 00 05 01 03 02 00 08";

START_TEST(answers_with_the_transaction_of_the_asker)
{
	static const char request[] = "\x12\x34\0\0\0\x06\x01\x03\0\0\0\x01\xff";

	ck_assert_int_eq(read_text(modbus_tcp, "a:502"), 0);
	ck_assert(script.mbap);
	ck_assert_uint_eq(script.n_exchanges, 1);
	ck_assert_int_eq(take(request, 5), SCRIPT_MORE);
	ck_assert_int_eq(take(request, 11), SCRIPT_MORE);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(take(request, 13), SCRIPT_ANSWER);
		ck_assert_uint_eq(size, 12);
		answers("\x12\x34\0\0\0\x05\x01\x03\x02\0\x07", 11);
		ck_assert_int_eq(take(request, 12), SCRIPT_ANSWER);
		answers("\x12\x34\0\0\0\x05\x01\x03\x02\0\x08", 11);
	}
	ck_assert_int_eq(take("\0\1\0\0\0\2\1\7", 8), SCRIPT_UNKNOWN);
	ck_assert_uint_eq(size, 8);
}
END_TEST

START_TEST(takes_the_longest_that_fits)
{
	ck_assert_int_eq(read_text("+0.000000 a > 41\n+0.000001 a < 61\n+1.000000 a > 41 42\n"
				   "+1.000001 a < 62 63\n+2.000000 a > 43\n",
				   NULL),
			 0);
	ck_assert(!script.mbap);
	ck_assert_int_eq(take("AB", 2), SCRIPT_ANSWER);
	ck_assert_uint_eq(size, 2);
	answers("bc", 2);
	ck_assert_int_eq(take("AC", 2), SCRIPT_ANSWER);
	ck_assert_uint_eq(size, 1);
	answers("a", 1);
	/* The device was silent. */
	ck_assert_int_eq(take("C", 1), SCRIPT_ANSWER);
	ck_assert_uint_eq(answer.size, 0);
	ck_assert_int_eq(take("B", 1), SCRIPT_UNKNOWN);
	ck_assert_int_eq(take("", 0), SCRIPT_MORE);
}
END_TEST

/* 256 bytes are one piece; what follows at once is the rest of them. */
START_TEST(joins_what_was_split)
{
	_cleanup_buf_ struct buf text = { 0 };
	char request[257];

	memset(request, 0x41, sizeof(request));
	ck_assert_int_ge(buf_append_text(&text, "+0.000000 a >"), 0);
	for (int i = 0; i < 256; i++)
		ck_assert_int_ge(buf_append_text(&text, " 41"), 0);
	ck_assert_int_ge(buf_append_text(&text, "\n+0.000000 a > 41\n+0.000001 a < 62\n"), 0);
	ck_assert_int_eq(script_read((char *)text.data, text.size, NULL, &script, &line, &wrong), 0);
	ck_assert_uint_eq(script.n_exchanges, 1);
	ck_assert_int_eq(take(request, 256), SCRIPT_MORE);
	ck_assert_int_eq(take(request, 257), SCRIPT_ANSWER);
	answers("b", 1);
}
END_TEST

START_TEST(keeps_the_times_of_a_stream)
{
	ck_assert_int_eq(read_text("# x\n+5.000000 a < 41\n+5.200000 a < 42 43\n", NULL), 0);
	ck_assert_uint_eq(script.n_exchanges, 0);
	ck_assert_uint_eq(script.n_words, 2);
	ck_assert_uint_eq(script.words[0].usec, 0);
	ck_assert_uint_eq(script.words[1].usec, 200000);
	ck_assert_uint_eq(script.words[1].bytes.size, 2);
	ck_assert_int_eq(take("x", 1), SCRIPT_UNKNOWN);
}
END_TEST

static const struct {
	const char *text, *name;
	unsigned line;
	const char *wrong;
} bad[] = {
	{ "+0.000000 a < 00\nx\n", NULL, 2, "no piece" },
	{ "+0.000000 a < 0", NULL, 1, "no piece" },
	{ "+0.000000 a < 00\n\n+0.000000 b < 00", NULL, 3, "another line" },
	{ "+0.000000 a < 00\n", "b", 0, "nothing" },
	{ "# 3 pieces were dropped\n", NULL, 0, "nothing" },
	{ "", NULL, 0, "nothing" },
};

START_TEST(says_what_is_wrong)
{
	ck_assert_int_eq(read_text(bad[_i].text, bad[_i].name), -EINVAL);
	ck_assert_uint_eq(line, bad[_i].line);
	ck_assert_ptr_nonnull(strstr(wrong, bad[_i].wrong));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("script");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, answers_with_the_transaction_of_the_asker);
	tcase_add_test(tcase, takes_the_longest_that_fits);
	tcase_add_test(tcase, joins_what_was_split);
	tcase_add_test(tcase, keeps_the_times_of_a_stream);
	tcase_add_loop_test(tcase, says_what_is_wrong, 0, ARRAY_SIZE(bad));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
