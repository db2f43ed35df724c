/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "model/value.h"

#define INTEGER(v)                                                                                 \
	{                                                                                          \
		.type = VALUE_INTEGER, .integer = v                                                \
	}
#define TIME(v)                                                                                    \
	{                                                                                          \
		.type = VALUE_TIME, .integer = v                                                   \
	}
#define UNSIGNED(v)                                                                                \
	{                                                                                          \
		.type = VALUE_UNSIGNED, .unsignd = v                                               \
	}
#define FLOAT(v)                                                                                   \
	{                                                                                          \
		.type = VALUE_FLOAT, .real = v                                                     \
	}
#define BOOLEAN(v)                                                                                 \
	{                                                                                          \
		.type = VALUE_BOOLEAN, .boolean = v                                                \
	}
#define OBJLNK(o, i)                                                                               \
	{                                                                                          \
		.type = VALUE_OBJLNK, .link = { o, i }                                             \
	}

START_TEST(is_small)
{
	ck_assert_uint_eq(sizeof(struct value), 16);
}
END_TEST

START_TEST(names_types)
{
	static const char *const names[VALUE_TYPES] = { "none",	  "string",  "integer", "unsigned",
							"float",  "boolean", "opaque",	"time",
							"objlnk", "corelnk" };

	for (unsigned i = 0; i < VALUE_TYPES; i++) {
		enum value_type type = VALUE_TYPES;

		ck_assert_str_eq(value_type_name(i), names[i]);
		ck_assert_int_eq(value_type_parse(names[i], &type), 0);
		ck_assert_int_eq(type, i);
	}
	for (unsigned i = 0; i < 3; i++) {
		static const char *const other[] = { "", "Integer", "int" };
		enum value_type type = VALUE_OBJLNK;

		ck_assert_int_eq(value_type_parse(other[i], &type), -EINVAL);
		ck_assert_int_eq(type, VALUE_OBJLNK);
	}
}
END_TEST

START_TEST(copies_bytes)
{
	struct value v = { 0 }, copy = { 0 };

	ck_assert_int_eq(value_set_bytes(&v, VALUE_OPAQUE, "a\0b", 3), 0);
	ck_assert_int_eq(value_copy(&v, &copy), 0);
	ck_assert_ptr_ne(v.data, copy.data);
	ck_assert(value_equal(&v, &copy));
	ck_assert_int_eq(copy.data[3], 0);
	value_done(&v);
	ck_assert_int_eq(v.type, VALUE_NONE);
	ck_assert_mem_eq(copy.data, "a\0b", 3);
	value_done(&copy);
	value_done(&copy);

	ck_assert_int_eq(value_set_bytes(&v, VALUE_STRING, NULL, 0), 0);
	ck_assert_int_eq(value_copy(&v, &copy), 0);
	ck_assert(value_equal(&v, &copy));
	ck_assert_str_eq(copy.data, "");
	value_done(&v);
	value_done(&copy);
}
END_TEST

START_TEST(bounds_bytes)
{
	char *large = calloc(1, VALUE_SIZE_MAX + 1);
	struct value v = value_integer(3);

	ck_assert_ptr_nonnull(large);
	ck_assert_int_eq(value_set_bytes(&v, VALUE_OPAQUE, large, VALUE_SIZE_MAX + 1), -EFBIG);
	ck_assert_int_eq(v.integer, 3);
	ck_assert_int_eq(value_set_bytes(&v, VALUE_OPAQUE, large, VALUE_SIZE_MAX), 0);
	ck_assert_uint_eq(v.size, VALUE_SIZE_MAX);
	value_done(&v);
	free(large);
}
END_TEST

