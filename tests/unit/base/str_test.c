/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

START_TEST(test_compare)
{
	ck_assert(streq("a", "a"));
	ck_assert(!streq("a", "b"));
	ck_assert(streq_null(NULL, NULL));
	ck_assert(!streq_null(NULL, ""));
	ck_assert(!streq_null("", NULL));
	ck_assert(streq_null("x", "x"));
	ck_assert(has_prefix("coaps://", "coap"));
	ck_assert(has_prefix("x", ""));
	ck_assert(!has_prefix("co", "coap"));
}
END_TEST

START_TEST(test_replace)
{
	char *text = NULL;

	ck_assert_int_eq(str_replace(&text, "one"), 0);
	ck_assert_str_eq(text, "one");
	/* The new text may lie inside the old one. */
	ck_assert_int_eq(str_replace(&text, text + 1), 0);
	ck_assert_str_eq(text, "ne");
	ck_assert_int_eq(str_replace(&text, NULL), 0);
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(test_closep)
{
	int fd = open("/dev/null", O_RDONLY), copy = fd, none = -1;

	ck_assert_int_ge(fd, 0);
	errno = EINTR;
	closep(&fd);
	closep(&none);
	ck_assert_int_eq(errno, EINTR);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fcntl(copy, F_GETFD), -1);
}
END_TEST

/* Unicode 15.0, table 3-7, and the edges around each of its rows. */
static const struct {
	const char *text;
	size_t size, valid;
} utf8_cases[] = {
	{ "", 0, 0 },
	{ "abc", 3, 3 },
	{ "a\0b", 3, 3 },
	{ "\x7f", 1, 1 },
	{ "\x80", 1, 0 },
	{ "\xc2\x80", 2, 2 },
	{ "\xc1\xbf", 2, 0 },
	{ "\xdf\xbf", 2, 2 },
	{ "\xc2", 1, 0 },
	{ "\xc2\x7f", 2, 0 },
	{ "\xc2\xc0", 2, 0 },
	{ "\xe0\xa0\x80", 3, 3 },
	{ "\xe0\x9f\xbf", 3, 0 },
	{ "\xed\x9f\xbf", 3, 3 },
	{ "\xed\xa0\x80", 3, 0 },
	{ "\xee\x80\x80", 3, 3 },
	{ "\xef\xbf\xbf", 3, 3 },
	{ "\xe2\x82", 2, 0 },
	{ "\xe2\x82\x28", 3, 0 },
	{ "\xf0\x90\x80\x80", 4, 4 },
	{ "\xf0\x8f\xbf\xbf", 4, 0 },
	{ "\xf4\x8f\xbf\xbf", 4, 4 },
	{ "\xf4\x90\x80\x80", 4, 0 },
	{ "\xf5\x80\x80\x80", 4, 0 },
	{ "\xff", 1, 0 },
	{ "ok\xe2\x82\xac!\xffx", 8, 6 },
};

START_TEST(test_utf8)
{
	size_t size = utf8_cases[_i].size;
	/* A copy of the exact size, so that a sanitizer sees a byte too many. */
	char *text = malloc(size + (size == 0));

	memcpy(text, utf8_cases[_i].text, size);
	ck_assert_uint_eq(utf8_valid_prefix(text, size), utf8_cases[_i].valid);
	ck_assert_int_eq(utf8_is_valid(text, size), utf8_cases[_i].valid == size);
	free(text);
}
END_TEST

static const struct {
	const char *pattern, *text;
	bool matches;
} glob_cases[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "*", "", true },
	{ "*", "anything/at.all", true },
	{ "**", "x", true },
	{ "?", "", false },
	{ "?", "a", true },
	{ "em1-*", "em1-001", true },
	{ "em1-*", "em1", false },
	{ "em?-*1", "em1-001", true },
	{ "*a*b*c", "xaybzc", true },
	{ "*a*b*c", "xaybzcd", false },
	{ "a*a", "a", false },
	{ "*ab", "aab", true },
	{ "3316/*/5700", "3316/12/5700", true },
	{ "[a]", "a", false },
	{ "[a]", "[a]", true },
	{ "\\*", "\\x", true },
	{ "*?", "", false },
	{ "?*?", "ab", true },
};

