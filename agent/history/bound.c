/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "history/internal.h"

/* Where the bounds are: what goes then. */

/* ---- one segment goes ---- */

static int lose_record(void *userdata, struct segment *s, const struct history_entry *record, struct series *series)
{
	struct history *h = userdata;

	if (!record_waits(s, record, series))
		return 0;
	series->queue->waiting -= MIN(series->queue->waiting, UINT64_C(1));
	h->lost++;
	return 0;
}

static void lose(struct history *h, struct segment *s)
{
	segment_walk(h, s, NULL, lose_record, h);
	segment_remove(h, s);
}

/* ---- two become one ---- */

struct merge {
	struct segment *to;
	uint64_t stamp;
	struct history_queue **losers; /* of each value that goes, its queue */
	size_t n_losers, allocated;
};

static int merge_lose(struct merge *m, struct history_queue *q)
{
	struct history_queue **items;

	if (m->n_losers == m->allocated) {
		items = reallocarray(m->losers, m->allocated * 2 + 64, sizeof(*items));
		if (!items)
			return -ENOMEM;
		m->losers = items;
		m->allocated = m->allocated * 2 + 64;
	}
	m->losers[m->n_losers++] = q;
	return 0;
}


static int merge_record(void *userdata, struct segment *from, const struct history_entry *record, struct series *series)
{
	struct merge *m = userdata;
	struct segment *to = m->to;
	int r;

	if (!record_waits(from, record, series))
		return 0;
	if (series->merged_in != m->stamp) {
		series->merged_in = m->stamp;
		series->merged_number = to->n_series++;
		series->merged = 0;
		r = entries_put_series(&to->data, series->merged_number, series->queue->short_id, &series->path,
				     series->queue->name);
		if (r < 0)
			return r;
	}
	if (series->merged++ & 1)
		return merge_lose(m, series->queue);
	r = entries_put_again(&to->data, &to->at, series->merged_number, record);
	if (r < 0)
		return r;
	segment_note_record(to, record);
	to->waiting++;
	return 0;
}

static void merge_done(struct merge *m)
{
	free(m->losers);
	buf_done(&m->to->data);
	free(m->to);
}

/* The first one of the log has all then that is left of both. */
static int adopt(struct history *h, struct segment *a, struct segment *b, struct merge *m)
{
	const bool on_disk = a->file_size > 0;
	_cleanup_buf_ struct buf bytes = { 0 };
	struct segment *to = m->to;
	struct file_head head = { .first_id = a->first_id, .level = (uint8_t)(MAX(a->level, b->level) + 1) };
	char name[32];
	int r = 0;

	memcpy(head.boot_id, a->boot_id, sizeof(head.boot_id));
	if (on_disk) {
		segment_file_name(a, name);
		r = file_put_head(&bytes, &head);
		if (r >= 0)
			r = file_put_frame(&bytes, span_of(to->data.data, to->data.size));
		to->file_size = bytes.size;
		if (r >= 0)
			r = history_writer_replace(h->writer, name, &bytes, a->first_id);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < m->n_losers; i++)
		m->losers[i]->waiting -= MIN(m->losers[i]->waiting, UINT64_C(1));
	h->lost += m->n_losers;
	segment_join_queues(a, b);
	segment_remove(h, b);
	segment_unload(h, a);
	a->data = to->data;
	to->data = (struct buf){ 0 };
	segment_account(h, a, 0);
	a->loaded = true;
	a->size = a->data.size;
	a->last_id = to->last_id;
	a->waiting = to->waiting;
	a->oldest_msec = to->oldest_msec;
	a->newest_msec = to->newest_msec;
	a->level = head.level;
	if (on_disk) {
		h->disk_bytes += to->file_size - a->file_size;
		a->file_size = a->writing_file_size = to->file_size;
		a->saved = a->writing_size = a->size;
		a->writing = true;
	} else {
		a->saved = 0;
	}
	return 0;
}

/* -ENODATA: it would not be much less. */
static int thin(struct history *h, struct segment *a, struct segment *b)
{
	struct merge m = { .to = segment_new(h, a->first_id), .stamp = ++h->stamp };
	int r;

	if (!m.to)
		return -ENOMEM;
	r = segment_walk(h, a, NULL, merge_record, &m);
	if (r >= 0)
		r = segment_walk(h, b, NULL, merge_record, &m);
	if (r >= 0 && (m.to->waiting == 0 || m.to->data.size > (a->size + b->size) / 4 * 3))
		r = -ENODATA;
	if (r >= 0)
		r = adopt(h, a, b, &m);
	merge_done(&m);
	return r;
}

