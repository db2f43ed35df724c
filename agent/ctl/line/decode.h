/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json_t;

/* Registers as `fieldwayctl probe` shows them. Pure. */
struct probed {
	uint32_t address;
	bool there;
	uint16_t value;	     /* or 0 and 1 of a bit */
	const char *problem; /* why it is not there */
};

/* Orders of bytes as profiles have them, for 2, 4 and 8 bytes. NULL: these are too few for it. */
#define DECODE_ORDERS 4u
const char *decode_order_name(unsigned order, unsigned bytes);
/*
 * The bytes of some registers, first high byte first, put in order: the most
 * significant one becomes the first; n is 1, 2 or 4 registers.
 */
uint64_t decode_number(const struct probed *registers, unsigned n, unsigned order);
/* Neither 0 nor NaN, and of a size that measurements have: 0.001 to 10,000,000. */
bool decode_is_plausible(double value);

/* [{address, value, problem}], and [{type, address, order, value, plausible}], values as text. */
struct json_t *probe_document(const struct probed *registers, size_t n);
struct json_t *probe_decoded_document(const struct probed *registers, size_t n);
/* The registers one by one; what stands next to each other in ascending order. 0 or -ENOMEM. */
int probe_print(FILE *to, const char *area, const struct probed *registers, size_t n);
/* All that can begin at each of them, in all orders. 0 or -ENOMEM. */
int probe_print_decoded(FILE *to, const struct probed *registers, size_t n);
