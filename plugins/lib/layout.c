/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

#include <inttypes.h>
#include <string.h>

#include "layout_bytes.h"
#include "layout_time.h"
#include "settings.h"

const char *const layout_type_names[] = {
	"bool",	      "int8",	"uint8",      "int16",	  "uint16", "int24",   "uint24",  "int32",
	"uint32",     "int48",	"uint48",     "int64",	  "uint64", "float16", "float32", "float64",
	"bcd8",	      "bcd16",	"bcd24",      "bcd32",	  "bcd48",  "bcd64",   "unix32",  "unix64",
	"cp56time2a", "ymdhms", "ymdhms_bcd", "ymdhms16", "string", "bytes",   NULL,
};
const char *const layout_order_names[] = {
	"AB",	    "BA",	"ABCD",	    "CDAB",	"BADC",	    "DCBA",
	"ABCDEFGH", "HGFEDCBA", "BADCFEHG", "GHEFCDAB", "EFGHABCD", "CDABGHEF",
	"DCBAHGFE", "FEHGBADC", "ABC",	    "CBA",	"ABCDEF",   "EFCDAB",
	"BADCFE",   "FEDCBA",	"big",	    "little",	NULL,
};

enum {
	SWAP_BYTES = 1,
	SWAP_REGISTERS = 2,
	SWAP_PAIRS = 4,
	SWAP_ALL = SWAP_BYTES | SWAP_REGISTERS | SWAP_PAIRS,
	SWAP_WORDS = SWAP_REGISTERS | SWAP_PAIRS,
};

/* By layout_order_names. A name that swaps all its registers turns the whole of a longer value round. */
static const uint8_t order_swaps[] = {
	0,
	SWAP_BYTES,
	0,
	SWAP_WORDS,
	SWAP_BYTES,
	SWAP_ALL,
	0,
	SWAP_ALL,
	SWAP_BYTES,
	SWAP_WORDS,
	SWAP_PAIRS,
	SWAP_REGISTERS,
	SWAP_BYTES | SWAP_REGISTERS,
	SWAP_BYTES | SWAP_PAIRS,
	0,
	SWAP_ALL,
	0,
	SWAP_WORDS,
	SWAP_BYTES,
	SWAP_ALL,
	0,
	SWAP_ALL,
};
_Static_assert(sizeof(layout_order_names) / sizeof(layout_order_names[0]) ==
		       sizeof(order_swaps) + 1,
	       "one each");

static const struct {
	enum layout_kind kind;
	uint8_t size;	   /* bytes; 0: length says */
	uint8_t registers; /* bytes in whole registers; 0: the type is none for registers */
} types[] = {
	[LAYOUT_BOOL] = { LAYOUT_KIND_BOOL, 1, 2 },
	[LAYOUT_INT8] = { LAYOUT_KIND_SIGNED, 1, 0 },
	[LAYOUT_UINT8] = { LAYOUT_KIND_UNSIGNED, 1, 0 },
	[LAYOUT_INT16] = { LAYOUT_KIND_SIGNED, 2, 2 },
	[LAYOUT_UINT16] = { LAYOUT_KIND_UNSIGNED, 2, 2 },
	[LAYOUT_INT24] = { LAYOUT_KIND_SIGNED, 3, 0 },
	[LAYOUT_UINT24] = { LAYOUT_KIND_UNSIGNED, 3, 0 },
	[LAYOUT_INT32] = { LAYOUT_KIND_SIGNED, 4, 4 },
	[LAYOUT_UINT32] = { LAYOUT_KIND_UNSIGNED, 4, 4 },
	[LAYOUT_INT48] = { LAYOUT_KIND_SIGNED, 6, 6 },
	[LAYOUT_UINT48] = { LAYOUT_KIND_UNSIGNED, 6, 6 },
	[LAYOUT_INT64] = { LAYOUT_KIND_SIGNED, 8, 8 },
	[LAYOUT_UINT64] = { LAYOUT_KIND_UNSIGNED, 8, 8 },
	[LAYOUT_FLOAT16] = { LAYOUT_KIND_FLOAT, 2, 2 },
	[LAYOUT_FLOAT32] = { LAYOUT_KIND_FLOAT, 4, 4 },
	[LAYOUT_FLOAT64] = { LAYOUT_KIND_FLOAT, 8, 8 },
	[LAYOUT_BCD8] = { LAYOUT_KIND_BCD, 1, 0 },
	[LAYOUT_BCD16] = { LAYOUT_KIND_BCD, 2, 2 },
	[LAYOUT_BCD24] = { LAYOUT_KIND_BCD, 3, 0 },
	[LAYOUT_BCD32] = { LAYOUT_KIND_BCD, 4, 4 },
	[LAYOUT_BCD48] = { LAYOUT_KIND_BCD, 6, 6 },
	[LAYOUT_BCD64] = { LAYOUT_KIND_BCD, 8, 8 },
	[LAYOUT_UNIX32] = { LAYOUT_KIND_TIME, 4, 4 },
	[LAYOUT_UNIX64] = { LAYOUT_KIND_TIME, 8, 8 },
	[LAYOUT_CP56TIME2A] = { LAYOUT_KIND_TIME, CP56_BYTES, CP56_BYTES + 1 },
	[LAYOUT_YMDHMS] = { LAYOUT_KIND_TIME, YMDHMS_BYTES, YMDHMS_BYTES },
	[LAYOUT_YMDHMS_BCD] = { LAYOUT_KIND_TIME, YMDHMS_BYTES, YMDHMS_BYTES },
	[LAYOUT_YMDHMS16] = { LAYOUT_KIND_TIME, YMDHMS16_BYTES, YMDHMS16_BYTES },
	[LAYOUT_STRING] = { LAYOUT_KIND_TEXT, 0, 0 },
	[LAYOUT_BYTES] = { LAYOUT_KIND_TEXT, 0, 0 },
};
_Static_assert(sizeof(layout_type_names) / sizeof(layout_type_names[0]) ==
		       sizeof(types) / sizeof(types[0]) + 1,
	       "one each");

