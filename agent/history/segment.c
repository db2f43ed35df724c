/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "history/internal.h"

void segment_file_name(const struct segment *s, char ret[32])
{
	snprintf(ret, 32, "%016" PRIx64 ".segment", s->first_id);
}

size_t segment_size(const struct history *h)
{
	return MIN(h->limits.memory / 16, (size_t)SEGMENT_SIZE_MAX);
}

struct segment *segment_new(struct history *h, uint64_t first_id)
{
	struct segment *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	list_init(&s->list);
	s->first_id = first_id;
	s->last_id = first_id - 1;
	s->at.id = first_id - 1;
	s->read = s->loaded = true;
	memcpy(s->boot_id, h->boot_id, sizeof(s->boot_id));
	s->born_usec = clock_monotonic_usec();
	s->used = ++h->stamp;
	return s;
}

struct segment *segment_remove(struct history *h, struct segment *s)
{
	char name[32];

	if ((s->file_size > 0 || s->writing) && h->writer) {
		segment_file_name(s, name);
		history_writer_remove(h->writer, name);
	}
	if (h->open == s)
		h->open = NULL;
	h->disk_bytes -= s->file_size;
	h->memory_bytes -= s->data.allocated;
	list_remove(&s->list);
	buf_done(&s->data);
	free(s->queues);
	free(s);
	return NULL;
}

/* ---- whose values it has ---- */

/* So many bytes of a segment for each bit: hardly more series fit into it. */
#define QUEUE_BIT_BYTES 8u

static size_t queue_words(const struct segment *s)
{
	return ((size_t)s->n_queue_bits + 63) / 64;
}

void segment_begin_queues(const struct history *h, struct segment *s)
{
	free(s->queues);
	s->n_queue_bits = (uint32_t)(segment_size(h) / QUEUE_BIT_BYTES);
	s->queues = calloc(queue_words(s), sizeof(*s->queues));
}

void segment_forget_queues(struct segment *s)
{
	free(s->queues);
	s->queues = NULL;
}

void segment_note_queue(struct segment *s, const struct history_queue *q)
{
	uint32_t bit;

	if (!s->queues)
		return;
	bit = q->number % s->n_queue_bits;
	s->queues[bit / 64] |= UINT64_C(1) << bit % 64;
}

bool segment_may_have(const struct segment *s, const struct history_queue *q)
{
	uint32_t bit;

	if (!s->queues)
		return true;
	bit = q->number % s->n_queue_bits;
	return s->queues[bit / 64] >> bit % 64 & 1;
}

void segment_join_queues(struct segment *s, const struct segment *other)
{
	if (!s->queues)
		return;
	if (!other->queues || other->n_queue_bits != s->n_queue_bits) {
		segment_forget_queues(s);
		return;
	}
	for (size_t i = 0; i < queue_words(s); i++)
		s->queues[i] |= other->queues[i];
}

void segment_account(struct history *h, const struct segment *s, size_t before)
{
	h->memory_bytes += s->data.allocated - before;
}

void segment_unload(struct history *h, struct segment *s)
{
	h->memory_bytes -= s->data.allocated;
	buf_done(&s->data);
	s->loaded = false;
}

int segment_load(struct history *h, struct segment *s)
{
	_cleanup_buf_ struct buf data = { 0 };
	struct file_head head;
	char name[32];
	int r;

	s->used = ++h->stamp;
	if (s->loaded)
		return 0;
	segment_file_name(s, name);
	r = file_read(h->folder, name, &head, &data);
	if (r > 0 && s->read && data.size < s->size)
		h->ops->damaged(h->userdata, name);
	if (r < 0)
		return r;
	s->data = data;
	data = (struct buf){ 0 };
	/* Less than there was, when it is damaged. */
	s->size = s->saved = s->data.size;
	s->loaded = true;
	segment_account(h, s, 0);
	return 0;
}

/* ---- its records ---- */

struct known {
	struct series **items;
	uint32_t n;
};

static int known_set(struct known *k, uint32_t number, struct series *series)
{
	uint32_t n = MAX(k->n, number + 1);
	struct series **items;

	/* They are numbered on, but by what was lost between them. */
	if (number > SEGMENT_SIZE_MAX)
		return -EBADMSG;
	if (n > k->n) {
		n = MAX(n, k->n * 2 + 16);
		items = realloc(k->items, n * sizeof(*items));
		if (!items)
			return -ENOMEM;
		memset(items + k->n, 0, (n - k->n) * sizeof(*items));
		*k = (struct known){ .items = items, .n = n };
	}
	k->items[number] = series;
	return 0;
}

static int know(struct history *h, struct known *k, const struct history_entry *e, struct history_queue *only)
{
	struct history_queue *q = only;
	struct series *series;

	if (!only)
		q = queue_find(h, e->name, e->short_id);
	else if (e->short_id != q->short_id || e->name.n != strlen(q->name) || memcmp(e->name.p, q->name, e->name.n) != 0)
		return known_set(k, e->series, NULL);
	series = q ? queue_series(q, &e->path) : NULL;
	return series ? known_set(k, e->series, series) : -ENOMEM;
}

int segment_walk(struct history *h, struct segment *s, struct history_queue *only, segment_visitor f, void *userdata)
{
	struct entry_cursor at = { .id = s->first_id - 1 };
	struct known known = { 0 };
	struct span in;
	struct history_entry e;
	int r = segment_load(h, s);

	in = span_of(s->data.data, s->data.size);
	while (r >= 0 && (r = entries_next(&in, &at, &e)) > 0) {
		if (e.kind == ENTRY_SERIES)
			r = know(h, &known, &e, only);
		else
			r = f(userdata, s, &e, e.series < known.n ? known.items[e.series] : NULL);
		if (r != 0)
			break;
	}
	free(known.items);
	return r;
}

void segment_note_record(struct segment *s, const struct history_entry *record)
{
	s->last_id = record->id;
	if (record->kind != ENTRY_RECORD)
		return;
	if (s->oldest_msec == 0 || record->time_msec < s->oldest_msec)
		s->oldest_msec = record->time_msec;
	s->newest_msec = MAX(s->newest_msec, record->time_msec);
}

/* ---- to the disk ---- */

bool segment_is_saved(const struct segment *s)
{
	return s->file_size > 0 && s->saved == s->size && !s->writing;
}

int segment_save(struct history *h, struct segment *s)
{
	struct file_head head = { .first_id = s->first_id, .level = s->level };
	_cleanup_buf_ struct buf bytes = { 0 };
	char name[32];
	int r = 0;

	if (!h->writer || h->limits.disk == 0 || s->writing || !s->loaded || s->saved == s->data.size)
		return 0;
	memcpy(head.boot_id, s->boot_id, sizeof(head.boot_id));
	if (s->file_size == 0)
		r = file_put_head(&bytes, &head);
	if (r >= 0)
		r = file_put_frame(&bytes, span_of(s->data.data + s->saved, s->data.size - s->saved));
	if (r < 0)
		return r;
	segment_file_name(s, name);
	s->writing_file_size = s->file_size + bytes.size;
	r = history_writer_append(h->writer, name, s->file_size, &bytes, s->first_id);
	if (r < 0)
		return r;
	s->writing = true;
	s->writing_size = s->data.size;
	return 0;
}
