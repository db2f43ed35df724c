/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/modbus/frame.h"

static size_t hex(const char *text, uint8_t *ret)
{
	size_t n = 0;
	unsigned byte;
	int used;

	for (; sscanf(text, "%2x%n", &byte, &used) == 1; text += used)
		ret[n++] = (uint8_t)byte;
	return n;
}

/* ASCII frames stand as they are, the others in hexadecimal. */
static size_t wire(enum framing framing, const char *text, uint8_t *ret)
{
	if (framing != FRAMING_ASCII)
		return hex(text, ret);
	memcpy(ret, text, strlen(text));
	return strlen(text);
}

/* The request and the answer that descriptions of Modbus like to show: unit 17, three registers from 107 on. */
#define REQUEST "03006b0003"
#define ANSWER "0306ae4156524340"

static const struct {
	enum framing framing;
	const char *pdu, *bytes;
} same[] = {
	{ FRAMING_MBAP, REQUEST, "000100000006 11 03006b0003" },
	{ FRAMING_RTU, REQUEST, "11 03006b0003 7687" },
	{ FRAMING_ASCII, REQUEST, ":1103006B00037E\r\n" },
	{ FRAMING_MBAP, ANSWER, "000100000009 11 0306ae4156524340" },
	{ FRAMING_RTU, ANSWER, "11 0306ae4156524340 49ad" },
	{ FRAMING_ASCII, ANSWER, ":110306AE4156524340CC\r\n" },
	{ FRAMING_RTU, "8302", "11 8302 c134" },
	{ FRAMING_ASCII, "8302", ":1183026A\r\n" },
};

START_TEST(frames_that_are_built)
{
	uint8_t pdu[MAX_PDU_BYTES], bytes[MAX_FRAME_BYTES], expected[MAX_FRAME_BYTES];
	size_t size = hex(same[_i].pdu, pdu), n = wire(same[_i].framing, same[_i].bytes, expected);

	ck_assert_uint_eq(frame_build(same[_i].framing, 1, 17, pdu, size, bytes), n);
	ck_assert_mem_eq(bytes, expected, n);
}
END_TEST

START_TEST(the_longest_frames)
{
	uint8_t pdu[MAX_PDU_BYTES] = { 0x41 }, bytes[MAX_FRAME_BYTES];
	const struct frame_wanted wanted = { 1, 0x41 };

	for (int framing = FRAMING_MBAP; framing <= FRAMING_ASCII; framing++) {
		size_t n = frame_build((enum framing)framing, 7, 1, pdu, sizeof(pdu), bytes);
		struct frame f;

		ck_assert_uint_le(n, MAX_FRAME_BYTES);
		ck_assert_int_eq(frame_find((enum framing)framing, &wanted, bytes, n, true, &f), (int)n);
		ck_assert_uint_eq(f.size, sizeof(pdu));
		ck_assert_mem_eq(f.pdu, pdu, sizeof(pdu));
	}
	ck_assert_uint_eq(frame_build(FRAMING_ASCII, 0, 1, pdu, sizeof(pdu), bytes), MAX_FRAME_BYTES);
}
END_TEST

#define BEGUN 0
#define PERHAPS (-EAGAIN)
#define NONE (-EBADMSG)

