/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/serial/frame.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define DELIMITER(text) { .bytes = text, .size = sizeof(text) - 1 }

static const struct frame_spec lines = { .end = DELIMITER("\r\n"), .idle_usec = 300000, .max = 20 };
static const struct frame_spec sentences = { .start = DELIMITER("$"), .end = DELIMITER("\r\n"), .max = 82 };
static const struct frame_spec blocks = { .start = DELIMITER("\x02"), .end = DELIMITER("\x03"), .tail = 1, .max = 64 };
static const struct frame_spec counted = { .start = DELIMITER("\xaa"),
					   .length = { .at = 1, .size = 1, .adds = 3 },
					   .max = 16 };
static const struct frame_spec words = { .length = { .at = 0, .size = 2, .little = true }, .max = 300 };
static const struct frame_spec fixed = { .start = DELIMITER("#"), .fixed = 4, .max = 8 };
static const struct frame_spec silent = { .idle_usec = 1000, .max = 8 };

/* The contents of all frames, each followed by "|". */
static void run(struct framer *f, const char *bytes, size_t size, size_t step, char *ret)
{
	struct frame frame;

	*ret = '\0';
	for (size_t at = 0; at < size;) {
		at += framer_push(f, (const uint8_t *)bytes + at, size - at < step ? size - at : step);
		while (framer_next(f, &frame)) {
			ck_assert(frame.content >= frame.raw && frame.content + frame.content_size <= frame.raw + frame.size);
			strncat(ret, (const char *)frame.content, frame.content_size);
			strcat(ret, "|");
		}
	}
}

/* Whole, and byte by byte: where reads end must not matter. */
static void expect(const struct frame_spec *spec, const char *bytes, size_t size, const char *contents,
		   uint64_t noise, uint64_t oversize)
{
	static const size_t steps[] = { 1, 2, 3, 7, 4096 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct framer *f;
		char got[512];

		ck_assert_int_eq(framer_new(spec, &f), 0);
		run(f, bytes, size, steps[i], got);
		ck_assert_str_eq(got, contents);
		ck_assert_uint_eq(framer_counters(f)->noise, noise);
		ck_assert_uint_eq(framer_counters(f)->oversize, oversize);
		framer_free(f);
	}
}
#define EXPECT(spec, bytes, contents, noise, oversize) \
	expect(spec, bytes, sizeof(bytes) - 1, contents, noise, oversize)

START_TEST(delimited)
{
	EXPECT(&lines, "ST,GS,+1.5kg\r\nUS,GS,+1.6kg\r\nST", "ST,GS,+1.5kg|US,GS,+1.6kg|", 0, 0);
	EXPECT(&lines, "\r\n\r\na\r\n", "||a|", 0, 0);
	EXPECT(&lines, "a\rb\nc\r\r\n", "a\rb\nc\r|", 0, 0);
	EXPECT(&sentences, "noise$GPA,1*00\r\n\r\n$GPB*01\r\n", "GPA,1*00|GPB*01|", 7, 0);
	/* The end of the first one was lost. */
	EXPECT(&sentences, "$GPGG$GPRMC,1*11\r\n", "GPRMC,1*11|", 5, 0);
	EXPECT(&blocks, "/x\r\n\x02" "1.8.0(5)\x03" "A\x02" "2\x03\x03", "1.8.0(5)|2|", 4, 0);
}
END_TEST

START_TEST(counted_ones)
{
	EXPECT(&counted, "\xaa\x02xyz\xaa\x00q", "\xaa\x02xyz|\xaa|", 0, 0);
	EXPECT(&words, "\x05\0abc\x03\0d\x03", "\x05|\x03|", 0, 0);
	EXPECT(&fixed, "ab#123#456#", "#123|#456|", 2, 0);
}
END_TEST

/* What is longer than allowed is dropped, and what comes after it is not. */
START_TEST(oversize)
{
	EXPECT(&lines, "0123456789012345678901234567890123456789\r\nok\r\n", "ok|", 0, 1);
	EXPECT(&lines, "012345678901234567890\r\nok\r\n", "ok|", 0, 1);
	/* A length that cannot be: the next start counts. */
	EXPECT(&counted, "\xaa\xff\xaa\x01zz", "\xaa\x01zz|", 1, 1);
	EXPECT(&words, "\xff\xff", "", 0, 1);
}
END_TEST

START_TEST(idle_ends_what_nothing_else_ends)
{
	struct framer *f;
	struct frame frame;

	ck_assert_int_eq(framer_new(&silent, &f), 0);
	framer_push(f, (const uint8_t *)"abc", 3);
	ck_assert(!framer_next(f, &frame));
	framer_idle(f);
	ck_assert(framer_next(f, &frame));
	ck_assert_uint_eq(frame.content_size, 3);
	ck_assert(!framer_next(f, &frame));
	/* Too long: all of it goes, until the line is idle. */
	for (int i = 0; i < 5; i++) {
		framer_push(f, (const uint8_t *)"12345", 5);
		ck_assert(!framer_next(f, &frame));
	}
	ck_assert_uint_eq(framer_counters(f)->oversize, 1);
	framer_idle(f);
	ck_assert(!framer_next(f, &frame));
	framer_push(f, (const uint8_t *)"x", 1);
	framer_idle(f);
	ck_assert(framer_next(f, &frame));
	ck_assert_uint_eq(frame.content_size, 1);
	framer_free(f);
}
END_TEST

