/* SPDX-License-Identifier: Apache-2.0 */
#include "point.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/lib/settings.h"
#include "escape.h"
#include "units.h"

const char *const text_type_names[] = { "float", "int", "uint", "bool", "string", NULL };
const char *const text_format_names[] = { "decimal", "comma", "hex", "degrees", "time", NULL };

static const struct layout_rules rules = { .initial = LAYOUT_UINT8, .max_length = 256, .rest = true };

static struct slice slice_of(const struct fieldway_settings *s, const char *key)
{
	const struct fieldway_value *v = setting_find(s, key);

	return v && v->type == FIELDWAY_STRING ? (struct slice){ v->data, v->size } : (struct slice){ 0 };
}

/* ---- where it lies ---- */

/* "weight.value": the group before the first dot, the field behind it. */
static int compile_source(struct point *p, struct slice text, struct fieldway_error *error)
{
	const char *dot = memchr(text.data, '.', text.size);
	struct slice group = { text.data, dot ? (size_t)(dot - text.data) : text.size };

	if (group.size == 0 || (dot && dot + 1 == text.data + text.size))
		return setting_refuse(error, "from", "from is MESSAGE.FIELD, or MESSAGE for all of it");
	if (p->n_fields == POINT_SOURCES_MAX)
		return setting_refuse(error, "from", "at most %u fields make one value", POINT_SOURCES_MAX);
	if (p->n_fields && !slice_equals(group, p->group.data, p->group.size))
		return setting_refuse(error, "from", "the fields of one value are all of one message");
	p->group = group;
	p->fields[p->n_fields++] = dot ? (struct slice){ dot + 1, text.size - group.size - 1 } :
					 (struct slice){ "", 0 };
	return 0;
}

static int compile_from(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct fieldway_value *v = &s->items[i].value;
		int r;

		if (strcmp(s->items[i].key, "from") != 0)
			continue;
		r = compile_source(p, (struct slice){ v->data, v->size }, error);
		if (r < 0)
			return r;
	}
	p->column = (uint32_t)setting_uint(s, "column", 0);
	if (p->column && (p->n_fields != 1 || p->fields[0].size))
		return setting_refuse(error, "column", "a column is one of a message: from: MESSAGE");
	if (p->readable && !p->n_fields)
		return setting_refuse(error, "from", "the point has no from");
	return 0;
}

/* ---- how it is taken ---- */

static int compile_layout(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	if (p->n_fields != 1 || p->fields[0].size || p->column)
		return setting_refuse(error, "at", "bytes lie at a place of a whole message: from: MESSAGE");
	p->is_layout = true;
	p->at = (uint32_t)setting_uint(s, "at", 0);
	return layout_compile(s, &rules, &p->layout, error);
}

static int compile_text(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	static const char *const bytes_only[] = { "order", "bit", "mask", "length" };
	int type = setting_choice(s, "type", text_type_names, TEXT_FLOAT);
	int format = setting_choice(s, "format", text_format_names, FORMAT_DECIMAL);

	if (type < 0)
		return setting_refuse(error, "type", "a text is float, int, uint, bool or string; other types "
						     "are of bytes, which lie `at:` a place");
	if (format < 0)
		return setting_refuse(error, "format", "there is no such format");
	for (size_t i = 0; i < sizeof(bytes_only) / sizeof(bytes_only[0]); i++)
		if (setting_has(s, bytes_only[i]))
			return setting_refuse(error, bytes_only[i], "%s is of bytes, which lie `at:` a place",
					      bytes_only[i]);
	p->type = (enum text_type)type;
	p->format = (enum text_format)format;
	return 0;
}

