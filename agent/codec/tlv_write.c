/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "codec/internal.h"
#include "codec/tlv.h"

/* Content format 11542, writing (Core 7.5.5). */

static int write_head(struct buf *out, enum tlv_kind kind, uint16_t id, size_t size)
{
	unsigned id_bytes = id > UINT8_MAX ? 2 : 1;
	unsigned size_bytes = size < 8 ? 0 : size <= UINT8_MAX ? 1 : size <= UINT16_MAX ? 2 : 3;
	int r;

	if (size > TLV_SIZE_MAX)
		return -EMSGSIZE;
	r = buf_append_byte(out, (uint8_t)((unsigned)kind << 6 | (id_bytes == 2 ? TLV_WIDE_ID : 0) |
					   size_bytes << 3 | (size_bytes == 0 ? size : 0)));
	if (r >= 0)
		r = buf_append_be(out, id, id_bytes);
	return r < 0 || size_bytes == 0 ? r : buf_append_be(out, size, size_bytes);
}

static int write_bytes(struct buf *out, enum tlv_kind kind, uint16_t id, const void *data,
		       size_t size)
{
	int r = write_head(out, kind, id, size);

	return r < 0 ? r : buf_append(out, data, size);
}

static int write_be(struct buf *out, enum tlv_kind kind, uint16_t id, uint64_t bits, unsigned n)
{
	int r = write_head(out, kind, id, n);

	return r < 0 ? r : buf_append_be(out, bits, n);
}

static unsigned signed_size(int64_t v)
{
	return v == (int8_t)v ? 1 : v == (int16_t)v ? 2 : v == (int32_t)v ? 4 : 8;
}

static unsigned unsigned_size(uint64_t v)
{
	return v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;
}

static int write_float(struct buf *out, enum tlv_kind kind, uint16_t id, double v)
{
	float f = fabs(v) <= FLT_MAX ? (float)v : 0;
	uint32_t short_bits;
	uint64_t bits;

	memcpy(&short_bits, &f, sizeof(short_bits));
	memcpy(&bits, &v, sizeof(bits));
	return (double)f == v ? write_be(out, kind, id, short_bits, 4) :
				write_be(out, kind, id, bits, 8);
}

static int write_value(struct buf *out, enum tlv_kind kind, uint16_t id, const struct value *v)
{
	switch (v->type) {
	case VALUE_STRING:
	case VALUE_CORELNK:
	case VALUE_OPAQUE:
		return write_bytes(out, kind, id, v->data, v->size);
	case VALUE_INTEGER:
	case VALUE_TIME:
		return write_be(out, kind, id, (uint64_t)v->integer, signed_size(v->integer));
	case VALUE_UNSIGNED:
		return write_be(out, kind, id, v->unsignd, unsigned_size(v->unsignd));
	case VALUE_FLOAT:
		return write_float(out, kind, id, v->real);
	case VALUE_BOOLEAN:
		return write_be(out, kind, id, v->boolean, 1);
	case VALUE_OBJLNK:
		return write_be(out, kind, id, (uint64_t)v->link.object << 16 | v->link.instance,
				4);
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	return -EINVAL;
}

static int write_instances(struct buf *out, const struct record *records, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		if (records[i].path.depth != PATH_RESOURCE_INSTANCE)
			return -EINVAL;
		r = write_value(out, TLV_RESOURCE_INSTANCE, records[i].path.resource_instance,
				&records[i].value);
	}
	return r;
}

/* One multiple resource; with one entry or none it stays one. */
static int write_multiple(struct buf *out, const struct record *records, size_t n)
{
	_cleanup_buf_ struct buf content = { .limit = out->limit };
	int r = write_instances(&content, records, n);

	if (r < 0)
		return r;
	return write_bytes(out, TLV_MULTIPLE, records[0].path.resource, content.data, content.size);
}

/* The resources of one instance. */
static int write_resources(struct buf *out, const struct record *records, size_t n)
{
	int r = 0;

	for (size_t i = 0, run; i < n && r >= 0; i += run) {
		const struct record *record = &records[i];

		run = 1;
		if (record->path.depth == PATH_RESOURCE_INSTANCE) {
			run = encode_run(record, n - i, PATH_RESOURCE);
			r = write_multiple(out, record, run);
		} else if (record->path.depth == PATH_RESOURCE &&
			   record->value.type == VALUE_NONE) {
			r = write_head(out, TLV_MULTIPLE, record->path.resource, 0);
		} else if (record->path.depth == PATH_RESOURCE) {
			r = write_value(out, TLV_RESOURCE, record->path.resource, &record->value);
		} else if (record->value.type != VALUE_NONE) {
			r = -EINVAL;
		}
	}
	return r;
}

static int write_object(struct buf *out, const struct record *records, size_t n)
{
	int r = 0;

	for (size_t i = 0, run; i < n && r >= 0; i += run) {
		_cleanup_buf_ struct buf content = { .limit = out->limit };
		uint16_t id = records[i].path.instance;

		if (records[i].path.depth < PATH_INSTANCE)
			return -EINVAL;
		run = encode_run(&records[i], n - i, PATH_INSTANCE);
		r = write_resources(&content, &records[i], run);
		if (r < 0)
			return r;
		/* Without an id there is nothing to wrap with: a Create that leaves it open. */
		r = id == ID_NONE ? buf_append(out, content.data, content.size) :
				    write_bytes(out, TLV_INSTANCE, id, content.data, content.size);
	}
	return r;
}

static int write_all(const struct path *base, const struct record *records, size_t n,
		     struct buf *out)
{
	switch ((enum path_depth)base->depth) {
	case PATH_ROOT:
		break;
	case PATH_OBJECT:
		return write_object(out, records, n);
	case PATH_INSTANCE:
	case PATH_RESOURCE:
		return write_resources(out, records, n);
	case PATH_RESOURCE_INSTANCE:
		return write_instances(out, records, n);
	}
	return -EINVAL;
}

int tlv_encode(const struct path *base, const struct record *records, size_t n, bool times,
	       struct buf *out)
{
	size_t size = out->size;

	(void)times;
	for (size_t i = 0; i < n; i++)
		if (!path_contains(base, &records[i].path) || !encode_carries(&records[i].value))
			return -EINVAL;
	return encode_end(out, size, write_all(base, records, n, out));
}