/* All different from each other. */
static struct value distinct[] = {
	{ .type = VALUE_NONE },
	INTEGER(0),
	INTEGER(1),
	INTEGER(INT64_MIN),
	TIME(1),
	UNSIGNED(1),
	UNSIGNED(UINT64_MAX),
	FLOAT(1),
	FLOAT(1.0000000000000002),
	FLOAT(NAN),
	FLOAT(INFINITY),
	BOOLEAN(true),
	BOOLEAN(false),
	OBJLNK(3, 0),
	OBJLNK(0, 3),
	OBJLNK(65535, 65535),
	{ .type = VALUE_STRING, .size = 1, .data = (char[]){ "1" } },
	{ .type = VALUE_STRING, .size = 2, .data = (char[]){ "1" } },
	{ .type = VALUE_STRING, .size = 0, .data = (char[]){ "" } },
	{ .type = VALUE_CORELNK, .size = 1, .data = (char[]){ "1" } },
	{ .type = VALUE_OPAQUE, .size = 1, .data = (char[]){ "1" } },
};

START_TEST(compares_type_and_content)
{
	for (size_t a = 0; a < ARRAY_SIZE(distinct); a++)
		for (size_t b = 0; b < ARRAY_SIZE(distinct); b++)
			ck_assert_msg(value_equal(&distinct[a], &distinct[b]) == (a == b),
				      "%zu %zu", a, b);
}
END_TEST

static const struct {
	struct value value;
	int error;
	double number;
} numbers[] = {
	{ INTEGER(-5), 0, -5 },
	{ TIME(1000), 0, 1000 },
	{ UNSIGNED(1u << 31), 0, 2147483648.0 },
	{ FLOAT(0.5), 0, 0.5 },
	{ BOOLEAN(true), 0, 1 },
	{ BOOLEAN(false), 0, 0 },
	{ OBJLNK(1, 2), -EINVAL },
	{ { .type = VALUE_NONE }, -EINVAL },
	{ { .type = VALUE_STRING, .size = 1, .data = (char[]){ "1" } }, -EINVAL },
};

START_TEST(becomes_a_double)
{
	double number = 42;

	ck_assert_int_eq(value_to_double(&numbers[_i].value, &number), numbers[_i].error);
	ck_assert(number == (numbers[_i].error ? 42 : numbers[_i].number));
}
END_TEST

#define TWO_53 INT64_C(9007199254740992)

