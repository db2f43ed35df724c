/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "plugins/lib/layout.h"
#include "tests/plugins/modbus/setup.h"

static const struct layout_rules in_registers = { .registers = true,
						  .initial = LAYOUT_UINT16,
						  .max_length = 250 };
static const struct layout_rules in_bytes = { .little = true,
					      .rest = true,
					      .initial = LAYOUT_UINT8,
					      .max_length = 512 };

enum kind {
	I = FIELDWAY_INT,
	U = FIELDWAY_UINT,
	F = FIELDWAY_FLOAT,
	B = FIELDWAY_BOOL,
	NO = FIELDWAY_NONE
};

/* The times are 2026-11-25 17:20:31, a Wednesday, and 2000-01-01 00:00:00, a Saturday. */
#define NOVEMBER 1795627231
#define MILLENNIUM 946684800

/*
 * Every wrong order shows: the numbers have a different byte everywhere. Kind NO:
 * these bytes are no value. Registers have the capital R, bytes the small b.
 */
static const struct vector {
	char rules;
	const char *type, *order; /* order NULL: that of the rules */
	uint8_t wire[12];
	size_t size;
	enum kind kind;
	double real;
	int64_t integer;
} vectors[] = {
	{ 'R', "uint48", "ABCDEF", { 1, 2, 3, 4, 5, 6 }, 6, U, 0, 0x010203040506 },
	{ 'R', "uint48", "EFCDAB", { 5, 6, 3, 4, 1, 2 }, 6, U, 0, 0x010203040506 },
	{ 'R', "uint48", "BADCFE", { 2, 1, 4, 3, 6, 5 }, 6, U, 0, 0x010203040506 },
	{ 'R', "uint48", "FEDCBA", { 6, 5, 4, 3, 2, 1 }, 6, U, 0, 0x010203040506 },
	{ 'R', "uint48", "CDAB", { 5, 6, 3, 4, 1, 2 }, 6, U, 0, 0x010203040506 },
	{ 'R', "uint48", "DCBA", { 6, 5, 4, 3, 2, 1 }, 6, U, 0, 0x010203040506 },
	{ 'R', "uint48", "GHEFCDAB", { 5, 6, 3, 4, 1, 2 }, 6, U, 0, 0x010203040506 },
	{ 'R', "uint48", NULL, { 1, 2, 3, 4, 5, 6 }, 6, U, 0, 0x010203040506 },
	{ 'R', "int48", "CDAB", { 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff }, 6, I, 0, -2 },
	{ 'R', "uint64", "FEDCBA", { 8, 7, 6, 5, 4, 3, 2, 1 }, 8, U, 0, 0x0102030405060708 },
	{ 'R', "uint32", "EFCDAB", { 3, 4, 1, 2 }, 4, U, 0, 0x01020304 },
	{ 'R', "uint32", "little", { 4, 3, 2, 1 }, 4, U, 0, 0x01020304 },
	{ 'R', "uint32", "big", { 1, 2, 3, 4 }, 4, U, 0, 0x01020304 },
	{ 'R', "float16", "AB", { 0x5b, 0x32 }, 2, F, 230.2, 0 },
	{ 'R', "float16", "BA", { 0x32, 0x5b }, 2, F, 230.2, 0 },
	{ 'R', "float16", "AB", { 0x7e, 0x00 }, 2, NO, 0, 0 },
	{ 'R', "bcd16", "AB", { 0x12, 0x34 }, 2, U, 0, 1234 },
	{ 'R', "bcd16", "BA", { 0x12, 0x34 }, 2, U, 0, 3412 },
	{ 'R', "bcd16", "AB", { 0x12, 0x3a }, 2, NO, 0, 0 },
	{ 'R', "bcd32", "CDAB", { 0x56, 0x78, 0x12, 0x34 }, 4, U, 0, 12345678 },
	{ 'R',
	  "bcd48",
	  "ABCDEF",
	  { 0x12, 0x34, 0x56, 0x78, 0x90, 0x12 },
	  6,
	  U,
	  0,
	  INT64_C(123456789012) },
	{ 'R',
	  "bcd64",
	  "AB",
	  { 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x98 },
	  8,
	  U,
	  0,
	  INT64_C(9999999999999998) },
	{ 'R', "bcd64", "AB", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 8, NO, 0, 0 },
	{ 'R', "unix32", "ABCD", { 0x6b, 0x07, 0x28, 0xdf }, 4, I, 0, 0x6b0728df },
	{ 'R', "unix32", "CDAB", { 0x28, 0xdf, 0xeb, 0x07 }, 4, I, 0, INT64_C(0xeb0728df) },
	{ 'R', "unix64", "ABCD", { 0, 0, 0, 1, 0, 0, 0, 2 }, 8, I, 0, INT64_C(0x100000002) },
	{ 'R', "unix64", "ABCD", { 0xff, 0, 0, 1, 0, 0, 0, 2 }, 8, NO, 0, 0 },
	/* Year 26; November; Wednesday, the 25th; 17 h; 20 min; 31000 ms. */
	{ 'R',
	  "cp56time2a",
	  "AB",
	  { 0, 26, 11, 3 << 5 | 25, 17, 20, 0x79, 0x18 },
	  8,
	  I,
	  0,
	  NOVEMBER },
	{ 'R',
	  "cp56time2a",
	  "CDAB",
	  { 0x79, 0x18, 17, 20, 11, 3 << 5 | 25, 0, 26 },
	  8,
	  I,
	  0,
	  NOVEMBER },
	{ 'R', "cp56time2a", "AB", { 0, 0, 1, 6 << 5 | 1, 0, 0, 0, 0 }, 8, I, 0, MILLENNIUM },
	{ 'R',
	  "cp56time2a",
	  "AB",
	  { 0, 26, 11, 25, 17, 0x80 | 20, 0x79, 0x18 },
	  8,
	  NO,
	  0,
	  0 }, /* invalid bit */
	{ 'R', "cp56time2a", "AB", { 0, 26, 11, 31, 17, 20, 0, 0 }, 8, NO, 0, 0 },
	{ 'R', "cp56time2a", "AB", { 0, 26, 11, 25, 24, 20, 0, 0 }, 8, NO, 0, 0 },
	{ 'R', "cp56time2a", "AB", { 0, 26, 11, 25, 17, 60, 0, 0 }, 8, NO, 0, 0 },
	{ 'R',
	  "cp56time2a",
	  "AB",
	  { 0, 26, 11, 25, 17, 20, 0xea, 0x60 },
	  8,
	  NO,
	  0,
	  0 }, /* 60000 ms */
	{ 'R', "cp56time2a", "AB", { 0, 100, 11, 25, 17, 20, 0, 0 }, 8, NO, 0, 0 },
	{ 'R', "cp56time2a", "AB", { 0, 26, 0, 25, 17, 20, 0, 0 }, 8, NO, 0, 0 },
	{ 'R', "cp56time2a", "AB", { 0, 26, 11, 0, 17, 20, 0, 0 }, 8, NO, 0, 0 },
	{ 'R', "ymdhms", "AB", { 26, 11, 25, 17, 20, 31 }, 6, I, 0, NOVEMBER },
	{ 'R', "ymdhms", "CDAB", { 20, 31, 25, 17, 26, 11 }, 6, I, 0, NOVEMBER },
	{ 'R', "ymdhms", "AB", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 6, NO, 0, 0 },
	{ 'R', "ymdhms", "AB", { 0, 0, 0, 0, 0, 0 }, 6, NO, 0, 0 },
	{ 'R', "ymdhms", "AB", { 25, 2, 29, 0, 0, 0 }, 6, NO, 0, 0 }, /* no leap year */
	{ 'R', "ymdhms_bcd", "AB", { 0x26, 0x11, 0x25, 0x17, 0x20, 0x31 }, 6, I, 0, NOVEMBER },
	{ 'R', "ymdhms_bcd", "little", { 0x31, 0x20, 0x17, 0x25, 0x11, 0x26 }, 6, I, 0, NOVEMBER },
	{ 'R', "ymdhms_bcd", "AB", { 0x26, 0x11, 0x25, 0x17, 0x2a, 0x31 }, 6, NO, 0, 0 },
	{ 'R',
	  "ymdhms16",
	  "AB",
	  { 0x07, 0xea, 0, 11, 0, 25, 0, 17, 0, 20, 0, 31 },
	  12,
	  I,
	  0,
	  NOVEMBER },
	{ 'R',
	  "ymdhms16",
	  "DCBA",
	  { 0xea, 0x07, 11, 0, 25, 0, 17, 0, 20, 0, 31, 0 },
	  12,
	  I,
	  0,
	  NOVEMBER },
	{ 'R', "ymdhms16", "AB", { 0x07, 0xea, 0, 11, 0, 25, 0, 17, 0, 20, 1, 31 }, 12, NO, 0, 0 },
	{ 'R', "ymdhms16", "AB", { 0x00, 0x64, 0, 11, 0, 25, 0, 17, 0, 20, 0, 31 }, 12, NO, 0, 0 },
	{ 'R', "bool", "AB", { 0, 1 }, 2, B, 0, 1 },
	{ 'b', "uint8", NULL, { 0xfe }, 1, U, 0, 254 },
	{ 'b', "int8", NULL, { 0xfe }, 1, I, 0, -2 },
	{ 'b', "int16", NULL, { 0xfe, 0xff }, 2, I, 0, -2 },
	{ 'b', "uint16", "big", { 0x12, 0x34 }, 2, U, 0, 0x1234 },
	{ 'b', "uint16", "AB", { 0x12, 0x34 }, 2, U, 0, 0x1234 },
	{ 'b', "uint24", NULL, { 1, 2, 3 }, 3, U, 0, 0x030201 },
	{ 'b', "uint24", "ABC", { 1, 2, 3 }, 3, U, 0, 0x010203 },
	{ 'b', "uint24", "CBA", { 1, 2, 3 }, 3, U, 0, 0x030201 },
	{ 'b', "uint24", "DCBA", { 1, 2, 3 }, 3, U, 0, 0x030201 },
	{ 'b', "int24", NULL, { 0xfe, 0xff, 0xff }, 3, I, 0, -2 },
	{ 'b', "uint32", NULL, { 1, 2, 3, 4 }, 4, U, 0, 0x04030201 },
	{ 'b', "uint48", NULL, { 1, 2, 3, 4, 5, 6 }, 6, U, 0, 0x060504030201 },
	{ 'b', "uint64", NULL, { 1, 2, 3, 4, 5, 6, 7, 8 }, 8, U, 0, 0x0807060504030201 },
	{ 'b', "float32", NULL, { 0x33, 0x33, 0x66, 0x43 }, 4, F, 230.2, 0 },
	{ 'R',
	  "float32",
	  "AB",
	  { 0x7f, 0x7f, 0xff, 0xff },
	  4,
	  F,
	  3.4028235e38,
	  0 }, /* the largest */
	{ 'b', "bcd8", NULL, { 0x42 }, 1, U, 0, 42 },
	{ 'b', "bcd24", "big", { 0x12, 0x34, 0x56 }, 3, U, 0, 123456 },
	{ 'b', "bool", NULL, { 1 }, 1, B, 0, 1 },
	/* As IEC 60870-5 sends it: the milliseconds first. */
	{ 'b', "cp56time2a", NULL, { 0x18, 0x79, 20, 17, 3 << 5 | 25, 11, 26 }, 7, I, 0, NOVEMBER },
};

