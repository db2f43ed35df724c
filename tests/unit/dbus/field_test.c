/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "dbus/field.h"
#include "tests/unit/ctl/message.h"

/* What callers say of addresses and points, and values as they are told. */

static struct fieldway_key keys[] = {
	{ .name = "unit", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_UINT },
	{ .name = "level", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_INT },
	{ .name = "gain", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_FLOAT },
	{ .name = "on", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_BOOL },
	{ .name = "host", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_STRING },
	{ .name = "wait",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .flags = FIELDWAY_KEY_DURATION,
	  .type = FIELDWAY_UINT },
	{ .name = "key",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .flags = FIELDWAY_KEY_SECRET,
	  .type = FIELDWAY_STRING },
	{ .name = "file",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .flags = FIELDWAY_KEY_CONTENT,
	  .type = FIELDWAY_STRING },
	{ .name = "messages.*.match", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_STRING },
	{ .name = "max_gap", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_UINT },
	{ .name = "address", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT },
};
static const struct config_plugin plugin = { .keys = keys, .n_keys = ARRAY_SIZE(keys) };

static struct arena arena;
static sd_bus_error error;
static sd_bus_message *m;
static struct fieldway_settings settings;
static struct config_point *points;
static size_t n_points;

static void setup(void)
{
	message_setup();
	arena = (struct arena){ 0 };
	error = SD_BUS_ERROR_NULL;
	m = message_new();
}

static void teardown(void)
{
	arena_done(&arena);
	sd_bus_error_free(&error);
	m = sd_bus_message_unref(m);
	message_teardown();
}

static void must(int r)
{
	ck_assert_int_ge(r, 0);
}

/* ---- settings ---- */

static void append_entry(const char *key, const char *type, va_list list)
{
	must(sd_bus_message_open_container(m, 'e', "sv"));
	must(sd_bus_message_append(m, "s", key));
	must(sd_bus_message_open_container(m, 'v', type));
	must(sd_bus_message_appendv(m, type, list));
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
}

static void add(const char *key, const char *type, ...)
{
	va_list list;

	va_start(list, type);
	append_entry(key, type, list);
	va_end(list);
}

/* One of them alone. */
static int read_one(const char *key, const char *type, ...)
{
	va_list list;

	teardown();
	setup();
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
	va_start(list, type);
	append_entry(key, type, list);
	va_end(list);
	must(sd_bus_message_close_container(m));
	return field_settings_read(message_turn(m), &plugin, FIELDWAY_SCOPE_ADDRESS, &arena, &settings, &error);
}

static const struct fieldway_value *value(enum fieldway_type type)
{
	ck_assert_uint_eq(settings.n, 1);
	ck_assert_int_eq(settings.items[0].value.type, type);
	return &settings.items[0].value;
}

START_TEST(any_number_that_fits)
{
	must(read_one("unit", "y", 200));
	ck_assert_uint_eq(value(FIELDWAY_UINT)->unsignd, 200);
	must(read_one("unit", "q", 60000));
	ck_assert_uint_eq(value(FIELDWAY_UINT)->unsignd, 60000);
	must(read_one("unit", "u", UINT32_MAX));
	ck_assert_uint_eq(value(FIELDWAY_UINT)->unsignd, UINT32_MAX);
	must(read_one("unit", "t", UINT64_MAX));
	ck_assert_uint_eq(value(FIELDWAY_UINT)->unsignd, UINT64_MAX);
	must(read_one("unit", "n", 7));
	ck_assert_uint_eq(value(FIELDWAY_UINT)->unsignd, 7);
	must(read_one("level", "n", -7));
	ck_assert_int_eq(value(FIELDWAY_INT)->integer, -7);
	must(read_one("level", "i", INT32_MIN));
	ck_assert_int_eq(value(FIELDWAY_INT)->integer, INT32_MIN);
	must(read_one("level", "x", INT64_MIN));
	ck_assert_int_eq(value(FIELDWAY_INT)->integer, INT64_MIN);
	must(read_one("gain", "d", 0.5));
	ck_assert(value(FIELDWAY_FLOAT)->real == 0.5);
	must(read_one("gain", "q", 3));
	ck_assert(value(FIELDWAY_FLOAT)->real == 3);
	must(read_one("on", "b", 1));
	ck_assert(value(FIELDWAY_BOOL)->boolean);
}
END_TEST

