/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/buf.h"
#include "tests/fuzz/fuzz.h"

/* Under libFuzzer: FUZZ_SEEDS names a folder that the seeds are written to, as a first corpus. */

int LLVMFuzzerInitialize(int *argc, char ***argv);

static void write_seed(const char *folder, size_t index, const struct buf *seed)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/seed-%zu", folder, index);
	file = fopen(path, "we");
	require(file != NULL);
	require(fwrite(seed->data, 1, seed->size, file) == seed->size);
	require(fclose(file) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *folder = getenv("FUZZ_SEEDS");

	for (size_t i = 0; folder && i < fuzz_target.n_seeds; i++) {
		_cleanup_buf_ struct buf seed = { 0 };

		require(fuzz_seed_read(&fuzz_target.seeds[i], &seed) == 0);
		write_seed(folder, i, &seed);
	}
	return 0;
}
