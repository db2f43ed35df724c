/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>

#include "setup.h"

/* The pure half of the contract, through the descriptor: as the host sees it. */

static const struct fieldway_plugin *const plugin = &fieldway_plugin;

static int make_driver(struct fieldway_settings bus_settings, struct fieldway_settings device_settings,
		       struct fieldway_settings point_settings, bool writable, struct fieldway_driver **ret,
		       struct fieldway_error *error)
{
	struct fieldway_point point = { .name = "p", .readable = true, .writable = writable,
					.settings = point_settings };
	struct fieldway_device device = { .name = "d", .settings = device_settings, .points = &point,
					  .n_points = 1 };
	struct fieldway_bus bus = { .name = "b", .settings = bus_settings, .timeout_usec = 500000 };

	return plugin->driver_new(&bus, &device, ret, error);
}

START_TEST(descriptor)
{
	ck_assert_uint_eq(plugin->struct_size, sizeof(struct fieldway_plugin));
	ck_assert_uint_eq(plugin->abi, FIELDWAY_ABI);
	ck_assert_str_eq(plugin->name, "modbus");
	ck_assert_uint_eq(plugin->capabilities, FIELDWAY_CAN_POLL | FIELDWAY_CAN_WRITE);
	for (size_t i = 0; i < plugin->n_keys; i++) {
		const struct fieldway_key *k = &plugin->keys[i];

		ck_assert_ptr_nonnull(k->help);
		ck_assert_msg(k->scope, "%s", k->name);
		ck_assert_msg(!k->choices || k->type == FIELDWAY_STRING, "%s", k->name);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(plugin->keys[j].name, k->name);
	}
}
END_TEST

#define TCP SETTINGS(UINT("tcp.port", 502))
#define RTU SETTINGS(TEXT("rtu.device", "/dev/ttyS9"))

#define ck_bus(expected_key, ...)                                                                   \
	do {                                                                                        \
		struct fieldway_bus _b = { .name = "b", .timeout_usec = 1, .settings = SETTINGS(__VA_ARGS__) }; \
		struct fieldway_error _e = { .key = "untouched" };                                  \
		int _r = plugin->bus_check(&_b, &_e);                                               \
		ck_assert_msg(_r == ((expected_key) ? -EINVAL : 0), "%d %s", _r, _e.text);          \
		if (expected_key)                                                                   \
			ck_assert_str_eq(_e.key, (expected_key) ? (expected_key) : "");             \
	} while (0)

START_TEST(bus_settings)
{
	const char *none = NULL;
	struct fieldway_bus empty = { .name = "b" };
	struct fieldway_error error;

	ck_bus(none, UINT("tcp.port", 502), UINT("tcp.connections_per_host", 2));
	ck_bus(none, TEXT("rtu.device", "/dev/ttyS9"));
	ck_bus(none, TEXT("rtu.device", "/dev/ttyS9"), UINT("rtu.baud", 19200), TEXT("rtu.format", "8N2"));
	ck_bus("rtu.device", UINT("tcp.port", 502), TEXT("rtu.device", "/dev/ttyS9"));
	ck_bus("rtu.device", UINT("rtu.baud", 9600));
	ck_bus("rtu.baud", TEXT("rtu.device", "/dev/ttyS9"), UINT("rtu.baud", 9601));
	ck_bus("rtu.format", TEXT("rtu.device", "/dev/ttyS9"), TEXT("rtu.format", "7E1"));
	ck_bus("rtu.format", TEXT("rtu.device", "/dev/ttyS9"), TEXT("rtu.format", "8E3"));
	ck_bus("rtu.format", TEXT("rtu.device", "/dev/ttyS9"), TEXT("rtu.format", "8E"));
	ck_bus("rtu.format", TEXT("rtu.device", "/dev/ttyS9"), TEXT("rtu.format", "8X1"));
	ck_bus("tcp.port", UINT("tcp.port", 0));
	ck_bus("tcp.connections_per_host", UINT("tcp.connections_per_host", 17));
	ck_assert_int_eq(plugin->bus_check(&empty, &error), -EINVAL);
	ck_assert_ptr_null(error.key);
}
END_TEST

#define POINT SETTINGS(UINT("address", 0))

