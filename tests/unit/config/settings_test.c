/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "config/loader.h"
#include "fixture.h"

/* Plugin keys with chosen names, lists, secrets and contents, and those of a profile itself. */

static struct fixture *f;

static void setup(void)
{
	f = fixture_new();
}

static void teardown(void)
{
	f = fixture_free(f);
}

#define START "schema: 1\nprofile: scale\nplugin: talker\n"
#define POINTS "points: {w: {from: weight.value}}\n"

static void add(const char *bus, const char *profile, const char *address)
{
	_cleanup_free_ char *buses = NULL, *devices = NULL;

	ck_assert_int_ge(asprintf(&buses, "schema: 1\nbus: b\nplugin: talker\n%s", bus), 0);
	ck_assert_int_ge(asprintf(&devices,
				  "schema: 1\n"
				  "devices: [{name: d, profile: scale, bus: b, address: %s}]\n",
				  address),
			 0);
	fixture_file(f, CONFIG_PLACE_BUSES, "b.yaml", buses);
	fixture_file(f, CONFIG_PLACE_PROFILES, "scale.yaml", profile);
	fixture_file(f, CONFIG_PLACE_DEVICES, "d.yaml", devices);
}

/* "key=value" of each setting, in order. */
static void expect(const struct fieldway_settings *s, const char *expected)
{
	_cleanup_buf_ struct buf b = { 0 };

	for (size_t i = 0; i < s->n; i++) {
		const struct fieldway_value *v = &s->items[i].value;

		ck_assert_int_eq(buf_printf(&b, "%s%s=", i > 0 ? " " : "", s->items[i].key), 0);
		if (v->type == FIELDWAY_STRING)
			ck_assert_int_eq(buf_printf(&b, "%.*s", (int)v->size, v->data), 0);
		else
			ck_assert_int_eq(buf_printf(&b, "%llu", (unsigned long long)v->unsignd), 0);
	}
	ck_assert_int_eq(buf_append_byte(&b, 0), 0);
	ck_assert_str_eq((const char *)b.data, expected);
}

START_TEST(chosen_names)
{
	const struct config *c;

	add("",
	    START "mode: request\n"
		  "frame: {idle: 300ms}\n"
		  "messages:\n"
		  "  weight: {match: '^(?<value>[0-9]{3})$', every: 2s}\n"
		  "  Alarm_1: {fields: {b.c: 2, a: [3, 4]}, match: x}\n"
		  "defaults: {gap: 7}\n" POINTS,
	    "{}");
	c = fixture_good(f);
	expect(&c->devices[0].type->settings,
	       "gap=7 mode=request frame.idle=300000 messages.weight.match=^(?<value>[0-9]{3})$ "
	       "messages.weight.every=2000000 messages.Alarm_1.fields.b.c=2 "
	       "messages.Alarm_1.fields.a=3 messages.Alarm_1.fields.a=4 messages.Alarm_1.match=x "
	       "messages.Alarm_1.every=1000000");
}
END_TEST

/* The nearest value of a key counts; the lists of two layers are not mixed. */
START_TEST(layers)
{
	const struct config *c;

	add("",
	    START "defaults: {good: {weight.state: [ST, US], other: x}}\n"
		  "points:\n"
		  "  v: {from: a}\n"
		  "  w: {from: b, good: {mine: 'yes', weight.state: GS}}\n",
	    "{}");
	c = fixture_good(f);
	expect(&c->devices[0].type->points[0].settings,
	       "from=a good.weight.state=ST good.weight.state=US good.other=x");
	expect(&c->devices[0].type->points[1].settings,
	       "from=b good.mine=yes good.weight.state=GS good.other=x");
}
END_TEST

/* A unit that the device says is turned into the one that a row wants, or `to:` says. */
START_TEST(units_of_devices)
{
	const struct config *c;
	const struct config_type *type;

	add("",
	    START "points:\n"
		  "  w: {from: m.w, unit: {from: m.unit}}\n"
		  "  x: {from: m.x, unit: {from: m.unit}}\n"
		  "  y: {from: m.y, unit: {from: m.unit, to: g}}\n"
		  "  z: {from: m.z, unit: V}\n"
		  "lwm2m:\n"
		  "  3322/0/5700: {point: w, unit: kg}\n"
		  "  \"3322/1\": {5700: {point: x, unit: g}}\n"
		  "  3322/2/5700: {point: y, unit: kg}\n",
	    "{}");
	c = fixture_good(f);
	type = c->devices[0].type;
	expect(&type->points[0].settings, "from=m.w unit.from=m.unit unit.to=kg");
	expect(&type->points[1].settings, "from=m.x unit.from=m.unit unit.to=g");
	expect(&type->points[2].settings, "from=m.y unit.from=m.unit unit.to=g");
	expect(&type->points[3].settings, "from=m.z unit=V");
	ck_assert_ptr_nonnull(type->points[0].unit);
	ck_assert_ptr_ne(type->points[0].unit, type->points[1].unit);
	ck_assert_ptr_eq(type->points[1].unit, type->points[2].unit);
}
END_TEST

