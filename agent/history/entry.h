/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/path.h"
#include "model/value.h"

/*
 * The bytes of a segment: entries, one after the other. A series says once whose
 * values those of a number are; a record is one of them, with its time. Numbers
 * and times are written as differences to the record before, so one of a counter
 * takes about ten bytes. Pure.
 */
enum entry_kind {
	ENTRY_SERIES = 1,
	ENTRY_RECORD = 2, /* its time is that of the wall clock */
	ENTRY_RECORD_BOOT = 3, /* the wall clock was not set: its time counts from the boot */
};

#define ENTRY_NAME_MAX 1024u

struct history_entry {
	enum entry_kind kind;
	uint32_t series; /* its number in the segment */
	/* ENTRY_SERIES */
	uint16_t short_id;
	struct path path;
	struct span name; /* of the endpoint; in the segment's bytes */
	/* Records */
	uint64_t id; /* ascending */
	uint64_t time_msec;
	struct span value; /* for entries_value() */
};

/* Where writing or reading stands. Zero-initialised with id: before the first entry. */
struct entry_cursor {
	uint64_t id, time_msec;
};

/* -ENOMEM, -EFBIG over the buffer's limit; out is as before then. */
int entries_put_series(struct buf *out, uint32_t series, uint16_t short_id, const struct path *path,
		     const char *name);
/* id is larger than that of the record before. */
int entries_put_record(struct buf *out, struct entry_cursor *at, enum entry_kind kind, uint32_t series, uint64_t id,
		     uint64_t time_msec, const struct value *value);
/* The same of a record that was read, its value as it is. */
int entries_put_again(struct buf *out, struct entry_cursor *at, uint32_t series, const struct history_entry *record);

/* 1: an entry; 0: there is none any more; -EBADMSG. */
int entries_next(struct span *in, struct entry_cursor *at, struct history_entry *ret);
/* A copy. -ENOMEM, -EBADMSG. */
int entries_value(const struct history_entry *record, struct value *ret);
