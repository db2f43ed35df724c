/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/line/decode.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/macro.h"
#include "base/str.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"

#define CELL_SIZE 48u

/* ---- numbers ---- */

enum order_flag {
	WORDS_SWAPPED = 1 << 0,
	BYTES_SWAPPED = 1 << 1,
};

static const struct {
	const char *names[3]; /* of 32, 64 and 16 bits; NULL: as another one */
	unsigned flags;
} orders[DECODE_ORDERS] = {
	{ { "ABCD", "ABCDEFGH", "AB" }, 0 },
	{ { "CDAB", "GHEFCDAB" }, WORDS_SWAPPED },
	{ { "BADC", "BADCFEHG", "BA" }, BYTES_SWAPPED },
	{ { "DCBA", "HGFEDCBA" }, WORDS_SWAPPED | BYTES_SWAPPED },
};

const char *decode_order_name(unsigned order, unsigned bytes)
{
	return orders[order].names[bytes == 8 ? 1 : bytes == 2 ? 2 : 0];
}

uint64_t decode_number(const struct probed *registers, unsigned n, unsigned order)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned at = orders[order].flags & WORDS_SWAPPED ? n - 1 - i : i;
		uint16_t word = registers[at].value;

		if (orders[order].flags & BYTES_SWAPPED)
			word = (uint16_t)(word << 8 | word >> 8);
		number = number << 16 | word;
	}
	return number;
}

bool decode_is_plausible(double value)
{
	return fabs(value) >= 0.001 && fabs(value) <= 1e7;
}

/* ---- their texts ---- */

static double text_of_float32(uint64_t number, char *ret)
{
	uint32_t bits = (uint32_t)number;
	float value;

	memcpy(&value, &bits, sizeof(value));
	snprintf(ret, CELL_SIZE, "%.7g", (double)value);
	return value;
}

static double text_of_uint32(uint64_t number, char *ret)
{
	snprintf(ret, CELL_SIZE, "%" PRIu64, number);
	return (double)number;
}

static double text_of_int32(uint64_t number, char *ret)
{
	snprintf(ret, CELL_SIZE, "%" PRId32, (int32_t)number);
	return (int32_t)number;
}

static double text_of_float64(uint64_t number, char *ret)
{
	double value;

	memcpy(&value, &number, sizeof(value));
	snprintf(ret, CELL_SIZE, "%.10g", value);
	return value;
}

static double text_of_int64(uint64_t number, char *ret)
{
	snprintf(ret, CELL_SIZE, "%" PRId64, (int64_t)number);
	return (double)(int64_t)number;
}

static double text_of_int16(uint64_t number, char *ret)
{
	snprintf(ret, CELL_SIZE, "%d", (int16_t)number);
	return (int16_t)number;
}

/* IEEE 754 binary16: a sign, five bits of exponent, ten of fraction. */
static double text_of_float16(uint64_t number, char *ret)
{
	int exponent = (int)(number >> 10 & 0x1f);
	double value = (double)(number & 0x3ff);

	if (exponent == 0x1f)
		value = value > 0 ? NAN : INFINITY;
	else
		value = exponent > 0 ? ldexp(value + 1024, exponent - 25) : ldexp(value, -24);
	value = number & 0x8000 ? -value : value;
	snprintf(ret, CELL_SIZE, "%.4g", value);
	return value;
}

/* Hexadecimal digits that are none of a number: nothing. */
static double text_of_bcd(uint64_t number, char *ret)
{
	uint64_t value = 0, digit;

	*ret = '\0';
	for (int shift = 60; shift >= 0; shift -= 4) {
		digit = number >> shift & 0xf;
		if (digit > 9)
			return NAN;
		value = 10 * value + digit;
	}
	return text_of_uint32(value, ret);
}

/* Of this century; what was earlier, or comes later, is another number. */
#define UNIX_FIRST UINT64_C(946684800)
#define UNIX_LAST UINT64_C(4102444800)
static double text_of_unix(uint64_t number, char *ret)
{
	time_t seconds = (time_t)number;
	struct tm tm;

	*ret = '\0';
	if (number >= UNIX_FIRST && number < UNIX_LAST && gmtime_r(&seconds, &tm))
		strftime(ret, CELL_SIZE, "%Y-%m-%d %H:%M:%S", &tm);
	return NAN;
}

/* text: the number's, "" where it is none of this kind. */
static const struct kind {
	const char *name;
	unsigned registers;
	double (*text)(uint64_t number, char *ret);
} kinds[] = {
	{ "float32", 2, text_of_float32 }, { "uint32", 2, text_of_uint32 },
	{ "int32", 2, text_of_int32 },	   { "float64", 4, text_of_float64 },
	{ "uint64", 4, text_of_uint32 },   { "int64", 4, text_of_int64 },
	{ "uint16", 1, text_of_uint32 },   { "int16", 1, text_of_int16 },
	{ "float16", 1, text_of_float16 }, { "bcd16", 1, text_of_bcd },
	{ "bcd32", 2, text_of_bcd },	   { "bcd64", 4, text_of_bcd },
	{ "unix32", 2, text_of_unix },
};

/* ---- tables ---- */

static const char *keep(struct arena *arena, const char *text)
{
	return arena_text(arena, text, strlen(text));
}

static char printable(uint8_t byte)
{
	return byte < 0x80 && isprint(byte) ? (char)byte : '.';
}

