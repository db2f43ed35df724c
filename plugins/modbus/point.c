/* SPDX-License-Identifier: Apache-2.0 */
#include "point.h"

#include "plugins/lib/settings.h"

const char *const area_names[] = { "coil", "discrete", "input", "holding", NULL };
const char *const data_names[] = { "bool",   "int16",  "uint16",  "int32",   "uint32", "int64",
				   "uint64", "float32", "float64", "string", NULL };
const char *const order_names[] = { "AB",       "BA",       "ABCD",     "CDAB",     "BADC",
				    "DCBA",     "ABCDEFGH", "HGFEDCBA", "BADCFEHG", "GHEFCDAB",
				    "EFGHABCD", "CDABGHEF", "DCBAHGFE", "FEHGBADC", NULL };

enum {
	SWAP_BYTES = 1,
	SWAP_REGISTERS = 2,
	SWAP_PAIRS = 4,
};

/* By order_names. A name of four letters that swaps registers turns the whole of a longer value round. */
static const uint8_t order_swaps[] = {
	0,
	SWAP_BYTES,
	0,
	SWAP_REGISTERS | SWAP_PAIRS,
	SWAP_BYTES,
	SWAP_BYTES | SWAP_REGISTERS | SWAP_PAIRS,
	0,
	SWAP_BYTES | SWAP_REGISTERS | SWAP_PAIRS,
	SWAP_BYTES,
	SWAP_REGISTERS | SWAP_PAIRS,
	SWAP_PAIRS,
	SWAP_REGISTERS,
	SWAP_BYTES | SWAP_REGISTERS,
	SWAP_BYTES | SWAP_PAIRS,
};
_Static_assert(sizeof(order_names) / sizeof(order_names[0]) == sizeof(order_swaps) + 1, "one each");

static const uint8_t data_sizes[] = {
	[DATA_BOOL] = 2,   [DATA_INT16] = 2,  [DATA_UINT16] = 2,  [DATA_INT32] = 4,   [DATA_UINT32] = 4,
	[DATA_INT64] = 8,  [DATA_UINT64] = 8, [DATA_FLOAT32] = 4, [DATA_FLOAT64] = 8, [DATA_STRING] = 0,
};

size_t point_size(const struct point *p)
{
	return area_has_bits(p->area) ? 0 : data_sizes[p->data];
}

static bool data_is_integer(enum data data)
{
	return data >= DATA_INT16 && data <= DATA_UINT64;
}

static int compile_place(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	int area = setting_choice(s, "area", area_names, AREA_HOLDING);
	uint64_t address = setting_uint(s, "address", ADDRESSES);

	if (area < 0)
		return setting_refuse(error, "area", "area is one of coil, discrete, input, holding");
	if (!setting_has(s, "address"))
		return setting_refuse(error, "address", "the point has no address");
	if (address >= ADDRESSES)
		return setting_refuse(error, "address", "an address is 0 to %u", ADDRESSES - 1);
	p->area = (enum area)area;
	p->address = (uint16_t)address;
	return 0;
}

static int compile_string(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	uint64_t length = setting_uint(s, "length", 0);

	if (p->data != DATA_STRING) {
		if (setting_has(s, "length"))
			return setting_refuse(error, "length", "only a string has a length");
		return 0;
	}
	if (length < 1 || length > MAX_ANSWER_BYTES)
		return setting_refuse(error, "length", "a string needs a length of 1 to %u bytes",
				      MAX_ANSWER_BYTES);
	p->length = (uint16_t)length;
	p->count = (uint16_t)((length + 1) / 2);
	return 0;
}

static int compile_type(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	bool bits = area_has_bits(p->area);
	int data = setting_choice(s, "type", data_names, bits ? DATA_BOOL : DATA_UINT16);
	int order = setting_choice(s, "order", order_names, 0);

	if (data < 0)
		return setting_refuse(error, "type", "there is no such type");
	if (order < 0)
		return setting_refuse(error, "order", "there is no such order");
	if (bits && data != DATA_BOOL)
		return setting_refuse(error, "type", "area %s holds single bits: its type is bool, not %s",
				      area_names[p->area], data_names[data]);
	p->data = (enum data)data;
	p->order = order_swaps[order];
	p->count = bits ? 1 : data_sizes[data] / 2;
	return compile_string(s, p, error);
}

