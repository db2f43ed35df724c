/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/codec_fuzz.h"

/* The first byte is the target, see codec_fuzz(). */
static const struct fuzz_seed seeds[] = {
	{ "0d", "-1234" },    { "12", "18446744073709551615" },
	{ "17", "0.000015" }, { "1c", "1" },
	{ "21", "AQIDBAU=" }, { "26", "1367491215" },
	{ "2b", "65535:0" },  { "30", "</3/0>;ver=1.0" },
	{ "08e282ac", "\\" }, { "0400", NULL },
};
const struct fuzz_target fuzz_target = { "text", seeds, ARRAY_SIZE(seeds) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return codec_fuzz(FORMAT_TEXT, data, size);
}
