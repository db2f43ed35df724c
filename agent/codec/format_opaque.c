/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "codec/intake.h"
#include "codec/internal.h"

/* Content format 42: the bytes of one Opaque (Core 7.5.2). */

static int opaque_encode(const struct path *base, const struct record *records, size_t n,
			 bool times, struct buf *out)
{
	const struct value *value = encode_single(records, n);
	size_t size = out->size;

	(void)base;
	(void)times;
	if (!value || value->type != VALUE_OPAQUE)
		return -EINVAL;
	return encode_end(out, size, buf_append(out, value->data, value->size));
}

static int opaque_decode(const struct path *base, struct span payload, codec_lookup lookup,
			 void *userdata, struct records *ret, const char **ret_reason)
{
	struct intake in = { base, lookup, userdata, ret, ret->n, NULL };
	struct wire wire = wire_bytes(WIRE_BYTES, payload);
	int r = intake_check_single(&in);

	if (r >= 0)
		r = intake_add_wire(&in, base, &wire, 0);
	return intake_end(&in, r, ret_reason);
}

const struct codec opaque_codec = {
	.format = FORMAT_OPAQUE,
	.name = "opaque",
	.since = LWM2M_1_0,
	.single = true,
	.encode = opaque_encode,
	.decode = opaque_decode,
};
