/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "codec/cbor.h"
#include "codec/intake.h"
#include "codec/internal.h"

/* Content format 60: one value as one CBOR item (Core 7.5.3). */

/*
 * Core table C-2 sends for Time to RFC 7049 2.4.1, which is about tags: text in
 * 1.1, also a number from 1.2 on. Servers take an untagged one for an integer.
 */
static int write_item(struct buf *out, const struct value *v)
{
	int r = v->type == VALUE_TIME ? cbor_write_head(out, CBOR_TAG, CBOR_TAG_TIME_NUMBER) : 0;

	return r < 0 ? r : cbor_write_value(out, v);
}

static int cbor_encode(const struct path *base, const struct record *records, size_t n, bool times,
		       struct buf *out)
{
	const struct value *value = encode_single(records, n);
	size_t size = out->size;

	(void)base;
	(void)times;
	if (!value || !encode_carries(value))
		return -EINVAL;
	return encode_end(out, size, write_item(out, value));
}

static int decode_item(struct intake *in, struct span payload)
{
	struct wire wire;
	int r = cbor_read(&payload, &wire, &in->reason);

	if (r < 0)
		return r;
	if (payload.n > 0)
		return intake_fail(in, "more than one CBOR item");
	/* An Objlnk has no CBOR type of its own (Core table C-2). */
	if (wire.kind == WIRE_TEXT)
		wire.kind = WIRE_TEXT_OR_LINK;
	return intake_add_wire(in, in->base, &wire, 0);
}

static int cbor_decode(const struct path *base, struct span payload, codec_lookup lookup,
		       void *userdata, struct records *ret, const char **ret_reason)
{
	struct intake in = { base, lookup, userdata, ret, ret->n, NULL };
	int r = intake_check_single(&in);

	if (r >= 0)
		r = decode_item(&in, payload);
	return intake_end(&in, r, ret_reason);
}

const struct codec cbor_codec = {
	.format = FORMAT_CBOR,
	.name = "cbor",
	.since = LWM2M_1_1,
	.single = true,
	.encode = cbor_encode,
	.decode = cbor_decode,
};
