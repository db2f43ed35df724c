/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "config/loader.h"
#include "fixture.h"

/* Ranges, rows, tables and overrides; limits. */

static struct fixture *f;

static void setup(void)
{
	f = fixture_new();
}

static void teardown(void)
{
	f = fixture_free(f);
}

static const struct config_device *device(const char *name)
{
	const struct config_device *d = config_device_find(f->config, name);

	ck_assert_msg(d, "no device %s", name);
	return d;
}

static uint64_t unit_of(const char *name)
{
	return settings_find(&device(name)->address, "unit")->unsignd;
}

static void read_devices(const char *text)
{
	fixture_case(f, 'd', text);
	fixture_good(f);
}

START_TEST(lists_and_products)
{
	read_devices(
		"devices:\n"
		"  - {name: \"a-{unit}\", profile: p, bus: b, address: {unit: [3, 7, 0x10]}}\n"
		"  - {name: \"b-{hall}-{n:02}\", profile: p, bus: b, each: {hall: [east, west], n: 8-11},"
		" address: {host: \"{hall}.lan\", unit: \"{n}\"}}\n");
	ck_assert_uint_eq(f->config->n_devices, 3 + 8);
	ck_assert_uint_eq(unit_of("a-7"), 7);
	ck_assert_uint_eq(unit_of("a-0x10"), 16);
	ck_assert_uint_eq(unit_of("b-east-08"), 8);
	ck_assert_uint_eq(unit_of("b-west-11"), 11);
	ck_assert_str_eq(settings_find(&device("b-west-11")->address, "host")->data, "west.lan");
	ck_assert_str_eq(f->config->devices[3].name, "b-east-08");
	ck_assert_str_eq(f->config->devices[4].name, "b-east-09");
}
END_TEST

/* An address that does not vary can be named all the same. */
START_TEST(constant_placeholder)
{
	read_devices("devices: [{name: \"m{unit:03}\", profile: p, bus: b, address: {unit: 5}}]\n");
	ck_assert_uint_eq(unit_of("m005"), 5);
}
END_TEST

START_TEST(table)
{
	fixture_file(f, CONFIG_PLACE_TABLES, "/etc/fieldway/rooms.csv",
		     "room,unit,note\r\nkitchen,1,\"by the \"\"door\"\", left\"\r\n\nroof,2,\n");
	fixture_file(f, CONFIG_PLACE_TABLES, "/etc/fieldway/old/rooms.csv", "wrong\n1\n");
	read_devices("devices: [{name: \"th-{room}\", profile: p, bus: b, each: csv:rooms.csv,"
		     " address: {unit: \"{unit}\"}, override: {roof: {note: high}}}]\n");
	ck_assert_uint_eq(f->config->n_devices, 2);
	ck_assert_uint_eq(unit_of("th-kitchen"), 1);
	ck_assert_str_eq(device("th-roof")->note, "high");
}
END_TEST

START_TEST(bad_tables)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "t.csv:1:1: \"\" is no name of a placeholder\n" },
		{ "a b,c\n", "t.csv:1:1: \"a b\" is no name of a placeholder\n" },
		{ "a\n", "d.yaml:2:52: the table t.csv has no rows\n" },
		{ "a,b\n1\n", "t.csv:2:1: the line has 1 fields, the first one has 2\n" },
		{ "a,b\n1,2,3\n", "t.csv:2:5: more than 2 fields\n" },
		{ "a\n\"x\n", "t.csv:2:3: a quote is not closed in its line\n" },
		{ "a\n\"x\"y\n", "t.csv:2:4: expected a comma or the end of the line\n" },
		{ "a\n{b}\n", "t.csv:2:4: a value for a placeholder has no placeholders itself\n" },
		{ "a,a\n1,2\n", "d.yaml:2:18: the placeholder {a} is set twice\n" },
		{ "a\n\xff\n", "t.csv:1:1: the table is not UTF-8 text\n" },
		{ "a\nx y\n",
		  "d.yaml:2:18: \"dx y\" is no name: letters, digits, \"_\", \"-\" and \".\", at most 64 of them\n" },
		{ "unit\n1\n", "d.yaml:2:18: unknown placeholder \"a\"\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fixture_reset(f);
		fixture_case(
			f, 'd',
			"devices: [{name: \"d{a}\", profile: p, bus: b, each: csv:t.csv, address: {unit: 1}}]\n");
		fixture_file(f, CONFIG_PLACE_TABLES, "t.csv", cases[i].text);
		ck_assert_int_eq(fixture_read(f), -EINVAL);
		ck_assert_msg(strstr(f->error_text, cases[i].error), "%s gave %s", cases[i].text,
			      f->error_text);
	}
}
END_TEST