static int compile_format(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	bool text = p->type == TEXT_BOOL || p->type == TEXT_STRING;

	if (p->format != FORMAT_DECIMAL && text)
		return setting_refuse(error, "format", "only numbers have a format");
	if (p->format == FORMAT_HEX && p->type == TEXT_FLOAT)
		return setting_refuse(error, "format", "hexadecimal numbers are int or uint");
	if (p->format == FORMAT_DEGREES && p->type != TEXT_FLOAT)
		return setting_refuse(error, "format", "degrees are of type float");
	if ((p->format == FORMAT_TIME) != setting_has(s, "pattern"))
		return setting_refuse(error, "pattern", "a time has a pattern, and nothing else has");
	if (p->format == FORMAT_TIME && p->type != TEXT_INT)
		return setting_refuse(error, "format", "a time is of type int: seconds since 1970");
	if (p->format != FORMAT_TIME)
		return 0;
	p->pattern = setting_text(s, "pattern");
	return p->pattern ? 0 : -ENOMEM;
}

static int compile_unit(const struct fieldway_settings *s, struct point *p, struct fieldway_error *error)
{
	struct slice from = slice_of(s, "unit.from");
	const char *dot = from.data ? memchr(from.data, '.', from.size) : NULL;

	if (!from.data)
		return 0;
	p->unit = slice_of(s, "unit.to");
	if (!dot || !slice_equals((struct slice){ from.data, (size_t)(dot - from.data) }, p->group.data, p->group.size))
		return setting_refuse(error, "unit.from", "the unit is a field of the message that the value is of");
	if (p->is_layout || p->type != TEXT_FLOAT)
		return setting_refuse(error, "unit.from", "only a point of type float has a unit that changes");
	if (!p->unit.data || unit_check(p->unit) < 0)
		return setting_refuse(error, "unit.to", "nothing can be turned into that unit here");
	p->unit_field = (struct slice){ dot + 1, from.size - (size_t)(dot - from.data) - 1 };
	return 0;
}

/* `good:` names fields of the message that the value is of, as GROUP.FIELD. */
static int check_good(const struct fieldway_settings *s, const struct point *p, struct fieldway_error *error)
{
	for (size_t i = 0; i < s->n; i++) {
		const char *name = s->items[i].key;
		size_t size = strlen(name);

		if (strncmp(name, "good.", 5) != 0)
			continue;
		if (size <= 5 + p->group.size + 1 || !p->group.size ||
		    memcmp(name + 5, p->group.data, p->group.size) != 0 || name[5 + p->group.size] != '.')
			return setting_refuse(error, name, "good names fields of the message that the value is of: %.*s.FIELD",
					      (int)p->group.size, p->group.size ? p->group.data : "");
	}
	return 0;
}

/* ---- how it is written ---- */

static int compile_write(const struct fieldway_settings *s, const struct checksum *checksum, struct point *p,
			 struct fieldway_error *error)
{
	struct slice send = slice_of(s, "send");
	char why[160] = "";
	int r;

	if (!p->writable)
		return 0;
	if (!send.size)
		return setting_refuse(error, "send", "a point that is written needs send");
	r = template_new(send, checksum, &p->send, why, sizeof(why));
	if (r < 0)
		return r == -ENOMEM ? r : setting_refuse(error, "send", "%s", why);
	p->expect = slice_of(s, "expect");
	p->refuse = slice_of(s, "refuse");
	p->timeout_usec = setting_uint(s, "timeout", 0);
	p->retries = (uint32_t)setting_uint(s, "retries", 0);
	if (p->refuse.data && !p->expect.data)
		return setting_refuse(error, "refuse", "who waits for a refusal waits for an answer: expect is missing");
	return 0;
}

int point_compile(const struct fieldway_point *from, const struct checksum *checksum, struct point *ret,
		  struct fieldway_error *error)
{
	const struct fieldway_settings *s = &from->settings;
	struct point p = { .readable = from->readable, .writable = from->writable, .settings = s };
	int r;

	r = compile_from(s, &p, error);
	if (r >= 0)
		r = setting_has(s, "at") ? compile_layout(s, &p, error) : compile_text(s, &p, error);
	if (r >= 0 && !p.is_layout)
		r = compile_format(s, &p, error);
	if (r >= 0)
		r = compile_unit(s, &p, error);
	if (r >= 0)
		r = check_good(s, &p, error);
	if (r >= 0)
		r = compile_write(s, checksum, &p, error);
	if (r < 0) {
		point_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

void point_done(struct point *p)
{
	free(p->pattern);
	p->pattern = NULL;
	p->send = template_free(p->send);
}
