/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A register cluster as requests to its device and back. Register types are the
 * functions that read them, as object 10375 has it. Pure.
 */

enum cluster_type {
	CLUSTER_COIL = 1,
	CLUSTER_DISCRETE = 2,
	CLUSTER_HOLDING = 3,
	CLUSTER_INPUT = 4,
};

struct cluster {
	uint16_t connection; /* instance of /10374 */
	uint8_t type;	     /* enum cluster_type */
	uint8_t unit;
	uint16_t start, quantity;
};

/* Application Protocol V1.1b3, 6.1 to 6.4, 6.11, 6.12. */
#define PDU_MAX 253u
#define CLUSTER_BITS_MAX 2000u
#define CLUSTER_REGISTERS_MAX 125u
#define WRITE_BITS_MAX 1968u
#define WRITE_REGISTERS_MAX 123u

static inline bool cluster_is_bits(const struct cluster *c)
{
	return c->type == CLUSTER_COIL || c->type == CLUSTER_DISCRETE;
}
static inline bool cluster_is_writable(const struct cluster *c)
{
	return c->type == CLUSTER_COIL || c->type == CLUSTER_HOLDING;
}

/* The request that reads all of it; returns its size. */
size_t pdu_read(const struct cluster *c, uint8_t ret[PDU_MAX]);
/* Its answer: c->quantity values. -EBADMSG. */
int pdu_read_answer(const struct cluster *c, const uint8_t *answer, size_t size, uint16_t *ret);

/* How many values one request writes. */
size_t pdu_write_max(const struct cluster *c);
/* The request that writes n values from the one at offset on; one alone by function 5 or 6. Returns its size. */
size_t pdu_write(const struct cluster *c, uint16_t offset, const uint16_t *values, size_t n,
		 uint8_t ret[PDU_MAX]);
/* The answer repeats what was written, and where. -EBADMSG. */
int pdu_write_answer(const uint8_t *request, const uint8_t *answer, size_t size);

/*
 * 0, or the error that an exception stands for, as backing_done has it, with
 * what people call it (section 7).
 */
#define EXCEPTION_TEXT_MAX 64u
int pdu_exception(const uint8_t *request, const uint8_t *answer, size_t size, char ret_text[EXCEPTION_TEXT_MAX]);
