/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/codec_fuzz.h"

/* The first byte is the target, see codec_fuzz(). */
static const struct fuzz_seed seeds[] = {
	{ "02", "{\"bn\":\"/1000/0/\",\"e\":[{\"n\":\"2\",\"v\":101},{\"n\":\"5\",\"bv\":true},"
		"{\"n\":\"12/3\",\"v\":-1}]}" },
	{ "01", "{\"e\":[{\"n\":\"65535/1\",\"sv\":\"x\"}]}" },
	{ "0d", "{\"bn\":\"/1000/0/2\",\"bt\":1700000000,\"e\":[{\"v\":1,\"t\":-5},{\"v\":2}]}" },
	{ "00", "{\"bn\":\"/\",\"e\":[{\"n\":\"1000/0/3\",\"v\":18446744073709551615}]}" },
	{ "02", "{\"e\":[{\"n\":\"6\",\"sv\":\"AQI=\"},{\"n\":\"8\",\"ov\":\"3:0\"},"
		"{\"n\":\"/1000/0/9\",\"sv\":\"</3>\"}]}" },
};
const struct fuzz_target fuzz_target = { "json", seeds, ARRAY_SIZE(seeds), 0 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return codec_fuzz(FORMAT_JSON, data, size);
}
