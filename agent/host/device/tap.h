/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

#include "base/timer.h"
#include "link/recording.h"

struct exchange;
struct sd_bus_message;

/*
 * A recording of one bus: what its lines send and receive, as text
 * (link/recording.h) into a descriptor that somebody reads. What does not fit
 * is dropped and counted there: the field never waits for it. Its bytes come
 * from the lines' threads, all else happens in the loop.
 */
struct recorder {
	pthread_mutex_t mutex;
	struct timer timer;
	struct sd_bus_message
		*call; /* that is to be answered at the end; NULL: nothing is recorded */
	uint64_t end_usec;
	/* Under the mutex. */
	int fd; /* -1: none */
	bool over;
	uint64_t start_usec, written, pieces, dropped,
		gap;		       /* the last: since the last line that fitted */
	char rest[RECORDING_LINE_MAX]; /* of a line that went in part */
	size_t n_rest;
};

/* Text of one recording, and how long it may take. */
#define RECORDER_BYTES_MAX (64u << 20)
#define RECORDER_USEC_MAX UINT64_C(86400000000)
/* So often is it looked at whether somebody still reads. */
#define RECORDER_LOOK_USEC UINT64_C(500000)

/* What a line is handed; it lives as long as the line. */
struct line_tap {
	struct fieldway_tap tap;
	struct recorder *recorder;
	const char *name;
	struct exchange *exchange;
	bool recording; /* since the job at work began */
};

void recorder_init(struct recorder *r, struct timers *timers);
void recorder_done(struct recorder *r);
/*
 * fd is taken over, also on failure; call is answered at the end with what was
 * recorded and dropped. -EBUSY: a recording is under way; -EINVAL: too long.
 */
int recorder_start(struct recorder *r, int fd, uint64_t usec, struct sd_bus_message *call);
void recorder_stop(struct recorder *r);

/* Notes what goes over the wire in exchange, which is its own while a job is at work. */
void line_tap_init(struct line_tap *t, struct recorder *r, const char *name, struct exchange *exchange);
/* For the job that begins now. */
const struct fieldway_tap *line_tap_now(struct line_tap *t);
/* From any thread. */
void recorder_bytes(struct recorder *r, const char *name, enum fieldway_direction direction,
		    const void *bytes, size_t size);
