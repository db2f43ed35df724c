/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/lib/layout.h"

/*
 * The words of the Modbus data model (Application Protocol V1.1b3, section 4.3) as this plugin uses them,
 * and device identification (section 6.21) as if it were a table too.
 */

enum area {
	AREA_COIL,
	AREA_DISCRETE,
	AREA_INPUT,
	AREA_HOLDING,
	AREA_IDENTIFICATION,
};

/* Application Protocol V1.1b3, section 6: the functions that write. */
enum function {
	FUNCTION_WRITE_COIL = 5,
	FUNCTION_WRITE_REGISTER = 6,
	FUNCTION_WRITE_COILS = 15,
	FUNCTION_WRITE_REGISTERS = 16,
	FUNCTION_MASK_REGISTER = 22,
	FUNCTION_WRITE_AND_READ = 23,
};

#define MAX_READ_REGISTERS 125u
#define MAX_WRITE_REGISTERS 123u
#define MAX_WRITE_READ_REGISTERS 121u /* function 23, section 6.17 */
#define BITS_PER_REGISTER 16u
#define MAX_READ_BITS (MAX_READ_REGISTERS * BITS_PER_REGISTER)
#define ADDRESSES 65536u           /* in each area */
#define MAX_ANSWER_BYTES (2 * MAX_READ_REGISTERS)
#define UNITS 256u
#define OBJECTS 256u               /* of a device's identification */
#define MAX_OBJECT_BYTES 244u      /* what is left of a PDU */

/* Where a point's value lies, and how its bytes are to be taken. */
struct point {
	enum area area;
	uint16_t address; /* as on the wire; with a model counted from its first register; an object's number */
	uint16_t count;	  /* registers, or 1 coil or object */
	uint8_t model;	  /* 1 + its place among the wishes of the device; 0: none */
	struct layout layout;
	bool readable, writable;
	struct {
		uint16_t address; /* counted as the other */
		enum function function;
	} write;
};

static inline bool area_has_bits(enum area area)
{
	return area == AREA_COIL || area == AREA_DISCRETE;
}
