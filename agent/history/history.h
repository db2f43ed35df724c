/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "model/record.h"

struct timers;

/*
 * Values that wait for servers, with their times, in memory and on a disk, within
 * bounds. Each account has a queue, in which its values come in the order of their
 * recording; what it has taken is gone.
 *
 * All queues share one log, cut into segments. Only the last one grows, and it is
 * brought to the disk each HISTORY_FLUSH_USEC: a power cut costs what was recorded
 * since then, and flash sees a few pages in that time however many values there are,
 * none at all when servers have taken them by then. Segments are read again, at most
 * SEGMENT_SIZE_MAX at a time, when it is their turn.
 *
 * Only for the thread of the loop. Times of values are those of the wall clock as soon as
 * that is set; before, they count from the boot, and are lost with the next one.
 */
struct history;
struct history_queue;

#define HISTORY_FLUSH_USEC (5 * USEC_PER_MINUTE)
#define SEGMENT_SIZE_MAX (64u << 10)
/* A text or opaque value that is longer is not recorded. */
#define HISTORY_VALUE_MAX 1024u
/* Of limits.memory. */
#define HISTORY_MEMORY_MIN (64u << 10)

struct history_limits {
	size_t memory; /* bytes, HISTORY_MEMORY_MIN at least */
	uint64_t disk; /* bytes; 0: nothing goes to the disk */
	uint64_t keep_usec; /* what is older goes */
	/*
	 * What happens over the bounds. True: of the oldest segments that were thinned
	 * least, two become one that has each second value of each series, so that all
	 * of the time is still told, less densely. False: the oldest segment goes.
	 */
	bool thin;
};

struct history_ops {
	/* error: the disk does not take what should be there, which stays in memory; 0: it does again. */
	void (*disk)(void *userdata, int error);
	/* Some of what was on the disk is damaged and could not be read. */
	void (*damaged)(void *userdata, const char *file);
	/* Values are gone, so many since the start: the bounds, their age, or given up. */
	void (*lost)(void *userdata, uint64_t n);
	/* What was left from the last time has been read: queues know what waits. */
	void (*read)(void *userdata);
};

/* folder: made when it is not there; NULL: memory only. errno of the file system, -ENOMEM. */
int history_new(const char *folder, struct timers *timers, const struct history_limits *limits,
		const struct history_ops *ops, void *userdata, struct history **ret);
/* Brings to the disk what waits, as far as that may have it. */
struct history *history_free(struct history *h);
void history_set_limits(struct history *h, const struct history_limits *limits);
/* What was left has been read; before, history_peek() finds nothing. */
bool history_is_read(const struct history *h);
/* Brings what waits to the disk now, and waits for that. */
void history_flush(struct history *h);

/* The queue of an account, which lives as long as the history; made when it has none. -ENOMEM, -EINVAL: name. */
int history_queue(struct history *h, const char *endpoint, uint16_t short_id, struct history_queue **ret);
/* The same, where something waits in it; NULL: nothing does. */
struct history_queue *history_find(const struct history *h, const char *endpoint, uint16_t short_id);
/* Nobody is waiting for it any more. */
void history_forget(struct history_queue *q);
/* How many values wait in it. */
uint64_t history_waiting(const struct history_queue *q);

/*
 * Records a value at a resource or resource instance, sampled at a time of
 * CLOCK_BOOTTIME. -EFBIG: too long; -EINVAL: no value; -ENOMEM.
 */
int history_add(struct history_queue *q, const struct path *path, const struct value *value, uint64_t boottime_usec);

/* The oldest of a queue. */
struct history_batch {
	struct records records; /* yours; in the order of their recording */
	uint64_t last_id;	/* for history_taken() */
};
/*
 * So many segments are looked through for one batch, which may have fewer records then:
 * with thousands of queues each segment has few of one, and the loop waits.
 */
#define HISTORY_PEEK_SEGMENTS_MAX 16u
/* At most so many records, whose texts have so many bytes together unless it is one. 0 with none: nothing waits; -ENOMEM, -EMFILE, -ENFILE. */
int history_peek(struct history_queue *q, size_t n, size_t bytes, struct history_batch *ret);
/* The server has them, up to this one. */
void history_taken(struct history_queue *q, uint64_t last_id);
/* It will never have them, up to this one: they are lost. */
void history_give_up(struct history_queue *q, uint64_t last_id);

struct history_counts {
	uint64_t waiting; /* values, of all queues */
	uint64_t bytes;	  /* that they take in memory and on the disk; each counts once */
	uint64_t oldest_usec; /* wall clock; 0: there is none, or its time is not known */
	uint64_t lost;	      /* values since the start: thinned, dropped, older than limits.keep_usec or given up */
};
void history_count(const struct history *h, struct history_counts *ret);
