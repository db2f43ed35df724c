/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * The device side of a recording (link/recording.h): what it answers to each
 * request that was recorded, in order, again and again; or, where nothing was
 * sent, what it says by itself and when. Modbus TCP, where every request is a
 * frame of it, is known by its bytes: answers then bear the transaction of
 * whoever asks (Modbus Messaging on TCP/IP V1.0b, 3.1.3).
 */
struct script_exchange {
	struct buf request;
	struct buf *answers; /* an empty one: the device was silent */
	size_t n, allocated, next;
};

struct script_word {
	uint64_t usec; /* since the first one */
	struct buf bytes;
};

struct script {
	struct script_exchange *exchanges;
	size_t n_exchanges, allocated_exchanges;
	struct script_word *words; /* only without exchanges */
	size_t n_words, allocated_words;
	bool mbap;
};

#define SCRIPT_BYTES_MAX (64u << 20) /* of a recording: no more is recorded */
#define SCRIPT_REQUEST_MAX 65536u    /* bytes that wait to be understood */

/*
 * text: a whole recording; line: the port or connection that is wanted, NULL:
 * the only one. 0; -EINVAL with the number of the line and what is wrong with it
 * (0: the whole; text lives as long as the program), -ENOMEM.
 */
int script_read(const char *text, size_t size, const char *line, struct script *ret,
		unsigned *ret_line, const char **ret_wrong);
void script_done(struct script *s);
#define _cleanup_script_ _cleanup_(script_done)

enum script_outcome {
	SCRIPT_MORE,	/* what has come may be the beginning of a request */
	SCRIPT_ANSWER,	/* to what was taken: in *answer, which may be empty */
	SCRIPT_UNKNOWN, /* nobody ever sent what was taken */
};
/*
 * Takes one request from the front of *input; *ret_size: its bytes, which are the
 * caller's to remove. answer is appended to. The outcome, or -ENOMEM.
 */
int script_take(struct script *s, struct span input, struct buf *answer, size_t *ret_size);
