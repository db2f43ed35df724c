/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "config/difference.h"
#include "fixture.h"

/* What one configuration has of another one. */

static struct fixture *before, *after;
static struct config_difference *d;

static const char main_text[] =
	"schema: 1\n"
	"gateway: {endpoint_template: \"urn:{name}\"}\n"
	"servers:\n"
	"  - {name: plant, short_id: 101, uri: \"coap://127.0.0.1\", endpoints: [\"*\"]}\n";
static const char bus_text[] = "schema: 1\nbus: b\nplugin: modbus\ntcp: {port: 502}\n"
			       "---\nschema: 1\nbus: c\nplugin: modbus\ntcp: {port: 503}\n";
static const char profile_text[] =
	"schema: 1\nprofile: p\nplugin: modbus\nrates: {fast: 1s, slow: 1m}\n"
	"info: {manufacturer: ACME, model: Meter}\n"
	"defaults: {rate: fast}\n"
	"parameters: {ct: {default: 1, range: 1..100}}\n"
	"points:\n"
	"  v: {address: 0, type: float32, unit: V, factor: ct}\n"
	"  a: {address: 2, type: float32, unit: A}\n"
	"lwm2m: {3316/0/5700: v, 3317/0/5700: a}\n";
static const char devices_text[] =
	"schema: 1\ndevices:\n"
	"  - {name: \"m{unit}\", profile: p, bus: b, address: {unit: 1-4}}\n"
	"  - {name: n, profile: p, bus: c, address: {unit: 1}}\n"
	"endpoints:\n"
	"  - {name: both, lwm2m: {3316/0/5700: m1.v, 3316/1/5700: m2.v}}\n";

static const struct part {
	enum config_place place;
	const char *name, *text;
} parts[] = {
	{ CONFIG_PLACE_MAIN, "fieldway.yaml", main_text },
	{ CONFIG_PLACE_BUSES, "buses.yaml", bus_text },
	{ CONFIG_PLACE_PROFILES, "p.yaml", profile_text },
	{ CONFIG_PLACE_DEVICES, "devices.yaml", devices_text },
};

/* The same files, in which one text stands for another. */
static void read_with(struct fixture *f, const char *old, const char *new)
{
	unsigned changed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *at = old ? strstr(parts[i].text, old) : NULL;
		_cleanup_free_ char *text = NULL;

		if (at)
			ck_assert_int_ge(asprintf(&text, "%.*s%s%s", (int)(at - parts[i].text), parts[i].text,
						  new, at + strlen(old)),
					 0);
		changed += at != NULL;
		fixture_file(f, parts[i].place, parts[i].name, text ?: parts[i].text);
	}
	ck_assert_uint_eq(changed, old != NULL);
	fixture_good(f);
}

static void compare(const char *old, const char *new)
{
	d = config_difference_free(d);
	fixture_reset(after);
	read_with(after, old, new);
	ck_assert_int_eq(config_difference_new(before->config, after->config, &d), 0);
}

static void setup(void)
{
	before = fixture_new();
	after = fixture_new();
	read_with(before, NULL, NULL);
}

static void teardown(void)
{
	d = config_difference_free(d);
	before = fixture_free(before);
	after = fixture_free(after);
}

/* How many are the same, as a word: "11011". Those without a predecessor are '-'. */
static const char *word(const struct config_successor *s, size_t n)
{
	static char text[64];

	for (size_t i = 0; i < n; i++)
		text[i] = (char)(s[i].before == CONFIG_NONE ? '-' : s[i].same ? '1' : '0');
	text[n] = '\0';
	return text;
}

static void expect(const char *servers, const char *buses, const char *devices, const char *endpoints)
{
	ck_assert_str_eq(word(d->servers, d->after->n_servers), servers);
	ck_assert_str_eq(word(d->buses, d->after->n_buses), buses);
	ck_assert_str_eq(word(d->devices, d->after->n_devices), devices);
	ck_assert_str_eq(word(d->endpoints, d->after->n_endpoints), endpoints);
}

static uint32_t endpoint(const struct config *c, const char *name)
{
	uint32_t i = 0;

	while (!streq(c->endpoints[i].name, name))
		i++;
	return i;
}

