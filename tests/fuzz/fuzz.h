/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* One input to begin with: bytes in hexadecimal, then text as it stands; either may be NULL. */
struct fuzz_seed {
	const char *hex, *text;
};

/* What a program under test brings along; the replay starts from it, libFuzzer ignores it. */
struct fuzz_target {
	const char *name;
	const struct fuzz_seed *seeds;
	size_t n_seeds;
	unsigned rounds; /* of damage to each seed in a replay; 0: as many as usual */
};
extern const struct fuzz_target fuzz_target;

struct buf;
/* Appends the bytes of a seed: 0, or a negative errno. */
int fuzz_seed_read(const struct fuzz_seed *seed, struct buf *ret);

/* Any bytes. Aborts where a promise is broken. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(int condition)
{
	if (!condition)
		abort();
}
