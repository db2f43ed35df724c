/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>

#include "hex.h"
#include "plugins/ble/advert.h"

static int parse(const char *hex, struct advert *a)
{
	uint8_t data[400];

	return advert_parse(data, hex_bytes(hex, data, sizeof(data)), a);
}

START_TEST(structures)
{
	struct advert a;
	const struct advert_entry *e;
	const uint8_t *data;
	struct uuid battery = uuid_short(0x180f), bthome = uuid_short(0xfcd2);
	size_t at = 0;

	ck_assert_int_eq(parse("020106 0b094449592d73656e736f72 0a16d2fc4002c40903bf13 05ff99040501 0303 0f18 020af4",
			       &a),
			 0);
	ck_assert_str_eq(a.name, "DIY-sensor");
	ck_assert(a.has_power && !a.has_rssi);
	ck_assert_int_eq(a.power, -12);
	ck_assert_uint_eq(a.n_services, 1);
	ck_assert(uuid_equal(&a.services[0], &battery));
	e = advert_next(&a, &at, &data);
	ck_assert_int_eq(e->kind, ADVERT_SERVICE_DATA);
	ck_assert(uuid_equal(&e->uuid, &bthome));
	ck_assert_uint_eq(e->size, 7);
	ck_assert_uint_eq(data[0], 0x40);
	e = advert_next(&a, &at, &data);
	ck_assert_int_eq(e->kind, ADVERT_MANUFACTURER);
	ck_assert_uint_eq(e->company, 0x0499);
	ck_assert_uint_eq(e->size, 2);
	ck_assert_mem_eq(data, "\x05\x01", 2);
	ck_assert_ptr_null(advert_next(&a, &at, &data));
}
END_TEST

START_TEST(a_kind_is_replaced)
{
	struct advert a = { 0 };
	const uint8_t *data;
	struct uuid u = uuid_short(0x181a);
	size_t at = 0;

	ck_assert_int_eq(advert_add(&a, ADVERT_MANUFACTURER, 1, NULL, "ab", 2), 0);
	ck_assert_int_eq(advert_add(&a, ADVERT_SERVICE_DATA, 0, &u, "cde", 3), 0);
	ck_assert_int_eq(advert_add(&a, ADVERT_MANUFACTURER, 2, NULL, "f", 1), 0);
	advert_clear(&a, ADVERT_MANUFACTURER);
	ck_assert_uint_eq(a.n, 1);
	ck_assert_uint_eq(a.used, 3);
	ck_assert_int_eq(advert_next(&a, &at, &data)->kind, ADVERT_SERVICE_DATA);
	ck_assert_mem_eq(data, "cde", 3);
}
END_TEST

START_TEST(limits)
{
	struct advert a = { 0 };
	uint8_t data[ADVERT_BYTES_MAX + 1] = { 0 };

	ck_assert_int_eq(advert_add(&a, ADVERT_MANUFACTURER, 1, NULL, data, sizeof(data)), -ENOBUFS);
	ck_assert_int_eq(advert_add(&a, ADVERT_MANUFACTURER, 1, NULL, data, sizeof(data) - 1), 0);
	ck_assert_int_eq(advert_add(&a, ADVERT_MANUFACTURER, 1, NULL, data, 1), -ENOBUFS);
	for (unsigned i = 1; i < ADVERT_ENTRIES_MAX; i++)
		ck_assert_int_eq(advert_add(&a, ADVERT_MANUFACTURER, 1, NULL, NULL, 0), 0);
	ck_assert_int_eq(advert_add(&a, ADVERT_MANUFACTURER, 1, NULL, NULL, 0), -ENOBUFS);
	for (uint32_t i = 0; i < 2 * ADVERT_SERVICES_MAX; i++) {
		struct uuid u = uuid_short(i);

		advert_add_service(&a, &u);
	}
	ck_assert_uint_eq(a.n_services, ADVERT_SERVICES_MAX);
	advert_set_name(&a, "good", 4);
	advert_set_name(&a, "\xff\xff", 2);
	advert_set_name(&a, "n\0l", 3);
	advert_set_name(&a, (const char *)data, ADVERT_NAME_MAX + 1);
	ck_assert_str_eq(a.name, "good");
}
END_TEST

static const char *const damaged[] = { "05ff9904", "0216d2", "02ff99", "0821d2fc0000000000", "ff" };

START_TEST(what_is_damaged)
{
	struct advert a;

	ck_assert_int_eq(parse(damaged[_i], &a), -EBADMSG);
}
END_TEST

/* Zeroes fill a legacy advertisement up. */
START_TEST(padding)
{
	struct advert a;

	ck_assert_int_eq(parse("020106 0000000000", &a), 0);
	ck_assert_int_eq(parse("", &a), 0);
	ck_assert_uint_eq(a.n, 0);
}
END_TEST

static const struct {
	const char *text, *expected; /* NULL: no UUID */
} uuids[] = {
	{ "180f", "180f" },
	{ "0x2A6E", "2a6e" },
	{ "0000180F", "180f" },
	{ "12345678", "12345678" },
	{ "0000fcd2-0000-1000-8000-00805F9B34FB", "fcd2" },
	{ "6E400001-b5a3-f393-e0a9-e50e24dcca9e", "6e400001-b5a3-f393-e0a9-e50e24dcca9e" },
	{ "6E400001-b5a3-f393-e0a9-e50e24dcca9", NULL },
	{ "6E400001xb5a3-f393-e0a9-e50e24dcca9e", NULL },
	{ "6E4000-01b5a3-f393-e0a9-e50e24dcca9e", NULL },
	{ "180g", NULL },
	{ "80f", NULL },
	{ "0x", NULL },
	{ "", NULL },
};

START_TEST(uuid_texts)
{
	char text[UUID_TEXT_SIZE];
	struct uuid u;

	ck_assert_int_eq(uuid_parse(uuids[_i].text, strlen(uuids[_i].text), &u), uuids[_i].expected ? 0 : -EINVAL);
	if (!uuids[_i].expected)
		return;
	uuid_text(&u, text);
	ck_assert_str_eq(text, uuids[_i].expected);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ble/advert");
	TCase *t = tcase_create("adverts");
	SRunner *runner;
	int failed;

	tcase_add_test(t, structures);
	tcase_add_test(t, a_kind_is_replaced);
	tcase_add_test(t, limits);
	tcase_add_loop_test(t, what_is_damaged, 0, sizeof(damaged) / sizeof(damaged[0]));
	tcase_add_test(t, padding);
	tcase_add_loop_test(t, uuid_texts, 0, sizeof(uuids) / sizeof(uuids[0]));
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
