/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "hex.h"
#include "plugins/ble/driver.h"
#include "setup.h"

static struct fieldway_error error;

/* ---- buses and addresses ---- */

static const struct {
	const char *text;
	bool good;
} adapters[] = {
	{ "any", true },	 { "hci0", true },		 { "hci12", true }, { "00:1A:7d:DA:71:13", true },
	{ "hci", false },	 { "hcix", false },		 { "usb0", false }, { "00-1A-7D-DA-71-13", false },
	{ "00:1A:7D:DA:71", false }, { "00:1A:7D:DA:71:1G", false },
};

START_TEST(adapters_of_a_bus)
{
	const struct fieldway_bus bus = { .name = "b", .settings = SETTINGS(TEXT("adapter", adapters[_i].text)) };

	ck_assert_int_eq(driver_bus_check(&bus, &error), adapters[_i].good ? 0 : -EINVAL);
	if (!adapters[_i].good)
		ck_assert_str_eq(error.key, "adapter");
}
END_TEST

static int make(struct fieldway_settings address, struct fieldway_driver **ret)
{
	static const struct fieldway_bus bus = { .name = "b" };
	const struct fieldway_device device = { .name = "d", .settings = address };

	error = (struct fieldway_error){ .point = -1 };
	return driver_new(&bus, &device, ret, &error);
}

#define MAC TEXT("mac", "a4:c1:38:00:11:01")

START_TEST(addresses)
{
	struct fieldway_driver *d;
	char name[64];

	ck_assert_int_eq(make(SETTINGS(MAC), &d), 0);
	ck_assert_str_eq(d->mac_text, "A4:C1:38:00:11:01");
	ck_assert_mem_eq(d->mac, "\xa4\xc1\x38\x00\x11\x01", 6);
	ck_assert(!d->has_key && !d->pair && !d->needs_connection);
	ck_assert_int_eq(driver_line_name(d, name, sizeof(name)), 0);
	ck_assert_str_eq(name, "any");
	ck_assert_int_eq(driver_line_name(d, name, 2), -ENAMETOOLONG);
	driver_free(d);
	ck_assert_int_eq(make(SETTINGS(TEXT("mac", "A4C138001101")), &d), -EINVAL);
	ck_assert_str_eq(error.key, "mac");
	ck_assert_int_eq(make((struct fieldway_settings){ 0 }, &d), -EINVAL);
	ck_assert_str_eq(error.key, "mac");
}
END_TEST

START_TEST(keys)
{
	struct fieldway_driver *d;

	ck_assert_int_eq(make(SETTINGS(MAC, BYTES("key", "0123456789abcdef", 16)), &d), 0);
	ck_assert(d->has_key);
	ck_assert_mem_eq(d->key, "0123456789abcdef", 16);
	driver_free(d);
	ck_assert_int_eq(make(SETTINGS(MAC, BYTES("key", "231d39c1d7cc1ab1aee224cd096db932", 32)), &d), 0);
	ck_assert_mem_eq(d->key, "\x23\x1d\x39", 3);
	driver_free(d);
	ck_assert_int_eq(make(SETTINGS(MAC, BYTES("key", "0123", 4)), &d), -EINVAL);
	ck_assert_str_eq(error.key, "key");
	ck_assert_int_eq(make(SETTINGS(MAC, BYTES("key", "x31d39c1d7cc1ab1aee224cd096db932", 32)), &d), -EINVAL);
	/* No digit of a key may get into a message. */
	ck_assert_ptr_null(strstr(error.text, "1d39"));
}
END_TEST

START_TEST(passkeys)
{
	struct fieldway_driver *d;

	ck_assert_int_eq(make(SETTINGS(MAC, BOOL("pair", true), BYTES("passkey", "\x00\x12\x34", 3)), &d), 0);
	ck_assert(d->pair && d->has_passkey && d->needs_connection);
	ck_assert_uint_eq(d->passkey, 1234);
	driver_free(d);
	ck_assert_int_eq(make(SETTINGS(MAC, BOOL("pair", true), BYTES("passkey", "987654", 6)), &d), 0);
	ck_assert_uint_eq(d->passkey, 987654);
	driver_free(d);
	ck_assert_int_eq(make(SETTINGS(MAC, BOOL("pair", true), BYTES("passkey", "\x0a\x12\x34", 3)), &d), -EINVAL);
	ck_assert_int_eq(make(SETTINGS(MAC, BOOL("pair", true), BYTES("passkey", "12345", 5)), &d), -EINVAL);
	ck_assert_int_eq(make(SETTINGS(MAC, BYTES("passkey", "987654", 6)), &d), -EINVAL);
	ck_assert_str_eq(error.key, "passkey");
}
END_TEST

/* ---- a device for samples: neither bus nor address ---- */

#define POINT(...) { .name = "p", .readable = true, .settings = SETTINGS(__VA_ARGS__) }

