/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "plugins/modbus/frame.h"
#include "tests/fuzz/fuzz.h"

/* What comes over a Modbus line. The first byte says the framing, whether the line is quiet, and what is waited for. */
static const struct fuzz_seed seeds[] = {
	{ "00000100000009110306ae4156524340", NULL },
	{ "00000100000003118302", NULL },
	{ "01110306ae415652434049ad", NULL },
	{ "13ff0055118302c134", NULL },
	{ "131141010203dc9e", NULL },
	{ "31112b0e01010000020002414201014300", NULL },
	{ "02", ":110306AE4156524340CC\r\n" },
	{ "02", "noise:11:1183026A\r\n" },
};
const struct fuzz_target fuzz_target = { "frame", seeds, sizeof(seeds) / sizeof(seeds[0]), 0 };

static void check_found(enum framing framing, const struct frame_wanted *wanted, const struct frame *f,
			size_t size, int r)
{
	uint8_t bytes[MAX_FRAME_BYTES];
	struct frame again;
	size_t n;

	require(r <= (int)size && f->size >= 2 && f->size <= MAX_PDU_BYTES && f->skipped < (size_t)r);
	n = frame_build(framing, f->transaction, f->unit, f->pdu, f->size, bytes);
	require(n <= MAX_FRAME_BYTES && n == (size_t)r - f->skipped);
	require(frame_find(framing, wanted, bytes, n, true, &again) == (int)n);
	require(again.unit == f->unit && again.transaction == f->transaction && again.size == f->size);
	require(memcmp(again.pdu, f->pdu, f->size) == 0 && again.skipped == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_wanted wanted = { 17, 3 };
	enum framing framing;
	struct frame f;
	bool ended;
	int r;

	if (size < 1 || size > 1 + 2 * MAX_FRAME_BYTES)
		return 0;
	framing = (enum framing)(data[0] % 3);
	ended = data[0] & 16;
	wanted.function = data[0] & 32 ? 43 : 3;
	r = frame_find(framing, &wanted, data + 1, size - 1, ended, &f);
	if (r > 0)
		check_found(framing, &wanted, &f, size - 1, r);
	else
		require(r == 0 || r == -EAGAIN || r == -EBADMSG);
	return 0;
}
