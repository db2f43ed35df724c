/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "codec/internal.h"
#include "codec/lwm2m_cbor.h"

/* Content format 11544: LwM2M CBOR (Core 7.5.4). */

/* ---- writing ---- */

/* As in SenML there is no way to say "there, but empty": maps have something in them. */
static bool is_written(const struct record *record)
{
	return record->value.type != VALUE_NONE;
}

static bool is_tidy(const struct record *records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_written(&records[i]) ||
		    (i > 0 && path_compare(&records[i - 1].path, &records[i].path) >= 0))
			return false;
	return true;
}

static int by_path(const void *a, const void *b)
{
	return path_compare(&((const struct record *)a)->path, &((const struct record *)b)->path);
}

/* What is written, in order: a map has each key once. *ret is NULL when it is so already. */
static int tidy(const struct record **records, size_t *n, struct record **ret)
{
	struct record *copy;
	size_t kept = 0;

	if (is_tidy(*records, *n))
		return 0;
	copy = reallocarray(NULL, *n, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < *n; i++)
		if (is_written(&(*records)[i]))
			copy[kept++] = (*records)[i];
	qsort(copy, kept, sizeof(*copy), by_path);
	*records = *ret = copy;
	*n = kept;
	return 0;
}

static size_t count_runs(const struct record *records, size_t n, unsigned depth)
{
	size_t runs = 0;

	for (size_t i = 0; i < n; i += encode_run(records + i, n - i, depth))
		runs++;
	return runs;
}

/* The first depth ids. */
static int write_key(struct buf *out, const struct path *path, unsigned depth)
{
	int r = 0;

	if (depth > 1)
		r = cbor_write_head(out, CBOR_ARRAY, depth);
	for (unsigned i = 0; i < depth && r >= 0; i++)
		r = cbor_write_head(out, CBOR_UNSIGNED, path->ids[i]);
	return r;
}

/* Records that share their first depth ids, and what lies below those. */
static int write_below(struct buf *out, const struct record *records, size_t n, unsigned depth)
{
	int r;

	if (records[0].path.depth == depth)
		return n == 1 ? cbor_write_value(out, &records[0].value) : -EINVAL;
	r = cbor_write_head(out, CBOR_MAP, count_runs(records, n, depth + 1));
	for (size_t i = 0, run; i < n && r >= 0; i += run) {
		run = encode_run(records + i, n - i, depth + 1);
		r = cbor_write_head(out, CBOR_UNSIGNED, records[i].path.ids[depth]);
		if (r >= 0)
			r = write_below(out, records + i, run, depth + 1);
	}
	return r;
}

/* Of a composite: an instance under one key, or its only value under all of its path. */
static int write_root(struct buf *out, const struct record *records, size_t n)
{
	int r = cbor_write_head(out, CBOR_MAP, count_runs(records, n, PATH_INSTANCE));

	for (size_t i = 0, run; i < n && r >= 0; i += run) {
		unsigned depth;

		run = encode_run(records + i, n - i, PATH_INSTANCE);
		depth = run > 1 ? PATH_INSTANCE : records[i].path.depth;
		r = write_key(out, &records[i].path, depth);
		if (r >= 0)
			r = write_below(out, records + i, run, depth);
	}
	return r;
}

static int write_all(struct buf *out, const struct path *base, const struct record *records,
		     size_t n)
{
	int r;

	if (base->depth == PATH_ROOT || n == 0)
		return write_root(out, records, n);
	r = cbor_write_head(out, CBOR_MAP, 1);
	if (r >= 0)
		r = write_key(out, base, base->depth);
	return r < 0 ? r : write_below(out, records, n, base->depth);
}

static int lwm2m_cbor_encode(const struct path *base, const struct record *records, size_t n,
			     bool times, struct buf *out)
{
	_cleanup_free_ struct record *copy = NULL;
	size_t size = out->size;
	int r;

	(void)times;
	r = tidy(&records, &n, &copy);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (!path_contains(base, &records[i].path) ||
		    records[i].path.depth < PATH_RESOURCE || !encode_carries(&records[i].value))
			return -EINVAL;
	return encode_end(out, size, write_all(out, base, records, n));
}

/* ---- reading ---- */

static int take(struct lwm2m_cbor_reader *r, const struct lwm2m_cbor_name *name,
		const struct wire *value)
{
	if (name->has_prefix)
		return intake_fail(r->in, "prefix in a request for one path");
	if (name->path.instance == ID_NONE && r->in->base->depth != PATH_OBJECT)
		return intake_fail(r->in, "65535 as an id");
	return intake_add_wire(r->in, &name->path, value, 0);
}

static int lwm2m_cbor_decode(const struct path *base, struct span payload, codec_lookup lookup,
			     void *userdata, struct records *ret, const char **ret_reason)
{
	struct intake in = { base, lookup, userdata, ret, ret->n, NULL };
	struct lwm2m_cbor_reader reader = { &in, take };

	return intake_end(&in, lwm2m_cbor_read(&reader, payload), ret_reason);
}

const struct codec lwm2m_cbor_codec = {
	.format = FORMAT_LWM2M_CBOR,
	.name = "lwm2m-cbor",
	.since = LWM2M_1_2,
	.encode = lwm2m_cbor_encode,
	.decode = lwm2m_cbor_decode,
};
