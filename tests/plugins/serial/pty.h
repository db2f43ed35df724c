/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* A serial device's end of a line: what the other end is opened by is a path. */

#define PTY_WAIT_MSEC 10000

struct pty {
	int fd;
	char path[128];
};

static inline void pty_open(struct pty *p)
{
	struct termios raw = { 0 };
	int other;

	cfmakeraw(&raw);
	ck_assert_int_eq(openpty(&p->fd, &other, p->path, &raw, NULL), 0);
	/* The other end is opened again by name: until then the line has nobody there. */
	close(other);
}

static inline void pty_close(struct pty *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static inline void pty_write(const struct pty *p, const char *bytes, size_t size)
{
	ck_assert_int_eq(write(p->fd, bytes, size), (ssize_t)size);
}

/* Until so many bytes have come that the text is at their end. False: they did not. */
static inline bool pty_expect(const struct pty *p, const char *text)
{
	size_t n = 0, size = strlen(text);
	char got[512];

	while (n < sizeof(got)) {
		struct pollfd poll_for = { .fd = p->fd, .events = POLLIN };
		ssize_t r;

		if (poll(&poll_for, 1, PTY_WAIT_MSEC) <= 0)
			return false;
		r = read(p->fd, got + n, 1);
		if (r <= 0) {
			/* Nobody has the other end open: not yet, or for a moment. */
			poll(NULL, 0, 1);
			continue;
		}
		n += (size_t)r;
		if (n >= size && memcmp(got + n - size, text, size) == 0)
			return true;
	}
	return false;
}
