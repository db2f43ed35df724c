/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/test_clock.h"
#include "base/timer.h"

#define PROPERTY_TIMERS 300
#define PROPERTY_STEPS 20000

struct counted {
	struct timer timer;
	unsigned fired;
	uint64_t fired_usec;
	bool again; /* once more, at once */
};

static void count(struct timer *timer, void *userdata)
{
	struct counted *c = userdata;

	c->fired++;
	c->fired_usec = timer->due_usec;
	if (c->again)
		timer_arm_in(timer, 0);
	c->again = false;
}

START_TEST(test_fires_once_in_order)
{
	struct timers *timers;
	struct counted a = { 0 }, b = { 0 };

	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	timer_init(&a.timer, timers, count, &a);
	timer_init(&b.timer, timers, count, &b);
	ck_assert_uint_eq(timers_next(timers), USEC_INFINITY);
	ck_assert_int_eq(timer_arm_in(&a.timer, 10 * USEC_PER_SEC), 0);
	ck_assert_int_eq(timer_arm_in(&b.timer, 5 * USEC_PER_SEC), 0);
	ck_assert_uint_eq(timers_next(timers), b.timer.due_usec);
	ck_assert_uint_eq(timers_run(timers), 0);
	clock_advance(6 * USEC_PER_SEC);
	ck_assert_uint_eq(timers_run(timers), 1);
	ck_assert_uint_eq(b.fired, 1);
	ck_assert(!timer_is_armed(&b.timer));
	ck_assert(timer_is_armed(&a.timer));
	clock_advance(6 * USEC_PER_SEC);
	ck_assert_uint_eq(timers_run(timers), 1);
	ck_assert_uint_eq(timers_run(timers), 0);
	ck_assert_uint_eq(a.fired, 1);
	timers_free(timers);
}
END_TEST

static void arm_in_the_past(struct timer *timer, void *userdata)
{
	unsigned *fired = userdata;

	++*fired;
	ck_assert_int_eq(timer_arm(timer, 1), 0);
}

START_TEST(test_at_most_once_per_run)
{
	struct timers *timers;
	struct timer timer;
	unsigned fired = 0;

	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	timer_init(&timer, timers, arm_in_the_past, &fired);
	timer_arm(&timer, 0);
	ck_assert_uint_eq(timers_run(timers), 1);
	ck_assert_uint_eq(timer.due_usec, 1);
	clock_advance(1);
	ck_assert_uint_eq(timers_run(timers), 1);
	ck_assert_uint_eq(fired, 2);
	/* The memory of a timer that is still armed may go away after the heap's. */
	timers_free(timers);
	ck_assert(!timer_is_armed(&timer));
}
END_TEST

struct pair {
	struct timer one, other;
	unsigned fired;
};

static void disarm_other(struct timer *timer, void *userdata)
{
	struct pair *p = userdata;

	p->fired++;
	timer_disarm(timer == &p->one ? &p->other : &p->one);
}

START_TEST(test_handler_disarms_what_is_due)
{
	struct timers *timers;
	struct pair p = { 0 };

	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	timer_init(&p.one, timers, disarm_other, &p);
	timer_init(&p.other, timers, disarm_other, &p);
	timer_arm(&p.one, 1);
	timer_arm(&p.other, 1);
	ck_assert_uint_eq(timers_run(timers), 1);
	ck_assert_uint_eq(p.fired, 1);
	ck_assert_uint_eq(timers_next(timers), USEC_INFINITY);
	timers_free(timers);
}
END_TEST

/* A plain array beside the heap must see the same minimum after each of many random steps. */
static uint64_t model_minimum(const uint64_t *due, size_t n)
{
	uint64_t least = USEC_INFINITY;

	for (size_t i = 0; i < n; i++)
		if (due[i] < least)
			least = due[i];
	return least;
}

START_TEST(test_heap_against_model)
{
	static struct counted all[PROPERTY_TIMERS];
	uint64_t due[PROPERTY_TIMERS], start = clock_monotonic_usec() + USEC_PER_HOUR;
	struct timers *timers;
	uint32_t state = 1;

	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	for (size_t i = 0; i < PROPERTY_TIMERS; i++) {
		timer_init(&all[i].timer, timers, count, &all[i]);
		due[i] = USEC_INFINITY;
	}
	for (unsigned step = 0; step < PROPERTY_STEPS; step++) {
		size_t i;

		state = state * 1664525 + 1013904223;
		i = (state >> 8) % PROPERTY_TIMERS;
		if (state >> 30 == 0) {
			timer_disarm(&all[i].timer);
			due[i] = USEC_INFINITY;
		} else {
			due[i] = start + (state >> 4) % 1000;
			ck_assert_int_eq(timer_arm(&all[i].timer, due[i]), 0);
		}
		ck_assert_int_eq(timer_is_armed(&all[i].timer), due[i] != USEC_INFINITY);
		ck_assert_uint_eq(timers_next(timers), model_minimum(due, PROPERTY_TIMERS));
	}
	clock_advance(2 * USEC_PER_HOUR);
	timers_run(timers);
	for (size_t i = 0; i < PROPERTY_TIMERS; i++)
		ck_assert_uint_eq(all[i].fired, due[i] != USEC_INFINITY);
	timers_free(timers);
}
END_TEST

