/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"
#include "host/line/reading.h"

/*
 * Points that somebody wants to know now: ahead of polls and behind writes.
 * What is read goes up the link as any other value, too.
 */
struct read;

/* Of one line at a time. One more is -EBUSY. */
#define LINE_READS_MAX 16u

/*
 * Answers the call at once, or takes a reference to it and answers it by the
 * deadline (the kernel's CLOCK_MONOTONIC). 0 or -ENOMEM. The line is kicked by
 * the caller.
 */
int read_begin(struct device *d, struct sd_bus_message *call, const uint32_t *points, size_t n,
	       uint64_t deadline_usec);
/* An answer without values. */
int read_refuse(struct sd_bus_message *call, int error, const char *text);
/* What came of a reading; attempt: the answer to one, which refuses nothing. */
int read_answer(struct sd_bus_message *call, bool attempt, struct reading *r, const char *bus,
		const char *device);

/* Whose is the oldest one; NULL: there is none. */
struct device *read_next_device(const struct line *l);
/* Its next request. */
const struct fieldway_request *read_start(struct line *l);
/* The line's job was that and has come back: keeps its raw samples. False: that is no failure yet. */
bool read_take(struct line *l);
/* Nothing needs the job's request any more. */
void read_done(struct line *l);
/* Of a device that is gone, or (NULL) all. */
void read_cancel(struct line *l, const struct device *d, int error, const char *text);
/* Devices of the line are out of another setup that says the same of them. */
void read_follow(struct line *l);
/* What went up the link last, or waits to: of points that were never heard of nothing. */
int read_known(const struct device *d, struct sd_bus_message *call, const uint32_t *points,
	       size_t n);
