/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <time.h>

/* What is kept in memory, and what goes when there is no more room. */

#define MANY 20000

static const struct history_limits roomy = { .memory = 8u << 20, .keep_usec = 365 * USEC_PER_DAY, .thin = true };

static void setup(void)
{
	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	disk_error = 0;
	n_damaged = n_read = 0;
}

static void teardown(void)
{
	stop();
	timers = timers_free(timers);
}

START_TEST(values_come_in_order_with_their_times)
{
	struct path path;
	uint64_t age;
	int64_t number;

	start(NULL, &roomy);
	add(queue, "/3303/0/5700", 1);
	pass(USEC_PER_HOUR);
	add(queue, "/3303/0/5701", 2);
	pass(47 * USEC_PER_HOUR);
	ck_assert_uint_eq(history_waiting(queue), 2);
	ck_assert(take(queue, &number, &path, &age));
	ck_assert_int_eq(number, 1);
	ck_assert_uint_eq(path.resource, 5700);
	/* Milliseconds are what is kept; what the test itself takes comes on top. */
	ck_assert_uint_ge(age, 48 * USEC_PER_HOUR - USEC_PER_MSEC);
	ck_assert_uint_le(age, 48 * USEC_PER_HOUR + USEC_PER_MINUTE);
	ck_assert(take(queue, &number, &path, &age));
	ck_assert_int_eq(number, 2);
	ck_assert_uint_eq(path.resource, 5701);
	ck_assert_uint_ge(age, 47 * USEC_PER_HOUR - USEC_PER_MSEC);
	ck_assert_uint_le(age, 47 * USEC_PER_HOUR + USEC_PER_MINUTE);
	ck_assert(!take(queue, &number, NULL, NULL));
	ck_assert_uint_eq(waiting(), 0);
}
END_TEST

START_TEST(what_is_not_taken_comes_again)
{
	struct history_batch first, again;

	start(NULL, &roomy);
	for (int i = 0; i < 10; i++)
		add(queue, "/3303/0/5700", i);
	ck_assert_int_eq(history_peek(queue, 4, SIZE_MAX, &first), 0);
	ck_assert_int_eq(history_peek(queue, 4, SIZE_MAX, &again), 0);
	ck_assert_uint_eq(first.records.n, 4);
	ck_assert_uint_eq(first.last_id, again.last_id);
	history_taken(queue, first.last_id);
	ck_assert_uint_eq(history_waiting(queue), 6);
	history_taken(queue, first.last_id);
	ck_assert_uint_eq(history_waiting(queue), 6);
	records_done(&first.records);
	records_done(&again.records);
	history_forget(queue);
	ck_assert_uint_eq(waiting(), 0);
}
END_TEST