static uint64_t last_due;

static void must_not_go_back(struct timer *timer, void *userdata)
{
	ck_assert_uint_ge(timer->due_usec, last_due);
	last_due = timer->due_usec;
}

START_TEST(test_fires_in_order_of_time)
{
	static struct timer all[PROPERTY_TIMERS];
	struct timers *timers;

	last_due = 0;
	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	ck_assert_int_eq(timers_reserve(timers, PROPERTY_TIMERS), 0);
	for (size_t i = 0; i < PROPERTY_TIMERS; i++) {
		timer_init(&all[i], timers, must_not_go_back, NULL);
		timer_arm(&all[i], 1 + i * 7919 % 1000);
	}
	ck_assert_uint_eq(timers_run(timers), PROPERTY_TIMERS);
	timers_free(timers);
}
END_TEST

START_TEST(test_reserve_is_bounded)
{
	struct timers *timers;

	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	ck_assert_int_eq(timers_reserve(timers, UINT32_MAX), -ENOMEM);
	timers_free(timers);
}
END_TEST

static void stop_loop(struct timer *timer, void *userdata)
{
	sd_event_exit(userdata, 0);
}

START_TEST(test_event_loop_follows_moved_clock)
{
	sd_event *event = NULL;
	struct timers *timers;
	struct timer timer;

	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(timers_new(event, &timers), 0);
	timer_init(&timer, timers, stop_loop, event);
	timer_arm_in(&timer, USEC_PER_DAY);
	/* Nothing is due, so an iteration without waiting does nothing. */
	ck_assert_int_eq(sd_event_run(event, 0), 0);
	clock_advance(USEC_PER_DAY);
	ck_assert_int_eq(sd_event_loop(event), 0);
	timers_free(timers);
	sd_event_unref(event);
}
END_TEST

/* A loop whose clock is moved over a descriptor. */
struct moved {
	sd_event *event;
	struct timers *timers;
	struct test_clock *clock;
	int fd; /* the far end; a test closes it */
};

static void moved_set_up(struct moved *m)
{
	int fds[2];

	*m = (struct moved){ 0 };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ck_assert_int_ge(sd_event_new(&m->event), 0);
	ck_assert_int_eq(timers_new(m->event, &m->timers), 0);
	ck_assert_int_eq(test_clock_new(m->event, m->timers, fds[0], &m->clock), 0);
	m->fd = fds[1];
}

static void moved_tear_down(struct moved *m)
{
	test_clock_free(m->clock);
	timers_free(m->timers);
	sd_event_unref(m->event);
}

START_TEST(test_clock_over_descriptor)
{
	uint64_t step = USEC_PER_HOUR, answer = 0, before, usage[2];
	struct counted c = { 0 };
	struct moved m;

	moved_set_up(&m);
	timer_init(&c.timer, m.timers, count, &c);
	timer_arm_in(&c.timer, USEC_PER_HOUR);
	before = clock_monotonic_usec();
	/* In two parts: a step is what 8 bytes make, however they arrive. */
	ck_assert_int_eq(write(m.fd, &step, 3), 3);
	ck_assert_int_eq(sd_event_run(m.event, 0), 1);
	ck_assert_uint_eq(c.fired, 0);
	ck_assert_int_eq(write(m.fd, (char *)&step + 3, 5), 5);
	ck_assert_int_eq(sd_event_run(m.event, 0), 1);
	ck_assert_uint_eq(c.fired, 1);
	ck_assert_uint_ge(clock_monotonic_usec(), before + USEC_PER_HOUR);
	ck_assert_int_eq(read(m.fd, &answer, sizeof(answer)), 8);
	ck_assert_uint_eq(answer, step);
	/* What it asks, and no step. */
	before = clock_monotonic_usec();
	timer_arm_in(&c.timer, USEC_PER_HOUR);
	step = TEST_CLOCK_USAGE;
	ck_assert_int_eq(write(m.fd, &step, sizeof(step)), 8);
	ck_assert_int_eq(sd_event_run(m.event, 0), 1);
	ck_assert_int_eq(read(m.fd, usage, sizeof(usage)), 16);
	ck_assert_uint_eq(usage[1], 1);
	timer_disarm(&c.timer);
	ck_assert_uint_eq(timers_count(m.timers), 0);
	ck_assert_uint_lt(clock_monotonic_usec(), before + USEC_PER_HOUR);
	close(m.fd);
	ck_assert_int_eq(sd_event_run(m.event, 0), 1);
	ck_assert_int_eq(sd_event_run(m.event, 0), 0);
	moved_tear_down(&m);
}
END_TEST

