/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * libmodbus select()s on its descriptors, which aborts the process or worse at
 * FD_SETSIZE; it does so in its own connect, too. So connections are made here,
 * and descriptors beyond that are refused.
 */

/* 0, or -EMFILE when libmodbus could not use the descriptor. */
int descriptor_check(int fd);

struct addrinfo;

/*
 * Connects to one of the addresses, each in turn, until the deadline
 * (CLOCK_MONOTONIC). Returns the non-blocking descriptor, or a negative errno.
 */
int socket_connect(const struct addrinfo *addresses, uint64_t deadline_usec);

/* May a request be sent: nothing unread, not closed by the peer? */
int socket_is_clean(int fd);
