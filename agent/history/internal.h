/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by the .c files of history/. */

#include "base/list.h"
#include "base/timer.h"
#include "history/entry.h"
#include "history/file.h"
#include "history/history.h"
#include "history/writer.h"

struct segment {
	struct list list;    /* history.segments, ascending by ids */
	uint64_t first_id;   /* it is named by this */
	uint64_t last_id;
	struct buf data;     /* entries; empty with loaded false: they are in the file only */
	size_t size;	     /* bytes of entries, loaded or not */
	bool read;	     /* what it has is known */
	bool loaded;
	bool foreign_boot;   /* ENTRY_RECORD_BOOT of it have lost their times */
	bool writing;	     /* the writer has a job of it */
	size_t saved;	     /* bytes of entries in the file */
	size_t writing_size; /* the same when the job is done */
	uint64_t file_size, writing_file_size; /* 0: there is none */
	uint64_t waiting;
	uint64_t oldest_msec, newest_msec; /* wall clock; 0: not known */
	uint64_t used;	     /* stamp of the last look at it */
	uint8_t level, boot_id[BOOT_ID_SIZE];
	/* Whose values it may have, a bit for some of the queues each; kept while it is not loaded. NULL: anybody's. */
	uint64_t *queues;
	uint32_t n_queue_bits;
	struct entry_cursor at; /* behind its last entry */
	uint32_t n_series;
	uint64_t born_usec;  /* monotonic */
};

/* Values of one path for one account. */
struct series {
	struct series *next;
	struct history_queue *queue;
	struct path path;
	uint64_t declared_in; /* stamp of the segment being written that has it, as number: */
	uint32_t number;
	uint64_t merged_in;  /* stamp of the merge that has given it this number, and seen so many of it: */
	uint32_t merged_number, merged;
};

struct history_queue {
	struct history *history;
	struct series *series;
	uint64_t taken; /* the id of the last one that the server has */
	uint64_t waiting;
	uint32_t number; /* among all queues, for the bits of segments */
	uint16_t short_id;
	char name[];
};

struct history {
	struct history_limits limits;
	const struct history_ops *ops;
	void *userdata;
	struct timers *timers;
	int folder;
	struct history_writer *writer; /* NULL: memory only */
	void *queues; /* tree */
	uint32_t n_queues;
	struct list segments;
	struct segment *open; /* the last one, which grows; NULL: none */
	uint64_t open_stamp;
	uint64_t next_id, stamp;
	size_t memory_bytes;
	uint64_t disk_bytes, lost;
	uint8_t boot_id[BOOT_ID_SIZE];
	struct timer flush, load;
	uint64_t told_lost;
	bool read, taken_changed;
	int disk_error;
};

/* segment.c */
struct segment *segment_new(struct history *h, uint64_t first_id);
/* Takes it out of the log, with its file. Its values are nobody's concern any more. */
struct segment *segment_remove(struct history *h, struct segment *s);
void segment_file_name(const struct segment *s, char ret[32]);
/* Its entries are in memory then. */
int segment_load(struct history *h, struct segment *s);
/* They are not. */
void segment_unload(struct history *h, struct segment *s);
/* The buffer has grown or shrunk from this. */
void segment_account(struct history *h, const struct segment *s, size_t before);
/*
 * Its records in order; series is NULL where that is not of `only` (NULL: all are known).
 * f returns 0 to go on; else that is returned. -EBADMSG: the rest of it is damaged.
 */
typedef int (*segment_visitor)(void *userdata, struct segment *s, const struct history_entry *record, struct series *series);
int segment_walk(struct history *h, struct segment *s, struct history_queue *only, segment_visitor f, void *userdata);
/* Goes to the writer, where its file does not have all of it. -EBUSY: later. */
int segment_save(struct history *h, struct segment *s);
bool segment_is_saved(const struct segment *s);
/* From when it has nothing, and each queue that it has something of is noted, it is known whose values it has. */
void segment_begin_queues(const struct history *h, struct segment *s);
/* It may have something of any. */
void segment_forget_queues(struct segment *s);
void segment_note_queue(struct segment *s, const struct history_queue *q);
/* False: surely nothing. */
bool segment_may_have(const struct segment *s, const struct history_queue *q);
/* It has what the other one has, too. */
void segment_join_queues(struct segment *s, const struct segment *other);
/* How large segments become before the next one begins. */
size_t segment_size(const struct history *h);
/* What a record says of the segment that it is put into. */
void segment_note_record(struct segment *s, const struct history_entry *record);

/* queue.c */
struct history_queue *queue_find(struct history *h, struct span name, uint16_t short_id);
void queues_free(struct history *h);
/* NULL without memory. */
struct series *queue_series(struct history_queue *q, const struct path *path);
static inline bool record_waits(const struct segment *s, const struct history_entry *record, const struct series *series)
{
	return series && record->id > series->queue->taken && !(record->kind == ENTRY_RECORD_BOOT && s->foreign_boot);
}
void history_seal(struct history *h);

/* bound.c: what is too much goes */
void history_bound(struct history *h);
void history_expire(struct history *h);

/* kept.c: what the disk has from before, and how far queues have been taken */
int kept_find(struct history *h);
void kept_load(struct timer *timer, void *userdata);
int kept_save_taken(struct history *h);