static struct fieldway_driver *thermometer(void)
{
	const struct fieldway_point points[] = {
		POINT(TEXT("bthome", "temperature")),
		POINT(TEXT("characteristic", "2a6e"), TEXT("type", "int16")),
		POINT(TEXT("from", "rssi")),
		POINT(TEXT("characteristic", "2a6e"), UINT("at", 1)),
		{ .name = "w", .readable = true, .writable = true,
		  .settings = SETTINGS(TEXT("characteristic", "2a19"), BOOL("notify", true)) },
		POINT(TEXT("bthome", "text")),
		POINT(UINT("manufacturer", 0x0499), TEXT("match", "05"), UINT("at", 1), TEXT("type", "int16"),
		      TEXT("order", "big")),
	};
	const struct fieldway_device device = { .name = "d", .points = points,
						.n_points = sizeof(points) / sizeof(points[0]) };
	struct fieldway_driver *d;

	ck_assert_msg(driver_new(NULL, &device, &d, &error) == 0, "%s", error.text);
	return d;
}

START_TEST(a_point_is_named_in_refusals)
{
	const struct fieldway_point points[] = { POINT(TEXT("bthome", "battery")), POINT(TEXT("bthome", "batery")) };
	const struct fieldway_device device = { .name = "d", .points = points, .n_points = 2 };
	struct fieldway_driver *d;

	ck_assert_int_eq(driver_new(NULL, &device, &d, &error), -EINVAL);
	ck_assert_int_eq(error.point, 1);
}
END_TEST

START_TEST(requests)
{
	const uint32_t all[] = { 6, 5, 4, 3, 2, 1, 0 };
	struct fieldway_driver *d = thermometer();
	struct fieldway_plan plan;

	ck_assert(d->needs_connection && d->notifies);
	ck_assert_int_eq(driver_plan(d, all, 7, &plan), 0);
	ck_assert_uint_eq(plan.n, 3);
	ck_assert_str_eq(plan.requests[0].text, "advertisements");
	ck_assert_uint_eq(plan.requests[0].n_points, 4);
	ck_assert_str_eq(plan.requests[1].text, "notifications of characteristic 2a19");
	ck_assert_uint_eq(plan.requests[1].points[0], 4);
	ck_assert_str_eq(plan.requests[2].text, "read characteristic 2a6e");
	ck_assert_uint_eq(plan.requests[2].n_points, 2);
	driver_plan_free(&plan);
	ck_assert_int_eq(driver_plan(d, all, 0, &plan), 0);
	ck_assert_uint_eq(plan.n, 0);
	driver_plan_free(&plan);
	driver_free(d);
}
END_TEST

START_TEST(answers)
{
	const uint32_t broadcast[] = { 0, 2, 5, 6 }, read[] = { 1, 3 };
	struct fieldway_driver *d = thermometer();
	struct fieldway_sample samples[4];
	struct fieldway_plan plan;
	uint8_t bytes[64];
	char text[16];
	size_t size = hex_bytes("0c16d2fc40 02ca09 5303616263 06ff99040512fc", bytes, sizeof(bytes));

	ck_assert_int_eq(driver_plan(d, broadcast, 4, &plan), 0);
	ck_assert_int_eq(driver_decode(d, &plan.requests[0], bytes, size, samples, text, sizeof(text)), 0);
	ck_assert_double_eq(samples[0].value.real, 25.06);
	ck_assert_int_eq(samples[1].quality, FIELDWAY_FAILED);
	ck_assert_int_eq(samples[1].error, -ENODATA);
	ck_assert_uint_eq(samples[2].value.size, 3);
	ck_assert_mem_eq(samples[2].value.data, "abc", 3);
	ck_assert_int_eq(samples[3].value.integer, 0x12fc);
	ck_assert_int_eq(driver_decode(d, &plan.requests[0], bytes, 5, samples, text, sizeof(text)), -EBADMSG);
	/* Another of the maker's formats. */
	size = hex_bytes("06ff99040312fc", bytes, sizeof(bytes));
	ck_assert_int_eq(driver_decode(d, &plan.requests[0], bytes, size, samples, text, sizeof(text)), 0);
	ck_assert_int_eq(samples[3].quality, FIELDWAY_FAILED);
	driver_plan_free(&plan);
	ck_assert_int_eq(driver_plan(d, read, 2, &plan), 0);
	ck_assert_int_eq(driver_decode(d, &plan.requests[0], "\xca\x09", 2, samples, text, sizeof(text)), 0);
	ck_assert_int_eq(samples[0].value.integer, 2506);
	ck_assert_int_eq(samples[1].value.integer, 9);
	ck_assert_int_eq(driver_decode(d, &plan.requests[0], "\xca", 1, samples, text, sizeof(text)), -EBADMSG);
	driver_plan_free(&plan);
	driver_free(d);
}
END_TEST

