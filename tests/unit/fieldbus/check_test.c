/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/fieldbus/rig.h"

static struct yaml_errors errors, warnings;

static void set_up(void)
{
	rig_set_up();
	errors = (struct yaml_errors){ 0 };
}

static void tear_down(void)
{
	rig_tear_down();
	yaml_errors_done(&errors);
	yaml_errors_done(&warnings);
}

/* ---- describe ---- */

START_TEST(describe_plugin)
{
	const struct config_plugin *p, *again;

	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "fake", &p), 0);
	ck_assert_str_eq(p->name, "fake");
	ck_assert_str_eq(p->version, "1");
	ck_assert_uint_eq(p->n_keys, 2);
	ck_assert_str_eq(p->keys[0].name, "area");
	ck_assert_str_eq(p->keys[0].choices[1], "holding");
	ck_assert_ptr_null(p->keys[0].choices[2]);
	ck_assert_str_eq(p->keys[1].name, "unit");
	/* Cached: no other host is asked. */
	strcpy(rig.fieldbus->host_program, "/");
	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "fake", &again), 0);
	ck_assert_ptr_eq(again, p);
}
END_TEST

static const struct {
	const char *name;
	int error;
} failures[] = {
	{ "none", -ENOENT },
	{ "die", -EPIPE },
	{ "nonsense", -EBADMSG },
	{ "stray", -EBADMSG },
};

START_TEST(describe_failure)
{
	const struct config_plugin *p = NULL;

	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, failures[_i].name, &p), failures[_i].error);
	ck_assert_ptr_null(p);
}
END_TEST

START_TEST(describe_hang)
{
	const struct config_plugin *p = NULL;
	uint64_t start = rig_now();

	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "hang", &p), -ETIMEDOUT);
	ck_assert_uint_ge(rig_now() - start, FIELDBUS_DESCRIBE_USEC);
}
END_TEST

START_TEST(describe_without_program)
{
	const struct config_plugin *p = NULL;

	strcpy(rig.fieldbus->host_program, "/nowhere");
	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "fake", &p), -ENOPKG);
	strcpy(rig.fieldbus->host_program, "/");
	ck_assert_int_eq(fieldbus_describe(rig.fieldbus, "fake", &p), -EACCES);
	ck_assert_ptr_null(p);
}
END_TEST

/* ---- explain ---- */

static void check_errors(int r, const char *expected)
{
	ck_assert_int_eq(r, *expected ? -EINVAL : 0);
	ck_assert_int_eq(buf_append_byte(&errors.text, '\0'), 0);
	ck_assert_str_eq((const char *)errors.text.data, expected);
}

START_TEST(accepted)
{
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
}
END_TEST

START_TEST(refused_where_it_stands)
{
	rig.c.buses[1].settings = rig_setting(0, "bad", "bus-key.yaml");
	rig.c.devices[0].address = rig_setting(1, "bad", "address-key.yaml");
	rig.c.devices[1].address = rig_setting(2, "keyless", "x");
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings),
		     "address-key.yaml:7:3: the address is bad\n"
		     "site.yaml:31:1: the device is bad\n"
		     "bus-key.yaml:7:3: the bus is bad\n");
}
END_TEST

START_TEST(refused_point_once)
{
	/* Also of a device that is disabled; three devices of bus 0 share the point. */
	rig.c.points[0].settings = rig_setting(0, "bad", "point-key.yaml");
	rig.c.devices[2].bus = 0;
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "point-key.yaml:7:3: the point is bad\n");
}
END_TEST

START_TEST(refused_nonsense)
{
	rig.c.buses[0].settings = rig_setting(0, "lost", "x");
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings),
		     "bus.yaml:20:1: plugin fake: its host does not speak org.fieldway.Host1\n");
}
END_TEST

START_TEST(host_dies)
{
	rig.c.buses[0].settings = rig_setting(0, "die", "x");
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings),
		     "bus.yaml:20:1: plugin fake: its host ended unexpectedly\n");
}
END_TEST

START_TEST(no_program)
{
	strcpy(rig.fieldbus->host_program, "/nowhere");
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings),
		     "bus.yaml:20:1: plugin fake: no host program to ask\n");
}
END_TEST