static int compile_bit(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	uint64_t bit = setting_uint(s, "bit", 0);

	p->bit = -1;
	if (!setting_has(s, "bit"))
		return 0;
	if (area_has_bits(p->area))
		return setting_refuse(error, "bit", "area %s holds single bits already", area_names[p->area]);
	if (p->data == DATA_BOOL)
		p->data = DATA_UINT16;
	if (!data_is_integer(p->data))
		return setting_refuse(error, "bit", "type %s has no bits to choose from", data_names[p->data]);
	if (bit >= 8u * data_sizes[p->data])
		return setting_refuse(error, "bit", "type %s has the bits 0 to %u", data_names[p->data],
				      8u * data_sizes[p->data] - 1);
	p->bit = (int8_t)bit;
	return 0;
}

static int check_function(const struct point *p, struct fieldway_error *error)
{
	enum function function = p->write.function;
	bool coils = function == FUNCTION_WRITE_COIL || function == FUNCTION_WRITE_COILS;

	if (coils != area_has_bits(p->area))
		return setting_refuse(error, "write.function", "function %d does not write %s", function,
				      area_has_bits(p->area) ? "coils" : "registers");
	if (function == FUNCTION_WRITE_REGISTER && p->count != 1)
		return setting_refuse(error, "write.function",
				      "function 6 writes one register, the point has %u", p->count);
	if (p->count > MAX_WRITE_REGISTERS)
		return setting_refuse(error, "length", "one request writes at most %u bytes",
				      2 * MAX_WRITE_REGISTERS);
	return 0;
}

static enum function default_function(const struct point *p)
{
	if (area_has_bits(p->area))
		return FUNCTION_WRITE_COIL;
	return p->count == 1 ? FUNCTION_WRITE_REGISTER : FUNCTION_WRITE_REGISTERS;
}

static int compile_write(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	uint64_t address = setting_uint(s, "write.address", p->address);
	uint64_t function = setting_uint(s, "write.function", default_function(p));

	if (!p->writable)
		return 0;
	if (p->bit >= 0)
		return setting_refuse(error, "bit", "a bit of a register cannot be written");
	if ((p->area == AREA_DISCRETE || p->area == AREA_INPUT) && !setting_has(s, "write.address"))
		return setting_refuse(error, "area", "area %s cannot be written: it needs write.address",
				      area_names[p->area]);
	if (address + p->count > ADDRESSES)
		return setting_refuse(error, "write.address", "the value would end behind address %u",
				      ADDRESSES - 1);
	if (function != FUNCTION_WRITE_COIL && function != FUNCTION_WRITE_REGISTER &&
	    function != FUNCTION_WRITE_COILS && function != FUNCTION_WRITE_REGISTERS)
		return setting_refuse(error, "write.function", "the functions that write are 5, 6, 15, 16");
	p->write.address = (uint16_t)address;
	p->write.function = (enum function)function;
	return check_function(p, error);
}

int point_compile(const struct fieldway_point *from, struct point *ret, struct fieldway_error *error)
{
	const struct fieldway_settings *s = &from->settings;
	struct point p = { .readable = from->readable, .writable = from->writable };
	int r;

	r = compile_place(s, &p, error);
	if (r < 0)
		return r;
	r = compile_type(s, &p, error);
	if (r < 0)
		return r;
	r = compile_bit(s, &p, error);
	if (r < 0)
		return r;
	if ((unsigned)p.address + p.count > ADDRESSES)
		return setting_refuse(error, "address", "the value would end behind address %u",
				      ADDRESSES - 1);
	r = compile_write(s, &p, error);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}
