/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "config/merged.h"
#include "fixture.h"

/* What files add up to, and where each value stands. */

static const char bus[] = "schema: 1\n"
			  "bus: hall\n"
			  "plugin: modbus\n"
			  "tcp: {port: 502}\n"
			  "rates: {fast: 10s}\n"
			  "stale: {read: last}\n";

static const char base[] = "schema: 1\n"
			   "profile: base\n"
			   "plugin: modbus\n"
			   "parameters: {ct: {type: float, default: 1}, pt: {type: float, default: 2}}\n"
			   "rates: {fast: 2s, slow: 1m}\n"
			   "defaults: {area: input, type: uint16, rate: slow, invalid: [nan, 65535, \"x\"]}\n"
			   "points:\n"
			   "  a: {address: 1, unit: V, scale: 1, factor: ct, deadband: 0.5, stale: {after: 1h}}\n"
			   "  total: {address: 4, unit: Wh, counter: {wrap: 1000, max_step: 9}}\n";

static const char meter[] = "schema: 1\n"
			    "profile: meter\n"
			    "extends: base\n"
			    "info: {manufacturer: ACME}\n"
			    "points:\n"
			    "  a: {rate: fast, unit: A}\n"
			    "  set: {address: 7, area: holding, rate: once, access: rw, range: ..50,\n"
			    "        inexact: reject, verify: {within: 2s, tolerance: 0.1, point: a}}\n"
			    "  mode: {address: 8, enum: {0: \"off\", 1: \"on\"}}\n"
			    "  \"go{i}\": {repeat: {i: 1-2}, step: 1, address: 9, area: coil, type: bool, access: w, invalid: 7}\n"
			    "  sf: {address: 11, type: int16, rate: once, scale10: mode}\n"
			    "identify: {point: sf, equals: [1, 2]}\n"
			    "lwm2m:\n"
			    "  \"3317/0\": {5700: a, 5750: {value: L1}}\n"
			    "  3/0/12: {execute: go1, value: true}\n";

static const char devices[] = "schema: 1\n"
			      "devices:\n"
			      "  - name: \"m{unit}\"\n"
			      "    profile: meter\n"
			      "    bus: hall\n"
			      "    address: {host: h, unit: 1-3}\n"
			      "    parameters: {ct: 20}\n"
			      "    note: a row\n"
			      "    override:\n"
			      "      2: {parameters: {ct: 40}, rates: {slow: 5m}, enabled: false, note: cut}\n";

static struct fixture *f;
static const struct config *c;

static void add_files(void)
{
	fixture_file(f, CONFIG_PLACE_BUSES, "b.yaml", bus);
	fixture_file(f, CONFIG_PLACE_PROFILES, "base.yaml", base);
	fixture_file(f, CONFIG_PLACE_PROFILES, "meter.yaml", meter);
	fixture_file(f, CONFIG_PLACE_DEVICES, "d.yaml", devices);
}

static void setup(void)
{
	f = fixture_new();
	add_files();
	c = fixture_good(f);
}

static void teardown(void)
{
	f = fixture_free(f);
}

static int add(void *userdata, const struct merged_row *row)
{
	char line[16] = "";

	if (row->origin.file)
		snprintf(line, sizeof(line), " %.1s:%u", row->origin.file, row->origin.line);
	return buf_printf(userdata, "%s|%s|%s|%s\n", row->point, row->key, row->value, line);
}

/* All rows of one point, or of the device (""). */
static void expect(const char *device, const char *point, const char *expected)
{
	_cleanup_buf_ struct buf all = { 0 }, some = { 0 };
	size_t n = strlen(point);

	ck_assert_int_eq(merged_each(c, config_device_find(c, device), add, &all), 0);
	ck_assert_int_eq(buf_append_byte(&all, 0), 0);
	for (char *save = NULL, *line = strtok_r((char *)all.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, point, n) == 0 && line[n] == '|')
			ck_assert_int_eq(buf_printf(&some, "%s\n", line + n + 1), 0);
	ck_assert_int_eq(buf_append_byte(&some, 0), 0);
	ck_assert_str_eq((const char *)some.data, expected);
}

START_TEST(device)
{
	expect("m1", "",
	       "profile|meter, revision 0| d:3\n"
	       "note|a row| d:8\n"
	       "info.manufacturer|ACME| m:4\n"
	       "host|h| d:6\n"
	       "unit|1| d:6\n"
	       "max_gap|0|\n"
	       "max_registers|125|\n"
	       "parameters.ct|20| d:7\n"
	       "parameters.pt|2| b:4\n"
	       "rates.fast|10s| b:5\n"
	       "rates.slow|1m| b:5\n"
	       "identify|sf equals 1, 2| m:12\n"
	       "lwm2m|3317/0/5750 is L1| m:14\n");
}
END_TEST

/* What shares a type has places of its own all the same. */
START_TEST(overridden)
{
	expect("m2", "",
	       "profile|meter, revision 0| d:3\n"
	       "enabled|false| d:10\n"
	       "note|cut| d:10\n"
	       "info.manufacturer|ACME| m:4\n"
	       "host|h| d:6\n"
	       "unit|2| d:6\n"
	       "max_gap|0|\n"
	       "max_registers|125|\n"
	       "parameters.ct|40| d:10\n"
	       "parameters.pt|2| b:4\n"
	       "rates.fast|10s| b:5\n"
	       "rates.slow|5m| d:10\n"
	       "identify|sf equals 1, 2| m:12\n"
	       "lwm2m|3317/0/5750 is L1| m:14\n");
}
END_TEST