START_TEST(the_same_again)
{
	compare(NULL, NULL);
	expect("1", "11", "11111", "111111");
	ck_assert_uint_eq(d->types[0].before, 0);
	for (uint32_t i = 0; i < 5; i++)
		ck_assert_uint_eq(d->devices_after[i], i);
}
END_TEST

/* Lines that move and notes are no change. */
START_TEST(other_words)
{
	compare("schema: 1\nprofile: p", "# a comment\nschema: 1\nprofile: p");
	expect("1", "11", "11111", "111111");
	compare("address: {unit: 1-4}}", "note: new, address: {unit: 1-4}, parameters: {ct: 1.0}}");
	expect("1", "11", "11111", "111111");
}
END_TEST

START_TEST(a_device_comes_in_front)
{
	compare("  - {name: \"m{unit}\"", "  - {name: m0, profile: p, bus: b, address: {unit: 9}}\n"
					  "  - {name: \"m{unit}\"");
	expect("1", "11", "-11111", "-111111");
	ck_assert_uint_eq(d->devices[1].before, 0);
	ck_assert_uint_eq(d->devices_after[0], 1);
	ck_assert_uint_eq(d->endpoints_after[0], 1);
}
END_TEST

START_TEST(a_device_goes)
{
	compare("unit: 1-4", "unit: 1-3");
	expect("1", "11", "1111", "11111");
	ck_assert_uint_eq(d->devices_after[3], CONFIG_NONE);
	ck_assert_uint_eq(d->devices_after[4], 3);
	ck_assert_uint_eq(d->endpoints_after[3], CONFIG_NONE);
}
END_TEST

START_TEST(an_address_changes)
{
	compare("{unit: 1-4}}", "{unit: 1-4}, override: {2: {rates: {fast: 2s}}}}");
	expect("1", "11", "10111", "101110");
	compare("address: {unit: 1}}", "address: {unit: 2}}");
	expect("1", "11", "11110", "111101");
}
END_TEST

/* An endpoint of its own has other objects; how the device is read stays. */
START_TEST(what_servers_make_changes)
{
	compare("{unit: 1-4}}", "{unit: 1-4}, create: [16], override: {2: {create: []}}}");
	expect("1", "11", "11111", "010011");
}
END_TEST

START_TEST(a_bus_changes)
{
	compare("port: 503", "port: 504");
	expect("1", "10", "11110", "111101");
	compare("bus: c\nplugin: modbus\ntcp: {port: 503}", "bus: c\nplugin: modbus\ntcp: {port: 503}\ntimeout: 3s");
	expect("1", "10", "11110", "111101");
}
END_TEST

/* On another bus it is another device; its endpoint stays, with other rows. */
START_TEST(a_device_moves)
{
	uint32_t n = endpoint(before->config, "n");

	compare("bus: c, address: {unit: 1}", "bus: b, address: {unit: 5}");
	expect("1", "11", "1111-", "111101");
	ck_assert_uint_eq(d->devices_after[4], CONFIG_NONE);
	ck_assert(!config_difference_same_row(d, n, 0, n, 0));
}
END_TEST

/* Another one by its name, which somebody may want to know all the same; its type does not count. */
START_TEST(a_device_is_renamed)
{
	compare("name: n,", "name: o,");
	expect("1", "11", "1111-", "1111-1");
	ck_assert_uint_eq(d->devices_renamed[4], 4);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_uint_eq(d->devices_renamed[i], CONFIG_NONE);
	compare("name: n, profile: p", "name: o, profile: p, parameters: {ct: 2}");
	ck_assert_uint_eq(d->devices_renamed[4], 4);
	compare("name: n, profile: p, bus: c, address: {unit: 1}", "name: o, profile: p, bus: c, address: {unit: 2}");
	ck_assert_uint_eq(d->devices_renamed[4], CONFIG_NONE);
	compare("name: n, profile: p, bus: c, address: {unit: 1}", "name: o, profile: p, bus: b, address: {unit: 5}");
	ck_assert_uint_eq(d->devices_renamed[4], CONFIG_NONE);
}
END_TEST

static int find_account(void *userdata, enum config_account kind, const char *name, uint32_t *ret)
{
	*ret = 990;
	return 0;
}

