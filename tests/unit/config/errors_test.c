/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "cases_bus.h"
#include "cases_devices.h"
#include "cases_main.h"
#include "cases_map.h"
#include "cases_profile.h"
#include "config/keys.h"
#include "config/loader.h"
#include "fixture.h"

/* Every message stands in a table of its own: text of one file, all messages. */

static struct fixture *f;

static void setup(void)
{
	f = fixture_new();
}

static void teardown(void)
{
	f = fixture_free(f);
}

static void run(const struct error_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		fixture_reset(f);
		fixture_case(f, cases[i].letter, cases[i].text);
		r = fixture_read(f);
		ck_assert_msg(streq(f->error_text, cases[i].expected), "%s\ngave\n%s\nnot\n%s",
			      cases[i].text, f->error_text, cases[i].expected);
		ck_assert_int_eq(r, *cases[i].expected ? -EINVAL : 0);
	}
}

START_TEST(main_file)
{
	run(main_cases, ARRAY_SIZE(main_cases));
}
END_TEST

START_TEST(buses)
{
	run(bus_cases, ARRAY_SIZE(bus_cases));
}
END_TEST

START_TEST(profiles)
{
	run(profile_cases, ARRAY_SIZE(profile_cases));
}
END_TEST

START_TEST(maps)
{
	run(map_cases, ARRAY_SIZE(map_cases));
}
END_TEST

START_TEST(devices)
{
	run(devices_cases, ARRAY_SIZE(devices_cases));
}
END_TEST

/* All messages of all files at once, in the order of the files. */
START_TEST(order)
{
	fixture_file(f, CONFIG_PLACE_MAIN, "fieldway.yaml",
		     "schema: 1\nstale: {read: x, after: y}\nservers: [5]\n");
	fixture_file(f, CONFIG_PLACE_BUSES, "b1.yaml",
		     "schema: 1\nbus: b1\nplugin: modbus\nretries: x\n");
	fixture_file(f, CONFIG_PLACE_BUSES, "b2.yaml", "schema: 1\nbus: [\n");
	fixture_file(
		f, CONFIG_PLACE_DEVICES, "d.yaml",
		"schema: 1\ndevices: [{name: a, profile: p, bus: b1, address: {unit: x}}]\nx: 1\n");
	fixture_file(f, CONFIG_PLACE_PROFILES, "p.yaml",
		     "schema: 1\nprofile: p\nplugin: modbus\npoints: {v: {}}\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(
		f->error_text,
		"fieldway.yaml:2:15: \"x\" is none of error, last\n"
		"fieldway.yaml:2:25: after is a number of intervals such as 3x (at most 1000x), or a duration such as 30s\n"
		"fieldway.yaml:3:11: a server is a mapping, written {key: value}\n"
		"b1.yaml:4:10: expected an integer, found x\n"
		"b2.yaml:3:1: while parsing a flow node, did not find expected node content\n"
		"d.yaml:3:1: unknown key \"x\"\n"
		"p.yaml:4:10: address: is missing\n"
		"p.yaml:4:10: v has no rate, here or in defaults\n");
}
END_TEST

/* More messages than are kept are counted; a message is one line whatever the file holds. */
START_TEST(flood)
{
	_cleanup_buf_ struct buf b = { 0 };

	buf_append_text(&b, "schema: 1\n");
	for (unsigned i = 0; i < 3000; i++)
		buf_printf(&b, "\"x\\n%u\": 1\n", i);
	buf_append_byte(&b, 0);
	fixture_file(f, CONFIG_PLACE_MAIN, "fieldway.yaml", (char *)b.data);
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_uint_eq(f->errors.n, 3000);
	ck_assert_ptr_nonnull(strstr(f->error_text, "fieldway.yaml:2:1: unknown key \"x?0\"\n"));
}
END_TEST

