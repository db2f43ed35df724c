/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "history/internal.h"

static int queue_compare(const void *a, const void *b)
{
	const struct history_queue *left = a, *right = b;

	if (left->short_id != right->short_id)
		return left->short_id < right->short_id ? -1 : 1;
	return strcmp(left->name, right->name);
}

static struct history_queue *queue_new(struct history *h, struct span name, uint16_t short_id)
{
	struct history_queue *q = calloc(1, sizeof(*q) + name.n + 1);

	if (!q)
		return NULL;
	q->history = h;
	q->short_id = short_id;
	memcpy(q->name, name.p, name.n);
	return q;
}

struct history_queue *queue_find(struct history *h, struct span name, uint16_t short_id)
{
	struct history_queue *q = queue_new(h, name, short_id), **found;

	found = q ? tsearch(q, &h->queues, queue_compare) : NULL;
	if (!found || *found != q)
		free(q);
	else
		q->number = h->n_queues++;
	return found ? *found : NULL;
}

static void queue_free(void *queue)
{
	struct history_queue *q = queue;
	struct series *next;

	for (struct series *s = q->series; s; s = next) {
		next = s->next;
		free(s);
	}
	free(q);
}

void queues_free(struct history *h)
{
	tdestroy(h->queues, queue_free);
	h->queues = NULL;
}

struct series *queue_series(struct history_queue *q, const struct path *path)
{
	struct series *s;

	for (s = q->series; s; s = s->next)
		if (path_equal(&s->path, path))
			return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	*s = (struct series){ .next = q->series, .queue = q, .path = *path };
	q->series = s;
	return s;
}

int history_queue(struct history *h, const char *endpoint, uint16_t short_id, struct history_queue **ret)
{
	struct history_queue *q;

	if (strlen(endpoint) > ENTRY_NAME_MAX)
		return -EINVAL;
	q = queue_find(h, span_of(endpoint, strlen(endpoint)), short_id);
	if (!q)
		return -ENOMEM;
	*ret = q;
	return 0;
}

struct history_queue *history_find(const struct history *h, const char *endpoint, uint16_t short_id)
{
	struct history_queue *key = queue_new(NULL, span_of(endpoint, strlen(endpoint)), short_id);
	struct history_queue *const *found = key ? tfind(key, &h->queues, queue_compare) : NULL;

	free(key);
	return found && (*found)->waiting > 0 ? *found : NULL;
}

uint64_t history_waiting(const struct history_queue *q)
{
	return q->waiting;
}

/* ---- in ---- */

void history_seal(struct history *h)
{
	struct segment *s = h->open;

	if (!s)
		return;
	h->open = NULL;
	if (s->waiting == 0)
		segment_remove(h, s);
	list_for_each(s, &h->segments, list)
		segment_save(h, s);
}

static struct segment *open_segment(struct history *h)
{
	struct segment *s = segment_new(h, h->next_id);

	if (!s)
		return NULL;
	segment_begin_queues(h, s);
	h->open = s;
	h->open_stamp = ++h->stamp;
	list_append(&h->segments, &s->list);
	if (!timer_is_armed(&h->flush))
		timer_arm_in(&h->flush, HISTORY_FLUSH_USEC);
	return s;
}

static int put(struct history *h, struct segment *s, struct series *series, const struct value *value,
	       uint64_t boottime_usec)
{
	struct history_entry record = { .id = h->next_id };
	int r = 0;

	if (clock_realtime_is_plausible()) {
		record.kind = ENTRY_RECORD;
		record.time_msec = clock_realtime_from_boottime(boottime_usec) / USEC_PER_MSEC;
	} else {
		record.kind = ENTRY_RECORD_BOOT;
		record.time_msec = boottime_usec / USEC_PER_MSEC;
	}
	if (series->declared_in != h->open_stamp) {
		r = entries_put_series(&s->data, s->n_series, series->queue->short_id, &series->path,
				     series->queue->name);
		if (r < 0)
			return r;
		segment_note_queue(s, series->queue);
		series->declared_in = h->open_stamp;
		series->number = s->n_series++;
	}
	r = entries_put_record(&s->data, &s->at, record.kind, series->number, record.id, record.time_msec, value);
	if (r < 0)
		return r;
	segment_note_record(s, &record);
	/* Of all before nothing waits, and nobody needs to look there. */
	if (h->read && series->queue->waiting == 0)
		series->queue->taken = record.id - 1;
	h->next_id++;
	s->waiting++;
	series->queue->waiting++;
	return 0;
}

