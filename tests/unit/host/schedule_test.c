/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "host/line/schedule.h"
#include "link/host1.h"
#include "suite.h"

#define SECOND USEC_PER_SEC
#define ENTRIES 64
#define DEVICES 8

static struct schedule s;
static struct schedule_entry entries[ENTRIES];
static struct schedule_device devices[DEVICES];
static uint64_t now;
static unsigned turns[ENTRIES];
static uint64_t due;

/* Devices with so many entries of these periods each. */
static void make(size_t n_devices, const uint64_t *periods, size_t n_periods)
{
	memset(entries, 0xff,
	       sizeof(entries)); /* nothing may be taken from what is lent but what is given */
	memset(devices, 0xff, sizeof(devices));
	memset(turns, 0, sizeof(turns));
	for (size_t i = 0; i < n_devices * n_periods; i++)
		entries[i].period_usec = periods[i % n_periods];
	for (size_t i = 0; i < n_devices; i++)
		devices[i] = (struct schedule_device){ .first = (uint32_t)(i * n_periods),
						       .n = (uint32_t)n_periods,
						       .backoff = { 5 * SECOND, 40 * SECOND, 0 } };
	schedule_init(&s, 3, entries, n_devices * n_periods, devices, n_devices);
	now = 1000 * SECOND;
	schedule_start(&s, now, 0, n_devices * n_periods);
}

static struct schedule_turn next(void)
{
	struct schedule_turn turn;

	ck_assert(schedule_next(&s, now, &turn, &due));
	turns[turn.entry]++;
	return turn;
}

static bool done(struct schedule_turn turn, uint64_t took_usec, enum schedule_answer answer)
{
	uint64_t start = now;

	now += took_usec;
	return schedule_done(&s, &turn, start, now, answer, answer == SCHEDULE_SILENT, 0);
}

/* Runs until then; each request takes so long and is answered. */
static void run(uint64_t until, uint64_t took_usec)
{
	struct schedule_turn turn;

	while (now < until) {
		if (schedule_next(&s, now, &turn, &due)) {
			turns[turn.entry]++;
			done(turn, took_usec, SCHEDULE_ANSWERED);
		} else {
			ck_assert_uint_gt(due, now);
			now = due;
		}
	}
}

static void silence(uint32_t device)
{
	for (int i = 0; i < 3; i++)
		schedule_heard(&s, device, now, SCHEDULE_SILENT, 0);
	ck_assert_int_eq(devices[device].state, SCHEDULE_OFFLINE);
}

START_TEST(the_first_reads_are_spread)
{
	const uint64_t period = 60 * SECOND;

	make(4, &period, 1);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(entries[i].due_usec, now + (uint64_t)i * SECOND / 4);
	run(now + 2 * SECOND, 1000);
	/* The second ones over the period, and from then on it is kept. */
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_uint_eq(turns[i], 1);
		ck_assert_uint_eq(entries[i].due_usec,
				  1000 * SECOND + i * SECOND / 4 + (i + 1) * 15 * SECOND);
	}
	run(1000 * SECOND + 601 * SECOND, 1000);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_ge(turns[i], 10);
}
END_TEST

START_TEST(a_short_period_is_spread_over_itself)
{
	const uint64_t period = SECOND / 5;

	make(2, &period, 1);
	ck_assert_uint_eq(entries[1].due_usec, now + SECOND / 10);
	run(now + 10 * SECOND, 1000);
	ck_assert_uint_eq(turns[0], 50);
	ck_assert_uint_eq(turns[1], 50);
}
END_TEST

/* Devices 0 with twenty requests, 1 with one: half of the turns of an overloaded line are each one's. */
START_TEST(a_small_device_has_as_many_turns)
{
	const uint64_t period = SECOND / 10;

	make(1, &period, 1);
	for (int i = 0; i < 21; i++)
		entries[i].period_usec = period;
	devices[0] = (struct schedule_device){ .n = 20, .backoff = { 5 * SECOND, 40 * SECOND, 0 } };
	devices[1] = (struct schedule_device){ .first = 20, .n = 1, .backoff = { 5 * SECOND, 40 * SECOND, 0 } };
	schedule_init(&s, 3, entries, 21, devices, 2);
	schedule_start(&s, now, 0, 21);
	run(now + 100 * SECOND, SECOND / 10);
	/* A turn takes as long as the period: it waits for one of the other's at most. */
	ck_assert_uint_ge(turns[20], 490);
	for (int i = 0; i < 20; i++) {
		ck_assert_uint_ge(turns[i], 24);
		ck_assert_uint_le(turns[i], 27);
	}
}
END_TEST

