/* SPDX-License-Identifier: Apache-2.0 */
#include "lookup.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "moment.h"

enum lookup_state {
	LOOKUP_IDLE,
	LOOKUP_RUNNING,
	LOOKUP_DONE,
};

struct lookup {
	char *host;
	char service[8];
	pthread_mutex_t mutex;
	pthread_cond_t done;

	/* Under the mutex. */
	unsigned refs;
	enum lookup_state state;
	int error; /* of getaddrinfo() */
	struct addrinfo *addresses;
	uint64_t done_usec;
};

int lookup_new(const char *host, uint16_t port, struct lookup **ret)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->host = strdup(host);
	if (!l->host) {
		free(l);
		return -ENOMEM;
	}
	snprintf(l->service, sizeof(l->service), "%u", port);
	pthread_mutex_init(&l->mutex, NULL);
	pthread_cond_init(&l->done, NULL);
	l->refs = 1;
	*ret = l;
	return 0;
}

struct lookup *lookup_ref(struct lookup *l)
{
	pthread_mutex_lock(&l->mutex);
	l->refs++;
	pthread_mutex_unlock(&l->mutex);
	return l;
}

/* Back to IDLE, without what was found. */
static void lookup_drop(struct lookup *l)
{
	if (l->addresses)
		freeaddrinfo(l->addresses);
	l->addresses = NULL;
	l->state = LOOKUP_IDLE;
}

void lookup_unref(struct lookup *l)
{
	bool last;

	if (!l)
		return;
	pthread_mutex_lock(&l->mutex);
	last = --l->refs == 0;
	pthread_mutex_unlock(&l->mutex);
	if (!last)
		return;
	lookup_drop(l);
	pthread_cond_destroy(&l->done);
	pthread_mutex_destroy(&l->mutex);
	free(l->host);
	free(l);
}

static int resolve(const struct lookup *l, int flags, struct addrinfo **ret)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags };

	return getaddrinfo(l->host, l->service, &hints, ret);
}

static void *lookup_main(void *userdata)
{
	struct addrinfo *addresses = NULL;
	struct lookup *l = userdata;
	int error = resolve(l, 0, &addresses);

	pthread_mutex_lock(&l->mutex);
	l->error = error;
	l->addresses = error ? NULL : addresses;
	l->done_usec = moment_now_usec();
	l->state = LOOKUP_DONE;
	pthread_cond_signal(&l->done);
	pthread_mutex_unlock(&l->mutex);
	lookup_unref(l);
	return NULL;
}

/* With the mutex held. */
static int lookup_start(struct lookup *l)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int r;

	r = pthread_attr_init(&attributes);
	if (r)
		return -r;
	r = pthread_attr_setstacksize(&attributes, LOOKUP_STACK_BYTES);
	if (!r)
		r = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (!r)
		r = pthread_create(&thread, &attributes, lookup_main, l);
	pthread_attr_destroy(&attributes);
	if (r)
		return -r;
	l->refs++;
	l->state = LOOKUP_RUNNING;
	return 0;
}

/* With the mutex held: what came too late for the last one who asked. */
static void lookup_forget_old(struct lookup *l)
{
	uint64_t fresh = l->error ? LOOKUP_FAILURE_FRESH_USEC : LOOKUP_FRESH_USEC;

	if (l->state == LOOKUP_DONE && moment_now_usec() - l->done_usec > fresh)
		lookup_drop(l);
}

static int lookup_take(struct lookup *l, struct addrinfo **ret, const char **ret_why)
{
	if (l->state == LOOKUP_RUNNING)
		return -ETIMEDOUT;
	l->state = LOOKUP_IDLE;
	if (l->error) {
		*ret_why = gai_strerror(l->error);
		return -EHOSTUNREACH;
	}
	*ret = l->addresses;
	l->addresses = NULL;
	return 0;
}

int lookup_wait(struct lookup *l, uint64_t deadline_usec, struct addrinfo **ret, const char **ret_why)
{
	const struct timespec deadline = { (time_t)(deadline_usec / 1000000),
					   (long)(deadline_usec % 1000000 * 1000) };
	int r = 0, waited = 0;

	/* Digits cost the resolver no time. */
	if (resolve(l, AI_NUMERICHOST, ret) == 0)
		return 0;
	pthread_mutex_lock(&l->mutex);
	lookup_forget_old(l);
	if (l->state == LOOKUP_IDLE)
		r = lookup_start(l);
	while (r >= 0 && l->state == LOOKUP_RUNNING && waited != ETIMEDOUT)
		waited = pthread_cond_clockwait(&l->done, &l->mutex, CLOCK_MONOTONIC, &deadline);
	if (r >= 0)
		r = lookup_take(l, ret, ret_why);
	pthread_mutex_unlock(&l->mutex);
	return r;
}