static const struct {
	const char *point, *expected;
} points[] = {
	/* Of two files, and of the defaults of one. */
	{ "a", "area|input| b:6\n"
	       "address|1| b:8\n"
	       "type|uint16| b:6\n"
	       "order|ABCD|\n"
	       "unit|A| m:6\n"
	       "rate|fast (10s)| m:6\n"
	       "scale|1| b:8\n"
	       "factor|ct (20)| b:8\n"
	       "deadband|0.5| b:8\n"
	       "invalid|nan, 65535, x| b:6\n"
	       "stale.after|1h| b:8\n"
	       "stale.read|last| b:6\n"
	       "lwm2m|3317/0/5700| m:14\n" },
	{ "total", "area|input| b:6\n"
		   "address|4| b:9\n"
		   "type|uint16| b:6\n"
		   "order|ABCD|\n"
		   "unit|Wh| b:9\n"
		   "rate|slow (1m)| b:6\n"
		   "invalid|nan, 65535, x| b:6\n"
		   "counter|wrap 1000, max_step 9| b:9\n"
		   "stale.read|last| b:6\n" },
	{ "set", "area|holding| m:7\n"
		 "address|7| m:7\n"
		 "type|uint16| b:6\n"
		 "order|ABCD|\n"
		 "rate|once| m:7\n"
		 "access|rw| m:7\n"
		 "inexact|reject| m:8\n"
		 "invalid|nan, 65535, x| b:6\n"
		 "range|..50| m:7\n"
		 "verify|within 2s, tolerance 0.1, point a| m:8\n"
		 "stale.read|last| b:6\n" },
	{ "mode", "area|input| b:6\n"
		  "address|8| m:9\n"
		  "type|uint16| b:6\n"
		  "order|ABCD|\n"
		  "rate|slow (1m)| b:6\n"
		  "invalid|nan, 65535, x| b:6\n"
		  "enum|0: off, 1: on| m:9\n"
		  "stale.read|last| b:6\n" },
	/* Written only: it has no rate. */
	{ "go1", "area|coil| m:10\n"
		 "address|9| m:10\n"
		 "type|bool| m:10\n"
		 "order|ABCD|\n"
		 "access|w| m:10\n"
		 "invalid|7| m:10\n"
		 "stale.read|last| b:6\n"
		 "lwm2m|3/0/12 execute| m:15\n" },
	{ "go2", "area|coil| m:10\n"
		 "address|10| m:10\n"
		 "type|bool| m:10\n"
		 "order|ABCD|\n"
		 "access|w| m:10\n"
		 "invalid|7| m:10\n"
		 "stale.read|last| b:6\n" },
	{ "sf", "area|input| b:6\n"
		"address|11| m:11\n"
		"type|int16| m:11\n"
		"order|ABCD|\n"
		"rate|once| m:11\n"
		"scale10|mode| m:11\n"
		"invalid|nan, 65535, x| b:6\n"
		"stale.read|last| b:6\n" },
};

START_TEST(point)
{
	expect("m1", points[_i].point, points[_i].expected);
}
END_TEST

static int stop(void *userdata, const struct merged_row *row)
{
	unsigned *n = userdata;

	(void)row;
	return ++*n == 3 ? -EXFULL : 0;
}

START_TEST(ends)
{
	unsigned n = 0;

	ck_assert_int_eq(merged_each(c, &c->devices[0], stop, &n), -EXFULL);
	ck_assert_uint_eq(n, 3);
}
END_TEST

/* Secrets stay where they are, and nobody reads on for ever. */
START_TEST(what_is_not_told)
{
	char profile[2048];

	fixture_reset(f);
	fixture_file(f, CONFIG_PLACE_BUSES, "b.yaml", "schema: 1\nbus: b\nplugin: talker\n");
	snprintf(profile, sizeof(profile),
		 "schema: 1\nprofile: scale\nplugin: talker\npoints: {w: {from: \"%0999d\"}}\n", 0);
	fixture_file(f, CONFIG_PLACE_PROFILES, "scale.yaml", profile);
	fixture_file(f, CONFIG_PLACE_DEVICES, "d.yaml",
		     "schema: 1\n"
		     "devices: [{name: d, profile: scale, bus: b, address: {key: \"file:k\"}}]\n");
	c = fixture_good(f);
	snprintf(profile, sizeof(profile), "from|%0400d| s:4\n", 0);
	expect("d", "w", profile);
	expect("d", "", "profile|scale, revision 0| d:2\nkey|(not shown)| d:2\ngap|3|\nmode|stream|\n");
}
END_TEST

/* Without a place in the world a device can still be looked at, where that is allowed. */
START_TEST(without_address)
{
	static const char nowhere[] = "schema: 1\ndevices: [{name: e, profile: meter, bus: hall}]\n";

	for (unsigned allowed = 0; allowed < 2; allowed++) {
		fixture_reset(f);
		add_files();
		fixture_file(f, CONFIG_PLACE_DEVICES, "e.yaml", nowhere);
		f->sources.addresses_optional = allowed;
		ck_assert_int_eq(fixture_read(f), allowed ? 0 : -EINVAL);
		ck_assert_str_eq(f->error_text, allowed ? "" : "e.yaml:2:11: address.unit: is missing\n");
	}
	ck_assert_uint_eq(config_device_find(f->config, "e")->address.n, 0);
	ck_assert_uint_eq(config_device_find(f->config, "m1")->address.n, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("merged");
	TCase *tcase = tcase_create("merged");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, device);
	tcase_add_test(tcase, overridden);
	tcase_add_loop_test(tcase, point, 0, ARRAY_SIZE(points));
	tcase_add_test(tcase, ends);
	tcase_add_test(tcase, what_is_not_told);
	tcase_add_test(tcase, without_address);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
