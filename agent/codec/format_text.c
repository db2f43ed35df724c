/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "codec/intake.h"
#include "codec/internal.h"

/* Content format 0: one value as text (Core 7.5.1). */

static int encode_value(const struct value *v, struct buf *out)
{
	_cleanup_free_ char *text = NULL;
	int r;

	/* Text may hold a NUL, so it goes out by its length. */
	if (v->type == VALUE_STRING || v->type == VALUE_CORELNK)
		return buf_append(out, v->data, v->size);
	r = value_format_text(v, &text);
	return r < 0 ? r : buf_append_text(out, text);
}

static int text_encode(const struct path *base, const struct record *records, size_t n, bool times,
		       struct buf *out)
{
	const struct value *value = encode_single(records, n);
	size_t size = out->size;

	(void)base;
	(void)times;
	if (!value || !encode_carries(value))
		return -EINVAL;
	return encode_end(out, size, encode_value(value, out));
}

static enum value_type type_of(const struct intake *in, struct span payload)
{
	const struct resource_definition *definition = intake_definition(in, in->base);

	if (definition && definition->type != VALUE_NONE)
		return definition->type;
	return utf8_is_valid((const char *)payload.p, payload.n) ? VALUE_STRING : VALUE_OPAQUE;
}

static int decode_value(struct intake *in, struct span payload)
{
	_cleanup_value_ struct value value = { 0 };
	enum value_type type = type_of(in, payload);
	bool known = intake_definition(in, in->base);
	int r;

	if (type == VALUE_OPAQUE && !known)
		r = value_set_bytes(&value, VALUE_OPAQUE, payload.p, payload.n);
	else
		r = value_parse_text((const char *)payload.p, payload.n, type, &value);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return intake_fail(in, r == -ERANGE ? "number out of the type's range" :
				       r == -EFBIG  ? "value too long" :
						      "text is no value of the resource's type");
	return intake_add(in, in->base, &value, 0);
}

static int text_decode(const struct path *base, struct span payload, codec_lookup lookup,
		       void *userdata, struct records *ret, const char **ret_reason)
{
	struct intake in = { base, lookup, userdata, ret, ret->n, NULL };
	int r = intake_check_single(&in);

	if (r >= 0)
		r = decode_value(&in, payload);
	return intake_end(&in, r, ret_reason);
}

const struct codec text_codec = {
	.format = FORMAT_TEXT,
	.name = "text",
	.since = LWM2M_1_0,
	.single = true,
	.encode = text_encode,
	.decode = text_decode,
};
