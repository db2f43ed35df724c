/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "codec/codec.h"

START_TEST(test_writer)
{
	struct buf out = { 0 };
	struct link_writer w = { .out = &out };
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(link_begin(&w, "/"), 0);
	ck_assert_int_eq(link_attribute(&w, "ct", "60 110 112", true), 0);
	ck_assert_int_eq(link_begin(&w, "/1"), 0);
	ck_assert_int_eq(link_attribute(&w, "ver", "1.2", false), 0);
	ck_assert_int_eq(link_begin(&w, "/1/0"), 0);
	ck_assert_int_eq(link_attribute(&w, "uri", "a\"b\\c", true), 0);
	ck_assert_int_eq(link_attribute(&w, "obs", NULL, false), 0);
	ck_assert_int_eq(link_attribute(&w, "gt", "-5.5", false), 0);
	text = buf_take_text(&out);
	ck_assert_str_eq(
		text, "</>;ct=\"60 110 112\",</1>;ver=1.2,</1/0>;uri=\"a\\\"b\\\\c\";obs;gt=-5.5");
}
END_TEST

START_TEST(test_writer_refuses)
{
	struct buf out = { 0 };
	struct link_writer w = { .out = &out };

	ck_assert_int_eq(link_attribute(&w, "ver", "1.2", false), -EINVAL);
	ck_assert_int_eq(link_begin(&w, ""), -EINVAL);
	ck_assert_int_eq(link_begin(&w, "/1>;x"), -EINVAL);
	ck_assert_int_eq(link_begin(&w, "/1 2"), -EINVAL);
	ck_assert(!w.any);
	ck_assert_int_eq(link_begin(&w, "/1"), 0);
	ck_assert_int_eq(link_attribute(&w, "", "1", false), -EINVAL);
	ck_assert_int_eq(link_attribute(&w, "a=b", "1", false), -EINVAL);
	ck_assert_int_eq(link_attribute(&w, "a", "", false), -EINVAL);
	ck_assert_int_eq(link_attribute(&w, "a", "1,2", false), -EINVAL);
	ck_assert_int_eq(link_attribute(&w, "a", "1;2", false), -EINVAL);
	ck_assert_int_eq(link_attribute(&w, "a", "x\ny", true), -EINVAL);
	ck_assert_int_eq(link_attribute(&w, "a", "\xff", true), -EINVAL);
	out.limit = out.size;
	ck_assert_int_eq(link_begin(&w, "/2"), -EFBIG);
	ck_assert_uint_eq(out.size, strlen("</1>"));
	buf_done(&out);
}
END_TEST

/* "target|name=value|name\n" for each link. */
static char *format(const struct links *links)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < links->n; i++) {
		const struct link *link = &links->items[i];

		ck_assert_int_eq(buf_append_text(&out, link->target), 0);
		for (size_t k = 0; k < link->n; k++) {
			const struct link_attribute_text *a = &link->attributes[k];

			ck_assert_int_eq(buf_printf(&out, "|%s%s%s", a->name, a->value ? "=" : "",
						    a->value ? a->value : ""),
					 0);
		}
		ck_assert_int_eq(buf_append_byte(&out, '\n'), 0);
	}
	return buf_take_text(&out);
}

/* Examples of Core 6.1.7.3, 6.2.1 and 7.2.3 and of RFC 6690. */
static const struct {
	const char *text, *meaning;
} good[] = {
	{ "", "" },
	{ " \r\n", "" },
	{ "</1/0>,</1/1>,</3/0>,</44/0>;ver=2.2", "/1/0\n/1/1\n/3/0\n/44/0|ver=2.2\n" },
	{ "</>;ct=\"110 112 60\", </1/0>,</5>", "/|ct=110 112 60\n/1/0\n/5\n" },
	{ "</>;lwm2m=1.1,</0/0>;ssid=101;uri=\"coaps://s_1.example.com\", </0/1/>, </0/2>;ssid=102",
	  "/|lwm2m=1.1\n/0/0|ssid=101|uri=coaps://s_1.example.com\n/0/1/\n/0/2|ssid=102\n" },
	{ "</lwm2m>;rt=\"oma.lwm2m\" ; title*=UTF-8'de'x",
	  "/lwm2m|rt=oma.lwm2m|title*=UTF-8'de'x\n" },
	{ "</s>;title=\"a, b; <c>\";obs;sz=1", "/s|title=a, b; <c>|obs|sz=1\n" },
	{ "</s>;t=\"\";u=\"\\\"\\\\\"", "/s|t=|u=\"\\\n" },
	{ "<>", "\n" },
	{ "</3/0/7>;dim=2;pmin=10;gt=50.5;lt=-42", "/3/0/7|dim=2|pmin=10|gt=50.5|lt=-42\n" },
};

