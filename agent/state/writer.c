/* SPDX-License-Identifier: Apache-2.0 */
#include "state/writer.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/thread.h"
#include "state/journal.h"
#include "state/record.h"

/* A record that waits, is being written, or could not be written. */
struct pending {
	struct list node; /* in waiting or failed; in none while it is only being written */
	uint8_t *data;	  /* NULL: remove */
	size_t size;
	uint64_t generation; /* which save this is, of all */
	uint64_t tried;	     /* the last one that was tried, and how it went */
	int error;
	struct pending *mate; /* the ring of those that are written together; itself when alone */
	bool failed;
	bool awaited; /* whoever made it wants to know */
	char file[];
};

/* What the thread works on without the lock. The bytes are the entry's, or orphaned by a later save. */
struct job {
	struct pending *entry;
	uint8_t *data;
	size_t size;
	uint64_t generation;
	int r;
};

struct state_writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	int records, temporary, notify_fd;
	/* All below under the lock. */
	void *tree; /* entries by file */
	struct list waiting, failed;
	size_t pending_bytes;
	unsigned n_jobs, n_failed;
	uint64_t n_saves;
	bool together;	       /* the jobs are those of one group */
	bool postponed;	       /* ... that has to wait for the journal on the disk */
	/* One of those that the journal on the disk is about; they are a ring until all of them are written. */
	struct pending *kept;
	int kept_error;
	bool stale; /* there is one that says what is not so any more */
	unsigned depth;	       /* of state_writer_begin() */
	struct pending *group; /* one of what has been put since; NULL: none */
	bool stopping;
	int flush_error; /* first error since the flush began */
	struct state_outcome outcome;
	struct state_statistics statistics;
};

static int pending_compare(const void *a, const void *b)
{
	const struct pending *left = a, *right = b;

	return strcmp(left->file, right->file);
}

static struct pending *pending_new(const char *file)
{
	struct pending *e = calloc(1, sizeof(*e) + strlen(file) + 1);

	if (!e)
		return NULL;
	strcpy(e->file, file);
	list_init(&e->node);
	e->mate = e;
	return e;
}

static struct pending *pending_free(struct pending *e)
{
	free(e->data);
	free(e);
	return NULL;
}

/* The entry of a file, a new one without a save when there is none. */
static struct pending *pending_ensure(struct state_writer *w, const char *file)
{
	struct pending *e = pending_new(file), **found;

	if (!e)
		return NULL;
	found = tsearch(e, &w->tree, pending_compare);
	if (!found || *found != e)
		pending_free(e);
	return found ? *found : NULL;
}

static void pending_forget(struct state_writer *w, struct pending *e)
{
	tdelete(e, &w->tree, pending_compare);
	list_remove(&e->node);
	w->pending_bytes -= e->size;
	pending_free(e);
}

static void set_failed(struct state_writer *w, struct pending *e, bool failed)
{
	if (e->failed == failed)
		return;
	e->failed = failed;
	if (failed)
		w->n_failed++;
	else
		w->n_failed--;
}

/* Before what was put later: it may wait for them. */
static void retry_failed(struct state_writer *w)
{
	struct pending *e;

	while (!list_is_empty(&w->failed)) {
		e = list_entry(w->failed.prev, struct pending, node);
		list_remove(&e->node);
		list_prepend(&w->waiting, &e->node);
	}
}

/* Whether a job of the batch still uses the bytes of an entry, which then outlive it there. */
static bool is_waiting(const struct pending *e)
{
	return !list_is_empty(&e->node);
}

static void pending_set(struct state_writer *w, struct pending *e, uint8_t *data, size_t size)
{
	if (is_waiting(e)) {
		free(e->data);
		w->statistics.coalesced++;
	} else {
		list_append(&w->waiting, &e->node);
	}
	w->pending_bytes += size - e->size;
	e->data = data;
	e->size = size;
	e->generation = ++w->n_saves;
}

/* ---- groups ---- */

static bool are_mates(const struct pending *a, const struct pending *b)
{
	const struct pending *e = a;

	do {
		if (e == b)
			return true;
		e = e->mate;
	} while (e != a);
	return false;
}

/* Two rings become one, with all that is in them. */
static void join(struct pending *a, struct pending *b)
{
	if (!are_mates(a, b))
		SWAP(a->mate, b->mate);
}

