/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Writes segments in a thread of its own: the loop never waits for a disk. What it
 * is given is done in that order.
 */
struct history_writer;

/* What waits or is being written; more is refused, so a disk that hangs costs no more memory. */
#define WRITER_BYTES_MAX (1u << 20)

/* folder: a descriptor that outlives it. */
int history_writer_new(int folder, struct history_writer **ret);
/* Does first what waits. */
struct history_writer *history_writer_free(struct history_writer *w);

/* How something ended: r is 0, or the errno of the file system. */
typedef void (*history_written)(void *userdata, uint64_t tag, int r);

/*
 * Bytes at an offset of a file, which is made when it is 0; the disk has them when it is
 * done, and the file none behind them. Takes the buffer over when it
 * returns 0. -EBUSY: too much waits.
 */
int history_writer_append(struct history_writer *w, const char *name, uint64_t offset, struct buf *bytes, uint64_t tag);
/* The file has these bytes, or those of before, whatever happens. Likewise. */
int history_writer_replace(struct history_writer *w, const char *name, struct buf *bytes, uint64_t tag);
/* There is no such file. Never refused but by -ENOMEM. */
int history_writer_remove(struct history_writer *w, const char *name);

/* Tells what has ended since the last call, in order; removals are not told. */
void history_writer_reap(struct history_writer *w, history_written f, void *userdata);
/* Waits until all is done. */
void history_writer_wait(struct history_writer *w);
