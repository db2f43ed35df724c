/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plugins/modbus/decode.h"
#include "plugins/modbus/identification.h"
#include "plugins/modbus/models.h"
#include "tests/fuzz/fuzz.h"

/*
 * What a device says about itself: byte 0 is 0 for a chain of models, 1 for its
 * identification, 2 for the data of an answer. Behind it, answers: each begins
 * with its size, 0 for none.
 */

static const struct fuzz_seed seeds[] = {
	{ "000453756e530400010002040067000004ffff0000", NULL },
	{ "00000453756e5304000100020004006700000400010fff", NULL },
	{ "010a2b0e0101ff010100014112"
	  "2b0e01010000020102413102024232",
	  NULL },
	{ "010a2b0e01030000018001ff", NULL },
	{ "0208436633330001fffe", NULL },
	{ "0204436633", NULL },
};
const struct fuzz_target fuzz_target = { "modbus", seeds, sizeof(seeds) / sizeof(seeds[0]), 0 };

/* The next answer, in memory of just its size; NULL: the device has none. False: no more answers. */
static int next_answer(const uint8_t **data, size_t *size, uint8_t **ret, size_t *ret_size)
{
	size_t n;

	if (*size == 0)
		return 0;
	n = **data;
	++*data;
	--*size;
	if (n > *size)
		n = *size;
	*ret = n ? malloc(n) : NULL;
	require(n == 0 || *ret);
	if (n)
		memcpy(*ret, *data, n);
	*ret_size = n;
	*data += n;
	*size -= n;
	return 1;
}

static void fuzz_models(const uint8_t *data, size_t size)
{
	static const struct base base = { .find = true,
					  .signature = "SunS",
					  .n_signature = 4,
					  .at = { 40000, 65534, 0 },
					  .n_at = 3 };
	const struct wish wish = { { 1, 103 }, 2, 2 };
	struct walk walk = { 0 };
	const struct model *model;
	uint16_t address, count;
	uint8_t *answer;
	size_t n;

	while (walk_wants(&base, &walk, &address, &count) &&
	       next_answer(&data, &size, &answer, &n)) {
		require(address + count <= ADDRESSES);
		/* The line takes answers of the right size only. */
		walk_feed(&base, &walk, n == 2u * count ? answer : NULL);
		free(answer);
	}
	require(walk.n <= MAX_MODELS);
	model = walk_find(&walk, &wish);
	if (model)
		require(model->address + model_clip(model, 0, ADDRESSES) <= ADDRESSES);
}

static const struct point points[] = {
	{ .area = AREA_IDENTIFICATION,
	  .address = 0,
	  .count = 1,
	  .readable = true,
	  .layout = { .type = LAYOUT_STRING, .rest = true } },
	{ .area = AREA_IDENTIFICATION,
	  .address = 2,
	  .count = 1,
	  .readable = true,
	  .layout = { .type = LAYOUT_UINT16, .size = 2 } },
	{ .area = AREA_IDENTIFICATION,
	  .address = 128,
	  .count = 1,
	  .readable = true,
	  .layout = { .type = LAYOUT_BYTES, .rest = true } },
	{ .area = AREA_HOLDING,
	  .model = 1,
	  .address = 0,
	  .count = 2,
	  .readable = true,
	  .layout = { .type = LAYOUT_FLOAT32, .size = 4, .registers = true } },
	{ .area = AREA_HOLDING,
	  .model = 1,
	  .address = 2,
	  .count = 2,
	  .readable = true,
	  .layout = { .type = LAYOUT_STRING, .length = 3, .size = 4, .registers = true } },
};

static void decode(const uint32_t *wanted, size_t n, const uint8_t *bytes, size_t size)
{
	static struct wish item = { { 1 }, 1, 1 };
	const struct wishes wishes = { &item, 1 };
	const struct plan_limits limits = { .max_registers = 125,
					    .max_coils = 2000,
					    .wishes = &wishes };
	struct fieldway_sample samples[3];
	struct fieldway_plan plan;
	char text[3 * MAX_OBJECT_BYTES];
	int r;

	require(plan_build(points, sizeof(points) / sizeof(points[0]), &limits, wanted, n, &plan) ==
		0);
	require(plan.n == 1);
	r = answer_decode(points, &plan.requests[0], bytes, size, samples, text, sizeof(text));
	for (size_t i = 0; r == 0 && i < n; i++)
		if (samples[i].quality == FIELDWAY_GOOD && samples[i].value.type == FIELDWAY_STRING)
			require(samples[i].value.data + samples[i].value.size <=
				text + sizeof(text));
	plan_done(&plan);
}

static void fuzz_identification(const uint8_t *data, size_t size)
{
	const uint32_t wanted[] = { 0, 1, 2 };
	const struct fieldway_request request = { .points = wanted, .n_points = 3 };
	uint8_t bytes[3 * (2 + MAX_OBJECT_BYTES)], *answer;
	struct collection c;
	size_t n;
	int r = 0;

	collection_init(&c, points, &request, bytes, sizeof(bytes));
	while (r == 0 && next_answer(&data, &size, &answer, &n)) {
		r = n < 2 ? -1 : collection_take(&c, answer, n); /* a PDU has two bytes */
		free(answer);
	}
	require(c.size <= sizeof(bytes));
	decode(wanted, 3, c.bytes, c.size);
}

static void fuzz_decode(const uint8_t *data, size_t size)
{
	const uint32_t wanted[] = { 3, 4 };
	uint8_t *answer;
	size_t n;

	while (next_answer(&data, &size, &answer, &n)) {
		decode(wanted, 2, answer, n);
		free(answer);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parts[])(const uint8_t *, size_t) = { fuzz_models, fuzz_identification,
								  fuzz_decode };

	if (size > 0)
		parts[data[0] % 3](data + 1, size - 1);
	return 0;
}
