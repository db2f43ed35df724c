/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec/cbor.h"

enum {
	INFO_1_BYTE = 24,
	INFO_2_BYTES = 25,
	INFO_4_BYTES = 26,
	INFO_8_BYTES = 27,
	SIMPLE_FALSE = 20,
	SIMPLE_TRUE = 21,
};

/* "65535:65535" and its NUL. */
#define LINK_TEXT_MAX 12

static int write_argument(struct buf *out, enum cbor_major major, unsigned info, uint64_t argument,
			  unsigned n)
{
	int r = buf_append_byte(out, (uint8_t)(major << 5 | info));

	return r < 0 || n == 0 ? r : buf_append_be(out, argument, n);
}

int cbor_write_head(struct buf *out, enum cbor_major major, uint64_t argument)
{
	if (argument < INFO_1_BYTE)
		return write_argument(out, major, (unsigned)argument, 0, 0);
	if (argument <= UINT8_MAX)
		return write_argument(out, major, INFO_1_BYTE, argument, 1);
	if (argument <= UINT16_MAX)
		return write_argument(out, major, INFO_2_BYTES, argument, 2);
	if (argument <= UINT32_MAX)
		return write_argument(out, major, INFO_4_BYTES, argument, 4);
	return write_argument(out, major, INFO_8_BYTES, argument, 8);
}

int cbor_write_integer(struct buf *out, int64_t v)
{
	return v < 0 ? cbor_write_head(out, CBOR_NEGATIVE, (uint64_t)(-1 - v)) :
		       cbor_write_head(out, CBOR_UNSIGNED, (uint64_t)v);
}

static int write_string(struct buf *out, enum cbor_major major, const void *data, size_t size)
{
	int r = cbor_write_head(out, major, size);

	return r < 0 ? r : buf_append(out, data, size);
}

int cbor_write_text(struct buf *out, const char *text, size_t size)
{
	return write_string(out, CBOR_TEXT, text, size);
}

int cbor_write_double(struct buf *out, double v)
{
	float f = fabs(v) <= FLT_MAX ? (float)v : 0;
	uint32_t short_bits;
	uint64_t bits;

	memcpy(&short_bits, &f, sizeof(short_bits));
	memcpy(&bits, &v, sizeof(bits));
	if ((double)f == v)
		return write_argument(out, CBOR_SIMPLE, INFO_4_BYTES, short_bits, 4);
	return write_argument(out, CBOR_SIMPLE, INFO_8_BYTES, bits, 8);
}

static int write_link(struct buf *out, const struct value_link *link)
{
	char text[LINK_TEXT_MAX];
	int n = snprintf(text, sizeof(text), "%u:%u", link->object, link->instance);

	return cbor_write_text(out, text, (size_t)n);
}

int cbor_write_value(struct buf *out, const struct value *v)
{
	switch (v->type) {
	case VALUE_INTEGER:
	case VALUE_TIME:
		return cbor_write_integer(out, v->integer);
	case VALUE_UNSIGNED:
		return cbor_write_head(out, CBOR_UNSIGNED, v->unsignd);
	case VALUE_FLOAT:
		return cbor_write_double(out, v->real);
	case VALUE_BOOLEAN:
		return write_argument(out, CBOR_SIMPLE, v->boolean ? SIMPLE_TRUE : SIMPLE_FALSE, 0,
				      0);
	case VALUE_STRING:
	case VALUE_CORELNK:
		return cbor_write_text(out, v->data, v->size);
	case VALUE_OPAQUE:
		return write_string(out, CBOR_BYTES, v->data, v->size);
	case VALUE_OBJLNK:
		return write_link(out, &v->link);
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	return -EINVAL;
}
