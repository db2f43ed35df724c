/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "history/internal.h"
#include "state/crc32.h"

/*
 * What is found at start: segments, and in the file "taken" up to where queues have been
 * taken. It is written with the segments; values that servers took after that are sent to
 * them again after a power cut, with the times that they had.
 */
#define TAKEN "taken"
#define TAKEN_SIZE_MAX (16u << 20)

/* ---- how far queues are ---- */

struct saving {
	struct buf *out;
	uint64_t first_id;
	int r;
};

static void save_queue(const void *node, VISIT visit, void *userdata)
{
	const struct history_queue *q = *(const struct history_queue *const *)node;
	const size_t size = strlen(q->name);
	struct saving *s = userdata;

	if ((visit != postorder && visit != leaf) || q->taken < s->first_id || s->r < 0)
		return;
	s->r = buf_append_be(s->out, q->taken, 8);
	if (s->r >= 0)
		s->r = buf_append_be(s->out, q->short_id, 2);
	if (s->r >= 0)
		s->r = buf_append_be(s->out, size, 2);
	if (s->r >= 0)
		s->r = buf_append(s->out, q->name, size);
}

int kept_save_taken(struct history *h)
{
	_cleanup_buf_ struct buf bytes = { 0 };
	struct saving saving = { .out = &bytes, .first_id = 1 };
	int r;

	if (!list_is_empty(&h->segments))
		saving.first_id = list_entry(h->segments.next, struct segment, list)->first_id;
	twalk_r(h->queues, save_queue, &saving);
	r = saving.r;
	if (r >= 0)
		r = buf_append_be(&bytes, crc32_update(0, bytes.data, bytes.size), 4);
	if (r >= 0)
		r = history_writer_replace(h->writer, TAKEN, &bytes, 0);
	if (r >= 0)
		h->taken_changed = false;
	return r;
}

static int load_queues(struct history *h, struct span in)
{
	uint64_t taken, short_id, size;
	struct history_queue *q;
	struct span name;

	while (in.n > 0) {
		if (span_take_be(&in, 8, &taken) < 0 || span_take_be(&in, 2, &short_id) < 0 ||
		    span_take_be(&in, 2, &size) < 0 || span_take(&in, (size_t)size, &name) < 0)
			return -EBADMSG;
		q = queue_find(h, name, (uint16_t)short_id);
		if (!q)
			return -ENOMEM;
		q->taken = taken;
		h->next_id = MAX(h->next_id, taken + 1);
	}
	return 0;
}

static int load_taken(struct history *h)
{
	_cleanup_buf_ struct buf bytes = { 0 };
	struct span in, tail;
	uint64_t crc;
	int r = io_read_file(h->folder, TAKEN, TAKEN_SIZE_MAX, &bytes);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (bytes.size < 4)
		return -EBADMSG;
	in = span_of(bytes.data, bytes.size - 4);
	tail = span_of(bytes.data + in.n, 4);
	span_take_be(&tail, 4, &crc);
	return crc32_update(0, in.p, in.n) == crc ? load_queues(h, in) : -EBADMSG;
}

/* ---- what there is ---- */

static bool parse_name(const char *name, uint64_t *ret)
{
	char *end;

	if (strlen(name) != 16 + strlen(".segment"))
		return false;
	*ret = strtoull(name, &end, 16);
	return end == name + 16 && strcmp(end, ".segment") == 0 && *ret > 0 && *ret <= UINT64_MAX / 2;
}

static int add_found(struct history *h, uint64_t first_id, uint64_t size)
{
	struct segment *s = segment_new(h, first_id), *other;

	if (!s)
		return -ENOMEM;
	s->read = s->loaded = false;
	s->file_size = size;
	s->waiting = 1; /* until it is read */
	h->disk_bytes += size;
	list_append(&h->segments, &s->list);
	/* Names come in any order. */
	while (s->list.prev != &h->segments &&
	       (other = list_entry(s->list.prev, struct segment, list))->first_id > first_id) {
		list_remove(&s->list);
		list_append(&other->list, &s->list);
	}
	return 0;
}