enum layout_kind layout_kind(enum layout_type type)
{
	return types[type].kind;
}

const char *layout_type_name(const struct layout *l)
{
	return layout_type_names[l->type];
}

bool layout_is_partial(const struct layout *l)
{
	return l->mask != 0;
}

static bool kind_is_integer(enum layout_kind kind)
{
	return kind == LAYOUT_KIND_SIGNED || kind == LAYOUT_KIND_UNSIGNED;
}

/* Are the swaps of the pairs and of the registers the same, for what has an odd number of registers? */
static bool turns_registers_whole(uint8_t order)
{
	return (order & SWAP_WORDS) == 0 || (order & SWAP_WORDS) == SWAP_WORDS;
}

/* Not every order says what becomes of three bytes, or of three registers. */
static bool order_fits(const struct layout *l)
{
	if (l->size % 2)
		return l->size == 1 || l->order == 0 || l->order == SWAP_ALL;
	return l->size != 6 || turns_registers_whole(l->order);
}

size_t layout_place(const struct layout *l, size_t i)
{
	size_t last = l->size - 1u;

	if (layout_kind(l->type) == LAYOUT_KIND_TEXT)
		return l->registers ? i ^ (l->order & SWAP_BYTES) : i;
	/* Numbers of 16 bits each, whose sequence no order changes. */
	if (l->type == LAYOUT_YMDHMS16)
		return i ^ (l->order & SWAP_BYTES);
	if (l->size % 2)
		return l->order ? last - i : i;
	if (l->size == 6)
		return ((l->order & SWAP_REGISTERS ? 4 - (i & ~(size_t)1) : (i & ~(size_t)1)) |
			(i & 1)) ^
		       (l->order & SWAP_BYTES);
	return i ^ (l->order & last);
}

uint64_t layout_gather(const struct layout *l, const uint8_t *bytes)
{
	uint64_t raw = 0;

	for (size_t i = 0; i < l->size; i++)
		raw = raw << 8 | bytes[layout_place(l, i)];
	return raw;
}

void layout_scatter(const struct layout *l, uint64_t raw, uint8_t *ret_bytes)
{
	for (size_t i = 0; i < l->size; i++)
		ret_bytes[layout_place(l, i)] = (uint8_t)(raw >> 8 * (l->size - 1u - i));
}

static unsigned highest_bit(uint64_t bits)
{
	return 63u - (unsigned)__builtin_clzll(bits);
}

uint64_t layout_unmask(const struct layout *l, uint64_t raw)
{
	uint64_t sign;

	sign = UINT64_C(1) << (l->mask ? highest_bit(l->mask) - l->shift : 8u * l->size - 1u);
	if (l->mask)
		raw = (raw & l->mask) >> l->shift;
	return layout_kind(l->type) == LAYOUT_KIND_SIGNED && !l->is_bit ? (raw ^ sign) - sign : raw;
}

void layout_mask(const struct layout *l, uint8_t *ret_bytes)
{
	if (layout_is_partial(l))
		layout_scatter(l, l->mask, ret_bytes);
	else
		memset(ret_bytes, 0xff, l->size);
}

static int compile_length(const struct fieldway_settings *s, const struct layout_rules *rules,
			  struct layout *l, struct fieldway_error *error)
{
	uint64_t length = setting_uint(s, "length", 0);
	bool given = setting_has(s, "length");

