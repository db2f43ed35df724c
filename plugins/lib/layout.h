/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "api/plugin.h"

/* How a number, a time, a text or a bit lies in bytes: the same words in every plugin. */

enum layout_type {
	LAYOUT_BOOL,
	LAYOUT_INT8,
	LAYOUT_UINT8,
	LAYOUT_INT16,
	LAYOUT_UINT16,
	LAYOUT_INT24,
	LAYOUT_UINT24,
	LAYOUT_INT32,
	LAYOUT_UINT32,
	LAYOUT_INT48,
	LAYOUT_UINT48,
	LAYOUT_INT64,
	LAYOUT_UINT64,
	LAYOUT_FLOAT16, /* IEEE 754 binary16, and so on */
	LAYOUT_FLOAT32,
	LAYOUT_FLOAT64,
	LAYOUT_BCD8, /* a decimal digit in every four bits, without a sign */
	LAYOUT_BCD16,
	LAYOUT_BCD24,
	LAYOUT_BCD32,
	LAYOUT_BCD48,
	LAYOUT_BCD64,
	LAYOUT_UNIX32, /* seconds since 1970, unsigned */
	LAYOUT_UNIX64,
	LAYOUT_CP56TIME2A, /* see layout_time.h, as the ones that follow */
	LAYOUT_YMDHMS,
	LAYOUT_YMDHMS_BCD,
	LAYOUT_YMDHMS16,
	LAYOUT_STRING,
	LAYOUT_BYTES,
};

/* NULL-terminated, in the order of the enumeration: the choices of the key table. */
extern const char *const layout_type_names[];
extern const char *const layout_order_names[];

#define LAYOUT_MAX_NUMBER 8u /* bytes */
#define LAYOUT_MAX_TIME 12u

/* What differs between protocols. */
struct layout_rules {
	/*
	 * 16-bit registers, high byte first: sizes are whole registers, the bytes
	 * of a text are swapped as the order says. Else bytes, and a text lies in
	 * them as it is read.
	 */
	bool registers;
	bool little; /* values without `order:` have their lowest byte first, else their highest */
	bool rest;   /* a text without `length:` takes all that there is */
	enum layout_type initial; /* of points without `type:` */
	size_t max_length;	  /* of a text, in bytes */
};

/* Compiled; plain data. */
struct layout {
	enum layout_type type;
	uint8_t order; /* swaps: of bytes 1, of registers 2, of pairs of registers 4 */
	bool registers, rest;
	bool is_bit; /* the value is whether the one bit of mask is set */
	uint8_t shift;
	uint64_t mask;	 /* of the value's bits; 0: all of them */
	uint16_t length; /* of a text */
	uint16_t size;	 /* bytes that it takes; with rest the least */
};

/*
 * The point keys `type order bit mask length` of a plugin's key table. order has no
 * initial: that is for the rules to say.
 */
#define LAYOUT_KEYS(max_length_)                                                                                    \
	{ .name = "type",                                                                                           \
	  .scope = FIELDWAY_SCOPE_POINT,                                                                            \
	  .type = FIELDWAY_STRING,                                                                                  \
	  .choices = layout_type_names,                                                                             \
	  .help = "how the bytes are to be taken" },                                                                \
		{ .name = "order",                                                                                  \
		  .scope = FIELDWAY_SCOPE_POINT,                                                                    \
		  .type = FIELDWAY_STRING,                                                                          \
		  .choices = layout_order_names,                                                                    \
		  .help = "order of the bytes on the wire, A the highest; big: as written, little: turned round" }, \
		{ .name = "bit",                                                                                    \
		  .scope = FIELDWAY_SCOPE_POINT,                                                                    \
		  .type = FIELDWAY_UINT,                                                                            \
		  .minimum = 0,                                                                                     \
		  .maximum = 63,                                                                                    \
		  .help = "one bit of the value, 0 is the lowest" },                                                \
		{ .name = "mask",                                                                                   \
		  .scope = FIELDWAY_SCOPE_POINT,                                                                    \
		  .type = FIELDWAY_UINT,                                                                            \
		  .help = "bits of the value that count, shifted down: 0x0ff0" },                                   \
	{                                                                                                           \
		.name = "length", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT,                             \
		.minimum = 1, .maximum = (max_length_), .unit = "bytes",                                            \
		.help = "of a string or of bytes"                                                                   \
	}

/*
 * From the settings `type order bit mask length`. An order's name gives its three
 * swaps (of bytes, registers, pairs of registers) and thereby fits every size:
 * CDAB in `defaults:` is AB for 16 bits, EFCDAB for 48 and GHEFCDAB for 64.
 * 0, or -EINVAL with error.
 */
int layout_compile(const struct fieldway_settings *s, const struct layout_rules *rules,
		   struct layout *ret, struct fieldway_error *error);

/*
 * Sets quality and value of the sample, nothing else; bytes that are more than
 * the layout has are not looked at. Numbers are INT, UINT, FLOAT; a bit and
 * bool are BOOL; a time is INT, seconds since 1970 (as the device's clock shows
 * it: most show local time); texts are STRING, which ends at its first NUL and
 * loses trailing blanks, or BYTES, copied to text. INVALID: a NaN, a digit that
 * is none, a time that is none, a string that is not UTF-8.
 * Returns how much of text was used; -EBADMSG: size is too small; -ENOBUFS:
 * text is.
 */
ssize_t layout_decode(const struct layout *l, const uint8_t *bytes, size_t size,
		      struct fieldway_sample *sample, char *text, size_t text_size);

/*
 * The inverse: what was encoded decodes to the same value (a float to the next
 * one its type has). Bits outside of the mask are 0. Returns the bytes written,
 * layout->size of them or, with rest, those of the text; -ERANGE: the layout
 * cannot hold the value; -EINVAL: it is of a wrong kind, or has a fraction;
 * both with error->text. -ENOBUFS: room is too small.
 */
ssize_t layout_encode(const struct layout *l, const struct fieldway_value *value, uint8_t *bytes,
		      size_t room, struct fieldway_error *error);

/* Is the value only some of the bits of its bytes? Then writing it has to leave the others alone. */
bool layout_is_partial(const struct layout *l);
/* The bits that it takes, in layout->size bytes (at most LAYOUT_MAX_NUMBER) as they lie on the wire; all where not partial. */
void layout_mask(const struct layout *l, uint8_t *ret_bytes);
/* "uint16", for messages. */
const char *layout_type_name(const struct layout *l);
