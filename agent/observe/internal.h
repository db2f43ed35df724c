/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by observation.c and stored.c only. */

#include "base/list.h"
#include "base/timer.h"
#include "observe/observation.h"
#include "observe/part.h"

struct entry {
	struct list list;
	struct observation public;
	uint64_t sent_usec, retry_usec;
	uint64_t next_usec;  /* when it may be due without any event */
	uint64_t sampled_usec; /* when a sample was last asked for, as epmax has it */
	bool stirred;	     /* there was an event: next_usec says nothing */
	bool dead; /* removed while all are looked at; freed behind that */
	bool recovered;	     /* was not good at the last look: the first good value goes at once */
	bool detached;	     /* its registration has gone: it only stores, and has no token */
	struct attributes *own; /* public.attributes */
	struct backlog *backlog; /* NULL: nothing is stored */
	struct part parts[]; /* public.n_paths */
};

#define each_part(p, e) (const struct part *p = (e)->parts; p < (e)->parts + (e)->public.n_paths; p++)

struct observations {
	struct observations_config config;
	struct list entries;
	unsigned n, n_paths; /* without those that are detached */
	size_t stored_bytes;
	struct timer timer; /* the earliest moment at which any may be due */
	struct attributes defaults; /* as they were at the last look */
	bool looking, again; /* asked for another look while looking */
	bool away;	     /* the server is: those that are detached go on storing */
};

/* observation.c */
/* A callback may remove any of the entries that are being walked. */
void entry_remove(struct observations *o, struct entry *e);
/* All of it is owed. */
void entry_owe(struct entry *e);

/* stored.c */
void backlog_free(struct observations *o, struct entry *e);
/* What was stored for the same paths under a registration that has gone. */
void backlog_adopt(struct observations *o, struct entry *e);
