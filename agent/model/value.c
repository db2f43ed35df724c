/* SPDX-License-Identifier: Apache-2.0 */
#include "model/value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const char *const type_names[VALUE_TYPES] = {
	[VALUE_NONE] = "none",	     [VALUE_STRING] = "string",	  [VALUE_INTEGER] = "integer",
	[VALUE_UNSIGNED] = "unsigned", [VALUE_FLOAT] = "float",	  [VALUE_BOOLEAN] = "boolean",
	[VALUE_OPAQUE] = "opaque",   [VALUE_TIME] = "time",	  [VALUE_OBJLNK] = "objlnk",
	[VALUE_CORELNK] = "corelnk",
};

const char *value_type_name(enum value_type type)
{
	return type_names[type];
}

int value_type_parse(const char *text, enum value_type *ret)
{
	for (unsigned i = 0; i < VALUE_TYPES; i++) {
		if (!streq(text, type_names[i]))
			continue;
		*ret = i;
		return 0;
	}
	return -EINVAL;
}

static bool has_data(const struct value *v)
{
	return v->type == VALUE_STRING || v->type == VALUE_CORELNK || v->type == VALUE_OPAQUE;
}

int value_set_bytes(struct value *v, enum value_type type, const void *data, size_t size)
{
	char *copy;

	if (size > VALUE_SIZE_MAX)
		return -EFBIG;
	copy = malloc(size + 1);
	if (!copy)
		return -ENOMEM;
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = 0;
	*v = (struct value){ .type = type, .size = size, .data = copy };
	return 0;
}

int value_copy(const struct value *from, struct value *ret)
{
	if (has_data(from))
		return value_set_bytes(ret, from->type, from->data, from->size);
	*ret = *from;
	return 0;
}

void value_done(struct value *v)
{
	if (v->type == VALUE_OPAQUE && v->data)
		explicit_bzero(v->data, v->size); /* it may be a key */
	if (has_data(v))
		free(v->data);
	*v = (struct value){ 0 };
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_NONE:
		return true;
	case VALUE_STRING:
	case VALUE_CORELNK:
	case VALUE_OPAQUE:
		return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
	case VALUE_INTEGER:
	case VALUE_TIME:
		return a->integer == b->integer;
	case VALUE_UNSIGNED:
		return a->unsignd == b->unsignd;
	case VALUE_FLOAT:
		return a->real == b->real || (isnan(a->real) && isnan(b->real));
	case VALUE_BOOLEAN:
		return a->boolean == b->boolean;
	case VALUE_OBJLNK:
		return a->link.object == b->link.object && a->link.instance == b->link.instance;
	case VALUE_TYPES:
		break;
	}
	return false;
}

int value_to_double(const struct value *v, double *ret)
{
	switch (v->type) {
	case VALUE_INTEGER:
	case VALUE_TIME:
		*ret = v->integer;
		return 0;
	case VALUE_UNSIGNED:
		*ret = v->unsignd;
		return 0;
	case VALUE_FLOAT:
		*ret = v->real;
		return 0;
	case VALUE_BOOLEAN:
		*ret = v->boolean;
		return 0;
	case VALUE_NONE:
	case VALUE_STRING:
	case VALUE_CORELNK:
	case VALUE_OPAQUE:
	case VALUE_OBJLNK:
	case VALUE_TYPES:
		break;
	}
	return -EINVAL;
}