/* What unit 17 is asked: function 3, but where another one is named. */
static const struct {
	enum framing framing;
	const char *bytes;
	bool ended;
	int result;      /* bytes used up, or one of the above */
	uint8_t unit;
	const char *pdu;
	size_t skipped;
	uint8_t function; /* 0: 3 */
} finds[] = {
	{ FRAMING_MBAP, "", false, PERHAPS },
	{ FRAMING_MBAP, "0001", false, BEGUN },
	{ FRAMING_MBAP, "000100000009 11 0306ae41", true, BEGUN },
	{ FRAMING_MBAP, "000100000009 11 0306ae4156524340", false, 15, 17, ANSWER },
	{ FRAMING_MBAP, "000100000003 11 8302 0001", false, 9, 17, "8302" },
	{ FRAMING_MBAP, "000100010003 11 8302", false, NONE },
	{ FRAMING_MBAP, "000100000002 11 83", false, NONE },
	{ FRAMING_MBAP, "0001000000ff 11", false, NONE },
	{ FRAMING_MBAP, "ff0055 000100000009 11", false, NONE },
	{ FRAMING_MBAP, "00010000000c 11 2b0e01010000010002 4142", false, 18, 17, "2b0e010100000100024142", 0, 43 },

	{ FRAMING_RTU, "", true, PERHAPS },
	{ FRAMING_RTU, "11", false, BEGUN },
	{ FRAMING_RTU, "11 0306ae41", false, BEGUN },
	{ FRAMING_RTU, "11 0306ae41", true, BEGUN },
	{ FRAMING_RTU, "11 0306ae4156524340 49ad", false, 11, 17, ANSWER },
	{ FRAMING_RTU, "11 0306ae4156524340 49ad 11", false, 11, 17, ANSWER },
	{ FRAMING_RTU, "11 0306ae4156524340 49ac", false, NONE },
	{ FRAMING_RTU, "11 8302 c134", false, 5, 17, "8302" },
	/* Another unit's, and then the one that is waited for. */
	{ FRAMING_RTU, "02 03020007 bd86 11 8302 c134", false, 7, 2, "03020007" },
	/* Noise that looks like no function is perhaps a frame until the line falls quiet; one behind it is found. */
	{ FRAMING_RTU, "ff0055", false, PERHAPS },
	{ FRAMING_RTU, "ff0055", true, NONE },
	{ FRAMING_RTU, "ff0055 11 8302 c134", false, 8, 17, "8302", 3 },
	{ FRAMING_RTU, "11 ff 11 8302 c134", true, 7, 17, "8302", 2 },
	/* After noise nobody else's is taken for a frame: any bytes are one now and then. */
	{ FRAMING_RTU, "ff0055 02 03020007 bd86", true, NONE },
	/* What looks like a frame within the one that is waited for is its data... */
	{ FRAMING_RTU, "11 0308 11 8302 c134", false, BEGUN },
	/* ... but not when it does not go on. */
	{ FRAMING_RTU, "11 0308 11 8302 c134", true, 8, 17, "8302", 3 },
	{ FRAMING_RTU, "11 03ff", false, NONE },
	/* Each function says in its own way how long its answer is. */
	{ FRAMING_RTU, "11 0600010003 9a9b", false, 8, 17, "0600010003", 0, 6 },
	{ FRAMING_RTU, "11 16000400f20025 66e2", false, 10, 17, "16000400f20025", 0, 22 },
	{ FRAMING_RTU, "11 2b0e0101000002 0002 4142 0101 43", false, BEGUN, 0, NULL, 0, 43 },
	{ FRAMING_RTU, "11 2b0e0101000002 0002", false, BEGUN, 0, NULL, 0, 43 },
	/* 24: a count of two bytes. A function that is not known ends with silence. */
	{ FRAMING_RTU, "11 180006", false, BEGUN, 0, NULL, 0, 24 },
	{ FRAMING_RTU, "11 41010203 dc9e", false, PERHAPS, 0, NULL, 0, 0x41 },
	{ FRAMING_RTU, "11 41010203 dc9e", true, 7, 17, "41010203", 0, 0x41 },
	{ FRAMING_RTU, "11 41010203 ffff", true, NONE, 0, NULL, 0, 0x41 },

	{ FRAMING_ASCII, "", false, PERHAPS },
	{ FRAMING_ASCII, "noise", false, NONE },
	{ FRAMING_ASCII, ":1103", false, BEGUN },
	{ FRAMING_ASCII, ":110306AE4156524340CC\r", true, BEGUN },
	{ FRAMING_ASCII, ":110306AE4156524340CC\r\n", false, 23, 17, ANSWER },
	{ FRAMING_ASCII, ":110306ae4156524340cc\r\n:", false, 23, 17, ANSWER },
	{ FRAMING_ASCII, "\xff\r\n::11:110306AE4156524340CC\r\n", false, 30, 17, ANSWER, 7 },
	{ FRAMING_ASCII, ":110306AE4156524340CD\r\n", false, NONE },
	{ FRAMING_ASCII, ":110306AE4156524340CD\r\n:1183026A\r\n", false, 34, 17, "8302", 23 },
	{ FRAMING_ASCII, ":1183026\r\n", false, NONE },
	{ FRAMING_ASCII, ":11830G6A\r\n", false, NONE },
	{ FRAMING_ASCII, ":11EF\r\n", false, NONE }, /* a unit, and no function */
	{ FRAMING_ASCII, ":\r\n", false, NONE },
	{ FRAMING_ASCII, "\n", false, NONE },
};

