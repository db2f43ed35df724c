/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "conversation.h"
#include "driver.h"
#include "stream.h"

/* Shared by stream.c (the port), stream_input.c (frames) and stream_output.c (writes) only. */

#define REASON_MAX 192u
#define STREAM_WRITES_MAX 16u /* that wait for their turn */

struct listener {
	const struct fieldway_driver *driver;
	struct framer *framer;
	uint64_t noise, oversize; /* as counted when last looked at */
	uint64_t heard_usec; /* the last byte */
	uint64_t second_usec, spent_usec; /* the end of the second under way, and what expressions took in it */
	unsigned bad; /* frames since the last good one */
};

struct pending {
	struct fieldway_ticket *ticket;
	uint32_t device, point;
	struct fieldway_value value; /* text is the pending write's own */
	char *text;
	uint64_t deadline_usec;
};

struct fieldway_session {
	const struct fieldway_host *host;
	struct bus bus;
	struct listener *listeners;
	size_t n;
	struct fieldway_sample *samples;
	size_t max_samples;
	char *text;
	size_t text_size;
	struct parse parse;

	unsigned attempt; /* to open the port */
	int fd; /* -1: closed */
	bool connected, released;
	uint64_t retry_usec; /* back-off */
	char reason[REASON_MAX]; /* what was told last */
	struct fieldway_watch *watch;
	struct fieldway_timer *retry, *idle, *answer;

	struct pending writes[STREAM_WRITES_MAX];
	size_t n_writes;
	bool writing;	    /* the first of them is under way */
	uint64_t quiet_usec; /* until then the answer to a write that was given up may still come */
	size_t sent;	    /* of its bytes */
	struct fieldway_value encoded;
	struct conversation conversation;
};

/* The port is closed, what it still holds dropped, and opened again later. -ETIMEDOUT: it takes nothing any more. */
void stream_lost(struct fieldway_session *s, int error);

/* Of the session's text, in frames of the longest kind. */
#define STREAM_TEXT_FRAMES 4u
/* What a device wants to hear once the port is open. */
void stream_hello(struct fieldway_session *s, const struct fieldway_driver *d);

/* What has come. */
void input_bytes(struct fieldway_session *s, const uint8_t *bytes, size_t size);
void input_idle(struct fieldway_session *s);
void input_reset(struct fieldway_session *s);

/* Begins what can be begun, goes on with what can go on. */
void output_run(struct fieldway_session *s);
/* A frame of a device: true when it was the answer to a write. */
bool output_frame(struct fieldway_session *s, const struct fieldway_driver *d, const struct frame *frame,
		  uint64_t boottime_usec);
void output_silence(struct fieldway_session *s);
/* The one at that place ends: as unknown if it was sent. */
void output_end(struct fieldway_session *s, size_t place, int error, const char *detail);
/* All writes end: the one that was sent as unknown. */
void output_fail(struct fieldway_session *s, int error, const char *detail);
