/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "line_state.h"

/*
 * Bytes to a device and from it, however it is reached. Times are
 * CLOCK_MONOTONIC microseconds; errors negative errno.
 */

struct transport {
	/* Leaves line->fd open, or -1 and fills result, whose error it returns. */
	int (*open)(struct fieldway_line *line, uint64_t deadline_usec, struct fieldway_result *result);
	void (*close)(struct fieldway_line *line); /* also of what is half open */
	/* All of it, or an error: then nobody knows what has gone out. */
	int (*send)(struct fieldway_line *line, const uint8_t *bytes, size_t size, uint64_t deadline_usec);
	/* What there is, without waiting: more than 0 bytes; -EAGAIN: nothing yet; else it is gone. */
	ssize_t (*receive)(struct fieldway_line *line, uint8_t *bytes, size_t size);
	/* True when receive() has bytes of which poll() knows nothing; NULL: never. */
	bool (*pending)(const struct fieldway_line *line);
};

extern const struct transport transport_port; /* a serial port */
extern const struct transport transport_tcp;
extern const struct transport transport_tls;

/* Chooses the transport; closed at first. */
void wire_init(struct fieldway_line *line);
bool wire_is_open(const struct fieldway_line *line);
/* Closed, and the pause between connections is not over. */
bool wire_rests(const struct fieldway_line *line);
/* By the deadline, and within the bus's timeout. 0, or result's error. */
int wire_open(struct fieldway_line *line, uint64_t deadline_usec, struct fieldway_result *result);
/* Does nothing when it is closed. */
void wire_close(struct fieldway_line *line);

/* The tap hears both. */
int wire_send(struct fieldway_line *line, const uint8_t *bytes, size_t size, uint64_t deadline_usec);
/* At least one byte, or -ETIMEDOUT when until_usec has come. */
ssize_t wire_receive(struct fieldway_line *line, uint8_t *bytes, size_t size, uint64_t until_usec);

/* Waits for events of poll(). 0 or -ETIMEDOUT. */
int wire_wait(int fd, short events, uint64_t until_usec);
/* write() or send() of all, in as many pieces as it takes. */
int wire_write(int fd, bool is_socket, const uint8_t *bytes, size_t size, uint64_t deadline_usec);
