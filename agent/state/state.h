/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macro.h"

struct sd_event;

/*
 * What must survive a restart: one record for each (name, kind), such as the
 * accounts of the endpoint "em1-001". A record is replaced whole or not at
 * all, whatever happens to the machine. Writing is done by one thread of this
 * module; reading is synchronous and for start and reload.
 *
 * The folder (made with mode 0700) has
 *   records/     NAME.KIND, names percent-encoded
 *   temporary/   what is being written; emptied at start
 *   quarantine/  damaged records, the last one of each (name, kind)
 *   records/journal  what is being written together
 * and is locked: a second process gets -EBUSY. What else comes into records/ is
 * seen after the next start.
 *
 * Only for the thread of the loop.
 */
struct state;

/* NAME.KIND must fit into a file name. */
#define STATE_FILE_NAME_MAX 255u
#define STATE_RECORD_MAX (4u << 20)
/* Bytes that wait for the disk; a full disk must not fill the memory. */
#define STATE_PENDING_MAX (128u << 20)

/*
 * Called in the loop when records could not be written: how many since the
 * last call and the errno of the first (positive n, negative error); with
 * (0, 0) when all of them could after all. They are kept, read back by
 * state_load(), and tried again with the next save, at flush, and by state_retry().
 */
typedef void (*state_handler)(unsigned n, int error, void *userdata);

struct state_statistics {
	uint64_t written;   /* records, including removals */
	uint64_t coalesced; /* saves that a later one of the same record replaced */
	uint64_t failed;    /* attempts */
};

/*
 * Makes the folders, empties temporary/, starts the thread. event may be NULL:
 * then the handler is never called. A journal that a full disk does not let be
 * done waits as what was saved does, and is what state_load() reads. -EBUSY: another
 * process has it; errno of the file system.
 */
int state_new(const char *folder, struct sd_event *event, struct state **ret);
/* Writes what waits (see state_flush()), stops the thread. */
struct state *state_free(struct state *s);
DEFINE_FREEP(struct state *, state_free)
void state_set_handler(struct state *s, state_handler handler, void *userdata);

/*
 * Appends the record to ret, also one that still waits to be written. kind is
 * [a-z0-9-]+. -ENOENT; -EBADMSG: it was damaged and lies in quarantine/ now;
 * -EPROTO: written by a later version, likewise; -EINVAL, -ENAMETOOLONG: name
 * or kind; errno of the file system.
 */
int state_load(struct state *s, const char *name, const char *kind, struct buf *ret);
/*
 * For programs beside the one that has the folder: appends a record as it lies on
 * the disk. Errors as above, and nothing is moved or locked.
 */
int state_peek(const char *folder, const char *name, const char *kind, struct buf *ret);
/* Is there one on the disk, whatever is in it? False, too, where it may not be looked for. */
bool state_has(const char *folder, const char *name, const char *kind);
/*
 * Names and kinds of all records, those that wait to be written, too; one may be
 * told of twice, and one whose removal waits is told of still: state_load() knows. f
 * may use the state, and ends it by less than 0, which is returned. -ENOMEM; errno of
 * the file system.
 */
int state_each(struct state *s, int (*f)(void *userdata, const char *name, const char *kind), void *userdata);
/*
 * Queues the record; the bytes are copied. -EFBIG: over STATE_RECORD_MAX;
 * -ENOBUFS: over STATE_PENDING_MAX; -EINVAL, -ENAMETOOLONG, -ENOMEM.
 */
int state_save(struct state *s, const char *name, const char *kind, const void *data, size_t size);
/*
 * The same; and done runs once in the loop, not before this has returned, when the
 * record, or a later one in its place, is on the disk for good: error 0; or could
 * not be written: an errno. Then it is still what state_load() reads, and tried
 * again: whoever does not want that saves what it was before. *ret, which is gone
 * when done runs, is the caller's to cancel, before state_free(). Needs an event
 * loop.
 */
typedef void (*state_done)(void *userdata, int error);
struct state_commit;
int state_commit(struct state *s, const char *name, const char *kind, const void *data, size_t size,
		 state_done done, void *userdata, struct state_commit **ret);
/* done does not run. The record is written all the same. */
struct state_commit *state_commit_cancel(struct state_commit *c);
/* Queues its removal; one that does not exist is no error. */
int state_remove(struct state *s, const char *name, const char *kind);
/*
 * What is saved and removed between these two is in force together, or nothing
 * of it, whatever happens to the machine: up to STATE_GROUP_MAX records that are
 * not larger than STATE_RECORD_MAX together. They may be nested; between them state_flush() would wait for ever.
 */
#define STATE_GROUP_MAX 64u
void state_begin(struct state *s);
void state_end(struct state *s);
/* Waits until everything was tried. 0, or the errno of the first record that could not be written. */
int state_flush(struct state *s);
/* Tries again what could not be written; the handler is told. */
void state_retry(struct state *s);
void state_get_statistics(struct state *s, struct state_statistics *ret);