static void read_local(struct fixture *f, const char *devices)
{
	fixture_reset(f);
	f->sources.account = find_account;
	fixture_file(f, CONFIG_PLACE_MAIN, "fieldway.yaml", main_text);
	fixture_file(f, CONFIG_PLACE_PROFILES, "v.yaml",
		     "schema: 1\nprofile: v\nplugin: local\npoints: {people: {type: int64}}\n"
		     "lwm2m: {3300/0/5700: people}\n");
	fixture_file(f, CONFIG_PLACE_DEVICES, "devices.yaml", devices);
	fixture_good(f);
}

/* The owner of a local device may have others: it is no address. */
START_TEST(a_local_device_goes)
{
	read_local(before, "schema: 1\ndevices: [{name: a, profile: v, address: {owner: vision}}]\n");
	read_local(after, "schema: 1\ndevices: [{name: b, profile: v, address: {owner: vision}}]\n");
	ck_assert_int_eq(config_difference_new(before->config, after->config, &d), 0);
	ck_assert_uint_eq(d->devices_after[0], CONFIG_NONE);
	ck_assert_uint_eq(d->devices_renamed[0], CONFIG_NONE);
}
END_TEST

START_TEST(a_profile_changes)
{
	uint32_t m1 = endpoint(before->config, "m1");

	compare("a: {address: 2,", "a: {address: 4,");
	expect("1", "11", "00000", "000000");
	/* Yet its other rows give the same. */
	ck_assert(config_difference_same_row(d, m1, 0, m1, 0));
	ck_assert(!config_difference_same_row(d, m1, 1, m1, 1));
	ck_assert(!config_difference_same_row(d, m1, 0, m1, 1));
	ck_assert(!config_difference_same_row(d, m1, 0, m1 + 1, 0));
	ck_assert_uint_eq(d->types[0].before, CONFIG_NONE);
}
END_TEST

/* A map is its endpoints', and costs no device its line. */
START_TEST(a_map_changes)
{
	compare("3317/0/5700: a", "3317/1/5700: a");
	expect("1", "11", "11111", "000001");
	ck_assert_uint_eq(d->types[0].before, 0);
	compare("3316/1/5700: m2.v", "3316/1/5700: m3.v");
	expect("1", "11", "11111", "111110");
	compare("{3316/0/5700: m1.v", "{3316/0/5750: {value: x}, 3316/0/5700: m1.v");
	expect("1", "11", "11111", "111110");
}
END_TEST

/* Two types that only differ in their maps: each device's is the same. */
START_TEST(types_with_other_maps)
{
	static const char row[] =
		"  - {name: n, profile: p, bus: c, address: {unit: 1}, lwm2m: {3316/0/5750: {value: x}}}\n";

	fixture_reset(before);
	d = config_difference_free(d);
	read_with(before, "  - {name: n, profile: p, bus: c, address: {unit: 1}}\n", row);
	ck_assert_uint_eq(before->config->n_types, 2);
	compare("  - {name: n, profile: p, bus: c, address: {unit: 1}}\n", row);
	expect("1", "11", "11111", "111111");
}
END_TEST

START_TEST(names_and_infos_change)
{
	compare("model: Meter", "model: Counter");
	expect("1", "11", "11111", "000001");
	compare("urn:{name}", "uri:{name}");
	expect("1", "11", "11111", "------");
	compare("name: both", "endpoint: \"urn:both\", name: two");
	expect("1", "11", "11111", "111110");
}
END_TEST

START_TEST(servers_change)
{
	static const char *const others[] = {
		"coap://127.0.0.2\"",
		"coap://127.0.0.1\", lifetime: 2h",
		"coap://127.0.0.1\", protocol: \"1.1\"",
		"coap://127.0.0.1\", notify: {pmin: 3s}",
		"coap://127.0.0.1\", notify: {pmax: 3s}",
		"coap://127.0.0.1\", liveness: 2m",
		"coap://127.0.0.1\", formats: [tlv]",
		"coaps://127.0.0.1\", security: {mode: psk, identity: a, key: \"psk-file:k\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		compare("coap://127.0.0.1\"", others[i]);
		expect("0", "11", "11111", "111111");
	}
	compare("[\"*\"]", "[\"m*\"]");
	expect("0", "11", "11111", "111111");
	compare("name: plant", "name: factory");
	expect("-", "11", "11111", "111111");
	ck_assert_uint_eq(d->servers_after[0], CONFIG_NONE);
}
END_TEST

