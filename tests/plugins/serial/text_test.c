/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "plugins/serial/convert.h"
#include "plugins/serial/escape.h"
#include "plugins/serial/pattern.h"
#include "plugins/serial/template.h"
#include "plugins/serial/units.h"
#include "setup.h"

/* Escapes, expressions, numbers in texts, units, templates. */

START_TEST(escapes)
{
	uint8_t bytes[16];
	size_t n;

	ck_assert_int_eq(text_bytes("a\\r\\n\\t\\0\\e\\\\\\x02\\xfF\\{", 23, bytes, sizeof(bytes), &n), 0);
	ck_assert_uint_eq(n, 10);
	ck_assert_int_eq(memcmp(bytes, "a\r\n\t\0\x1b\\\x02\xff{", 10), 0);
	/* What YAML has made a control character of is one. */
	ck_assert_int_eq(text_bytes("\r\n", 2, bytes, sizeof(bytes), &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(text_bytes("\\q", 2, bytes, sizeof(bytes), &n), -EINVAL);
	ck_assert_int_eq(text_bytes("a\\", 2, bytes, sizeof(bytes), &n), -EINVAL);
	ck_assert_int_eq(text_bytes("\\x1", 3, bytes, sizeof(bytes), &n), -EINVAL);
	ck_assert_int_eq(text_bytes("\\x1g", 4, bytes, sizeof(bytes), &n), -EINVAL);
	ck_assert_int_eq(text_bytes("abc", 3, bytes, 2, &n), -ENOBUFS);
}
END_TEST

static uint64_t spent;

static int match(const char *expression, const char *subject, struct slice *groups)
{
	struct pattern *p;
	char why[160];
	int r;

	spent = 0;
	ck_assert_int_eq(pattern_new(expression, strlen(expression), &p, why, sizeof(why)), 0);
	r = pattern_match(p, subject, strlen(subject), &spent, groups);
	pattern_free(p);
	return r;
}

START_TEST(expressions)
{
	struct slice groups[PATTERN_GROUPS_MAX];
	struct pattern *p;
	char why[160] = "", many[2 * PATTERN_GROUPS_MAX + 1];

	ck_assert_int_eq(match("^(?<a>[0-9]+)(?<b>x)?$", "12", groups), 1);
	ck_assert(slice_equals(groups[1], "12", 2));
	ck_assert_ptr_null(groups[2].data);
	ck_assert_int_eq(match("^a$", "a\n", groups), 0);
	ck_assert_int_eq(match("\xe9", "caf\xe9", groups), 1);
	ck_assert_int_eq(pattern_new("(", 1, &p, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "character 2"));
	ck_assert_int_eq(pattern_new("\\C", 2, &p, why, sizeof(why)), -EINVAL);
	for (size_t i = 0; i < sizeof(many) - 1; i++)
		many[i] = i % 2 ? ')' : '(';
	ck_assert_int_eq(pattern_new(many, sizeof(many) - 1, &p, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "groups"));
}
END_TEST

/* Would take longer than the universe has; gives up. */
START_TEST(catastrophic_expression_gives_up)
{
	static char subject[4000];
	struct slice groups[PATTERN_GROUPS_MAX];

	memset(subject, 'a', sizeof(subject) - 2);
	subject[sizeof(subject) - 2] = '!';
	ck_assert_int_eq(match("^(a+)+$", subject, groups), -E2BIG);
	ck_assert_int_eq(match("^(?:a|aa|aaa)+$", subject, groups), -E2BIG);
}
END_TEST

/* Cheap from each place, but there are many: seconds, were there no end to it. */
START_TEST(many_places_give_up)
{
	static const char *const costly[] = { "\\w*\\d!", "(?<v>[0-9a.]+) *kg$", "(?:a|b)*c\\d", "(a|b)*\\d" };
	static char subject[65536];
	struct slice groups[PATTERN_GROUPS_MAX];
	struct pattern *p;
	char why[160];

	memset(subject, 'a', sizeof(subject) - 1);
	memcpy(subject + sizeof(subject) - 7, "c!kg!2", 6);
	for (size_t i = 0; i < sizeof(costly) / sizeof(costly[0]); i++) {
		ck_assert_int_eq(match(costly[i], subject, groups), -E2BIG);
		ck_assert_uint_lt(spent, 20 * PATTERN_SPENT_USEC_MAX);
	}
	/* Who has spent it all has nothing left for the next one. */
	spent = PATTERN_SPENT_USEC_MAX;
	ck_assert_int_eq(pattern_new("a", 1, &p, why, sizeof(why)), 0);
	ck_assert_int_eq(pattern_match(p, subject, 1, &spent, groups), -E2BIG);
	pattern_free(p);
}
END_TEST

/* Wherever it begins and ends. */
START_TEST(matches_lie_anywhere)
{
	struct slice groups[PATTERN_GROUPS_MAX];
	char subject[200];

	for (size_t at = 0; at + 3 < sizeof(subject); at++) {
		memset(subject, '.', sizeof(subject) - 1);
		subject[sizeof(subject) - 1] = '\0';
		memcpy(subject + at, "k=7", 3);
		ck_assert_int_eq(match("k=(\\d)", subject, groups), 1);
		ck_assert_ptr_eq(groups[1].data, subject + at + 2);
		ck_assert_int_eq(match("(?<=k)=\\d", subject, groups), 1);
		ck_assert_ptr_eq(groups[0].data, subject + at + 1);
		ck_assert_int_eq(match("^k", subject, groups), at == 0);
		ck_assert_int_eq(match(".*7(.*)$", subject, groups), 1);
		ck_assert_ptr_eq(groups[0].data, subject);
		ck_assert_int_eq(match("=8", subject, groups), 0);
		ck_assert_int_eq(match("$", subject, groups), 1);
		ck_assert_ptr_eq(groups[0].data, subject + sizeof(subject) - 1);
		subject[at + 3] = '\0';
		ck_assert_int_eq(match("7?$", subject, groups), 1);
		ck_assert_ptr_eq(groups[0].data, subject + at + 2);
	}
}
END_TEST

START_TEST(numbers)
{
	static const struct {
		const char *text;
		bool comma, good;
		double value;
	} rows[] = {
		{ "12.5", false, true, 12.5 },	   { " +00123.4 ", false, true, 123.4 }, { "-   0.50", false, true, -0.5 },
		{ "1e3", false, true, 1000 },	   { ".5", false, true, 0.5 },		 { "5.", false, true, 5 },
		{ "12,5", true, true, 12.5 },	   { "12,5", false, false, 0 },		 { "1.234,5", true, false, 0 },
		{ "", false, false, 0 },	   { "-", false, false, 0 },		 { "1 2", false, false, 0 },
		{ "nan", false, false, 0 },	   { "inf", false, false, 0 },		 { "0x10", false, false, 0 },
		{ "1e", false, false, 0 },	   { "--1", false, false, 0 },		 { "1e999", false, false, 0 },
		{ "12.5kg", false, false, 0 },	   { ".", false, false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double value = -1;

		ck_assert_msg(convert_number(SLICE(rows[i].text), rows[i].comma, &value) == rows[i].good, "%s",
			      rows[i].text);
		if (rows[i].good)
			ck_assert_double_eq(value, rows[i].value);
	}
}
END_TEST

START_TEST(integers)
{
	uint64_t u;
	int64_t n;

	ck_assert(convert_integer(SLICE("-9223372036854775808"), &n) && n == INT64_MIN);
	ck_assert(!convert_integer(SLICE("9223372036854775808"), &n));
	ck_assert(!convert_integer(SLICE("1.0"), &n));
	ck_assert(!convert_integer(SLICE("-"), &n));
	ck_assert(convert_unsigned(SLICE("18446744073709551615"), false, &u) && u == UINT64_MAX);
	ck_assert(!convert_unsigned(SLICE("-1"), false, &u));
	ck_assert(convert_unsigned(SLICE("1fF"), true, &u) && u == 0x1ff);
	ck_assert(convert_unsigned(SLICE("0x1f"), true, &u) && u == 0x1f);
	ck_assert(!convert_unsigned(SLICE("1g"), true, &u));
	ck_assert(!convert_unsigned(SLICE("0x"), true, &u));
}
END_TEST

/* A byte with the wrong parity comes as NUL: 12?45 is not 12, and 123? not 123. */
START_TEST(lost_bytes_are_no_numbers)
{
	const struct slice inside = { "12\0" "45", 5 }, behind = { "123\0", 4 };
	const struct slice date = { "230394123519\0", 13 }, latitude = { "4807.038\0", 9 };
	uint64_t u;
	int64_t n;
	double value;

	ck_assert(!convert_number(inside, false, &value));
	ck_assert(!convert_number(behind, false, &value));
	ck_assert(!convert_degrees(latitude, &value));
	ck_assert(!convert_integer(inside, &n));
	ck_assert(!convert_unsigned(behind, false, &u));
	ck_assert(!convert_time(date, "%d%m%y%H%M%S", &n));
}
END_TEST

START_TEST(degrees_and_times)
{
	double value;
	int64_t n;

	ck_assert(convert_degrees(SLICE("4807.038N"), &value));
	ck_assert_double_eq(value, 48.1173);
	ck_assert(convert_degrees(SLICE("01131.000W"), &value));
	ck_assert_double_eq_tol(value, -11.516666667, 1e-12);
	ck_assert(convert_degrees(SLICE("0000.0000S"), &value));
	ck_assert(!convert_degrees(SLICE("4860.000N"), &value));
	ck_assert(!convert_degrees(SLICE("9100.000N"), &value));
	ck_assert(!convert_degrees(SLICE("4807.038"), &value));
	ck_assert(!convert_degrees(SLICE("N"), &value));
	ck_assert(!convert_degrees(SLICE(""), &value));
	ck_assert(convert_time(SLICE("230394123519.00"), "%d%m%y%H%M%S", &n) && n == 764426119);
	ck_assert(!convert_time(SLICE("230394"), "%d%m%y%H%M%S", &n));
	ck_assert(!convert_time(SLICE("230394123519x"), "%d%m%y%H%M%S", &n));
}
END_TEST

START_TEST(units)
{
	double value;

	ck_assert_int_eq(unit_convert(123.4, SLICE("g"), SLICE("kg"), &value), 0);
	ck_assert_double_eq(value, 0.1234);
	ck_assert_int_eq(unit_convert(1.5, SLICE("kg"), SLICE("g"), &value), 0);
	ck_assert_double_eq(value, 1500);
	ck_assert_int_eq(unit_convert(10, SLICE("lb"), SLICE("kg"), &value), 0);
	ck_assert_double_eq_tol(value, 4.5359237, 1e-12);
	ck_assert_int_eq(unit_convert(36, SLICE("km/h"), SLICE("m/s"), &value), 0);
	ck_assert_double_eq_tol(value, 10, 1e-12);
	ck_assert_int_eq(unit_convert(212, SLICE("F"), SLICE("Cel"), &value), 0);
	ck_assert_double_eq_tol(value, 100, 1e-9);
	ck_assert_int_eq(unit_convert(1, SLICE("kg"), SLICE("m"), &value), -EDOM);
	ck_assert_int_eq(unit_convert(1, SLICE("stone"), SLICE("kg"), &value), -ENOENT);
	ck_assert_int_eq(unit_check(SLICE("kn")), 0);
	ck_assert_int_eq(unit_check(SLICE("")), -ENOENT);
}
END_TEST

static struct slice find_name(const void *userdata, struct slice name)
{
	return slice_equals(name, "id", 2) ? SLICE("07") : (struct slice){ 0 };
}

static char why_not[160];

static int fill_with(const char *text, const struct checksum *c, const struct fieldway_value *v, bool comma,
		     const char *expected)
{
	static const struct frame_delimiter end = { .bytes = ";", .size = 1 };
	const struct template_fill fill = { .value = v, .comma = comma, .end = &end, .find = find_name };
	struct template *t;
	uint8_t bytes[TEMPLATE_BYTES_MAX];
	size_t n = 0;
	int r;

	ck_assert_int_eq(template_new(SLICE(text), c, &t, why_not, sizeof(why_not)), 0);
	r = template_fill(t, &fill, bytes, sizeof(bytes), &n, why_not, sizeof(why_not));
	template_free(t);
	if (r >= 0 && (n != strlen(expected) || memcmp(bytes, expected, n) != 0))
		ck_abort_msg("%s gave %.*s", text, (int)n, (char *)bytes);
	return r;
}

#define REAL(number) (&(struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = (number) })
#define WHOLE(number) (&(struct fieldway_value){ .type = FIELDWAY_INT, .integer = (number) })
#define WORD(string) (&(struct fieldway_value){ .type = FIELDWAY_STRING, .data = (string), .size = strlen(string) })

START_TEST(templates)
{
	static const struct {
		const char *text;
		struct fieldway_value value;
		const char *expected; /* NULL: refused */
	} rows[] = {
		{ "S{value}\\r\\n", { FIELDWAY_FLOAT, .real = 12.5 }, "S12.5\r\n" },
		{ "{value}", { FIELDWAY_FLOAT, .real = 0.1 }, "0.1" },
		{ "{value}", { FIELDWAY_FLOAT, .real = 1e-5 }, "0.00001" },
		{ "{value}", { FIELDWAY_FLOAT, .real = 1500 }, "1500" },
		{ "{value:07.2f}", { FIELDWAY_FLOAT, .real = -1.005 }, "-001.00" },
		{ "{value:+.1f}", { FIELDWAY_FLOAT, .real = 2 }, "+2.0" },
		{ "{value:8.3f}|", { FIELDWAY_FLOAT, .real = 2 }, "   2.000|" },
		{ "{value:-6d}|", { FIELDWAY_FLOAT, .real = 42 }, "42    |" },
		{ "{value:04d}", { FIELDWAY_INT, .integer = -42 }, "-042" },
		{ "{value:04X}", { FIELDWAY_UINT, .unsignd = 0xbeef }, "BEEF" },
		{ "{value:x}", { FIELDWAY_INT, .integer = -1 }, NULL },
		{ "{value:d}", { FIELDWAY_FLOAT, .real = 1.5 }, NULL },
		{ "{value}", { FIELDWAY_BOOL, .boolean = true }, "1" },
		{ "{id}\\{{value:.1f}\\}", { FIELDWAY_INT, .integer = 3 }, "07{3.0}" },
		{ "{other}", { FIELDWAY_INT, .integer = 3 }, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r = fill_with(rows[i].text, NULL, &rows[i].value, false, rows[i].expected ? rows[i].expected : "");

		ck_assert_msg((r >= 0) == (rows[i].expected != NULL), "row %zu: %d", i, r);
	}
	ck_assert_int_eq(fill_with("{value}", NULL, REAL(2.5), true, "2,5"), 0);
	ck_assert_int_eq(fill_with("{value}", NULL, REAL(1.0 / 0.0), false, ""), -EINVAL);
	ck_assert_int_eq(fill_with("D \"{value}\"", NULL, WORD("hello"), false, "D \"hello\""), 0);
	ck_assert_int_eq(fill_with("{value:.3s}", NULL, WORD("hello"), false, ""), -EINVAL);
}
END_TEST

/* A text from a server must not become a second command. */
START_TEST(values_cannot_be_commands)
{
	ck_assert_int_eq(fill_with("D {value}\\r\\n", NULL, WORD("x\r\nZ"), false, ""), -EINVAL);
	ck_assert_int_eq(fill_with("D {value}\\r\\n", NULL, WORD("\x1b"), false, ""), -EINVAL);
	/* Where frames end with something that can be printed, that is a control character, too. */
	ck_assert_int_eq(fill_with("D{value};", NULL, WORD("x;Z"), false, ""), -EINVAL);
	ck_assert_int_eq(fill_with("D{value};", NULL, WORD("x Z"), false, "Dx Z;"), 0);
	ck_assert_int_eq(fill_with("D {value}\\r\\n", NULL, WORD("{id}"), false, "D {id}\r\n"), 0);
}
END_TEST

START_TEST(templates_with_a_checksum)
{
	const struct checksum nmea = { .kind = CHECKSUM_XOR, .format = CHECKSUM_HEX, .first = 1, .last = -6, .at = -4 };
	const struct checksum crc = { .kind = CHECKSUM_CRC16_MODBUS, .little = true, .last = -3, .at = -2 };

	ck_assert_int_eq(fill_with("$PMTK220,{value}*{checksum}\\r\\n", &nmea, WHOLE(1000), false, "$PMTK220,1000*1F\r\n"), 0);
	ck_assert_int_eq(fill_with("{value}{checksum}", &crc, WHOLE(123456789), false, "123456789\x37\x4b"), 0);
	/* There is nothing that it could count. */
	ck_assert_int_eq(fill_with("{checksum}", &nmea, WHOLE(1), false, ""), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why_not, "checksum"));
}
END_TEST

START_TEST(wrong_templates)
{
	static const char *const rows[] = { "{value:5q}", "{value:.2d}", "{value:99d}", "{", "{}", "a\\q", "{checksum}",
					    "{id:3}" };
	struct template *t;
	char why[160];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(template_new(SLICE(rows[i]), NULL, &t, why, sizeof(why)) == -EINVAL, "%s", rows[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");
	SRunner *runner;
	int failed;

	tcase_add_test(t, escapes);
	tcase_add_test(t, expressions);
	tcase_add_test(t, catastrophic_expression_gives_up);
	tcase_add_test(t, many_places_give_up);
	tcase_add_test(t, matches_lie_anywhere);
	tcase_add_test(t, numbers);
	tcase_add_test(t, integers);
	tcase_add_test(t, lost_bytes_are_no_numbers);
	tcase_add_test(t, degrees_and_times);
	tcase_add_test(t, units);
	tcase_add_test(t, templates);
	tcase_add_test(t, values_cannot_be_commands);
	tcase_add_test(t, templates_with_a_checksum);
	tcase_add_test(t, wrong_templates);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