static const struct {
	struct value from;
	enum value_type type;
	int error;
	struct value to;
} conversions[] = {
	{ INTEGER(-3), VALUE_INTEGER, 0, INTEGER(-3) },
	{ INTEGER(-3), VALUE_TIME, 0, TIME(-3) },
	{ TIME(3), VALUE_INTEGER, 0, INTEGER(3) },
	{ INTEGER(3), VALUE_UNSIGNED, 0, UNSIGNED(3) },
	{ INTEGER(-1), VALUE_UNSIGNED, -ERANGE, { 0 } },
	{ TIME(-1), VALUE_UNSIGNED, -ERANGE, { 0 } },
	{ UNSIGNED(INT64_MAX), VALUE_INTEGER, 0, INTEGER(INT64_MAX) },
	{ UNSIGNED((uint64_t)INT64_MAX + 1), VALUE_INTEGER, -ERANGE, { 0 } },
	{ UNSIGNED(UINT64_MAX), VALUE_TIME, -ERANGE, { 0 } },
	{ INTEGER(TWO_53), VALUE_FLOAT, 0, FLOAT(9007199254740992.0) },
	{ INTEGER(TWO_53 + 1), VALUE_FLOAT, -ERANGE, { 0 } },
	{ INTEGER(INT64_MIN), VALUE_FLOAT, 0, FLOAT(-9223372036854775808.0) },
	{ INTEGER(INT64_MAX), VALUE_FLOAT, -ERANGE, { 0 } },
	{ UNSIGNED(UINT64_MAX), VALUE_FLOAT, -ERANGE, { 0 } },
	{ UNSIGNED(UINT64_C(1) << 63), VALUE_FLOAT, 0, FLOAT(9223372036854775808.0) },
	{ TIME(1000), VALUE_FLOAT, 0, FLOAT(1000) },
	{ FLOAT(2), VALUE_INTEGER, 0, INTEGER(2) },
	{ FLOAT(2.5), VALUE_INTEGER, -ERANGE, { 0 } },
	{ FLOAT(NAN), VALUE_INTEGER, -ERANGE, { 0 } },
	{ FLOAT(NAN), VALUE_UNSIGNED, -ERANGE, { 0 } },
	{ FLOAT(INFINITY), VALUE_TIME, -ERANGE, { 0 } },
	{ FLOAT(-9223372036854775808.0), VALUE_INTEGER, 0, INTEGER(INT64_MIN) },
	{ FLOAT(9223372036854775808.0), VALUE_INTEGER, -ERANGE, { 0 } },
	{ FLOAT(9223372036854775808.0), VALUE_UNSIGNED, 0, UNSIGNED(UINT64_C(1) << 63) },
	{ FLOAT(18446744073709551616.0), VALUE_UNSIGNED, -ERANGE, { 0 } },
	{ FLOAT(-1), VALUE_UNSIGNED, -ERANGE, { 0 } },
	{ FLOAT(0.5), VALUE_FLOAT, 0, FLOAT(0.5) },
	{ BOOLEAN(true), VALUE_BOOLEAN, 0, BOOLEAN(true) },
	{ BOOLEAN(true), VALUE_INTEGER, -EINVAL, { 0 } },
	{ INTEGER(1), VALUE_BOOLEAN, -EINVAL, { 0 } },
	{ INTEGER(1), VALUE_STRING, -EINVAL, { 0 } },
	{ INTEGER(1), VALUE_OPAQUE, -EINVAL, { 0 } },
	{ INTEGER(1), VALUE_OBJLNK, -EINVAL, { 0 } },
	{ INTEGER(1), VALUE_NONE, -EINVAL, { 0 } },
	{ { .type = VALUE_NONE }, VALUE_INTEGER, -EINVAL, { 0 } },
	{ OBJLNK(1, 2), VALUE_OBJLNK, 0, OBJLNK(1, 2) },
	{ { .type = VALUE_STRING, .size = 1, .data = (char[]){ "a" } },
	  VALUE_CORELNK,
	  0,
	  { .type = VALUE_CORELNK, .size = 1, .data = (char[]){ "a" } } },
	{ { .type = VALUE_CORELNK, .size = 1, .data = (char[]){ "a" } },
	  VALUE_STRING,
	  0,
	  { .type = VALUE_STRING, .size = 1, .data = (char[]){ "a" } } },
	{ { .type = VALUE_STRING, .size = 1, .data = (char[]){ "a" } },
	  VALUE_OPAQUE,
	  -EINVAL,
	  { 0 } },
	{ { .type = VALUE_OPAQUE, .size = 1, .data = (char[]){ "a" } },
	  VALUE_STRING,
	  -EINVAL,
	  { 0 } },
	{ { .type = VALUE_STRING, .size = 1, .data = (char[]){ "1" } },
	  VALUE_INTEGER,
	  -EINVAL,
	  { 0 } },
};

START_TEST(converts_without_loss)
{
	_cleanup_value_ struct value to = value_integer(4711);

	ck_assert_int_eq(value_convert(&conversions[_i].from, conversions[_i].type, &to),
			 conversions[_i].error);
	if (conversions[_i].error)
		ck_assert_int_eq(to.integer, 4711);
	else
		ck_assert(value_equal(&to, &conversions[_i].to));
}
END_TEST