/* Where points have no addresses, a repeat has no step. */
START_TEST(repeats_without_addresses)
{
	const struct config *c;

	add("", START "points: {\"w{p}\": {repeat: {p: 1-2}, from: \"m.w{p}\"}}\n", "{}");
	c = fixture_good(f);
	ck_assert_uint_eq(c->devices[0].type->n_points, 2);
	expect(&c->devices[0].type->points[1].settings, "from=m.w2");
}
END_TEST

/* A list of an address that is one key's value makes no devices. */
START_TEST(lists)
{
	const struct config *c;

	add("allow: [a, b]\n", START POINTS, "{mac: \"A4:C1:38:00:11:01\", channels: [1, 3]}");
	c = fixture_good(f);
	expect(&c->buses[0].settings, "allow=a allow=b");
	ck_assert_uint_eq(c->n_devices, 1);
	expect(&c->devices[0].address, "mac=A4:C1:38:00:11:01 channels=1 channels=3");
}
END_TEST

START_TEST(references)
{
	const struct config *c;

	add("ca: certs/ca.pem\n", START POINTS, "{key: \"table:keys/th.keys\"}");
	c = fixture_good(f);
	expect(&c->buses[0].settings, "ca=certs/ca.pem");
	expect(&c->devices[0].address, "key=table:keys/th.keys");
}
END_TEST

static void expect_mark(const struct config *c, const struct fieldway_settings *s, const char *key,
			unsigned line, unsigned column)
{
	struct yaml_mark mark = config_setting_mark(c, s, key);

	ck_assert_msg(mark.line == line && mark.column == column, "%s: %u:%u", key, mark.line,
		      mark.column);
}

START_TEST(marks)
{
	const struct config *c;
	const struct fieldway_settings *s;

	add("",
	    START "frame: {end: x}\n"
		  "messages:\n"
		  "  weight: {match: y}\n"
		  "  other: {match: z}\n" POINTS,
	    "{channels: [5, 6]}");
	c = fixture_good(f);
	s = &c->devices[0].type->settings;
	expect_mark(c, s, "frame.end", 4, 14);
	expect_mark(c, s, "messages.other.match", 7, 18);
	/* As the table has it; what is a default, beside what the user said of the same thing. */
	expect_mark(c, s, "messages.*.match", 6, 19);
	expect_mark(c, s, "messages.other.every", 7, 18);
	expect_mark(c, s, "frame.idle", 4, 14);
	expect_mark(c, s, "mode", 1, 1);
	expect_mark(c, &c->devices[0].address, "channels", 2, 66);
}
END_TEST

static void expect_input(const struct config_sample *s, size_t i, const char *name, const char *data)
{
	ck_assert_uint_lt(i, s->n_inputs);
	ck_assert_str_eq(s->inputs[i].name, name);
	ck_assert_uint_eq(s->inputs[i].size, strlen(data));
	ck_assert_mem_eq(s->inputs[i].data, data, s->inputs[i].size);
}

/* Samples of what has no registers. */
START_TEST(inputs)
{
	const struct config *c;
	const struct config_sample *s;

	add("", START POINTS "samples:\n"
			     "  - {bytes: [\"4142 43\", 6a], message: weight, expect: {w: 5}}\n"
			     "  - text: \"ST,GS\\r\\n\"\n"
			     "    expect: {w: invalid}\n"
			     "  - {advertisement: {service_data: {fcd2: \"40\"}, rssi: -60}, gatt: {2a19: 64}, expect: {w: 1}}\n",
	    "{}");
	c = fixture_good(f);
	ck_assert_uint_eq(c->n_samples, 3);
	s = c->samples;
	ck_assert_uint_eq(s[0].n_inputs, 3);
	expect_input(&s[0], 0, "message", "weight");
	expect_input(&s[0], 1, "bytes", "ABC");
	expect_input(&s[0], 2, "bytes", "j");
	ck_assert_uint_eq(s[0].input_marks[2].line, 6);
	ck_assert_uint_eq(s[0].input_marks[2].column, 25);
	expect_input(&s[1], 0, "text", "ST,GS\r\n");
	ck_assert_uint_eq(s[2].n_inputs, 3);
	expect_input(&s[2], 0, "advertisement.service_data.fcd2", "40");
	expect_input(&s[2], 1, "advertisement.rssi", "-60");
	expect_input(&s[2], 2, "gatt.2a19", "64");
}
END_TEST

