/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/codec_fuzz.h"

/* The first byte is the target, see codec_fuzz(). */
static const struct fuzz_seed seeds[] = {
	{ "02a1821903e800a301616102186505f5", NULL },
	{ "00a2821903e800a20c820001186503c11a6553f100831903e8010420", NULL },
	{ "01bf1903e8bf19ffffbf0163333a30ffffff", NULL },
	{ "02bf1903e8a100bf0863333a300643010203ffff", NULL },
	{ "12a1841903e800036330310a", NULL },
	{ "0ea19f1903e8000affa20001010cf93c00", NULL },
};
const struct fuzz_target fuzz_target = { "lwm2m-cbor", seeds, ARRAY_SIZE(seeds), 0 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return codec_fuzz(FORMAT_LWM2M_CBOR, data, size);
}
