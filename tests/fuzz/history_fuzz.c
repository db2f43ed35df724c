/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "history/entry.h"
#include "tests/fuzz/fuzz.h"

/* A segment of what is recorded, as it comes back from the disk. */
static const struct fuzz_seed seeds[] = {
	{ "01000065030ce700001644026570020100d00f8441ac0000020100d00f0254", NULL },
	{ "0305010201047761726d020100000800030000", NULL },
	{ "0201000004000000000000000102010001050102010003068080808010", NULL },
	{ "010100650400030000000700010a75726e3a6465763a313202010100070a", NULL },
};
const struct fuzz_target fuzz_target = { "history", seeds, sizeof(seeds) / sizeof(seeds[0]), 0 };

/* What was understood can be written again, and is understood as the same. */
static void check_record(const struct history_entry *e, struct entry_cursor before)
{
	struct entry_cursor writing = before, reading = before;
	_cleanup_value_ struct value value = { 0 };
	_cleanup_buf_ struct buf out = { 0 };
	struct history_entry again;
	struct span in;

	require(e->id != before.id);
	require(entries_value(e, &value) == 0);
	require(entries_put_again(&out, &writing, e->series, e) == 0);
	in = span_of(out.data, out.size);
	require(entries_next(&in, &reading, &again) == 1 && in.n == 0);
	require(again.kind == e->kind && again.series == e->series && again.id == e->id &&
		again.time_msec == e->time_msec && again.value.n == e->value.n &&
		memcmp(again.value.p, e->value.p, e->value.n) == 0);
	out.size = 0;
	writing = before;
	require(entries_put_record(&out, &writing, e->kind, e->series, e->id, e->time_msec, &value) == 0);
}

static void check_series(const struct history_entry *e, const uint8_t *data, size_t size)
{
	require(e->path.depth <= PATH_RESOURCE_INSTANCE && e->name.n <= ENTRY_NAME_MAX);
	require(e->name.n == 0 || (e->name.p >= data && e->name.p + e->name.n <= data + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry_cursor at = { .id = 41 }, before;
	struct span in = span_of(data, size);
	struct history_entry e;
	int r;

	for (;;) {
		before = at;
		r = entries_next(&in, &at, &e);
		if (r <= 0)
			break;
		if (e.kind == ENTRY_SERIES)
			check_series(&e, data, size);
		else
			check_record(&e, before);
	}
	require(r == 0 || r == -EBADMSG);
	return 0;
}
