/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/wire.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/str.h"

bool wire_is_number(const struct wire *w)
{
	return w->kind == WIRE_SIGNED || w->kind == WIRE_UNSIGNED || w->kind == WIRE_ROUNDED ||
	       w->kind == WIRE_FLOAT;
}

double wire_to_double(const struct wire *w)
{
	switch (w->kind) {
	case WIRE_SIGNED:
		return (double)w->integer;
	case WIRE_UNSIGNED:
		return (double)w->unsignd;
	case WIRE_ROUNDED:
	case WIRE_FLOAT:
		return w->real;
	case WIRE_NONE:
	case WIRE_NULL:
	case WIRE_BOOLEAN:
	case WIRE_TEXT:
	case WIRE_BYTES:
	case WIRE_BASE64:
	case WIRE_LINK:
	case WIRE_TEXT_OR_LINK:
	case WIRE_TEXT_OR_BASE64:
		break;
	}
	return 0;
}

static bool to_int64(const struct wire *w, int64_t *ret)
{
	if (w->kind == WIRE_SIGNED)
		*ret = w->integer;
	else if (w->kind == WIRE_UNSIGNED && w->unsignd <= INT64_MAX)
		*ret = (int64_t)w->unsignd;
	else
		return false;
	return true;
}

struct wire wire_add(const struct wire *a, const struct wire *b)
{
	struct wire sum = { .kind = WIRE_ROUNDED };
	int64_t x, y, z;

	if (to_int64(a, &x) && to_int64(b, &y) && !__builtin_add_overflow(x, y, &z))
		return wire_integer(z);
	if (a->kind == WIRE_FLOAT || b->kind == WIRE_FLOAT)
		sum.kind = WIRE_FLOAT;
	sum.real = wire_to_double(a) + wire_to_double(b);
	return sum;
}

static int to_number(const struct wire *w, enum value_type type, struct value *ret)
{
	struct value v;

	if (!wire_is_number(w))
		return -EINVAL;
	if (type == VALUE_FLOAT || w->kind == WIRE_FLOAT || w->kind == WIRE_ROUNDED) {
		v = value_float(wire_to_double(w));
		if (!isfinite(v.real) || (w->kind == WIRE_ROUNDED && type != VALUE_FLOAT))
			return -ERANGE;
	} else if (w->kind == WIRE_SIGNED) {
		v = value_integer(w->integer);
	} else {
		v = value_unsigned(w->unsignd);
	}
	return value_convert(&v, type, ret);
}

static bool is_text(const struct wire *w)
{
	return w->kind == WIRE_TEXT || w->kind == WIRE_TEXT_OR_LINK ||
	       w->kind == WIRE_TEXT_OR_BASE64;
}

bool wire_has_bytes(const struct wire *w)
{
	return is_text(w) || w->kind == WIRE_BYTES || w->kind == WIRE_BASE64 ||
	       w->kind == WIRE_LINK;
}

static int to_text(const struct wire *w, enum value_type type, struct value *ret)
{
	if (!is_text(w) || !utf8_is_valid((const char *)w->bytes.p, w->bytes.n))
		return -EINVAL;
	return value_set_bytes(ret, type, w->bytes.p, w->bytes.n);
}

static int to_opaque(const struct wire *w, struct value *ret)
{
	if (w->kind == WIRE_BASE64 || w->kind == WIRE_TEXT_OR_BASE64)
		return value_parse_text((const char *)w->bytes.p, w->bytes.n, VALUE_OPAQUE, ret);
	if (w->kind != WIRE_BYTES)
		return -EINVAL;
	return value_set_bytes(ret, VALUE_OPAQUE, w->bytes.p, w->bytes.n);
}

static int to_link(const struct wire *w, struct value *ret)
{
	/* The null link as an example of Core 7.5.6 spells it. */
	static const char null_link[] = "FFFF:FFFF";

	if (w->kind != WIRE_LINK && w->kind != WIRE_TEXT_OR_LINK)
		return -EINVAL;
	if (w->bytes.n == sizeof(null_link) - 1 && memcmp(w->bytes.p, null_link, w->bytes.n) == 0) {
		*ret = value_objlnk(UINT16_MAX, UINT16_MAX);
		return 0;
	}
	return value_parse_text((const char *)w->bytes.p, w->bytes.n, VALUE_OBJLNK, ret);
}

static enum value_type own_type(const struct wire *w)
{
	switch (w->kind) {
	case WIRE_BOOLEAN:
		return VALUE_BOOLEAN;
	case WIRE_SIGNED:
		return VALUE_INTEGER;
	case WIRE_UNSIGNED:
		return w->unsignd > INT64_MAX ? VALUE_UNSIGNED : VALUE_INTEGER;
	case WIRE_ROUNDED:
	case WIRE_FLOAT:
		return VALUE_FLOAT;
	case WIRE_TEXT:
	case WIRE_TEXT_OR_LINK:
	case WIRE_TEXT_OR_BASE64:
		return VALUE_STRING;
	case WIRE_BYTES:
	case WIRE_BASE64:
		return VALUE_OPAQUE;
	case WIRE_LINK:
		return VALUE_OBJLNK;
	case WIRE_NONE:
	case WIRE_NULL:
		break;
	}
	return VALUE_NONE;
}

int wire_to_value(const struct wire *w, enum value_type type, struct value *ret)
{
	switch (type == VALUE_NONE ? own_type(w) : type) {
	case VALUE_INTEGER:
	case VALUE_UNSIGNED:
	case VALUE_FLOAT:
	case VALUE_TIME:
		return to_number(w, type == VALUE_NONE ? own_type(w) : type, ret);
	case VALUE_BOOLEAN:
		if (w->kind != WIRE_BOOLEAN)
			return -EINVAL;
		*ret = value_boolean(w->boolean);
		return 0;
	case VALUE_STRING:
	case VALUE_CORELNK:
		return to_text(w, type == VALUE_NONE ? VALUE_STRING : type, ret);
	case VALUE_OPAQUE:
		return to_opaque(w, ret);
	case VALUE_OBJLNK:
		return to_link(w, ret);
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	return -EINVAL;
}

const char *wire_reason(int error)
{
	return error == -ERANGE ? "number out of the type's range" :
	       error == -EFBIG	? "value too long" :
				  "value does not fit the resource's type";
}