/* Real time goes on meanwhile: what was due by it long ago is not run, and what is due at once is. */
START_TEST(test_clock_is_held)
{
	uint64_t step = TEST_CLOCK_HOLD, answer = 0, held[3], offset, steps;
	struct counted c = { 0 };
	struct moved m;

	moved_set_up(&m);
	timer_init(&c.timer, m.timers, count, &c);
	steps = clock_steps_usec() + USEC_PER_DAY;
	clock_advance(USEC_PER_DAY);
	ck_assert_int_eq(write(m.fd, &step, sizeof(step)), 8);
	ck_assert_int_eq(sd_event_run(m.event, 0), 1);
	ck_assert_int_eq(read(m.fd, &answer, sizeof(answer)), 8);
	ck_assert_uint_eq(answer, step);
	held[0] = clock_monotonic_usec();
	held[1] = clock_boottime_usec();
	held[2] = clock_realtime_usec();
	offset = clock_offset_usec();
	ck_assert_uint_le(offset, steps);
	timer_arm_in(&c.timer, USEC_PER_MSEC);
	ck_assert_int_eq(sd_event_run(m.event, 2 * USEC_PER_MSEC), 0);
	ck_assert_uint_eq(c.fired, 0);
	/* Held is held. */
	clock_hold();
	ck_assert_uint_eq(clock_monotonic_usec(), held[0]);
	ck_assert_uint_eq(clock_boottime_usec(), held[1]);
	ck_assert_uint_eq(clock_realtime_usec(), held[2]);
	ck_assert_uint_le(clock_offset_usec(), offset - 2 * USEC_PER_MSEC);
	ck_assert_uint_eq(clock_steps_usec(), steps);
	step = USEC_PER_MSEC;
	ck_assert_int_eq(write(m.fd, &step, sizeof(step)), 8);
	ck_assert_int_eq(sd_event_run(m.event, 0), 1);
	ck_assert_uint_eq(c.fired, 1);
	ck_assert_uint_ge(clock_monotonic_usec(), held[0] + USEC_PER_MSEC);
	timer_arm_in(&c.timer, 0);
	ck_assert_int_eq(sd_event_run(m.event, UINT64_MAX), 1);
	ck_assert_uint_eq(c.fired, 2);
	/* Also what a handler arms for the next run. */
	c.again = true;
	timer_arm_in(&c.timer, 0);
	ck_assert_int_eq(sd_event_run(m.event, UINT64_MAX), 1);
	ck_assert_int_eq(sd_event_run(m.event, UINT64_MAX), 1);
	ck_assert_uint_eq(c.fired, 4);
	/* A tick for each run. */
	ck_assert_uint_eq(clock_monotonic_usec(), held[0] + USEC_PER_MSEC + 4);
	close(m.fd);
	moved_tear_down(&m);
}
END_TEST

START_TEST(test_clock_environment)
{
	struct test_clock *clock = NULL;
	sd_event *event = NULL;

	ck_assert_int_ge(sd_event_new(&event), 0);
	unsetenv(TEST_CLOCK_ENVIRONMENT);
	ck_assert_int_eq(test_clock_new_from_environment(event, NULL, &clock), 0);
	ck_assert_ptr_null(clock);
	setenv(TEST_CLOCK_ENVIRONMENT, "x", 1);
	ck_assert_int_eq(test_clock_new_from_environment(event, NULL, &clock), -EINVAL);
	setenv(TEST_CLOCK_ENVIRONMENT, "65535", 1);
	ck_assert_int_eq(test_clock_new_from_environment(event, NULL, &clock), -EBADF);
	unsetenv(TEST_CLOCK_ENVIRONMENT);
	sd_event_unref(event);
}
END_TEST

#ifdef TEST_CLOCK
static const bool clock_follows_environment = true;
#else
static const bool clock_follows_environment = false;
#endif

/* What a process does with the variable depends on how it was built, and on nothing else. */
START_TEST(test_only_a_test_build_follows_environment)
{
	uint64_t step = USEC_PER_DAY, before = clock_monotonic_usec();
	struct timers *timers;
	sd_event *event = NULL;
	char text[16];
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	snprintf(text, sizeof(text), "%d", fds[0]);
	setenv(TEST_CLOCK_ENVIRONMENT, text, 1);
	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(timers_new(event, &timers), 0);
	ck_assert_int_eq(write(fds[1], &step, sizeof(step)), sizeof(step));
	ck_assert_int_eq(sd_event_run(event, 0), clock_follows_environment);
	ck_assert_int_eq(clock_monotonic_usec() >= before + step, clock_follows_environment);
	timers_free(timers);
	sd_event_unref(event);
	unsetenv(TEST_CLOCK_ENVIRONMENT);
	close(fds[1]);
	if (!clock_follows_environment)
		close(fds[0]);
}
END_TEST