START_TEST(text_as_in_yaml)
{
	must(read_one("unit", "s", "0x10"));
	ck_assert_uint_eq(value(FIELDWAY_UINT)->unsignd, 16);
	must(read_one("level", "s", "-3"));
	ck_assert_int_eq(value(FIELDWAY_INT)->integer, -3);
	must(read_one("wait", "s", "500ms"));
	ck_assert_uint_eq(value(FIELDWAY_UINT)->unsignd, 500000);
	must(read_one("gain", "s", "2.5"));
	ck_assert(value(FIELDWAY_FLOAT)->real == 2.5);
	must(read_one("on", "s", "true"));
	ck_assert(value(FIELDWAY_BOOL)->boolean);
	must(read_one("host", "s", "meter"));
	ck_assert_uint_eq(value(FIELDWAY_STRING)->size, 5);
	/* Its name is the caller's. */
	must(read_one("messages.weight.match", "s", "x"));
	ck_assert_str_eq(settings.items[0].key, "messages.weight.match");
}
END_TEST

static void refused(int r, const char *text)
{
	ck_assert_int_eq(r, -EINVAL);
	ck_assert_str_eq(error.message, text);
}

START_TEST(what_is_refused)
{
	char key[600];

	refused(read_one("unit", "n", -1), "unit: out of range");
	refused(read_one("level", "t", UINT64_MAX), "level: out of range");
	refused(read_one("unit", "d", 1.0), "unit: of a wrong type");
	refused(read_one("unit", "s", "one"), "unit: of a wrong type");
	refused(read_one("on", "q", 1), "on: of a wrong type");
	refused(read_one("on", "s", "yes"), "on: of a wrong type");
	refused(read_one("host", "u", 1), "host: of a wrong type");
	refused(read_one("host", "o", "/a"), "host: of a wrong type");
	refused(read_one("host", "as", 1, "a"), "host: of a wrong type");
	refused(read_one("hosts", "s", "x"), "hosts: the plugin has no such key here");
	refused(read_one("address", "q", 1), "address: the plugin has no such key here");
	refused(read_one("key", "s", "file:k"), "key: secrets and files do not come over D-Bus");
	refused(read_one("file", "s", "k"), "file: secrets and files do not come over D-Bus");
	/* What a caller wrote is not told back to its end. */
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	ck_assert_int_eq(read_one(key, "s", "x"), -EINVAL);
	ck_assert_uint_lt(strlen(error.message), 200);
}
END_TEST

START_TEST(settings_are_limited)
{
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
	for (unsigned i = 0; i <= FIELD_SETTINGS_MAX; i++)
		add("unit", "q", 1);
	must(sd_bus_message_close_container(m));
	ck_assert_int_lt(field_settings_read(message_turn(m), &plugin, FIELDWAY_SCOPE_ADDRESS, &arena,
					     &settings, &error),
			 0);
	ck_assert_str_eq(error.message, "Too many settings");
}
END_TEST

START_TEST(split_by_scope)
{
	struct fieldway_settings others;

	must(sd_bus_message_open_container(m, 'a', "{sv}"));
	add("unit", "q", 1);
	add("max_gap", "q", 8);
	add("host", "s", "x");
	must(sd_bus_message_close_container(m));
	must(field_settings_read(message_turn(m), &plugin, FIELDWAY_SCOPE_ADDRESS | FIELDWAY_SCOPE_DEVICE,
				 &arena, &settings, &error));
	must(field_settings_split(&plugin, FIELDWAY_SCOPE_ADDRESS, &arena, &settings, &others));
	ck_assert_uint_eq(settings.n, 2);
	ck_assert_str_eq(settings.items[1].key, "host");
	ck_assert_uint_eq(others.n, 1);
	ck_assert_str_eq(others.items[0].key, "max_gap");
}
END_TEST

/* ---- points ---- */

static void open_point(const char *name)
{
	must(sd_bus_message_open_container(m, 'r', "sa{sv}"));
	must(sd_bus_message_append(m, "s", name));
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
}

static void close_point(void)
{
	must(sd_bus_message_close_container(m));
	must(sd_bus_message_close_container(m));
}

static int read_points(void)
{
	must(sd_bus_message_close_container(m));
	return field_points_read(message_turn(m), &plugin, &arena, &points, &n_points, &error);
}

