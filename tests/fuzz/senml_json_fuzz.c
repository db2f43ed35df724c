/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/codec_fuzz.h"

/* The first byte is the target, see codec_fuzz(). */
static const struct fuzz_seed seeds[] = {
	{ "00", "[{\"bn\":\"/1000/0/\",\"n\":\"2\",\"v\":-9223372036854775808},"
		"{\"n\":\"3\",\"v\":18446744073709551615}]" },
	{ "02", "[{\"n\":\"/1000/0/4\",\"v\":1.5e-7},{\"bn\":\"/1000/0/12/\"},"
		"{\"n\":\"7\",\"v\":1,\"t\":-5}]" },
	{ "01", "[{\"n\":\"/1000/65535/1\",\"vs\":\"a\\u20ac\\n\"},"
		"{\"n\":\"/1000/65535/6\",\"vd\":\"-_8\"}]" },
	{ "02", "[{\"bver\":10,\"bn\":\"/1000/0/8\",\"vlo\":\"3:0\"},"
		"{\"bn\":\"/1000/0/\",\"n\":\"5\",\"vb\":true,\"bt\":1.7e9,\"bv\":2}]" },
	{ "02", "[{\"n\":\"/1000/0/4\",\"v\":100000000000000000000}]" },
};
const struct fuzz_target fuzz_target = { "senml-json", seeds, ARRAY_SIZE(seeds) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return codec_fuzz(FORMAT_SENML_JSON, data, size);
}
