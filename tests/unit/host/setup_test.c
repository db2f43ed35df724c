/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/setup/explain.h"
#include "host/setup/input.h"
#include "host/setup/setup.h"
#include "link/marshal.h"
#include "suite.h"

/* Tests run in the build folder. */
#define PLUGINS "tests/unit/host/.libs"

#define SETTING_INT(k, i)                                                                          \
	{                                                                                          \
		(k),                                                                               \
		{                                                                                  \
			.type = FIELDWAY_INT, .integer = (i)                                       \
		}                                                                                  \
	}
#define SETTING_UINT(k, u)                                                                         \
	{                                                                                          \
		(k),                                                                               \
		{                                                                                  \
			.type = FIELDWAY_UINT, .unsignd = (u)                                      \
		}                                                                                  \
	}
#define SETTING_FLOAT(k, f)                                                                        \
	{                                                                                          \
		(k),                                                                               \
		{                                                                                  \
			.type = FIELDWAY_FLOAT, .real = (f)                                        \
		}                                                                                  \
	}
#define SETTING_BOOL(k, b)                                                                         \
	{                                                                                          \
		(k),                                                                               \
		{                                                                                  \
			.type = FIELDWAY_BOOL, .boolean = (b)                                      \
		}                                                                                  \
	}
#define SETTING_TEXT(k, t)                                                                         \
	{                                                                                          \
		(k),                                                                               \
		{                                                                                  \
			.type = FIELDWAY_STRING, .data = (t), .size = strlen(t)                    \
		}                                                                                  \
	}

static struct loader *loader;
static struct refusals refusals;
static struct link_point points[3];
static struct link_type type;
static struct link_device devices[3];
static struct fieldway_setting bus_setting, type_setting, point_setting, lines[3];
static struct link_configuration configuration;

static void setup(void)
{
	const struct fieldway_setting line = SETTING_TEXT("line", "l1");

	ck_assert_int_eq(loader_new(PLUGINS, &loader), 0);
	refusals = (struct refusals){ 0 };
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "a", "b", "c" };

		points[i] = (struct link_point){ .name = names[i],
						 .access = LINK_READ,
						 .scale = 1,
						 .factor = 1,
						 .verify.point = -1,
						 .scale10 = -1,
						 .period_usec = 1000000 };
		lines[i] = line;
		devices[i] = (struct link_device){ .id = 10 + (uint32_t)i,
						   .name = names[i],
						   .address = { &lines[i], 1 } };
	}
	type = (struct link_type){ .settings = { &type_setting, 0 },
				   .points = points,
				   .n_points = 3 };
	configuration = (struct link_configuration){
		.generation = 1,
		.plugin = "fake",
		.bus = { .name = "bus", .timeout_usec = 500000, .settings = { &bus_setting, 0 } },
		.retries = 1,
		.offline_after = 3,
		.offline_first_usec = 5000000,
		.offline_last_usec = 300000000,
		.types = &type,
		.n_types = 1,
		.devices = devices,
		.n_devices = 3,
	};
}

static void teardown(void)
{
	refusals_done(&refusals);
	loader = loader_free(loader);
}

static int make(enum setup_kind kind, struct setup **ret)
{
	struct link_configuration *c = malloc(sizeof(*c));

	*c = configuration;
	return setup_new(loader, c, kind, &refusals, ret);
}

static struct setup *accepted(void)
{
	struct setup *s = NULL;
	int r = make(SETUP_BUS, &s);

	ck_assert_msg(r == 0, "%s", refusals.n > 0 ? refusals.items[0].text : "");
	return s;
}

static void refused(int32_t device, int32_t point, const char *key, const char *text)
{
	struct setup *s;

	refusals_done(&refusals);
	ck_assert_int_eq(make(SETUP_BUS, &s), -EINVAL);
	ck_assert_uint_eq(refusals.n, 1);
	ck_assert_int_eq(refusals.items[0].device, device);
	ck_assert_int_eq(refusals.items[0].point, point);
	ck_assert_str_eq(refusals.items[0].key, key);
	ck_assert_str_eq(refusals.items[0].text, text);
}

