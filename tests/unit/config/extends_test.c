/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/macro.h"
#include "base/str.h"
#include "fixture.h"

/* `extends:`: a profile says what is different from another one. */

static struct fixture *f;

static void setup(void)
{
	f = fixture_new();
}

static void teardown(void)
{
	f = fixture_free(f);
}

#define BASE                                                                                       \
	"schema: 1\nprofile: base\nrevision: 4\nplugin: modbus\n"                                  \
	"info: {manufacturer: Eastron, model: SDM}\n"                                              \
	"parameters: {ct: {default: 1}}\n"                                                         \
	"rates: {fast: 1s, slow: 1m}\n"                                                            \
	"defaults: {rate: fast, type: float32, max_gap: 8, invalid: [nan, 1]}\n"                   \
	"identify: {point: w, equals: [1, 2]}\n"                                                   \
	"points:\n"                                                                                \
	"  v: {address: 0, unit: V, write: {address: 1, function: 16}}\n"                          \
	"  w: {address: 2, unit: W}\n"                                                             \
	"  \"e{p}\": {repeat: {p: 1-2}, address: 4, step: 2, unit: kWh}\n"                         \
	"lwm2m:\n"                                                                                 \
	"  3316/0: {5700: v, 5750: {value: base}}\n"                                               \
	"  3305/0/5800: w\n"                                                                       \
	"  3305/0/5805: e1\n"                                                                      \
	"samples:\n"                                                                               \
	"  - {registers: {holding: {0: [0x4366, 0x3333]}}, expect: {v: 230.2}}\n"

static void add(const char *derived)
{
	fixture_file(f, CONFIG_PLACE_BUSES, "b.yaml",
		     "schema: 1\nbus: b\nplugin: modbus\ntcp: {port: 502}\n");
	fixture_shared(f, CONFIG_PLACE_PROFILES, "base.yaml", BASE);
	fixture_file(f, CONFIG_PLACE_PROFILES, "p.yaml", derived);
	fixture_file(f, CONFIG_PLACE_DEVICES, "d.yaml",
		     "schema: 1\ndevices: [{name: d, profile: p, bus: b, address: {unit: 1}}]\n");
}

static uint64_t number(const struct fieldway_settings *s, const char *key)
{
	const struct fieldway_value *v = settings_find(s, key);

	ck_assert_msg(v != NULL, "%s", key);
	return v->unsignd;
}

static const struct config_type *read_type(const char *derived)
{
	add(derived);
	return fixture_good(f)->devices[0].type;
}

static const struct config_point *find(const struct config_type *t, const char *name)
{
	for (size_t i = 0; i < t->n_points; i++)
		if (streq(t->points[i].name, name))
			return &t->points[i];
	return NULL;
}

START_TEST(nothing_different)
{
	const struct config_type *t = read_type("schema: 1\nprofile: p\nextends: base\n");

	ck_assert_str_eq(t->profile, "p");
	ck_assert_uint_eq(t->revision, 0);
	ck_assert_str_eq(t->manufacturer, "Eastron");
	ck_assert_uint_eq(t->n_points, 4);
	ck_assert_uint_eq(t->n_map, 4);
	ck_assert_uint_eq(t->identify.n_values, 2);
	/* Only the base's own. */
	ck_assert_uint_eq(f->config->n_samples, 1);
	ck_assert_str_eq(f->config->samples[0].type->profile, "base");
}
END_TEST

START_TEST(key_by_key)
{
	const struct config_type *t =
		read_type("schema: 1\nprofile: p\nplugin: modbus\nextends: base\n"
			  "revision: 2\n"
			  "info: {model: SDM2}\n"
			  "rates: {fast: 5s}\n"
			  "defaults: {invalid: 7}\n"
			  "identify: {equals: 9}\n"
			  "points:\n"
			  "  v: {address: 10, write: {address: 11}}\n"
			  "  x: {address: 20, unit: W, rate: slow}\n"
			  "lwm2m:\n"
			  "  3305/0: {5800: x}\n"
			  "  3316/0/5750: {value: own}\n");
	const struct config_point *v = find(t, "v");
	struct yaml_mark mark;

	ck_assert_uint_eq(t->revision, 2);
	ck_assert_str_eq(t->manufacturer, "Eastron");
	ck_assert_str_eq(t->model, "SDM2");
	ck_assert_uint_eq(t->identify.n_values, 1);
	ck_assert_int_eq(t->identify.values[0].integer, 9);
	ck_assert_uint_eq(t->n_points, 5);
	ck_assert_uint_eq(number(&t->settings, "max_gap"), 8);
	ck_assert_uint_eq(number(&v->settings, "address"), 10);
	ck_assert_uint_eq(number(&v->settings, "write.address"), 11);
	ck_assert_uint_eq(number(&v->settings, "write.function"), 16);
	ck_assert_ptr_nonnull(v->unit);
	ck_assert_uint_eq(v->period_usec, 5000000);
	ck_assert_uint_eq(v->n_invalid, 1); /* a list is replaced */
	/* Where each value comes from. */
	mark = config_setting_mark(f->config, &v->settings, "address");
	ck_assert_str_eq(mark.file, "p.yaml");
	ck_assert_uint_eq(mark.line, 11);
	mark = config_setting_mark(f->config, &v->settings, "write.function");
	ck_assert_str_eq(mark.file, "base.yaml");
	ck_assert_uint_eq(mark.line, 11);
	ck_assert_uint_eq(find(t, "e2")->mark.line, 13);
}
END_TEST

