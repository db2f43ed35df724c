/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

struct addrinfo;

/*
 * Connects to one of the addresses, each in turn, until the deadline
 * (CLOCK_MONOTONIC). keepalive_usec: a peer silent for so long is probed, and
 * given up after as long again; 0: as the system does. Returns the non-blocking
 * descriptor, or a negative errno.
 */
int socket_connect(const struct addrinfo *addresses, uint64_t keepalive_usec, uint64_t deadline_usec);
