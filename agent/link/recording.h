/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"

/*
 * A recording of what goes over wires is text, a line for each piece:
 *
 *	+12.345678 /dev/ttyUSB0 > 01 03 00 00 00 02 c4 0b
 *
 * Seconds since the recording began, the line's name (what is not printable
 * ASCII as '_', blanks too), > sent or < received, and up to
 * RECORDING_BYTES_MAX bytes in hexadecimal: what is longer takes several lines.
 * A line that begins with # is for people; "# N pieces were dropped" stands
 * where the reader was too slow for so many. Hosts write it, fieldwayctl reads it. Pure.
 */
#define RECORDING_BYTES_MAX 256u
#define RECORDING_NAME_MAX 255u
#define RECORDING_LINE_MAX 1152u

struct recording_piece {
	uint64_t usec; /* since the beginning */
	char name[RECORDING_NAME_MAX + 1];
	enum fieldway_direction direction;
	uint8_t bytes[RECORDING_BYTES_MAX];
	size_t n;
};

/* At most RECORDING_BYTES_MAX bytes; the name is cut. Returns the length with its newline. */
size_t recording_format(uint64_t usec, const char *name, enum fieldway_direction direction,
			const void *bytes, size_t n, char ret[RECORDING_LINE_MAX]);
/* A line, with or without its newline: 1 a piece, 0 nothing but for people, -EBADMSG. */
int recording_parse(const char *text, size_t size, struct recording_piece *ret);