/* Content format 0, both ways. */
static const struct {
	struct value value;
	const char *text;
} texts[] = {
	{ INTEGER(0), "0" },
	{ INTEGER(INT64_MAX), "9223372036854775807" },
	{ INTEGER(INT64_MIN), "-9223372036854775808" },
	{ UNSIGNED(UINT64_MAX), "18446744073709551615" },
	{ TIME(1367491215), "1367491215" },
	{ FLOAT(230.2), "230.2" },
	{ FLOAT(21), "21" },
	{ FLOAT(-0.5), "-0.5" },
	{ FLOAT(0.1), "0.1" },
	{ FLOAT(1.0 / 3), "0.3333333333333333" },
	{ FLOAT(1e21), "1000000000000000000000" },
	{ FLOAT(1e-7), "0.0000001" },
	{ FLOAT(9007199254740993.0), "9007199254740992" },
	{ BOOLEAN(true), "1" },
	{ BOOLEAN(false), "0" },
	{ OBJLNK(3, 0), "3:0" },
	{ OBJLNK(65535, 65535), "65535:65535" },
	{ { .type = VALUE_OPAQUE, .size = 0, .data = (char[]){ "" } }, "" },
	{ { .type = VALUE_OPAQUE, .size = 1, .data = (char[]){ "\xff" } }, "/w==" },
	{ { .type = VALUE_OPAQUE, .size = 5, .data = (char[]){ "\x01\x02\x03\x04\x05" } },
	  "AQIDBAU=" },
	{ { .type = VALUE_OPAQUE, .size = 3, .data = (char[]){ "\0\0\0" } }, "AAAA" },
	{ { .type = VALUE_STRING, .size = 0, .data = (char[]){ "" } }, "" },
	{ { .type = VALUE_STRING, .size = 6, .data = (char[]){ "gr\xc3\xbc\xc3\x9f" } },
	  "gr\xc3\xbc\xc3\x9f" },
	{ { .type = VALUE_CORELNK, .size = 6, .data = (char[]){ "</3/0>" } }, "</3/0>" },
};

START_TEST(is_text_and_back)
{
	_cleanup_value_ struct value back = { 0 };
	_cleanup_free_ char *text = NULL;

	ck_assert_int_eq(value_format_text(&texts[_i].value, &text), 0);
	ck_assert_str_eq(text, texts[_i].text);
	ck_assert_int_eq(value_parse_text(text, strlen(text), texts[_i].value.type, &back), 0);
	ck_assert(value_equal(&back, &texts[_i].value));
}
END_TEST

START_TEST(has_no_text_for_nothing)
{
	const struct value none = { 0 };
	char *text = (char *)"untouched";

	ck_assert_int_eq(value_format_text(&none, &text), -EINVAL);
	ck_assert_str_eq(text, "untouched");
}
END_TEST

static const struct {
	const char *text;
	enum value_type type;
	int error;
} bad_texts[] = {
	{ "", VALUE_INTEGER, -EINVAL },
	{ " 1", VALUE_INTEGER, -EINVAL },
	{ "1 ", VALUE_INTEGER, -EINVAL },
	{ "1.0", VALUE_INTEGER, -EINVAL },
	{ "0x10", VALUE_INTEGER, -EINVAL },
	{ "-0x10", VALUE_INTEGER, -EINVAL },
	{ "+0x10", VALUE_INTEGER, -EINVAL },
	{ "+0X10", VALUE_TIME, -EINVAL },
	{ "--1", VALUE_INTEGER, -EINVAL },
	{ "9223372036854775808", VALUE_INTEGER, -ERANGE },
	{ "-9223372036854775809", VALUE_INTEGER, -ERANGE },
	{ "18446744073709551616", VALUE_UNSIGNED, -ERANGE },
	{ "-1", VALUE_UNSIGNED, -EINVAL },
	{ "0x10", VALUE_UNSIGNED, -EINVAL },
	{ "now", VALUE_TIME, -EINVAL },
	{ "", VALUE_FLOAT, -EINVAL },
	{ "nan", VALUE_FLOAT, -EINVAL },
	{ "inf", VALUE_FLOAT, -EINVAL },
	{ "1,5", VALUE_FLOAT, -EINVAL },
	{ "0x1p3", VALUE_FLOAT, -EINVAL },
	{ ".", VALUE_FLOAT, -EINVAL },
	{ "true", VALUE_BOOLEAN, -EINVAL },
	{ "2", VALUE_BOOLEAN, -EINVAL },
	{ "01", VALUE_BOOLEAN, -EINVAL },
	{ "", VALUE_BOOLEAN, -EINVAL },
	{ "3", VALUE_OBJLNK, -EINVAL },
	{ "3:", VALUE_OBJLNK, -EINVAL },
	{ ":0", VALUE_OBJLNK, -EINVAL },
	{ "3:0:1", VALUE_OBJLNK, -EINVAL },
	{ "03:0", VALUE_OBJLNK, -EINVAL },
	{ "65536:0", VALUE_OBJLNK, -EINVAL },
	{ "A", VALUE_OPAQUE, -EINVAL },
	{ "AQ=", VALUE_OPAQUE, -EINVAL },
	{ "AR==", VALUE_OPAQUE, -EINVAL },
	{ "A Q=", VALUE_OPAQUE, -EINVAL },
	{ "\xff", VALUE_STRING, -EINVAL },
	{ "\xc3", VALUE_CORELNK, -EINVAL },
	{ "x", VALUE_NONE, -EINVAL },
};

