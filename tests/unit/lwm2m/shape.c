/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/lwm2m/shape.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static void fill_line(struct store *s, const struct definitions *d, const char *line, size_t n)
{
	const char *blank = memchr(line, ' ', n);
	size_t end = blank ? (size_t)(blank - line) : n;
	const struct object_definition *object;
	struct value v = { 0 };
	struct path path;

	ck_assert_int_eq(path_parse(line, end, &path), 0);
	object = store_object(s, path.object) ?: definitions_newest(d, path.object);
	ck_assert_ptr_nonnull(object);
	ck_assert_int_ge(path.depth >= PATH_INSTANCE ? store_add_instance(s, object, path.instance) :
						       store_add_object(s, object),
			 0);
	if (!blank)
		return;
	ck_assert_int_eq(value_parse_text(blank + 1, n - end - 1, object_resource(object, path.resource)->type, &v),
			 0);
	ck_assert_int_eq(store_update_one(s, &path, &v), 0);
	value_done(&v);
}

void shape_fill(struct store *s, const struct definitions *d, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > 0)
			fill_line(s, d, text, n);
		text += n + (text[n] == '\n');
	}
}

struct store *shape_new(const struct definitions *d, const char *text)
{
	struct store *s;

	ck_assert_int_eq(store_new(d, &s), 0);
	shape_fill(s, d, text);
	return s;
}

static char text_out[8192];
static size_t used;

static int write_path(void *userdata, const struct path *path)
{
	struct store *s = userdata;
	_cleanup_value_ struct value v = { 0 };
	char *text = NULL, name[PATH_TEXT_MAX];

	if (path->depth == PATH_INSTANCE && store_exists(s, path))
		used += snprintf(text_out + used, sizeof(text_out) - used, "%s\n", path_format(path, name));
	if (path->depth >= PATH_RESOURCE && store_read(s, path, true, &v, NULL) >= 0) {
		ck_assert_int_eq(value_format_text(&v, &text), 0);
		used += snprintf(text_out + used, sizeof(text_out) - used, "%s %s\n", path_format(path, name), text);
		free(text);
	}
	ck_assert_uint_lt(used, sizeof(text_out));
	return store_children(s, path, write_path, s);
}

const char *shape_text(struct store *s, const char *path)
{
	struct path at;

	ck_assert_int_eq(path_parse(path, strlen(path), &at), 0);
	used = 0;
	text_out[0] = 0;
	ck_assert_int_eq(write_path(s, &at), 0);
	return text_out;
}
