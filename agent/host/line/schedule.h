/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"

/*
 * Which request of which device of one line is due next. Pure: the caller
 * brings time and chance. Whatever is due waits in the order in which it fell
 * due, and behind devices that have waited since this one was served: on a line
 * with more to do than it can, every request keeps its turn, and a device with
 * one request has as many of them as one with twenty.
 * A device that was silent goes behind all that: a line on which most devices
 * are missing still serves the others.
 */

/* How long after an error of its own a request that is read once is tried again. */
#define SCHEDULE_ONCE_RETRY_USEC UINT64_C(60000000)
/* The first reads of a bus are spread over so much, or their period. */
#define SCHEDULE_START_USEC UINT64_C(1000000)

/* What one request (all its tries) told about its device. */
enum schedule_answer {
	SCHEDULE_ANSWERED, /* values, or an exception */
	SCHEDULE_SILENT,   /* nothing that proves that it lives */
};

enum schedule_state {
	SCHEDULE_UNKNOWN,
	SCHEDULE_ONLINE,
	SCHEDULE_OFFLINE,
};

struct schedule_entry {
	uint64_t period_usec; /* LINK_PERIOD_ONCE, LINK_PERIOD_ON_DEMAND: see link/host1.h */
	uint32_t phase;	      /* place in the second period, of SCHEDULE_PHASES */
	uint64_t due_usec;
	bool first; /* since it came online */
};
#define SCHEDULE_PHASES 65536u

struct schedule_device {
	uint32_t first, n; /* entries; the first one is the probe */
	enum schedule_state state;
	unsigned silent;
	struct backoff backoff;
	uint64_t probe_usec;  /* while offline */
	uint64_t served_usec; /* when its last turn began */
};

struct schedule {
	unsigned offline_after; /* requests in a row; 0: never offline */
	struct schedule_entry *entries;
	size_t n_entries;
	struct schedule_device *devices;
	size_t n_devices;
	bool probed; /* in vain, in the last turn */
};

/*
 * Lends entries and devices to the schedule, which sets what is not given:
 * period, and each device's range and back-off, are.
 */
void schedule_init(struct schedule *s, unsigned offline_after, struct schedule_entry *entries,
		   size_t n_entries, struct schedule_device *devices, size_t n_devices);
/* Everything is due, spread by its place among the total entries of a bus. */
void schedule_start(struct schedule *s, uint64_t now_usec, size_t place, size_t total);

/* The same of one device whose entries are not due yet. */
void schedule_start_device(struct schedule *s, uint32_t device, uint64_t now_usec, size_t place,
			   size_t total);
/*
 * What was a device of another schedule, with its entries, when they are due and
 * how it is, goes on behind those that are here; there must be room.
 */
void schedule_take(struct schedule *s, const struct schedule *from, uint32_t device);

struct schedule_turn {
	uint32_t device, entry;
	bool probe; /* nothing proves that the device lives: one try, no more */
};
/*
 * True and the request whose turn it is: what has waited longest, but no second
 * probe in vain before one for a device that lives; else *ret_due_usec says when the next
 * one falls due (UINT64_MAX: never).
 */
bool schedule_next(const struct schedule *s, uint64_t now_usec, struct schedule_turn *ret,
		   uint64_t *ret_due_usec);
/*
 * The request was begun at start_usec and has ended now; failed: it has no
 * values. True when the state has changed.
 */
bool schedule_done(struct schedule *s, const struct schedule_turn *turn, uint64_t start_usec,
		   uint64_t now_usec, enum schedule_answer answer, bool failed, uint64_t random);
/* The same for a request out of turn, such as a write. */
bool schedule_heard(struct schedule *s, uint32_t device, uint64_t now_usec,
		    enum schedule_answer answer, uint64_t random);
/* n more entries behind this one, of its period and never due; s->entries has room for them. */
void schedule_insert(struct schedule *s, uint32_t device, uint32_t entry, uint32_t n);
/* When an entry is due next, and then after each period. */
void schedule_set(struct schedule *s, uint32_t entry, uint64_t due_usec);
/* It is not the device that it should be: offline until it is probed after the longest back-off. */
void schedule_reject(struct schedule *s, uint32_t device, uint64_t now_usec);
/* An online device's entry is due by then at the latest. */
void schedule_hasten(struct schedule *s, uint32_t device, uint32_t entry, uint64_t due_usec);
/* The line is open again after it was not: whoever is offline is probed at once. */
void schedule_restored(struct schedule *s, uint64_t now_usec);
