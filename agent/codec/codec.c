/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/codec.h"

#include <errno.h>
#include <math.h>

#include "base/macro.h"
#include "base/str.h"
#include "codec/internal.h"

const struct codec *const codecs[] = {
	&text_codec,	   &opaque_codec, &cbor_codec,	     &senml_json_codec,
	&senml_cbor_codec, &tlv_codec,	  &lwm2m_cbor_codec, &json_codec,
};
const size_t n_codecs = ARRAY_SIZE(codecs);

const struct codec *codec_find(enum content_format format)
{
	for (size_t i = 0; i < n_codecs; i++)
		if (codecs[i]->format == format)
			return codecs[i];
	return NULL;
}

const struct codec *codec_find_name(const char *name)
{
	for (size_t i = 0; i < n_codecs; i++)
		if (streq(codecs[i]->name, name))
			return codecs[i];
	return NULL;
}

int encode_end(struct buf *out, size_t size, int r)
{
	if (r >= 0)
		return 0;
	out->size = size;
	return r == -EFBIG ? -EMSGSIZE : r;
}

const struct value *encode_single(const struct record *records, size_t n)
{
	return n == 1 && records[0].value.type != VALUE_NONE ? &records[0].value : NULL;
}

bool encode_carries(const struct value *v)
{
	if (v->type == VALUE_STRING || v->type == VALUE_CORELNK)
		return utf8_is_valid(v->data, v->size);
	return v->type != VALUE_FLOAT || isfinite(v->real);
}

size_t encode_run(const struct record *records, size_t n, unsigned depth)
{
	struct path place = path_cut(&records[0].path, depth);
	size_t run = 1;

	while (run < n && path_contains(&place, &records[run].path))
		run++;
	return run;
}
