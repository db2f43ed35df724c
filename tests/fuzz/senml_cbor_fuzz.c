/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/codec_fuzz.h"

/* The first byte is the target, see codec_fuzz(). */
static const struct fuzz_seed seeds[] = {
	{ "0083a321612f0068313030302f302f32021865a20068313030302f302f3504f5a20068313030302f302f37"
	  "0200",
	  NULL },
	{ "029fbf21682f313030302f302f00613403ffff", NULL },
	{ "0282a321692f313030302f302f34006139021864a200613402fb3ff199999999999a", NULL },
	{ "0281a221692f313030302f302f3863766c6f63333a30", NULL },
	{ "0281a421682f313030302f302f00613606241a6553f100084200ff", NULL },
	{ "0281a400692f313030302f302f320201187b8281c1012005", NULL },
};
const struct fuzz_target fuzz_target = { "senml-cbor", seeds, ARRAY_SIZE(seeds) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return codec_fuzz(FORMAT_SENML_CBOR, data, size);
}