/* A plugin that was taken away costs its own buses, not the configuration. */
START_TEST(plugin_optional)
{
	f->sources.plugins_optional = true;
	fixture_case(f, 'm', "");
	fixture_file(f, CONFIG_PLACE_BUSES, "c.yaml",
		     "schema: 1\nbus: c\nplugin: absent\nanything: {at: all}\n");
	fixture_file(f, CONFIG_PLACE_PROFILES, "q.yaml",
		     "schema: 1\nprofile: q\nplugin: absent\n"
		     "rates: {fast: 1s}\n"
		     "points: {t: {some: key, unit: Cel, rate: fast}, heard: {some: key}}\nlwm2m: {3303/0/5700: t}\n");
	fixture_file(f, CONFIG_PLACE_DEVICES, "e.yaml",
		     "schema: 1\ndevices:\n"
		     "  - {name: e1, profile: q, bus: c, address: {port: a}}\n"
		     "  - {name: e2, profile: q, bus: c, address: {port: b}}\n");
	ck_assert_msg(fixture_read(f) == 0, "%s", f->error_text);
	ck_assert_str_eq(f->warning_text, "c.yaml:3:9: plugin absent: not installed; its buses will not "
					  "work, and its keys are not checked\n");
	ck_assert_uint_eq(f->config->n_devices, 3);
	ck_assert(f->config->buses[1].plugin->unchecked);
	ck_assert(!f->config->buses[0].plugin->unchecked);
	ck_assert_uint_eq(f->config->devices[1].address.n, 0);
	/* A device type that is shipped, and that nobody has, is no news. */
	fixture_reset(f);
	f->sources.plugins_optional = true;
	fixture_case(f, 'm', "");
	fixture_shared(f, CONFIG_PLACE_PROFILES, "r.yaml",
		       "schema: 1\nprofile: r\nplugin: absent\npoints: {t: {some: key}}\n");
	ck_assert_msg(fixture_read(f) == 0, "%s", f->error_text);
	ck_assert_str_eq(f->warning_text, "");
	/* What is no plugin's is checked all the same. */
	fixture_reset(f);
	f->sources.plugins_optional = true;
	fixture_case(f, 'b', "timeout: 5\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
}
END_TEST

START_TEST(yml)
{
	fixture_file(f, CONFIG_PLACE_MAIN, "fieldway.yml", "");
	fixture_file(f, CONFIG_PLACE_OBJECTS, "objects.d/1.yml", "");
	fixture_good(f);
	ck_assert(f->config->empty);
	ck_assert_str_eq(f->warning_text,
			 "fieldway.yml:1:1: not read: configuration files are named *.yaml\n"
			 "objects.d/1.yml:1:1: not read: configuration files are named *.yaml\n");
}
END_TEST

static const char hidden[] = "schema: 1\nprofile: p\nplugin: modbus\nrevision: 4\n";

START_TEST(hidden_profile)
{
	fixture_shared(f, CONFIG_PLACE_PROFILES, "/usr/p.yaml", hidden);
	fixture_file(f, CONFIG_PLACE_PROFILES, "/etc/p.yaml",
		     "schema: 1\nprofile: p\nplugin: modbus\nrevision: 3\nrates: {r: 1s}\n"
		     "points: {v: {address: 1, rate: r}}\n");
	fixture_shared(f, CONFIG_PLACE_PROFILES, "/usr/broken.yaml", "[");
	fixture_file(f, CONFIG_PLACE_PROFILES, "/etc/broken.yaml",
		     "schema: 1\nprofile: broken\nplugin: modbus\n");
	fixture_good(f);
	ck_assert_str_eq(f->warning_text,
			 "/etc/p.yaml:1:1: revision 3 hides revision 4 of /usr/p.yaml\n"
			 "/etc/broken.yaml:1:1: revision 0 hides revision 0 of /usr/broken.yaml\n");
}
END_TEST

START_TEST(two_writers)
{
	fixture_case(
		f, 'd',
		"devices:\n"
		"  - {name: d, profile: p, bus: b, address: {unit: 1}, lwm2m: {3306/0/5850: w}}\n"
		"  - {name: e, profile: p, bus: b, address: {unit: 2}, endpoint: none}\n"
		"endpoints:\n"
		"  - {name: p1, lwm2m: {3306/0/5850: d.w, 3306/1/5850: e.w, 3316/0/5700: d.v}}\n"
		"  - {name: p2, lwm2m: {3306/7/5850: e.w, 3316/0/5700: d.v}}\n");
	fixture_good(f);
	ck_assert_str_eq(f->warning_text,
			 "d.yaml:6:37: d.w can be written through two endpoints, d and p1\n"
			 "d.yaml:7:37: e.w can be written through two endpoints, p1 and p2\n");
}
END_TEST

/* Only in profiles of the user's own; a point that helps another one is of use. */
START_TEST(unmapped_points)
{
	static const char profile[] =
		"schema: 1\nprofile: q\nplugin: modbus\n"
		"defaults: {rate: on-demand}\n"
		"identify: {point: model, equals: 1}\n"
		"points:\n"
		"  model: {address: 0}\n"
		"  running: {address: 1}\n"
		"  exponent: {address: 2}\n"
		"  run: {address: 3, access: rw, verify: {point: running}, scale10: exponent}\n"
		"  \"v{p}\": {repeat: {p: 1-4}, address: 10, step: 1, unit: V}\n"
		"  far: {address: 20, unit: V}\n"
		"  alone: {address: 21, unit: V}\n"
		"lwm2m: {3316/0/5700: v1, 3306/0/5850: run}\n";

	fixture_file(f, CONFIG_PLACE_PROFILES, "q.yaml", profile);
	fixture_case(f, 'd', "devices:\n"
			     "  - {name: d, profile: q, bus: b, address: {unit: 1}, lwm2m: {3316/1/5700: v2}}\n"
			     "endpoints:\n"
			     "  - {name: e, lwm2m: {3316/0/5700: d.far}}\n");
	fixture_good(f);
	ck_assert_ptr_nonnull(strstr(f->unmapped_text, "q.yaml:11:3: point v3 appears in no resource\n"
						       "q.yaml:13:3: point alone appears in no resource\n"));
	ck_assert_ptr_null(strstr(f->unmapped_text, "v4"));
	fixture_reset(f);
	fixture_shared(f, CONFIG_PLACE_PROFILES, "q.yaml", profile);
	fixture_case(f, 'd', "devices: []\n");
	fixture_good(f);
	ck_assert_ptr_null(strstr(f->unmapped_text, "q.yaml"));
}
END_TEST

START_TEST(unused_rate)
{
	fixture_case(f, 'b', "rates: {fast: 2s, fsat: 1s}\n");
	fixture_good(f);
	ck_assert_str_eq(f->warning_text,
			 "b.yaml:4:19: no device on bus b has a rate class \"fsat\"\n");
}
END_TEST

START_TEST(unused_pattern)
{
	fixture_case(
		f, 'm',
		"servers: [{name: s, short_id: 1, uri: \"coap://h\", endpoints: [\"x*\", \"?\", \"ho*\"]}]\n");
	fixture_good(f);
	ck_assert_str_eq(f->warning_text,
			 "fieldway.yaml:2:63: no endpoint has a name like \"x*\"\n");
}
END_TEST

/* Who names what is in a file that is no YAML has made no mistake. */
START_TEST(damaged_files)
{
	fixture_case(f, 'd', "devices: [{name: d, profile: p, bus: c, address: {unit: 1}},\n"
			     "  {name: e, profile: q, bus: b, address: {unit: 1}}]\n");
	fixture_file(f, CONFIG_PLACE_BUSES, "c.yaml", "schema: 1\nbus: c\n\tplugin: modbus\n");
	fixture_file(f, CONFIG_PLACE_PROFILES, "q.yaml", "profile: {q\n");
	fixture_file(f, CONFIG_PLACE_PROFILES, "r.yaml", "schema: 1\nprofile: r\nextends: q\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_ptr_null(strstr(f->error_text, "unknown"));
	ck_assert_ptr_nonnull(strstr(f->error_text, "c.yaml:3:"));
	ck_assert_ptr_nonnull(strstr(f->error_text, "q.yaml:2:"));
	fixture_reset(f);
	fixture_case(f, 'd', "devices: [{name: d, profile: o, bus: b, address: {unit: 1}}]\n");
	fixture_file(f, CONFIG_PLACE_PROFILES, "q.yaml", "profile: {q\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_ptr_nonnull(strstr(f->error_text, "unknown profile \"o\""));
}
END_TEST

START_TEST(other_quantity)
{
	fixture_case(f, 'p', "defaults: {rate: fast}\n"
			     "points: {v: {address: 0, unit: V}, t: {address: 2, unit: degF}}\n"
			     "lwm2m: {3303/0/5700: v, 3303/1/5700: t, 3300/0/5700: v}\n");
	fixture_good(f);
	ck_assert_str_eq(f->warning_text,
			 "p.yaml:7:22: point v is in V, and object 3303 is Temperature\n");
}
END_TEST

START_TEST(coulombs)
{
	fixture_case(f, 'p', "defaults: {rate: fast}\n"
			     "points: {t: {address: 0, unit: C}}\nlwm2m: {3300/0/5700: t}\n");
	fixture_good(f);
	ck_assert_str_eq(f->warning_text,
			 "p.yaml:6:32: C is the coulomb, degrees Celsius are Cel\n");
}
END_TEST

/*
 * The package brings device types for plugins that need not be installed; a device
 * of one does need it.
 */
START_TEST(shared_without_plugin)
{
	fixture_case(f, 'm', "");
	fixture_shared(f, CONFIG_PLACE_PROFILES, "/usr/s.yaml",
		       "schema: 1\nprofile: s\nplugin: serial\nframe: {}\n");
	fixture_good(f);
	ck_assert_str_eq(f->warning_text, "");
	fixture_reset(f);
	fixture_case(f, 'd', "devices: [{name: d, profile: s, bus: b, address: {unit: 1}}]\n");
	fixture_shared(f, CONFIG_PLACE_PROFILES, "/usr/s.yaml",
		       "schema: 1\nprofile: s\nplugin: serial\nframe: {}\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text,
			 "d.yaml:2:30: profile s needs the plugin serial, which is not there\n");
}
END_TEST

/* Nor does everything that comes with the package fit the user's own objects. */
START_TEST(shared_without_resource)
{
	static const char shared[] = "schema: 1\nprofile: s\nplugin: modbus\nrates: {fast: 1s}\n"
				     "defaults: {rate: fast}\npoints: {v: {address: 1}}\n"
				     "lwm2m: {3303/0: {5700: v, 9999: {value: x}}, 3303/1/9998: v}\n";

	fixture_case(f, 'm', "");
	fixture_shared(f, CONFIG_PLACE_PROFILES, "/usr/s.yaml", shared);
	fixture_good(f);
	ck_assert_str_eq(f->warning_text,
			 "/usr/s.yaml:7:27: object 3303 (Temperature) 1.1 has no resource 9999: "
			 "no device is of this type, which is left out\n");
	fixture_reset(f);
	fixture_case(f, 'd', "devices: [{name: d, profile: s, bus: b, address: {unit: 1}}]\n");
	fixture_shared(f, CONFIG_PLACE_PROFILES, "/usr/s.yaml", shared);
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text,
			 "/usr/s.yaml:7:27: object 3303 (Temperature) 1.1 has no resource 9999\n"
			 "/usr/s.yaml:7:46: object 3303 (Temperature) 1.1 has no resource 9998\n");
	fixture_reset(f);
	fixture_case(f, 'p', "extends: s\n");
	fixture_shared(f, CONFIG_PLACE_PROFILES, "/usr/s.yaml", shared);
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_ptr_nonnull(strstr(f->error_text, "has no resource 9998\n"));
}
END_TEST