START_TEST(test_all_clocks_move_together)
{
	uint64_t monotonic = clock_monotonic_usec(), boottime = clock_boottime_usec(),
		 realtime = clock_realtime_usec();

	clock_advance(USEC_PER_DAY);
	ck_assert_uint_ge(clock_monotonic_usec(), monotonic + USEC_PER_DAY);
	ck_assert_uint_ge(clock_boottime_usec(), boottime + USEC_PER_DAY);
	ck_assert_uint_ge(clock_realtime_usec(), realtime + USEC_PER_DAY);
	ck_assert_uint_lt(clock_monotonic_usec(), monotonic + USEC_PER_DAY + USEC_PER_HOUR);
	ck_assert(clock_realtime_is_plausible());
}
END_TEST

START_TEST(test_realtime_from_boottime)
{
	uint64_t now = clock_realtime_usec(), boottime = clock_boottime_usec();
	uint64_t past = clock_realtime_from_boottime(boottime - USEC_PER_SEC);
	uint64_t future = clock_realtime_from_boottime(boottime + USEC_PER_MINUTE);

	ck_assert_uint_ge(past, now - USEC_PER_SEC - 100 * USEC_PER_MSEC);
	ck_assert_uint_le(past, now - USEC_PER_SEC + 100 * USEC_PER_MSEC);
	ck_assert_uint_ge(future, now + USEC_PER_MINUTE - 100 * USEC_PER_MSEC);
	ck_assert_uint_le(future, now + USEC_PER_MINUTE + 100 * USEC_PER_MSEC);
}
END_TEST

START_TEST(test_usec_add)
{
	ck_assert_uint_eq(usec_add(1, 2), 3);
	ck_assert_uint_eq(usec_add(USEC_INFINITY, 0), USEC_INFINITY);
	ck_assert_uint_eq(usec_add(USEC_INFINITY, 1), USEC_INFINITY);
	ck_assert_uint_eq(usec_add(UINT64_MAX - 1, 5), USEC_INFINITY);
}
END_TEST

START_TEST(test_backoff)
{
	static const uint64_t waits[] = { 5, 10, 20, 40, 60, 60, 60 };
	struct backoff b = { .first_usec = 5, .last_usec = 60 };

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		ck_assert_uint_eq(backoff_next(&b, 0), waits[i]);
	backoff_reset(&b);
	ck_assert_uint_eq(backoff_next(&b, 0), 5);
	for (uint64_t random = 0; random < 1000; random++) {
		struct backoff full = { .first_usec = 100, .last_usec = 100 };
		uint64_t wait = backoff_next(&full, random);

		ck_assert_uint_ge(wait, 100);
		ck_assert_uint_le(wait, 125);
	}
	b = (struct backoff){ .first_usec = 1, .last_usec = USEC_INFINITY, .step = 200 };
	ck_assert_uint_eq(backoff_next(&b, UINT64_MAX), USEC_INFINITY);
	b = (struct backoff){ 0 };
	ck_assert_uint_eq(backoff_next(&b, UINT64_MAX), 0);
}
END_TEST

START_TEST(test_random)
{
	uint8_t a[40] = { 0 }, b[40] = { 0 };

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	ck_assert_int_ne(memcmp(a, b, sizeof(a)), 0);
	ck_assert(random_u64() != random_u64());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timer");
	TCase *tcase = tcase_create("timer");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_fires_once_in_order);
	tcase_add_test(tcase, test_at_most_once_per_run);
	tcase_add_test(tcase, test_handler_disarms_what_is_due);
	tcase_add_test(tcase, test_heap_against_model);
	tcase_add_test(tcase, test_fires_in_order_of_time);
	tcase_add_test(tcase, test_reserve_is_bounded);
	tcase_add_test(tcase, test_event_loop_follows_moved_clock);
	tcase_add_test(tcase, test_clock_over_descriptor);
	tcase_add_test(tcase, test_clock_environment);
	tcase_add_test(tcase, test_only_a_test_build_follows_environment);
	tcase_add_test(tcase, test_all_clocks_move_together);
	tcase_add_test(tcase, test_realtime_from_boottime);
	tcase_add_test(tcase, test_usec_add);
	tcase_add_test(tcase, test_backoff);
	tcase_add_test(tcase, test_random);
	tcase_add_test(tcase, test_clock_is_held); /* for good */
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