START_TEST(points_of_a_call)
{
	must(sd_bus_message_open_container(m, 'a', "(sa{sv})"));
	open_point("power");
	add("address", "q", 52);
	add("scale", "d", 0.1);
	add("offset", "i", -5);
	add("factor", "s", "40");
	add("scale10", "s", "digits");
	add("invalid", "av", 3, "x", INT64_C(-1), "q", 0xffff, "s", "none");
	close_point();
	open_point("digits");
	add("address", "q", 60);
	close_point();
	must(read_points());
	ck_assert_uint_eq(n_points, 2);
	ck_assert_str_eq(points[0].name, "power");
	ck_assert_uint_eq(points[0].settings.n, 1);
	ck_assert(points[0].scale == 0.1 && points[0].offset == -5 && points[0].factor == 40);
	ck_assert_int_eq(points[0].scale10, 1);
	ck_assert_uint_eq(points[0].n_invalid, 3);
	ck_assert_int_eq(points[0].invalid[0].integer, -1);
	ck_assert_uint_eq(points[0].invalid[1].unsignd, 0xffff);
	ck_assert_int_eq(points[0].invalid[2].type, FIELDWAY_STRING);
	ck_assert(points[1].scale == 1 && points[1].factor == 1 && points[1].scale10 == -1);
}
END_TEST

static void point_refused(const char *text, const char *key, const char *type, ...)
{
	va_list list;

	teardown();
	setup();
	must(sd_bus_message_open_container(m, 'a', "(sa{sv})"));
	open_point("p");
	va_start(list, type);
	append_entry(key, type, list);
	va_end(list);
	close_point();
	refused(read_points(), text);
}

START_TEST(points_refused)
{
	point_refused("scale: is no number", "scale", "s", "much");
	point_refused("factor: is no number", "factor", "b", 1);
	point_refused("scale10: is no name of a point", "scale10", "q", 1);
	point_refused("q: there is no such point for scale10", "scale10", "s", "q");
	point_refused("p: there is no such point for scale10", "scale10", "s", "p"); /* itself */
	point_refused("invalid: is no list of values", "invalid", "q", 1);
	point_refused("invalid: is no list of values", "invalid", "av", 1, "o", "/a");
	point_refused("unit: the plugin has no such key here", "unit", "q", 1);
}
END_TEST

START_TEST(points_are_limited)
{
	must(sd_bus_message_open_container(m, 'a', "(sa{sv})"));
	for (unsigned i = 0; i <= FIELD_POINTS_MAX; i++) {
		open_point("p");
		close_point();
	}
	ck_assert_int_lt(read_points(), 0);
	ck_assert_str_eq(error.message, "Too many points");
}
END_TEST

/* ---- values ---- */

static const struct {
	struct fieldway_value value;
	const char *type;
} told[] = {
	{ { FIELDWAY_NONE }, "s" },
	{ { FIELDWAY_BOOL, .boolean = true }, "b" },
	{ { FIELDWAY_INT, .integer = -1 }, "x" },
	{ { FIELDWAY_UINT, .unsignd = 1 }, "t" },
	{ { FIELDWAY_FLOAT, .real = 0.5 }, "d" },
	{ { FIELDWAY_STRING, .data = "abcd", .size = 2 }, "s" },
	{ { FIELDWAY_BYTES, .data = "\0\1", .size = 2 }, "ay" },
};

START_TEST(values_as_variants)
{
	const char *type;
	char kind;

	must(field_value_append(m, &told[_i].value));
	must(sd_bus_message_peek_type(message_turn(m), &kind, &type));
	ck_assert_int_eq(kind, 'v');
	ck_assert_str_eq(type, told[_i].type);
}
END_TEST

START_TEST(problems)
{
	ck_assert_str_eq(field_problem(&(struct fieldway_sample){ .quality = FIELDWAY_GOOD }), "");
	ck_assert_str_eq(field_problem(&(struct fieldway_sample){ .quality = FIELDWAY_INVALID }), "invalid");
	ck_assert_str_eq(field_problem(&(struct fieldway_sample){ .quality = FIELDWAY_FAILED, .error = -ENXIO }),
			 "illegal address");
	ck_assert_str_eq(field_problem(&(struct fieldway_sample){ .quality = FIELDWAY_FAILED, .error = -EPIPE }),
			 strerror(EPIPE));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("field");
	TCase *tcase = tcase_create("field");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, any_number_that_fits);
	tcase_add_test(tcase, text_as_in_yaml);
	tcase_add_test(tcase, what_is_refused);
	tcase_add_test(tcase, settings_are_limited);
	tcase_add_test(tcase, split_by_scope);
	tcase_add_test(tcase, points_of_a_call);
	tcase_add_test(tcase, points_refused);
	tcase_add_test(tcase, points_are_limited);
	tcase_add_loop_test(tcase, values_as_variants, 0, ARRAY_SIZE(told));
	tcase_add_test(tcase, problems);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
