/* SPDX-License-Identifier: Apache-2.0 */
#include "history/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/list.h"
#include "base/thread.h"

#define NAME_MAX_SIZE 32u
#define TEMPORARY "new"

enum job_kind {
	JOB_APPEND,
	JOB_REPLACE,
	JOB_REMOVE,
};

struct job {
	struct list list;
	enum job_kind kind;
	char name[NAME_MAX_SIZE];
	uint64_t offset, tag;
	struct buf bytes;
	int r;
};

struct history_writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	int folder;
	/* All below under the lock. */
	struct list waiting, done;
	size_t bytes;
	bool busy, stopping;
};

static struct job *job_free(struct job *j)
{
	list_remove(&j->list);
	buf_done(&j->bytes);
	free(j);
	return NULL;
}

/* ---- what the thread does ---- */

static int write_file(int folder, const char *name, int flags, const struct buf *bytes, uint64_t offset)
{
	_cleanup_close_ int fd = openat(folder, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	int r;

	if (fd < 0)
		return -errno;
	/* What an attempt that failed has left behind it goes. */
	if (ftruncate(fd, (off_t)offset) < 0 || lseek(fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	r = io_write(fd, bytes->data, bytes->size);
	if (r >= 0 && fdatasync(fd) < 0)
		r = -errno;
	return r;
}

static int run_append(const struct history_writer *w, const struct job *j)
{
	int r = write_file(w->folder, j->name, j->offset == 0 ? O_CREAT : 0, &j->bytes, j->offset);

	/* A new name is on the disk with its folder only. */
	if (r >= 0 && j->offset == 0 && fsync(w->folder) < 0)
		r = -errno;
	return r;
}

static int run_replace(const struct history_writer *w, const struct job *j)
{
	int r = write_file(w->folder, TEMPORARY, O_CREAT, &j->bytes, 0);

	if (r >= 0)
		r = io_rename(w->folder, TEMPORARY, j->name);
	if (r < 0)
		unlinkat(w->folder, TEMPORARY, 0);
	return r;
}

static int run(const struct history_writer *w, const struct job *j)
{
	switch (j->kind) {
	case JOB_APPEND:
		return run_append(w, j);
	case JOB_REPLACE:
		return run_replace(w, j);
	case JOB_REMOVE:
		return unlinkat(w->folder, j->name, 0) < 0 ? -errno : 0;
	}
	return -EINVAL;
}

static void settle(struct history_writer *w, struct job *j)
{
	w->bytes -= j->bytes.size;
	if (j->kind == JOB_REMOVE) {
		job_free(j);
		return;
	}
	buf_done(&j->bytes);
	list_append(&w->done, &j->list);
}

static void *writer_thread(void *userdata)
{
	struct history_writer *w = userdata;
	struct job *j;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (list_is_empty(&w->waiting) && !w->stopping)
			pthread_cond_wait(&w->work, &w->lock);
		if (list_is_empty(&w->waiting))
			break;
		j = list_entry(w->waiting.next, struct job, list);
		list_remove(&j->list);
		w->busy = true;
		pthread_mutex_unlock(&w->lock);
		j->r = run(w, j);
		pthread_mutex_lock(&w->lock);
		w->busy = false;
		settle(w, j);
		if (list_is_empty(&w->waiting))
			pthread_cond_broadcast(&w->idle);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- what the loop asks ---- */

static int put(struct history_writer *w, enum job_kind kind, const char *name, uint64_t offset, struct buf *bytes,
	       uint64_t tag)
{
	struct job *j = calloc(1, sizeof(*j));
	int r = 0;

	if (!j)
		return -ENOMEM;
	list_init(&j->list);
	j->kind = kind;
	strncpy(j->name, name, sizeof(j->name) - 1);
	j->offset = offset;
	j->tag = tag;
	pthread_mutex_lock(&w->lock);
	if (bytes && w->bytes > 0 && w->bytes + bytes->size > WRITER_BYTES_MAX) {
		r = -EBUSY;
	} else {
		if (bytes) {
			j->bytes = *bytes;
			*bytes = (struct buf){ 0 };
		}
		w->bytes += j->bytes.size;
		list_append(&w->waiting, &j->list);
		pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->lock);
	if (r < 0)
		job_free(j);
	return r;
}

int history_writer_append(struct history_writer *w, const char *name, uint64_t offset, struct buf *bytes, uint64_t tag)
{
	return put(w, JOB_APPEND, name, offset, bytes, tag);
}

int history_writer_replace(struct history_writer *w, const char *name, struct buf *bytes, uint64_t tag)
{
	return put(w, JOB_REPLACE, name, 0, bytes, tag);
}

int history_writer_remove(struct history_writer *w, const char *name)
{
	return put(w, JOB_REMOVE, name, 0, NULL, 0);
}

void history_writer_reap(struct history_writer *w, history_written f, void *userdata)
{
	struct list done;
	struct job *j;

	list_init(&done);
	pthread_mutex_lock(&w->lock);
	list_move(&w->done, &done);
	pthread_mutex_unlock(&w->lock);
	list_for_each(j, &done, list) {
		f(userdata, j->tag, j->r);
		job_free(j);
	}
}

void history_writer_wait(struct history_writer *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->busy || !list_is_empty(&w->waiting))
		pthread_cond_wait(&w->idle, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

int history_writer_new(int folder, struct history_writer **ret)
{
	struct history_writer *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->folder = folder;
	list_init(&w->waiting);
	list_init(&w->done);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	pthread_cond_init(&w->idle, NULL);
	r = thread_start(&w->thread, NULL, writer_thread, w);
	if (r < 0) {
		free(w);
		return r;
	}
	*ret = w;
	return 0;
}

struct history_writer *history_writer_free(struct history_writer *w)
{
	struct job *j;

	if (!w)
		return NULL;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	list_for_each(j, &w->done, list)
		job_free(j);
	pthread_cond_destroy(&w->idle);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}
