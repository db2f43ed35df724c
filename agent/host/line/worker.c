/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/thread.h"

struct workers {
	pthread_mutex_t mutex;
	struct list done;
	int fd;
	sd_event_source *source;
};

struct worker {
	struct workers *workers;
	struct worker_config config;
	pthread_t thread;
	pthread_mutex_t mutex;
	sem_t wake;	 /* for each job, and to stop: half as many system calls as a condition */
	struct job *job; /* under the mutex */
	bool stop;	 /* under the mutex */

	/* The thread's own. */
	struct fieldway_line *line;
	const struct fieldway_tap *tap; /* what the line tells its bytes to */
	bool was_closed;		/* it could not be opened the last time */

	/* Under the mutex of workers. */
	struct list node;
	struct job *finished;
	bool ended, queued;
};

static void descriptor_raise(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	(void)n; /* a counter that is full wakes the loop as well */
}

static void descriptor_clear(int fd)
{
	uint64_t counter;
	ssize_t n = read(fd, &counter, sizeof(counter));

	(void)n;
}

/* ---- the thread ---- */

/* The kernel's clock: a test's steps do not move what plugins wait for. */
static uint64_t real_now(void)
{
	return clock_monotonic_usec() - clock_offset_usec();
}

static bool was_timeout(int error)
{
	return error == -ETIMEDOUT || error == -EHOSTDOWN;
}

static void count(struct job *job)
{
	job->requests++;
	if (job->result.error < 0)
		job->errors++;
	if (was_timeout(job->result.error))
		job->timeouts++;
}

static void tap_line(struct worker *w, const struct job *job)
{
	if (w->tap != job->tap && w->config.plugin->line_tap)
		w->config.plugin->line_tap(w->line, job->tap);
	w->tap = job->tap;
}

static int line_ready(struct worker *w, struct job *job)
{
	int r;

	if (w->line) {
		tap_line(w, job);
		return 0;
	}
	r = w->config.plugin->line_open(w->config.bus, w->config.first, &w->line, &job->result);
	if (r < 0) {
		job->result.error = r;
		w->line = NULL;
		w->was_closed = true;
		return r;
	}
	job->restored |= w->was_closed;
	w->was_closed = false;
	w->tap = NULL;
	tap_line(w, job);
	return 0;
}

static void line_drop(struct worker *w, bool broken)
{
	if (!broken)
		return;
	w->config.plugin->line_close(w->line);
	w->line = NULL;
}

static int read_once(struct worker *w, struct job *job)
{
	bool broken = false;
	uint64_t begun;
	int r;

	job->result = (struct fieldway_result){ 0 };
	r = line_ready(w, job);
	if (r >= 0) {
		begun = clock_monotonic_usec();
		r = w->config.plugin->read(w->line, job->driver, job->request, job->deadline_usec,
					   job->samples, job->text, SETUP_TEXT_BYTES, &job->result,
					   &broken);
		job->usec = clock_monotonic_usec() - begun;
		job->result.error = r < 0 ? r : 0;
		line_drop(w, broken);
	}
	count(job);
	return r;
}

/* An exception is an answer: asking again would get it again. */
static bool read_is_worth_another_try(int r)
{
	return r == -ETIMEDOUT || r == -EBADMSG || r == -ECONNRESET || r == -ENODEV || r == -EPIPE;
}

static void job_read(struct worker *w, struct job *job)
{
	for (unsigned i = 0; i < job->tries; i++)
		if (!read_is_worth_another_try(read_once(w, job)) ||
		    real_now() >= job->deadline_usec)
			return;
}

static void write_once(struct worker *w, struct job *job)
{
	bool broken = false;

	job->result = (struct fieldway_result){ 0 };
	job->outcome = FIELDWAY_NOT_SENT;
	if (line_ready(w, job) >= 0) {
		job->outcome = w->config.plugin->write(w->line, job->driver, job->point,
						       &job->value, job->deadline_usec,
						       &job->result, &broken);
		if (job->outcome == FIELDWAY_ACCEPTED)
			job->result.error = 0;
		line_drop(w, broken);
	}
	count(job);
}

