/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "setup.h"

#define TEXT(t) { .type = FIELDWAY_STRING, .data = (t), .size = sizeof(t) - 1 }
static const struct fieldway_value values[] = {
	{ .type = FIELDWAY_NONE },
	{ .type = FIELDWAY_BOOL, .boolean = true },
	{ .type = FIELDWAY_INT, .integer = INT64_MIN },
	{ .type = FIELDWAY_UINT, .unsignd = UINT64_MAX },
	{ .type = FIELDWAY_FLOAT, .real = 230.2 },
	{ .type = FIELDWAY_FLOAT, .real = INFINITY },
	TEXT(""),
	TEXT("gr\xc3\xbc\xc3\x9f"),
	{ .type = FIELDWAY_BYTES, .data = "\0\xff", .size = 2 },
};

static void check_same(const struct fieldway_value *a, const struct fieldway_value *b)
{
	ck_assert_int_eq(a->type, b->type);
	if (a->type == FIELDWAY_STRING || a->type == FIELDWAY_BYTES) {
		ck_assert_uint_eq(a->size, b->size);
		ck_assert_mem_eq(a->data, b->data, b->size);
	} else if (a->type == FIELDWAY_BOOL) {
		ck_assert_int_eq(a->boolean, b->boolean);
	} else {
		ck_assert_uint_eq(a->unsignd, b->unsignd);
	}
}

START_TEST(value_round_trip)
{
	struct fieldway_value value;
	sd_bus_message *m = start();

	ck_assert_int_ge(link_append_value(m, &values[_i]), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_value(m, &value), 0);
	check_same(&value, &values[_i]);
	ck_assert_int_eq(link_read_value(m, &value), -EBADMSG);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(value_refused)
{
	const struct fieldway_value bad[] = { TEXT("a\0b"), TEXT("\xff") };
	struct fieldway_value value;
	sd_bus_message *m = start();

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_int_eq(link_append_value(m, &bad[i]), -EINVAL);
	ck_assert_int_ge(sd_bus_message_append(m, "vsv", "q", 1, "x", "as", 0), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_value(m, &value), -EBADMSG);
	sd_bus_message_unref(m);
}
END_TEST

static struct fieldway_value invalid[] = { { .type = FIELDWAY_FLOAT, .real = NAN } };
static const struct fieldway_setting setting = { "area", TEXT("input") };
static struct link_point points[] = {
	{ .name = "volts", .access = LINK_READ, .scale = 0.1, .factor = 1, .invalid = invalid, .n_invalid = 1,
	  .verify = { .point = -1 }, .period_usec = 1000000, .deadband = 0.5, .sample_usec = 6,
	  .sample_keep = LINK_KEEP_MAXIMUM, .silence_usec = 7, .scale10 = -1, .settings = { &setting, 1 } },
	{ .name = "run", .access = LINK_READ | LINK_WRITE, .scale = 1, .factor = 1, .inexact_reject = true,
	  .verify = { .enabled = true, .within_usec = 5, .tolerance = 0.5, .point = 0 }, .scale10 = 0 },
};
static struct fieldway_value models[] = { { .type = FIELDWAY_INT, .integer = 0x70 }, TEXT("SDM630") };
static struct link_type types[] = {
	{ .points = points, .n_points = 2, .identify = { .point = 1, .values = models, .n_values = 2 } },
};
static struct link_device devices[] = { { .id = 7, .name = "m1", .address = { &setting, 1 } } };

static struct link_configuration example(void)
{
	return (struct link_configuration){
		.generation = 3, .plugin = "modbus", .bus = { .name = "b", .timeout_usec = 9 },
		.retries = 1, .offline_after = 3, .offline_first_usec = 4, .offline_last_usec = 5,
		.types = types, .n_types = 1, .devices = devices, .n_devices = 1,
	};
}

static int carry_configuration(const struct link_configuration *c, struct link_configuration **ret)
{
	sd_bus_message *m = start();
	int r;

	ck_assert_int_ge(link_append_configuration(m, c), 0);
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1), LINK_TYPE_CONFIGURE);
	m = carry(m);
	r = link_read_configuration(m, ret);
	sd_bus_message_unref(m);
	return r;
}

START_TEST(configuration_round_trip)
{
	struct link_configuration *c, from = example();

	ck_assert_int_eq(carry_configuration(&from, &c), 0);
	ck_assert_uint_eq(c->generation, 3);
	ck_assert_str_eq(c->plugin, "modbus");
	ck_assert_uint_eq(c->offline_last_usec, 5);
	ck_assert_uint_eq(c->n_types, 1);
	ck_assert_uint_eq(c->types[0].n_points, 2);
	ck_assert_str_eq(c->types[0].points[0].name, "volts");
	ck_assert(isnan(c->types[0].points[0].invalid[0].real));
	ck_assert_str_eq(c->types[0].points[0].settings.items[0].key, "area");
	ck_assert(c->types[0].points[1].inexact_reject && c->types[0].points[1].verify.enabled);
	ck_assert(c->types[0].points[1].verify.tolerance == 0.5);
	ck_assert(c->types[0].points[0].deadband == 0.5 && c->types[0].points[0].sample_usec == 6);
	ck_assert(c->types[0].points[0].sample_keep == LINK_KEEP_MAXIMUM);
	ck_assert(c->types[0].points[0].silence_usec == 7 && c->types[0].points[0].scale10 == -1);
	ck_assert_int_eq(c->types[0].points[1].scale10, 0);
	ck_assert_int_eq(c->types[0].identify.point, 1);
	ck_assert_uint_eq(c->types[0].identify.n_values, 2);
	check_same(&c->types[0].identify.values[1], &models[1]);
	ck_assert_uint_eq(c->devices[0].id, 7);
	check_same(&c->devices[0].address.items[0].value, &setting.value);
	link_configuration_free(c);
}
END_TEST