START_TEST(a_rejected_device_waits_longest)
{
	const uint64_t period = SECOND;
	struct schedule_turn turn;

	make(2, &period, 1);
	schedule_reject(&s, 0, now);
	ck_assert_int_eq(devices[0].state, SCHEDULE_OFFLINE);
	ck_assert_uint_eq(devices[0].probe_usec, now + 40 * SECOND);
	run(now + 39 * SECOND, 1000);
	ck_assert_uint_eq(turns[0], 0);
	ck_assert_uint_ge(turns[1], 38);
	now += 2 * SECOND;
	do
		turn = next();
	while (turn.device != 0 && (done(turn, 1000, SCHEDULE_ANSWERED), true));
	ck_assert(turn.probe);
	schedule_heard(&s, 0, now, SCHEDULE_ANSWERED, 0);
	ck_assert_int_eq(devices[0].state, SCHEDULE_ONLINE);
	ck_assert_uint_le(entries[0].due_usec, now);
}
END_TEST

START_TEST(entries_are_added_at_work)
{
	const uint64_t periods[] = { SECOND, 2 * SECOND };

	make(3, periods, 2);
	run(now + 4 * SECOND, 1000);
	/* What device 1 is asked each second takes three requests from now on. */
	schedule_insert(&s, 1, 2, 2);
	ck_assert_uint_eq(s.n_entries, 8);
	ck_assert_uint_eq(devices[0].first, 0);
	ck_assert_uint_eq(devices[1].first, 2);
	ck_assert_uint_eq(devices[1].n, 4);
	ck_assert_uint_eq(devices[2].first, 6);
	ck_assert_uint_eq(entries[5].period_usec, 2 * SECOND);
	ck_assert_uint_eq(entries[3].due_usec, USEC_INFINITY);
	schedule_set(&s, 3, now + SECOND / 2);
	schedule_set(&s, 4, now + 30 * SECOND);
	memset(turns, 0, sizeof(turns));
	run(now + 20 * SECOND, 1000);
	ck_assert_uint_ge(turns[2], 19);
	ck_assert_uint_ge(turns[3], 19);
	ck_assert_uint_eq(turns[4], 0);
	ck_assert_uint_ge(turns[5], 9);
	ck_assert_uint_le(turns[5], 11);
	ck_assert_uint_ge(turns[6], 19);
	run(now + 20 * SECOND, 1000);
	ck_assert_uint_ge(turns[4], 9);
}
END_TEST

START_TEST(rates_are_kept)
{
	const uint64_t periods[] = { SECOND, 10 * SECOND };

	make(2, periods, 2);
	run(now + 100 * SECOND, 1000);
	for (int i = 0; i < 4; i++) {
		unsigned wanted = i % 2 ? 10 : 100;

		ck_assert_uint_ge(turns[i], wanted);
		ck_assert_uint_le(turns[i], wanted + 1);
	}
}
END_TEST

/* Ten requests of 1 s: everybody gets every tenth turn, the slow ones theirs too. */
START_TEST(an_overloaded_line_goes_round)
{
	const uint64_t periods[] = { SECOND, 30 * SECOND };

	make(5, periods, 2);
	run(now + 1000 * SECOND, SECOND);
	for (int i = 0; i < 10; i += 2) {
		ck_assert_uint_ge(turns[i], 150);
		ck_assert_uint_le(turns[i], 180);
		ck_assert_uint_ge(turns[i + 1], 25);
	}
}
END_TEST

START_TEST(no_request_is_caught_up)
{
	const uint64_t period = SECOND;

	make(1, &period, 1);
	run(now + 5 * SECOND, 1000);
	now += 3600 * SECOND;
	turns[0] = 0;
	run(now + 5 * SECOND, 1000);
	ck_assert_uint_le(turns[0], 7);
}
END_TEST

START_TEST(once_and_on_demand)
{
	const uint64_t periods[] = { SECOND, LINK_PERIOD_ONCE, LINK_PERIOD_ON_DEMAND };

	make(1, periods, 3);
	run(now + 20 * SECOND, 1000);
	ck_assert_uint_eq(turns[1], 1);
	ck_assert_uint_eq(turns[2], 0);
	/* Asked for, it is read, and then no more. */
	schedule_hasten(&s, 0, 2, now);
	run(now + 20 * SECOND, 1000);
	ck_assert_uint_eq(turns[2], 1);
	/* After each coming online, once again. */
	silence(0);
	run(now + 20 * SECOND, 1000);
	ck_assert_int_eq(devices[0].state, SCHEDULE_ONLINE);
	ck_assert_uint_eq(turns[1], 2);
	ck_assert_uint_eq(turns[2], 1);
}
END_TEST

