/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bus.h"

/* Opening what bytes come from. Nothing waits but for a name, as long as it is told. */

/* The constant that termios has for a rate, -EINVAL for one that it does not have. */
int port_speed(uint32_t baud);

struct lookup;
struct termios;

/* Raw bytes in the bus's format, but for the rate. */
void port_format(const struct bus *bus, struct termios *t);

/*
 * A descriptor that is closed on exec and does not block; a serial port is
 * exclusive, raw, at the bus's rate, its old input thrown away. A TCP
 * connection may still be under way: it is writable when it has come about or
 * failed, see port_connected(). Of several addresses attempt, counted up, takes
 * one after the other. Returns it or a negative errno; *ret_why (may stay NULL)
 * says more.
 *
 * lookup: of the TCP host, waited for until the deadline (CLOCK_MONOTONIC), 0 not
 * at all; -EINPROGRESS: it is not known yet, ask again.
 */
int port_open(const struct bus *bus, struct lookup *lookup, unsigned attempt, uint64_t deadline_usec,
	      const char **ret_why);
/* 0, or the negative errno of the connection that failed. Serial: 0. */
int port_connected(const struct bus *bus, int fd);
/* Changes the rate, when everything has been sent. Over TCP nothing. */
int port_set_baud(const struct bus *bus, int fd, uint32_t baud);
/* Bytes that have not left the port yet; 0 over TCP. */
int port_pending(const struct bus *bus, int fd);
void port_close(int fd);