START_TEST(configuration_refused)
{
	struct link_configuration *c, from = example();
	struct link_device lost = { .name = "m", .type = 1 };
	struct link_point odd = { .name = "p", .scale = NAN, .factor = 1 };
	struct link_point lonely = { .name = "p", .scale = 1, .factor = 1, .verify = { .point = -1 }, .scale10 = 1 };
	struct link_type type = { .points = &odd, .n_points = 1 };
	sd_bus_message *m;

	from.devices = &lost;
	ck_assert_int_eq(carry_configuration(&from, &c), -EBADMSG);
	from = example();
	from.types = &type;
	ck_assert_int_eq(carry_configuration(&from, &c), -EBADMSG);
	type.points = &lonely;
	ck_assert_int_eq(carry_configuration(&from, &c), -EBADMSG);
	lonely.scale10 = -1;
	lonely.sample_keep = LINK_KEEP_MAXIMUM + 1;
	ck_assert_int_eq(carry_configuration(&from, &c), -EBADMSG);
	lonely.sample_keep = LINK_KEEP_LAST;
	m = start();
	ck_assert_int_ge(sd_bus_message_append(m, "ts", UINT64_C(1), "x"), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_configuration(m, &c), -EBADMSG);
	sd_bus_message_unref(m);
}
END_TEST

static unsigned n_received;

static void received(void *userdata, uint32_t device, const struct link_counters *counters,
		     const struct fieldway_sample *samples, size_t n)
{
	ck_assert_uint_eq(device, n_received);
	ck_assert_uint_eq(counters->conflated, 4);
	ck_assert_uint_eq(n, n_received == 0 ? ARRAY_SIZE(values) : 0);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(samples[i].point, i);
		ck_assert_int_eq(samples[i].error, -ETIMEDOUT);
		ck_assert_uint_eq(samples[i].boottime_usec, 99);
		check_same(&samples[i].value, &values[i]);
	}
	n_received++;
}

START_TEST(values_round_trip)
{
	const struct link_counters counters = { 1, 2, 3, 4 };
	sd_bus_message *m = start();
	uint64_t generation;

	ck_assert_int_ge(sd_bus_message_append(m, "t", UINT64_C(6)), 0);
	ck_assert_int_ge(sd_bus_message_open_container(m, 'a', LINK_TYPE_DEVICE_VALUES), 0);
	ck_assert_int_ge(link_open_values(m, 0, &counters), 0);
	for (uint32_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct fieldway_sample s = { i, FIELDWAY_FAILED, -ETIMEDOUT, 99, values[i] };

		ck_assert_int_ge(link_append_sample(m, &s), 0);
	}
	ck_assert_int_ge(link_close_values(m), 0);
	ck_assert_int_ge(link_open_values(m, 1, &counters), 0);
	ck_assert_int_ge(link_close_values(m), 0);
	ck_assert_int_ge(sd_bus_message_close_container(m), 0);
	m = carry(m);
	n_received = 0;
	ck_assert_int_eq(link_read_values(m, &generation, received, NULL), 0);
	ck_assert_uint_eq(generation, 6);
	ck_assert_uint_eq(n_received, 2);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(samples_refused)
{
	struct fieldway_sample *samples;
	sd_bus_message *m = start();
	size_t n;

	ck_assert_int_ge(sd_bus_message_append(m, "a(uyitv)", 1, 0, 77, 0, UINT64_C(0), "b", 1), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_samples(m, &samples, &n), -EBADMSG);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(cells_round_trip)
{
	const struct fieldway_cell cells[] = { { "input", 0, 0x4366 }, { "coil", 70000, 1 } };
	struct fieldway_cell *ret;
	sd_bus_message *m = start();
	size_t n;

	ck_assert_int_ge(link_append_cells(m, cells, 2), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_cells(m, &ret, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(ret[1].area, "coil");
	ck_assert_uint_eq(ret[1].address, 70000);
	ck_assert_uint_eq(ret[0].value, 0x4366);
	free(ret);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(inputs_round_trip)
{
	const struct fieldway_input inputs[] = { { "bytes", "\0\1", 2 }, { "text", "", 0 } };
	struct fieldway_input *ret;
	sd_bus_message *m = start();
	size_t n;

	ck_assert_int_ge(link_append_inputs(m, inputs, 2), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_inputs(m, &ret, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(ret[0].name, "bytes");
	ck_assert_uint_eq(ret[0].size, 2);
	ck_assert_mem_eq(ret[0].data, "\0\1", 2);
	ck_assert_str_eq(ret[1].name, "text");
	ck_assert_uint_eq(ret[1].size, 0);
	free(ret);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(inputs_are_bounded)
{
	static struct fieldway_input inputs[LINK_INPUTS_MAX + 1];
	struct fieldway_input *ret;
	sd_bus_message *m = start();
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++)
		inputs[i].name = "text";
	ck_assert_int_ge(link_append_inputs(m, inputs, ARRAY_SIZE(inputs)), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_inputs(m, &ret, &n), -EBADMSG);
	sd_bus_message_unref(m);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("link");
	TCase *tcase = tcase_create("link");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, value_round_trip, 0, ARRAY_SIZE(values));
	tcase_add_test(tcase, value_refused);
	tcase_add_test(tcase, configuration_round_trip);
	tcase_add_test(tcase, configuration_refused);
	tcase_add_test(tcase, values_round_trip);
	tcase_add_test(tcase, samples_refused);
	tcase_add_test(tcase, cells_round_trip);
	tcase_add_test(tcase, inputs_round_trip);
	tcase_add_test(tcase, inputs_are_bounded);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
