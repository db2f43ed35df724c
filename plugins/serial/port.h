/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "bus.h"

/* Opening what bytes come from. Nothing here waits. */

/* The constant that termios has for a rate, -EINVAL for one that it does not have. */
int port_speed(uint32_t baud);

/*
 * A descriptor that is closed on exec and does not block; a serial port is
 * exclusive, raw, at the bus's rate, its old input thrown away. A TCP
 * connection may still be under way: it is writable when it has come about or
 * failed, see port_connected(). Returns it or a negative errno; *ret_why (may
 * stay NULL) says more.
 */
int port_open(const struct bus *bus, const char **ret_why);
/* 0, or the negative errno of the connection that failed. Serial: 0. */
int port_connected(const struct bus *bus, int fd);
/* Changes the rate, when everything has been sent. Over TCP nothing. */
int port_set_baud(const struct bus *bus, int fd, uint32_t baud);
/* Bytes that have not left the port yet; 0 over TCP. */
int port_pending(const struct bus *bus, int fd);
void port_close(int fd);
