/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "driver.h"

/*
 * A request and its answers, step by step, without line and clock: whoever has
 * these asks what is to be done, does it, and says what happened. The same for
 * reading and writing, for lines that block and for those that do not.
 */
enum conversation_state {
	CONVERSATION_SEND,   /* conversation_bytes() are to be sent */
	CONVERSATION_LISTEN, /* an answer is awaited */
	CONVERSATION_DONE,
	CONVERSATION_FAILED,
};

struct conversation {
	const struct fieldway_driver *driver;
	const struct step *steps;
	size_t n_steps, step;
	const struct fieldway_value *value; /* to be written; the caller's */
	bool comma;
	enum conversation_state state;
	uint32_t tries; /* sendings of this step */
	bool sent;	/* anything at all */
	uint8_t bytes[TEMPLATE_BYTES_MAX];
	size_t size;
	struct parse answers[STEPS_MAX];
	struct fieldway_result result; /* of FAILED */
	bool refused; /* FAILED: the device said no */
	char trouble[96]; /* what came in place of the answer; "": nothing */
};

void conversation_read(struct conversation *c, const struct fieldway_driver *driver, uint32_t request);
/* value is the device's: after point_encode(). Valid until the end. */
void conversation_write(struct conversation *c, const struct fieldway_driver *driver, uint32_t point,
			const struct fieldway_value *value);
/* The point's driver is another one that says the same. */
void conversation_follow(struct conversation *c, const struct fieldway_driver *driver, uint32_t point);
void conversation_done(struct conversation *c);

const struct step *conversation_step(const struct conversation *c);
/* The rate from which the step's answer comes, after its bytes were sent: 0 as before. */
uint32_t conversation_answer_baud(const struct conversation *c);
/* How long the silence may be. */
uint64_t conversation_timeout_usec(const struct conversation *c);

/* What happened. */
void conversation_sent(struct conversation *c);
/*
 * True when the frame is the answer or a refusal; false: somebody else's, or garbled.
 * boottime_usec: when its last byte came.
 */
bool conversation_frame(struct conversation *c, const struct frame *frame, uint64_t boottime_usec);
void conversation_silence(struct conversation *c);
/* Bytes came that never became a frame. */
void conversation_noise(struct conversation *c);
void conversation_fail(struct conversation *c, int error, const char *detail);

/* The answer that is such a message; NULL: there was none. */
const struct parse *conversation_answer(const struct conversation *c, const struct message *m);
/* What became of a write that failed, or was done. */
enum fieldway_outcome conversation_outcome(const struct conversation *c);
