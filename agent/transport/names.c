/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/names.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/str.h"
#include "base/thread.h"

/* A question on its way to the thread and back; the thread owns it in between. */
struct job {
	struct list node;
	char *host;
	int n; /* addresses, or -errno */
	struct address addresses[NAMES_ADDRESSES_MAX];
};

/*
 * Shared with the thread and counted: getaddrinfo() can hang for half a minute,
 * and names_free() must not wait for it.
 */
struct mailbox {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list asked, answered;
	names_resolve resolve;
	int event_fd;
	unsigned refs;
	bool stop;
};

struct names {
	struct loop *loop;
	struct loop_io io;
	struct mailbox *box;
	struct list names;
	bool started;
};

struct name {
	struct list node;
	struct names *names;
	char *host;
	unsigned refs;
	bool numeric, asking;
	uint64_t known_usec;
	unsigned n;
	struct list waiters;
	struct address addresses[NAMES_ADDRESSES_MAX];
};

static struct job *job_free(struct job *job)
{
	if (!job)
		return NULL;
	free(job->host);
	free(job);
	return NULL;
}

static void free_jobs(struct list *jobs)
{
	struct job *job;

	list_for_each(job, jobs, node) {
		list_remove(&job->node);
		job_free(job);
	}
}

/* Called with the lock held, gives it up. */
static void mailbox_unref_unlock(struct mailbox *box)
{
	bool last = --box->refs == 0;

	pthread_mutex_unlock(&box->lock);
	if (!last)
		return;
	free_jobs(&box->asked);
	free_jobs(&box->answered);
	pthread_cond_destroy(&box->wake);
	pthread_mutex_destroy(&box->lock);
	close(box->event_fd);
	free(box);
}

static struct mailbox *mailbox_new(names_resolve resolve)
{
	struct mailbox *box = calloc(1, sizeof(*box));

	if (!box)
		return NULL;
	box->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (box->event_fd < 0) {
		free(box);
		return NULL;
	}
	pthread_mutex_init(&box->lock, NULL);
	pthread_cond_init(&box->wake, NULL);
	list_init(&box->asked);
	list_init(&box->answered);
	box->resolve = resolve;
	box->refs = 1;
	return box;
}

static struct job *take_job(struct mailbox *box)
{
	struct job *job;

	while (!box->stop && list_is_empty(&box->asked))
		pthread_cond_wait(&box->wake, &box->lock);
	if (box->stop)
		return NULL;
	job = list_entry(box->asked.next, struct job, node);
	list_remove(&job->node);
	return job;
}

static void *resolve_thread(void *arg)
{
	struct mailbox *box = arg;
	struct job *job;

	pthread_mutex_lock(&box->lock);
	while ((job = take_job(box))) {
		pthread_mutex_unlock(&box->lock);
		job->n = box->resolve(job->host, job->addresses, NAMES_ADDRESSES_MAX);
		pthread_mutex_lock(&box->lock);
		list_append(&box->answered, &job->node);
		eventfd_write(box->event_fd, 1);
	}
	mailbox_unref_unlock(box);
	return NULL;
}

static int start_thread(struct names *n)
{
	pthread_t thread;
	int r;

	if (n->started)
		return 0;
	n->box->refs++;
	r = thread_start(&thread, NULL, resolve_thread, n->box);
	if (r < 0) {
		n->box->refs--;
		return r;
	}
	pthread_detach(thread);
	n->started = true;
	return 0;
}

