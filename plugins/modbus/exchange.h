/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "line_state.h"

/* The longest PDU: Application Protocol V1.1b3, section 4.1. */
#define MAX_PDU_BYTES 253u

/*
 * One request and its answer, both as PDUs, on a line that line_prepare() has
 * made ready. libmodbus's functions for single requests check neither the unit
 * of a TCP answer nor what a write's answer confirms, so requests are framed
 * here, and answers checked for all that tells them apart: transaction, unit,
 * function, length. libmodbus receives, within its response timeout.
 *
 * Returns 0 and where the answer's PDU lies in line (until the next request);
 * its function is the request's. Else an errno as libmodbus has them, an
 * exception's among them.
 */
int exchange_run(struct fieldway_line *line, uint8_t unit, const uint8_t *pdu, size_t size,
		 const uint8_t **ret_answer, size_t *ret_size);

/* A request that nobody answers: a broadcast. 0 or an errno. */
int exchange_send(struct fieldway_line *line, uint8_t unit, const uint8_t *pdu, size_t size);
