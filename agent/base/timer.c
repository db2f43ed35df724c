/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timer.h"

#include <errno.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/test_clock.h"

#ifdef TEST_CLOCK
static const bool test_clock_is_built = true;
#else
static const bool test_clock_is_built = false;
#endif

#define TIMERS_FIRST 16u
#define TIMERS_MAX (UINT32_MAX / 4)
/* Lateness that the event loop may add to put wake-ups together. */
#define TIMERS_ACCURACY_USEC USEC_PER_MSEC

/* The key is apart from due_usec: what a handler arms in the past waits for the next run. */
struct entry {
	uint64_t key;
	struct timer *timer;
};

struct timers {
	struct entry *heap; /* 1-based: heap[0] is not used */
	uint32_t n, allocated;
	uint64_t earliest_key; /* while running: smallest key that may be armed */
	sd_event_source *source;
	struct test_clock *test_clock;
	uint64_t armed_usec; /* what the source waits for, on the real clock */
};

static void heap_put(struct timers *t, uint32_t position, struct entry entry)
{
	t->heap[position] = entry;
	entry.timer->position = position;
}

static void heap_up(struct timers *t, uint32_t position, struct entry entry)
{
	while (position > 1 && entry.key < t->heap[position / 2].key) {
		heap_put(t, position, t->heap[position / 2]);
		position /= 2;
	}
	heap_put(t, position, entry);
}

static void heap_down(struct timers *t, uint32_t position, struct entry entry)
{
	uint32_t child;

	while ((child = 2 * position) <= t->n) {
		if (child < t->n && t->heap[child + 1].key < t->heap[child].key)
			child++;
		if (entry.key <= t->heap[child].key)
			break;
		heap_put(t, position, t->heap[child]);
		position = child;
	}
	heap_put(t, position, entry);
}

static void heap_place(struct timers *t, uint32_t position, struct entry entry)
{
	if (position > 1 && entry.key < t->heap[position / 2].key)
		heap_up(t, position, entry);
	else
		heap_down(t, position, entry);
}

int timers_reserve(struct timers *t, uint32_t n)
{
	uint32_t wanted = MAX(t->allocated, TIMERS_FIRST);
	struct entry *heap;

	if (n > TIMERS_MAX - t->n)
		return -ENOMEM;
	if (t->n + n < t->allocated)
		return 0;
	while (wanted <= t->n + n)
		wanted *= 2;
	heap = reallocarray(t->heap, wanted, sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	t->heap = heap;
	t->allocated = wanted;
	return 0;
}

void timer_init(struct timer *timer, struct timers *timers, timer_handler handler, void *userdata)
{
	*timer = (struct timer){ .timers = timers, .handler = handler, .userdata = userdata };
}

int timer_arm(struct timer *timer, uint64_t due_usec)
{
	struct timers *t = timer->timers;
	struct entry entry = { .key = MAX(due_usec, t->earliest_key), .timer = timer };
	int r;

	if (timer->position == 0) {
		r = timers_reserve(t, 1);
		if (r < 0)
			return r;
		timer->position = ++t->n;
		heap_up(t, timer->position, entry);
	} else {
		heap_place(t, timer->position, entry);
	}
	timer->due_usec = due_usec;
	return 0;
}

int timer_arm_in(struct timer *timer, uint64_t delay_usec)
{
	return timer_arm(timer, usec_add(clock_monotonic_usec(), delay_usec));
}

void timer_disarm(struct timer *timer)
{
	struct timers *t = timer->timers;
	uint32_t position = timer->position;
	struct entry last;

	if (position == 0)
		return;
	timer->position = 0;
	last = t->heap[t->n--];
	if (last.timer != timer)
		heap_place(t, position, last);
}

uint32_t timers_count(const struct timers *t)
{
	return t->n;
}

uint64_t timers_next(const struct timers *t)
{
	return t->n > 0 ? t->heap[1].key : USEC_INFINITY;
}

unsigned timers_run(struct timers *t)
{
	struct timer *timer;
	unsigned fired = 0;
	uint64_t now;

	clock_tick();
	now = clock_monotonic_usec();
	t->earliest_key = now + 1;
	while (timers_next(t) <= now) {
		timer = t->heap[1].timer;
		timer_disarm(timer);
		timer->handler(timer, timer->userdata);
		fired++;
	}
	t->earliest_key = 0;
	return fired;
}

static int timers_dispatch(sd_event_source *source, uint64_t usec, void *userdata)
{
	timers_run(userdata);
	return 0;
}

/*
 * Before each wait of the loop rather than with each timer: arming stays
 * cheap, and a clock that was moved meanwhile is noticed.
 */
static int timers_prepare(sd_event_source *source, void *userdata)
{
	struct timers *t = userdata;
	uint64_t next = clock_kernel_usec(timers_next(t));

	if (next == t->armed_usec)
		return 0;
	t->armed_usec = next;
	return sd_event_source_set_time(source, next);
}

static int timers_attach(struct timers *t, sd_event *event)
{
	int r;

	t->armed_usec = USEC_INFINITY;
	r = sd_event_add_time(event, &t->source, CLOCK_MONOTONIC, USEC_INFINITY,
			      TIMERS_ACCURACY_USEC, timers_dispatch, t);
	if (r < 0)
		return r;
	r = sd_event_source_set_prepare(t->source, timers_prepare);
	if (r < 0)
		return r;
	r = sd_event_source_set_enabled(t->source, SD_EVENT_ON);
	if (r < 0)
		return r;
	return test_clock_is_built ? test_clock_new_from_environment(event, t, &t->test_clock) : 0;
}

DEFINE_FREEP(struct timers *, timers_free)

int timers_new(sd_event *event, struct timers **ret)
{
	_cleanup_(timers_freep) struct timers *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	r = event ? timers_attach(t, event) : 0;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(t);
	return 0;
}

struct timers *timers_free(struct timers *t)
{
	if (!t)
		return NULL;
	for (uint32_t i = 1; i <= t->n; i++)
		t->heap[i].timer->position = 0;
	test_clock_free(t->test_clock);
	sd_event_source_disable_unref(t->source);
	free(t->heap);
	free(t);
	return NULL;
}
