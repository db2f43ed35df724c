/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The fuzzer's function without a fuzzer: seeds, damaged in a reproducible way.
 * With a folder as argument it writes the seeds there, as a first corpus.
 */

#define ROUNDS 20000u
#define SIZE_MAX_MUTATED 256u

static const char *const seeds[] = {
	"41017d3520bb74656d7065726174757265",                                       /* GET */
	"61457d3520ff32322e332043",                                                 /* 2.05 */
	"60007d38",                                                                 /* empty ACK */
	"5145a0004a610cff32",                                                       /* notification */
	"40031234b76f7074696f6e73d1030bff00",                                       /* Block1 */
	"48020001aabbccddeeff0011b2726411283465703d61066c743d333030ff3c2f3e",       /* Register */
	"68410001aabbccddeeff00118272640435613366",                                 /* Location-Path */
	"40050001c1705170d11e0ad2b3abcdd11b01ff01",                                 /* FETCH */
	"40010001b100e1ffff00",                                                     /* odd numbers */
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static size_t mutate(uint8_t *data, size_t size, uint64_t *state)
{
	for (unsigned n = 1 + next_random(state) % 4; n > 0 && size > 0; n--) {
		size_t at = next_random(state) % size;

		switch (next_random(state) % 4) {
		case 0:
			data[at] = (uint8_t)next_random(state);
			break;
		case 1:
			data[at] ^= (uint8_t)(1u << next_random(state) % 8);
			break;
		case 2:
			size = at;
			break;
		case 3:
			if (size < SIZE_MAX_MUTATED)
				data[size++] = (uint8_t)next_random(state);
			break;
		}
	}
	return size;
}

/* In memory of just that size, so that a sanitizer sees every byte too far. */
static void run(const uint8_t *data, size_t size)
{
	_cleanup_free_ uint8_t *copy = malloc(size > 0 ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
}

static int write_seed(const char *folder, size_t index, const uint8_t *data, size_t size)
{
	char path[4096];
	FILE *file;
	int r = -1;

	snprintf(path, sizeof(path), "%s/message-%zu", folder, index);
	file = fopen(path, "we");
	if (!file)
		return -1;
	if (fwrite(data, 1, size, file) == size)
		r = 0;
	return fclose(file) == 0 ? r : -1;
}

int main(int argc, char **argv)
{
	uint64_t state = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
		_cleanup_free_ uint8_t *seed = NULL;
		size_t size;

		if (hex_decode(seeds[i], &seed, &size) < 0)
			return EXIT_FAILURE;
		if (argc > 1 && write_seed(argv[1], i, seed, size) < 0)
			return EXIT_FAILURE;
		run(seed, size);
		for (unsigned round = 0; round < ROUNDS; round++) {
			uint8_t data[SIZE_MAX_MUTATED];

			memcpy(data, seed, size);
			run(data, mutate(data, size, &state));
		}
	}
	return EXIT_SUCCESS;
}