static unsigned count_mates(const struct pending *first)
{
	unsigned n = 1;

	for (const struct pending *e = first->mate; e != first; e = e->mate)
		n++;
	return n;
}

static void dissolve(struct pending *e)
{
	while (e->mate != e) {
		struct pending *next = e->mate;

		e->mate = e;
		e = next;
	}
}

/* Only one journal lies on the disk: what is to be written with another becomes one with that, or waits. */
static void gather(struct state_writer *w, struct pending *e)
{
	if (e->mate == e)
		return;
	if (w->kept && !are_mates(w->kept, e)) {
		w->postponed = count_mates(w->kept) + count_mates(e) > STATE_BATCH_MAX;
		if (!w->postponed)
			join(w->kept, e);
	}
	if (count_mates(e) <= STATE_BATCH_MAX)
		return;
	if (w->kept && are_mates(w->kept, e)) {
		w->kept = NULL;
		w->stale = true;
	}
	dissolve(e);
}

static void join_group(struct state_writer *w, struct pending *e)
{
	if (w->depth == 0)
		return;
	if (w->group)
		join(w->group, e);
	w->group = e;
}

void state_writer_begin(struct state_writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->depth++;
	pthread_mutex_unlock(&w->lock);
}

void state_writer_adopt(struct state_writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->kept = w->group;
	w->stale = !w->kept;
	pthread_mutex_unlock(&w->lock);
}

void state_writer_end(struct state_writer *w)
{
	pthread_mutex_lock(&w->lock);
	if (--w->depth == 0) {
		w->group = NULL;
		pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->lock);
}

/* ---- what waits ---- */

static int put_locked(struct state_writer *w, const char *file, uint8_t **data, size_t size, uint64_t *ret_save)
{
	struct pending *e;

	if (size > STATE_PENDING_MAX - MIN(w->pending_bytes, (size_t)STATE_PENDING_MAX))
		return -ENOBUFS;
	e = pending_ensure(w, file);
	if (!e)
		return -ENOMEM;
	pending_set(w, e, TAKE_PTR(*data), size);
	if (ret_save) {
		e->awaited = true;
		*ret_save = e->generation;
	}
	join_group(w, e);
	retry_failed(w);
	pthread_cond_signal(&w->work);
	return 0;
}

int state_writer_put(struct state_writer *w, const char *file, const void *data, size_t size, uint64_t *ret_save)
{
	_cleanup_free_ uint8_t *copy = NULL;
	int r;

	if (data) {
		copy = malloc(size + 1);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, data, size);
	}
	pthread_mutex_lock(&w->lock);
	r = put_locked(w, file, &copy, size, ret_save);
	pthread_mutex_unlock(&w->lock);
	return r;
}

static int result_locked(const struct state_writer *w, const struct pending *key, uint64_t save)
{
	struct pending *const *found = tfind(key, &w->tree, pending_compare);

	/* What is on the disk is forgotten. */
	if (!found)
		return 0;
	return (*found)->tried >= save ? (*found)->error : 1;
}

int state_writer_result(struct state_writer *w, const char *file, uint64_t save)
{
	struct pending *key = pending_new(file);
	int r;

	if (!key)
		return -ENOMEM;
	pthread_mutex_lock(&w->lock);
	r = result_locked(w, key, save);
	pthread_mutex_unlock(&w->lock);
	pending_free(key);
	return r;
}

static int peek_locked(struct state_writer *w, const struct pending *key, struct buf *ret)
{
	struct pending *const *found = tfind(key, &w->tree, pending_compare);
	int r;

	if (!found)
		return 0;
	if (!(*found)->data)
		return -ENOENT;
	r = buf_append(ret, (*found)->data, (*found)->size);
	return r < 0 ? r : 1;
}

int state_writer_peek(struct state_writer *w, const char *file, struct buf *ret)
{
	struct pending *key = pending_new(file);
	int r;

	if (!key)
		return -ENOMEM;
	pthread_mutex_lock(&w->lock);
	r = peek_locked(w, key, ret);
	pthread_mutex_unlock(&w->lock);
	pending_free(key);
	return r;
}

struct listing {
	struct buf *files;
	int r;
};