static int add_register(struct table *t, struct arena *arena, const struct probed *p)
{
	char address[CELL_SIZE], hex[CELL_SIZE], integer[CELL_SIZE], natural[CELL_SIZE];
	char text[] = { printable(p->value >> 8), printable(p->value & 0xff), '\0' };
	const char *cells[5];

	snprintf(address, sizeof(address), "%" PRIu32, p->address);
	snprintf(hex, sizeof(hex), "%04x", p->value);
	snprintf(natural, sizeof(natural), "%u", p->value);
	snprintf(integer, sizeof(integer), "%d", (int16_t)p->value);
	cells[0] = keep(arena, address);
	cells[1] = p->there ? keep(arena, hex) : p->problem;
	cells[2] = p->there ? keep(arena, natural) : "";
	cells[3] = p->there ? keep(arena, integer) : "";
	cells[4] = p->there ? keep(arena, text) : "";
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		if (!cells[i])
			return -ENOMEM;
	return table_add(t, cells);
}

static int print_registers(FILE *to, const struct probed *registers, size_t n)
{
	static const char *const titles[] = { "ADDRESS", "HEX", "uint16", "int16", "TEXT" };
	_cleanup_table_ struct table t = { .columns = ARRAY_SIZE(titles) };
	_cleanup_arena_ struct arena arena = { 0 };
	int r = table_add(&t, titles);

	for (size_t i = 0; i < n && r >= 0; i++)
		r = add_register(&t, &arena, &registers[i]);
	if (r >= 0)
		table_print(to, &t, &(struct table_frame){ 0 });
	return r;
}

static int print_bits(FILE *to, const struct probed *registers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%-7" PRIu32 "  %s\n", registers[i].address,
			!registers[i].there ? registers[i].problem :
			registers[i].value  ? "1" :
					      "0");
	return 0;
}

int probe_print(FILE *to, const char *area, const struct probed *registers, size_t n)
{
	bool bits = streq(area, "coil") || streq(area, "discrete");

	return bits ? print_bits(to, registers, n) : print_registers(to, registers, n);
}

/* Do as many stand side by side from here on? */
static bool is_whole(const struct probed *registers, size_t n, unsigned wanted)
{
	if (n < wanted)
		return false;
	for (unsigned i = 0; i < wanted; i++)
		if (!registers[i].there || registers[i].address != registers->address + i)
			return false;
	return true;
}

static int add_numbers(struct table *t, struct arena *arena, const struct probed *registers,
		       const struct kind *kind)
{
	const char *cells[1 + DECODE_ORDERS];
	char text[CELL_SIZE];
	size_t n = 1;
	bool any = false;
	double value;

	snprintf(text, sizeof(text), "%" PRIu32, registers->address);
	cells[0] = keep(arena, text);
	for (unsigned i = 0; i < DECODE_ORDERS; i++) {
		if (!decode_order_name(i, 2 * kind->registers))
			continue;
		value = kind->text(decode_number(registers, kind->registers, i), text);
		any |= *text != '\0';
		if (decode_is_plausible(value))
			strcat(text, " *");
		cells[n] = keep(arena, text);
		if (!cells[n++])
			return -ENOMEM;
	}
	if (!any)
		return 0;
	return cells[0] ? table_add(t, cells) : -ENOMEM;
}

static int print_kind(FILE *to, const struct probed *registers, size_t n, const struct kind *kind)
{
	_cleanup_table_ struct table t = { .columns = 1 };
	_cleanup_arena_ struct arena arena = { 0 };
	const char *titles[1 + DECODE_ORDERS] = { kind->name };
	int r;

	for (unsigned i = 0; i < DECODE_ORDERS; i++) {
		titles[t.columns] = decode_order_name(i, 2 * kind->registers);
		t.columns += titles[t.columns] != NULL;
	}
	r = table_add(&t, titles);
	for (size_t i = 0; i < n && r >= 0; i++)
		if (is_whole(registers + i, n - i, kind->registers))
			r = add_numbers(&t, &arena, registers + i, kind);
	if (r >= 0 && t.n > 1) {
		fputc('\n', to);
		table_print(to, &t, &(struct table_frame){ 0 });
	}
	return r;
}

int probe_print_decoded(FILE *to, const struct probed *registers, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && r >= 0; i++)
		r = print_kind(to, registers, n, &kinds[i]);
	return r;
}

/* ---- the same as documents ---- */

json_t *probe_document(const struct probed *registers, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		document_add(&array, json_pack("{s:I, s:o, s:s?}", "address",
					       (json_int_t)registers[i].address, "value",
					       registers[i].there ?
						       json_integer(registers[i].value) :
						       json_null(),
					       "problem",
					       registers[i].there ? NULL : registers[i].problem));
	return array;
}

static void add_decoded(json_t **array, const struct probed *registers, const struct kind *kind)
{
	char text[CELL_SIZE];
	double value;

	for (unsigned i = 0; i < DECODE_ORDERS; i++) {
		const char *order = decode_order_name(i, 2 * kind->registers);

		if (!order)
			continue;
		value = kind->text(decode_number(registers, kind->registers, i), text);
		if (*text)
			document_add(array, json_pack("{s:s, s:I, s:s, s:s, s:b}", "type",
						      kind->name, "address",
						      (json_int_t)registers->address, "order",
						      order, "value", text, "plausible",
						      decode_is_plausible(value)));
	}
}

json_t *probe_decoded_document(const struct probed *registers, size_t n)
{
	json_t *array = json_array();

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (size_t i = 0; i < n; i++)
			if (is_whole(registers + i, n - i, kinds[k].registers))
				add_decoded(&array, registers + i, &kinds[k]);
	return array;
}
