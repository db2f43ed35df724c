/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "codec/intake.h"
#include "codec/internal.h"
#include "codec/tlv.h"

/* Content format 11542, reading (Core 7.5.5). */

struct element {
	enum tlv_kind kind;
	uint16_t id;
	struct span value;
};

static int take_element(struct span *s, struct element *ret)
{
	uint64_t id, size;
	uint8_t type;
	int r = span_take_byte(s, &type);

	if (r < 0)
		return r;
	r = span_take_be(s, type & TLV_WIDE_ID ? 2 : 1, &id);
	size = type & 7;
	if (r >= 0 && (type >> 3 & 3) > 0)
		r = span_take_be(s, type >> 3 & 3, &size);
	if (r >= 0)
		r = span_take(s, size, &ret->value);
	if (r < 0)
		return r;
	ret->kind = type >> 6;
	ret->id = (uint16_t)id;
	return 0;
}

static int read_integer(struct span bytes, bool is_signed, uint64_t *ret)
{
	unsigned n = (unsigned)bytes.n;
	uint64_t v;

	if (bytes.n != 1 && bytes.n != 2 && bytes.n != 4 && bytes.n != 8)
		return -EINVAL;
	span_take_be(&bytes, n, &v);
	if (is_signed && n < 8 && v >> (8 * n - 1))
		v |= UINT64_MAX << (8 * n);
	*ret = v;
	return 0;
}

static int read_float(struct span bytes, double *ret)
{
	uint64_t bits;
	uint32_t short_bits;
	double v;
	float f;

	if (bytes.n != 4 && bytes.n != 8)
		return -EINVAL;
	if (bytes.n == 4) {
		span_take_be(&bytes, 4, &bits);
		short_bits = (uint32_t)bits;
		memcpy(&f, &short_bits, sizeof(f));
		v = f;
	} else {
		span_take_be(&bytes, 8, &bits);
		memcpy(&v, &bits, sizeof(v));
	}
	if (!isfinite(v))
		return -EINVAL;
	*ret = v;
	return 0;
}

static int read_number(struct span bytes, enum value_type type, struct value *ret)
{
	struct value v = { .type = type };
	uint64_t bits = 0;
	int r;

	if (type == VALUE_FLOAT)
		r = read_float(bytes, &v.real);
	else
		r = read_integer(bytes, type != VALUE_UNSIGNED, &bits);
	if (r < 0)
		return r;
	if (type == VALUE_UNSIGNED)
		v.unsignd = bits;
	else if (type != VALUE_FLOAT)
		v.integer = (int64_t)bits;
	*ret = v;
	return 0;
}

static int read_boolean(struct span bytes, struct value *ret)
{
	if (bytes.n != 1 || *bytes.p > 1)
		return -EINVAL;
	*ret = value_boolean(*bytes.p);
	return 0;
}

static int read_link(struct span bytes, struct value *ret)
{
	uint64_t object, instance;

	if (bytes.n != 4)
		return -EINVAL;
	span_take_be(&bytes, 2, &object);
	span_take_be(&bytes, 2, &instance);
	*ret = value_objlnk((uint16_t)object, (uint16_t)instance);
	return 0;
}

static int read_value(struct span bytes, enum value_type type, struct value *ret)
{
	struct wire text = wire_bytes(WIRE_TEXT, bytes);

	switch (type) {
	case VALUE_STRING:
	case VALUE_CORELNK:
		return wire_to_value(&text, type, ret);
	case VALUE_INTEGER:
	case VALUE_UNSIGNED:
	case VALUE_FLOAT:
	case VALUE_TIME:
		return read_number(bytes, type, ret);
	case VALUE_BOOLEAN:
		return read_boolean(bytes, ret);
	case VALUE_OBJLNK:
		return read_link(bytes, ret);
	case VALUE_OPAQUE:
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	/* TLV tells no type: what has none stays bytes. */
	return value_set_bytes(ret, VALUE_OPAQUE, bytes.p, bytes.n);
}

static int add_value(struct intake *in, const struct path *path, struct span bytes)
{
	const struct resource_definition *definition = intake_definition(in, path);
	_cleanup_value_ struct value value = { 0 };
	int r = read_value(bytes, definition ? definition->type : VALUE_OPAQUE, &value);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return intake_fail(in, r == -EFBIG ? "value too long" :
						     "value does not fit the resource's type");
	return intake_add(in, path, &value, 0);
}

/* Where the parent of each kind stands. */
static const enum path_depth parent_depths[] = {
	[TLV_INSTANCE] = PATH_OBJECT,
	[TLV_RESOURCE_INSTANCE] = PATH_RESOURCE,
	[TLV_MULTIPLE] = PATH_INSTANCE,
	[TLV_RESOURCE] = PATH_INSTANCE,
};

/* Outside, wrappers that the target implies may be there or not; inside, all has its place. */
static bool find_parent(const struct path *at, bool inside, enum tlv_kind kind, struct path *ret)
{
	enum path_depth depth = parent_depths[kind];

	if (inside ? at->depth == depth : at->depth >= depth)
		*ret = path_cut(at, depth);
	else if (!inside && at->depth == PATH_OBJECT && depth == PATH_INSTANCE)
		*ret = path_child(at, ID_NONE); /* a Create that leaves the id to us */
	else
		return false;
	return true;
}

static int decode_elements(struct intake *in, const struct path *at, bool inside, struct span s);

static int decode_element(struct intake *in, const struct path *parent, const struct element *e)
{
	struct path path = path_child(parent, e->id);
	struct value none = { 0 };

	if (e->id == ID_NONE)
		return intake_fail(in, "65535 as an id");
	if (!path_contains(in->base, &path) && !path_contains(&path, in->base))
		return intake_fail(in, "path outside the target");
	if (e->kind == TLV_RESOURCE || e->kind == TLV_RESOURCE_INSTANCE)
		return add_value(in, &path, e->value);
	if (e->value.n > 0)
		return decode_elements(in, &path, true, e->value);
	return intake_add(in, &path, &none, 0);
}

static int decode_elements(struct intake *in, const struct path *at, bool inside, struct span s)
{
	struct element e;
	struct path parent;
	int r;

	while (s.n > 0) {
		if (take_element(&s, &e) < 0)
			return intake_fail(in, "TLV cut short");
		if (!find_parent(at, inside, e.kind, &parent))
			return intake_fail(in, "TLV out of place");
		r = decode_element(in, &parent, &e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One Create names its instance or leaves it open, not both. */
static int check_instances(struct intake *in)
{
	const struct record *items = in->records->items;

	for (size_t i = in->first + 1; i < in->records->n; i++)
		if ((items[i].path.instance == ID_NONE) != (items[i - 1].path.instance == ID_NONE))
			return intake_fail(in, "resources with and without instance");
	return 0;
}

static int tlv_decode(const struct path *base, struct span payload, codec_lookup lookup,
		      void *userdata, struct records *ret, const char **ret_reason)
{
	struct intake in = { base, lookup, userdata, ret, ret->n, NULL };
	int r;

	if (base->depth == PATH_ROOT)
		r = intake_fail(&in, "TLV names no objects");
	else
		r = decode_elements(&in, base, false, payload);
	if (r >= 0 && base->depth == PATH_OBJECT)
		r = check_instances(&in);
	return intake_end(&in, r, ret_reason);
}

const struct codec tlv_codec = {
	.format = FORMAT_TLV,
	.name = "tlv",
	.since = LWM2M_1_0,
	.encode = tlv_encode,
	.decode = tlv_decode,
};
