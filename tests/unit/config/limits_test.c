/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "config/loader.h"
#include "fixture.h"

/* Everything that a file can make grow: one more than allowed is refused. */

static struct fixture *f;

static void setup(void)
{
	f = fixture_new();
}

static void teardown(void)
{
	f = fixture_free(f);
}

#define POINTS "defaults: {rate: fast}\npoints: {v: {address: 0, "
#define ROW "profile: p, bus: b, address: {unit: 1}, "

/* before, n times each (with its number), after */
static const struct limit {
	char letter;
	unsigned n;
	const char *before, *each, *after, *error;
} limits[] = {
	{ 'B', CONFIG_BUSES_MAX, "", "---\nschema: 1\nbus: b%u\nplugin: modbus\n", "",
	  "more than 1000 buses" },
	{ 'p', CONFIG_INVALID_MAX, POINTS "invalid: [", "%u, ", "]}}\n",
	  "more than 64 invalid values" },
	{ 'p', CONFIG_LABELS_MAX, POINTS "enum: {", "%1$u: l%1$u, ", "}}}\n",
	  "more than 1000 labels" },
	{ 'p', CONFIG_CELLS_MAX,
	  "defaults: {rate: fast}\npoints: {v: {address: 0}}\n"
	  "samples: [{expect: {}, registers: {input: {0: [",
	  "%u, ", "]}}}]\n", "more than 65536 registers" },
	{ 'p', 1000, "defaults: {rate: fast}\npoints: {v: {address: 0}}\nsamples: [",
	  "{registers: {input: {%u: 1}}, expect: {}}, ", "]\n", "more than 1000 samples" },
	{ 'd', 10000,
	  "devices: [{name: \"d{unit}\", profile: p, bus: b, address: {unit: 1}, override: {",
	  "%u: {}, ", "}}]\n", "more than 10000 overrides" },
	{ 'd', CONFIG_VARIABLES_MAX, "devices: [{name: d, " ROW "each: [{", "x%u: 1, ", "}]}]\n",
	  "more than 64 placeholders" },
	{ 'm', 16, "servers: [{name: s, short_id: 1, uri: \"coap://h\", formats: [", "tlv, ",
	  "]}]\n", "more than 16 formats" },
	{ 'm', 1000, "servers: [{name: s, short_id: 1, uri: \"coap://h\", endpoints: [",
	  "\"x%u*\", ", "]}]\n", "more than 1000 endpoints" },
	{ 'd', CONFIG_DEVICES_MAX, "devices: [",
	  "{name: d%1$u, profile: p, bus: b, address: {host: h%1$u, unit: 1}}, ", "]\n",
	  "more than 10000 devices" },
};

static int try_limit(const struct limit *limit, unsigned n)
{
	_cleanup_buf_ struct buf b = { 0 };
	char each[256];

	fixture_reset(f);
	buf_append_text(&b, limit->before);
	for (unsigned i = 0; i < n; i++) {
		snprintf(each, sizeof(each), limit->each, i + 1);
		buf_append_text(&b, each);
	}
	buf_append_text(&b, limit->after);
	buf_append_byte(&b, 0);
	fixture_case(f, limit->letter, (char *)b.data);
	return fixture_read(f);
}

START_TEST(one_more)
{
	const struct limit *limit = &limits[_i];

	ck_assert_int_eq(try_limit(limit, limit->n + 1), -EINVAL);
	ck_assert_msg(strstr(f->error_text, limit->error), "%s", f->error_text);
	try_limit(limit, limit->n - 4);
	ck_assert_msg(!strstr(f->error_text, "more than"), "%s", f->error_text);
}
END_TEST

START_TEST(profiles)
{
	char name[32], text[64];

	for (unsigned i = 0; i <= CONFIG_PROFILES_MAX; i++) {
		snprintf(name, sizeof(name), "p%u.yaml", i);
		snprintf(text, sizeof(text), "schema: 1\nprofile: p%u\nplugin: modbus\n", i);
		fixture_file(f, CONFIG_PLACE_PROFILES, name, text);
	}
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text, "p2000.yaml:1:1: more than 2000 profiles\n");
}
END_TEST

START_TEST(plugins)
{
	char name[32], text[64];

	f->sources.plugins_optional = true;
	for (unsigned i = 0; i <= CONFIG_PLUGINS_MAX; i++) {
		snprintf(name, sizeof(name), "b%u.yaml", i);
		snprintf(text, sizeof(text), "schema: 1\nbus: b%1$u\nplugin: x%1$u\n", i);
		fixture_file(f, CONFIG_PLACE_BUSES, name, text);
	}
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text, "b32.yaml:3:9: more than 32 plugins\n");
}
END_TEST

START_TEST(endpoints)
{
	fixture_case(f, 'm', "limits: {endpoints: 100000}\n");
	fixture_file(f, CONFIG_PLACE_DEVICES, "e.yaml",
		     "schema: 1\nendpoints: [{name: \"e{n}\", each: {n: 1-20001}, lwm2m: {}}]\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text, "e.yaml:2:20: more than 20000 endpoints\n");
}
END_TEST

/* What is more than all expansions together may make, in several rows. */
START_TEST(expansions)
{
	fixture_case(f, 'm', "");
	fixture_file(f, CONFIG_PLACE_DEVICES, "e.yaml",
		     "schema: 1\ndevices:\n"
		     "  - {name: \"a{n}\", profile: x, bus: b, each: {n: 1-150000}}\n"
		     "  - {name: \"b{n}\", profile: x, bus: b, each: {n: 1-150000}}\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text,
			 "e.yaml:3:12: more than 10000 devices\n"
			 "e.yaml:3:29: unknown profile \"x\"\n"
			 "e.yaml:4:29: unknown profile \"x\"\n"
			 "e.yaml:4:50: ranges, tables and repeats make more than 200000 items\n");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("config limits");
	TCase *t = tcase_create("limits");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, one_more, 0, ARRAY_SIZE(limits));
	tcase_add_test(t, profiles);
	tcase_add_test(t, plugins);
	tcase_add_test(t, endpoints);
	tcase_add_test(t, expansions);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