START_TEST(too_many_endpoints)
{
	fixture_case(f, 'm', "limits: {endpoints: 1}\n");
	fixture_file(f, CONFIG_PLACE_DEVICES, "e.yaml",
		     "schema: 1\nendpoints: [{name: x, lwm2m: {}}]\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text,
			 "fieldway.yaml:2:9: there are 2 endpoints, limits allow 1\n");
}
END_TEST

/* The tables are what manual and `explain` are made from: nothing may be missing. */
START_TEST(key_tables_are_complete)
{
	for (size_t i = 0; key_tables[i]; i++) {
		ck_assert_uint_gt(key_tables[i]->n, 0);
		for (size_t k = 0; k < key_tables[i]->n; k++) {
			const struct key *key = &key_tables[i]->keys[k];

			ck_assert_msg(key->help && *key->help, "%s.%s", key_tables[i]->place,
				      key->name);
			ck_assert(key->kind != KEY_CHOICE || key->choices);
			ck_assert(key->kind != KEY_ONLY || key->initial);
			ck_assert(key->minimum <= key->maximum);
			for (size_t m = 0; m < k; m++)
				ck_assert_str_ne(key->name, key_tables[i]->keys[m].name);
		}
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("config errors");
	TCase *tables = tcase_create("tables"), *rest = tcase_create("rest");

	tcase_add_checked_fixture(tables, setup, teardown);
	tcase_add_test(tables, main_file);
	tcase_add_test(tables, buses);
	tcase_add_test(tables, profiles);
	tcase_add_test(tables, maps);
	tcase_add_test(tables, devices);
	suite_add_tcase(s, tables);
	tcase_add_checked_fixture(rest, setup, teardown);
	tcase_add_test(rest, order);
	tcase_add_test(rest, flood);
	tcase_add_test(rest, plugin_optional);
	tcase_add_test(rest, yml);
	tcase_add_test(rest, hidden_profile);
	tcase_add_test(rest, two_writers);
	tcase_add_test(rest, unmapped_points);
	tcase_add_test(rest, unused_rate);
	tcase_add_test(rest, unused_pattern);
	tcase_add_test(rest, damaged_files);
	tcase_add_test(rest, other_quantity);
	tcase_add_test(rest, coulombs);
	tcase_add_test(rest, shared_without_plugin);
	tcase_add_test(rest, shared_without_resource);
	tcase_add_test(rest, too_many_endpoints);
	tcase_add_test(rest, key_tables_are_complete);
	suite_add_tcase(s, rest);
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
