/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/codec_fuzz.h"

/* The first byte is the target, see codec_fuzz(). */
static const struct fuzz_seed seeds[] = {
	{ "0d1b7fffffffffffffff", NULL },
	{ "0d3b7fffffffffffffff", NULL },
	{ "121bffffffffffffffff", NULL },
	{ "17fb3ff199999999999a", NULL },
	{ "17f93e00", NULL },
	{ "17c48221196ab3", NULL },
	{ "1cf5", NULL },
	{ "214200ff", NULL },
	{ "26c074323031332d30332d32315432303a30343a30305a", NULL },
	{ "26c11a514b67b0", NULL },
	{ "2b6436373a30", NULL },
	{ "086455e282ac", NULL },
	{ "0ea1018201c0f5", NULL },
};
const struct fuzz_target fuzz_target = { "cbor", seeds, ARRAY_SIZE(seeds) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return codec_fuzz(FORMAT_CBOR, data, size);
}