/* Only what has not reached the line is sent again, unless it never could be written. */
static void job_write(struct worker *w, struct job *job)
{
	for (unsigned i = 0; i < job->tries; i++) {
		write_once(w, job);
		if (job->outcome != FIELDWAY_NOT_SENT || job->result.error == -ERANGE ||
		    job->result.error == -EINVAL || real_now() >= job->deadline_usec)
			return;
	}
}

/* As the user asked for it: once. */
static void job_raw(struct worker *w, struct job *job)
{
	bool broken = false;
	int r;

	job->result = (struct fieldway_result){ 0 };
	job->answer_size = 0;
	if (line_ready(w, job) < 0)
		return;
	r = w->config.plugin->raw(w->line, job->driver, job->raw, job->raw_size, job->deadline_usec,
				  job->answer, WORKER_ANSWER_BYTES, &job->answer_size, &job->result,
				  &broken);
	job->result.error = MIN(r, 0);
	line_drop(w, broken);
}

static void job_close(struct worker *w, struct job *job)
{
	job->result = (struct fieldway_result){ 0 };
	if (w->line)
		line_drop(w, true);
	w->was_closed = true;
}

static void job_follow(struct worker *w, struct job *job)
{
	job->result = (struct fieldway_result){ 0 };
	w->config.bus = job->bus;
	w->config.first = job->driver;
	if (w->line && w->config.plugin->line_follow)
		w->config.plugin->line_follow(w->line, job->bus, job->driver);
}

static void job_run(struct worker *w, struct job *job)
{
	switch (job->kind) {
	case JOB_READ:
		job_read(w, job);
		return;
	case JOB_WRITE:
		job_write(w, job);
		return;
	case JOB_RAW:
		job_raw(w, job);
		return;
	case JOB_CLOSE:
		job_close(w, job);
		return;
	case JOB_FOLLOW:
		job_follow(w, job);
		return;
	}
}

/* What the line does of itself, and when it wants to do so again. */
static uint64_t rest_line(struct worker *w)
{
	return w->line && w->config.plugin->line_rest ? w->config.plugin->line_rest(w->line) :
							UINT64_MAX;
}

/* False: nobody did until then. */
static bool wait_wake(struct worker *w, uint64_t monotonic_usec)
{
	const struct timespec t = { .tv_sec = (time_t)(monotonic_usec / USEC_PER_SEC),
				    .tv_nsec = (long)(monotonic_usec % USEC_PER_SEC * 1000) };

	if (monotonic_usec == UINT64_MAX)
		return sem_wait(&w->wake) == 0;
	return sem_clockwait(&w->wake, CLOCK_MONOTONIC, &t) == 0;
}

/* The next job, or NULL: stop. */
static struct job *wait_job(struct worker *w)
{
	uint64_t rest = rest_line(w);
	struct job *job = NULL;
	bool stop = false;

	while (!job && !stop) {
		if (!wait_wake(w, rest)) {
			rest = rest_line(w);
			continue;
		}
		pthread_mutex_lock(&w->mutex);
		job = TAKE_PTR(w->job);
		stop = w->stop;
		pthread_mutex_unlock(&w->mutex);
	}
	return job;
}

/* One write to the eventfd for all that come back before the loop looks. */
static void hand_back(struct worker *w, struct job *job)
{
	struct workers *all = w->workers;
	bool first;

	pthread_mutex_lock(&all->mutex);
	first = list_is_empty(&all->done);
	w->finished = job ?: w->finished;
	w->ended = !job;
	if (!w->queued)
		list_append(&all->done, &w->node);
	w->queued = true;
	pthread_mutex_unlock(&all->mutex);
	if (first)
		descriptor_raise(all->fd);
}

static void *worker_main(void *userdata)
{
	struct worker *w = userdata;
	struct job *job;

	while ((job = wait_job(w))) {
		job_run(w, job);
		hand_back(w, job);
	}
	if (w->line)
		w->config.plugin->line_close(w->line);
	w->line = NULL;
	hand_back(w, NULL);
	return NULL;
}

