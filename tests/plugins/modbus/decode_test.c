/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "plugins/modbus/decode.h"
#include "plugins/modbus/point.h"
#include "setup.h"

static struct point make_point(const char *type, const char *order, unsigned length)
{
	struct fieldway_error error = { 0 };
	const struct point_rules rules = { .max_write_registers = MAX_WRITE_REGISTERS };
	struct fieldway_point from = { .name = "p", .readable = true, .writable = true };
	struct point p;

	from.settings = length ? SETTINGS(UINT("address", 0), TEXT("type", type), TEXT("order", order),
					  UINT("length", length)) :
				 SETTINGS(UINT("address", 0), TEXT("type", type), TEXT("order", order));
	ck_assert_msg(point_compile(&from, &rules, &p, &error) == 0, "%s", error.text);
	return p;
}

/* The registers that carry the value. */
static int value_encode(const struct point *p, const struct fieldway_value *value, uint16_t *registers,
			struct fieldway_error *error)
{
	uint8_t bytes[MAX_ANSWER_BYTES];
	ssize_t n = layout_encode(&p->layout, value, bytes, sizeof(bytes), error);

	if (n == 1)
		registers[0] = bytes[0];
	for (ssize_t i = 0; i < n / 2; i++)
		registers[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
	return n < 0 ? (int)n : 0;
}

static int decode_one(const struct point *p, const uint8_t *bytes, size_t size, struct fieldway_sample *sample,
		      char *text, size_t text_size)
{
	const uint32_t wanted[] = { 0 };
	const struct plan_limits limits = { .max_registers = MAX_READ_REGISTERS };
	struct fieldway_plan plan;
	int r;

	ck_assert_int_eq(plan_build(p, 1, &limits, wanted, 1, &plan), 0);
	ck_assert_uint_eq(plan.n, 1);
	r = answer_decode(p, &plan.requests[0], bytes, size, sample, text, text_size);
	plan_done(&plan);
	return r;
}

enum kind { I = FIELDWAY_INT, U = FIELDWAY_UINT, F = FIELDWAY_FLOAT, B = FIELDWAY_BOOL };

/*
 * 230.2 as float32 is 0x43663333 (IEEE 754 binary32; the value of an SDM630's
 * first register pair in its maker's protocol document, section 1.2), as float64
 * 0x406cc66666666666. The integers have a different byte everywhere, so that
 * every wrong order shows.
 */
static const struct vector {
	const char *type, *order;
	uint8_t wire[8];
	size_t size;
	enum kind kind;
	double real;
	int64_t integer;
} vectors[] = {
	{ "uint16", "AB", { 0x12, 0x34 }, 2, U, 0, 0x1234 },
	{ "uint16", "BA", { 0x34, 0x12 }, 2, U, 0, 0x1234 },
	{ "uint16", "ABCD", { 0x12, 0x34 }, 2, U, 0, 0x1234 },
	{ "uint16", "CDAB", { 0x12, 0x34 }, 2, U, 0, 0x1234 },
	{ "uint16", "BADC", { 0x34, 0x12 }, 2, U, 0, 0x1234 },
	{ "uint16", "DCBA", { 0x34, 0x12 }, 2, U, 0, 0x1234 },
	{ "uint16", "AB", { 0xff, 0xff }, 2, U, 0, 0xffff },
	{ "int16", "AB", { 0xff, 0xfe }, 2, I, 0, -2 },
	{ "int16", "BA", { 0xfe, 0xff }, 2, I, 0, -2 },
	{ "int16", "AB", { 0x80, 0x00 }, 2, I, 0, -32768 },
	{ "int16", "AB", { 0x7f, 0xff }, 2, I, 0, 32767 },
	{ "uint32", "ABCD", { 0x89, 0xab, 0xcd, 0xef }, 4, U, 0, 0x89abcdef },
	{ "uint32", "CDAB", { 0xcd, 0xef, 0x89, 0xab }, 4, U, 0, 0x89abcdef },
	{ "uint32", "BADC", { 0xab, 0x89, 0xef, 0xcd }, 4, U, 0, 0x89abcdef },
	{ "uint32", "DCBA", { 0xef, 0xcd, 0xab, 0x89 }, 4, U, 0, 0x89abcdef },
	{ "uint32", "AB", { 0x89, 0xab, 0xcd, 0xef }, 4, U, 0, 0x89abcdef },
	{ "uint32", "BA", { 0xab, 0x89, 0xef, 0xcd }, 4, U, 0, 0x89abcdef },
	{ "int32", "ABCD", { 0xff, 0xfe, 0x1d, 0xc0 }, 4, I, 0, -123456 },
	{ "int32", "CDAB", { 0x1d, 0xc0, 0xff, 0xfe }, 4, I, 0, -123456 },
	{ "int32", "BADC", { 0xfe, 0xff, 0xc0, 0x1d }, 4, I, 0, -123456 },
	{ "int32", "DCBA", { 0xc0, 0x1d, 0xfe, 0xff }, 4, I, 0, -123456 },
	{ "uint64", "ABCDEFGH", { 1, 2, 3, 4, 5, 6, 7, 8 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "HGFEDCBA", { 8, 7, 6, 5, 4, 3, 2, 1 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "BADCFEHG", { 2, 1, 4, 3, 6, 5, 8, 7 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "GHEFCDAB", { 7, 8, 5, 6, 3, 4, 1, 2 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "EFGHABCD", { 5, 6, 7, 8, 1, 2, 3, 4 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "CDABGHEF", { 3, 4, 1, 2, 7, 8, 5, 6 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "DCBAHGFE", { 4, 3, 2, 1, 8, 7, 6, 5 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "FEHGBADC", { 6, 5, 8, 7, 2, 1, 4, 3 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "ABCD", { 1, 2, 3, 4, 5, 6, 7, 8 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "CDAB", { 7, 8, 5, 6, 3, 4, 1, 2 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "DCBA", { 8, 7, 6, 5, 4, 3, 2, 1 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "BADC", { 2, 1, 4, 3, 6, 5, 8, 7 }, 8, U, 0, 0x0102030405060708 },
	{ "uint64", "AB", { 255, 255, 255, 255, 255, 255, 255, 255 }, 8, U, 0, -1 },
	{ "int64", "AB", { 255, 255, 255, 255, 255, 255, 255, 254 }, 8, I, 0, -2 },
	{ "int64", "AB", { 0x80, 0, 0, 0, 0, 0, 0, 0 }, 8, I, 0, INT64_MIN },
	{ "int64", "GHEFCDAB", { 255, 254, 255, 255, 255, 255, 255, 255 }, 8, I, 0, -2 },
	{ "float32", "ABCD", { 0x43, 0x66, 0x33, 0x33 }, 4, F, 230.2, 0 },
	{ "float32", "CDAB", { 0x33, 0x33, 0x43, 0x66 }, 4, F, 230.2, 0 },
	{ "float32", "BADC", { 0x66, 0x43, 0x33, 0x33 }, 4, F, 230.2, 0 },
	{ "float32", "DCBA", { 0x33, 0x33, 0x66, 0x43 }, 4, F, 230.2, 0 },
	{ "float32", "AB", { 0x80, 0, 0, 0 }, 4, F, -0.0, 0 },
	{ "float32", "AB", { 0x7f, 0x80, 0, 0 }, 4, F, INFINITY, 0 },
	{ "float64", "ABCDEFGH", { 0x40, 0x6c, 0xc6, 0x66, 0x66, 0x66, 0x66, 0x66 }, 8, F, 230.2, 0 },
	{ "float64", "GHEFCDAB", { 0x66, 0x66, 0x66, 0x66, 0xc6, 0x66, 0x40, 0x6c }, 8, F, 230.2, 0 },
	{ "float64", "HGFEDCBA", { 0x66, 0x66, 0x66, 0x66, 0x66, 0xc6, 0x6c, 0x40 }, 8, F, 230.2, 0 },
	{ "bool", "AB", { 0, 1 }, 2, B, 0, 1 },
	{ "bool", "AB", { 0, 0 }, 2, B, 0, 0 },
};

static bool value_is(const struct fieldway_value *v, const struct vector *t)
{
	if ((int)v->type != (int)t->kind)
		return false;
	if (t->kind == F)
		return v->real == t->real && signbit(v->real) == signbit(t->real);
	if (t->kind == B)
		return v->boolean == (t->integer != 0);
	return v->integer == t->integer;
}

START_TEST(every_type_in_every_order_both_ways)
{
	const struct vector *t = &vectors[_i];
	struct point p = make_point(t->type, t->order, 0);
	struct fieldway_sample sample;
	struct fieldway_error error = { 0 };
	uint16_t registers[4] = { 0 };

	ck_assert_int_eq(decode_one(&p, t->wire, t->size, &sample, NULL, 0), 0);
	ck_assert_int_eq(sample.quality, FIELDWAY_GOOD);
	ck_assert_msg(value_is(&sample.value, t), "%s %s", t->type, t->order);
	ck_assert_msg(value_encode(&p, &sample.value, registers, &error) == 0, "%s", error.text);
	for (size_t i = 0; i < t->size / 2; i++)
		ck_assert_uint_eq(registers[i], t->wire[2 * i] << 8 | t->wire[2 * i + 1]);
}
END_TEST

START_TEST(a_nan_is_no_value)
{
	struct point p = make_point("float32", "ABCD", 0);
	const uint8_t wire[] = { 0x7f, 0xc0, 0, 0 };
	struct fieldway_sample sample;

	ck_assert_int_eq(decode_one(&p, wire, 4, &sample, NULL, 0), 0);
	ck_assert_int_eq(sample.quality, FIELDWAY_INVALID);
	ck_assert_int_eq(sample.value.type, FIELDWAY_FLOAT);
	ck_assert(isnan(sample.value.real));
}
END_TEST

static const struct {
	const char *order, *wire;
	unsigned length;
	const char *expected; /* NULL: invalid */
} strings[] = {
	{ "AB", "SDM630\0\0", 8, "SDM630" },
	{ "BA", "DS6M03\0\0", 8, "SDM630" },
	{ "CDAB", "SDM630  ", 8, "SDM630" },
	{ "DCBA", "DS6M03  ", 8, "SDM630" },
	{ "AB", "abcx", 3, "abc" },
	{ "BA", "baxc", 3, "abc" },
	{ "AB", "a\0bc", 4, "a" },
	{ "AB", "\0\0\0\0", 4, "" },
	{ "AB", "\xc3\xa9\xe2\x82\xac ", 6, "\xc3\xa9\xe2\x82\xac" },
	{ "AB", "\xff\xff\xff\xff", 4, NULL },
	{ "AB", "\xc3\x28", 2, NULL },
	{ "AB", "\xed\xa0\x80 ", 4, NULL }, /* a surrogate */
	{ "AB", "\xe0\x80\x80 ", 4, NULL }, /* overlong */
	{ "AB", "\xf4\x90\x80\x80", 4, NULL }, /* above U+10FFFF */
	{ "AB", "a\xe2\x82 ", 3, NULL }, /* cut off */
};

START_TEST(strings_lose_their_padding)
{
	struct point p = make_point("string", strings[_i].order, strings[_i].length);
	struct fieldway_sample sample;
	char text[32];

	ck_assert_int_eq(decode_one(&p, (const uint8_t *)strings[_i].wire, 2u * p.count, &sample, text,
				    sizeof(text)),
			 0);
	if (!strings[_i].expected) {
		ck_assert_int_eq(sample.quality, FIELDWAY_INVALID);
		return;
	}
	ck_assert_int_eq(sample.quality, FIELDWAY_GOOD);
	ck_assert_int_eq(sample.value.type, FIELDWAY_STRING);
	ck_assert_uint_eq(sample.value.size, strlen(strings[_i].expected));
	ck_assert_mem_eq(sample.value.data, strings[_i].expected, sample.value.size);
}
END_TEST

START_TEST(strings_are_written_padded)
{
	struct point p = make_point("string", "BA", 5);
	struct fieldway_value v = { .type = FIELDWAY_STRING, .data = "abcd", .size = 4 };
	struct fieldway_error error;
	uint16_t registers[3] = { 1, 1, 1 };

	ck_assert_int_eq(value_encode(&p, &v, registers, &error), 0);
	ck_assert_uint_eq(registers[0], 'b' << 8 | 'a');
	ck_assert_uint_eq(registers[1], 'd' << 8 | 'c');
	ck_assert_uint_eq(registers[2], 0);
	v.data = "abcdef";
	v.size = 6;
	ck_assert_int_eq(value_encode(&p, &v, registers, &error), -ERANGE);
	v = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = 1 };
	ck_assert_int_eq(value_encode(&p, &v, registers, &error), -EINVAL);
}
END_TEST

START_TEST(text_room_is_respected)
{
	struct point p = make_point("string", "AB", 8);
	struct fieldway_sample sample;
	char text[7];

	ck_assert_int_eq(decode_one(&p, (const uint8_t *)"12345678", 8, &sample, text, sizeof(text)), -ENOBUFS);
}
END_TEST

START_TEST(size_must_fit)
{
	struct point p = make_point("uint32", "AB", 0);
	const uint8_t wire[6] = { 0 };
	struct fieldway_sample sample;

	ck_assert_int_eq(decode_one(&p, wire, 3, &sample, NULL, 0), -EBADMSG);
	ck_assert_int_eq(decode_one(&p, wire, 6, &sample, NULL, 0), -EBADMSG);
	ck_assert_int_eq(decode_one(&p, wire, 0, &sample, NULL, 0), -EBADMSG);
}
END_TEST

START_TEST(coils_are_packed)
{
	struct point points[20];
	uint32_t wanted[20];
	struct fieldway_sample samples[20];
	struct fieldway_plan plan;
	const struct plan_limits limits = { .max_registers = 125, .max_coils = 2000 };
	const uint8_t wire[] = { 0xcd, 0x6b, 0x05 }; /* the answer in Application Protocol V1.1b3, 6.1, cut to 20 */

	for (uint32_t i = 0; i < 20; i++) {
		points[i] = (struct point){ .area = AREA_COIL, .address = (uint16_t)(19 + i), .count = 1,
					    .readable = true };
		wanted[i] = i;
	}
	ck_assert_int_eq(plan_build(points, 20, &limits, wanted, 20, &plan), 0);
	ck_assert_uint_eq(plan.n, 1);
	ck_assert_int_eq(answer_decode(points, &plan.requests[0], wire, sizeof(wire), samples, NULL, 0), 0);
	for (unsigned i = 0; i < 20; i++) {
		ck_assert_int_eq(samples[i].value.type, FIELDWAY_BOOL);
		ck_assert_int_eq(samples[i].value.boolean, wire[i / 8] >> i % 8 & 1);
	}
	plan_done(&plan);
}
END_TEST

#define INT(x) { .type = FIELDWAY_INT, .integer = (x) }
#define UNS(x) { .type = FIELDWAY_UINT, .unsignd = (x) }
#define REAL(x) { .type = FIELDWAY_FLOAT, .real = (x) }

static const struct {
	const char *type;
	struct fieldway_value value;
	int expected;
	uint64_t raw;
} conversions[] = {
	{ "uint16", INT(65535), 0, 65535 },
	{ "uint16", INT(65536), -ERANGE, 0 },
	{ "uint16", INT(-1), -ERANGE, 0 },
	{ "uint16", REAL(42.0), 0, 42 },
	{ "uint16", REAL(-0.0), 0, 0 },
	{ "uint16", REAL(42.5), -EINVAL, 0 },
	{ "uint16", REAL(1e300), -ERANGE, 0 },
	{ "uint16", REAL(NAN), -EINVAL, 0 },
	{ "uint16", REAL(INFINITY), -ERANGE, 0 },
	{ "uint16", { .type = FIELDWAY_NONE }, -EINVAL, 0 },
	{ "uint16", { .type = FIELDWAY_BOOL, .boolean = true }, 0, 1 },
	{ "int16", INT(-32768), 0, 0x8000 },
	{ "int16", INT(-32769), -ERANGE, 0 },
	{ "int16", UNS(32768), -ERANGE, 0 },
	{ "int32", REAL(-2147483648.0), 0, 0x80000000 },
	{ "int32", REAL(2147483648.0), -ERANGE, 0 },
	{ "uint32", UNS(0xffffffff), 0, 0xffffffff },
	{ "uint32", UNS(0x100000000), -ERANGE, 0 },
	{ "int64", INT(INT64_MIN), 0, UINT64_C(1) << 63 },
	{ "int64", UNS(UINT64_C(1) << 63), -ERANGE, 0 },
	{ "int64", REAL(0x1p63), -ERANGE, 0 },
	{ "uint64", UNS(UINT64_MAX), 0, UINT64_MAX },
	{ "uint64", REAL(0x1p64), -ERANGE, 0 },
	{ "uint64", REAL(0x1p63), 0, UINT64_C(1) << 63 },
	{ "float32", INT(2), 0, 0x40000000 },
	{ "float32", UNS(2), 0, 0x40000000 },
	{ "float32", REAL(1e39), -ERANGE, 0 },
	{ "float32", { .type = FIELDWAY_BOOL, .boolean = true }, -EINVAL, 0 },
	{ "float64", INT(2), 0, 0x4000000000000000 },
	{ "bool", INT(1), 0, 1 },
	{ "bool", INT(2), -ERANGE, 0 },
	{ "bool", INT(-1), -ERANGE, 0 },
};

START_TEST(values_that_fit_and_do_not)
{
	struct point p = make_point(conversions[_i].type, "AB", 0);
	struct fieldway_error error = { 0 };
	uint16_t registers[4] = { 0 };
	uint64_t raw = 0;

	ck_assert_int_eq(value_encode(&p, &conversions[_i].value, registers, &error), conversions[_i].expected);
	if (conversions[_i].expected < 0) {
		ck_assert_uint_gt(strlen(error.text), 5);
		return;
	}
	for (unsigned i = 0; i < p.count; i++)
		raw = raw << 16 | registers[i];
	ck_assert_uint_eq(raw, conversions[_i].raw);
}
END_TEST

START_TEST(coils_take_zero_and_one)
{
	const struct point p = { .area = AREA_COIL, .count = 1, .layout = { .type = LAYOUT_BOOL, .size = 1 },
					 .writable = true };
	const struct fieldway_value on = { .type = FIELDWAY_BOOL, .boolean = true }, two = INT(2), half = REAL(0.5);
	struct fieldway_error error;
	uint16_t registers[1] = { 7 };

	ck_assert_int_eq(value_encode(&p, &on, registers, &error), 0);
	ck_assert_uint_eq(registers[0], 1);
	ck_assert_int_eq(value_encode(&p, &two, registers, &error), -ERANGE);
	ck_assert_int_eq(value_encode(&p, &half, registers, &error), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/decode");
	TCase *t = tcase_create("values");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, every_type_in_every_order_both_ways, 0, sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_test(t, a_nan_is_no_value);
	tcase_add_loop_test(t, strings_lose_their_padding, 0, sizeof(strings) / sizeof(strings[0]));
	tcase_add_test(t, strings_are_written_padded);
	tcase_add_test(t, text_room_is_respected);
	tcase_add_test(t, size_must_fit);
	tcase_add_test(t, coils_are_packed);
	tcase_add_loop_test(t, values_that_fit_and_do_not, 0, sizeof(conversions) / sizeof(conversions[0]));
	tcase_add_test(t, coils_take_zero_and_one);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
