/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "host/value/sample.h"
#include "suite.h"

#define SECOND UINT64_C(1000000)

static struct fieldway_sample number(double value)
{
	return (struct fieldway_sample){ .value = { .type = FIELDWAY_FLOAT, .real = value } };
}

static struct fieldway_sample integer(int64_t value)
{
	return (struct fieldway_sample){ .value = { .type = FIELDWAY_INT, .integer = value } };
}

static struct fieldway_sample text(const char *value)
{
	return (struct fieldway_sample){
		.value = { .type = FIELDWAY_STRING, .data = value, .size = strlen(value) }
	};
}

/* Opens a window of a second at time 1 and puts samples into it. */
static struct sample_thinner fill(enum link_keep keep, const struct fieldway_sample *samples,
				  size_t n)
{
	struct sample_thinner t = { 0 };
	struct fieldway_sample first = number(1000);

	ck_assert_int_eq(sample_take(&t, keep, SECOND, 1, &first), SAMPLE_GOES);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(sample_take(&t, keep, SECOND, 2 + i, &samples[i]),
				 i == 0 ? SAMPLE_WAITS : SAMPLE_REPLACES);
	return t;
}

START_TEST(what_is_kept)
{
	static const struct {
		enum link_keep keep;
		double result;
		uint64_t time;
	} rows[] = {
		{ LINK_KEEP_LAST, 5, 13 },
		{ LINK_KEEP_MEAN, 3.5, 13 },
		{ LINK_KEEP_MINIMUM, 2, 11 },
		{ LINK_KEEP_MAXIMUM, 5, 13 },
	};
	struct fieldway_sample in[] = { number(4), number(2), number(3), number(5) }, out;

	for (size_t i = 0; i < 4; i++)
		in[i].boottime_usec = 10 + i;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sample_thinner t = fill(rows[i].keep, in, 4);

		ck_assert(!sample_end(&t, SECOND, SECOND, &out));
		ck_assert(sample_end(&t, SECOND, SECOND + 1, &out));
		ck_assert_int_eq(out.value.type, FIELDWAY_FLOAT);
		ck_assert_double_eq(out.value.real, rows[i].result);
		ck_assert_uint_eq(out.boottime_usec, rows[i].time);
		sample_done(&t);
	}
}
END_TEST

START_TEST(integers_stay_what_they_are)
{
	const struct fieldway_sample in[] = { integer(-4), integer(7), integer(2) };
	struct fieldway_sample out;
	struct sample_thinner t = fill(LINK_KEEP_MAXIMUM, in, 3);

	ck_assert(sample_end(&t, SECOND, SECOND + 1, &out));
	ck_assert_int_eq(out.value.type, FIELDWAY_INT);
	ck_assert_int_eq(out.value.integer, 7);
	sample_done(&t);
	t = fill(LINK_KEEP_MEAN, in, 2);
	ck_assert(sample_end(&t, SECOND, SECOND + 1, &out));
	ck_assert_int_eq(out.value.type, FIELDWAY_FLOAT);
	ck_assert_double_eq(out.value.real, 1.5);
	sample_done(&t);
}
END_TEST

/* Windows follow each other while something comes, and the next sample after that goes at once. */
START_TEST(windows)
{
	struct fieldway_sample in = number(1), out;
	struct sample_thinner t = fill(LINK_KEEP_LAST, &in, 1);

	ck_assert(sample_end(&t, SECOND, SECOND + 1, &out));
	ck_assert_uint_eq(t.end_usec, 2 * SECOND + 1);
	ck_assert_int_eq(sample_take(&t, LINK_KEEP_LAST, SECOND, SECOND + 2, &in), SAMPLE_WAITS);
	ck_assert(sample_end(&t, SECOND, 2 * SECOND + 1, &out));
	ck_assert(!sample_end(&t, SECOND, 3 * SECOND + 1, &out));
	ck_assert_uint_eq(t.end_usec, 0);
	ck_assert_int_eq(sample_take(&t, LINK_KEEP_LAST, SECOND, 3 * SECOND + 2, &in), SAMPLE_GOES);
	ck_assert_uint_eq(t.end_usec, 4 * SECOND + 2);
	/* A window whose end nobody has looked at yet takes no sample out of its order. */
	ck_assert_int_eq(sample_take(&t, LINK_KEEP_LAST, SECOND, 3 * SECOND + 3, &in),
			 SAMPLE_WAITS);
	ck_assert_int_eq(sample_take(&t, LINK_KEEP_LAST, SECOND, 5 * SECOND, &in), SAMPLE_REPLACES);
	sample_done(&t);
}
END_TEST