START_TEST(test_parse)
{
	struct links links = { 0 };
	_cleanup_free_ char *meaning = NULL;

	ck_assert_int_eq(links_parse(good[_i].text, strlen(good[_i].text), &links), 0);
	meaning = format(&links);
	ck_assert_str_eq(meaning, good[_i].meaning);
	links_done(&links);
	ck_assert_ptr_null(links.items);
}
END_TEST

static const char *const bad[] = {
	"/1/0",
	"<",
	"</1",
	"</1>,",
	",</1>",
	"</1>,,</2>",
	"</1>;",
	"</1>;;a",
	"</1>;=1",
	"</1>;a=",
	"</1>;a=\"",
	"</1>;a=\"\\",
	"</1>;a=\"b\"c",
	"</1>x",
	"</1></2>",
	"</1>;a=1 2",
	"</\xff>",
	"</1>;a=\"\xc0\x80\"",
	"</1\n>",
	"</1>;a=\"\1\"",
	"lwm2m=1.0,</1>",
	"</1>;a b",
	"</1>;a*b",
	"</1>;a=,</2>",
};

START_TEST(test_bad)
{
	struct links links = { .n = 77 };

	ck_assert_int_eq(links_parse(bad[_i], strlen(bad[_i]), &links), -EINVAL);
	ck_assert_uint_eq(links.n, 77);
}
END_TEST

/* Each cut of a good list is a list or an error, and reads nothing behind its end. */
START_TEST(test_truncated)
{
	static const char text[] = "</>;ct=\"110 112\", </1/0>;ver=1.2;x, </2>";

	for (size_t n = 0; n < sizeof(text); n++) {
		_cleanup_free_ char *copy = malloc(n ? n : 1);
		struct links links = { 0 };

		memcpy(copy, text, n);
		if (links_parse(copy, n, &links) == 0)
			links_done(&links);
	}
	ck_assert_int_eq(links_parse("</1>\0", 5, &(struct links){ 0 }), -EINVAL);
}
END_TEST

static int parse_many(const char *first, const char *more, unsigned n)
{
	struct buf out = { 0 };
	struct links links = { 0 };
	int r;

	ck_assert_int_eq(buf_append_text(&out, first), 0);
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(buf_append_text(&out, more), 0);
	r = links_parse((const char *)out.data, out.size, &links);
	links_done(&links);
	buf_done(&out);
	return r;
}

/* A message without payload. */
START_TEST(test_nothing)
{
	struct links links = { .n = 77 };

	ck_assert_int_eq(links_parse(NULL, 0, &links), 0);
	ck_assert_uint_eq(links.n, 0);
}
END_TEST

START_TEST(test_limits)
{
	ck_assert_int_eq(parse_many("</1>", ",</1>", 8191), 0);
	ck_assert_int_eq(parse_many("</1>", ",</1>", 8192), -EINVAL);
	ck_assert_int_eq(parse_many("</1>", ";a", 64), 0);
	ck_assert_int_eq(parse_many("</1>", ";a", 65), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("link");
	TCase *tcase = tcase_create("link");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_writer);
	tcase_add_test(tcase, test_writer_refuses);
	tcase_add_loop_test(tcase, test_parse, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(tcase, test_bad, 0, ARRAY_SIZE(bad));
	tcase_add_test(tcase, test_truncated);
	tcase_add_test(tcase, test_nothing);
	tcase_add_test(tcase, test_limits);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