/* What sends by itself is stale after its silence, unless somebody says otherwise. */
START_TEST(silence)
{
	const struct config_point *points;

	add("", START "silence: 15m\n"
		      "rates: {fast: 2s}\n"
		      "points:\n"
		      "  a: {from: x}\n"
		      "  b: {from: x, silence: 5s, sample: {every: 1s, keep: mean}}\n"
		      "  c: {from: x, silence: 5s, stale: {after: 1h}}\n"
		      "  d: {from: x, silence: 5s, stale: {after: 2x}}\n"
		      "  e: {from: x, rate: fast}\n",
	    "{}");
	points = fixture_good(f)->devices[0].type->points;
	ck_assert_uint_eq(points[0].silence_usec, 900000000);
	ck_assert_uint_eq(points[0].stale.after_usec, 900000000);
	ck_assert_uint_eq(points[0].stale.times, 0);
	ck_assert_uint_eq(points[0].sample_usec, 0);
	ck_assert_uint_eq(points[1].silence_usec, 5000000);
	ck_assert_uint_eq(points[1].stale.after_usec, 5000000);
	ck_assert_uint_eq(points[1].sample_usec, 1000000);
	ck_assert_int_eq(points[1].sample_keep, CONFIG_KEEP_MEAN);
	ck_assert_uint_eq(points[2].stale.after_usec, 3600000000);
	ck_assert_uint_eq(points[3].stale.after_usec, 10000000);
	ck_assert_uint_eq(points[4].stale.times, 3);
	ck_assert_uint_eq(points[4].stale.after_usec, 0);
}
END_TEST

static const struct {
	const char *bus, *profile, *address, *expected;
} cases[] = {
	{ "", START "points: {w: {sample: {keep: last}, silence: 50ms}}\n", "{}",
	  "scale.yaml:4:22: every: is missing\n"
	  "scale.yaml:4:45: 50ms is not between 100ms and 30d\n" },
	{ "", START POINTS "samples: [{expect: {w: 1}}, {text: x, registers: {}, expect: {w: 1}}]\n", "{}",
	  "scale.yaml:5:11: a sample has registers, or bytes, text, advertisement or gatt\n"
	  "scale.yaml:5:29: a sample with registers has nothing else\n" },
	{ "", START POINTS "samples: [{bytes: [4g, \"414\"], expect: {w: 1}}, {text: {a: b}, expect: {w: 1}}]\n", "{}",
	  "scale.yaml:5:20: bytes are pairs of hex digits, such as \"02 4F 4b\"\n"
	  "scale.yaml:5:24: bytes are pairs of hex digits, such as \"02 4F 4b\"\n"
	  "scale.yaml:5:56: expected text\n" },
	{ "", START POINTS "samples: [{gatt: {a: {b: {c: {d: {e: x}}}}}, expect: {w: 1}}]\n", "{}",
	  "scale.yaml:5:35: this is nested too deep\n" },
	{ "", START "messages: {weight: {mtach: x}}\n" POINTS, "{}",
	  "scale.yaml:4:21: unknown key \"mtach\", did you mean \"match\"?\n" },
	{ "", START "messages: {weight: {}, other: {every: 5}}\n" POINTS, "{}",
	  "scale.yaml:4:20: messages.weight.match: is missing\n"
	  "scale.yaml:4:39: expected a duration such as 500ms, 5s, 2m, 1h or 3d, found 5\n" },
	{ "", START "messages: {weight: 5}\n" POINTS, "{}",
	  "scale.yaml:4:20: messages.weight is a mapping, written {key: value}\n" },
	{ "", START "messages: [a]\n" POINTS, "{}",
	  "scale.yaml:4:11: messages is a mapping, written {key: value}\n" },
	{ "", START "messages: {a.b: {match: x}, \"*\": {match: x}, \"\": {match: x}}\n" POINTS,
	  "{}",
	  "scale.yaml:4:12: \"a.b\" is no name: letters, digits, \"_\" and \"-\"\n"
	  "scale.yaml:4:29: \"*\" is no name: letters, digits, \"_\" and \"-\"\n"
	  "scale.yaml:4:46: \"\" is no name: letters, digits, \"_\" and \"-\"\n" },
	{ "", START "messages: {weight: {match: x, fields: {a: 101, b: [], c: [1, x]}}}\n" POINTS,
	  "{}",
	  "scale.yaml:4:43: 101 is not between 0 and 100\n"
	  "scale.yaml:4:51: the list is empty\n"
	  "scale.yaml:4:62: expected an integer, found x\n" },
	{ "", START "mesages: {}\nframe: {edn: x}\nmode: straem\n" POINTS, "{}",
	  "scale.yaml:4:1: unknown key \"mesages\", did you mean \"messages\"?\n"
	  "scale.yaml:5:9: unknown key \"edn\", did you mean \"end\"?\n"
	  "scale.yaml:6:7: \"straem\" is none of stream, request; did you mean \"stream\"?\n" },
	{ "", START "frame.end: x\n" POINTS, "{}", "scale.yaml:4:1: unknown key \"frame.end\"\n" },
	{ "", START "messages: {w: {match: [a, b]}}\n" POINTS, "{}",
	  "scale.yaml:4:23: expected text\n" },
	{ "", START "points: {w: {good: {\"\": x, a: {b: c}}}}\n", "{}",
	  "scale.yaml:4:21: the name is empty\n"
	  "scale.yaml:4:31: expected text\n" },
	{ "", START POINTS, "{key: \"00112233445566778899aabbccddeeff\"}",
	  "d.yaml:2:60: a key is file:FILE or table:FILE, never the key itself\n" },
	{ "", START POINTS, "{key: \"table:\"}", "d.yaml:2:60: \"table:\" names no file\n" },
	{ "", START POINTS, "{key: \"credential:x\"}",
	  "d.yaml:2:60: a key by \"credential:\": not in this version\n" },
	{ "ca: \"-----BEGIN PRIVATE KEY-----\\nMIG\"\n", START POINTS, "{}",
	  "b.yaml:4:5: a file is given by its name, never by what is in it\n" },
	{ "ca: ''\n", START POINTS, "{}", "b.yaml:4:5: the text is empty\n" },
	{ "allow: {a: b}\n", START POINTS, "{}", "b.yaml:4:8: expected text\n" },
};

