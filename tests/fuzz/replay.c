/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/fuzz/fuzz.h"

/*
 * A fuzzer's function without a fuzzer: seeds, damaged in a reproducible way.
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

static void run_damaged(const struct buf *seed, uint64_t *state)
{
	uint8_t data[SIZE_MAX_MUTATED];
	size_t size = MIN(seed->size, sizeof(data));

	memcpy(data, seed->data, size);
	run(data, mutate(data, size, state));
}

int main(void)
{
	unsigned rounds = fuzz_target.rounds ? fuzz_target.rounds : ROUNDS;
	uint64_t state = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < fuzz_target.n_seeds; i++) {
		_cleanup_buf_ struct buf seed = { 0 };

		require(fuzz_seed_read(&fuzz_target.seeds[i], &seed) == 0);
		run(seed.data, seed.size);
		for (unsigned round = 0; round < rounds; round++)
			run_damaged(&seed, &state);
	}
	return EXIT_SUCCESS;
}