/* By the varying placeholder's value where there is one, else by the full name. */
START_TEST(override_keys)
{
	read_devices(
		"devices:\n"
		"  - {name: \"a{unit:02}\", profile: p, bus: b, address: {unit: 1-3}, override: {2: {note: two}}}\n"
		"  - {name: \"b-{x}-{unit}\", profile: p, bus: b, each: {x: [k, l]}, address: {host: \"{x}\", unit: 1-2},"
		" override: {b-k-2: {note: both}}}\n");
	ck_assert_str_eq(device("a02")->note, "two");
	ck_assert_ptr_null(device("a01")->note);
	ck_assert_str_eq(device("b-k-2")->note, "both");
	ck_assert_ptr_null(device("b-l-2")->note);
}
END_TEST

/*
 * override, device, bus, profile, gateway; what is equal in the end is shared,
 * however it was said.
 */
START_TEST(precedence)
{
	fixture_file(f, CONFIG_PLACE_BUSES, "c.yaml",
		     "schema: 1\nbus: c\nplugin: modbus\nrates: {fast: 2s}\nstale: {after: 9x}\n");
	fixture_case(
		f, 'd',
		"devices:\n"
		"  - {name: plain, profile: p, bus: b, address: {unit: 1}}\n"
		"  - {name: same, profile: p, bus: b, address: {unit: 2}, rates: {fast: 1s}, parameters: {ct: 1}}\n"
		"  - {name: bus, profile: p, bus: c, address: {unit: 1}}\n"
		"  - {name: row, profile: p, bus: c, address: {unit: 2}, rates: {fast: 3s}, stale: {read: last}}\n"
		"  - {name: \"o{unit}\", profile: p, bus: c, address: {unit: 3-4}, rates: {fast: 3s}, parameters: {ct: 5},"
		" override: {4: {rates: {fast: 4s}, parameters: {ct: 6}, stale: {after: 1m}, endpoint: own}}}\n");
	fixture_good(f);
	ck_assert_ptr_eq(device("plain")->type, device("same")->type);
	ck_assert_uint_eq(device("plain")->type->points[0].period_usec, 1000000);
	ck_assert_uint_eq(device("bus")->type->points[0].period_usec, 2000000);
	ck_assert_uint_eq(device("bus")->type->points[0].stale.times, 9);
	ck_assert_uint_eq(device("row")->type->points[0].period_usec, 3000000);
	ck_assert_uint_eq(device("row")->type->points[0].stale.times, 9);
	ck_assert_int_eq(device("row")->type->points[0].stale.read, CONFIG_STALE_LAST);
	ck_assert_double_eq(device("o3")->type->points[0].factor, 5);
	ck_assert_uint_eq(device("o3")->type->points[0].period_usec, 3000000);
	ck_assert_double_eq(device("o4")->type->points[0].factor, 6);
	ck_assert_uint_eq(device("o4")->type->points[0].period_usec, 4000000);
	ck_assert_uint_eq(device("o4")->type->points[0].stale.after_usec, 60000000);
	ck_assert_uint_eq(f->config->n_types, 5);
	ck_assert_str_eq(f->config->endpoints[5].endpoint, "own");
}
END_TEST

