/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "codec/codec.h"
#include "tests/fuzz/fuzz.h"

/* Any bytes as link-format: a list that the writer takes reads back the same. */

static const struct fuzz_seed seeds[] = {
	{ NULL, "</>;ct=\"60 110 112\", </1>;ver=1.2,</1/0>,</5>" },
	{ NULL, "</0/0>;ssid=101;uri=\"coaps://a.example:5684\"" },
	{ NULL, "</3/0/7>;dim=2;pmin=10;gt=50.5;lt=-42" },
	{ NULL, "</s>;title*=UTF-8'en'x;obs;sz=1;t=\"a\\\"b\\\\\"" },
};
const struct fuzz_target fuzz_target = { "link", seeds, ARRAY_SIZE(seeds) };

/* False when the writer is stricter than the parser. */
static int write_links(const struct links *links, struct buf *out)
{
	struct link_writer w = { .out = out };

	for (size_t i = 0; i < links->n; i++) {
		const struct link *link = &links->items[i];

		if (link_begin(&w, link->target) < 0)
			return 0;
		for (size_t k = 0; k < link->n; k++)
			if (link_attribute(&w, link->attributes[k].name, link->attributes[k].value,
					   true) < 0)
				return 0;
	}
	return 1;
}

static void compare(const struct links *a, const struct links *b)
{
	require(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct link *x = &a->items[i], *y = &b->items[i];

		require(streq(x->target, y->target) && x->n == y->n);
		for (size_t k = 0; k < x->n; k++)
			require(streq(x->attributes[k].name, y->attributes[k].name) &&
				streq_null(x->attributes[k].value, y->attributes[k].value));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(links_done) struct links links = { 0 }, again = { 0 };
	_cleanup_buf_ struct buf out = { 0 };

	if (links_parse((const char *)data, size, &links) < 0) {
		require(links.n == 0 && !links.items);
		return 0;
	}
	if (!write_links(&links, &out))
		return 0;
	require(links_parse((const char *)out.data, out.size, &again) == 0);
	compare(&links, &again);
	return 0;
}
