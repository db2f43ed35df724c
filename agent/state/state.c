/* SPDX-License-Identifier: Apache-2.0 */
#include "state/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/list.h"
#include "base/str.h"
#include "state/journal.h"
#include "state/presence.h"
#include "state/record.h"
#include "state/writer.h"

struct state {
	int folder, records, temporary, quarantine, notify_fd;
	struct state_writer *writer;
	sd_event_source *source;
	state_handler handler;
	void *userdata;
	struct presence presence; /* of records/ */
	struct list commits;
};

/* Who waits for a record. */
struct state_commit {
	struct list node; /* of state.commits, or of those that are about to be told */
	struct state *state;
	uint64_t save;
	state_done done;
	void *userdata;
	int error;
	char file[];
};

static int open_folder(int at, const char *name)
{
	int fd;

	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A folder that was made is there after a power cut once that it lies in was brought to the disk. */
static int sync_parent(int folder)
{
	_cleanup_close_ int parent = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return parent < 0 || fsync(parent) < 0 ? -errno : 0;
}

/* A crash before the rename leaves its file here; the record as it was stands in records/. */
static int empty_folder(int fd)
{
	struct dirent *entry;
	DIR *dir;
	int copy;

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	dir = fdopendir(copy);
	if (!dir) {
		close(copy);
		return -errno;
	}
	while ((entry = readdir(dir)))
		if (entry->d_type != DT_DIR)
			unlinkat(fd, entry->d_name, 0);
	closedir(dir);
	return 0;
}

/* left: what cannot be done for now. */
static int finish_group(const struct state *s, struct buf *left)
{
	int r = state_journal_replay(s->temporary, s->records, left);

	if (left->size > 0)
		return 0;
	if (r != -EBADMSG && r != -EPROTO)
		return r;
	/* Damaged, or written by a later version: nobody can say what it meant, and the records are as they were. */
	return renameat(s->records, STATE_JOURNAL, s->quarantine, STATE_JOURNAL) < 0 ? -errno : 0;
}

static int keep_change(void *userdata, const struct state_change *change)
{
	struct state *s = userdata;

	presence_add(&s->presence, change->file);
	return state_writer_put(s->writer, change->file, change->data, change->size, NULL);
}

/* The disk is full: the group waits, and all of it is what is read. */
static int keep_group(struct state *s, struct span left)
{
	int r;

	state_writer_begin(s->writer);
	r = state_journal_parse(left, keep_change, s);
	state_writer_adopt(s->writer);
	state_writer_end(s->writer);
	return r;
}

static int open_folders(struct state *s, const char *folder, struct buf *left)
{
	static const char *const names[] = { "records", "temporary", "quarantine" };
	int *const fds[] = { &s->records, &s->temporary, &s->quarantine };
	int r;

	s->folder = open_folder(AT_FDCWD, folder);
	if (s->folder < 0)
		return s->folder;
	/* One that others made may lie where we may not look. */
	r = sync_parent(s->folder);
	if (r < 0 && r != -EACCES)
		return r;
	if (flock(s->folder, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		*fds[i] = open_folder(s->folder, names[i]);
		if (*fds[i] < 0)
			return *fds[i];
	}
	if (fsync(s->folder) < 0)
		return -errno;
	/* First: on a full disk it may be what is in the way. */
	r = empty_folder(s->temporary);
	if (r >= 0)
		r = finish_group(s, left);
	return r < 0 ? r : presence_read(&s->presence, s->records);
}

/* Whoever is told may commit another record, or cancel. */
static void tell_commits(struct state *s)
{
	struct state_commit *c;
	struct list ended;

	list_init(&ended);
	list_for_each(c, &s->commits, node) {
		c->error = state_writer_result(s->writer, c->file, c->save);
		if (c->error > 0)
			continue;
		list_remove(&c->node);
		list_append(&ended, &c->node);
	}
	while (!list_is_empty(&ended)) {
		c = list_entry(ended.next, struct state_commit, node);
		state_done done = c->done;
		void *userdata = c->userdata;
		int error = c->error;

		state_commit_cancel(c);
		done(userdata, error);
	}
}

static int state_dispatch(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct state_outcome outcome;
	struct state *s = userdata;
	ssize_t ignored _unused_;
	uint64_t count;

	ignored = read(fd, &count, sizeof(count));
	state_writer_take_outcome(s->writer, &outcome);
	if (s->handler && outcome.failed > 0)
		s->handler(outcome.failed, outcome.error, s->userdata);
	if (s->handler && outcome.recovered)
		s->handler(0, 0, s->userdata);
	tell_commits(s);
	return 0;
}

static int state_start(struct state *s, const char *folder, sd_event *event)
{
	_cleanup_buf_ struct buf left = { 0 };
	int r;

	r = open_folders(s, folder, &left);
	if (r < 0)
		return r;
	s->notify_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->notify_fd < 0)
		return -errno;
	r = state_writer_new(s->records, s->temporary, s->notify_fd, &s->writer);
	if (r >= 0 && left.size > 0)
		r = keep_group(s, span_of(left.data, left.size));
	if (r < 0 || !event)
		return r;
	return sd_event_add_io(event, &s->source, s->notify_fd, EPOLLIN, state_dispatch, s);
}

int state_new(const char *folder, sd_event *event, struct state **ret)
{
	_cleanup_(state_freep) struct state *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	list_init(&s->commits);
	s->folder = s->records = s->temporary = s->quarantine = s->notify_fd = -1;
	r = state_start(s, folder, event);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(s);
	return 0;
}

struct state *state_free(struct state *s)
{
	if (!s)
		return NULL;
	sd_event_source_disable_unref(s->source);
	state_writer_free(s->writer);
	closep(&s->notify_fd);
	closep(&s->quarantine);
	closep(&s->temporary);
	closep(&s->records);
	closep(&s->folder);
	free(s);
	return NULL;
}

void state_set_handler(struct state *s, state_handler handler, void *userdata)
{
	s->handler = handler;
	s->userdata = userdata;
}

static bool kind_is_valid(const char *kind)
{
	return *kind && kind[strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* NAME.KIND: a kind has no dot, so the last one separates them. */
static int file_name(const char *name, const char *kind, char **ret)
{
	_cleanup_free_ char *encoded = NULL;
	_cleanup_buf_ struct buf b = { .limit = STATE_FILE_NAME_MAX };
	int r;

	if (!*name || !kind_is_valid(kind))
		return -EINVAL;
	encoded = percent_encode(name);
	if (!encoded)
		return -ENOMEM;
	r = buf_printf(&b, "%s.%s", encoded, kind);
	if (r < 0)
		return r == -EFBIG ? -ENAMETOOLONG : r;
	*ret = buf_take_text(&b);
	return *ret ? 0 : -ENOMEM;
}

int state_load(struct state *s, const char *name, const char *kind, struct buf *ret)
{
	_cleanup_free_ char *file = NULL;
	int r;

	r = file_name(name, kind, &file);
	if (r < 0)
		return r;
	r = state_writer_peek(s->writer, file, ret);
	if (r != 0)
		return MIN(r, 0);
	if (!presence_may_have(&s->presence, file))
		return -ENOENT;
	r = state_record_read(s->records, file, ret);
	if (r == -EBADMSG || r == -EPROTO)
		if (renameat(s->records, file, s->quarantine, file) < 0)
			return -errno;
	return r;
}

bool state_has(const char *folder, const char *name, const char *kind)
{
	_cleanup_free_ char *file = NULL, *path = NULL;

	if (file_name(name, kind, &file) < 0)
		return false;
	if (asprintf(&path, "%s/records/%s", folder, file) < 0)
		path = NULL;
	return path && access(path, F_OK) == 0;
}

int state_peek(const char *folder, const char *name, const char *kind, struct buf *ret)
{
	_cleanup_free_ char *file = NULL, *path = NULL;
	_cleanup_close_ int records = -1;
	int r = file_name(name, kind, &file);

	if (r < 0)
		return r;
	if (asprintf(&path, "%s/records", folder) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	records = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return records < 0 ? -errno : state_record_read(records, file, ret);
}

static int add_file(void *userdata, const char *file)
{
	return buf_append(userdata, file, strlen(file) + 1);
}

/* What is no record is not told of. */
static int tell_file(char *file, int (*f)(void *userdata, const char *name, const char *kind), void *userdata)
{
	char *dot = strrchr(file, '.');
	_cleanup_free_ char *name = NULL;
	int r;

	if (!dot || dot == file || !kind_is_valid(dot + 1))
		return 0;
	*dot = '\0';
	r = percent_decode(file, &name);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	return f(userdata, name, dot + 1);
}

int state_each(struct state *s, int (*f)(void *userdata, const char *name, const char *kind), void *userdata)
{
	_cleanup_buf_ struct buf files = { 0 };
	int r;

	/* First those that wait: what is written meanwhile is in the folder. */
	r = state_writer_list(s->writer, &files);
	if (r >= 0)
		r = presence_each(s->records, add_file, &files);
	for (size_t at = 0, size; r >= 0 && at < files.size; at += size) {
		size = strlen((const char *)files.data + at) + 1;
		r = tell_file((char *)files.data + at, f, userdata);
	}
	return MIN(r, 0);
}

static int put(struct state *s, const char *file, const void *data, size_t size, uint64_t *ret_save)
{
	if (size > STATE_RECORD_MAX)
		return -EFBIG;
	presence_add(&s->presence, file);
	return state_writer_put(s->writer, file, size > 0 ? data : "", size, ret_save);
}

int state_save(struct state *s, const char *name, const char *kind, const void *data, size_t size)
{
	_cleanup_free_ char *file = NULL;
	int r = file_name(name, kind, &file);

	return r < 0 ? r : put(s, file, data, size, NULL);
}

int state_commit(struct state *s, const char *name, const char *kind, const void *data, size_t size,
		 state_done done, void *userdata, struct state_commit **ret)
{
	_cleanup_free_ char *file = NULL;
	struct state_commit *c;
	int r = file_name(name, kind, &file);

	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c) + strlen(file) + 1);
	if (!c)
		return -ENOMEM;
	strcpy(c->file, file);
	c->state = s;
	c->done = done;
	c->userdata = userdata;
	list_append(&s->commits, &c->node);
	r = put(s, file, data, size, &c->save);
	if (r < 0)
		state_commit_cancel(c);
	else
		*ret = c;
	return r;
}

struct state_commit *state_commit_cancel(struct state_commit *c)
{
	if (c)
		list_remove(&c->node);
	free(c);
	return NULL;
}

int state_remove(struct state *s, const char *name, const char *kind)
{
	_cleanup_free_ char *file = NULL;
	int r;

	r = file_name(name, kind, &file);
	if (r < 0)
		return r;
	return state_writer_put(s->writer, file, NULL, 0, NULL);
}

void state_begin(struct state *s)
{
	state_writer_begin(s->writer);
}

void state_end(struct state *s)
{
	state_writer_end(s->writer);
}

int state_flush(struct state *s)
{
	return state_writer_flush(s->writer);
}

void state_retry(struct state *s)
{
	state_writer_retry(s->writer);
}

void state_get_statistics(struct state *s, struct state_statistics *ret)
{
	state_writer_get_statistics(s->writer, ret);
}
