/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/timer.h"
#include "history/history.h"

/* A history on the clock of the test, whose values are told apart by their numbers. */

static struct timers *timers;
static struct history *history;
static struct history_queue *queue;
static int disk_error;
static unsigned n_damaged, n_read;

static void told_disk(void *userdata, int error)
{
	disk_error = error;
}

static void told_damaged(void *userdata, const char *file)
{
	n_damaged++;
}

static void told_read(void *userdata)
{
	n_read++;
}

static uint64_t n_lost;
static void told_lost(void *userdata, uint64_t n)
{
	ck_assert_uint_gt(n, n_lost);
	n_lost = n;
}

static const struct history_ops ops = {
	.disk = told_disk, .damaged = told_damaged, .read = told_read, .lost = told_lost
};

static struct path path_of(const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	return path;
}

static struct history_queue *queue_of(const char *endpoint, uint16_t short_id)
{
	struct history_queue *q;

	ck_assert_int_eq(history_queue(history, endpoint, short_id, &q), 0);
	return q;
}

/* With what is left in the folder read, and the queue "ep" at 101. */
static inline void start(const char *folder, const struct history_limits *limits)
{
	n_lost = 0;
	ck_assert_int_eq(history_new(folder, timers, limits, &ops, NULL, &history), 0);
	while (!history_is_read(history))
		ck_assert_uint_gt(timers_run(timers), 0);
	queue = queue_of("ep", 101);
}

static inline void stop(void)
{
	history = history_free(history);
}

/* After so long, and what was due then. */
static inline void pass(uint64_t usec)
{
	clock_advance(usec);
	timers_run(timers);
}

static inline void add(struct history_queue *q, const char *path, int64_t number)
{
	const struct value value = value_integer(number);
	const struct path p = path_of(path);

	ck_assert_int_eq(history_add(q, &p, &value, clock_boottime_usec()), 0);
}

/* The next one of a queue, with how long ago it was; false: there is none. */
static inline bool take(struct history_queue *q, int64_t *ret_number, struct path *ret_path, uint64_t *ret_age_usec)
{
	struct history_batch batch;

	ck_assert_int_eq(history_peek(q, 1, SIZE_MAX, &batch), 0);
	if (batch.records.n == 0)
		return false;
	ck_assert_uint_eq(batch.records.n, 1);
	*ret_number = batch.records.items[0].value.integer;
	if (ret_path)
		*ret_path = batch.records.items[0].path;
	if (ret_age_usec)
		*ret_age_usec = clock_boottime_usec() - batch.records.items[0].boottime_usec;
	history_taken(q, batch.last_id);
	records_done(&batch.records);
	return true;
}

static inline uint64_t waiting(void)
{
	struct history_counts counts;

	history_count(history, &counts);
	return counts.waiting;
}

static inline uint64_t lost(void)
{
	struct history_counts counts;

	history_count(history, &counts);
	ck_assert_uint_eq(counts.lost, n_lost);
	return counts.lost;
}
