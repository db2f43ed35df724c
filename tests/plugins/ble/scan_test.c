/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "hex.h"
#include "plugins/ble/session.h"

/* What a scan tells of what is in reach. */

static char address[32], facts[2048];
static unsigned told;

static void found(const struct fieldway_host *host, const char *where, const char *what)
{
	told++;
	snprintf(address, sizeof(address), "%s", where);
	snprintf(facts, sizeof(facts), "%s", what);
}

static const struct fieldway_host host = { .found = found };

static const struct {
	const char *hex, *name;
	int rssi;
	const char *expected;
} adverts[] = {
	{ "", "", 127, "{configured: false}" },
	{ "", "th", -60, "{configured: false, name: \"th\", rssi: -60}" },
	{ "", "a\"b\\c\td", 127, "{configured: false, name: \"a\\\"b\\\\c\\x09d\"}" },
	{ "0a16d2fc4002c40903bf13", "", 127,
	  "{configured: false, decode: bthome, encrypted: false, service_data: {\"fcd2\": \"4002c40903bf13\"}}" },
	{ "0616d2fc414243", "", 127,
	  "{configured: false, decode: bthome, encrypted: true, service_data: {\"fcd2\": \"414243\"}}" },
	{ "0d16aafe10ee03676f6f676c6507", "", 127,
	  "{configured: false, decode: eddystone, service_data: {\"feaa\": \"10ee03676f6f676c6507\"}}" },
	{ "1aff4c000215e2c56db5dffb48d2b060d0f5a71096e00102fffec5", "", 127,
	  "{configured: false, decode: ibeacon, manufacturer: {0x004C: "
	  "\"0215e2c56db5dffb48d2b060d0f5a71096e00102fffec5\"}}" },
	{ "05ff99040501 04ff4c0010", "", 127,
	  "{configured: false, decode: struct, manufacturer: {0x0499: \"0501\", 0x004C: \"10\"}}" },
	{ "05030f180a18", "", 127, "{configured: false, decode: gatt, services: [\"180f\", \"180a\"]}" },
};

static void see(struct fieldway_session *s, const char *path, const char *hex, const char *name, int rssi)
{
	struct advert a;
	uint8_t data[256];

	ck_assert_int_eq(advert_parse(data, hex_bytes(hex, data, sizeof(data)), &a), 0);
	advert_set_name(&a, name, strlen(name));
	a.has_rssi = rssi != 127;
	a.rssi = (int16_t)rssi;
	scan_seen(s, path, "A4:C1:38:00:11:01", &a);
}

START_TEST(what_is_told)
{
	struct fieldway_session s = { .host = &host, .scan_usec = 1 };

	see(&s, "/a", adverts[_i].hex, adverts[_i].name, adverts[_i].rssi);
	ck_assert_uint_eq(told, 1);
	ck_assert_str_eq(address, "A4:C1:38:00:11:01");
	ck_assert_str_eq(facts, adverts[_i].expected);
	scan_forget(&s);
}
END_TEST

START_TEST(each_once)
{
	struct fieldway_session s = { .host = &host };
	char path[16];

	see(&s, "/a", "", "", 127);
	ck_assert_uint_eq(told, 0);
	s.scan_usec = 1;
	see(&s, "/a", "", "", 127);
	see(&s, "/a", "", "", -1);
	ck_assert_uint_eq(told, 1);
	for (unsigned i = 0; i < 2 * SCANNED_MAX; i++) {
		snprintf(path, sizeof(path), "/%u", i);
		see(&s, path, "", "", 127);
	}
	ck_assert_uint_eq(told, SCANNED_MAX);
	scan_forget(&s);
	see(&s, "/a", "", "", 127);
	ck_assert_uint_eq(told, SCANNED_MAX);
}
END_TEST

/* Half a text would be worse than none. */
START_TEST(too_much_is_left_out)
{
	struct fieldway_session s = { .host = &host, .scan_usec = 1 };
	struct advert a = { 0 };
	uint8_t data[600] = { 0 };

	ck_assert_int_eq(advert_add(&a, ADVERT_MANUFACTURER, 1, NULL, data, sizeof(data)), 0);
	scan_seen(&s, "/a", "A4:C1:38:00:11:01", &a);
	ck_assert_uint_eq(told, 0);
	scan_forget(&s);
}
END_TEST

static void forget(void)
{
	told = 0;
}

int main(void)
{
	Suite *s = suite_create("ble/scan");
	TCase *t = tcase_create("facts");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(t, forget, NULL);
	tcase_add_loop_test(t, what_is_told, 0, sizeof(adverts) / sizeof(adverts[0]));
	tcase_add_test(t, each_once);
	tcase_add_test(t, too_much_is_left_out);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
