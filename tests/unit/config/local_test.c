/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fixture.h"

/* Devices of plugin local: on no bus of the files, by owners that the system knows. */

#define MAIN "schema: 1\ngateway: {endpoint_template: \"{name}\"}\n"
#define PROFILE(keys, points) "schema: 1\nprofile: vision\nplugin: local\n" keys "points: {" points "}\n"
#define DEVICES(rows) "schema: 1\ndevices:\n" rows
#define OWNED "  - {name: d, profile: vision, address: {owner: vision}}\n"
#define PEOPLE "people: {type: int64}"

static struct fixture *f;

static int find_account(void *userdata, enum config_account kind, const char *name, uint32_t *ret)
{
	if (kind == CONFIG_USER && streq(name, "vision"))
		*ret = 990;
	else if (kind == CONFIG_GROUP && streq(name, "cameras"))
		*ret = 991;
	else
		return streq(name, "far") ? -EIO : -ENOENT;
	return 0;
}

static void setup(void)
{
	f = fixture_new();
	f->sources.account = find_account;
}

static void teardown(void)
{
	f = fixture_free(f);
}

static int run(const char *profile, const char *devices, const char *bus)
{
	fixture_reset(f);
	fixture_file(f, CONFIG_PLACE_MAIN, "m.yaml", MAIN);
	fixture_file(f, CONFIG_PLACE_PROFILES, "vision.yaml", profile);
	fixture_file(f, CONFIG_PLACE_DEVICES, "d.yaml", devices);
	if (bus)
		fixture_file(f, CONFIG_PLACE_BUSES, "b.yaml", bus);
	return fixture_read(f);
}

START_TEST(good)
{
	const struct config_device *d;
	const struct config_point *p;

	ck_assert_int_eq(run(PROFILE("silence: 30s\n", "people: {type: int64}, limit: {type: float, access: rw, range: 0..5, "
							"persist: true}"),
			     DEVICES(OWNED "  - {name: e, profile: vision, address: {group: cameras}}\n"
					   "  - {name: f, profile: vision, address: {owner: vision}}\n"),
			     NULL),
			 0);
	ck_assert_str_eq(f->error_text, "");
	ck_assert_uint_eq(f->config->n_buses, 1);
	ck_assert_str_eq(f->config->buses[0].name, "local");
	ck_assert_ptr_eq(f->config->buses[0].plugin, &config_plugin_local);
	d = config_device_find(f->config, "d");
	ck_assert_uint_eq(d->owner_uid, 990);
	ck_assert_uint_eq(d->owner_gid, UINT32_MAX);
	ck_assert_str_eq(d->owner, "vision");
	p = &d->type->points[1];
	ck_assert(settings_find(&p->settings, "persist")->boolean);
	ck_assert_uint_eq(p->silence_usec, 30000000);
	d = config_device_find(f->config, "e");
	ck_assert_uint_eq(d->owner_uid, UINT32_MAX);
	ck_assert_uint_eq(d->owner_gid, 991);
	ck_assert_str_eq(d->owner, "cameras");
}
END_TEST

/* None of them, no bus. */
START_TEST(no_device)
{
	ck_assert_int_eq(run(PROFILE("", PEOPLE), DEVICES(""), NULL), 0);
	ck_assert_uint_eq(f->config->n_buses, 0);
}
END_TEST

START_TEST(strangers)
{
	const char *devices = DEVICES("  - {name: d, profile: vision, address: {owner: visoin, group: camera}}\n");

	ck_assert_int_eq(run(PROFILE("", PEOPLE), devices, NULL), -EINVAL);
	ck_assert_str_eq(f->error_text, "d.yaml:3:41: there is no user \"visoin\"\n"
					"d.yaml:3:41: there is no group \"camera\"\n");
	/* They may come later: that is no reason not to run. */
	f->sources.plugins_optional = true;
	ck_assert_int_eq(run(PROFILE("", PEOPLE), devices, NULL), 0);
	ck_assert_str_eq(f->warning_text, "d.yaml:3:41: there is no user \"visoin\": nobody of that name can publish\n"
					  "d.yaml:3:41: there is no group \"camera\": nobody of that name can publish\n");
	ck_assert_uint_eq(f->config->devices[0].owner_uid, UINT32_MAX);
	/* Where nobody can say, nobody says that there is none. */
	ck_assert_int_eq(run(PROFILE("", PEOPLE), DEVICES("  - {name: d, profile: vision, address: {owner: far}}\n"), NULL), 0);
	ck_assert_str_eq(f->warning_text, "d.yaml:3:41: user \"far\" cannot be looked up: Input/output error: nobody of "
					  "that name can publish\n");
	/* And where nobody can be asked. */
	f->sources.account = NULL;
	ck_assert_int_eq(run(PROFILE("", PEOPLE), devices, NULL), 0);
	ck_assert_str_eq(f->warning_text, "");
}
END_TEST