static void check_warnings(const char *expected)
{
	ck_assert_int_eq(buf_append_byte(&warnings.text, '\0'), 0);
	ck_assert_str_eq((const char *)warnings.text.data, expected);
}

/* What lacks a key is not asked about: it would lack it only once more. */
START_TEST(missing_contents)
{
	rig.c.plugin.n_keys = 2;
	rig.c.buses[1].settings = rig_setting(0, "ca", "bus-key.yaml");
	rig.c.devices[0].address = rig_setting(1, "key", "address-key.yaml");
	rig.c.devices[1].address = rig_setting(2, "keyless", "x");
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings),
		     "address-key.yaml:7:3: bus hall1: device m1: key: no such key\n"
		     "site.yaml:31:1: the device is bad\n"
		     "bus-key.yaml:7:3: bus lan: ca: no such key\n");
	ck_assert_uint_eq(warnings.n, 0);
}
END_TEST

START_TEST(missing_contents_are_optional)
{
	rig.c.plugin.n_keys = 2;
	rig.c.devices[0].address = rig_setting(1, "key", "address-key.yaml");
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, true, &errors, &warnings), "");
	check_warnings("address-key.yaml:7:3: bus hall1: device m1: key: no such key\n");
}
END_TEST

START_TEST(too_many_devices)
{
	size_t n = LINK_DEVICES_MAX + 1;
	struct config_device *devices = calloc(n, sizeof(*devices));

	ck_assert_ptr_nonnull(devices);
	for (size_t i = 0; i < n; i++)
		devices[i] = rig.c.devices[0];
	rig.c.config.devices = devices;
	rig.c.config.n_devices = n;
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings),
		     "bus.yaml:20:1: plugin fake: too many devices or points for one bus\n");
	free(devices);
}
END_TEST

/* ---- what is allowed and looks wrong ---- */

START_TEST(noted_once)
{
	rig.c.points[0].settings = rig_setting(0, "odd", "point-key.yaml");
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
	check_warnings("point-key.yaml:7:3: the point is odd\n"); /* though both buses have such devices */
}
END_TEST

START_TEST(nothing_to_mend)
{
	rig.c.points[0].settings = rig_setting(0, "odd", "point-key.yaml");
	rig.c.type.shared = true;
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
	check_warnings("");
}
END_TEST

/* The address of a device: its line, and which of those there it is. */
static struct fieldway_settings place(unsigned i, const char *line)
{
	static struct fieldway_setting settings[RIG_DEVICES][2];

	settings[i][0] = *rig_setting(i, "line", line).items;
	settings[i][1] = (struct fieldway_setting){
		.key = "unit", .value = { .type = FIELDWAY_UINT, .unsignd = i } };
	return (struct fieldway_settings){ settings[i], 2 };
}

/* Each device takes 0.3 s of each second: one on a line is well, four are too many, one of which is disabled. */
START_TEST(line_cannot_keep_up)
{
	for (unsigned i = 0; i < RIG_DEVICES; i++) {
		rig.c.devices[i].bus = 0;
		rig.c.devices[i].address = place(i, "/dev/ttyS1");
	}
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
	check_warnings("");
	rig.c.devices[3].enabled = true;
	rig.c.points[0].rate = "fast";
	buf_done(&errors.text);
	buf_done(&warnings.text);
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
	check_warnings("bus.yaml:20:1: bus hall1: line /dev/ttyS1 cannot keep up, it is 120 % busy: "
		       "fast wanted 1 s, gets 1.2 s\n");
	rig.c.devices[3].address = place(3, "/dev/ttyS2");
	buf_done(&errors.text);
	buf_done(&warnings.text);
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
	check_warnings("");
}
END_TEST

