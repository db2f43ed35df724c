/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plugins/lib/layout.h"
#include "tests/fuzz/fuzz.h"

/*
 * Bytes 0 to 3 choose rules, type, order and what else is set (length, bit,
 * mask), 4 and 5 its number; what follows is what a device sent.
 */
#define HEADER 6u
#define ROOM 64u

static const struct fuzz_seed seeds[] = {
	{ "0004000000001234", NULL },		  /* uint16 AB */
	{ "00090a0000001122334455667788", NULL }, /* uint48, an order of three registers */
	{ "000d000000005b32", NULL },		  /* float16 */
	{ "0011010000001234", NULL },		  /* bcd */
	{ "001800000000001a0b7911147918", NULL }, /* cp56time2a */
	{ "001a00000000261125172031", NULL },	  /* ymdhms_bcd */
	{ "001c01010005", "bsdc" },		  /* string of 5 */
	{ "011c00000000", "Kitchen" },		  /* string of what is left */
	{ "000300030ff0abcd", NULL },		  /* mask */
	{ "00080002001189abcdef", NULL },	  /* bit */
};
const struct fuzz_target fuzz_target = { "layout", seeds, sizeof(seeds) / sizeof(seeds[0]), 0 };

static const struct layout_rules all_rules[] = {
	{ .registers = true, .initial = LAYOUT_UINT16, .max_length = ROOM },
	{ .little = true, .rest = true, .initial = LAYOUT_UINT8, .max_length = ROOM },
};

static const char *pick(const char *const *names, uint8_t number)
{
	size_t n = 0;

	while (names[n])
		n++;
	return names[number % n];
}

static struct fieldway_setting text_setting(const char *key, const char *text)
{
	return (struct fieldway_setting){
		key, { .type = FIELDWAY_STRING, .data = text, .size = strlen(text) }
	};
}

static int compile(const uint8_t *data, struct layout *ret)
{
	static const char *const more[] = { NULL, "length", "bit", "mask" };
	struct fieldway_setting settings[3] = {
		text_setting("type", pick(layout_type_names, data[1])),
		text_setting("order", pick(layout_order_names, data[2])),
		{ more[data[3] % 4],
		  { .type = FIELDWAY_UINT, .unsignd = (uint64_t)data[4] << 8 | data[5] } },
	};
	const struct fieldway_settings s = { settings, data[3] % 4 ? 3 : 2 };
	struct fieldway_error error = { 0 };
	int r = layout_compile(&s, &all_rules[data[0] % 2], ret, &error);

	require(r == 0 || (error.key && error.text[0]));
	return r;
}

static void require_same(const struct fieldway_value *a, const struct fieldway_value *b)
{
	require(a->type == b->type);
	if (a->type == FIELDWAY_STRING || a->type == FIELDWAY_BYTES)
		require(a->size == b->size &&
			(a->size == 0 || memcmp(a->data, b->data, a->size) == 0));
	else if (a->type == FIELDWAY_BOOL)
		require(a->boolean == b->boolean);
	else
		require(a->unsignd == b->unsignd);
}

/* What was decoded can be encoded, touches no bit but its own, and means the same again. */
static void there_and_back(const struct layout *l, const uint8_t *wire,
			   const struct fieldway_sample *sample)
{
	uint8_t bytes[ROOM], mask[ROOM];
	struct fieldway_sample again;
	struct fieldway_error error;
	char text[ROOM];
	ssize_t n;

	n = layout_encode(l, &sample->value, bytes, sizeof(bytes), &error);
	require(n >= l->size);
	require(layout_decode(l, bytes, (size_t)n, &again, text, sizeof(text)) >= 0);
	require(again.quality == FIELDWAY_GOOD);
	require_same(&sample->value, &again.value);
	if (!layout_is_partial(l))
		return;
	layout_mask(l, mask);
	for (size_t i = 0; i < l->size; i++)
		require(bytes[i] == (wire[i] & mask[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fieldway_sample sample;
	char text[ROOM];
	struct layout l;
	ssize_t n;

	if (size < HEADER || size > HEADER + ROOM || compile(data, &l) < 0)
		return 0;
	n = layout_decode(&l, data + HEADER, size - HEADER, &sample, text, sizeof(text));
	require((n < 0) == (size - HEADER < l.size));
	if (n < 0 || sample.quality != FIELDWAY_GOOD)
		return 0;
	there_and_back(&l, data + HEADER, &sample);
	return 0;
}