START_TEST(writes)
{
	const struct fieldway_value fits = { .type = FIELDWAY_INT, .integer = 200 },
				    large = { .type = FIELDWAY_INT, .integer = 256 };
	struct fieldway_driver *d = thermometer();
	uint8_t bytes[4];

	ck_assert_int_eq(driver_write_check(d, 4, &fits, &error), 0);
	ck_assert_int_eq(driver_encode(d, 4, &fits, bytes, sizeof(bytes), &error), 1);
	ck_assert_uint_eq(bytes[0], 200);
	ck_assert_int_eq(driver_write_check(d, 4, &large, &error), -ERANGE);
	ck_assert_int_eq(driver_write_check(d, 1, &fits, &error), -EINVAL);
	ck_assert_int_eq(driver_write_check(d, 99, &fits, &error), -EINVAL);
	driver_free(d);
}
END_TEST

/* ---- samples of a profile ---- */

#define INPUT(n, text) { .name = (n), .data = (text), .size = sizeof(text) - 1 }

static const struct {
	struct fieldway_input input;
	int expected;
} inputs[] = {
	{ INPUT("advertisement.service_data.fcd2", "40 02ca09"), 1 },
	{ INPUT("advertisement.service_data.fcd2", "40 02ca0"), -EINVAL },
	{ INPUT("advertisement.service_data.fcd", "40 02ca09"), -EINVAL },
	{ INPUT("advertisement.service_data.fcd2", "41 02ca09"), -EINVAL },
	{ INPUT("advertisement.manufacturer.0x0499", "0512fc"), 1 },
	{ INPUT("advertisement.manufacturer.1177", "0512fc"), 1 },
	{ INPUT("advertisement.manufacturer.ruuvi", "0512fc"), -EINVAL },
	{ INPUT("advertisement.manufacturer.65536", "0512fc"), -EINVAL },
	{ INPUT("advertisement.rssi", "-60"), 1 },
	{ INPUT("advertisement.rssi", "loud"), -EINVAL },
	{ INPUT("advertisement.rssi", "-99999"), -EINVAL },
	{ INPUT("advertisement.volume", "1"), -EINVAL },
	{ INPUT("advertisement.key", "00"), -EINVAL },
	{ INPUT("gatt.2a6e", "ca09"), 2 },
	{ INPUT("gatt.2a6e", "ca"), -EINVAL },
	{ INPUT("gatt.x", "ca09"), -EINVAL },
	{ INPUT("gatt.2a37", "00"), 0 },
	{ INPUT("bytes", "\x07\x16\xd2\xfc\x40\x02\xca\x09"), 1 },
	{ INPUT("bytes", "\x08\x16\xd2\xfc\x40\x02\xca\x09"), -EINVAL },
	{ INPUT("text", "25"), -EINVAL },
};

START_TEST(samples_of_a_profile)
{
	struct fieldway_driver *d = thermometer();
	struct fieldway_sample samples[7];
	char text[16];
	size_t n = 99;
	int r = driver_sample(d, &inputs[_i].input, 1, samples, &n, text, sizeof(text), &error);

	if (inputs[_i].expected < 0) {
		ck_assert_int_eq(r, inputs[_i].expected);
		ck_assert_uint_eq(n, 99);
		ck_assert_uint_gt(strlen(error.text), 8);
	} else {
		ck_assert_msg(r == 0, "%s", error.text);
		ck_assert_uint_eq(n, inputs[_i].expected);
	}
	driver_free(d);
}
END_TEST

START_TEST(an_encrypted_sample)
{
	const struct fieldway_input all[] = {
		INPUT("advertisement.mac", "54:48:E6:8F:80:A5"),
		INPUT("advertisement.key", "231d39c1d7cc1ab1aee224cd096db932"),
		INPUT("advertisement.service_data.fcd2", "41a47266c95f730011223378237214"),
	};
	struct fieldway_driver *d = thermometer();
	struct fieldway_sample samples[7];
	char text[16];
	size_t n;

	ck_assert_int_eq(driver_sample(d, all, 3, samples, &n, text, sizeof(text), &error), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_double_eq(samples[0].value.real, 25.06);
	ck_assert_int_eq(driver_sample(d, all + 1, 2, samples, &n, text, sizeof(text), &error), -EINVAL);
	driver_free(d);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ble/driver");
	TCase *t = tcase_create("drivers");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, adapters_of_a_bus, 0, sizeof(adapters) / sizeof(adapters[0]));
	tcase_add_test(t, addresses);
	tcase_add_test(t, keys);
	tcase_add_test(t, passkeys);
	tcase_add_test(t, a_point_is_named_in_refusals);
	tcase_add_test(t, requests);
	tcase_add_test(t, answers);
	tcase_add_test(t, writes);
	tcase_add_loop_test(t, samples_of_a_profile, 0, sizeof(inputs) / sizeof(inputs[0]));
	tcase_add_test(t, an_encrypted_sample);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
