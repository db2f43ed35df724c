/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "store/internal.h"

/*
 * A Write from the server side. First everything is checked, then the backed
 * values go out one after the other, then all is committed as one change
 * behind the answer. Shared by write*.c only.
 */
enum mark {
	MARK_SENT = 1, /* the backing accepted it */
	MARK_LOST = 2, /* what it was for went away meanwhile */
	MARK_UNDONE = 4, /* and has the old value again */
	MARK_TORN = 8,	 /* it should have, and has not */
};

struct write {
	struct list list; /* store.writes */
	struct store *store;
	struct path target;
	enum store_write_mode mode;
	struct records records; /* in the definitions' types */
	uint8_t *marks;		/* by record: enum mark, or'ed; NULL: still being checked */
	struct value *former;	/* STORE_PATCH, by record: what it was before; VALUE_NONE: not known */
	size_t at, run; /* run: how many records from `at` on are out */
	unsigned accepted;
	bool calling, waiting;	/* inside a backing's write(); its done is still to come */
	bool undoing;		/* `at` goes back to where it began */
	struct record *old;	/* what is on its way then */
	int error;
	char *reason;
	size_t failed; /* STORE_PATCH: the record that did */
	backing_done done;
	void *userdata;
};

/* write_check.c: fills w->records. An error may have left its reason. */
int write_check(struct write *w, const struct record *records, size_t n);
/* Does the request bring something of this resource of its target? */
bool write_names(const struct write *w, uint16_t resource);
/* Is what it brings of an array all of it? */
bool write_replaces_arrays(const struct write *w);
/* Those of one resource that stand next to each other, from one record on. */
size_t write_run_length(const struct write *w, size_t at);
/* Whether servers' values of a resource go out, and to whom; NULL: it is memory. */
const struct backing *write_backing(const struct write *w, const struct path *path);
const struct store_keeper *write_keeper(const struct write *w, uint16_t object);
/* A record of STORE_PATCH that removes its resource instance. */
bool write_removes(const struct write *w, const struct record *record);

/* write.c: goes on, to the next value or the end. */
void write_step(struct write *w);

/* write_undo.c: of STORE_PATCH */
/* Before a run goes out. */
void undo_remember(struct write *w);
/* One of them failed: the way back begins, by undo_step(). */
void undo_begin(struct write *w);
/* False: the result of one is awaited. */
bool undo_step(struct write *w);
/* The old values are those of the records now, where they are in force again. */
void undo_settle(struct write *w);
/* How it went, as the request's end. */
void undo_explain(struct write *w);
/* Behind the answer, to whom it concerns. */
void undo_tell(struct write *w);