static int ask(struct name *name)
{
	struct mailbox *box = name->names->box;
	struct job *job;
	int r;

	if (name->asking)
		return 0;
	r = start_thread(name->names);
	if (r < 0)
		return r;
	job = calloc(1, sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->host = strdup(name->host);
	if (!job->host) {
		job_free(job);
		return -ENOMEM;
	}
	pthread_mutex_lock(&box->lock);
	list_append(&box->asked, &job->node);
	pthread_cond_signal(&box->wake);
	pthread_mutex_unlock(&box->lock);
	name->asking = true;
	return 0;
}

static struct name *find(struct names *n, const char *host)
{
	struct name *name;

	list_for_each(name, &n->names, node)
		if (streq(name->host, host))
			return name;
	return NULL;
}

static void tell_waiters(struct name *name, int error)
{
	struct list waiters;

	/* A handler may ask again at once: those who wait now are told now. */
	list_init(&waiters);
	while (!list_is_empty(&name->waiters)) {
		struct list *node = name->waiters.next;

		list_remove(node);
		list_append(&waiters, node);
	}
	name->refs++;
	while (!list_is_empty(&waiters)) {
		struct name_waiter *w = list_entry(waiters.next, struct name_waiter, node);

		list_remove(&w->node);
		w->handler(w, error);
	}
	name_put(name);
}

static void take_answer(struct names *n, struct job *job)
{
	struct name *name = find(n, job->host);
	int error = job->n > 0 ? 0 : job->n < 0 ? job->n : -EHOSTUNREACH;

	if (!name)
		return;
	name->asking = false;
	if (error == 0) {
		name->n = (unsigned)job->n;
		memcpy(name->addresses, job->addresses, sizeof(name->addresses));
		name->known_usec = clock_monotonic_usec();
	}
	/* Old addresses are better than none while the name server is away. */
	tell_waiters(name, name->n > 0 ? 0 : error);
}

static void on_answers(struct loop_io *io, uint32_t events)
{
	struct names *n = container_of(io, struct names, io);
	struct mailbox *box = n->box;
	eventfd_t count;

	eventfd_read(box->event_fd, &count);
	for (;;) {
		struct job *job = NULL;

		pthread_mutex_lock(&box->lock);
		if (!list_is_empty(&box->answered)) {
			job = list_entry(box->answered.next, struct job, node);
			list_remove(&job->node);
		}
		pthread_mutex_unlock(&box->lock);
		if (!job)
			return;
		take_answer(n, job);
		job_free(job);
	}
}

int names_resolve_system(const char *host, struct address *ret, int max)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list = NULL;
	int n = 0;
	int r;

	r = getaddrinfo(host, NULL, &hints, &list);
	if (r != 0)
		return r == EAI_MEMORY ? -ENOMEM : -EHOSTUNREACH;
	for (struct addrinfo *i = list; i && n < max; i = i->ai_next) {
		if ((i->ai_family != AF_INET && i->ai_family != AF_INET6) ||
		    i->ai_addrlen > sizeof(ret->v6))
			continue;
		memset(&ret[n], 0, sizeof(ret[n]));
		memcpy(&ret[n++], i->ai_addr, i->ai_addrlen);
	}
	freeaddrinfo(list);
	return n > 0 ? n : -EHOSTUNREACH;
}

int names_new(struct loop *loop, names_resolve resolve, struct names **ret)
{
	struct names *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	n->loop = loop;
	n->io.fd = -1;
	list_init(&n->names);
	n->box = mailbox_new(resolve);
	if (!n->box) {
		free(n);
		return -ENOMEM;
	}
	r = loop_add(loop, &n->io, n->box->event_fd, on_answers);
	if (r < 0) {
		names_free(n);
		return r;
	}
	*ret = n;
	return 0;
}

struct names *names_free(struct names *n)
{
	if (!n)
		return NULL;
	loop_remove(n->loop, &n->io);
	pthread_mutex_lock(&n->box->lock);
	n->box->stop = true;
	pthread_cond_signal(&n->box->wake);
	mailbox_unref_unlock(n->box);
	free(n);
	return NULL;
}

int name_get(struct names *n, const char *host, struct name **ret)
{
	struct name *name = find(n, host);

	if (!name) {
		name = calloc(1, sizeof(*name));
		if (!name)
			return -ENOMEM;
		name->host = strdup(host);
		if (!name->host) {
			free(name);
			return -ENOMEM;
		}
		name->names = n;
		list_init(&name->waiters);
		list_append(&n->names, &name->node);
		name->numeric = address_parse(host, &name->addresses[0]) == 0;
		name->n = name->numeric;
	}
	name->refs++;
	*ret = name;
	return 0;
}

struct name *name_put(struct name *name)
{
	if (!name || --name->refs > 0)
		return NULL;
	list_remove(&name->node);
	free(name->host);
	free(name);
	return NULL;
}

void name_waiter_init(struct name_waiter *w, name_handler handler)
{
	list_init(&w->node);
	w->handler = handler;
}

static bool is_fresh(const struct name *name)
{
	if (name->numeric)
		return true;
	return name->n > 0 && name->known_usec > 0 &&
	       clock_monotonic_usec() - name->known_usec < NAMES_FRESH_USEC;
}

int name_lookup(struct name *name, struct name_waiter *waiter)
{
	int r;

	if (is_fresh(name))
		return 1;
	r = ask(name);
	if (r < 0)
		return r;
	list_remove(&waiter->node);
	list_append(&name->waiters, &waiter->node);
	return 0;
}

void name_cancel(struct name_waiter *waiter)
{
	list_remove(&waiter->node);
}

unsigned name_count(const struct name *name)
{
	return name->n;
}

const struct address *name_address(const struct name *name, unsigned index)
{
	return &name->addresses[index % name->n];
}

void name_forget(struct name *name)
{
	name->known_usec = 0;
}