static void refused(struct fieldway_settings bus, struct fieldway_settings device, const char *key)
{
	struct fieldway_driver *driver = NULL;
	struct fieldway_error error = { 0 };

	ck_assert_int_eq(make_driver(bus, device, POINT, false, &driver, &error), -EINVAL);
	ck_assert_str_eq(error.key, key);
	ck_assert_int_eq(error.point, -1);
	ck_assert_ptr_null(driver);
}

START_TEST(device_settings)
{
	refused(TCP, SETTINGS(TEXT("host", "h")), "unit");
	refused(TCP, SETTINGS(UINT("unit", 1)), "host");
	refused(TCP, SETTINGS(UINT("unit", 248), TEXT("host", "h")), "unit");
	refused(TCP, SETTINGS(UINT("unit", 1), TEXT("host", "h"), UINT("port", 0)), "port");
	refused(RTU, SETTINGS(UINT("unit", 0)), "unit");
	refused(RTU, SETTINGS(UINT("unit", 255)), "unit");
	refused(RTU, SETTINGS(UINT("unit", 1), TEXT("host", "h")), "host");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("port", 9)), "port");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("max_registers", 126)), "max_registers");
	refused(RTU, SETTINGS(UINT("unit", 1), UINT("max_gap", 2001)), "max_gap");
	refused(SETTINGS(UINT("tcp.port", 70000)), SETTINGS(UINT("unit", 1)), "tcp.port");
}
END_TEST

START_TEST(a_point_error_names_its_point)
{
	struct fieldway_driver *driver;
	struct fieldway_error error = { 0 };

	ck_assert_int_eq(make_driver(RTU, SETTINGS(UINT("unit", 1)), SETTINGS(TEXT("area", "input")), false, &driver,
				     &error),
			 -EINVAL);
	ck_assert_int_eq(error.point, 0);
	ck_assert_str_eq(error.key, "address");
	ck_assert_int_eq(make_driver(RTU, SETTINGS(UINT("unit", 1), UINT("max_registers", 3)),
				     SETTINGS(UINT("address", 1), TEXT("type", "int64")), false, &driver, &error),
			 -EINVAL);
	ck_assert_int_eq(error.point, 0);
	ck_assert_str_eq(error.key, "max_registers");
}
END_TEST

static void line_is(struct fieldway_settings bus, struct fieldway_settings device, const char *expected)
{
	struct fieldway_driver *driver;
	struct fieldway_error error = { 0 };
	char name[64], small[4];

	ck_assert_msg(make_driver(bus, device, POINT, false, &driver, &error) == 0, "%s", error.text);
	ck_assert_int_eq(plugin->line_name(driver, name, sizeof(name)), 0);
	ck_assert_str_eq(name, expected);
	ck_assert_int_eq(plugin->line_name(driver, small, sizeof(small)), -ENAMETOOLONG);
	plugin->driver_free(driver);
}

START_TEST(lines)
{
	line_is(RTU, SETTINGS(UINT("unit", 1)), "/dev/ttyS9");
	line_is(TCP, SETTINGS(UINT("unit", 1), TEXT("host", "10.0.1.7")), "10.0.1.7:502/0");
	line_is(TCP, SETTINGS(UINT("unit", 255), TEXT("host", "::1"), UINT("port", 1502)), "[::1]:1502/0");
	line_is(SETTINGS(UINT("tcp.port", 503), UINT("tcp.connections_per_host", 3)),
		SETTINGS(UINT("unit", 5), TEXT("host", "plc")), "plc:503/2");
	plugin->driver_free(NULL);
}
END_TEST