/* Two buses cannot both have a port, by whichever name: told for the later one, once. */
START_TEST(line_of_two_buses)
{
	char folder[] = "/tmp/fieldway-check-XXXXXX", name[64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(name, sizeof(name), "%s/by-id", folder);
	ck_assert_int_eq(symlink("/dev/null", name), 0);
	rig.c.devices[0].address = rig_setting(0, "line", "/dev/null");
	rig.c.devices[1].address = rig_setting(1, "line", "10.0.0.1:502/0");
	rig.c.devices[2].address = rig_setting(2, "line", name);
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
	ck_assert_ptr_nonnull(strstr(warnings.text.data ? (char *)warnings.text.data : "", "by-id is one of bus hall1"));
	unlink(name);
	rmdir(folder);
	buf_done(&errors.text);
	buf_done(&warnings.text);
	rig.c.devices[2].address = rig_setting(2, "line", "10.0.0.1:502/0");
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
	check_warnings("bus.yaml:21:1: bus lan: line 10.0.0.1:502/0 is one of bus hall1 (bus.yaml:20) too: "
		       "what shares a line belongs on one bus\n");
	buf_done(&errors.text);
	buf_done(&warnings.text);
	rig.c.devices[2].address = rig_setting(2, "line", "10.0.0.2:502/0");
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
	check_warnings("");
}
END_TEST

/* ---- samples ---- */

#define STRING(t) { .type = FIELDWAY_STRING, .data = (t), .size = sizeof(t) - 1 }
#define INT(i) { .type = FIELDWAY_INT, .integer = (i) }
#define UINT(u) { .type = FIELDWAY_UINT, .unsignd = (u) }
#define FLOAT(d) { .type = FIELDWAY_FLOAT, .real = (d) }
#define BOOL(b) { .type = FIELDWAY_BOOL, .boolean = (b) }

static const struct {
	const char *area; /* what fake_host makes of it */
	uint16_t cell;
	uint32_t point;
	struct fieldway_value expected;
	const char *error; /* after the place, or NULL */
} samples[] = {
	{ "tenth", 2302, RIG_LEVEL, FLOAT(230.2), NULL },
	{ "tenth", 2301, RIG_LEVEL, FLOAT(230.2), "level: expected 230.2, got 230.1" },
	{ "tenth", 2300, RIG_LEVEL, INT(230), NULL },
	{ "tenth", 2300, RIG_LEVEL, UINT(230), NULL },
	{ "tenth", 2305, RIG_LEVEL, INT(230), "level: expected 230, got 230.5" },
	{ "tenth", 10, RIG_LEVEL, BOOL(true), "level: expected true, got 1" },
	{ "uint", 7, RIG_LEVEL, INT(7), NULL },
	{ "uint", 7, RIG_LEVEL, UINT(7), NULL },
	{ "uint", 7, RIG_LEVEL, FLOAT(7), NULL },
	{ "uint", 7, RIG_LEVEL, INT(8), "level: expected 8, got 7" },
	{ "uint", 7, RIG_LEVEL, INT(-7), "level: expected -7, got 7" },
	{ "int", 7, RIG_LEVEL, INT(-7), NULL },
	{ "int", 7, RIG_LEVEL, FLOAT(-7), NULL },
	{ "int", 1, RIG_LEVEL, UINT(UINT64_MAX), "level: expected 18446744073709551615, got -1" },
	{ "int", 1, RIG_LEVEL, FLOAT(0x1p64), "level: expected 18446744073709552000, got -1" },
	{ "bool", 1, RIG_LEVEL, BOOL(true), NULL },
	{ "bool", 0, RIG_LEVEL, BOOL(true), "level: expected true, got false" },
	{ "bool", 1, RIG_LEVEL, INT(1), "level: expected 1, got true" },
	{ "text", 0, RIG_LEVEL, STRING("abc"), NULL },
	{ "text", 0, RIG_LEVEL, STRING("ab"), "level: expected \"ab\", got \"abc\"" },
	{ "text", 0, RIG_LEVEL, INT(3), "level: expected 3, got \"abc\"" },
	{ "invalid", 0, RIG_LEVEL, { 0 }, NULL },
	{ "invalid", 0, RIG_LEVEL, INT(3), "level: expected 3, got invalid" },
	{ "uint", 3, RIG_LEVEL, { 0 }, "level: expected invalid, got 3" },
	{ "other", 3, RIG_LEVEL, INT(3), "level: expected 3, got nothing: the sample lacks a register of it" },
	{ "uint", 1, RIG_MODE, STRING("forward"), NULL },
	{ "uint", 1, RIG_MODE, INT(1), NULL },
	{ "uint", 0, RIG_MODE, STRING("forward"), "mode: expected \"forward\", got 0" },
	{ "uint", 1, RIG_LEVEL, STRING("forward"), "level: expected \"forward\", got 1" },
};

static void add_sample(struct fieldway_cell *cells, size_t n, struct config_expectation *expected, size_t n_expected)
{
	rig.c.sample = (struct config_sample){
		.mark = { "profile.yaml", 50, 5 },
		.type = &rig.c.type,
		.cells = cells,
		.n_cells = n,
		.expectations = expected,
		.n_expectations = n_expected,
	};
	rig.c.config.samples = &rig.c.sample;
	rig.c.config.n_samples = 1;
}

START_TEST(sample_value)
{
	struct fieldway_cell cell = { samples[_i].area, samples[_i].point, samples[_i].cell };
	struct config_expectation expected = { { "profile.yaml", 51, 9 }, samples[_i].point, samples[_i].expected };
	char text[256] = "";

	add_sample(&cell, 1, &expected, 1);
	if (samples[_i].error)
		snprintf(text, sizeof(text), "profile.yaml:51:9: sample of profile fake-meter: point %s\n", samples[_i].error);
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), text);
}
END_TEST