static const struct config_map *row(const struct config_type *t, const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	for (size_t i = 0; i < t->n_map; i++)
		if (path_compare(&t->map[i].path, &path) == 0)
			return &t->map[i];
	return NULL;
}

/* Rows have their paths, however these are written. */
START_TEST(rows_by_path)
{
	const struct config_type *t = read_type("schema: 1\nprofile: p\nextends: base\n"
						"points: {w2: {address: 20, unit: kW}}\n"
						"lwm2m:\n"
						"  3305/0: {5800: w2}\n"
						"  3316/0/5750: {value: own}\n"
						"  3305/1/5800: w\n");

	ck_assert_uint_eq(t->n_map, 5);
	ck_assert_str_eq(t->points[row(t, "/3305/0/5800")->point].name, "w2");
	ck_assert_str_eq(row(t, "/3305/0/5800")->mark.file, "p.yaml");
	ck_assert_str_eq(t->points[row(t, "/3305/0/5805")->point].name, "e1");
	ck_assert_str_eq(row(t, "/3305/0/5805")->mark.file, "base.yaml");
	ck_assert_mem_eq(row(t, "/3316/0/5750")->constant.data, "own", 3);
	ck_assert_ptr_nonnull(row(t, "/3316/0/5700"));
	ck_assert_ptr_nonnull(row(t, "/3305/1/5800"));
}
END_TEST

/* Also where the base makes it by `repeat:`. */
START_TEST(rows_of_a_repeat)
{
	const struct config_type *t;

	fixture_file(
		f, CONFIG_PLACE_PROFILES, "many.yaml",
		"schema: 1\nprofile: many\nextends: base\n"
		"lwm2m: {\"3331/{i}\": {repeat: {p: 1-2}, 5700: \"e{p}\", 5750: {value: x}}}\n");
	t = read_type("schema: 1\nprofile: p\nextends: many\nlwm2m: {3331/1/5750: {value: own}}\n");
	ck_assert_mem_eq(row(t, "/3331/0/5750")->constant.data, "x", 1);
	ck_assert_mem_eq(row(t, "/3331/1/5750")->constant.data, "own", 3);
	ck_assert_str_eq(t->points[row(t, "/3331/1/5700")->point].name, "e2");
}
END_TEST

#define MANY 9000

/* As much memory as there are rows, not as their square. */
START_TEST(many_rows)
{
	_cleanup_free_ char *text = malloc(64 * MANY);
	size_t n = (size_t)sprintf(text, "schema: 1\nprofile: p\nextends: base\nlwm2m:\n");
	const struct config_type *t;
	struct rusage usage;

	for (int i = 1; i <= MANY; i++)
		n += (size_t)sprintf(text + n, "  3305/%d/5800: w\n", i);
	t = read_type(text);
	ck_assert_uint_eq(t->n_map, MANY + 4);
	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	ck_assert_int_lt(usage.ru_maxrss, 1000000);
}
END_TEST

/* Processor time for two profiles of n points of the same names, which are too many. */
static double time_of(int n)
{
	const char *const names[] = { "base", "p" };
	clock_t start;

	for (int k = 0; k < 2; k++) {
		_cleanup_free_ char *text = malloc(32 * (size_t)n);
		size_t size = (size_t)sprintf(text,
					      "schema: 1\nprofile: %s\nplugin: modbus\n%s"
					      "rates: {fast: 1s}\ndefaults: {rate: fast}\npoints:\n",
					      names[k], k ? "extends: base\n" : "");

		for (int i = 1; i <= n; i++)
			size += (size_t)sprintf(text + size, "  v%d: {address: 0}\n", i);
		fixture_file(f, CONFIG_PLACE_PROFILES, k ? "p.yaml" : "base.yaml", text);
	}
	start = clock();
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_msg(strstr(f->error_text, ": more than 10000 points\n"), "%.300s", f->error_text);
	fixture_reset(f);
	return (double)(clock() - start);
}

/* Four times the keys take four times as long, not sixteen times. */
START_TEST(many_keys)
{
	double few = time_of(10001), many = time_of(40004);

	ck_assert_double_lt(many, 9 * few);
}
END_TEST

