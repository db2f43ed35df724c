/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "codec/codec.h"

/* One file a format; codec.c lists them. */
extern const struct codec text_codec;
extern const struct codec opaque_codec;
extern const struct codec cbor_codec;
extern const struct codec senml_json_codec;
extern const struct codec senml_cbor_codec;
extern const struct codec tlv_codec;
extern const struct codec lwm2m_cbor_codec;
extern const struct codec json_codec;

/*
 * Ends an encode whose result is r: takes back what was appended behind size
 * when it failed, and makes a full buffer -EMSGSIZE.
 */
int encode_end(struct buf *out, size_t size, int r);
/* The only value of a format that carries one; NULL when there is none or more. */
const struct value *encode_single(const struct record *records, size_t n);
/* False for what no format may carry: NaN, the infinities, and text that is not UTF-8. */
bool encode_carries(const struct value *v);
/* How many of the records, from the first, lie in the same place down to depth; n is not 0. */
size_t encode_run(const struct record *records, size_t n, unsigned depth);
