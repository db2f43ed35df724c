/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "plugins/lib/rs485.h"

#define DEFAULT_BAUD 9600
#define DEFAULT_FORMAT "8N1"

/* What a modem line is set to when the port is opened. */
enum level {
	LEVEL_LEFT, /* as the driver has it: high */
	LEVEL_LOW,
	LEVEL_HIGH,
};

/* A bus's settings, compiled: a serial port, or a serial device server that hands bytes on over TCP. */
struct bus {
	uint64_t timeout_usec;
	bool tcp;
	char host[254]; /* TCP: name or address */
	uint16_t port;
	uint32_t baud;
	int data_bits, stop_bits;
	char parity; /* N E O */
	struct rs485 rs485;
	enum level dtr, rts;
	char name[264]; /* the path, or HOST:PORT: for people, and the line's name */
};

extern const char *const level_names[];

/* 0, or -EINVAL with error. Opens nothing, asks nobody. */
int bus_compile(const struct fieldway_bus *from, struct bus *ret, struct fieldway_error *error);

/* Is it a rate that ports know? */
bool bus_knows_baud(uint32_t baud);
/* How long so many bytes take at that rate; 0 over TCP. */
uint64_t bus_wire_usec(const struct bus *b, uint32_t baud, uint32_t bytes);