START_TEST(sample_without_value)
{
	struct fieldway_cell cell = { "uint", RIG_MODE, 1 };
	struct config_expectation expected[] = {
		{ { "profile.yaml", 51, 9 }, RIG_LEVEL, INT(1) },
		{ { "profile.yaml", 52, 9 }, RIG_MODE, INT(2) },
	};

	add_sample(&cell, 1, expected, 2);
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings),
		     "profile.yaml:51:9: sample of profile fake-meter: point level: expected 1, got nothing\n"
		     "profile.yaml:52:9: sample of profile fake-meter: point mode: expected 2, got 1\n");
}
END_TEST

START_TEST(sample_refused)
{
	struct fieldway_cell cell = { "uint", RIG_LEVEL, 1 };
	struct config_expectation expected = { { "profile.yaml", 51, 9 }, RIG_LEVEL, INT(2) };

	/* By a device, too, or by the sample alone: said once. */
	rig.c.config.n_devices = _i * RIG_DEVICES;
	rig.c.points[0].settings = rig_setting(0, "bad", "point-key.yaml");
	rig.c.points[1].settings = rig_setting(1, "bad", "other-key.yaml");
	add_sample(&cell, 1, &expected, 1);
	rig.c.buses[1].plugin = NULL;
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "point-key.yaml:7:3: the point is bad\n"
		     "other-key.yaml:7:3: the point is bad\n");
}
END_TEST

/* Of what comes more than once the last counts. */
START_TEST(sample_of_inputs)
{
	struct fieldway_input inputs[] = { { "text", "x", 1 }, { "bytes", "\0\1\2", 3 } };
	struct config_expectation expected = { { "profile.yaml", 51, 9 }, RIG_LEVEL, INT(2) };

	add_sample(NULL, 0, &expected, 1);
	rig.c.sample.inputs = inputs;
	rig.c.sample.n_inputs = 2;
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings),
		     "profile.yaml:51:9: sample of profile fake-meter: point level: expected 2, got 3\n");
}
END_TEST

START_TEST(sample_of_bad_inputs)
{
	struct fieldway_input inputs[] = { { "text", "x", 1 }, { "bad.name", "", 0 } };
	struct yaml_mark marks[] = { { "profile.yaml", 52, 1 }, { "profile.yaml", 52, 9 } };

	add_sample(NULL, 0, NULL, 0);
	rig.c.sample.inputs = inputs;
	rig.c.sample.input_marks = marks;
	rig.c.sample.n_inputs = 2;
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings),
		     "profile.yaml:52:9: no such input\n");
}
END_TEST

/* ---- lines ---- */