START_TEST(texts_are_bounded)
{
	const struct path path = path_of("/3/0/0");
	struct history_batch batch;
	struct value text = { 0 };
	char *long_text = calloc(1, HISTORY_VALUE_MAX + 2);

	start(NULL, &roomy);
	memset(long_text, 'x', HISTORY_VALUE_MAX + 1);
	ck_assert_int_eq(value_set_string(&text, long_text), 0);
	ck_assert_int_eq(history_add(queue, &path, &text, clock_boottime_usec()), -EFBIG);
	value_done(&text);
	long_text[HISTORY_VALUE_MAX] = 0;
	ck_assert_int_eq(value_set_string(&text, long_text), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(history_add(queue, &path, &text, clock_boottime_usec()), 0);
	ck_assert_int_eq(history_peek(queue, 10, 2 * HISTORY_VALUE_MAX, &batch), 0);
	ck_assert_uint_eq(batch.records.n, 1);
	ck_assert(value_equal(&batch.records.items[0].value, &text));
	records_done(&batch.records);
	value_done(&text);
	free(long_text);
}
END_TEST

/* Queues that come and go at random, with all the model says. */
START_TEST(within_the_bounds_nothing_is_lost)
{
	enum { QUEUES = 5 };
	unsigned seed = (unsigned)time(NULL);
	struct history_queue *queues[QUEUES];
	int64_t in[QUEUES] = { 0 }, out[QUEUES] = { 0 }, number;
	char name[16];

	start(NULL, &roomy);
	for (int i = 0; i < QUEUES; i++) {
		snprintf(name, sizeof(name), "ep%d", i / 2);
		queues[i] = queue_of(name, (uint16_t)(1 + i % 2));
	}
	for (unsigned step = 0; step < 10000; step++) {
		int i = (int)((unsigned)rand_r(&seed) % QUEUES);

		if (rand_r(&seed) % 5 < 3) {
			add(queues[i], in[i] % 3 ? "/3303/0/5700" : "/3304/1/5700", in[i]);
			in[i]++;
		} else if (take(queues[i], &number, NULL, NULL)) {
			ck_assert_msg(number == out[i], "seed %u: %" PRId64 " in place of %" PRId64, seed, number, out[i]);
			out[i]++;
		}
		if (step % 100 == 0)
			pass(USEC_PER_MINUTE);
	}
	for (int i = 0; i < QUEUES; i++) {
		ck_assert_int_eq((int64_t)history_waiting(queues[i]), in[i] - out[i]);
		while (take(queues[i], &number, NULL, NULL))
			ck_assert_int_eq(number, out[i]++);
		ck_assert_int_eq(out[i], in[i]);
	}
	ck_assert_uint_eq(lost(), 0);
	ck_assert_uint_eq(waiting(), 0);
}
END_TEST

/* The sum of what waits is within the bound, segments being what they are. */
static void fill(bool thin)
{
	const struct history_limits tight = { .memory = 128u << 10, .keep_usec = 365 * USEC_PER_DAY, .thin = thin };
	struct history_counts counts;

	start(NULL, &tight);
	for (int i = 0; i < MANY; i++) {
		add(queue, i % 2 ? "/3303/0/5700" : "/3304/0/5700", i);
		clock_advance(USEC_PER_SEC);
		history_count(history, &counts);
		ck_assert_uint_le(counts.bytes, tight.memory);
	}
	ck_assert_uint_eq(counts.waiting + counts.lost, MANY);
	ck_assert_uint_eq(counts.waiting, history_waiting(queue));
	ck_assert_uint_gt(counts.lost, MANY / 10);
	/* It would hold about as many of both kinds. */
	ck_assert_uint_gt(counts.waiting, MANY / 10);
}

START_TEST(the_oldest_goes)
{
	int64_t number, expected;

	fill(false);
	ck_assert(take(queue, &number, NULL, NULL));
	ck_assert_int_gt(number, 0);
	ck_assert_int_eq(number, MANY - (int64_t)history_waiting(queue) - 1);
	for (expected = number + 1; take(queue, &number, NULL, NULL); expected++)
		ck_assert_int_eq(number, expected);
	ck_assert_int_eq(expected, MANY);
}
END_TEST

/* All of the time is told; of two neighbours of a series at most one more is missing the further back it was. */
START_TEST(thinning_keeps_the_whole_time)
{
	int64_t number, last[2] = { -1, -1 }, gap, widest = 0, narrowest_at_end = 0;
	struct path path;
	unsigned n = 0;

	fill(true);
	while (take(queue, &number, &path, NULL)) {
		int which = path.object == 3303;

		ck_assert_int_eq(number % 2, which);
		if (last[which] < 0)
			ck_assert_int_eq(number, which);
		else
			ck_assert_int_gt(number, last[which]);
		gap = last[which] < 0 ? 2 : number - last[which];
		widest = gap > widest ? gap : widest;
		narrowest_at_end = gap;
		last[which] = number;
		n++;
	}
	ck_assert_int_ge(last[0], MANY - 2);
	ck_assert_int_ge(last[1], MANY - 2);
	/* What is newest is whole, and what is oldest was halved as often as it took, not more. */
	ck_assert_int_eq(narrowest_at_end, 2);
	ck_assert_int_gt(widest, 2);
	ck_assert_int_le(widest, 2 * 16);
	ck_assert_uint_gt(n, MANY / 10);
}
END_TEST

/* Each time it is every second value of a series that goes, and no more. */
START_TEST(thinning_takes_every_second)
{
	const struct history_limits tight = { .memory = 128u << 10, .keep_usec = 365 * USEC_PER_DAY, .thin = true };
	int64_t number, last[2] = { -2, -1 };
	struct path path;
	int i = 0;

	start(NULL, &tight);
	for (; lost() == 0 && i < MANY; i++) {
		add(queue, i % 2 ? "/3303/0/5700" : "/3304/0/5700", i);
		clock_advance(USEC_PER_SEC);
	}
	ck_assert_int_lt(i, MANY);
	while (take(queue, &number, &path, NULL)) {
		int which = path.object == 3303;

		ck_assert_int_le(number - last[which], 4);
		last[which] = number;
	}
	ck_assert_int_ge(last[0], i - 2);
	ck_assert_int_ge(last[1], i - 2);
}
END_TEST

START_TEST(what_is_too_old_goes)
{
	const struct history_limits short_limits = { .memory = 8u << 20, .keep_usec = 10 * USEC_PER_HOUR, .thin = true };
	uint64_t age;
	int64_t number;

	start(NULL, &short_limits);
	for (int i = 0; i < 24 * 12; i++) {
		add(queue, "/3303/0/5700", i);
		pass(5 * USEC_PER_MINUTE);
	}
	ck_assert_uint_gt(lost(), 0);
	ck_assert(take(queue, &number, NULL, &age));
	ck_assert_uint_gt(age, 9 * USEC_PER_HOUR);
	ck_assert_uint_le(age, 11 * USEC_PER_HOUR);
	ck_assert_int_eq((int64_t)lost(), number);
}
END_TEST

/* A server that is away for ever has no part in what others get. */
START_TEST(one_that_is_away_does_not_hold_others)
{
	const struct history_limits tight = { .memory = 128u << 10, .keep_usec = 365 * USEC_PER_DAY, .thin = false };
	struct history_queue *away;
	int64_t number;

	start(NULL, &tight);
	away = queue_of("ep", 102);
	for (int i = 0; i < MANY; i++) {
		add(away, "/3303/0/5700", i);
		add(queue, "/3303/0/5700", i);
		ck_assert(take(queue, &number, NULL, NULL));
		ck_assert_int_eq(number, i);
	}
	ck_assert_uint_eq(history_waiting(queue), 0);
	ck_assert_uint_eq(history_waiting(away), waiting());
}
END_TEST

START_TEST(what_is_given_up_is_lost)
{
	struct history_batch batch;
	int64_t number;

	start(NULL, &roomy);
	for (int i = 0; i < 10; i++)
		add(queue, "/3303/0/5700", i);
	ck_assert(take(queue, &number, NULL, NULL));
	ck_assert_int_eq(history_peek(queue, 2, SIZE_MAX, &batch), 0);
	history_give_up(queue, batch.last_id);
	records_done(&batch.records);
	ck_assert_uint_eq(lost(), 2);
	ck_assert_uint_eq(history_waiting(queue), 7);
	ck_assert(take(queue, &number, NULL, NULL));
	ck_assert_int_eq(number, 3);
	history_give_up(queue, batch.last_id);
	ck_assert_uint_eq(lost(), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bound");
	TCase *tcase = tcase_create("bound");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, values_come_in_order_with_their_times);
	tcase_add_test(tcase, what_is_not_taken_comes_again);
	tcase_add_test(tcase, texts_are_bounded);
	tcase_add_test(tcase, within_the_bounds_nothing_is_lost);
	tcase_add_test(tcase, the_oldest_goes);
	tcase_add_test(tcase, thinning_keeps_the_whole_time);
	tcase_add_test(tcase, thinning_takes_every_second);
	tcase_add_test(tcase, what_is_too_old_goes);
	tcase_add_test(tcase, one_that_is_away_does_not_hold_others);
	tcase_add_test(tcase, what_is_given_up_is_lost);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