static int find_files(struct history *h, DIR *dir)
{
	struct dirent *entry;
	struct stat st;
	uint64_t id;
	int r = 0;

	while (r >= 0 && (entry = readdir(dir)))
		if (parse_name(entry->d_name, &id) &&
		    fstatat(h->folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			r = add_found(h, id, (uint64_t)st.st_size);
	return r;
}

/* ---- each is read once, one in a turn of the loop ---- */

static int count_record(void *userdata, struct segment *s, const struct history_entry *record, struct series *series)
{
	struct history *h = userdata;

	segment_note_record(s, record);
	/* When that was nobody knows any more. */
	if (record->kind == ENTRY_RECORD_BOOT && s->foreign_boot)
		h->lost++;
	if (!record_waits(s, record, series))
		return 0;
	s->waiting++;
	series->queue->waiting++;
	segment_note_queue(s, series->queue);
	return 0;
}

static int read_segment(struct history *h, struct segment *s)
{
	struct file_head head;
	char name[32];
	int r, walked;

	segment_file_name(s, name);
	r = file_read(h->folder, name, &head, &s->data);
	if (r < 0) {
		h->ops->damaged(h->userdata, name);
		return r;
	}
	s->size = s->saved = s->data.size;
	s->level = head.level;
	memcpy(s->boot_id, head.boot_id, sizeof(s->boot_id));
	s->foreign_boot = memcmp(head.boot_id, h->boot_id, sizeof(h->boot_id)) != 0;
	s->loaded = s->read = true;
	s->waiting = 0;
	segment_account(h, s, 0);
	segment_begin_queues(h, s);
	walked = segment_walk(h, s, NULL, count_record, h);
	/* What was not come to is not noted: any queue may have something there. */
	if (walked < 0 && walked != -EBADMSG)
		segment_forget_queues(s);
	if (walked < 0 || r > 0)
		h->ops->damaged(h->userdata, name);
	return 0;
}

/* A segment that has become one with its neighbour is still there when the power went in between. */
static bool is_double(const struct history *h, const struct segment *s)
{
	return s->list.prev != &h->segments &&
	       list_entry(s->list.prev, struct segment, list)->last_id >= s->first_id;
}

static bool load_one(struct history *h)
{
	struct segment *s;

	list_for_each(s, &h->segments, list) {
		if (s->read)
			continue;
		if (is_double(h, s) || read_segment(h, s) < 0 || s->waiting == 0)
			segment_remove(h, s);
		else
			history_bound(h);
		return true;
	}
	return false;
}

void kept_load(struct timer *timer, void *userdata)
{
	struct history *h = userdata;

	if (load_one(h)) {
		timer_arm_in(timer, 0);
		return;
	}
	h->read = true;
	if (!list_is_empty(&h->segments) && !timer_is_armed(&h->flush))
		timer_arm_in(&h->flush, HISTORY_FLUSH_USEC);
	h->ops->read(h->userdata);
}

/* Numbers go on behind all that were ever given. */
static void number_on(struct history *h)
{
	_cleanup_buf_ struct buf entries = { 0 };
	struct entry_cursor at = { 0 };
	struct segment *last;
	struct file_head head;
	struct span in;
	struct history_entry e;
	char name[32];

	if (list_is_empty(&h->segments))
		return;
	last = list_entry(h->segments.prev, struct segment, list);
	segment_file_name(last, name);
	at.id = last->first_id - 1;
	if (file_read(h->folder, name, &head, &entries) >= 0) {
		in = span_of(entries.data, entries.size);
		while (entries_next(&in, &at, &e) > 0)
			continue;
	}
	/* Of what is damaged some may have been taken by servers. */
	h->next_id = MAX(h->next_id, at.id + 1 + SEGMENT_SIZE_MAX);
}

int kept_find(struct history *h)
{
	DIR *dir;
	int fd = fcntl(h->folder, F_DUPFD_CLOEXEC, 3), r;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	rewinddir(dir);
	r = find_files(h, dir);
	closedir(dir);
	if (r >= 0)
		r = load_taken(h);
	if (r == -EBADMSG) {
		h->ops->damaged(h->userdata, TAKEN);
		r = 0;
	}
	number_on(h);
	return r;
}