START_TEST(idle_spoils_half_a_frame)
{
	struct framer *f;
	struct frame frame;

	ck_assert_int_eq(framer_new(&lines, &f), 0);
	framer_push(f, (const uint8_t *)"ST,GS,+1", 8);
	ck_assert(!framer_next(f, &frame));
	ck_assert(framer_is_waiting(f));
	framer_idle(f);
	ck_assert(!framer_is_waiting(f));
	ck_assert_uint_eq(framer_counters(f)->halves, 1);
	framer_push(f, (const uint8_t *)"ok\r\n", 4);
	ck_assert(framer_next(f, &frame));
	ck_assert_uint_eq(frame.content_size, 2);
	framer_free(f);
}
END_TEST

/* Its checksum was wrong: the real one begins inside of it. */
START_TEST(rejected)
{
	struct framer *f;
	struct frame frame;

	ck_assert_int_eq(framer_new(&counted, &f), 0);
	framer_push(f, (const uint8_t *)"\xaa\x04" "\xaa\x02" "abcdef", 10);
	ck_assert(framer_next(f, &frame));
	ck_assert_uint_eq(frame.size, 7);
	framer_reject(f);
	ck_assert(framer_next(f, &frame));
	ck_assert_uint_eq(frame.size, 5);
	ck_assert_int_eq(memcmp(frame.raw, "\xaa\x02" "abc", 5), 0);
	framer_free(f);
}
END_TEST

/* The buffer is bounded whatever comes, and reading always goes on. */
START_TEST(floods)
{
	static const struct frame_spec *const specs[] = { &lines, &sentences, &blocks, &counted, &words, &fixed, &silent };
	uint8_t flood[8192];

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct framer *f;
		struct frame frame;

		srand(7);
		for (size_t k = 0; k < sizeof(flood); k++)
			flood[k] = (uint8_t)(rand() % 5 ? rand() : 0xaa);
		ck_assert_int_eq(framer_new(specs[i], &f), 0);
		for (size_t at = 0; at < sizeof(flood);) {
			size_t n = framer_push(f, flood + at, sizeof(flood) - at);

			ck_assert_uint_gt(n, 0);
			at += n;
			while (framer_next(f, &frame))
				ck_assert_uint_le(frame.size, specs[i]->max);
		}
		framer_free(f);
	}
}
END_TEST

/* All frames are refused: what of them is looked at again is so many times what has come, and no more. */
START_TEST(garbage_has_its_price)
{
	const struct frame_spec all[] = { { .fixed = 1024, .max = 1024 }, { .length = { .at = 0, .size = 2 }, .max = 4096 },
					  { .start = DELIMITER("\x03"), .end = DELIMITER("\x03\n"), .max = 1024 } };
	size_t looked = 0, size = 1u << 18;
	struct frame frame;
	struct framer *f;

	ck_assert_int_eq(framer_new(&all[_i], &f), 0);
	for (size_t i = 0; i < size; i++) {
		ck_assert_uint_eq(framer_push(f, (const uint8_t *)"\x03", 1), 1);
		while (framer_next(f, &frame)) {
			looked += frame.size;
			framer_reject(f);
		}
	}
	ck_assert_uint_le(looked + framer_counters(f)->oversize, 80 * size);
	framer_free(f);
}
END_TEST

/* And yet a frame is found again, wherever the noise has put it. */
START_TEST(large_frames_are_found_in_noise)
{
	const struct frame_spec large = { .fixed = 1000, .max = 1000 };
	uint8_t bytes[1000] = { [999] = 1 };
	struct frame frame;
	struct framer *f;
	unsigned good = 0;

	ck_assert_int_eq(framer_new(&large, &f), 0);
	framer_push(f, bytes, 617);
	for (unsigned n = 0; n < 100; n++) {
		ck_assert_uint_eq(framer_push(f, bytes, sizeof(bytes)), sizeof(bytes));
		while (framer_next(f, &frame)) {
			good += frame.raw[999];
			if (!frame.raw[999])
				framer_reject(f);
		}
	}
	ck_assert_uint_gt(good, 80);
	framer_free(f);
}
END_TEST

/* One that is too long gives way to the next start at once, and is counted once. */
START_TEST(many_starts)
{
	char bytes[1000];
	struct framer *f;
	char got[512];

	memset(bytes, '$', sizeof(bytes));
	memcpy(bytes + sizeof(bytes) - 4, "a\r\n", 4);
	ck_assert_int_eq(framer_new(&sentences, &f), 0);
	run(f, bytes, sizeof(bytes) - 1, 500, got);
	ck_assert_str_eq(got, "a|");
	ck_assert_uint_le(framer_counters(f)->oversize, 2);
	framer_free(f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("frame");
	TCase *t = tcase_create("frame");
	SRunner *runner;
	int failed;

	tcase_add_test(t, delimited);
	tcase_add_test(t, counted_ones);
	tcase_add_test(t, oversize);
	tcase_add_test(t, idle_ends_what_nothing_else_ends);
	tcase_add_test(t, idle_spoils_half_a_frame);
	tcase_add_test(t, rejected);
	tcase_add_loop_test(t, garbage_has_its_price, 0, 3);
	tcase_add_test(t, large_frames_are_found_in_noise);
	tcase_add_test(t, many_starts);
	tcase_add_test(t, floods);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