START_TEST(once_is_tried_until_it_is_answered)
{
	const uint64_t period = LINK_PERIOD_ONCE;

	make(1, &period, 1);
	done(next(), 1000, SCHEDULE_SILENT);
	ck_assert_uint_eq(next().entry, 0);
	/* An exception: later. */
	schedule_done(&s, &(struct schedule_turn){ 0, 0, false }, now, now, SCHEDULE_ANSWERED, true,
		      0);
	ck_assert(!schedule_next(&s, now, &(struct schedule_turn){ 0 }, &due));
	ck_assert_uint_eq(due, now + SCHEDULE_ONCE_RETRY_USEC);
	now = due;
	done(next(), 1000, SCHEDULE_ANSWERED);
	ck_assert(!schedule_next(&s, now, &(struct schedule_turn){ 0 }, &due));
	ck_assert_uint_eq(due, USEC_INFINITY);
}
END_TEST

START_TEST(offline_after_silence_in_a_row)
{
	const uint64_t periods[] = { SECOND, SECOND };

	make(1, periods, 2);
	now += 2 * SECOND;
	ck_assert(done(next(), 1000, SCHEDULE_ANSWERED)); /* online */
	ck_assert(!done(next(), 1000, SCHEDULE_SILENT));
	ck_assert(!done(next(), 1000, SCHEDULE_SILENT));
	now += SECOND;
	ck_assert(!done(next(), 1000, SCHEDULE_ANSWERED)); /* not three in a row */
	ck_assert(!schedule_heard(&s, 0, now, SCHEDULE_SILENT, 0));
	ck_assert(!schedule_heard(&s, 0, now, SCHEDULE_SILENT, 0));
	ck_assert(schedule_heard(&s, 0, now, SCHEDULE_SILENT, 0));
	ck_assert_int_eq(devices[0].state, SCHEDULE_OFFLINE);
}
END_TEST

START_TEST(offline_is_one_probe_at_its_back_off)
{
	const uint64_t periods[] = { SECOND, SECOND, SECOND };
	const uint64_t waits[] = { 5, 10, 20, 40, 40 };
	struct schedule_turn turn = { 0 };

	make(2, periods, 3);
	run(now + 3 * SECOND, 1000);
	silence(1);
	run(now + SECOND, 1000); /* the other one's polls go on meanwhile */
	memset(turns, 0, sizeof(turns));
	now -= SECOND;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		uint64_t begin = devices[1].probe_usec - waits[i] * SECOND;

		while (now < begin + waits[i] * SECOND) {
			if (!schedule_next(&s, now, &turn, &due)) {
				now = due;
				continue;
			}
			if (turn.device == 1)
				break;
			turns[turn.entry]++;
			done(turn, 1000, SCHEDULE_ANSWERED);
		}
		now = devices[1].probe_usec;
		turn = (struct schedule_turn){ 1, devices[1].first, true };
		ck_assert(!done(turn, 100000, SCHEDULE_SILENT));
	}
	/* 115 s of back-off, and the other device has had its 3 polls in each of them. */
	for (int i = 0; i < 3; i++)
		ck_assert_uint_ge(turns[i], 110);
	/* It answers: everything is due at once. */
	now = devices[1].probe_usec;
	turn = (struct schedule_turn){ 1, devices[1].first, true };
	ck_assert(done(turn, 1000, SCHEDULE_ANSWERED));
	for (uint32_t i = 4; i < 6; i++)
		ck_assert_uint_le(entries[i].due_usec, now);
	ck_assert_uint_gt(entries[3].due_usec, now); /* what the probe has read just now */
}
END_TEST

START_TEST(a_probe_is_the_first_entry)
{
	const uint64_t periods[] = { SECOND, LINK_PERIOD_ONCE };
	struct schedule_turn turn;

	make(1, periods, 2);
	silence(0);
	ck_assert(!schedule_next(&s, now, &turn, &due));
	ck_assert_uint_eq(due, now + 5 * SECOND);
	schedule_hasten(&s, 0, 1, now); /* nobody is read ahead of the probe */
	ck_assert(!schedule_next(&s, now, &turn, &due));
	now = due;
	turn = next();
	ck_assert(turn.probe);
	ck_assert_uint_eq(turn.entry, 0);
	/* The line is back: at once, and with a fresh back-off. */
	done(turn, 1000, SCHEDULE_SILENT);
	schedule_restored(&s, now);
	ck_assert(next().probe);
}
END_TEST

START_TEST(nothing_to_probe_with_is_never_offline)
{
	make(1, NULL, 0);
	for (int i = 0; i < 10; i++)
		ck_assert(!schedule_heard(&s, 0, now, SCHEDULE_SILENT, 0));
	ck_assert_int_eq(devices[0].state, SCHEDULE_UNKNOWN);
	ck_assert(schedule_heard(&s, 0, now, SCHEDULE_ANSWERED, 0));
	ck_assert_int_eq(devices[0].state, SCHEDULE_ONLINE);
}
END_TEST

