/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"

#define DEFAULT_TCP_PORT 502
#define DEFAULT_CONNECTIONS 1
#define MAX_CONNECTIONS 16
#define DEFAULT_BAUD 9600
#define DEFAULT_FORMAT "8E1"

/* A bus's settings, compiled. */
struct bus {
	bool serial;
	uint64_t timeout_usec; /* silence after which a request has failed */
	uint64_t pause_usec;   /* between an answer and the next request */
	uint16_t port;         /* TCP: of hosts that name none */
	uint32_t connections;  /* TCP: to each host:port */
	uint32_t baud;         /* serial, and what follows */
	int data_bits, stop_bits;
	char parity;           /* N E O */
	char device[256];
};

/* 0, or -EINVAL with error. Opens nothing. */
int bus_compile(const struct fieldway_bus *from, struct bus *ret, struct fieldway_error *error);

/* How long so many bytes take on a serial line, start, parity and stop bits counted; 0 for TCP. */
uint64_t bus_wire_usec(const struct bus *bus, uint32_t bytes);