START_TEST(test_glob)
{
	ck_assert_int_eq(glob_match(glob_cases[_i].pattern, glob_cases[_i].text),
			 glob_cases[_i].matches);
}
END_TEST

static const struct {
	const char *pattern, *name;
	bool matches;
} dotted_cases[] = {
	{ "tcp.port", "tcp.port", true },
	{ "tcp.port", "tcp.ports", false },
	{ "tcp.port", "tcp", false },
	{ "messages.*.match", "messages.weight.match", true },
	{ "messages.*.match", "messages.a.b.match", false },
	{ "messages.*.match", "messages..match", false },
	{ "messages.*.match", "messages.weight", false },
	{ "messages.*.match", "messages.weight.match.x", false },
	{ "good.*", "good.weight.state", true },
	{ "good.*", "good.x", true },
	{ "good.*", "good.", false },
	{ "good.*", "good", false },
	{ "a.*.b.*", "a.x.b.y.z", true },
};

START_TEST(test_dotted)
{
	ck_assert_int_eq(dotted_match(dotted_cases[_i].pattern, dotted_cases[_i].name),
			 dotted_cases[_i].matches);
}
END_TEST

START_TEST(test_glob_does_not_explode)
{
	char text[4097];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert(!glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}
END_TEST

START_TEST(test_nearest)
{
	static const char *const keys[] = { "timeout", "retries", "rates", "baud", "format" };
	static const struct {
		const char *text, *nearest;
	} cases[] = {
		{ "timeot", "timeout" }, { "retires", "retries" },
		{ "rate", "rates" },	 { "bauds", "baud" },
		{ "format", "format" },	 { "Rates", "rates" },
		{ "nothing", NULL },	 { "", NULL },
		{ "b", NULL },		 { "RATES", "rates" },
	};
	char endless[200];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *nearest = str_nearest(cases[i].text, keys, ARRAY_SIZE(keys));

		ck_assert_msg(streq_null(nearest, cases[i].nearest), "%s: %s", cases[i].text,
			      nearest ? nearest : "none");
	}
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	ck_assert_ptr_null(str_nearest(endless, keys, ARRAY_SIZE(keys)));
	ck_assert_ptr_null(str_nearest("x", (const char *const[]){ endless }, 1));
	ck_assert_ptr_null(str_nearest("x", NULL, 0));
}
END_TEST

START_TEST(test_percent_encode)
{
	_cleanup_free_ char *text = percent_encode("urn:dev/A-z.0_~%\xc3\xa4 ");

	ck_assert_str_eq(text, "urn%3Adev%2FA-z.0_~%25%C3%A4%20");
}
END_TEST