int history_add(struct history_queue *q, const struct path *path, const struct value *value, uint64_t boottime_usec)
{
	struct history *h = q->history;
	struct series *series;
	struct segment *s;
	size_t before;
	int r;

	if ((value->type == VALUE_STRING || value->type == VALUE_CORELNK || value->type == VALUE_OPAQUE) &&
	    value->size > HISTORY_VALUE_MAX)
		return -EFBIG;
	series = queue_series(q, path);
	if (!series)
		return -ENOMEM;
	if (h->open && h->open->data.size >= segment_size(h))
		history_seal(h);
	s = h->open ? h->open : open_segment(h);
	if (!s)
		return -ENOMEM;
	before = s->data.allocated;
	r = put(h, s, series, value, boottime_usec);
	s->size = s->data.size;
	segment_account(h, s, before);
	history_bound(h);
	return r;
}

/* ---- out ---- */

struct peek {
	struct history_batch *batch;
	size_t n, bytes, used;
	uint64_t shift_usec; /* from CLOCK_BOOTTIME to the wall clock */
};

static uint64_t boottime_of(const struct peek *p, const struct history_entry *record)
{
	uint64_t usec = record->time_msec * USEC_PER_MSEC;

	if (record->kind == ENTRY_RECORD)
		usec -= p->shift_usec; /* before the boot, too: it wraps around, and back */
	return usec == 0 ? 1 : usec;
}

static int peek_record(void *userdata, struct segment *s, const struct history_entry *record, struct series *series)
{
	struct peek *p = userdata;
	struct history_batch *batch = p->batch;
	struct value value;
	int r;

	if (!record_waits(s, record, series))
		return 0;
	if (batch->records.n >= p->n || (batch->records.n > 0 && p->used + record->value.n > p->bytes))
		return 1;
	batch->last_id = record->id;
	r = entries_value(record, &value);
	if (r >= 0)
		r = records_add(&batch->records, &series->path, &value, boottime_of(p, record));
	p->used += record->value.n;
	return r;
}

/* Not of what is on the disk. */
static bool is_for_now(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

int history_peek(struct history_queue *q, size_t n, size_t bytes, struct history_batch *ret)
{
	struct history *h = q->history;
	const uint64_t now_usec = clock_boottime_usec();
	struct peek p = { .batch = ret, .n = MIN(n, (size_t)RECORDS_MAX), .bytes = bytes };
	unsigned looked = 0;
	struct segment *s;
	int r = 0;

	*ret = (struct history_batch){ 0 };
	if (!h->read || q->waiting == 0)
		return 0;
	p.shift_usec = clock_realtime_from_boottime(now_usec) - now_usec;
	list_for_each(s, &h->segments, list) {
		if (s->last_id <= q->taken || s->waiting == 0 || !segment_may_have(s, q))
			continue;
		if (ret->records.n > 0 && looked >= HISTORY_PEEK_SEGMENTS_MAX)
			break;
		looked++;
		r = segment_walk(h, s, q, peek_record, &p);
		if (r > 0 || is_for_now(r))
			break;
	}
	if (is_for_now(r)) {
		records_done(&ret->records);
		return r;
	}
	/* What should have been there was damaged. */
	if (ret->last_id == 0) {
		h->lost += q->waiting;
		q->waiting = 0;
	}
	history_bound(h);
	return 0;
}

struct taking {
	uint64_t last_id, n;
};

static int take_record(void *userdata, struct segment *s, const struct history_entry *record, struct series *series)
{
	struct taking *t = userdata;

	if (record->id > t->last_id)
		return 1;
	if (record_waits(s, record, series))
		t->n++;
	return 0;
}

/* So many have waited up to this one. */
static uint64_t pass(struct history_queue *q, uint64_t last_id)
{
	struct history *h = q->history;
	struct taking t = { .last_id = last_id };
	struct segment *s;
	uint64_t n = 0;

	if (last_id <= q->taken)
		return 0;
	list_for_each(s, &h->segments, list) {
		/* What is found there when it is read is not counted. */
		h->taken_changed |= !s->read;
		if (!s->read || s->last_id <= q->taken || s->first_id > last_id || !segment_may_have(s, q))
			continue;
		t.n = 0;
		segment_walk(h, s, q, take_record, &t);
		s->waiting -= MIN(t.n, s->waiting);
		q->waiting -= MIN(t.n, q->waiting);
		n += t.n;
		if (s->file_size > 0 || s->writing)
			h->taken_changed = true;
		if (s->waiting == 0)
			segment_remove(h, s);
	}
	q->taken = last_id;
	return n;
}

void history_taken(struct history_queue *q, uint64_t last_id)
{
	pass(q, last_id);
	history_bound(q->history);
}

void history_give_up(struct history_queue *q, uint64_t last_id)
{
	q->history->lost += pass(q, last_id);
	history_bound(q->history);
}

void history_forget(struct history_queue *q)
{
	history_taken(q, q->history->next_id - 1);
	q->waiting = 0;
}