static const struct fieldway_value *find(const struct fieldway_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].key, key) == 0)
			return &s->items[i].value;
	return NULL;
}

START_TEST(defaults_are_filled_in)
{
	struct setup *s = accepted();
	const struct setup_device *d = &s->devices[0];

	ck_assert_int_eq(find(&s->bus.settings, "speed")->integer, -2);
	ck_assert_uint_eq(find(&s->bus.settings, "wait")->unsignd, 5000);
	ck_assert_int_eq(find(&d->device.settings, "hangs")->boolean, false);
	ck_assert_double_eq(find(&d->device.settings, "ratio")->real, 1.5);
	ck_assert_mem_eq(find(&d->device.settings, "line")->data, "l1", 2);
	ck_assert_mem_eq(find(&d->device.points[2].settings, "mood")->data, "good", 4);
	ck_assert_str_eq(d->line, "l1");
	/* Devices of a type share what is the same. */
	ck_assert_ptr_eq(d->device.points, s->devices[2].device.points);
	ck_assert_ptr_eq(setup_find(s, 12), &s->devices[2]);
	ck_assert_ptr_null(setup_find(s, 0));
	setup_free(s);
}
END_TEST

START_TEST(whole_numbers_are_numbers)
{
	struct fieldway_setting ratio = SETTING_INT("ratio", 3), wait = SETTING_INT("wait", 7);
	struct setup *s;

	type_setting = ratio;
	type.settings.n = 1;
	bus_setting = wait;
	configuration.bus.settings.n = 1;
	s = accepted();
	ck_assert_double_eq(find(&s->devices[0].device.settings, "ratio")->real, 3);
	ck_assert_int_eq(find(&s->bus.settings, "wait")->type, FIELDWAY_UINT);
	ck_assert_uint_eq(find(&s->bus.settings, "wait")->unsignd, 7);
	setup_free(s);
}
END_TEST

static const struct {
	struct fieldway_setting setting;
	const char *text;
} bus_rows[] = {
	{ SETTING_INT("speed", 6), "bus bus: speed: is not within -5 to 5" },
	{ SETTING_BOOL("speed", true), "bus bus: speed: takes a whole number" },
	{ SETTING_FLOAT("wait", 1), "bus bus: wait: takes a whole number, not negative" },
	{ SETTING_INT("wait", -1), "bus bus: wait: takes a whole number, not negative" },
	{ SETTING_INT("spede", 1), "bus bus: plugin fake has no key 'spede' here" },
	{ { "line", { .type = FIELDWAY_STRING, .data = "x", .size = 1 } },
	  "bus bus: plugin fake has no key 'line' here" },     /* of another scope */
	{ SETTING_INT("speed", 0), "bus bus: does not move" }, /* the plugin's own */
};

START_TEST(bus_settings_are_checked)
{
	bus_setting = bus_rows[_i].setting;
	configuration.bus.settings.n = 1;
	refused(-1, -1, bus_rows[_i].setting.key, bus_rows[_i].text);
}
END_TEST

START_TEST(bus_numbers_are_checked)
{
	configuration.bus.timeout_usec = 0;
	refused(-1, -1, "timeout", "bus bus: the timeout is 1 ms to 10 minutes");
	configuration.bus.timeout_usec = UINT64_MAX;
	refused(-1, -1, "timeout", "bus bus: the timeout is 1 ms to 10 minutes");
	configuration.bus.timeout_usec = 1000;
	configuration.retries = 101;
	refused(-1, -1, "retries", "bus bus: at most 100 retries");
	configuration.retries = 0;
	configuration.offline_first_usec = 0;
	refused(-1, -1, "offline", "bus bus: retry is from 1 ms up, the shorter time first");
	configuration.offline_first_usec = configuration.offline_last_usec + 1;
	refused(-1, -1, "offline", "bus bus: retry is from 1 ms up, the shorter time first");
}
END_TEST

