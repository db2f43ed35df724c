/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>

#include "plugins/ble/point.h"
#include "setup.h"

static struct fieldway_error error;

static int compile(struct fieldway_settings settings, bool writable, enum decode decode, struct point *ret)
{
	const struct fieldway_point from = { .name = "p", .readable = true, .writable = writable,
					     .settings = settings };

	error = (struct fieldway_error){ .point = -1 };
	return point_compile(&from, decode, ret, &error);
}

static const struct {
	const char *text, *object; /* NULL: refused */
	unsigned nth;
} names[] = {
	{ "temperature", "temperature", 0 },
	{ "temperature2", "temperature", 1 },
	{ "temperature12", "temperature", 11 },
	{ "temperature1", NULL, 0 },
	{ "temperature0", NULL, 0 },
	{ "pm25", "pm25", 0 },
	{ "pm252", "pm25", 1 },
	{ "co2", "co2", 0 },
	{ "co22", "co2", 1 },
	{ "temp", NULL, 0 },
	{ "2", NULL, 0 },
	{ "temperature99999999999999999999", NULL, 0 },
};

START_TEST(names_of_objects)
{
	struct point p;
	int r = compile(SETTINGS(TEXT("bthome", names[_i].text)), false, DECODE_BTHOME, &p);

	ck_assert_msg((r == 0) == (names[_i].object != NULL), "%s", names[_i].text);
	if (r < 0) {
		ck_assert_str_eq(error.key, "bthome");
		return;
	}
	ck_assert_str_eq(p.object, names[_i].object);
	ck_assert_uint_eq(p.nth, names[_i].nth);
}
END_TEST

START_TEST(one_source)
{
	struct point p;

	ck_assert_int_eq(compile((struct fieldway_settings){ 0 }, false, DECODE_ANY, &p), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.text, "where the value comes from"));
	ck_assert_int_eq(compile(SETTINGS(TEXT("bthome", "battery"), TEXT("from", "rssi")), false, DECODE_ANY, &p),
			 -EINVAL);
	ck_assert_str_eq(error.key, "from");
	ck_assert_int_eq(compile(SETTINGS(TEXT("ibeacon", "major")), false, DECODE_BTHOME, &p), -EINVAL);
	ck_assert_str_eq(error.text, "ibeacon: the profile has decode: bthome");
	/* What the adapter knows goes with everything. */
	for (int decode = DECODE_ANY; decode <= DECODE_GATT; decode++) {
		ck_assert_int_eq(compile(SETTINGS(TEXT("from", "rssi")), false, (enum decode)decode, &p), 0);
		ck_assert_int_eq(p.field, DEVICE_RSSI);
	}
}
END_TEST

START_TEST(sources)
{
	struct point p;

	ck_assert_int_eq(compile(SETTINGS(TEXT("eddystone", "uptime")), false, DECODE_EDDYSTONE, &p), 0);
	ck_assert_int_eq(p.field, EDDYSTONE_UPTIME);
	ck_assert_int_eq(compile(SETTINGS(TEXT("ibeacon", "power")), false, DECODE_IBEACON, &p), 0);
	ck_assert_int_eq(p.field, IBEACON_POWER);
	ck_assert_int_eq(compile(SETTINGS(UINT("manufacturer", 0x0499), TEXT("match", "05ff"), UINT("at", 1),
					  TEXT("type", "int16")),
				 false, DECODE_STRUCT, &p),
			 0);
	ck_assert_uint_eq(p.company, 0x0499);
	ck_assert_uint_eq(p.at, 1);
	ck_assert_uint_eq(p.n_match, 2);
	ck_assert_mem_eq(p.match, "\x05\xff", 2);
	ck_assert_int_eq(p.layout.type, LAYOUT_INT16);
	ck_assert_int_eq(compile(SETTINGS(TEXT("service_data", "181A")), false, DECODE_STRUCT, &p), 0);
	/* One byte, unless it is said otherwise. */
	ck_assert_int_eq(p.layout.type, LAYOUT_UINT8);
}
END_TEST

START_TEST(characteristics)
{
	struct point p;

	ck_assert_int_eq(compile(SETTINGS(TEXT("characteristic", "2a6e"), TEXT("service", "181a"), UINT("index", 2),
					  BOOL("notify", true), BOOL("write.response", false), TEXT("type", "int16")),
				 true, DECODE_GATT, &p),
			 0);
	ck_assert(p.has_service && p.notify && p.without_response);
	ck_assert_uint_eq(p.nth, 2);
	/* Told or not. */
	ck_assert(point_is_polled(&p));
	p.notify = false;
	ck_assert(point_is_polled(&p));
	p.period_usec = FIELDWAY_PERIOD_ON_DEMAND;
	ck_assert(!point_is_polled(&p));
}
END_TEST

#define T(name, string) { (name), { .type = FIELDWAY_STRING, .data = (string), .size = sizeof(string) - 1 } }
#define U(name, number) { (name), { .type = FIELDWAY_UINT, .unsignd = (number) } }

static const struct fieldway_setting
	bad_uuid[] = { T("characteristic", "2a6") }, bad_service[] = { T("characteristic", "2a6e"), T("service", "x") },
	odd_match[] = { U("manufacturer", 1), T("match", "050") }, no_hex[] = { U("manufacturer", 1), T("match", "0g") },
	at_of_bthome[] = { T("bthome", "battery"), U("at", 1) }, notify_of_data[] = { T("service_data", "fcd2"), U("index", 1) },
	written_broadcast[] = { T("bthome", "battery") }, written_part[] = { T("characteristic", "2a6e"), U("at", 1) },
	written_match[] = { T("characteristic", "2a6e"), T("match", "00") },
	written_bit[] = { T("characteristic", "2a6e"), U("bit", 1) }, far[] = { T("characteristic", "2a6e"), U("at", 512) };

static const struct {
	const struct fieldway_setting *settings;
	size_t n;
	bool writable;
	const char *key;
} refusals[] = {
	{ bad_uuid, 1, false, "characteristic" }, { bad_service, 2, false, "service" },
	{ odd_match, 2, false, "match" },	  { no_hex, 2, false, "match" },
	{ at_of_bthome, 2, false, "at" },	  { notify_of_data, 2, false, "index" },
	{ written_broadcast, 1, true, "bthome" }, { written_part, 2, true, "at" },
	{ written_match, 2, true, "match" },	  { written_bit, 2, true, "mask" },
	{ far, 2, false, "at" },
};

START_TEST(what_does_not_fit_together)
{
	struct point p;

	ck_assert_int_eq(compile((struct fieldway_settings){ refusals[_i].settings, refusals[_i].n },
				 refusals[_i].writable, DECODE_ANY, &p),
			 -EINVAL);
	ck_assert_str_eq(error.key, refusals[_i].key);
	ck_assert_uint_gt(strlen(error.text), 8);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ble/point");
	TCase *t = tcase_create("points");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, names_of_objects, 0, sizeof(names) / sizeof(names[0]));
	tcase_add_test(t, one_source);
	tcase_add_test(t, sources);
	tcase_add_test(t, characteristics);
	tcase_add_loop_test(t, what_does_not_fit_together, 0, sizeof(refusals) / sizeof(refusals[0]));
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