START_TEST(refused)
{
	add(cases[_i].bus, cases[_i].profile, cases[_i].address);
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text, cases[_i].expected);
}
END_TEST

/* Where a device is, not what its key is, tells it from others. */
START_TEST(same_place)
{
	add("", START POINTS, "{mac: \"A4\", key: \"file:a\"}");
	fixture_file(f, CONFIG_PLACE_DEVICES, "e.yaml",
		     "schema: 1\ndevices: [{name: e, profile: scale, bus: b, address: {key: \"file:b\", mac: \"A4\"}}]\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text, "e.yaml:2:18: e has the address of d on bus b (d.yaml:2)\n");
}
END_TEST

START_TEST(too_many)
{
	_cleanup_buf_ struct buf b = { 0 };

	ck_assert_int_eq(buf_printf(&b, START POINTS "messages:\n"), 0);
	for (unsigned i = 0; i <= CONFIG_SETTINGS_MAX; i++)
		ck_assert_int_eq(buf_printf(&b, "  m%u: {match: x}\n", i), 0);
	ck_assert_int_eq(buf_append_byte(&b, 0), 0);
	add("", (const char *)b.data, "{}");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text,
			 "scale.yaml:1:1: more than 1000 keys of plugin talker in one place\n");
}
END_TEST

/* What is too much of a list is not left off. */
START_TEST(too_long_a_list)
{
	_cleanup_buf_ struct buf b = { 0 };

	ck_assert_int_eq(buf_printf(&b, "schema: 1\nbus: b\nplugin: talker\nallow: [x"), 0);
	for (unsigned i = 0; i < CONFIG_SETTINGS_MAX; i++)
		ck_assert_int_eq(buf_printf(&b, ", x"), 0);
	ck_assert_int_eq(buf_printf(&b, "]\n%c", 0), 0);
	fixture_file(f, CONFIG_PLACE_BUSES, "b.yaml", (const char *)b.data);
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text,
			 "b.yaml:1:1: more than 1000 keys of plugin talker in one place\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings");
	TCase *c = tcase_create("settings");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, chosen_names);
	tcase_add_test(c, units_of_devices);
	tcase_add_test(c, repeats_without_addresses);
	tcase_add_test(c, layers);
	tcase_add_test(c, lists);
	tcase_add_test(c, references);
	tcase_add_test(c, marks);
	tcase_add_test(c, inputs);
	tcase_add_test(c, silence);
	tcase_add_loop_test(c, refused, 0, ARRAY_SIZE(cases));
	tcase_add_test(c, same_place);
	tcase_add_test(c, too_many);
	tcase_add_test(c, too_long_a_list);
	suite_add_tcase(suite, c);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