START_TEST(null_removes)
{
	const struct config_type *t = read_type("schema: 1\nprofile: p\nextends: base\n"
						"identify: null\n"
						"points: {\"e{p}\": null, v: {write: ~}}\n"
						"lwm2m: {3305/0/5805: null, 3316/0: {5750: }}\n");

	ck_assert_uint_eq(t->n_points, 2);
	ck_assert_ptr_null(settings_find(&find(t, "v")->settings, "write.address"));
	ck_assert_uint_eq(t->n_map, 2);
	ck_assert_uint_eq(t->identify.n_values, 0);
	ck_assert_int_eq(t->identify.point, -1);
}
END_TEST

START_TEST(chain)
{
	fixture_file(
		f, CONFIG_PLACE_PROFILES, "middle.yaml",
		"schema: 1\nprofile: middle\nextends: base\npoints: {v: {scale: 2}, w: {scale: 3}}\n");
	ck_assert_double_eq(find(read_type("schema: 1\nprofile: p\nextends: middle\n"
					   "points: {w: {scale: 4}}\n"),
				 "v")
				    ->scale,
			    2);
	ck_assert_double_eq(find(f->config->devices[0].type, "w")->scale, 4);
}
END_TEST

static const struct {
	const char *derived, *expected;
} cases[] = {
	{ "schema: 1\nprofile: p\nextends: bsae\n",
	  "p.yaml:3:10: unknown profile \"bsae\", did you mean \"base\"?\n" },
	{ "schema: 1\nprofile: p\nplugin: modbus\nextends: p\n",
	  "p.yaml:4:10: profile p extends itself\n" },
	{ "schema: 1\nprofile: p\nplugin: reader\nextends: base\n",
	  "p.yaml:3:9: profile base, which this one extends, is for plugin modbus\n" },
	{ "schema: 1\nprofile: p\nextends: base\npoints: {volt: null, v: {unti: null}}\n",
	  "p.yaml:4:10: null removes what base has, and it has no volt here\n"
	  "p.yaml:4:26: null removes what base has, and it has no unti here, did you mean \"unit\"?\n" },
	/* Either the whole instance or rows of it. */
	{ "schema: 1\nprofile: p\nextends: base\nlwm2m: {3305/0: null, 3305/0/5800: w}\n",
	  "p.yaml:4:17: expected a mapping, as 3305/0 has rows beside this one\n" },
	/* What the base maps has to go with the point. */
	{ "schema: 1\nprofile: p\nextends: base\npoints: {v: null}\n",
	  "base.yaml:15:18: unknown point \"v\"\n" },
	{ "schema: 1\nprofile: p\nextends: base\npoints: {v: {address: x}}\n",
	  "p.yaml:4:23: expected an integer, found x\n" },
	/* One that is wrong is known all the same. */
	{ "schema: 1\nprofile: p\nextends: base\nparameters: {ct: {default: x}}\npoints: {v: {factor: ct}}\n",
	  "p.yaml:4:28: expected a number, found x\n" },
	{ "schema: 1\nprofile: p\nextends: [base]\n", "p.yaml:1:1: plugin: is missing\n"
						      "p.yaml:3:10: expected text\n" },
};

START_TEST(refused)
{
	add(cases[_i].derived);
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text, cases[_i].expected);
}
END_TEST

START_TEST(circle)
{
	fixture_file(f, CONFIG_PLACE_PROFILES, "q.yaml",
		     "schema: 1\nprofile: q\nplugin: modbus\nextends: p\n");
	add("schema: 1\nprofile: p\nplugin: modbus\nextends: q\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_str_eq(f->error_text, "q.yaml:4:10: profile p extends itself\n"
					"p.yaml:4:10: profile q extends itself\n");
}
END_TEST

START_TEST(too_long)
{
	char name[16], before[16] = "base", text[128];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "c%d.yaml", i);
		snprintf(text, sizeof(text), "schema: 1\nprofile: c%d\nextends: %s\n", i, before);
		snprintf(before, sizeof(before), "c%d", i);
		fixture_file(f, CONFIG_PLACE_PROFILES, name, text);
	}
	add("schema: 1\nprofile: p\nextends: base\n");
	ck_assert_int_eq(fixture_read(f), -EINVAL);
	ck_assert_msg(strstr(f->error_text, "more than 8 profiles extend each other"), "%s",
		      f->error_text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("extends");
	TCase *c = tcase_create("extends");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, nothing_different);
	tcase_add_test(c, key_by_key);
	tcase_add_test(c, rows_by_path);
	tcase_add_test(c, rows_of_a_repeat);
	tcase_add_test(c, many_rows);
	tcase_add_test(c, many_keys);
	tcase_add_test(c, null_removes);
	tcase_add_test(c, chain);
	tcase_add_loop_test(c, refused, 0, ARRAY_SIZE(cases));
	tcase_add_test(c, circle);
	tcase_add_test(c, too_long);
	suite_add_tcase(suite, c);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
