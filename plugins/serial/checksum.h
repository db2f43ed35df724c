/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Checksums of serial frames. Pure. */

enum checksum_kind {
	CHECKSUM_NONE,
	CHECKSUM_CRC16_MODBUS,
	CHECKSUM_CRC16_IBM,
	CHECKSUM_CRC16_CCITT,
	CHECKSUM_CRC16_XMODEM,
	CHECKSUM_CRC16_KERMIT,
	CHECKSUM_CRC16_X25,
	CHECKSUM_CRC8,
	CHECKSUM_CRC8_MAXIM,
	CHECKSUM_LRC,
	CHECKSUM_SUM8,
	CHECKSUM_SUM16,
	CHECKSUM_XOR,
};
extern const char *const checksum_names[]; /* in that order, NULL at the end: choices of the key */

enum checksum_format {
	CHECKSUM_BINARY,
	CHECKSUM_HEX,
};
extern const char *const checksum_formats[];

/*
 * Where a frame has its checksum and what it counts. Places are offsets into
 * the frame as it was on the wire, delimiters and all; negative ones count
 * from its end, -1 is the last byte.
 */
struct checksum {
	enum checksum_kind kind;
	enum checksum_format format;
	bool little;  /* low byte first */
	int32_t first; /* first byte that counts */
	int32_t last;  /* last byte that counts */
	int32_t at;    /* where it stands */
};

/* 16-bit ones give 16 bits. kind NONE gives 0. */
uint16_t checksum_compute(enum checksum_kind kind, const uint8_t *bytes, size_t size);

/* How many bytes it takes on the wire. */
size_t checksum_size(const struct checksum *c);

/* Writes it there, for the bytes that are given. */
void checksum_put(const struct checksum *c, uint16_t sum, uint8_t *ret);

/* 0, -EBADMSG when the frame's is another, or the frame is too short to have one. */
int checksum_check(const struct checksum *c, const uint8_t *frame, size_t size);
