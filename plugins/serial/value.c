/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "convert.h"
#include "escape.h"
#include "plugins/lib/settings.h"
#include "plugins/lib/text.h"
#include "units.h"

/* The setting PREFIX.TEXT; NULL: there is none. */
static const struct fieldway_value *find_entry(const struct fieldway_settings *s, const char *prefix,
					       struct slice text)
{
	size_t n = strlen(prefix);

	for (size_t i = 0; i < s->n; i++)
		if (strncmp(s->items[i].key, prefix, n) == 0 &&
		    slice_equals(text, s->items[i].key + n, strlen(s->items[i].key + n)))
			return &s->items[i].value;
	return NULL;
}

static bool convert_unit(const struct point *p, const struct parse *parse, double *value)
{
	struct slice unit = slice_trim(parse_find(parse, p->unit_field));
	const struct fieldway_value *alias = find_entry(p->settings, "units.", unit);

	if (!p->unit_field.data)
		return true;
	if (alias)
		unit = (struct slice){ alias->data, alias->size };
	return unit_convert(*value, unit, p->unit, value) == 0;
}

static bool convert_float(const struct point *p, const struct parse *parse, struct slice text,
			  struct fieldway_value *ret)
{
	ret->type = FIELDWAY_FLOAT;
	if (p->format == FORMAT_DEGREES)
		return convert_degrees(text, &ret->real);
	return convert_number(text, p->format == FORMAT_COMMA, &ret->real) && convert_unit(p, parse, &ret->real);
}

static bool convert_int(const struct point *p, struct slice text, struct fieldway_value *ret)
{
	uint64_t number;

	ret->type = FIELDWAY_INT;
	if (p->format == FORMAT_TIME)
		return convert_time(text, p->pattern, &ret->integer);
	if (p->format != FORMAT_HEX)
		return convert_integer(text, &ret->integer);
	if (!convert_unsigned(text, true, &number) || number > INT64_MAX)
		return false;
	ret->integer = (int64_t)number;
	return true;
}

/* One of `truth:` is true; without it 1 and 0. */
static bool convert_bool(const struct point *p, struct slice text, struct fieldway_value *ret)
{
	const struct fieldway_settings *s = p->settings;

	ret->type = FIELDWAY_BOOL;
	ret->boolean = false;
	text = slice_trim(text);
	if (!setting_has(s, "truth")) {
		ret->boolean = slice_equals(text, "1", 1);
		return ret->boolean || slice_equals(text, "0", 1);
	}
	for (size_t i = 0; i < s->n && !ret->boolean; i++)
		ret->boolean = strcmp(s->items[i].key, "truth") == 0 &&
			       slice_equals(text, s->items[i].value.data, s->items[i].value.size);
	return true;
}

/* `codes:` say which number a text stands for. */
static bool convert_code(const struct point *p, struct slice text, struct fieldway_value *ret)
{
	const struct fieldway_value *code = find_entry(p->settings, "codes.", slice_trim(text));

	if (!code)
		return false;
	*ret = *code;
	if (p->type == TEXT_FLOAT)
		*ret = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = (double)code->integer };
	return true;
}

static bool convert_string(struct slice text, struct fieldway_value *ret)
{
	*ret = (struct fieldway_value){ .type = FIELDWAY_STRING, .data = text.data, .size = text.size };
	return text_is_utf8(text.data, text.size) && !memchr(text.data, '\0', text.size);
}

static bool convert(const struct point *p, const struct parse *parse, struct slice text,
		    struct fieldway_value *ret)
{
	if (p->type != TEXT_STRING && convert_code(p, text, ret))
		return true;
	switch (p->type) {
	case TEXT_FLOAT:
		return convert_float(p, parse, text, ret);
	case TEXT_INT:
		return convert_int(p, text, ret);
	case TEXT_UINT:
		ret->type = FIELDWAY_UINT;
		return convert_unsigned(text, p->format == FORMAT_HEX, &ret->unsignd);
	case TEXT_BOOL:
		return convert_bool(p, text, ret);
	case TEXT_STRING:
		break;
	}
	return convert_string(text, ret);
}