/* Every key of a point counts; those that say how often, or what may be written, leave its values what they are. */
START_TEST(points_change)
{
	static const char point[] = "a: {address: 2, type: float32, unit: A}";
	static const struct {
		const char *text;
		bool same_value;
	} others[] = {
		{ "a: {address: 2, type: float32, unit: mA}", false },
		{ "a: {address: 2, type: float32, unit: A, scale: 0.1}", false },
		{ "a: {address: 2, type: float32, unit: A, offset: 1}", false },
		{ "a: {address: 2, type: float32, unit: A, factor: 2}", false },
		{ "a: {address: 2, type: float32, unit: A, invalid: [nan]}", false },
		{ "a: {address: 2, type: float32, unit: A, range: 0..5}", true },
		{ "a: {address: 2, type: float32, unit: A, access: rw}", false },
		{ "a: {address: 2, type: float32, unit: A, access: rw, inexact: reject}", false },
		{ "a: {address: 2, type: float32, unit: A, access: rw, verify: true}", false },
		{ "a: {address: 2, type: float32, unit: A, access: rw, verify: {point: v, within: 3s}}", false },
		{ "a: {address: 2, type: float32, unit: A, rate: slow}", true },
		{ "a: {address: 2, type: float32, unit: A, deadband: 0.5}", true },
		{ "a: {address: 2, type: float32, unit: A, counter: {max_step: 100}}", false },
		{ "a: {address: 2, type: float32, unit: A, stale: {after: 7x}}", true },
		{ "a: {address: 2, type: float32, unit: A, stale: {read: last}}", true },
		{ "a: {address: 2, type: float32, order: CDAB, unit: A}", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		compare(point, others[i].text);
		ck_assert_msg(!config_difference_same_row(d, 0, 1, 0, 1), "%s", others[i].text);
		ck_assert_msg(config_difference_same_value(d, 0, 1, 0, 1) == others[i].same_value, "%s", others[i].text);
		ck_assert_msg(config_difference_same_row(d, 0, 0, 0, 0), "%s", others[i].text);
		ck_assert_msg(config_difference_same_value(d, 0, 0, 0, 0), "%s", others[i].text);
	}
	compare(point, "a: {address: 2, type: float32, unit: A, scale: 1, offset: 0}");
	ck_assert(config_difference_same_row(d, 0, 1, 0, 1));
	ck_assert(config_difference_same_value(d, 0, 1, 0, 1));
}
END_TEST

/* A point that another one names comes in front of it: both stay what they are. */
START_TEST(points_are_named)
{
	compare("  v: {address: 0", "  first: {address: 8, type: float32}\n  v: {address: 0");
	expect("1", "11", "00000", "000000");
	ck_assert(config_difference_same_row(d, 0, 0, 0, 0));
	ck_assert(config_difference_same_point(d, 0, 1, 0, 2));
	ck_assert(!config_difference_same_point(d, 0, 1, 0, 1));
}
END_TEST

/* From nothing, and to nothing. */
START_TEST(from_nothing)
{
	struct fixture *none = fixture_new();

	ck_assert_int_eq(fixture_read(none), 0);
	ck_assert(none->config->empty);
	ck_assert_int_eq(config_difference_new(none->config, before->config, &d), 0);
	expect("-", "--", "-----", "------");
	d = config_difference_free(d);
	ck_assert_int_eq(config_difference_new(before->config, none->config, &d), 0);
	expect("", "", "", "");
	ck_assert_uint_eq(d->endpoints_after[5], CONFIG_NONE);
	d = config_difference_free(d);
	fixture_free(none);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("config difference");
	TCase *t = tcase_create("difference");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_same_again);
	tcase_add_test(t, other_words);
	tcase_add_test(t, a_device_comes_in_front);
	tcase_add_test(t, a_device_goes);
	tcase_add_test(t, an_address_changes);
	tcase_add_test(t, what_servers_make_changes);
	tcase_add_test(t, a_bus_changes);
	tcase_add_test(t, a_device_moves);
	tcase_add_test(t, a_device_is_renamed);
	tcase_add_test(t, a_local_device_goes);
	tcase_add_test(t, a_profile_changes);
	tcase_add_test(t, a_map_changes);
	tcase_add_test(t, types_with_other_maps);
	tcase_add_test(t, names_and_infos_change);
	tcase_add_test(t, servers_change);
	tcase_add_test(t, points_change);
	tcase_add_test(t, points_are_named);
	tcase_add_test(t, from_nothing);
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
