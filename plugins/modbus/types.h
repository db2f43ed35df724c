/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The words of the Modbus data model (Application Protocol V1.1b3, section 4.3) as this plugin uses them. */

enum area {
	AREA_COIL,
	AREA_DISCRETE,
	AREA_INPUT,
	AREA_HOLDING,
};

enum data {
	DATA_BOOL,
	DATA_INT16,
	DATA_UINT16,
	DATA_INT32,
	DATA_UINT32,
	DATA_INT64,
	DATA_UINT64,
	DATA_FLOAT32,
	DATA_FLOAT64,
	DATA_STRING,
};

/* Application Protocol V1.1b3, section 6: the functions that write. */
enum function {
	FUNCTION_WRITE_COIL = 5,
	FUNCTION_WRITE_REGISTER = 6,
	FUNCTION_WRITE_COILS = 15,
	FUNCTION_WRITE_REGISTERS = 16,
};

#define MAX_READ_REGISTERS 125u
#define MAX_WRITE_REGISTERS 123u
#define BITS_PER_REGISTER 16u
#define MAX_READ_BITS (MAX_READ_REGISTERS * BITS_PER_REGISTER)
#define ADDRESSES 65536u           /* in each area */
#define MAX_ANSWER_BYTES (2 * MAX_READ_REGISTERS)
#define UNITS 256u

/* Where a point's value lies, and how its bytes are to be taken. */
struct point {
	enum area area;
	uint16_t address;
	uint16_t count;  /* registers, or 1 coil */
	enum data data;
	uint8_t order;   /* byte i of the value (0: highest) is byte i ^ order on the wire */
	int8_t bit;      /* of the value, or -1: the whole value */
	uint16_t length; /* bytes of a string */
	bool readable, writable;
	struct {
		uint16_t address;
		enum function function;
	} write;
};

static inline bool area_has_bits(enum area area)
{
	return area == AREA_COIL || area == AREA_DISCRETE;
}
