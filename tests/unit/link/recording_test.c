/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "link/recording.h"

START_TEST(there_and_back)
{
	char line[RECORDING_LINE_MAX], name[400];
	uint8_t bytes[RECORDING_BYTES_MAX + 10];
	struct recording_piece piece;
	size_t n;

	n = recording_format(12345678, "/dev/tty USB0", FIELDWAY_SENT, "\x01\xff", 2, line);
	ck_assert_uint_eq(n, strlen("+12.345678 /dev/tty_USB0 > 01 ff\n"));
	ck_assert_mem_eq(line, "+12.345678 /dev/tty_USB0 > 01 ff\n", n);
	ck_assert_int_eq(recording_parse(line, n, &piece), 1);
	ck_assert_uint_eq(piece.usec, 12345678);
	ck_assert_str_eq(piece.name, "/dev/tty_USB0");
	ck_assert_int_eq(piece.direction, FIELDWAY_SENT);
	ck_assert_uint_eq(piece.n, 2);
	ck_assert_mem_eq(piece.bytes, "\x01\xff", 2);
	/* The longest of everything. */
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(bytes, 0xa5, sizeof(bytes));
	n = recording_format(UINT64_MAX / 100, name, FIELDWAY_RECEIVED, bytes, sizeof(bytes), line);
	ck_assert_uint_lt(n, RECORDING_LINE_MAX);
	ck_assert_int_eq(recording_parse(line, n - 1, &piece), 1);
	ck_assert_uint_eq(strlen(piece.name), RECORDING_NAME_MAX);
	ck_assert_uint_eq(piece.n, RECORDING_BYTES_MAX);
	ck_assert_int_eq(piece.direction, FIELDWAY_RECEIVED);
	n = recording_format(0, "", FIELDWAY_SENT, "\x00", 1, line);
	ck_assert_mem_eq(line, "+0.000000 _ > 00\n", n);
}
END_TEST

START_TEST(what_is_read)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{ "", 0 },
		{ "\n", 0 },
		{ "# 3 pieces were dropped\n", 0 },
		{ "+0.000001 a < 0A\r\n", 1 },
		{ "+0.00001 a < 0a", -EBADMSG },
		{ "+.000001 a < 0a", -EBADMSG },
		{ "0.000001 a < 0a", -EBADMSG },
		{ "+0.000001 < 0a", -EBADMSG },
		{ "+0.000001 a = 0a", -EBADMSG },
		{ "+0.000001 a <", -EBADMSG },
		{ "+0.000001 a < ", -EBADMSG },
		{ "+0.000001 a < 0", -EBADMSG },
		{ "+0.000001 a < 0g", -EBADMSG },
		{ "+0.000001 a < 0a0b", -EBADMSG },
		{ "+0.000001 a < 0a ", -EBADMSG },
		{ "+0.000001 a\tb < 0a", -EBADMSG },
		{ "+0000000000000.000001 a < 0a", -EBADMSG },
	};
	struct recording_piece piece;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(recording_parse(rows[i].text, strlen(rows[i].text), &piece) ==
				      rows[i].result,
			      "%s", rows[i].text);
}
END_TEST

START_TEST(one_byte_too_many)
{
	char line[RECORDING_LINE_MAX + 8];
	uint8_t bytes[RECORDING_BYTES_MAX] = { 0 };
	struct recording_piece piece;
	size_t n = recording_format(0, "a", FIELDWAY_SENT, bytes, sizeof(bytes), line);

	memcpy(line + n - 1, " 00", 3);
	ck_assert_int_eq(recording_parse(line, n - 1, &piece), 1);
	ck_assert_int_eq(recording_parse(line, n + 2, &piece), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recording");
	TCase *tcase = tcase_create("recording");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, there_and_back);
	tcase_add_test(tcase, what_is_read);
	tcase_add_test(tcase, one_byte_too_many);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
