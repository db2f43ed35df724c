/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/str.h"
#include "tests/fuzz/fuzz.h"

int fuzz_seed_read(const struct fuzz_seed *seed, struct buf *ret)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t size = 0;
	int r = 0;

	if (seed->hex)
		r = hex_decode(seed->hex, &bytes, &size);
	if (r >= 0)
		r = buf_append(ret, bytes, size);
	return r < 0 || !seed->text ? r : buf_append_text(ret, seed->text);
}