START_TEST(device_settings_are_checked)
{
	const struct fieldway_setting hangs = SETTING_TEXT("hangs", "yes");
	const struct fieldway_setting twice[] = { SETTING_TEXT("line", "a"),
						  SETTING_TEXT("line", "b") };

	devices[1].address.n = 0;
	refused(11, -1, "line", "bus bus: device b: line: is missing");
	devices[1].address = (struct fieldway_settings){ twice, 2 };
	refused(11, -1, "line", "bus bus: device b: line: is given twice");
	devices[1].address.n = 1;
	type_setting = hangs;
	type.settings.n = 1;
	configuration.n_devices = 1;
	refused(10, -1, "hangs", "bus bus: device a: hangs: takes true or false");
}
END_TEST

#define SETTING_BYTES(k, t)                                                                        \
	{                                                                                          \
		(k),                                                                               \
		{                                                                                  \
			.type = FIELDWAY_BYTES, .data = (t), .size = sizeof(t) - 1                 \
		}                                                                                  \
	}

static void refused_in_profile(const struct fieldway_setting *items, size_t n, const char *key,
			       const char *text)
{
	type.settings = (struct fieldway_settings){ items, n };
	configuration.n_devices = 1;
	refused(10, -1, key, text);
}

/* Names that the user chose, lists, and what files hold. */
START_TEST(chosen_names)
{
	const struct fieldway_setting items[] = { SETTING_UINT("names.b.size", 3),
						  SETTING_TEXT("names.a.words", "x"),
						  SETTING_TEXT("names.a.words", "y"),
						  SETTING_INT("names.a.size", 4),
						  SETTING_BYTES("key", "\x00\x01") };
	const struct fieldway_settings *given;
	struct setup *s;

	type.settings = (struct fieldway_settings){ items, ARRAY_SIZE(items) };
	s = accepted();
	given = &s->devices[0].device.settings;
	/* As they came, before the address and what is filled in. */
	ck_assert_uint_ge(given->n, ARRAY_SIZE(items));
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		ck_assert_str_eq(given->items[i].key, items[i].key);
	ck_assert_int_eq(given->items[3].value.type, FIELDWAY_UINT);
	ck_assert_mem_eq(find(given, "key")->data, "\x00\x01", 2);
	setup_free(s);
}
END_TEST

START_TEST(chosen_names_are_checked)
{
	const struct fieldway_setting size[] = { SETTING_UINT("names.a.size", 10) },
				      twice[] = { SETTING_UINT("names.a.size", 1),
						  SETTING_UINT("names.a.size", 1) },
				      deep[] = { SETTING_UINT("names.a.b.size", 1) },
				      key[] = { SETTING_TEXT("key", "file:x") },
				      bytes[] = { SETTING_BYTES("names.a.size", "x") };

	refused_in_profile(size, 1, "names.a.size",
			   "bus bus: device a: names.a.size: is not within 0 to 9");
	refused_in_profile(twice, 2, "names.a.size",
			   "bus bus: device a: names.a.size: is given twice");
	refused_in_profile(deep, 1, "names.a.b.size",
			   "bus bus: device a: plugin fake has no key 'names.a.b.size' here");
	refused_in_profile(key, 1, "key", "bus bus: device a: key: takes what a file holds");
	refused_in_profile(bytes, 1, "names.a.size",
			   "bus bus: device a: names.a.size: takes a whole number, not negative");
}
END_TEST

