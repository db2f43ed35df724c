/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <unistd.h>

struct loop {
	int epoll_fd;
	sd_event_source *source;
	/* The batch in hand: a handler that removes another io must not leave a stale pointer. */
	struct epoll_event *events;
	int n_events;
};

int loop_run(struct loop *l)
{
	struct epoll_event events[LOOP_BATCH];
	int n;

	n = epoll_wait(l->epoll_fd, events, LOOP_BATCH, 0);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	l->events = events;
	l->n_events = n;
	for (int i = 0; i < n; i++) {
		struct loop_io *io = events[i].data.ptr;

		if (io)
			io->handler(io, events[i].events);
	}
	l->events = NULL;
	l->n_events = 0;
	return n;
}

static int on_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	loop_run(userdata);
	return 0;
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	sd_event_source_disable_unref(l->source);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	free(l);
	return NULL;
}

int loop_new(struct sd_event *event, struct loop **ret)
{
	struct loop *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0) {
		r = -errno;
		loop_free(l);
		return r;
	}
	if (event) {
		r = sd_event_add_io(event, &l->source, l->epoll_fd, EPOLLIN, on_ready, l);
		if (r < 0) {
			loop_free(l);
			return r;
		}
	}
	*ret = l;
	return 0;
}

int loop_fd(const struct loop *l)
{
	return l->epoll_fd;
}

int loop_add(struct loop *l, struct loop_io *io, int fd, loop_handler handler)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = io };

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	io->fd = fd;
	io->handler = handler;
	return 0;
}

int loop_remove(struct loop *l, struct loop_io *io)
{
	int fd = io->fd;

	if (fd < 0)
		return -1;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	for (int i = 0; i < l->n_events; i++)
		if (l->events[i].data.ptr == io)
			l->events[i].data.ptr = NULL;
	io->fd = -1;
	return fd;
}