/* ---- the loop ---- */

static struct worker *take_done(struct workers *all, struct job **ret_job, bool *ret_ended)
{
	struct worker *w = NULL;

	pthread_mutex_lock(&all->mutex);
	if (!list_is_empty(&all->done)) {
		w = list_entry(all->done.next, struct worker, node);
		list_remove(&w->node);
		w->queued = false;
		*ret_job = TAKE_PTR(w->finished);
		*ret_ended = w->ended;
	}
	pthread_mutex_unlock(&all->mutex);
	return w;
}

/* Lines that come back again and again must not keep the loop from the link. */
#define DONE_MAX 256

static void workers_run(struct workers *all)
{
	struct worker *w;
	struct job *job;
	bool ended;

	for (int i = 0; i < DONE_MAX; i++) {
		w = take_done(all, &job, &ended);
		if (!w)
			return;
		if (job)
			w->config.done(w, job, w->config.userdata);
		/* Last: the worker may be freed by it. */
		if (ended)
			w->config.done(w, NULL, w->config.userdata);
	}
	descriptor_raise(all->fd);
}

static int workers_dispatch(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	workers_run(userdata);
	return 0;
}

void workers_wait(struct workers *w, int msec)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	if (poll(&p, 1, msec) <= 0)
		return;
	descriptor_clear(w->fd);
	workers_run(w);
}

DEFINE_FREEP(struct workers *, workers_free)

int workers_new(sd_event *event, struct workers **ret)
{
	_cleanup_(workers_freep) struct workers *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	pthread_mutex_init(&w->mutex, NULL);
	list_init(&w->done);
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0)
		return -errno;
	/* Each write is an edge: the counter need not be read. */
	r = sd_event_add_io(event, &w->source, w->fd, EPOLLIN | EPOLLET, workers_dispatch, w);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(w);
	return 0;
}

struct workers *workers_free(struct workers *w)
{
	if (!w)
		return NULL;
	sd_event_source_disable_unref(w->source);
	closep(&w->fd);
	pthread_mutex_destroy(&w->mutex);
	free(w);
	return NULL;
}

static int start_thread(struct worker *w)
{
	pthread_attr_t attributes;
	int r;

	r = -pthread_attr_init(&attributes);
	if (r < 0)
		return r;
	r = -pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES);
	if (r >= 0)
		r = thread_start(&w->thread, &attributes, worker_main, w);
	pthread_attr_destroy(&attributes);
	return r;
}

int worker_new(struct workers *workers, const struct worker_config *config, struct worker **ret)
{
	struct worker *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return -ENOMEM;
	w->workers = workers;
	w->config = *config;
	pthread_mutex_init(&w->mutex, NULL);
	sem_init(&w->wake, 0, 0);
	list_init(&w->node);
	r = start_thread(w);
	if (r < 0) {
		sem_destroy(&w->wake);
		pthread_mutex_destroy(&w->mutex);
		free(w);
		return r;
	}
	*ret = w;
	return 0;
}

void worker_submit(struct worker *w, struct job *job)
{
	pthread_mutex_lock(&w->mutex);
	w->job = job;
	pthread_mutex_unlock(&w->mutex);
	sem_post(&w->wake);
}

void worker_stop(struct worker *w)
{
	pthread_mutex_lock(&w->mutex);
	w->stop = true;
	pthread_mutex_unlock(&w->mutex);
	sem_post(&w->wake);
}

struct worker *worker_free(struct worker *w)
{
	struct workers *all;

	if (!w)
		return NULL;
	all = w->workers;
	worker_stop(w);
	pthread_join(w->thread, NULL);
	pthread_mutex_lock(&all->mutex);
	list_remove(&w->node);
	pthread_mutex_unlock(&all->mutex);
	sem_destroy(&w->wake);
	pthread_mutex_destroy(&w->mutex);
	free(w);
	return NULL;
}
