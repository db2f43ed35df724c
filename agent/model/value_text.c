/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/path.h"
#include "model/value.h"

/* Content format 0 (Core 7.5.1 and appendix C). */

/* Longer text is no number. */
#define NUMBER_TEXT_MAX 400u

static int print(char **ret, const char *format, ...) _printf_(2, 3);
static int print(char **ret, const char *format, ...)
{
	va_list list;
	int r;

	va_start(list, format);
	r = vasprintf(ret, format, list);
	va_end(list);
	return r < 0 ? -ENOMEM : 0;
}

int value_format_text(const struct value *v, char **ret)
{
	char number[FORMAT_DOUBLE_MAX];

	switch (v->type) {
	case VALUE_STRING:
	case VALUE_CORELNK:
		*ret = strndup(v->data, v->size);
		return *ret ? 0 : -ENOMEM;
	case VALUE_INTEGER:
	case VALUE_TIME:
		return print(ret, "%" PRId64, v->integer);
	case VALUE_UNSIGNED:
		return print(ret, "%" PRIu64, v->unsignd);
	case VALUE_FLOAT:
		return print(ret, "%s", format_double(v->real, number));
	case VALUE_BOOLEAN:
		return print(ret, "%d", v->boolean);
	case VALUE_OPAQUE:
		return base64_encode(v->data, v->size, ret);
	case VALUE_OBJLNK:
		return print(ret, "%u:%u", v->link.object, v->link.instance);
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	return -EINVAL;
}

/* Hexadecimal is for YAML, not for the wire. */
static bool is_decimal(const char *text)
{
	return !strpbrk(text, "xX");
}

static int parse_link(const char *text, struct value *ret)
{
	const char *colon = strchr(text, ':');
	uint16_t object, instance;

	if (!colon || path_parse_id(text, colon - text, &object) < 0 ||
	    path_parse_id(colon + 1, strlen(colon + 1), &instance) < 0)
		return -EINVAL;
	*ret = value_objlnk(object, instance);
	return 0;
}

static int parse_number(const char *text, enum value_type type, struct value *ret)
{
	struct value v = { .type = type };
	int r;

	switch (type) {
	case VALUE_INTEGER:
	case VALUE_TIME:
		r = is_decimal(text) ? parse_i64(text, &v.integer) : -EINVAL;
		break;
	case VALUE_UNSIGNED:
		r = is_decimal(text) ? parse_u64(text, &v.unsignd) : -EINVAL;
		break;
	case VALUE_FLOAT:
		r = parse_double(text, &v.real);
		break;
	case VALUE_BOOLEAN:
		v.boolean = *text == '1';
		r = streq(text, "0") || streq(text, "1") ? 0 : -EINVAL;
		break;
	default:
		return parse_link(text, ret);
	}
	if (r >= 0)
		*ret = v;
	return r;
}

static int parse_opaque(const char *text, size_t size, struct value *ret)
{
	uint8_t *data;
	size_t n;
	int r = base64_decode(text, size, &data, &n);

	if (r < 0)
		return r;
	r = value_set_bytes(ret, VALUE_OPAQUE, data, n);
	free(data);
	return r;
}

int value_parse_text(const char *text, size_t size, enum value_type type, struct value *ret)
{
	char copy[NUMBER_TEXT_MAX + 1];

	switch (type) {
	case VALUE_STRING:
	case VALUE_CORELNK:
		return utf8_is_valid(text, size) ? value_set_bytes(ret, type, text, size) : -EINVAL;
	case VALUE_OPAQUE:
		return parse_opaque(text, size, ret);
	case VALUE_NONE:
	case VALUE_TYPES:
		return -EINVAL;
	case VALUE_INTEGER:
	case VALUE_UNSIGNED:
	case VALUE_FLOAT:
	case VALUE_BOOLEAN:
	case VALUE_TIME:
	case VALUE_OBJLNK:
		break;
	}
	if (size == 0 || size > NUMBER_TEXT_MAX || memchr(text, 0, size))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = 0;
	return parse_number(copy, type, ret);
}