START_TEST(the_mean_begins_anew)
{
	struct fieldway_sample in = number(10), out;
	struct sample_thinner t = fill(LINK_KEEP_MEAN, &in, 1);

	ck_assert(sample_end(&t, SECOND, SECOND + 1, &out));
	in = number(20);
	ck_assert_int_eq(sample_take(&t, LINK_KEEP_MEAN, SECOND, SECOND + 2, &in), SAMPLE_WAITS);
	sample_forget(&t);
	in = number(30);
	ck_assert_int_eq(sample_take(&t, LINK_KEEP_MEAN, SECOND, SECOND + 3, &in), SAMPLE_WAITS);
	ck_assert(sample_end(&t, SECOND, 2 * SECOND + 1, &out));
	ck_assert_double_eq(out.value.real, 30);
	sample_done(&t);
}
END_TEST

START_TEST(without_thinning)
{
	struct sample_thinner t = { 0 };
	struct fieldway_sample in = number(1);

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(sample_take(&t, LINK_KEEP_LAST, 0, 1, &in), SAMPLE_GOES);
	ck_assert_uint_eq(t.end_usec, 0);
}
END_TEST

START_TEST(text_is_copied)
{
	char buffer[] = "abc";
	struct fieldway_sample in = text(buffer), out;
	struct sample_thinner t = fill(LINK_KEEP_MEAN, &in, 1);

	memset(buffer, 'x', 3);
	ck_assert(sample_end(&t, SECOND, SECOND + 1, &out));
	ck_assert_int_eq(out.value.type, FIELDWAY_STRING);
	ck_assert_uint_eq(out.value.size, 3);
	ck_assert_mem_eq(out.value.data, "abc", 3);
	sample_done(&t);
}
END_TEST

/* The last word counts for the last, bad ones too; a mean is one of good numbers. */
START_TEST(bad_ones)
{
	const struct fieldway_sample in[] = { number(3),
					      { .quality = FIELDWAY_INVALID },
					      { .quality = FIELDWAY_FAILED, .error = -5 } };
	struct fieldway_sample out;
	struct sample_thinner t = fill(LINK_KEEP_LAST, in, 3);

	ck_assert(sample_end(&t, SECOND, SECOND + 1, &out));
	ck_assert_int_eq(out.quality, FIELDWAY_FAILED);
	ck_assert_int_eq(out.error, -5);
	sample_done(&t);
	t = fill(LINK_KEEP_MEAN, in, 3);
	ck_assert(sample_end(&t, SECOND, SECOND + 1, &out));
	ck_assert_int_eq(out.quality, FIELDWAY_GOOD);
	ck_assert_double_eq(out.value.real, 3);
	sample_done(&t);
	t = fill(LINK_KEEP_MEAN, in + 1, 2);
	ck_assert(sample_end(&t, SECOND, SECOND + 1, &out));
	ck_assert_int_eq(out.quality, FIELDWAY_FAILED);
	sample_done(&t);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_test(t, what_is_kept);
	tcase_add_test(t, integers_stay_what_they_are);
	tcase_add_test(t, windows);
	tcase_add_test(t, the_mean_begins_anew);
	tcase_add_test(t, without_thinning);
	tcase_add_test(t, text_is_copied);
	tcase_add_test(t, bad_ones);
}

int main(void)
{
	return run_suite("sample", add);
}
