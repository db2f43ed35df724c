/* SPDX-License-Identifier: Apache-2.0 */
#include "history/entry.h"

#include <errno.h>
#include <string.h>

/* ---- numbers: seven bits a byte, the lowest first ---- */

static int put_varint(struct buf *out, uint64_t value)
{
	uint8_t bytes[10];
	unsigned n = 0;

	do {
		bytes[n++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value > 0);
	return buf_append(out, bytes, n);
}

static int take_varint(struct span *in, uint64_t *ret)
{
	uint64_t value = 0;
	uint8_t byte;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (span_take_byte(in, &byte) < 0)
			return -EBADMSG;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return 0;
		}
	}
	return -EBADMSG;
}

/* Small ones of either sign are short. */
static uint64_t fold(uint64_t difference)
{
	return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}

static uint64_t unfold(uint64_t folded)
{
	return folded >> 1 ^ (folded & 1 ? UINT64_MAX : 0);
}

/* ---- values ---- */

enum {
	FLOAT_SHORT = 0x80, /* a double that a float holds, too */
};

static int put_float(struct buf *out, double real)
{
	float half = (float)real;
	uint64_t bits;
	uint32_t half_bits;

	if ((double)half == real) {
		memcpy(&half_bits, &half, sizeof(half_bits));
		return buf_append_byte(out, VALUE_FLOAT | FLOAT_SHORT) < 0 ? -ENOMEM : buf_append_be(out, half_bits, 4);
	}
	memcpy(&bits, &real, sizeof(bits));
	return buf_append_byte(out, VALUE_FLOAT) < 0 ? -ENOMEM : buf_append_be(out, bits, 8);
}

static int put_bytes(struct buf *out, const struct value *v)
{
	int r = put_varint(out, v->size);

	return r < 0 ? r : buf_append(out, v->data, v->size);
}

static int put_value(struct buf *out, const struct value *v)
{
	int r;

	if (v->type == VALUE_FLOAT)
		return put_float(out, v->real);
	r = buf_append_byte(out, (uint8_t)v->type);
	if (r < 0)
		return r;
	switch (v->type) {
	case VALUE_INTEGER:
	case VALUE_TIME:
		return put_varint(out, fold((uint64_t)v->integer));
	case VALUE_UNSIGNED:
		return put_varint(out, v->unsignd);
	case VALUE_BOOLEAN:
		return buf_append_byte(out, v->boolean);
	case VALUE_OBJLNK:
		return buf_append_be(out, (uint32_t)v->link.object << 16 | v->link.instance, 4);
	case VALUE_STRING:
	case VALUE_CORELNK:
	case VALUE_OPAQUE:
		return put_bytes(out, v);
	case VALUE_NONE:
	case VALUE_FLOAT:
	case VALUE_TYPES:
		break;
	}
	return -EINVAL;
}

static int take_float(struct span *in, bool is_short, struct value *ret)
{
	uint64_t bits;
	uint32_t half_bits;
	double real;
	float half;
	int r = span_take_be(in, is_short ? 4 : 8, &bits);

	if (r < 0)
		return r;
	if (is_short) {
		half_bits = (uint32_t)bits;
		memcpy(&half, &half_bits, sizeof(half));
		real = (double)half;
	} else {
		memcpy(&real, &bits, sizeof(real));
	}
	*ret = value_float(real);
	return 0;
}

static int take_bytes(struct span *in, enum value_type type, bool keep, struct value *ret)
{
	struct span bytes;
	uint64_t size;

	if (take_varint(in, &size) < 0 || size > VALUE_SIZE_MAX || span_take(in, (size_t)size, &bytes) < 0)
		return -EBADMSG;
	return keep ? value_set_bytes(ret, type, bytes.p, bytes.n) : 0;
}

static int take_whole(struct span *in, enum value_type type, struct value *ret)
{
	uint64_t raw;
	int r = type == VALUE_OBJLNK ? span_take_be(in, 4, &raw) : take_varint(in, &raw);

	if (r < 0)
		return r;
	switch (type) {
	case VALUE_OBJLNK:
		*ret = value_objlnk((uint16_t)(raw >> 16), (uint16_t)raw);
		return 0;
	case VALUE_UNSIGNED:
		*ret = value_unsigned(raw);
		return 0;
	case VALUE_BOOLEAN:
		*ret = value_boolean(raw != 0);
		return 0;
	default:
		*ret = (struct value){ .type = type, .integer = (int64_t)unfold(raw) };
		return 0;
	}
}

/* keep: texts are copied; else they are only passed over. */
static int take_value(struct span *in, bool keep, struct value *ret)
{
	uint8_t tag;

	*ret = (struct value){ 0 };
	if (span_take_byte(in, &tag) < 0)
		return -EBADMSG;
	switch (tag) {
	case VALUE_FLOAT:
	case VALUE_FLOAT | FLOAT_SHORT:
		return take_float(in, tag & FLOAT_SHORT, ret);
	case VALUE_STRING:
	case VALUE_CORELNK:
	case VALUE_OPAQUE:
		return take_bytes(in, tag, keep, ret);
	case VALUE_INTEGER:
	case VALUE_TIME:
	case VALUE_UNSIGNED:
	case VALUE_BOOLEAN:
	case VALUE_OBJLNK:
		return take_whole(in, tag, ret);
	default:
		return -EBADMSG;
	}
}

