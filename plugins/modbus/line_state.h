/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <modbus.h>

#include "bus.h"
#include "errors.h"
#include "frame.h"
#include "line.h"
#include "types.h"

/* Shared by the files that make up a line: line, wire and its transports, exchange, raw, transfer. */

struct transport;
struct secure;

/* What came that was no answer, since it was last told. */
struct met {
	unsigned late;    /* bytes that came before a request, of an answer given up */
	unsigned foreign; /* frames that were not the answer */
	uint8_t unit;     /* of the last of these */
	unsigned garbled; /* bytes that were no frame */
};

struct fieldway_line {
	struct bus bus;
	const struct transport *transport;
	const struct fieldway_tap *tap;
	char *host; /* connections */
	struct lookup *lookup;
	uint16_t port;
	int fd;                  /* -1: closed */
	modbus_t *modbus;        /* serial: has opened the port */
	bool claimed;            /* serial: for this line alone */
	struct secure *secure;   /* TLS: the session */
	uint16_t transaction;    /* MBAP: of the last request */
	uint8_t bytes[2 * MAX_FRAME_BYTES]; /* that have come since the request */
	size_t n_bytes;
	struct frame answer;
	struct met met;
	unsigned unheard;        /* requests since anything was heard */
	uint64_t answer_usec;    /* so long is the answer waited for */
	uint64_t resume_usec;    /* no request before a pause is over */
	uint64_t reconnect_usec; /* no connection before */
	uint64_t used_usec;      /* when the last request ended */
	uint64_t quiet_usec;     /* no MBAP: until then bytes may come that nobody waits for */
	uint64_t late_usec[UNITS]; /* no MBAP: until then this unit may still answer an earlier request */
};

/*
 * Brings the line into a state in which the next bytes can only be the answer
 * to what is sent next, and sets until when it may come: min(timeout, deadline).
 * wire_bytes: of the request and its answer. 0, or a negative errno with result;
 * nothing has been sent then.
 */
int line_prepare(struct fieldway_line *line, uint8_t unit, uint32_t wire_bytes, uint64_t deadline_usec,
		 struct fieldway_result *result, bool *ret_broken);

/* After a request: error is 0 or libmodbus's errno; remembers what the line now owes. Fills result. */
void line_settle(struct fieldway_line *line, uint8_t unit, int error, struct fieldway_result *result,
		 bool *ret_broken);