	if (layout_kind(l->type) != LAYOUT_KIND_TEXT) {
		if (given)
			return setting_refuse(error, "length",
					      "only string and bytes have a length");
		return 0;
	}
	if (!given && rules->rest) {
		l->rest = true;
		return 0;
	}
	if (length < 1 || length > rules->max_length)
		return setting_refuse(error, "length", "a %s needs a length of 1 to %zu bytes",
				      layout_type_names[l->type], rules->max_length);
	l->length = (uint16_t)length;
	l->size = (uint16_t)(rules->registers ? (length + 1) / 2 * 2 : length);
	return 0;
}

static int compile_type(const struct fieldway_settings *s, const struct layout_rules *rules,
			struct layout *l, struct fieldway_error *error)
{
	int type = setting_choice(s, "type", layout_type_names, (int)rules->initial);

	if (type < 0)
		return setting_refuse(error, "type", "there is no such type");
	l->type = (enum layout_type)type;
	l->registers = rules->registers;
	l->size = rules->registers ? types[type].registers : types[type].size;
	if (l->size == 0 && layout_kind(l->type) != LAYOUT_KIND_TEXT)
		return setting_refuse(
			error, "type",
			"%s is no whole number of registers: take the next larger type and mask:",
			layout_type_names[type]);
	return compile_length(s, rules, l, error);
}

static int compile_order(const struct fieldway_settings *s, const struct layout_rules *rules,
			 struct layout *l, struct fieldway_error *error)
{
	int order = setting_choice(s, "order", layout_order_names, -1);

	if (order < 0 && setting_has(s, "order"))
		return setting_refuse(error, "order", "there is no such order");
	l->order = order < 0 ? (rules->little ? SWAP_ALL : 0) : order_swaps[order];
	if (layout_kind(l->type) != LAYOUT_KIND_TEXT && l->type != LAYOUT_YMDHMS16 &&
	    !order_fits(l))
		return setting_refuse(
			error, "order", "order %s does not say how the %u bytes of %s lie",
			layout_order_names[order], l->size, layout_type_names[l->type]);
	return 0;
}

/* The whole of the type, as a mask. */
static uint64_t full_mask(const struct layout *l)
{
	return UINT64_MAX >> (64 - 8 * l->size);
}

static int compile_bit(const struct fieldway_settings *s, struct layout *l,
		       struct fieldway_error *error)
{
	uint64_t bit = setting_uint(s, "bit", 0);

	if (l->type == LAYOUT_BOOL)
		l->type = l->registers ? LAYOUT_UINT16 : LAYOUT_UINT8;
	if (!kind_is_integer(layout_kind(l->type)))
		return setting_refuse(error, "bit", "type %s has no bits to choose from",
				      layout_type_names[l->type]);
	if (bit >= 8u * l->size)
		return setting_refuse(error, "bit", "type %s has the bits 0 to %u",
				      layout_type_names[l->type], 8u * l->size - 1u);
	l->is_bit = true;
	l->shift = (uint8_t)bit;
	l->mask = UINT64_C(1) << bit;
	return 0;
}

static int compile_mask(const struct fieldway_settings *s, struct layout *l,
			struct fieldway_error *error)
{
	uint64_t mask = setting_uint(s, "mask", 0);

	if (!kind_is_integer(layout_kind(l->type)) && layout_kind(l->type) != LAYOUT_KIND_BCD)
		return setting_refuse(error, "mask", "type %s has no bits to choose from",
				      layout_type_names[l->type]);
	if (mask == 0 || mask & ~full_mask(l))
		return setting_refuse(error, "mask", "a mask of type %s is 0x1 to 0x%" PRIx64,
				      layout_type_names[l->type], full_mask(l));
	if (mask == full_mask(l))
		return 0;
	l->mask = mask;
	l->shift = (uint8_t)__builtin_ctzll(mask);
	return 0;
}

static int compile_bits(const struct fieldway_settings *s, struct layout *l,
			struct fieldway_error *error)
{
	if (setting_has(s, "bit") && setting_has(s, "mask"))
		return setting_refuse(error, "mask", "a point has either bit: or mask:");
	if (setting_has(s, "bit"))
		return compile_bit(s, l, error);
	return setting_has(s, "mask") ? compile_mask(s, l, error) : 0;
}

int layout_compile(const struct fieldway_settings *s, const struct layout_rules *rules,
		   struct layout *ret, struct fieldway_error *error)
{
	struct layout l = { 0 };
	int r;

	r = compile_type(s, rules, &l, error);
	if (r >= 0)
		r = compile_order(s, rules, &l, error);
	if (r >= 0)
		r = compile_bits(s, &l, error);
	if (r < 0)
		return r;
	*ret = l;
	return 0;
}