START_TEST(test_percent_decode)
{
	static const char *const wrong[] = { "%", "a%", "a%2", "%2x", "%x2", "%%41", "%00" };
	_cleanup_free_ char *text = NULL, *empty = NULL;
	char *none = NULL;

	ck_assert_int_eq(percent_decode("urn%3Adev%2fA-z.0_~%25%C3%A4%20", &text), 0);
	ck_assert_str_eq(text, "urn:dev/A-z.0_~%\xc3\xa4 ");
	ck_assert_int_eq(percent_decode("", &empty), 0);
	ck_assert_str_eq(empty, "");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_int_eq(percent_decode(wrong[i], &none), -EINVAL);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(test_hex)
{
	_cleanup_free_ uint8_t *data = NULL, *empty = NULL;
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	ck_assert_int_eq(hex_decode("00fFA5", &data, &size), 0);
	ck_assert_mem_eq(data, "\x00\xff\xa5", 3);
	ck_assert_uint_eq(size, 3);
	text = hex_encode(data, size);
	ck_assert_str_eq(text, "00ffa5");
	ck_assert_int_eq(hex_decode("", &empty, &size), 0);
	ck_assert_ptr_nonnull(empty);
	ck_assert_uint_eq(size, 0);
	ck_assert_int_eq(hex_decode("0", &data, &size), -EINVAL);
	ck_assert_int_eq(hex_decode("0g", &data, &size), -EINVAL);
	ck_assert_int_eq(hex_decode("0x00", &data, &size), -EINVAL);
	ck_assert_int_eq(hex_decode("00 1", &data, &size), -EINVAL);
}
END_TEST

/* RFC 4648 section 10; the last rows tell the alphabets apart. */
static const struct {
	const char *data, *standard, *url;
} base64_cases[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/", "-_-_" },
	{ "\xff", "/w==", "_w" },
};

static void check_decodes(const char *text, const char *data)
{
	_cleanup_free_ uint8_t *decoded = NULL;
	size_t size = 0;

	ck_assert_int_eq(base64_decode(text, strlen(text), &decoded, &size), 0);
	ck_assert_uint_eq(size, strlen(data));
	ck_assert_mem_eq(decoded, data, size);
}

START_TEST(test_base64)
{
	const char *data = base64_cases[_i].data;
	_cleanup_free_ char *standard = NULL, *url = NULL;

	ck_assert_int_eq(base64_encode(data, strlen(data), &standard), 0);
	ck_assert_str_eq(standard, base64_cases[_i].standard);
	ck_assert_int_eq(base64url_encode(data, strlen(data), &url), 0);
	ck_assert_str_eq(url, base64_cases[_i].url);
	check_decodes(standard, data);
	check_decodes(url, data);
}
END_TEST

START_TEST(test_base64_refused)
{
	static const char *const texts[] = {
		"Z",	    "Zg=",  "Zg===", "=",    "==",   "====", "Z===", "Zm9v=", "Zm8==",
		"Zg==Zg==", "Zm 9", "Zm9\n", "Zh==", "Zm9=", "Zm.v", "Z=g=", "Zm9vZ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		uint8_t *data = NULL;
		size_t size = 42;
		int r = base64_decode(texts[i], strlen(texts[i]), &data, &size);

		ck_assert_msg(r == -EINVAL, "%s: %d", texts[i], r);
		ck_assert_ptr_null(data);
		ck_assert_uint_eq(size, 42);
	}
}
END_TEST

START_TEST(test_base64_every_length)
{
	uint8_t data[260];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 167 + 13);
	for (size_t size = 0; size < sizeof(data); size++) {
		_cleanup_free_ char *text = NULL;
		_cleanup_free_ uint8_t *decoded = NULL;
		size_t n = 0;

		ck_assert_int_eq(base64_encode(data, size, &text), 0);
		ck_assert_int_eq(base64_decode(text, strlen(text), &decoded, &n), 0);
		ck_assert_uint_eq(n, size);
		ck_assert_mem_eq(decoded, data, size);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("str");
	TCase *tcase = tcase_create("str");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_compare);
	tcase_add_test(tcase, test_replace);
	tcase_add_test(tcase, test_closep);
	tcase_add_loop_test(tcase, test_utf8, 0, ARRAY_SIZE(utf8_cases));
	tcase_add_loop_test(tcase, test_glob, 0, ARRAY_SIZE(glob_cases));
	tcase_add_loop_test(tcase, test_dotted, 0, ARRAY_SIZE(dotted_cases));
	tcase_add_test(tcase, test_glob_does_not_explode);
	tcase_add_test(tcase, test_nearest);
	tcase_add_test(tcase, test_percent_encode);
	tcase_add_test(tcase, test_percent_decode);
	tcase_add_test(tcase, test_hex);
	tcase_add_loop_test(tcase, test_base64, 0, ARRAY_SIZE(base64_cases));
	tcase_add_test(tcase, test_base64_refused);
	tcase_add_test(tcase, test_base64_every_length);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