/* Most of a line is not wired yet: the one that is keeps getting turns. */
START_TEST(the_missing_wait_behind_the_living)
{
	const uint64_t periods[] = { SECOND, SECOND, SECOND };
	struct schedule_turn turn;
	unsigned missing = 0, in_a_row = 0, most = 0;

	make(8, periods, 3);
	for (int i = 0; i < 200; i++) {
		if (!schedule_next(&s, now, &turn, &due)) {
			now = due;
			continue;
		}
		if (turn.device == 5) {
			in_a_row = 0;
			done(turn, 1000, SCHEDULE_ANSWERED);
			continue;
		}
		if (devices[turn.device].state == SCHEDULE_UNKNOWN) {
			ck_assert(turn.probe);
			missing++;
			in_a_row++;
			most = MAX(most, in_a_row);
		}
		done(turn, SECOND, SCHEDULE_SILENT);
	}
	/* Three requests each before they are offline, and no two of one device between its polls. */
	ck_assert_uint_eq(missing, 7 * 3);
	ck_assert_uint_le(most, 7);
}
END_TEST

/* A device of many requests is not kept from them by turns with a silent one. */
START_TEST(all_that_waits_goes_ahead_of_the_silent)
{
	const uint64_t periods[] = { SECOND, SECOND, SECOND };
	struct schedule_turn turn;

	make(2, periods, 3);
	run(now + 5 * SECOND, 1000);
	now += 5 * SECOND;
	do {
		turn = next();
		done(turn, SECOND, turn.device == 1 ? SCHEDULE_SILENT : SCHEDULE_ANSWERED);
	} while (turn.device != 1);
	for (int i = 0; i < 3; i++) {
		turn = next();
		ck_assert_uint_eq(turn.device, 0);
		done(turn, 1000, SCHEDULE_ANSWERED);
	}
	ck_assert_uint_eq(next().device, 1);
}
END_TEST

/* However many dead ones there are, and however late their probes: each delays a living one once. */
START_TEST(the_dead_cost_one_probe_at_a_time)
{
	const uint64_t period = SECOND;
	struct schedule_turn turn;
	unsigned in_a_row = 0, probes = 0, polls = 0;

	make(8, &period, 1);
	for (int i = 0; i < 400; i++) {
		if (!schedule_next(&s, now, &turn, &due)) {
			now = due;
			continue;
		}
		if (turn.device == 5) {
			in_a_row = 0;
			polls++;
			done(turn, 1000, SCHEDULE_ANSWERED);
			continue;
		}
		/* Longer than a period: the living one waits whenever it is over. */
		probes += turn.probe;
		in_a_row++;
		done(turn, 2 * SECOND, SCHEDULE_SILENT);
		ck_assert(polls == 0 || in_a_row == 1);
	}
	/* Nor do they wait for ever. */
	ck_assert_uint_gt(polls, 50);
	ck_assert_uint_gt(probes, 50);
}
END_TEST

/* What got lost on its way to a device that nobody knows yet is not put off by a period. */
START_TEST(a_first_request_is_tried_again_soon)
{
	const uint64_t period = 3600 * SECOND;

	make(1, &period, 1);
	done(next(), SECOND, SCHEDULE_SILENT);
	done(next(), SECOND, SCHEDULE_ANSWERED);
	ck_assert_int_eq(devices[0].state, SCHEDULE_ONLINE);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_test(t, the_first_reads_are_spread);
	tcase_add_test(t, a_short_period_is_spread_over_itself);
	tcase_add_test(t, rates_are_kept);
	tcase_add_test(t, entries_are_added_at_work);
	tcase_add_test(t, a_small_device_has_as_many_turns);
	tcase_add_test(t, a_rejected_device_waits_longest);
	tcase_add_test(t, an_overloaded_line_goes_round);
	tcase_add_test(t, no_request_is_caught_up);
	tcase_add_test(t, once_and_on_demand);
	tcase_add_test(t, once_is_tried_until_it_is_answered);
	tcase_add_test(t, offline_after_silence_in_a_row);
	tcase_add_test(t, offline_is_one_probe_at_its_back_off);
	tcase_add_test(t, a_probe_is_the_first_entry);
	tcase_add_test(t, nothing_to_probe_with_is_never_offline);
	tcase_add_test(t, the_missing_wait_behind_the_living);
	tcase_add_test(t, all_that_waits_goes_ahead_of_the_silent);
	tcase_add_test(t, the_dead_cost_one_probe_at_a_time);
	tcase_add_test(t, a_first_request_is_tried_again_soon);
}

int main(void)
{
	return run_suite("schedule", add);
}