/* Of each type for its first device. */
START_TEST(notes)
{
	struct refusals found = { 0 };
	struct setup *s;

	lines[0].value.data = "odd";
	lines[0].value.size = 3;
	s = accepted();
	ck_assert_int_eq(explain_notes(s, &found), 0);
	ck_assert_uint_eq(found.n, EXPLAIN_NOTES_MAX);
	ck_assert_int_eq(found.items[0].device, 10);
	ck_assert_int_eq(found.items[0].point, 1);
	ck_assert_str_eq(found.items[0].key, "mood");
	ck_assert_str_eq(found.items[0].text, "bus bus: device a: point b: looks odd");
	ck_assert_int_eq(found.items[1].point, -1);
	ck_assert_str_eq(found.items[1].text, "bus bus: device a: looks odd");
	refusals_done(&found);
	setup_free(s);
	lines[1].value = lines[0].value;
	lines[0].value.data = "even";
	lines[0].value.size = 4;
	s = accepted();
	ck_assert_int_eq(explain_notes(s, &found), 0);
	ck_assert_uint_eq(found.n, 0);
	ck_assert_int_eq(explain_notes(NULL, &found), 0);
	setup_free(s);
}
END_TEST

#define INPUT(t) { "text", (t), sizeof(t) - 1 }

static struct decoded decode(const struct fieldway_input *inputs, size_t n, int expected)
{
	struct decoded d = { 0 };
	struct setup *s = NULL;

	refusals_done(&refusals);
	ck_assert_int_eq(make(SETUP_SAMPLE, &s), 0);
	ck_assert_int_eq(decode_inputs(s, &s->devices[0], inputs, n, &refusals, &d), expected);
	setup_free(s);
	return d;
}

/* What came from a device, in its points' units. */
START_TEST(samples_of_inputs)
{
	const struct fieldway_input inputs[] = { INPUT("1=5"), INPUT("2=3"), INPUT("0=7") };
	struct decoded d;

	points[1].scale = 0.5;
	points[2].scale10 = 1;
	points[1].offset = -0.5;
	d = decode(inputs, 3, 0);
	ck_assert_uint_eq(d.n, 3);
	ck_assert_uint_eq(d.samples[0].point, 1);
	ck_assert_double_eq(d.samples[0].value.real, 2);
	ck_assert_double_eq(d.samples[1].value.type == FIELDWAY_FLOAT ? d.samples[1].value.real :
									(double)d.samples[1].value.unsignd,
			    300);
	ck_assert_uint_eq(d.samples[2].value.unsignd, 7);
	decoded_done(&d);
	/* Without the exponent there is no value. */
	d = decode(inputs + 1, 1, 0);
	ck_assert_int_eq(d.samples[0].quality, FIELDWAY_INVALID);
	decoded_done(&d);
}
END_TEST

START_TEST(refused_inputs)
{
	const struct fieldway_input bad[] = { INPUT("x") }, far[] = { INPUT("3=1") };

	decode(bad, 1, -EINVAL);
	ck_assert_uint_eq(refusals.n, 1);
	ck_assert_str_eq(refusals.items[0].key, "text");
	ck_assert_str_eq(refusals.items[0].text, "bus bus: device a: is no sample");
	decode(far, 1, -EINVAL);
	ck_assert_str_eq(refusals.items[0].text,
			 "bus bus: device a: the plugin told of points that there are not");
}
END_TEST

START_TEST(point_settings_are_checked_once_a_type)
{
	const struct fieldway_setting bad = SETTING_TEXT("mood", "bad"),
				      odd = SETTING_TEXT("mood", "odd");

	points[1].settings = (struct fieldway_settings){ &point_setting, 1 };
	point_setting = odd;
	refused(10, 1, "mood", "bus bus: device a: point b: mood: there is no 'odd'");
	point_setting = bad;
	refused(10, 1, "mood", "bus bus: device a: point b: is bad");
	points[1].settings.n = 0;
	points[2].access = LINK_WRITE;
	refused(10, 2, "access", "bus bus: device a: point c: the plugin cannot write");
}
END_TEST

START_TEST(all_that_is_wrong_is_said)
{
	struct setup *s;

	for (int i = 0; i < 3; i++)
		devices[i].address.n = 0;
	ck_assert_int_eq(make(SETUP_BUS, &s), -EINVAL);
	ck_assert_uint_eq(refusals.n, 3);
}
END_TEST