/* The sample of configuration.md: registers {input: {0: [0x4366, 0x3333]}} are 230.2. */
START_TEST(a_sample_is_answered_and_decoded)
{
	const struct fieldway_cell cells[] = { { "input", 0, 0x4366 }, { "holding", 1, 9 }, { "input", 1, 0x3333 } };
	struct fieldway_driver *driver;
	struct fieldway_error error = { 0 };
	struct fieldway_plan plan;
	struct fieldway_sample sample;
	uint8_t bytes[8];
	const uint32_t wanted[] = { 0 };

	ck_assert_int_eq(make_driver(RTU, SETTINGS(UINT("unit", 1)),
				     SETTINGS(TEXT("area", "input"), UINT("address", 0), TEXT("type", "float32"),
					      TEXT("order", "ABCD")),
				     false, &driver, &error),
			 0);
	ck_assert_int_eq(plugin->plan_new(driver, wanted, 1, &plan), 0);
	ck_assert_int_eq(plugin->answer(driver, &plan.requests[0], cells, 3, bytes, sizeof(bytes)), 4);
	ck_assert_int_eq(plugin->decode(driver, &plan.requests[0], bytes, 4, &sample, NULL, 0), 0);
	ck_assert_double_eq(sample.value.real, 230.2);
	ck_assert_int_eq(plugin->answer(driver, &plan.requests[0], cells, 2, bytes, sizeof(bytes)), -ENODATA);
	ck_assert_int_eq(plugin->answer(driver, &plan.requests[0], cells, 3, bytes, 3), -ENOBUFS);
	plugin->plan_free(&plan);
	plugin->driver_free(driver);
}
END_TEST

/* A profile's samples are judged where no device of it is configured. */
START_TEST(a_device_without_a_bus)
{
	const struct fieldway_setting address = UINT("address", 0), far = UINT("address", 65536);
	struct fieldway_point point = { .name = "p", .readable = true, .settings = { &address, 1 } };
	struct fieldway_device device = { .name = "d", .points = &point, .n_points = 1 };
	const struct fieldway_cell cell = { "holding", 0, 4711 };
	struct fieldway_driver *driver;
	struct fieldway_error error = { .point = -1 };
	struct fieldway_plan plan;
	struct fieldway_sample sample;
	const uint32_t wanted[] = { 0 };
	uint8_t bytes[2];

	ck_assert_msg(plugin->driver_new(NULL, &device, &driver, &error) == 0, "%s", error.text);
	ck_assert_int_eq(plugin->plan_new(driver, wanted, 1, &plan), 0);
	ck_assert_int_eq(plugin->answer(driver, &plan.requests[0], &cell, 1, bytes, sizeof(bytes)),
			 2);
	ck_assert_int_eq(plugin->decode(driver, &plan.requests[0], bytes, 2, &sample, NULL, 0), 0);
	ck_assert_uint_eq(sample.value.unsignd, 4711);
	plugin->plan_free(&plan);
	plugin->driver_free(driver);
	point.settings.items = &far;
	ck_assert_int_eq(plugin->driver_new(NULL, &device, &driver, &error), -EINVAL);
	ck_assert_int_eq(error.point, 0);
	ck_assert_str_eq(error.key, "address");
}
END_TEST

START_TEST(write_check)
{
	const struct fieldway_value fits = { .type = FIELDWAY_INT, .integer = 40000 },
				    not = { .type = FIELDWAY_INT, .integer = 70000 };
	struct fieldway_driver *driver;
	struct fieldway_error error = { 0 };

	ck_assert_int_eq(make_driver(RTU, SETTINGS(UINT("unit", 1)), POINT, true, &driver, &error), 0);
	ck_assert_int_eq(plugin->write_check(driver, 0, &fits, &error), 0);
	ck_assert_int_eq(plugin->write_check(driver, 0, &not, &error), -ERANGE);
	ck_assert_str_eq(error.text, "does not fit into uint16");
	ck_assert_int_eq(error.point, 0);
	ck_assert_int_eq(plugin->write_check(driver, 1, &fits, &error), -EINVAL);
	plugin->driver_free(driver);
	ck_assert_int_eq(make_driver(RTU, SETTINGS(UINT("unit", 1)), POINT, false, &driver, &error), 0);
	ck_assert_int_eq(plugin->write_check(driver, 0, &fits, &error), -EINVAL);
	plugin->driver_free(driver);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/driver");
	TCase *t = tcase_create("driver");
	SRunner *runner;
	int failed;

	tcase_add_test(t, descriptor);
	tcase_add_test(t, bus_settings);
	tcase_add_test(t, device_settings);
	tcase_add_test(t, a_point_error_names_its_point);
	tcase_add_test(t, lines);
	tcase_add_test(t, a_sample_is_answered_and_decoded);
	tcase_add_test(t, a_device_without_a_bus);
	tcase_add_test(t, write_check);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