static void list_file(const void *node, VISIT visit, void *userdata)
{
	const struct pending *e = *(const struct pending *const *)node;
	struct listing *l = userdata;

	if ((visit == postorder || visit == leaf) && e->data && l->r >= 0)
		l->r = buf_append(l->files, e->file, strlen(e->file) + 1);
}

int state_writer_list(struct state_writer *w, struct buf *ret)
{
	struct listing l = { .files = ret };

	pthread_mutex_lock(&w->lock);
	twalk_r(w->tree, list_file, &l);
	pthread_mutex_unlock(&w->lock);
	return l.r;
}

static void take_job(struct state_writer *w, struct pending *e, struct job *jobs)
{
	list_remove(&e->node);
	e->mate = e;
	jobs[w->n_jobs++] = (struct job){
		.entry = e,
		.data = e->data,
		.size = e->size,
		.generation = e->generation,
	};
}

static void take_group(struct state_writer *w, struct pending *first, struct job *jobs)
{
	for (struct pending *e = first, *next; e; e = next) {
		next = e->mate != first && e->mate != e ? e->mate : NULL;
		take_job(w, e, jobs);
	}
}

/* A group, alone; or those in front that are in none. */
static unsigned take_jobs(struct state_writer *w, struct job *jobs)
{
	struct pending *e;

	w->n_jobs = 0;
	w->together = w->postponed = false;
	list_for_each(e, &w->waiting, node) {
		if (w->n_jobs == STATE_BATCH_MAX)
			break;
		gather(w, e);
		if (e->mate == e && e != w->kept) {
			take_job(w, e, jobs);
			continue;
		}
		w->together = w->n_jobs == 0;
		if (w->together)
			take_group(w, e, jobs);
		break;
	}
	return w->n_jobs;
}

