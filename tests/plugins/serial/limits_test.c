/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "plugins/serial/decode.h"
#include "plugins/serial/driver.h"
#include "plugins/serial/template.h"
#include "setup.h"

/* What profiles and frames can make grow, and where it ends. */

static struct fieldway_driver *driver;

static void start(const struct fieldway_settings settings)
{
	const struct fieldway_device device = { .name = "d", .settings = settings };
	struct fieldway_error error = { 0 };

	ck_assert_msg(driver_new(NULL, &device, &driver, &error) >= 0, "%s", error.text);
}

static int parse(const char *content, size_t size, struct parse *ret)
{
	const struct frame frame = { .raw = (const uint8_t *)content, .size = size, .content = (const uint8_t *)content,
				     .content_size = size };

	return stream_parse(driver, &frame, ret);
}

START_TEST(fields_of_a_frame)
{
	static char much[4 * MESSAGE_FIELDS_MAX];
	struct parse p = { 0 };
	size_t n = 0;

	while (n + 8 < sizeof(much))
		n += (size_t)snprintf(much + n, sizeof(much) - n, "%zu,", n % 10);
	start((struct fieldway_settings)SETTINGS(TEXT("frame.end", "\n"), TEXT("messages.m.columns.separator", ",")));
	ck_assert_int_eq(parse(much, n, &p), 1);
	ck_assert_uint_eq(p.n, MESSAGE_FIELDS_MAX);
	ck_assert_ptr_nonnull(parse_column(&p, MESSAGE_FIELDS_MAX).data);
	ck_assert_ptr_null(parse_column(&p, MESSAGE_FIELDS_MAX + 1).data);
	/* The next frame has less. */
	ck_assert_int_eq(parse("1,2", 3, &p), 1);
	ck_assert_uint_eq(p.n, 2);
	parse_done(&p);
	driver_free(driver);
}
END_TEST

START_TEST(records_of_a_frame)
{
	static char much[8 * MESSAGE_FIELDS_MAX];
	struct parse p = { 0 };

	for (size_t i = 0; i < sizeof(much); i += 4)
		memcpy(much + i, "a=1;", 4);
	start((struct fieldway_settings)SETTINGS(TEXT("frame.end", "\n"), TEXT("messages.m.records", ";"),
						 TEXT("messages.m.match", "^(?<key>.)=(?<value>.)$")));
	ck_assert_int_eq(parse(much, sizeof(much), &p), 1);
	ck_assert_uint_eq(p.n, MESSAGE_FIELDS_MAX);
	parse_done(&p);
	driver_free(driver);
}
END_TEST

/* Each record is cheap enough; all records of all messages are not: half a minute, were there no end to it. */
START_TEST(time_of_a_frame)
{
	static char much[FRAME_MAX];
	struct parse p = { 0 };

	memset(much, 'a', sizeof(much));
	for (size_t i = 15; i < sizeof(much); i += 16)
		much[i] = ';';
	start((struct fieldway_settings)SETTINGS(
		TEXT("frame.end", "\n"), TEXT("messages.m.records", ";"),
		TEXT("messages.m.match", "^(?<key>(a+)+)=(?<value>.)$|^(a|a)+!|^(a|aa)+!"),
		TEXT("messages.n.records", ";"), TEXT("messages.n.match", "^(?<key>(a+)+)=(?<value>.)$|^(a|aa)+!")));
	ck_assert_int_eq(parse(much, sizeof(much), &p), -E2BIG);
	ck_assert_uint_lt(p.spent_usec, 20 * PATTERN_SPENT_USEC_MAX);
	/* The next frame has all of it again. */
	ck_assert_int_eq(parse("a=1", 3, &p), 1);
	parse_done(&p);
	driver_free(driver);
}
END_TEST

START_TEST(fields_of_a_point)
{
	const struct fieldway_setting from = TEXT("from", "m.v");
	struct fieldway_setting settings[POINT_SOURCES_MAX + 1];
	struct fieldway_point point = { .name = "p", .readable = true, .settings = { settings, POINT_SOURCES_MAX } };
	const struct fieldway_device device = {
		.name = "d",
		.settings = SETTINGS(TEXT("frame.end", "\n"), TEXT("messages.m.match", "(?<v>.*)")),
		.points = &point,
		.n_points = 1,
	};
	struct fieldway_error error = { 0 };

	for (size_t i = 0; i <= POINT_SOURCES_MAX; i++)
		settings[i] = from;
	ck_assert_msg(driver_new(NULL, &device, &driver, &error) >= 0, "%s", error.text);
	driver_free(driver);
	point.settings.n++;
	ck_assert_int_eq(driver_new(NULL, &device, &driver, &error), -EINVAL);
	ck_assert_str_eq(error.text, "at most 4 fields make one value");
	ck_assert_str_eq(error.key, "from");
}
END_TEST

static int new_template(size_t parts, char *why, size_t size)
{
	static const struct checksum none = { .kind = CHECKSUM_NONE };
	struct template *t = NULL;
	char text[8 * (TEMPLATE_PARTS_MAX + 1)] = "";
	int r;

	for (size_t i = 0; i < parts; i++)
		strcat(text, "{id}");
	r = template_new((struct slice){ text, strlen(text) }, &none, &t, why, size);
	template_free(t);
	return r;
}

START_TEST(parts_of_a_template)
{
	char why[160] = "";

	ck_assert_int_eq(new_template(TEMPLATE_PARTS_MAX, why, sizeof(why)), 0);
	ck_assert_int_eq(new_template(TEMPLATE_PARTS_MAX + 1, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "too many placeholders"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("serial/limits");
	TCase *t = tcase_create("limits");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_test(t, fields_of_a_frame);
	tcase_add_test(t, records_of_a_frame);
	tcase_add_test(t, time_of_a_frame);
	tcase_add_test(t, fields_of_a_point);
	tcase_add_test(t, parts_of_a_template);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