/* Placeholders in a row's own map make as many types as there are values. */
START_TEST(own_rows)
{
	const struct config_type *one, *two;

	read_devices("devices: [{name: \"d{unit}\", profile: p, bus: b, address: {unit: 1-2},"
		     " lwm2m: {3316/0/5750: {value: \"meter {unit}\"}, 3306/0/5850: w}}]\n");
	one = device("d1")->type;
	two = device("d2")->type;
	ck_assert_ptr_ne(one, two);
	ck_assert_uint_eq(one->n_map, 3);
	ck_assert_int_eq(one->map[0].path.object, 3306);
	ck_assert_int_eq(one->map[1].path.resource, 5700);
	ck_assert_str_eq(one->map[2].constant.data, "meter 1");
	ck_assert_str_eq(two->map[2].constant.data, "meter 2");
	fixture_reset(f);
	read_devices(
		"devices: [{name: \"d{unit}\", profile: p, bus: b, address: {unit: 1-2},"
		" endpoint: \"urn:{machine_id}:{name}\", lwm2m: {3316/0/5750: {value: \"{gateway} {name}\"}}}]\n"
		"endpoints: [{name: \"e{n}\", each: {n: 1-2}, lwm2m: {3316/0: {5700: \"d{n}.v\", 5750: {value: \"{name}\"}}}}]\n");
	ck_assert_str_eq(device("d2")->type->map[1].constant.data, "gw7 d2");
	ck_assert_str_eq(f->config->endpoints[1].endpoint,
			 "urn:0123456789abcdef0123456789abcdef:d2");
	ck_assert_str_eq(f->config->endpoints[3].map[1].constant.data, "e2");
}
END_TEST

START_TEST(repeats)
{
	const struct config_type *type;

	fixture_case(
		f, 'p',
		"defaults: {rate: fast, area: coil, access: rw}\n"
		"points:\n"
		"  \"r{n:02}\": {repeat: {n: 1-12}, address: 0, step: 2, write: {address: 100},"
		" verify: {point: \"s{n:02}\"}}\n"
		"  \"s{n:02}\": {repeat: {n: 1-12}, address: \"{n}\"}\n"
		"lwm2m: {\"3306/{i}\": {repeat: {n: 1-12}, 5850: \"r{n:02}\", 5750: {value: \"relay {n}\"}}}\n");
	fixture_good(f);
	type = f->config->types[0];
	ck_assert_uint_eq(type->n_points, 24);
	ck_assert_uint_eq(settings_find(&type->points[11].settings, "address")->unsignd, 22);
	ck_assert_uint_eq(settings_find(&type->points[11].settings, "write.address")->unsignd, 122);
	ck_assert_str_eq(type->points[type->points[11].verify.point].name, "s12");
	ck_assert_uint_eq(settings_find(&type->points[23].settings, "address")->unsignd, 12);
	ck_assert_uint_eq(type->n_map, 24);
	ck_assert_int_eq(type->map[23].path.instance, 11);
	ck_assert_str_eq(type->map[22].constant.data, "relay 12");
}
END_TEST

