/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

struct sd_event;

/*
 * All sockets of the transport in one inner epoll descriptor, which is a
 * single source of the outer sd-event loop. Each wake handles at most
 * LOOP_BATCH ready descriptors; what is left wakes the loop again.
 */
#define LOOP_BATCH 64

struct loop;
int loop_new(struct sd_event *event, struct loop **ret); /* event may be NULL: loop_run() is then called by hand */
struct loop *loop_free(struct loop *l);

struct loop_io;
typedef void (*loop_handler)(struct loop_io *io, uint32_t events);

/* Lies inside the object that owns the descriptor; fd is -1 while it is not in the loop. */
struct loop_io {
	loop_handler handler;
	int fd;
};

/* Watches for input. The handler may remove any io, its own as well. */
int loop_add(struct loop *l, struct loop_io *io, int fd, loop_handler handler);
/* Takes the descriptor out and gives it back, unclosed; -1 if it was not in. */
int loop_remove(struct loop *l, struct loop_io *io);
/* Readable when loop_run() has something to do. */
int loop_fd(const struct loop *l);
/* One batch without waiting. The number of handled descriptors, or -errno. */
int loop_run(struct loop *l);