/* ---- is it good? ---- */

/* `good: {weight.state: [ST]}`: for each field named, one of its texts. */
static bool is_good_key(const struct point *p, const struct parse *parse, const char *key)
{
	const struct fieldway_settings *s = p->settings;
	struct slice field = { key + 5 + p->group.size + 1, strlen(key) - 5 - p->group.size - 1 };
	struct slice text = slice_trim(parse_find(parse, field));

	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i].key, key) == 0 &&
		    slice_equals(text, s->items[i].value.data, s->items[i].value.size))
			return true;
	return false;
}

static bool is_good(const struct point *p, const struct parse *parse)
{
	for (size_t i = 0; i < p->settings->n; i++)
		if (strncmp(p->settings->items[i].key, "good.", 5) == 0 &&
		    !is_good_key(p, parse, p->settings->items[i].key))
			return false;
	return true;
}

/* ---- together ---- */

/* The fields after each other, in text. False: one is missing, or there is no room. */
static bool join(const struct point *p, const struct parse *parse, char *text, size_t text_size,
		 struct slice *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_fields; i++) {
		struct slice part = p->column ? parse_column(parse, p->column) : parse_find(parse, p->fields[i]);

		if (!part.data || part.size > text_size - n)
			return false;
		memcpy(text + n, part.data, part.size);
		n += part.size;
	}
	*ret = (struct slice){ text, n };
	return true;
}

static bool take_layout(const struct point *p, const struct parse *parse, struct fieldway_sample *ret, char *text,
			size_t text_size, size_t *used)
{
	ssize_t n = -1;

	if (p->at <= parse->size)
		n = layout_decode(&p->layout, (const uint8_t *)parse->text + p->at, parse->size - p->at, ret, text,
				  text_size);
	if (n < 0)
		return false;
	*used += (size_t)n;
	return true;
}

bool point_take(const struct point *p, const struct parse *parse, struct fieldway_sample *ret, char *text,
		size_t text_size, size_t *used)
{
	struct slice joined;

	text += *used;
	text_size -= *used;
	ret->quality = FIELDWAY_GOOD;
	ret->error = 0;
	if (p->is_layout) {
		if (!take_layout(p, parse, ret, text, text_size, used))
			return false;
	} else {
		if (!join(p, parse, text, text_size, &joined))
			return false;
		if (!convert(p, parse, joined, &ret->value)) {
			ret->quality = FIELDWAY_INVALID;
			ret->value = (struct fieldway_value){ .type = FIELDWAY_NONE };
		} else if (p->type == TEXT_STRING) {
			*used += joined.size;
		}
	}
	if (!is_good(p, parse))
		ret->quality = FIELDWAY_INVALID;
	return true;
}

int point_encode(const struct point *p, const struct fieldway_value *value, struct fieldway_value *ret,
		 char *why, size_t size)
{
	const struct fieldway_settings *s = p->settings;
	bool coded = false;
	double number;

	*ret = *value;
	if (value->type != FIELDWAY_INT && value->type != FIELDWAY_UINT && value->type != FIELDWAY_BOOL &&
	    value->type != FIELDWAY_FLOAT)
		return 0;
	number = value->type == FIELDWAY_INT ? (double)value->integer :
		 value->type == FIELDWAY_UINT ? (double)value->unsignd :
		 value->type == FIELDWAY_BOOL ? value->boolean :
						value->real;
	for (size_t i = 0; i < s->n; i++) {
		const char *key = s->items[i].key;

		if (strncmp(key, "codes.", 6) != 0)
			continue;
		coded = true;
		if ((double)s->items[i].value.integer != number)
			continue;
		*ret = (struct fieldway_value){ .type = FIELDWAY_STRING, .data = key + 6, .size = strlen(key + 6) };
		return 0;
	}
	if (!coded)
		return 0;
	snprintf(why, size, "the value is none of the point's codes");
	return -EINVAL;
}