static const struct layout_rules *rules_of(char rules)
{
	return rules == 'R' ? &in_registers : &in_bytes;
}

static struct layout make(char rules, const char *type, const char *order, size_t n,
			  const struct fieldway_setting *more)
{
	struct fieldway_setting settings[8];
	struct fieldway_settings s = { settings, 0 };
	struct fieldway_error error = { 0 };
	struct layout l;

	if (type)
		settings[s.n++] = TEXT("type", type);
	if (order)
		settings[s.n++] = TEXT("order", order);
	for (size_t i = 0; i < n; i++)
		settings[s.n++] = more[i];
	ck_assert_msg(layout_compile(&s, rules_of(rules), &l, &error) == 0, "%s", error.text);
	return l;
}

static bool value_is(const struct fieldway_value *v, const struct vector *t)
{
	if ((int)v->type != (int)t->kind)
		return false;
	if (t->kind == F)
		return v->real == t->real;
	if (t->kind == B)
		return v->boolean == (t->integer != 0);
	return v->integer == t->integer;
}

START_TEST(every_type_both_ways)
{
	const struct vector *t = &vectors[_i];
	struct layout l = make(t->rules, t->type, t->order, 0, NULL);
	struct fieldway_sample sample = { .point = 7 };
	struct fieldway_error error = { 0 };
	uint8_t back[12];

	ck_assert_uint_eq(l.size, t->size);
	ck_assert_int_eq(layout_decode(&l, t->wire, t->size, &sample, NULL, 0), 0);
	ck_assert_uint_eq(sample.point, 7);
	if (t->kind == NO) {
		ck_assert_int_eq(sample.quality, FIELDWAY_INVALID);
		return;
	}
	ck_assert_int_eq(sample.quality, FIELDWAY_GOOD);
	ck_assert_msg(value_is(&sample.value, t), "%s %s %" PRId64 " %g", t->type, t->order,
		      sample.value.integer, sample.value.real);
	ck_assert_msg(layout_encode(&l, &sample.value, back, sizeof(back), &error) ==
			      (ssize_t)t->size,
		      "%s", error.text);
	ck_assert_mem_eq(back, t->wire, t->size);
}
END_TEST

