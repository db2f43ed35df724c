/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cutting a stream of bytes into frames. Knows no clock: who reads tells it when the line was idle. */

#define FRAME_DELIMITER_MAX 16u
#define FRAME_MAX 65536u /* bytes of one frame, at most */
#define FRAME_DEFAULT_MAX 1024

struct frame_delimiter {
	uint8_t bytes[FRAME_DELIMITER_MAX];
	size_t size; /* 0: none */
};

/*
 * How a frame ends: by `end` (and so many bytes of tail behind it), by a length
 * in it, by a fixed size, or else only by an idle line. With `start` all before
 * it is noise.
 */
struct frame_spec {
	struct frame_delimiter start, end;
	uint32_t tail; /* bytes behind the end delimiter that belong to the frame */
	struct {
		uint32_t at;   /* offset from the frame's first byte */
		uint32_t size; /* 1, 2 or 4 bytes; 0: no length field */
		bool little;
		int32_t adds;  /* the frame's size is the number plus this */
	} length;
	uint32_t fixed;	    /* size, 0: none */
	uint64_t idle_usec; /* silence that ends a frame, or spoils half of one; 0: never */
	uint32_t max;
};

struct frame {
	const uint8_t *raw; /* as on the wire; valid until the framer is used again */
	size_t size;
	const uint8_t *content; /* without start, end and tail; of other frames than delimited ones all of it */
	size_t content_size;
};

struct framer;

/* spec must outlive the framer. 0 or -ENOMEM. */
int framer_new(const struct frame_spec *spec, struct framer **ret);
/* Another specification that says the same. */
void framer_follow(struct framer *f, const struct frame_spec *spec);
struct framer *framer_free(struct framer *f);
/* Forgets all bytes, keeps the counters. */
void framer_reset(struct framer *f);

/*
 * Takes bytes in, as many as there is room for (at least one when framer_next()
 * has just returned false); returns how many.
 */
size_t framer_push(struct framer *f, const uint8_t *bytes, size_t size);

/* The next whole frame. The one before is gone with that. */
bool framer_next(struct framer *f, struct frame *ret);

/* The line was idle: what is there is a frame, if only that ends frames, else lost. */
void framer_idle(struct framer *f);

/* The last frame was none (its checksum was wrong): look for one inside of it, where that makes sense. */
void framer_reject(struct framer *f);

/* Are there bytes that wait for more? */
bool framer_is_waiting(const struct framer *f);

struct framer_counters {
	uint64_t noise;	   /* bytes between frames */
	uint64_t oversize; /* frames over the limit */
	uint64_t halves;   /* cut off by silence */
};
const struct framer_counters *framer_counters(const struct framer *f);
