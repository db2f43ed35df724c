/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>

#include "hex.h"
#include "plugins/ble/beacon.h"

static int parse(const char *hex, struct eddystone *e)
{
	uint8_t data[64];

	return eddystone_parse(data, hex_bytes(hex, data, sizeof(data)), e);
}

START_TEST(uid)
{
	struct eddystone e;

	ck_assert_int_eq(parse("00 ee 8b0ca750095477cb3e77 001122334455 0000", &e), 0);
	ck_assert_int_eq(e.frame, EDDYSTONE_UID);
	ck_assert_int_eq(e.power, -18);
	ck_assert_mem_eq(e.uid.namespace, "\x8b\x0c\xa7\x50\x09\x54\x77\xcb\x3e\x77", 10);
	ck_assert_mem_eq(e.uid.instance, "\x00\x11\x22\x33\x44\x55", 6);
	ck_assert_int_eq(parse("00 ee 8b0ca750095477cb3e77 001122334455", &e), 0);
	ck_assert_int_eq(parse("00 ee 8b0ca750095477cb3e77 0011223344", &e), -EBADMSG);
}
END_TEST

/* Eddystone-URL, "HTTP URL encoding". */
static const struct {
	const char *hex, *url; /* NULL: refused */
} urls[] = {
	{ "10 20 03 676f6f676c65 07", "https://google.com" },
	{ "10 20 00 61 00 62", "http://www.a.com/b" },
	{ "10 20 01 61 0d", "https://www.a.gov" },
	{ "10 20 02 61 05 78", "http://a.biz/x" },
	{ "10 20 02", "http://" },
	{ "10 20 04 61", NULL },
	{ "10 20", NULL },
	{ "10 20 02 0e", NULL },
	{ "10 20 02 61 20", NULL },
	{ "10 20 02 7f", NULL },
	{ "10 20 01 0000000000000000000000000000000000", "https://www.\
.com/.com/.com/.com/.com/.com/.com/.com/.com/.com/.com/.com/.com/.com/.com/.com/.com/" },
	{ "10 20 01 000000000000000000000000000000000000", NULL },
};

START_TEST(url)
{
	struct eddystone e;

	ck_assert_int_eq(parse(urls[_i].hex, &e), urls[_i].url ? 0 : -EBADMSG);
	if (urls[_i].url)
		ck_assert_str_eq(e.url, urls[_i].url);
}
END_TEST

START_TEST(tlm)
{
	struct eddystone e;

	ck_assert_int_eq(parse("20 00 0bb8 1580 00000457 00003b9a", &e), 0);
	ck_assert_int_eq(e.frame, EDDYSTONE_TLM);
	ck_assert(!e.tlm.encrypted && e.tlm.has_voltage && e.tlm.has_temperature);
	ck_assert_uint_eq(e.tlm.voltage_mv, 3000);
	ck_assert_int_eq(e.tlm.temperature_256, 21 * 256 + 128);
	ck_assert_uint_eq(e.tlm.adverts, 1111);
	ck_assert_uint_eq(e.tlm.uptime_decisec, 15258);
	ck_assert_int_eq(parse("20 00 0000 8000 00000000 ffffffff", &e), 0);
	ck_assert(!e.tlm.has_voltage && !e.tlm.has_temperature);
	ck_assert_uint_eq(e.tlm.uptime_decisec, UINT32_MAX);
	ck_assert_int_eq(parse("20 00 0bb8 fe80 00000000 00000000", &e), 0);
	ck_assert_int_eq(e.tlm.temperature_256, -384);
	ck_assert_int_eq(parse("20 00 0bb8 1580 00000457 00003b", &e), -EBADMSG);
	/* An encrypted one says nothing to us, and is none the less sound. */
	ck_assert_int_eq(parse("20 01 00112233445566778899aabb 0011 2233", &e), 0);
	ck_assert(e.tlm.encrypted && !e.tlm.has_voltage);
}
END_TEST

START_TEST(eid)
{
	struct eddystone e;

	ck_assert_int_eq(parse("30 e7 0011223344556677", &e), 0);
	ck_assert_int_eq(e.power, -25);
	ck_assert_mem_eq(e.eid, "\x00\x11\x22\x33\x44\x55\x66\x77", 8);
	ck_assert_int_eq(parse("30 e7 00112233445566", &e), -EBADMSG);
}
END_TEST

START_TEST(other_frames)
{
	struct eddystone e;

	ck_assert_int_eq(parse("", &e), -EBADMSG);
	ck_assert_int_eq(parse("00", &e), -EBADMSG);
	ck_assert_int_eq(parse("40 00 0011", &e), -EBADMSG);
}
END_TEST

START_TEST(ibeacon)
{
	struct ibeacon b;
	uint8_t data[32];
	char text[UUID_TEXT_SIZE];
	size_t size = hex_bytes("0215 e2c56db5dffb48d2b060d0f5a71096e0 0102 fffe c5", data, sizeof(data));

	ck_assert_int_eq(ibeacon_parse(data, size, &b), 0);
	uuid_text(&b.uuid, text);
	ck_assert_str_eq(text, "e2c56db5-dffb-48d2-b060-d0f5a71096e0");
	ck_assert_uint_eq(b.major, 0x0102);
	ck_assert_uint_eq(b.minor, 0xfffe);
	ck_assert_int_eq(b.power, -59);
	ck_assert_int_eq(ibeacon_parse(data, size - 1, &b), -EBADMSG);
	data[0] = 0x10;
	ck_assert_int_eq(ibeacon_parse(data, size, &b), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ble/beacon");
	TCase *t = tcase_create("frames");
	SRunner *runner;
	int failed;

	tcase_add_test(t, uid);
	tcase_add_loop_test(t, url, 0, sizeof(urls) / sizeof(urls[0]));
	tcase_add_test(t, tlm);
	tcase_add_test(t, eid);
	tcase_add_test(t, other_frames);
	tcase_add_test(t, ibeacon);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