START_TEST(sizes_must_fit)
{
	struct layout l = make('R', "uint32", NULL, 0, NULL);
	const struct fieldway_value v = { .type = FIELDWAY_UINT, .unsignd = 1 };
	struct fieldway_sample sample;
	struct fieldway_error error;
	uint8_t bytes[4] = { 0 };

	ck_assert_int_eq(layout_decode(&l, bytes, 3, &sample, NULL, 0), -EBADMSG);
	ck_assert_int_eq(layout_encode(&l, &v, bytes, 3, &error), -ENOBUFS);
	ck_assert_int_eq(layout_encode(&l, &v, bytes, 4, &error), 4);
}
END_TEST

/* Masks: the type, the mask, a value on the wire (high byte first), what it means, and the bits that come back. */
static const struct {
	const char *type;
	uint64_t mask, wire;
	enum kind kind;
	int64_t expected;
} masks[] = {
	{ "uint16", 0x0ff0, 0xabcd, U, 0xbc },
	{ "uint16", 0x00ff, 0xabcd, U, 0xcd },
	{ "uint16", 0xf000, 0xabcd, U, 0xa },
	{ "uint16", 0xffff, 0xabcd, U, 0xabcd },
	{ "uint16", 0x0001, 0xabcd, U, 1 },
	{ "int16", 0x0ff0, 0xabcd, I, -68 },
	{ "int16", 0x0ff0, 0xa7cd, I, 0x7c },
	{ "int16", 0x00ff, 0x00fe, I, -2 },
	{ "int16", 0x0004, 0x0004, I, -1 },
	{ "uint32", 0x00ffff00, 0x01020304, U, 0x0203 },
	{ "int64", UINT64_C(0xffffffff00000000), UINT64_C(0xfffffffe00000001), I, -2 },
	{ "uint64", UINT64_C(0x8000000000000000), UINT64_C(0xffffffffffffffff), U, 1 },
	{ "bcd16", 0x0ff0, 0x1234, U, 23 },
	{ "uint16", 0x0f0f, 0x1234, U, 0x0204 },
};

