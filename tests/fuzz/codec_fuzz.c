/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/codec_fuzz.h"

#include <errno.h>

#define TYPE(t)                                                                                    \
	[VALUE_##t] = { .type = VALUE_##t },                                                       \
	[VALUE_TYPES + VALUE_##t] = { .type = VALUE_##t, .multiple = true }

/* A resource's type is its id modulo their number, 0 unknown; every second round is multiple. */
static const struct resource_definition definitions[2 * VALUE_TYPES] = {
	TYPE(STRING), TYPE(INTEGER), TYPE(UNSIGNED), TYPE(FLOAT),   TYPE(BOOLEAN),
	TYPE(OPAQUE), TYPE(TIME),    TYPE(OBJLNK),   TYPE(CORELNK),
};

static const struct resource_definition *lookup(void *userdata, const struct path *path)
{
	(void)userdata;
	return path->resource % VALUE_TYPES ? &definitions[path->resource % (2 * VALUE_TYPES)] :
					      NULL;
}

static int compare_records(const void *a, const void *b)
{
	return path_compare(&((const struct record *)a)->path, &((const struct record *)b)->path);
}

/* In order, and without what only says that an instance is there: the target may say so as well. */
static void tidy(struct records *records)
{
	size_t kept = 0;

	for (size_t i = 0; i < records->n; i++)
		if (records->items[i].path.depth >= PATH_RESOURCE)
			records->items[kept++] = records->items[i];
	records->n = kept;
	if (kept > 1)
		qsort(records->items, kept, sizeof(*records->items), compare_records);
}

static int is_timed(const struct records *records)
{
	for (size_t i = 0; i < records->n; i++)
		if (records->items[i].boottime_usec > 0)
			return 1;
	return 0;
}

static void compare(const struct records *a, const struct records *b)
{
	require(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct record *x = &a->items[i], *y = &b->items[i];

		require(path_equal(&x->path, &y->path));
		/* What has no type of its own may come back as another. */
		require(!lookup(NULL, &x->path) || value_equal(&x->value, &y->value));
	}
}

static void check_again(const struct codec *codec, const struct path *base, struct records *records)
{
	_cleanup_records_ struct records again = { 0 };
	_cleanup_buf_ struct buf out = { 0 };

	tidy(records);
	if (codec->single && records->n == 0)
		return;
	require(codec->encode(base, records->items, records->n, true, &out) == 0);
	/* The same path at several times is several values only with its times. */
	if (is_timed(records))
		return;
	require(codec->decode(base, span_of(out.data, out.size), lookup, NULL, &again, NULL) == 0);
	tidy(&again);
	compare(records, &again);
}

int codec_fuzz(enum content_format format, const uint8_t *data, size_t size)
{
	const struct codec *codec = codec_find(format);
	_cleanup_records_ struct records records = { 0 };
	struct path base = { .ids = { 1000 } };
	const char *reason = NULL;
	int r;

	if (size == 0)
		return 0;
	base.depth = data[0] % 5;
	base.resource = data[0] / 5;
	r = codec->decode(&base, span_of(data + 1, size - 1), lookup, NULL, &records, &reason);
	if (r < 0)
		require(r == -EINVAL && reason && records.n == 0);
	else
		check_again(codec, &base, &records);
	return 0;
}
