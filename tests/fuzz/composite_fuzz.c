/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/composite.h"

#include <errno.h>

#include "tests/fuzz/fuzz.h"

/* The first byte chooses the format, and whether the rest is the body of a FETCH (even) or of an iPATCH. */
static const struct fuzz_seed seeds[] = {
	{ "00", "[{\"bn\":\"/3/0/\",\"n\":\"9\"},{\"n\":\"11/0\"},{\"bn\":\"/\"}]" },
	{ "0283a100672f332f302f3136a10063332f30a100642f312f30", NULL },
	{ "04", "[{\"n\":\"/d01/3303\",\"bt\":-5},{\"n\":\"/d01/3303/0/5700\"}]" },
	{ "0683a2216a2f333330332f302f3500633730309f", NULL },
	{ "01", "[{\"bn\":\"/16/0/0/\",\"n\":\"3\",\"v\":null},{\"n\":\"3\",\"vs\":\"bb\"}]" },
	{ "0382a200692f31362f302f302f3302f6a200692f31362f302f302f3103626262", NULL },
	{ "05", "[{\"n\":\"/3311/0/5850\",\"vb\":false},{\"n\":\"/3311/2/5851\",\"v\":20}]" },
	{ "0783a321612f0065312f302f32021865a20065312f302f3604f5a20066332f302f31330200", NULL },
	{ "09a284636430310300091864820300a20d1a0001518010613a", NULL },
};
const struct fuzz_target fuzz_target = { "composite", seeds, ARRAY_SIZE(seeds), 0 };

static const enum content_format formats[] = {
	FORMAT_ETCH_JSON, FORMAT_ETCH_CBOR, FORMAT_SENML_JSON, FORMAT_SENML_CBOR, FORMAT_LWM2M_CBOR,
};

static void check_entry(const struct composite_entry *e, int patch)
{
	static const struct resource_definition text = { .type = VALUE_STRING };
	_cleanup_value_ struct value own = { 0 }, string = { 0 };
	const char *reason = NULL;

	require(e->n_segments <= COMPOSITE_SEGMENTS_MAX);
	for (unsigned i = 0; i < e->n_segments; i++)
		require(e->segments[i].n > 0 && e->segments[i].n < COMPOSITE_NAME_MAX);
	require((e->value.kind != WIRE_NONE) == patch);
	require(composite_value(e, NULL, &own, &reason) == 0 || reason);
	require(composite_value(e, &text, &string, &reason) == 0 || reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_composite_ struct composite c = { 0 };
	const char *reason = NULL;
	size_t uncovered = 0;
	int r, patch;

	if (size == 0)
		return 0;
	patch = data[0] & 1;
	r = (patch ? composite_decode_patch :
		     composite_decode_fetch)(formats[data[0] / 2 % ARRAY_SIZE(formats)],
					     span_of(data + 1, size - 1), &c, &reason);
	if (r < 0) {
		require((r == -EINVAL && reason) || (r == -EPROTONOSUPPORT && !patch));
		require(c.n == 0);
		return 0;
	}
	for (size_t i = 0; i < c.n; i++) {
		check_entry(&c.items[i], patch);
		uncovered += !c.items[i].covered;
	}
	require(uncovered > 0 && c.n <= COMPOSITE_ENTRIES_MAX);
	return 0;
}