static void spread(uint64_t value, size_t size, uint8_t *ret)
{
	for (size_t i = 0; i < size; i++)
		ret[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

START_TEST(masks_shift_down_and_up)
{
	const struct fieldway_setting mask[] = { UINT("mask", masks[_i].mask) };
	struct layout l = make('R', masks[_i].type, NULL, 1, mask);
	struct fieldway_sample sample;
	struct fieldway_error error;
	uint8_t wire[8], back[8], expected[8], bits[8];

	spread(masks[_i].wire, l.size, wire);
	ck_assert_int_eq(layout_decode(&l, wire, l.size, &sample, NULL, 0), 0);
	ck_assert_int_eq(sample.quality, FIELDWAY_GOOD);
	ck_assert_int_eq((int)sample.value.type, (int)masks[_i].kind);
	ck_assert_int_eq(sample.value.integer, masks[_i].expected);
	ck_assert_int_eq(layout_encode(&l, &sample.value, back, sizeof(back), &error), l.size);
	spread(masks[_i].wire & masks[_i].mask, l.size, expected);
	ck_assert_mem_eq(back, expected, l.size);
	layout_mask(&l, bits);
	spread(masks[_i].mask, l.size, expected);
	ck_assert_mem_eq(bits, expected, l.size);
	ck_assert_int_eq(layout_is_partial(&l), l.size == 8 || masks[_i].mask != 0xffff);
}
END_TEST

START_TEST(bits_lie_where_the_order_puts_them)
{
	const uint8_t wire[] = { 0x00, 0x01, 0x80, 0x00 }; /* CDAB: 0x80000001 */
	const struct fieldway_value on = { .type = FIELDWAY_BOOL, .boolean = true },
				    two = { .type = FIELDWAY_INT, .integer = 2 };
	struct fieldway_sample sample;
	struct fieldway_error error = { 0 };
	uint8_t bytes[4], bits[4];

	for (unsigned i = 0; i < 32; i++) {
		const struct fieldway_setting bit[] = { UINT("bit", i) };
		struct layout l = make('R', "uint32", "CDAB", 1, bit);
		uint8_t expected[4] = { 0 };

		expected[(i < 16 ? 1 : 3) - i % 16 / 8] = (uint8_t)(1u << i % 8);
		ck_assert_int_eq(layout_decode(&l, wire, 4, &sample, NULL, 0), 0);
		ck_assert_int_eq(sample.value.type, FIELDWAY_BOOL);
		ck_assert_int_eq(sample.value.boolean, i == 0 || i == 31);
		ck_assert_int_eq(layout_encode(&l, &on, bytes, sizeof(bytes), &error), 4);
		ck_assert_mem_eq(bytes, expected, 4);
		layout_mask(&l, bits);
		ck_assert_mem_eq(bits, expected, 4);
		ck_assert_int_eq(layout_encode(&l, &two, bytes, sizeof(bytes), &error), -ERANGE);
	}
}
END_TEST

START_TEST(a_whole_value_has_all_bits)
{
	struct layout l = make('R', "float32", NULL, 0, NULL);
	const uint8_t all[] = { 0xff, 0xff, 0xff, 0xff };
	uint8_t bits[4];

	ck_assert(!layout_is_partial(&l));
	layout_mask(&l, bits);
	ck_assert_mem_eq(bits, all, 4);
}
END_TEST

#define REAL(x)                                                                                    \
	{                                                                                          \
		.type = FIELDWAY_FLOAT, .real = (x)                                                \
	}
#define INT(x)                                                                                     \
	{                                                                                          \
		.type = FIELDWAY_INT, .integer = (x)                                               \
	}
#define UNS(x)                                                                                     \
	{                                                                                          \
		.type = FIELDWAY_UINT, .unsignd = (x)                                              \
	}
#define STRING(x)                                                                                  \
	{                                                                                          \
		.type = FIELDWAY_STRING, .data = (x), .size = sizeof(x) - 1                        \
	}
#define BYTES(x)                                                                                   \
	{                                                                                          \
		.type = FIELDWAY_BYTES, .data = (x), .size = sizeof(x) - 1                         \
	}

static const struct {
	const char *type;
	uint64_t mask; /* 0: none */
	struct fieldway_value value;
	int expected;
} limits[] = {
	{ "uint48", 0, UNS(0xffffffffffff), 6 },
	{ "uint48", 0, UNS(0x1000000000000), -ERANGE },
	{ "uint48", 0, INT(-1), -ERANGE },
	{ "int48", 0, INT(-0x800000000000), 6 },
	{ "int48", 0, INT(-0x800000000001), -ERANGE },
	{ "int48", 0, INT(0x7fffffffffff), 6 },
	{ "int48", 0, INT(0x800000000000), -ERANGE },
	{ "uint16", 0x0ff0, INT(255), 2 },
	{ "uint16", 0x0ff0, INT(256), -ERANGE },
	{ "uint16", 0x0ff0, INT(-1), -ERANGE },
	{ "uint16", 0x0f0f, INT(0x0204), 2 },
	{ "uint16", 0x0f0f, INT(0x0214), -ERANGE },
	{ "int16", 0x0ff0, INT(-128), 2 },
	{ "int16", 0x0ff0, INT(-129), -ERANGE },
	{ "int16", 0x0ff0, INT(127), 2 },
	{ "int16", 0x0ff0, INT(128), -ERANGE },
	{ "int16", 0xff00, UNS(UINT64_MAX), -ERANGE },
	{ "uint64", 0x8000000000000000, INT(2), -ERANGE },
	{ "bcd16", 0, UNS(9999), 2 },
	{ "bcd16", 0, UNS(10000), -ERANGE },
	{ "bcd16", 0, INT(-1), -ERANGE },
	{ "bcd16", 0, REAL(12.5), -EINVAL },
	{ "bcd16", 0x0ff0, UNS(99), 2 },
	{ "bcd16", 0x0ff0, UNS(100), -ERANGE },
	{ "float16", 0, REAL(65504), 2 },
	{ "float16", 0, REAL(65520), -ERANGE },
	{ "float16", 0, STRING("1"), -EINVAL },
	{ "float32", 0, REAL(3.4028235e38), 4 },
	{ "float32", 0, REAL(3.4029e38), -ERANGE },
	{ "unix32", 0, UNS(0xffffffff), 4 },
	{ "unix32", 0, UNS(0x100000000), -ERANGE },
	{ "unix32", 0, INT(-1), -ERANGE },
	{ "unix64", 0, UNS(UINT64_MAX), -ERANGE },
	{ "cp56time2a", 0, INT(MILLENNIUM), 8 },
	{ "cp56time2a", 0, INT(MILLENNIUM - 1), -ERANGE },
	{ "cp56time2a", 0, INT(4102444799), 8 }, /* the end of 2099 */
	{ "cp56time2a", 0, INT(4102444800), -ERANGE },
	{ "cp56time2a", 0, REAL(0.5), -EINVAL },
	{ "ymdhms", 0, INT(4102444800), -ERANGE },
	{ "ymdhms_bcd", 0, INT(4102444799), 6 },
	{ "ymdhms16", 0, INT(0), 12 },
	{ "ymdhms16", 0, INT(INT64_MAX), -ERANGE },
	{ "ymdhms16", 0, BYTES("x"), -EINVAL },
};

START_TEST(what_does_not_fit_is_refused)
{
	const struct fieldway_setting mask[] = { UINT("mask", limits[_i].mask) };
	struct layout l = make('R', limits[_i].type, NULL, limits[_i].mask ? 1 : 0, mask);
	struct fieldway_error error = { 0 };
	uint8_t bytes[12];

	ck_assert_int_eq(layout_encode(&l, &limits[_i].value, bytes, sizeof(bytes), &error),
			 limits[_i].expected);
	if (limits[_i].expected < 0)
		ck_assert_uint_gt(strlen(error.text), 5);
}
END_TEST

START_TEST(texts_with_a_length)
{
	const struct fieldway_setting length[] = { UINT("length", 5) };
	struct layout swapped = make('R', "string", "BA", 1, length),
		      plain = make('b', "string", "little", 1, length);
	const struct fieldway_value five = STRING("ab\xc3\xa9"
						  "d"),
				    six = STRING("abcdef"), nul = STRING("a\0b"),
				    bad = STRING("\xff");
	struct fieldway_sample sample;
	struct fieldway_error error;
	uint8_t bytes[6];
	char text[8];

	ck_assert_uint_eq(swapped.size, 6);
	ck_assert_int_eq(layout_encode(&swapped, &five, bytes, sizeof(bytes), &error), 6);
	ck_assert_mem_eq(bytes, "ba\xa9\xc3\0d", 6);
	ck_assert_int_eq(layout_decode(&swapped, bytes, 6, &sample, text, sizeof(text)), 5);
	ck_assert_mem_eq(sample.value.data,
			 "ab\xc3\xa9"
			 "d",
			 5);
	ck_assert_int_eq(layout_encode(&plain, &five, bytes, sizeof(bytes), &error), 5);
	ck_assert_mem_eq(bytes,
			 "ab\xc3\xa9"
			 "d",
			 5);
	ck_assert_int_eq(layout_encode(&plain, &six, bytes, sizeof(bytes), &error), -ERANGE);
	ck_assert_int_eq(layout_encode(&plain, &nul, bytes, sizeof(bytes), &error), -EINVAL);
	ck_assert_int_eq(layout_encode(&plain, &bad, bytes, sizeof(bytes), &error), -EINVAL);
	ck_assert_int_eq(layout_decode(&plain, bytes, 5, &sample, text, 4), -ENOBUFS);
}
END_TEST

START_TEST(texts_of_what_is_left)
{
	struct layout string = make('b', "string", NULL, 0, NULL),
		      bytes = make('b', "bytes", NULL, 0, NULL);
	const struct fieldway_value name = STRING("Kitchen"), none = STRING(""),
				    raw = BYTES("\0\xff\1");
	struct fieldway_sample sample;
	struct fieldway_error error;
	uint8_t wire[8];
	char text[8];

	ck_assert_int_eq(
		layout_decode(&string, (const uint8_t *)"TH-1\0\0", 6, &sample, text, sizeof(text)),
		4);
	ck_assert_uint_eq(sample.value.size, 4);
	ck_assert_int_eq(layout_decode(&string, wire, 0, &sample, text, sizeof(text)), 0);
	ck_assert_int_eq(sample.value.type, FIELDWAY_STRING);
	ck_assert_int_eq(layout_encode(&string, &name, wire, sizeof(wire), &error), 7);
	ck_assert_int_eq(layout_encode(&string, &none, wire, sizeof(wire), &error), 0);
	ck_assert_int_eq(layout_encode(&string, &name, wire, 6, &error), -ENOBUFS);
	ck_assert_int_eq(layout_encode(&bytes, &raw, wire, sizeof(wire), &error), 3);
	ck_assert_int_eq(layout_decode(&bytes, wire, 3, &sample, text, sizeof(text)), 3);
	ck_assert_int_eq(sample.value.type, FIELDWAY_BYTES);
	ck_assert_uint_eq(sample.value.size, 3);
	ck_assert_mem_eq(sample.value.data, "\0\xff\1", 3);
	ck_assert_int_eq(layout_encode(&bytes, &name, wire, sizeof(wire), &error), -EINVAL);
	ck_assert_int_eq(layout_encode(&string, &raw, wire, sizeof(wire), &error), -EINVAL);
}
END_TEST

START_TEST(opaque_bytes_are_written_whole)
{
	const struct fieldway_setting length[] = { UINT("length", 3) };
	struct layout l = make('R', "bytes", "BA", 1, length);
	const struct fieldway_value three = BYTES("\1\2\3"), two = BYTES("\1\2");
	struct fieldway_sample sample;
	struct fieldway_error error;
	uint8_t wire[4];
	char text[4];

	ck_assert_int_eq(layout_encode(&l, &three, wire, sizeof(wire), &error), 4);
	ck_assert_mem_eq(wire, "\2\1\0\3", 4);
	ck_assert_int_eq(layout_decode(&l, wire, 4, &sample, text, sizeof(text)), 3);
	ck_assert_mem_eq(sample.value.data, "\1\2\3", 3);
	ck_assert_int_eq(layout_encode(&l, &two, wire, sizeof(wire), &error), -ERANGE);
}
END_TEST

static const struct {
	char rules;
	struct fieldway_setting settings[3];
	const char *key;
} wrong[] = {
	{ 'R', { TEXT_("type", "uint8") }, "type" },
	{ 'R', { TEXT_("type", "int24") }, "type" },
	{ 'R', { TEXT_("type", "bcd8") }, "type" },
	{ 'R', { TEXT_("type", "uint20") }, "type" },
	{ 'R', { TEXT_("type", "string") }, "length" },
	{ 'R', { TEXT_("type", "bytes"), UINT_("length", 251) }, "length" },
	{ 'R', { TEXT_("type", "uint16"), UINT_("length", 2) }, "length" },
	{ 'R', { TEXT_("order", "ABDC") }, "order" },
	{ 'R', { TEXT_("type", "uint48"), TEXT_("order", "EFGHABCD") }, "order" },
	{ 'R', { TEXT_("type", "uint48"), TEXT_("order", "CDABGHEF") }, "order" },
	{ 'b', { TEXT_("type", "uint24"), TEXT_("order", "BA") }, "order" },
	{ 'b', { TEXT_("type", "uint24"), TEXT_("order", "CDAB") }, "order" },
	{ 'R', { UINT_("bit", 16) }, "bit" },
	{ 'b', { UINT_("bit", 8) }, "bit" },
	{ 'R', { TEXT_("type", "float32"), UINT_("bit", 0) }, "bit" },
	{ 'R', { TEXT_("type", "bcd16"), UINT_("bit", 0) }, "bit" },
	{ 'R', { UINT_("bit", 1), UINT_("mask", 1) }, "mask" },
	{ 'R', { UINT_("mask", 0) }, "mask" },
	{ 'R', { UINT_("mask", 0x10000) }, "mask" },
	{ 'R', { TEXT_("type", "bool"), UINT_("mask", 3) }, "mask" },
	{ 'R', { TEXT_("type", "unix32"), UINT_("mask", 3) }, "mask" },
};

START_TEST(wrong_settings_are_told_by_key)
{
	struct fieldway_settings s = { wrong[_i].settings, 0 };
	struct fieldway_error error = { 0 };
	struct layout l;

	while (s.n < 3 && s.items[s.n].key)
		s.n++;
	ck_assert_int_eq(layout_compile(&s, rules_of(wrong[_i].rules), &l, &error), -EINVAL);
	ck_assert_str_eq(error.key, wrong[_i].key);
	ck_assert_uint_gt(strlen(error.text), 10);
}
END_TEST

START_TEST(types_that_nobody_names)
{
	const struct fieldway_setting bit[] = { UINT("bit", 15) };

	ck_assert_uint_eq(make('R', NULL, NULL, 0, NULL).type, LAYOUT_UINT16);
	ck_assert_uint_eq(make('b', NULL, NULL, 0, NULL).type, LAYOUT_UINT8);
	ck_assert_uint_eq(make('R', "bool", NULL, 1, bit).size, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plugins/lib/layout");
	TCase *t = tcase_create("layout");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, every_type_both_ways, 0, sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_test(t, sizes_must_fit);
	tcase_add_loop_test(t, masks_shift_down_and_up, 0, sizeof(masks) / sizeof(masks[0]));
	tcase_add_test(t, bits_lie_where_the_order_puts_them);
	tcase_add_test(t, a_whole_value_has_all_bits);
	tcase_add_loop_test(t, what_does_not_fit_is_refused, 0, sizeof(limits) / sizeof(limits[0]));
	tcase_add_test(t, texts_with_a_length);
	tcase_add_test(t, texts_of_what_is_left);
	tcase_add_test(t, opaque_bytes_are_written_whole);
	tcase_add_loop_test(t, wrong_settings_are_told_by_key, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(t, types_that_nobody_names);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
