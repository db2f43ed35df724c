/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macro.h"
#include "state/state.h"

/*
 * The thread that writes, and the records that wait for it, at most one for
 * each file. Files go in the order of their first save; a batch shares one
 * fsync of the folder.
 */
struct state_writer;

#define STATE_BATCH_MAX 64u

/* The descriptors of the folders stay the caller's. notify_fd: an eventfd that is written when an outcome or a result changes. */
int state_writer_new(int records, int temporary, int notify_fd, struct state_writer **ret);
/* Writes what waits, once, and stops. */
struct state_writer *state_writer_free(struct state_writer *w);

/* data NULL: remove the file. ret_save: for state_writer_result(), or NULL. -ENOMEM, -ENOBUFS. */
int state_writer_put(struct state_writer *w, const char *file, const void *data, size_t size, uint64_t *ret_save);
/* What became of this save of the file, or of a later one in its place: 1 it waits; 0 it is on the disk; an errno, -ENOMEM. */
int state_writer_result(struct state_writer *w, const char *file, uint64_t save);
/*
 * What is put between these two is written together (journal.h), and nothing is
 * written meanwhile; they may be nested. One that waits already is written with what it was
 * put with, too. At most STATE_BATCH_MAX, else each alone. As long as those of a
 * journal cannot all be written it stays, and no other group is written.
 */
void state_writer_begin(struct state_writer *w);
/* Before the end: what was put since is what the journal on the disk says. */
void state_writer_adopt(struct state_writer *w);
void state_writer_end(struct state_writer *w);
/* What waits for a file: 1 appended to ret, 0 nothing waits, -ENOENT when its removal does. */
int state_writer_peek(struct state_writer *w, const char *file, struct buf *ret);
/* Appends the files that wait to be written, each with its NUL. -ENOMEM. */
int state_writer_list(struct state_writer *w, struct buf *ret);
int state_writer_flush(struct state_writer *w);
/* What could not be written is tried again. */
void state_writer_retry(struct state_writer *w);

struct state_outcome {
	unsigned failed; /* since the last call */
	int error;	 /* of the first of them */
	bool recovered;	 /* the last failed record was written now */
};
void state_writer_take_outcome(struct state_writer *w, struct state_outcome *ret);
void state_writer_get_statistics(struct state_writer *w, struct state_statistics *ret);