static void assert_create(size_t endpoint, size_t n, const uint16_t *ids)
{
	const struct config_objects *create = &f->config->endpoints[endpoint].create;

	ck_assert_uint_eq(create->n, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(create->ids[i], ids[i]);
}

/* Of all devices of a row, and of one by its override, which may also take it away. */
START_TEST(creates)
{
	fixture_case(f, 'd',
		     "devices: [{name: \"d{unit}\", profile: p, bus: b, address: {unit: 1-4}, create: [16, 19],"
		     " override: {2: {create: [19]}, 3: {create: []}, 4: {note: x}}}]\n"
		     "endpoints: [{name: \"e{n}\", each: {n: 1-2}, create: [19], lwm2m: {3/0/2: {value: s}}}]\n");
	fixture_good(f);
	ck_assert_uint_eq(f->config->n_endpoints, 6);
	assert_create(0, 2, (uint16_t[]){ 16, 19 });
	assert_create(1, 1, (uint16_t[]){ 19 });
	assert_create(2, 0, NULL);
	assert_create(3, 2, (uint16_t[]){ 16, 19 });
	assert_create(4, 1, (uint16_t[]){ 19 });
	assert_create(5, 1, (uint16_t[]){ 19 });
	ck_assert_uint_eq(f->config->n_types, 1);
}
END_TEST

/* Ten thousand devices in one row and in as many rows: one type, and limits beyond. */
START_TEST(ten_thousand)
{
	_cleanup_buf_ struct buf b = { 0 };

	fixture_case(f, 'd',
		     "devices: [{name: \"m-{a}-{unit}\", profile: p, bus: b, each: {a: 1-40},"
		     " address: {host: \"10.0.0.{a}\", unit: 1-250}}]\n");
	fixture_good(f);
	ck_assert_uint_eq(f->config->n_devices, 10000);
	ck_assert_uint_eq(f->config->n_endpoints, 10000);
	ck_assert_uint_eq(f->config->n_types, 1);
	fixture_reset(f);
	buf_append_text(&b, "schema: 1\ndevices:\n");
	for (unsigned i = 0; i < CONFIG_DEVICES_MAX; i++)
		buf_printf(
			&b,
			"  - {name: m%u, profile: p, bus: b, address: {host: h%u, unit: 1}, parameters: {ct: 40}}\n",
			i, i);
	buf_append_byte(&b, 0);
	fixture_case(f, 'D', "");
	fixture_file(f, CONFIG_PLACE_DEVICES, "e.yaml", (char *)b.data);
	fixture_good(f);
	ck_assert_uint_eq(f->config->n_devices, 10000);
	ck_assert_uint_eq(f->config->n_types, 1);
}
END_TEST

static void assert_limit(char letter, const char *text, const char *error)
{
	fixture_reset(f);
	fixture_case(f, letter, text);
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_msg(strstr(f->error_text, error), "%s", f->error_text);
}

START_TEST(limits)
{
	assert_limit(
		'd',
		"devices: [{name: \"d{a}{b}{c}{d}{e}{f}{g}{h}\", profile: p, bus: b, each: {a: 1-2, b: 1-2, c: 1-2,"
		" d: 1-2, e: 1-2, f: 1-2, g: 1-2, h: 1-2, i: 1-2}, address: {unit: 1}}]\n",
		"more than 8 ranges at once");
	assert_limit(
		'd',
		"devices: [{name: \"d{a}{b}\", profile: p, bus: b, each: {a: 1-101, b: 1-100}, address: {unit: 1}}]\n",
		"more than 10000 devices");
	assert_limit(
		'p',
		"defaults: {rate: fast}\npoints: {\"v{p}\": {repeat: {p: 1-10000}, address: 0, step: 1}, w: {address: 0}}\n",
		"more than 10000 points");
	assert_limit('p',
		     "defaults: {rate: fast}\npoints: {v: {address: 0}}\n"
		     "lwm2m: {\"3316/{i}\": {repeat: {p: 1-5001}, 5700: v, 5750: {value: x}}}\n",
		     "more than 10000 rows in lwm2m");
	assert_limit('p',
		     "defaults: {rate: fast}\npoints: {v: {address: 0}}\n"
		     "samples: [{registers: {input: {4294967295: 1}}, expect: {}}]\n",
		     "4294967295 is not between");
}
END_TEST

/* Devices that all differ from each other: bounded by what all types hold together. */
START_TEST(too_many_types)
{
	fixture_case(
		f, 'd',
		"devices: [{name: \"m-{a}-{unit}\", profile: q, bus: b, each: {a: 1-40}, address: {host: \"h{a}\", unit: 1-250},"
		" lwm2m: {3316/0/5750: {value: \"{a}-{unit}\"}}}]\n");
	fixture_file(f, CONFIG_PLACE_PROFILES, "q.yaml",
		     "schema: 1\nprofile: q\nplugin: modbus\nrates: {r: 1s}\n"
		     "points: {\"v{p}\": {repeat: {p: 1-200}, address: 0, step: 1, rate: r}}\n"
		     "lwm2m: {3316/0/5700: v1}\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_msg(strstr(f->error_text, "q.yaml:1:1: devices differ in more than 10000 ways"),
		      "%s", f->error_text);
	ck_assert_uint_eq(f->errors.n, 1);
}
END_TEST

/* Several meters behind one address: a parameter says where each of them begins. */
START_TEST(parametric_settings)
{
	static const char profile[] = "schema: 1\nprofile: p\nplugin: modbus\n"
				      "parameters: {gap: {type: integer, default: 5, range: 0..5000}}\n"
				      "defaults: {rate: on-demand, max_gap: \"{gap}\"}\n"
				      "points: {v: {address: 0, unit: V}}\n"
				      "lwm2m: {3316/0/5700: v}\n";
	static const char bus[] = "schema: 1\nbus: b\nplugin: modbus\ntcp: {port: 502}\n";
	struct config *c;

	fixture_file(f, CONFIG_PLACE_BUSES, "b.yaml", bus);
	fixture_file(f, CONFIG_PLACE_PROFILES, "p.yaml", profile);
	fixture_file(f, CONFIG_PLACE_DEVICES, "d.yaml", "schema: 1\ndevices:\n"
			     "  - {name: a, profile: p, bus: b, address: {unit: 1}}\n"
			     "  - {name: \"m{n}\", profile: p, bus: b, each: {n: 1-2}, address: {unit: 1}, parameters: {gap: 7},\n"
			     "     override: {2: {parameters: {gap: 9}}}}\n");
	c = fixture_good(f);
	ck_assert_uint_eq(settings_find(&c->devices[0].type->settings, "max_gap")->unsignd, 5);
	ck_assert_uint_eq(settings_find(&c->devices[1].type->settings, "max_gap")->unsignd, 7);
	ck_assert_uint_eq(settings_find(&c->devices[2].type->settings, "max_gap")->unsignd, 9);
	/* But not at the same place, nor where the plugin does not allow it. */
	fixture_reset(f);
	fixture_file(f, CONFIG_PLACE_BUSES, "b.yaml", bus);
	fixture_file(f, CONFIG_PLACE_PROFILES, "p.yaml", profile);
	fixture_file(f, CONFIG_PLACE_DEVICES, "d.yaml", "schema: 1\ndevices:\n"
			     "  - {name: a, profile: p, bus: b, address: {unit: 1}}\n"
			     "  - {name: c, profile: p, bus: b, address: {unit: 1}, parameters: {gap: 7}}\n"
			     "  - {name: d, profile: p, bus: b, address: {unit: 1}}\n"
			     "  - {name: e, profile: p, bus: b, address: {unit: 2}, parameters: {gap: 2001}}\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text, "p.yaml:5:38: 2001 is not between 0 and 2000\n"
					"d.yaml:5:12: d has the address of a on bus b (d.yaml:3)\n");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("config expansion");
	TCase *t = tcase_create("expansion");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, lists_and_products);
	tcase_add_test(t, constant_placeholder);
	tcase_add_test(t, table);
	tcase_add_test(t, bad_tables);
	tcase_add_test(t, override_keys);
	tcase_add_test(t, precedence);
	tcase_add_test(t, own_rows);
	tcase_add_test(t, repeats);
	tcase_add_test(t, creates);
	tcase_add_test(t, ten_thousand);
	tcase_add_test(t, limits);
	tcase_add_test(t, too_many_types);
	tcase_add_test(t, parametric_settings);
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
