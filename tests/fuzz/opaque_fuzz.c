/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/codec_fuzz.h"

/* The first byte is the target, see codec_fuzz(). */
static const struct fuzz_seed seeds[] = {
	{ "2100ff80", NULL },
	{ "21", NULL },
	{ "0855", NULL },
};
const struct fuzz_target fuzz_target = { "opaque", seeds, ARRAY_SIZE(seeds) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return codec_fuzz(FORMAT_OPAQUE, data, size);
}
