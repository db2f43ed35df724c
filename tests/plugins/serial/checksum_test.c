/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/serial/checksum.h"

#include <check.h>
#include <errno.h>
#include <string.h>

/* "123456789": the check values of the catalogue of parametrised CRC algorithms, and by hand. */
static const struct {
	enum checksum_kind kind;
	uint16_t check;
} checks[] = {
	{ CHECKSUM_NONE, 0 },		     { CHECKSUM_CRC16_MODBUS, 0x4b37 }, { CHECKSUM_CRC16_IBM, 0xbb3d },
	{ CHECKSUM_CRC16_CCITT, 0x29b1 },    { CHECKSUM_CRC16_XMODEM, 0x31c3 }, { CHECKSUM_CRC16_KERMIT, 0x2189 },
	{ CHECKSUM_CRC16_X25, 0x906e },	     { CHECKSUM_CRC8, 0xf4 },		{ CHECKSUM_CRC8_MAXIM, 0xa1 },
	{ CHECKSUM_LRC, 0x23 },		     { CHECKSUM_SUM8, 0xdd },		{ CHECKSUM_SUM16, 0x01dd },
	{ CHECKSUM_XOR, 0x31 },
};

START_TEST(check_values)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		ck_assert_uint_eq(checksum_compute(checks[i].kind, (const uint8_t *)"123456789", 9), checks[i].check);
	for (size_t i = 0; checksum_names[i]; i++)
		ck_assert_uint_lt(i, sizeof(checks) / sizeof(checks[0]));
}
END_TEST

static int check(const struct checksum *c, const char *frame)
{
	return checksum_check(c, (const uint8_t *)frame, strlen(frame));
}

/* NMEA 0183: XOR of what is between "$" and "*", two hexadecimal digits. */
START_TEST(nmea)
{
	const struct checksum c = { .kind = CHECKSUM_XOR, .format = CHECKSUM_HEX, .first = 1, .last = -6, .at = -4 };

	ck_assert_int_eq(check(&c, "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"), 0);
	ck_assert_int_eq(check(&c, "$GPGGA,123519,4807.039,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"), -EBADMSG);
	ck_assert_int_eq(check(&c, "$WIMWV,214.8,R,0.1,K,A*28\r\n"), 0);
	ck_assert_int_eq(check(&c, "$GPGGA*5a\r\n"), -EBADMSG);
	ck_assert_int_eq(check(&c, "*4"), -EBADMSG);
	ck_assert_int_eq(check(&c, ""), -EBADMSG);
}
END_TEST

/* IEC 62056-21, 6.6 k: the BCC is over all behind STX, ETX too. */
START_TEST(block_check)
{
	const struct checksum c = { .kind = CHECKSUM_XOR, .first = 1, .last = -2, .at = -1 };
	char frame[] = "\x02" "1.8.0(1.5*kWh)\r\n!\r\n\x03" "?";
	uint8_t sum = 0;

	for (size_t i = 1; i < sizeof(frame) - 2; i++)
		sum ^= (uint8_t)frame[i];
	frame[sizeof(frame) - 2] = (char)sum;
	ck_assert_int_eq(checksum_check(&c, (const uint8_t *)frame, sizeof(frame) - 1), 0);
	frame[3] ^= 1;
	ck_assert_int_eq(checksum_check(&c, (const uint8_t *)frame, sizeof(frame) - 1), -EBADMSG);
}
END_TEST

/* Serial Line V1.02: low byte first. And the same number high byte first, in digits. */
START_TEST(orders_and_digits)
{
	static const uint8_t request[] = { 0x11, 0x03, 0x00, 0x6b, 0x00, 0x03, 0x76, 0x87 };
	struct checksum c = { .kind = CHECKSUM_CRC16_MODBUS, .little = true, .last = -3, .at = -2 };
	uint8_t bytes[4];

	ck_assert_int_eq(checksum_check(&c, request, sizeof(request)), 0);
	c.little = false;
	ck_assert_int_eq(checksum_check(&c, request, sizeof(request)), -EBADMSG);
	c.format = CHECKSUM_HEX;
	ck_assert_uint_eq(checksum_size(&c), 4);
	checksum_put(&c, 0x8776, bytes);
	ck_assert_int_eq(memcmp(bytes, "8776", 4), 0);
}
END_TEST

START_TEST(hexadecimal_digits_of_either_case)
{
	const struct checksum c = { .kind = CHECKSUM_SUM8, .format = CHECKSUM_HEX, .last = -3, .at = -2 };

	ck_assert_int_eq(check(&c, "123456789DD"), 0);
	ck_assert_int_eq(check(&c, "123456789dd"), 0);
	ck_assert_int_eq(check(&c, "123456789de"), -EBADMSG);
}
END_TEST

/* A place that the frame does not have is no reason to believe it, though the sum of nothing is 0. */
START_TEST(places_outside_of_the_frame)
{
	const struct checksum behind = { .kind = CHECKSUM_XOR, .format = CHECKSUM_HEX, .last = 20, .at = -2 };
	const struct checksum before = { .kind = CHECKSUM_XOR, .format = CHECKSUM_HEX, .last = -6, .at = -2 };

	ck_assert_int_eq(check(&behind, "abc00"), -EBADMSG);
	ck_assert_int_eq(check(&before, "abc00"), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("checksum");
	TCase *t = tcase_create("checksum");
	SRunner *runner;
	int failed;

	tcase_add_test(t, check_values);
	tcase_add_test(t, nmea);
	tcase_add_test(t, block_check);
	tcase_add_test(t, orders_and_digits);
	tcase_add_test(t, hexadecimal_digits_of_either_case);
	tcase_add_test(t, places_outside_of_the_frame);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