START_TEST(frames_that_are_found)
{
	const struct frame_wanted wanted = { 17, finds[_i].function ? finds[_i].function : 3 };
	uint8_t bytes[MAX_FRAME_BYTES], pdu[MAX_PDU_BYTES];
	size_t n = wire(finds[_i].framing, finds[_i].bytes, bytes), size;
	struct frame f = { .size = 99 };
	int r = frame_find(finds[_i].framing, &wanted, bytes, n, finds[_i].ended, &f);

	ck_assert_msg(r == finds[_i].result, "%s: %d", finds[_i].bytes, r);
	if (r <= 0) {
		ck_assert_uint_eq(f.size, 99);
		return;
	}
	size = hex(finds[_i].pdu, pdu);
	ck_assert_uint_eq(f.unit, finds[_i].unit);
	ck_assert_uint_eq(f.size, size);
	ck_assert_mem_eq(f.pdu, pdu, size);
	ck_assert_uint_eq(f.skipped, finds[_i].skipped);
	ck_assert_uint_eq(f.transaction, finds[_i].framing == FRAMING_MBAP ? 1 : 0);
}
END_TEST

/* Byte by byte, as slow lines bring them: never too early, and none is given up. */
START_TEST(frames_that_come_in_pieces)
{
	uint8_t bytes[MAX_FRAME_BYTES];
	size_t n = wire(same[_i].framing, same[_i].bytes, bytes);
	const struct frame_wanted wanted = { 17, 3 };
	struct frame f;

	if (strcmp(same[_i].pdu, REQUEST) == 0)
		return;
	for (size_t i = 1; i < n; i++)
		ck_assert_int_eq(frame_find(same[_i].framing, &wanted, bytes, i, false, &f), 0);
	ck_assert_int_eq(frame_find(same[_i].framing, &wanted, bytes, n, false, &f), (int)n);
}
END_TEST

/* A colon and digits without end are given up. */
START_TEST(an_endless_ascii_frame)
{
	uint8_t bytes[MAX_FRAME_BYTES];
	const struct frame_wanted wanted = { 17, 3 };
	struct frame f;

	memset(bytes, '0', sizeof(bytes));
	bytes[0] = ':';
	ck_assert_int_eq(frame_find(FRAMING_ASCII, &wanted, bytes, sizeof(bytes) - 1, false, &f), 0);
	ck_assert_int_eq(frame_find(FRAMING_ASCII, &wanted, bytes, sizeof(bytes), false, &f), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/frame");
	TCase *t = tcase_create("frame");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, frames_that_are_built, 0, sizeof(same) / sizeof(same[0]));
	tcase_add_test(t, the_longest_frames);
	tcase_add_loop_test(t, frames_that_are_found, 0, sizeof(finds) / sizeof(finds[0]));
	tcase_add_loop_test(t, frames_that_come_in_pieces, 0, sizeof(same) / sizeof(same[0]));
	tcase_add_test(t, an_endless_ascii_frame);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
