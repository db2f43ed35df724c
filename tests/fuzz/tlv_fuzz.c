/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/codec_fuzz.h"

/* The first byte is the target, see codec_fuzz(). */
static const struct fuzz_seed seeds[] = {
	{ "01080006c10201c103c8080106c10205c10301", NULL },
	{ "01c10265c10365", NULL },
	{ "02c10265c20303f2c40440600000c10501c10155c10607", NULL },
	{ "02880c0a41006541010761012c09", NULL },
	{ "028612440000030000", NULL },
	{ "020500c10265800c", NULL },
	{ "3f860c410001410105", NULL },
	{ "3f410001410105", NULL },
	{ "40410001", NULL },
	{ "02c80408400921fb54442d18e80100020055", NULL },
};
const struct fuzz_target fuzz_target = { "tlv", seeds, ARRAY_SIZE(seeds) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return codec_fuzz(FORMAT_TLV, data, size);
}