/* Those of one line have its number; which one that is, is nobody's business. */
START_TEST(lines_are_known)
{
	const uint32_t *lines;

	ck_assert_ptr_null(fieldbus_lines(rig.fieldbus));
	rig.c.devices[0].address = rig_setting(0, "line", "a");
	rig.c.devices[1].address = rig_setting(1, "line", "b");
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
	lines = fieldbus_lines(rig.fieldbus);
	ck_assert_uint_ne(lines[0], lines[1]);
	ck_assert_uint_ne(lines[0], FIELDBUS_NO_LINE);
	ck_assert_uint_ne(lines[1], FIELDBUS_NO_LINE);
	rig.c.plugin.unchecked = true;
	check_errors(fieldbus_check(rig.fieldbus, &rig.c.config, false, &errors, &warnings), "");
	ck_assert_uint_eq(fieldbus_lines(rig.fieldbus)[0], FIELDBUS_NO_LINE);
}
END_TEST

/* ---- what a host is given ---- */

START_TEST(configuration_has_what_the_bus_uses)
{
	struct config_type second = rig.c.type, unused = rig.c.type, *types[] = { &unused, &rig.c.type, &second };
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_configuration c;
	struct device_list list;

	rig.c.config.types = types;
	rig.c.config.n_types = 3;
	second.n_points = 1;
	rig.c.devices[1].type = &second;
	rig.c.points[1].period_usec = CONFIG_RATE_ON_DEMAND;
	ck_assert_int_eq(device_list_of_bus(&rig.c.config, 0, false, &arena, &list), 0);
	ck_assert_int_eq(configuration_of_bus(&rig.c.config, 0, &list, &arena, &c), 0);
	ck_assert_str_eq(c.plugin, "fake");
	ck_assert_str_eq(c.bus.name, "hall1");
	ck_assert_uint_eq(c.n_types, 2);
	ck_assert_uint_eq(c.n_devices, 2);
	ck_assert_uint_eq(c.devices[0].id, 0);
	ck_assert_str_eq(c.devices[1].name, "m2");
	ck_assert_uint_eq(c.types[c.devices[0].type].n_points, RIG_POINTS);
	ck_assert_uint_eq(c.types[c.devices[1].type].n_points, 1);
	ck_assert_uint_eq(c.types[c.devices[0].type].points[1].access, LINK_READ | LINK_WRITE);
	ck_assert_uint_eq(c.types[c.devices[0].type].points[1].period_usec, LINK_PERIOD_ON_DEMAND);
	ck_assert_int_eq(device_list_of_bus(&rig.c.config, 0, true, &arena, &list), 0);
	ck_assert_int_eq(configuration_of_bus(&rig.c.config, 0, &list, &arena, &c), 0);
	ck_assert_uint_eq(c.n_devices, 3);
	ck_assert_int_eq(device_list_of_bus(&rig.c.config, 1, false, &arena, &list), 0);
	ck_assert_int_eq(configuration_of_bus(&rig.c.config, 1, &list, &arena, &c), 0);
	ck_assert_uint_eq(c.n_types, 1);
	ck_assert_uint_eq(c.devices[0].id, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check");
	TCase *tcase = tcase_create("check");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, describe_plugin);
	tcase_add_loop_test(tcase, describe_failure, 0, ARRAY_SIZE(failures));
	tcase_add_test(tcase, describe_hang);
	tcase_add_test(tcase, describe_without_program);
	tcase_add_test(tcase, accepted);
	tcase_add_test(tcase, refused_where_it_stands);
	tcase_add_test(tcase, refused_point_once);
	tcase_add_test(tcase, refused_nonsense);
	tcase_add_test(tcase, host_dies);
	tcase_add_test(tcase, no_program);
	tcase_add_test(tcase, missing_contents);
	tcase_add_test(tcase, missing_contents_are_optional);
	tcase_add_test(tcase, too_many_devices);
	tcase_add_test(tcase, noted_once);
	tcase_add_test(tcase, nothing_to_mend);
	tcase_add_test(tcase, line_cannot_keep_up);
	tcase_add_test(tcase, line_of_two_buses);
	tcase_add_loop_test(tcase, sample_value, 0, ARRAY_SIZE(samples));
	tcase_add_test(tcase, sample_without_value);
	tcase_add_test(tcase, sample_of_inputs);
	tcase_add_test(tcase, sample_of_bad_inputs);
	tcase_add_test(tcase, lines_are_known);
	tcase_add_loop_test(tcase, sample_refused, 0, 2);
	tcase_add_test(tcase, configuration_has_what_the_bus_uses);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
