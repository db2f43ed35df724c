/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "line_state.h"

/*
 * One request and its answer, both as PDUs, on a line that line_prepare() has
 * made ready. What comes is looked at until the answer is among it: of the
 * unit, and the transaction where there are such, and to the function. What
 * else comes is counted (line->met) and passed over, a late answer too.
 *
 * Returns 0 and where the answer's PDU lies in line (until the next request).
 * Else an errno, libmodbus's among them: what was worst of what came, when
 * the answer did not.
 */

/* The answer may be an exception. */
int exchange_transfer(struct fieldway_line *line, uint8_t unit, const uint8_t *pdu, size_t size,
		      const uint8_t **ret_answer, size_t *ret_size);

/* An exception is libmodbus's errno for it; else the answer's function is the request's. */
int exchange_run(struct fieldway_line *line, uint8_t unit, const uint8_t *pdu, size_t size,
		 const uint8_t **ret_answer, size_t *ret_size);

/* A request that nobody answers: a broadcast. 0 or an errno. */
int exchange_send(struct fieldway_line *line, uint8_t unit, const uint8_t *pdu, size_t size);
