/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

/*
 * Several records that are written together: they stand in one file among the
 * records before the first of them is touched, until the last is on the disk. What
 * a power cut interrupts is done again at the next start. Its name is no record's.
 */
#define STATE_JOURNAL "journal"

struct state_change {
	const char *file;
	const uint8_t *data; /* NULL: it is removed */
	size_t size;
};

/* Appends the content of a journal. -ENOMEM. */
int state_journal_format(const struct state_change *changes, size_t n, struct buf *ret);
/* Calls f for each change; it returns 0 to go on. -EBADMSG. */
int state_journal_parse(struct span content, int (*f)(void *userdata, const struct state_change *change), void *userdata);

/* Below folders that are open. It is on the disk afterwards. errno, -EFBIG: over what a record may have. */
int state_journal_write(int temporary, int records, const struct state_change *changes, size_t n);
/*
 * What it says is done, and it is gone. 0: there is none; 1; -EBADMSG, -EPROTO: it
 * is of no use, and stays; errno: likewise, or not all of it could be done, then its
 * content is appended to ret.
 */
int state_journal_replay(int temporary, int records, struct buf *ret);
/* Its records are on the disk. errno. */
int state_journal_remove(int records);
