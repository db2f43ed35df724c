/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <modbus.h>

#include "bus.h"
#include "errors.h"
#include "line.h"
#include "types.h"

/* Shared by line.c (opening, keeping in step), exchange.c (frames) and transfer.c (requests) only. */

struct fieldway_line {
	struct bus bus;
	char *host; /* TCP */
	struct lookup *lookup; /* TCP */
	uint16_t port;
	modbus_t *modbus;
	uint16_t transaction;      /* TCP: of the last request */
	uint8_t answer[MODBUS_MAX_ADU_LENGTH];
	uint64_t resume_usec;      /* not before the pause is over */
	uint64_t idle_usec;        /* serial: until then bytes may come that nobody waits for */
	uint64_t late_usec[UNITS]; /* serial: until then this unit may still answer an earlier request */
};

/*
 * Brings the line into a state in which the next bytes can only be the answer
 * to what is sent next, and sets libmodbus's timeouts: min(timeout, deadline).
 * wire_bytes: of the request and its answer. 0, or a negative errno with result;
 * nothing has been sent then.
 */
int line_prepare(struct fieldway_line *line, uint8_t unit, uint32_t wire_bytes, uint64_t deadline_usec,
		 struct fieldway_result *result, bool *ret_broken);

/* After a request: error is 0 or libmodbus's errno; remembers what the line now owes. Fills result. */
void line_settle(struct fieldway_line *line, uint8_t unit, int error, struct fieldway_result *result,
		 bool *ret_broken);
