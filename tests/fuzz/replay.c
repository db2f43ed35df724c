/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "tests/fuzz/fuzz.h"

/*
 * A fuzzer's function without a fuzzer: seeds, damaged in a reproducible way.
 * With a folder as argument it writes the seeds there, as a first corpus.
 */

#define ROUNDS 20000u
#define SIZE_MAX_MUTATED 2048u

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

	snprintf(path, sizeof(path), "%s/%s-%zu", folder, fuzz_target.name, index);
	file = fopen(path, "we");
	if (!file)
		return -1;
	if (fwrite(data, 1, size, file) == size)
		r = 0;
	return fclose(file) == 0 ? r : -1;
}

static int read_seed(const struct fuzz_seed *seed, struct buf *ret)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t size = 0;
	int r = 0;

	if (seed->hex)
		r = hex_decode(seed->hex, &bytes, &size);
	if (r >= 0)
		r = buf_append(ret, bytes, size);
	return r < 0 || !seed->text ? r : buf_append_text(ret, seed->text);
}

static void run_damaged(const struct buf *seed, uint64_t *state)
{
	uint8_t data[SIZE_MAX_MUTATED];
	size_t size = MIN(seed->size, sizeof(data));

	memcpy(data, seed->data, size);
	run(data, mutate(data, size, state));
}

int main(int argc, char **argv)
{
	unsigned rounds = fuzz_target.rounds ? fuzz_target.rounds : ROUNDS;
	uint64_t state = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < fuzz_target.n_seeds; i++) {
		_cleanup_buf_ struct buf seed = { 0 };

		if (read_seed(&fuzz_target.seeds[i], &seed) < 0)
			return EXIT_FAILURE;
		if (argc > 1 && write_seed(argv[1], i, seed.data, seed.size) < 0)
			return EXIT_FAILURE;
		run(seed.data, seed.size);
		for (unsigned round = 0; round < rounds; round++)
			run_damaged(&seed, &state);
	}
	return EXIT_SUCCESS;
}
