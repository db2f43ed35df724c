/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/codec/fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define SINGLE false
#define MULTIPLE true
#define ROW(o, r, t, m)                                                                            \
	{                                                                                          \
		o,                                                                                 \
		{                                                                                  \
			.id = r, .type = VALUE_##t, .multiple = m, .operations = 3                 \
		}                                                                                  \
	}
#define ROWS(n, t)                                                                                 \
	ROW(FIXTURE_OBJECT, n, t, SINGLE), ROW(FIXTURE_OBJECT, n + FIXTURE_MULTIPLE, t, MULTIPLE)

static const struct {
	uint16_t object;
	struct resource_definition definition;
} rows[] = {
	ROW(1, 0, INTEGER, SINGLE),	ROW(1, 1, INTEGER, SINGLE),   ROW(1, 2, INTEGER, SINGLE),
	ROW(1, 3, INTEGER, SINGLE),	ROW(1, 5, INTEGER, SINGLE),   ROW(1, 6, BOOLEAN, SINGLE),
	ROW(1, 7, STRING, SINGLE),	ROW(1, 8, NONE, SINGLE),      ROW(2, 0, INTEGER, SINGLE),
	ROW(2, 1, INTEGER, SINGLE),	ROW(2, 2, INTEGER, MULTIPLE), ROW(2, 3, INTEGER, SINGLE),
	ROW(3, 0, STRING, SINGLE),	ROW(3, 1, STRING, SINGLE),    ROW(3, 2, STRING, SINGLE),
	ROW(3, 3, STRING, SINGLE),	ROW(3, 6, INTEGER, MULTIPLE), ROW(3, 7, INTEGER, MULTIPLE),
	ROW(3, 8, INTEGER, MULTIPLE),	ROW(3, 9, INTEGER, SINGLE),   ROW(3, 10, INTEGER, SINGLE),
	ROW(3, 11, INTEGER, MULTIPLE),	ROW(3, 13, TIME, SINGLE),     ROW(3, 14, STRING, SINGLE),
	ROW(3, 16, STRING, SINGLE),	ROW(65, 0, OBJLNK, MULTIPLE), ROW(65, 1, STRING, SINGLE),
	ROW(65, 2, INTEGER, SINGLE),	ROW(66, 0, STRING, SINGLE),   ROW(66, 1, STRING, SINGLE),
	ROW(66, 2, OBJLNK, SINGLE),	ROW(67, 0, STRING, SINGLE),   ROW(67, 1, STRING, SINGLE),
	ROW(72, 2, FLOAT, SINGLE),	ROWS(VALUE_STRING, STRING),   ROWS(VALUE_INTEGER, INTEGER),
	ROWS(VALUE_UNSIGNED, UNSIGNED), ROWS(VALUE_FLOAT, FLOAT),     ROWS(VALUE_BOOLEAN, BOOLEAN),
	ROWS(VALUE_OPAQUE, OPAQUE),	ROWS(VALUE_TIME, TIME),	      ROWS(VALUE_OBJLNK, OBJLNK),
	ROWS(VALUE_CORELNK, CORELNK),
};

const struct resource_definition *fixture_lookup(void *userdata, const struct path *path)
{
	(void)userdata;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].object == path->object && rows[i].definition.id == path->resource)
			return &rows[i].definition;
	return NULL;
}

struct path fixture_path(const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	return path;
}

char *fixture_format(const struct record *records, size_t n)
{
	struct buf out = { 0 };
	char path[PATH_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text = NULL;
		const struct value *v = &records[i].value;

		ck_assert(v->type == VALUE_NONE || value_format_text(v, &text) == 0);
		ck_assert_int_eq(buf_printf(&out, "%s %s %s\n", path_format(&records[i].path, path),
					    value_type_name(v->type), text ? text : "-"),
				 0);
	}
	return buf_take_text(&out);
}

static char *swap(char *text, char from, char to)
{
	for (char *p = text; *p; p++)
		if (*p == from)
			*p = to;
	return text;
}

struct span fixture_bytes(const char *text)
{
	uint8_t *data;
	size_t size;

	if (*text == '.') {
		char *copy = strdup(text + 1);

		return span_of(swap(copy, '\'', '"'), strlen(copy));
	}
	ck_assert_msg(hex_decode(text, &data, &size) == 0, "%s", text);
	return span_of(data, size);
}

int fixture_decode(enum content_format format, const char *base, const char *payload,
		   struct records *ret, const char **ret_reason)
{
	struct path path = fixture_path(base);
	struct span bytes = fixture_bytes(payload);
	int r = codec_find(format)->decode(&path, bytes, fixture_lookup, NULL, ret, ret_reason);

	free((void *)(uintptr_t)bytes.p);
	return r;
}

char *fixture_encode(enum content_format format, const char *base, const struct records *records,
		     bool times)
{
	bool text = format == FORMAT_TEXT || format == FORMAT_SENML_JSON || format == FORMAT_JSON;
	struct path path = fixture_path(base);
	struct buf out = { 0 };
	char *hex;

	/* What stands in the buffer before stays there. */
	ck_assert_int_eq(buf_append_byte(&out, '.'), 0);
	ck_assert_int_eq(codec_find(format)->encode(&path, records->items, records->n, times, &out),
			 0);
	if (text)
		return swap(buf_take_text(&out), '"', '\'');
	hex = hex_encode(out.data + 1, out.size - 1);
	buf_done(&out);
	return hex;
}