START_TEST(refusals_have_a_limit)
{
	const struct refusal_place place = { .bus = "b", .device_id = -1, .point_index = -1 };

	for (unsigned i = 0; i < 2 * LINK_REFUSALS_MAX; i++)
		ck_assert_int_eq(refusals_add(&refusals, &place, NULL, "%u \xff", i), 0);
	ck_assert_uint_eq(refusals.n, LINK_REFUSALS_MAX);
	ck_assert_str_eq(refusals.items[0].text, "bus b: 0 ");
	ck_assert_str_eq(refusals.items[0].key, "");
}
END_TEST

START_TEST(a_sample_needs_no_address)
{
	struct setup *s;

	for (int i = 0; i < 3; i++)
		devices[i].address.n = 0;
	configuration.bus = (struct fieldway_bus){ .name = "" };
	ck_assert_int_eq(make(SETUP_SAMPLE, &s), 0);
	ck_assert_uint_eq(s->n_devices, 3);
	ck_assert_ptr_null(s->devices[0].line);
	ck_assert_uint_eq(s->devices[0].n_polls, 0);
	setup_free(s);
}
END_TEST

START_TEST(polls_are_by_period)
{
	struct setup *s;
	const struct setup_device *d;

	points[0].period_usec = LINK_PERIOD_ON_DEMAND;
	points[1].period_usec = LINK_PERIOD_ONCE;
	s = accepted();
	d = &s->devices[0];
	ck_assert_uint_eq(d->n_polls, 3);
	ck_assert_uint_eq(d->polls[0].period_usec, 1000000);
	ck_assert_uint_eq(d->polls[0].request->points[0], 2);
	ck_assert_uint_eq(d->polls[1].period_usec, LINK_PERIOD_ONCE);
	ck_assert_uint_eq(d->polls[2].period_usec, LINK_PERIOD_ON_DEMAND);
	setup_free(s);
	points[2].access = 0;
	points[0].period_usec = LINK_PERIOD_ONCE;
	s = accepted();
	ck_assert_uint_eq(s->devices[0].n_polls, 1);
	ck_assert_uint_eq(s->devices[0].polls[0].request->n_points, 2);
	setup_free(s);
}
END_TEST

START_TEST(a_long_line_name)
{
	const struct fieldway_setting endless = SETTING_TEXT("line", "endless");
	char name[63];
	const struct fieldway_setting line = {
		"line", { .type = FIELDWAY_STRING, .data = name, .size = sizeof(name) }
	};
	struct setup *s;

	memset(name, 'x', sizeof(name));
	lines[0] = line;
	s = accepted();
	ck_assert_uint_eq(strlen(s->devices[0].line), sizeof(name));
	setup_free(s);
	lines[1] = endless;
	refused(11, -1, "", "bus bus: device b: its place on the line has too long a name");
}
END_TEST

static void add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, defaults_are_filled_in);
	tcase_add_test(t, whole_numbers_are_numbers);
	tcase_add_loop_test(t, bus_settings_are_checked, 0, ARRAY_SIZE(bus_rows));
	tcase_add_test(t, bus_numbers_are_checked);
	tcase_add_test(t, device_settings_are_checked);
	tcase_add_test(t, notes);
	tcase_add_test(t, samples_of_inputs);
	tcase_add_test(t, refused_inputs);
	tcase_add_test(t, chosen_names);
	tcase_add_test(t, chosen_names_are_checked);
	tcase_add_test(t, point_settings_are_checked_once_a_type);
	tcase_add_test(t, all_that_is_wrong_is_said);
	tcase_add_test(t, refusals_have_a_limit);
	tcase_add_test(t, a_sample_needs_no_address);
	tcase_add_test(t, polls_are_by_period);
	tcase_add_test(t, a_long_line_name);
}

int main(void)
{
	return run_suite("setup", add);
}