/* ---- which ---- */

/* Of the disk those whose file is whole, of memory those that have none. */
static bool may_go(const struct history *h, const struct segment *s, bool on_disk)
{
	return s != h->open && s->read && !s->writing && (on_disk ? s->file_size > 0 : s->file_size == 0);
}

/* Values of different boots count their times from different ones. */
static bool fit(const struct segment *a, const struct segment *b)
{
	return a->foreign_boot == b->foreign_boot && memcmp(a->boot_id, b->boot_id, sizeof(a->boot_id)) == 0;
}

static bool thin_some(struct history *h, bool on_disk)
{
	struct segment *s, *next, *best = NULL, *best_next = NULL;

	list_for_each(s, &h->segments, list) {
		if (s->list.next == &h->segments)
			break;
		next = list_entry(s->list.next, struct segment, list);
		if (!may_go(h, s, on_disk) || !may_go(h, next, on_disk) || !fit(s, next))
			continue;
		if (!best || MAX(s->level, next->level) < MAX(best->level, best_next->level)) {
			best = s;
			best_next = next;
		}
	}
	return best && best->level < UINT8_MAX && thin(h, best, best_next) >= 0;
}

static bool lose_oldest(struct history *h, bool on_disk)
{
	struct segment *s;

	list_for_each(s, &h->segments, list)
		if (may_go(h, s, on_disk)) {
			lose(h, s);
			return true;
		}
	return false;
}

static bool reduce(struct history *h, bool on_disk)
{
	if (h->limits.thin && !(on_disk && h->limits.disk == 0) && thin_some(h, on_disk))
		return true;
	return lose_oldest(h, on_disk);
}

/* What the disk has, too, and was looked at longest ago. */
static bool unload_one(struct history *h)
{
	struct segment *s, *best = NULL;

	list_for_each(s, &h->segments, list)
		if (s != h->open && s->loaded && s->read && segment_is_saved(s) && (!best || s->used < best->used))
			best = s;
	if (best)
		segment_unload(h, best);
	return best;
}

/* ---- what the writer has done ---- */

static void tell_disk(struct history *h, int error)
{
	if ((error < 0) == (h->disk_error < 0))
		return;
	h->disk_error = error;
	h->ops->disk(h->userdata, error);
}

static void written(void *userdata, uint64_t tag, int r)
{
	struct history *h = userdata;
	struct segment *s;

	tell_disk(h, r);
	list_for_each(s, &h->segments, list) {
		if (s->first_id != tag || !s->writing)
			continue;
		s->writing = false;
		if (r >= 0) {
			h->disk_bytes += s->writing_file_size - s->file_size;
			s->file_size = s->writing_file_size;
			s->saved = s->writing_size;
		} else if (s->saved == s->writing_size) {
			/* What was to replace it is only here. */
			h->disk_bytes -= s->file_size;
			s->file_size = 0;
			s->saved = 0;
		}
		return;
	}
}

static void tell_lost(struct history *h)
{
	if (h->told_lost == h->lost)
		return;
	h->told_lost = h->lost;
	h->ops->lost(h->userdata, h->lost);
}

void history_bound(struct history *h)
{
	if (h->writer)
		history_writer_reap(h->writer, written, h);
	while (h->disk_bytes > h->limits.disk && reduce(h, true))
		continue;
	while (h->memory_bytes > h->limits.memory && (unload_one(h) || reduce(h, false)))
		continue;
	tell_lost(h);
}

void history_expire(struct history *h)
{
	const uint64_t now_msec = clock_realtime_usec() / USEC_PER_MSEC, keep_msec = h->limits.keep_usec / USEC_PER_MSEC;
	struct segment *s;

	if (!clock_realtime_is_plausible())
		return;
	list_for_each(s, &h->segments, list)
		if (s != h->open && s->read && !s->writing && s->newest_msec > 0 &&
		    usec_add(s->newest_msec, keep_msec) < now_msec)
			lose(h, s);
	tell_lost(h);
}
