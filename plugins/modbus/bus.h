/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "frame.h"
#include "plugins/lib/rs485.h"

#define DEFAULT_TCP_PORT 502
#define DEFAULT_TLS_PORT 802 /* MODBUS/TCP Security, section 6 */
#define DEFAULT_CONNECTIONS 1
#define MAX_CONNECTIONS 16
#define DEFAULT_BAUD 9600
#define DEFAULT_FORMAT "8E1"
#define DEFAULT_ASCII_FORMAT "7E1"
#define MAX_PAUSE_USEC 60000000

/* A serial port. */
struct serial {
	char device[256];
	uint32_t baud;
	int data_bits, stop_bits;
	char parity;           /* N E O */
	struct rs485 rs485;
};

/* The credentials of TLS: values of the settings; server_name may be NULL. */
struct tls {
	const struct fieldway_value *ca, *certificate, *key, *server_name;
};

/* A bus's settings, compiled. Points into them. */
struct bus {
	enum framing framing;
	bool serial;                  /* else it makes connections */
	bool secure;                  /* connections with TLS */
	uint64_t timeout_usec;        /* silence after which a request has failed */
	uint64_t pause_usec;          /* between an answer and the next request */
	uint64_t connect_pause_usec;  /* between opening and the first request */
	uint64_t gap_usec;            /* silence that ends a frame of which nothing says how long it is */
	uint64_t reconnect_pause_usec; /* connections, and what follows: between one and the next */
	uint64_t idle_usec;           /* one not used for so long is closed; 0: never */
	uint64_t keepalive_usec;      /* probes of one that is silent; 0: the system's */
	uint16_t port;                /* of hosts that name none */
	uint32_t connections;         /* to each host:port */
	struct tls tls;
	struct serial line;           /* serial */
};

/* 0, or -EINVAL with error. Opens nothing. */
int bus_compile(const struct fieldway_bus *from, struct bus *ret, struct fieldway_error *error);

/* Of a serial bus: its settings below "rtu.", or "ascii." as framing says. */
int serial_compile(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error);

/*
 * How long so many bytes of an RTU frame take on a serial line, start, parity
 * and stop bits counted; as ASCII they are twice as many. 0 for connections.
 */
uint64_t bus_wire_usec(const struct bus *bus, uint32_t bytes);