START_TEST(refuses_bad_text)
{
	const char *text = bad_texts[_i].text;
	struct value v = value_integer(4711);

	ck_assert_msg(value_parse_text(text, strlen(text), bad_texts[_i].type, &v) ==
			      bad_texts[_i].error,
		      "'%s' as %s", text, value_type_name(bad_texts[_i].type));
	ck_assert_int_eq(v.integer, 4711);
}
END_TEST

START_TEST(reads_what_others_write)
{
	struct value v = { 0 };

	ck_assert_int_eq(value_parse_text("+5", 2, VALUE_INTEGER, &v), 0);
	ck_assert_int_eq(v.integer, 5);
	ck_assert_int_eq(value_parse_text("1e3", 3, VALUE_FLOAT, &v), 0);
	ck_assert(v.real == 1000);
	/* Leshan takes only padded text, others leave it out. */
	ck_assert_int_eq(value_parse_text("_w", 2, VALUE_OPAQUE, &v), 0);
	ck_assert_uint_eq(v.size, 1);
	ck_assert_int_eq((unsigned char)v.data[0], 0xff);
	value_done(&v);
	ck_assert_int_eq(value_parse_text("1\0002", 3, VALUE_INTEGER, &v), -EINVAL);
}
END_TEST

START_TEST(bounds_the_text_of_a_number)
{
	char text[1000];
	struct value v;

	memset(text, '0', sizeof(text));
	ck_assert_int_eq(value_parse_text(text, 400, VALUE_INTEGER, &v), 0);
	ck_assert_int_eq(value_parse_text(text, 401, VALUE_INTEGER, &v), -EINVAL);
	ck_assert_int_eq(value_parse_text(text, sizeof(text), VALUE_FLOAT, &v), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("value");
	TCase *tcase = tcase_create("value");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, is_small);
	tcase_add_test(tcase, names_types);
	tcase_add_test(tcase, copies_bytes);
	tcase_add_test(tcase, bounds_bytes);
	tcase_add_test(tcase, compares_type_and_content);
	tcase_add_loop_test(tcase, becomes_a_double, 0, ARRAY_SIZE(numbers));
	tcase_add_loop_test(tcase, converts_without_loss, 0, ARRAY_SIZE(conversions));
	tcase_add_loop_test(tcase, is_text_and_back, 0, ARRAY_SIZE(texts));
	tcase_add_test(tcase, has_no_text_for_nothing);
	tcase_add_loop_test(tcase, refuses_bad_text, 0, ARRAY_SIZE(bad_texts));
	tcase_add_test(tcase, reads_what_others_write);
	tcase_add_test(tcase, bounds_the_text_of_a_number);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