static int run_job(const struct state_writer *w, const struct job *job)
{
	if (job->data)
		return state_record_write(w->temporary, w->records, job->entry->file, job->data,
					  job->size);
	return unlinkat(w->records, job->entry->file, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* A rename is on the disk only after the fsync of its folder: until then no job of the batch is done. */
static int run_each(const struct state_writer *w, struct job *jobs, unsigned n)
{
	int r, error = 0;

	for (unsigned i = 0; i < n; i++) {
		jobs[i].r = run_job(w, &jobs[i]);
		error = error < 0 ? error : jobs[i].r;
	}
	r = fsync(w->records) < 0 ? -errno : 0;
	for (unsigned i = 0; i < n && r < 0; i++)
		jobs[i].r = r;
	return r < 0 ? r : error;
}

/* One that is too large for a journal goes without; what the former one says is no longer so then. */
static int write_journal(const struct state_writer *w, const struct job *jobs, unsigned n)
{
	struct state_change changes[STATE_BATCH_MAX];
	int r;

	for (unsigned i = 0; i < n; i++)
		changes[i] = (struct state_change){ jobs[i].entry->file, jobs[i].data, jobs[i].size };
	r = state_journal_write(w->temporary, w->records, changes, n);
	if (r != -EFBIG)
		return r;
	return w->kept ? state_journal_remove(w->records) : 0;
}

static bool has_journal(const struct state_writer *w)
{
	return faccessat(w->records, STATE_JOURNAL, F_OK, 0) == 0;
}

/* All or nothing: where not all can be written, the journal stays until they are, and all are written again. */
static int run_group(const struct state_writer *w, struct job *jobs, unsigned n)
{
	int r = w->postponed ? w->kept_error : write_journal(w, jobs, n);

	if (r >= 0)
		r = run_each(w, jobs, n);
	for (unsigned i = 0; i < n && r < 0; i++)
		jobs[i].r = r;
	return r;
}

/* The lock is not held: only the thread that this runs in changes what it looks at of the writer. */
static void run_jobs(struct state_writer *w, struct job *jobs, unsigned n)
{
	int r;

	if (w->stale)
		w->stale = state_journal_remove(w->records) < 0;
	if (!w->together) {
		run_each(w, jobs, n);
		return;
	}
	r = run_group(w, jobs, n);
	if (w->postponed)
		return;
	w->kept = r < 0 && has_journal(w) ? jobs[0].entry : NULL;
	w->kept_error = r;
	if (r >= 0 && has_journal(w))
		w->stale = state_journal_remove(w->records) < 0;
}

static void note_failure(struct state_writer *w, int error)
{
	w->statistics.failed++;
	if (w->outcome.failed++ == 0)
		w->outcome.error = error;
	if (w->flush_error == 0)
		w->flush_error = error;
}

/* True: somebody wants to know. */
static bool settle_job(struct state_writer *w, const struct job *job)
{
	struct pending *e = job->entry;
	bool current = e->generation == job->generation, awaited = e->awaited;

	e->tried = job->generation;
	e->error = job->r;
	if (job->r < 0)
		note_failure(w, job->r);
	else
		w->statistics.written++;
	set_failed(w, e, job->r < 0);
	if (!current)
		free(job->data);
	else if (job->r < 0)
		list_append(&w->failed, &e->node);
	else
		pending_forget(w, e);
	return awaited;
}

/* Those that could not be written are a group the next time, too. */
static void rejoin(const struct job *jobs, unsigned n)
{
	struct pending *failed = NULL;

	for (unsigned i = 0; i < n; i++) {
		if (jobs[i].r >= 0)
			continue;
		if (failed)
			join(failed, jobs[i].entry);
		failed = jobs[i].entry;
	}
}

static void settle_jobs(struct state_writer *w, const struct job *jobs, unsigned n)
{
	bool had_failed = w->n_failed > 0, awaited = false;
	const uint64_t one = 1;
	ssize_t ignored _unused_;

	if (w->together)
		rejoin(jobs, n);
	for (unsigned i = 0; i < n; i++)
		awaited |= settle_job(w, &jobs[i]);
	w->n_jobs = 0;
	if (had_failed || w->n_failed > 0)
		w->outcome.recovered = w->n_failed == 0;
	if (awaited || w->outcome.failed > 0 || w->outcome.recovered)
		ignored = write(w->notify_fd, &one, sizeof(one));
	if (list_is_empty(&w->waiting))
		pthread_cond_broadcast(&w->idle);
}

static void *writer_thread(void *userdata)
{
	struct job jobs[STATE_BATCH_MAX];
	struct state_writer *w = userdata;
	unsigned n;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while ((list_is_empty(&w->waiting) || w->depth > 0) && !w->stopping)
			pthread_cond_wait(&w->work, &w->lock);
		n = take_jobs(w, jobs);
		if (n == 0)
			break;
		pthread_mutex_unlock(&w->lock);
		run_jobs(w, jobs, n);
		pthread_mutex_lock(&w->lock);
		settle_jobs(w, jobs, n);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int state_writer_flush(struct state_writer *w)
{
	int r;

	pthread_mutex_lock(&w->lock);
	w->flush_error = 0;
	retry_failed(w);
	pthread_cond_signal(&w->work);
	while (!list_is_empty(&w->waiting) || w->n_jobs > 0)
		pthread_cond_wait(&w->idle, &w->lock);
	r = w->flush_error;
	pthread_mutex_unlock(&w->lock);
	return r;
}

void state_writer_retry(struct state_writer *w)
{
	pthread_mutex_lock(&w->lock);
	retry_failed(w);
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

void state_writer_take_outcome(struct state_writer *w, struct state_outcome *ret)
{
	pthread_mutex_lock(&w->lock);
	*ret = w->outcome;
	w->outcome = (struct state_outcome){ 0 };
	pthread_mutex_unlock(&w->lock);
}

void state_writer_get_statistics(struct state_writer *w, struct state_statistics *ret)
{
	pthread_mutex_lock(&w->lock);
	*ret = w->statistics;
	pthread_mutex_unlock(&w->lock);
}

int state_writer_new(int records, int temporary, int notify_fd, struct state_writer **ret)
{
	struct state_writer *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->records = records;
	w->temporary = temporary;
	w->notify_fd = notify_fd;
	list_init(&w->waiting);
	list_init(&w->failed);
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

struct state_writer *state_writer_free(struct state_writer *w)
{
	struct pending *e;

	if (!w)
		return NULL;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	retry_failed(w);
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	/* What is left could not be written. */
	list_for_each(e, &w->failed, node)
		pending_forget(w, e);
	pthread_cond_destroy(&w->idle);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}
