/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/output/document.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/value.h"
#include "base/str.h"
#include "ctl/output/table.h"

#define INDENT 2

/* ---- printing; jansson would print 230.2 with 17 digits ---- */

static int print_leaf(const json_t *leaf)
{
	_cleanup_free_ char *text = NULL;
	char number[FORMAT_DOUBLE_MAX];

	if (json_is_real(leaf)) {
		fputs(format_double(json_real_value(leaf), number), stdout);
		return 0;
	}
	text = json_dumps(leaf, JSON_ENCODE_ANY);
	if (!text)
		return -ENOMEM;
	fputs(text, stdout);
	return 0;
}

/* depth: of what stands on a line of its own; negative: all is on one. */
static void print_break(int depth)
{
	if (depth >= 0)
		printf("\n%*s", depth * INDENT, "");
}

static int print_item(const json_t *item, int depth);

static int print_object(const json_t *object, int depth)
{
	const char *comma = "", *key;
	json_t *o = json_incref((json_t *)(uintptr_t)object), *name, *value;
	int inner = depth < 0 ? depth : depth + 1, r = 0;

	putchar('{');
	json_object_foreach(o, key, value) {
		fputs(comma, stdout);
		print_break(inner);
		name = json_string(key);
		r = name ? print_leaf(name) : -ENOMEM;
		json_decref(name);
		fputs(depth < 0 ? ":" : ": ", stdout);
		if (r >= 0)
			r = print_item(value, inner);
		if (r < 0)
			break;
		comma = ",";
	}
	json_decref(o);
	if (*comma)
		print_break(depth);
	putchar('}');
	return r;
}

static int print_array(const json_t *array, int depth)
{
	int inner = depth < 0 ? depth : depth + 1, r = 0;

	putchar('[');
	for (size_t i = 0; i < json_array_size(array) && r >= 0; i++) {
		fputs(i > 0 ? "," : "", stdout);
		print_break(inner);
		r = print_item(json_array_get(array, i), inner);
	}
	if (json_array_size(array) > 0)
		print_break(depth);
	putchar(']');
	return r;
}

static int print_item(const json_t *item, int depth)
{
	return json_is_object(item) ? print_object(item, depth) :
	       json_is_array(item)  ? print_array(item, depth) :
				      print_leaf(item);
}

static int print(json_t *document, int depth)
{
	int r = document ? print_item(document, depth) : -ENOMEM;

	json_decref(document);
	if (r < 0)
		fputs("fieldwayctl: out of memory\n", stderr);
	else
		putchar('\n');
	return r;
}

int document_print(json_t *document)
{
	return print(document, 0);
}

int document_print_line(json_t *document)
{
	int r = print(document, -1);

	fflush(stdout);
	return r;
}

/* ---- making ---- */

void document_add(json_t **array, json_t *item)
{
	if (*array && json_array_append_new(*array, item) >= 0)
		return;
	if (!*array)
		json_decref(item);
	json_decref(*array);
	*array = NULL;
}

const char *document_text(const char *text)
{
	return text && *text && !streq(text, "-") ? text : NULL;
}

json_t *document_any_text(const char *text)
{
	_cleanup_free_ char *valid = malloc(strlen(text) + 1);
	size_t size = 0, n;

	if (!valid)
		return NULL;
	for (size_t left = strlen(text); left > 0; left -= n, text += n) {
		n = utf8_valid_prefix(text, left);
		memcpy(valid + size, text, n);
		size += n;
		n += n < left; /* past the byte that is none */
	}
	return json_stringn(valid, size);
}

json_t *document_u64(uint64_t number)
{
	char text[sizeof("18446744073709551615")];

	if (number <= INT64_MAX)
		return json_integer((json_int_t)number);
	format_u64(number, text);
	return json_string(text);
}

json_t *document_double(double number)
{
	return isfinite(number) ? json_real(number) : json_null();
}

static json_t *bytes(const struct fieldway_value *value)
{
	_cleanup_free_ char *hex = hex_encode(value->data, value->size);

	return hex ? json_string(hex) : NULL;
}

static json_t *text(const struct fieldway_value *value)
{
	_cleanup_free_ char *copy = strndup(value->data ?: "", value->size);

	return copy ? document_any_text(copy) : NULL;
}

json_t *document_value(const struct fieldway_value *value)
{
	switch (value->type) {
	case FIELDWAY_NONE:
		return json_null();
	case FIELDWAY_BOOL:
		return json_boolean(value->boolean);
	case FIELDWAY_INT:
		return json_integer(value->integer);
	case FIELDWAY_UINT:
		return document_u64(value->unsignd);
	case FIELDWAY_FLOAT:
		return document_double(value->real);
	case FIELDWAY_STRING:
		return text(value);
	case FIELDWAY_BYTES:
		return bytes(value);
	}
	return json_null();
}

static json_t *row(const char *const *cells, const char *const *keys, size_t n)
{
	json_t *object = json_object();

	for (size_t i = 0; i < n && object; i++) {
		const char *cell = document_text(cells[i]);

		if (json_object_set_new(object, keys[i],
					cell ? document_any_text(cell) : json_null()) >= 0)
			continue;
		json_decref(object);
		object = NULL;
	}
	return object;
}

json_t *document_rows(const struct table *t, const char *const *keys)
{
	json_t *rows = json_array();

	for (size_t i = 1; i < t->n; i++)
		document_add(&rows, row(&t->cells[i * t->columns], keys, t->columns));
	return rows;
}
