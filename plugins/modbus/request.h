/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "line_state.h"
#include "plan.h"

/*
 * One transaction after the other on a line, each framed by line_prepare() and
 * line_settle(): what reading a chain of models, a device's identification or a
 * register before its bits are changed takes more than one of.
 */
struct task {
	struct fieldway_line *line;
	const struct fieldway_driver *driver;
	uint64_t deadline_usec;
	struct fieldway_result *result;
	bool *broken;
	bool sent; /* the last transaction has reached the line */
	int error; /* of the last transaction, as libmodbus has them; 0: none, or not sent */
};

/*
 * 0 and the answer's PDU (until the next one), its function the request's; else
 * result->error, negative. wire_bytes: expected, of both directions.
 */
int task_run(struct task *t, const uint8_t *pdu, size_t size, uint32_t wire_bytes,
	     const uint8_t **ret_answer, size_t *ret_size);
/* To everybody: nobody answers. 0 when it was sent, else result->error. */
int task_broadcast(struct task *t, const uint8_t *pdu, size_t size);
/* The answer is not what was asked for: as if it were another's. Returns result->error. */
int task_spoilt(struct task *t);
/* Exception so-and-so was the answer. */
bool task_met_exception(const struct task *t, unsigned code);

/* 0 and the data of the answer, as many bytes as the span has; or as task_run(). Address and area are the device's own. */
int task_read_span(struct task *t, const struct span *span, const uint8_t **ret_bytes);

/*
 * Walks the chain of the device's models to its end, if that is not known yet. 0;
 * or as task_run(), -EBUSY when there was not enough time for all of it: the next
 * one goes on; -EREMOTEIO: there is no signature.
 */
int task_find_models(struct task *t);
/* What is known of the device's models is worth nothing any more. */
void task_forget_models(struct task *t);
/* After a transaction with registers of a model: exception 2 says that they are not there any more. */
void task_check_models(struct task *t);

/*
 * The objects of the span's numbers that the device has, as
 * answer_decode() takes them. Returns their size, or as task_run().
 */
ssize_t task_identify(struct task *t, const struct fieldway_request *request, uint8_t *ret,
		      size_t size);

static inline void put16(uint8_t *bytes, uint32_t number)
{
	bytes[0] = (uint8_t)(number >> 8);
	bytes[1] = (uint8_t)number;
}