int entries_value(const struct history_entry *record, struct value *ret)
{
	struct span in = record->value;

	return take_value(&in, true, ret);
}

/* ---- entries ---- */

static int put_path(struct buf *out, const struct path *path)
{
	int r = buf_append_byte(out, path->depth);

	for (unsigned i = 0; i < path->depth && r >= 0; i++)
		r = buf_append_be(out, path->ids[i], 2);
	return r;
}

int entries_put_series(struct buf *out, uint32_t series, uint16_t short_id, const struct path *path,
		     const char *name)
{
	const size_t before = out->size, size = strlen(name);
	int r = size > ENTRY_NAME_MAX ? -EINVAL : buf_append_byte(out, ENTRY_SERIES);

	if (r >= 0)
		r = put_varint(out, series);
	if (r >= 0)
		r = buf_append_be(out, short_id, 2);
	if (r >= 0)
		r = put_path(out, path);
	if (r >= 0)
		r = put_varint(out, size);
	if (r >= 0)
		r = buf_append(out, name, size);
	if (r < 0)
		out->size = before;
	return r;
}

static int put_head(struct buf *out, const struct entry_cursor *at, enum entry_kind kind, uint32_t series, uint64_t id,
		    uint64_t time_msec)
{
	int r = buf_append_byte(out, (uint8_t)kind);

	if (r >= 0)
		r = put_varint(out, id - at->id);
	if (r >= 0)
		r = put_varint(out, series);
	if (r >= 0)
		r = put_varint(out, fold(time_msec - at->time_msec));
	return r;
}

static int put_end(struct buf *out, struct entry_cursor *at, size_t before, uint64_t id, uint64_t time_msec, int r)
{
	if (r < 0)
		out->size = before;
	else
		*at = (struct entry_cursor){ .id = id, .time_msec = time_msec };
	return r;
}

int entries_put_record(struct buf *out, struct entry_cursor *at, enum entry_kind kind, uint32_t series, uint64_t id,
		     uint64_t time_msec, const struct value *value)
{
	const size_t before = out->size;
	int r = put_head(out, at, kind, series, id, time_msec);

	if (r >= 0)
		r = put_value(out, value);
	return put_end(out, at, before, id, time_msec, r);
}

int entries_put_again(struct buf *out, struct entry_cursor *at, uint32_t series, const struct history_entry *record)
{
	const size_t before = out->size;
	int r = put_head(out, at, record->kind, series, record->id, record->time_msec);

	if (r >= 0)
		r = buf_append(out, record->value.p, record->value.n);
	return put_end(out, at, before, record->id, record->time_msec, r);
}

static int take_path(struct span *in, struct path *ret)
{
	struct path path = { 0 };
	uint64_t id;

	if (span_take_byte(in, &path.depth) < 0 || path.depth > PATH_RESOURCE_INSTANCE)
		return -EBADMSG;
	for (unsigned i = 0; i < path.depth; i++) {
		if (span_take_be(in, 2, &id) < 0)
			return -EBADMSG;
		path.ids[i] = (uint16_t)id;
	}
	*ret = path;
	return 0;
}

static int take_series(struct span *in, struct history_entry *ret)
{
	uint64_t short_id, size;

	if (span_take_be(in, 2, &short_id) < 0 || take_path(in, &ret->path) < 0 || take_varint(in, &size) < 0 ||
	    size > ENTRY_NAME_MAX)
		return -EBADMSG;
	ret->short_id = (uint16_t)short_id;
	return span_take(in, (size_t)size, &ret->name);
}

static int take_record(struct span *in, uint64_t id_step, struct entry_cursor *at, struct history_entry *ret)
{
	struct value value;
	uint64_t step;
	int r;

	if (id_step == 0 || take_varint(in, &step) < 0)
		return -EBADMSG;
	ret->id = at->id + id_step;
	ret->time_msec = at->time_msec + unfold(step);
	ret->value = *in;
	r = take_value(in, false, &value);
	if (r < 0)
		return r;
	ret->value.n -= in->n;
	*at = (struct entry_cursor){ .id = ret->id, .time_msec = ret->time_msec };
	return 0;
}

int entries_next(struct span *in, struct entry_cursor *at, struct history_entry *ret)
{
	uint64_t id_step = 0, series;
	uint8_t kind = 0;
	int r;

	if (in->n == 0)
		return 0;
	*ret = (struct history_entry){ 0 };
	span_take_byte(in, &kind);
	if (kind != ENTRY_SERIES && kind != ENTRY_RECORD && kind != ENTRY_RECORD_BOOT)
		return -EBADMSG;
	if (kind != ENTRY_SERIES && take_varint(in, &id_step) < 0)
		return -EBADMSG;
	if (take_varint(in, &series) < 0 || series > UINT32_MAX)
		return -EBADMSG;
	ret->kind = kind;
	ret->series = (uint32_t)series;
	r = kind == ENTRY_SERIES ? take_series(in, ret) : take_record(in, id_step, at, ret);
	return r < 0 ? r : 1;
}