START_TEST(errors)
{
	static const struct {
		const char *profile, *devices, *bus, *expected;
	} cases[] = {
		{ PROFILE("", PEOPLE), DEVICES("  - {name: d, profile: vision}\n"), NULL,
		  "d.yaml:3:5: a local device has the owner that publishes for it: address: {owner: USER}\n" },
		{ PROFILE("", PEOPLE), DEVICES("  - {name: d, profile: vision, bus: b, address: {owner: vision}}\n"), NULL,
		  "d.yaml:3:37: a local device is on no bus\n" },
		{ PROFILE("", PEOPLE), DEVICES("  - {name: d, profile: vision, address: {onwer: vision}}\n"), NULL,
		  "d.yaml:3:42: unknown key \"onwer\", did you mean \"owner\"?\n" },
		{ PROFILE("", PEOPLE), DEVICES(OWNED), "schema: 1\nbus: local\nplugin: modbus\n",
		  "d.yaml:3:24: local devices have a bus local of their own: that of b.yaml:1 needs another name\n" },
		{ PROFILE("", PEOPLE), DEVICES(""), "schema: 1\nbus: x\nplugin: local\n",
		  "b.yaml:3:9: local devices need no bus: plugin local stands in their profile alone\n" },
		{ PROFILE("", "v: {}"), DEVICES(""), NULL, "vision.yaml:4:10: type: is missing\n" },
		{ PROFILE("", "v: {type: int}"), DEVICES(""), NULL,
		  "vision.yaml:4:20: \"int\" is none of bool, int64, uint64, float, string, bytes; did you mean \"int64\"?\n" },
		{ PROFILE("", "v: {type: int64, scale: 2}"), DEVICES(""), NULL,
		  "vision.yaml:4:10: v has a scale: a local device gives values as they are\n" },
		{ PROFILE("", "v: {type: int64, invalid: 7}"), DEVICES(""), NULL,
		  "vision.yaml:4:10: v has invalid values: a local device gives values as they are\n" },
		{ PROFILE("", "v: {type: int64, access: rw, verify: true}"), DEVICES(""), NULL,
		  "vision.yaml:4:10: v has verify: a local device gives values as they are\n" },
		{ PROFILE("", "v: {type: int64, sample: {every: 1s}}"), DEVICES(""), NULL,
		  "vision.yaml:4:10: v has a sample: a local device gives values as they are\n" },
		{ PROFILE("rates: {fast: 1s}\n", "v: {type: int64, rate: fast}"), DEVICES(""), NULL,
		  "vision.yaml:5:10: v has a rate: a local device is not polled; silence is how long its values hold\n" },
		{ PROFILE("", "v: {type: int64, access: w, persist: true}"), DEVICES(""), NULL,
		  "vision.yaml:4:10: v is only written: it has no value to persist\n" },
		{ PROFILE("", "v: {type: int64, counter: {max_step: 9}, persist: true}"), DEVICES(""), NULL,
		  "vision.yaml:4:10: v is a counter, whose total is kept without persist\n" },
		{ PROFILE("samples: [{expect: {v: 1}}]\n", "v: {type: int64}"), DEVICES(""), NULL,
		  "vision.yaml:4:10: a local device gives values as they are: it has no samples\n" },
		{ PROFILE("identify: {point: v, equals: 1}\n", "v: {type: int64}"), DEVICES(""), NULL,
		  "vision.yaml:4:11: a local device gives values as they are: it has no identify\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(run(cases[i].profile, cases[i].devices, cases[i].bus), -EINVAL);
		ck_assert_str_eq(f->error_text, cases[i].expected);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("local");
	TCase *tcase = tcase_create("local");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, good);
	tcase_add_test(tcase, no_device);
	tcase_add_test(tcase, strangers);
	tcase_add_test(tcase, errors);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
