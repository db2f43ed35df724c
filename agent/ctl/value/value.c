/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/value/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/str.h"
#include "ctl/daemon/record.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"

/* ---- single values; each gives its text, in the arena or in the message ---- */

static int keep(struct arena *arena, const char *text, const char **ret)
{
	const char *copy = arena_text(arena, text, strlen(text));

	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int read_string(sd_bus_message *m, struct arena *arena, const char **ret)
{
	const char *text;
	int r = sd_bus_message_read_basic(m, 's', &text);

	return r > 0 ? keep(arena, text, ret) : record_error(r);
}

static int read_integer(sd_bus_message *m, struct arena *arena, const char **ret)
{
	char text[sizeof("-9223372036854775808")];
	int64_t value;
	int r = sd_bus_message_read_basic(m, 'x', &value);

	if (r <= 0)
		return record_error(r);
	sprintf(text, "%" PRId64, value);
	return keep(arena, text, ret);
}

static int read_unsigned(sd_bus_message *m, struct arena *arena, const char **ret)
{
	char text[sizeof("18446744073709551615")];
	uint64_t value;
	int r = sd_bus_message_read_basic(m, 't', &value);

	if (r <= 0)
		return record_error(r);
	sprintf(text, "%" PRIu64, value);
	return keep(arena, text, ret);
}

static int read_float(sd_bus_message *m, struct arena *arena, const char **ret)
{
	char text[FORMAT_DOUBLE_MAX];
	double value;
	int r = sd_bus_message_read_basic(m, 'd', &value);

	return r > 0 ? keep(arena, format_double(value, text), ret) : record_error(r);
}

static int read_boolean(sd_bus_message *m, struct arena *arena, const char **ret)
{
	int value, r = sd_bus_message_read_basic(m, 'b', &value);

	return r > 0 ? keep(arena, value ? "1" : "0", ret) : record_error(r);
}

static int read_opaque(sd_bus_message *m, struct arena *arena, const char **ret)
{
	_cleanup_free_ char *text = NULL;
	const void *data;
	size_t size;
	int r = sd_bus_message_read_array(m, 'y', &data, &size);

	if (r <= 0)
		return record_error(r);
	r = base64_encode(data, size, &text);
	return r < 0 ? r : keep(arena, text, ret);
}

static int read_objlnk(sd_bus_message *m, struct arena *arena, const char **ret)
{
	char text[sizeof("65535:65535")];
	uint16_t object, instance;
	int r = sd_bus_message_read(m, "(qq)", &object, &instance);

	if (r <= 0)
		return record_error(r);
	sprintf(text, "%u:%u", object, instance);
	return keep(arena, text, ret);
}

static const struct {
	const char *type;
	int (*read)(sd_bus_message *m, struct arena *arena, const char **ret);
} types[] = {
	{ "s", read_string },  { "x", read_integer }, { "t", read_unsigned },  { "d", read_float },
	{ "b", read_boolean }, { "ay", read_opaque }, { "(qq)", read_objlnk },
};

/* ---- and what has parts ---- */

static int add_line(struct value_lines *lines, const struct path *path, char type,
		    const char *text)
{
	struct value_line *grown;

	if (lines->n == lines->allocated) {
		size_t allocated = lines->allocated ? 2 * lines->allocated : 16;

		grown = reallocarray(lines->items, allocated, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		lines->items = grown;
		lines->allocated = allocated;
	}
	lines->items[lines->n++] = (struct value_line){ *path, text, type };
	return 0;
}

static int read_contents(sd_bus_message *m, const char *type, const struct path *path,
			 struct value_lines *lines);

static int read_variant(sd_bus_message *m, const struct path *path, struct value_lines *lines)
{
	const char *type;
	char kind;
	int r = sd_bus_message_peek_type(m, &kind, &type);

	if (r <= 0 || kind != 'v')
		return record_error(r);
	r = sd_bus_message_enter_container(m, 'v', type);
	if (r <= 0)
		return record_error(r);
	r = read_contents(m, type, path, lines);
	if (r < 0)
		return r;
	r = sd_bus_message_exit_container(m);
	return r > 0 ? 0 : record_error(r);
}

/* What has parts, and where they are put. */
struct parent {
	const struct path *path;
	struct value_lines *lines;
};

static int read_part(sd_bus_message *m, void *userdata)
{
	const struct parent *parent = userdata;
	struct path part;
	uint16_t id;
	int r = sd_bus_message_read_basic(m, 'q', &id);

	if (r <= 0)
		return record_error(r);
	part = path_child(parent->path, id);
	return read_variant(m, &part, parent->lines);
}

static int read_parts(sd_bus_message *m, const struct path *path, struct value_lines *lines)
{
	if (path->depth >= PATH_RESOURCE_INSTANCE)
		return -EBADMSG;
	return record_entries_read(m, "{qv}", read_part, &(struct parent){ path, lines });
}

static int read_contents(sd_bus_message *m, const char *type, const struct path *path,
			 struct value_lines *lines)
{
	const char *text;
	int r;

	if (streq(type, "a{qv}")) {
		lines->tree = true;
		return read_parts(m, path, lines);
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!streq(types[i].type, type))
			continue;
		r = types[i].read(m, &lines->arena, &text);
		return r < 0 ? r : add_line(lines, path, *type, text);
	}
	return -EBADMSG;
}

int value_lines_read(sd_bus_message *m, const struct path *path, struct value_lines *ret)
{
	struct value_lines lines = { 0 };
	int r = read_variant(m, path, &lines);

	if (r < 0)
		value_lines_done(&lines);
	else
		*ret = lines;
	return r;
}

void value_lines_done(struct value_lines *lines)
{
	free(lines->items);
	arena_done(&lines->arena);
	*lines = (struct value_lines){ 0 };
}

static json_t *typed(const struct value_line *line)
{
	uint64_t natural;
	int64_t integer;
	double real;

	switch (line->type) {
	case 'b':
		return json_boolean(*line->text == '1');
	case 'x':
		return parse_i64(line->text, &integer) >= 0 ? json_integer(integer) : NULL;
	case 't':
		return parse_u64(line->text, &natural) >= 0 ? document_u64(natural) : NULL;
	case 'd':
		return parse_double(line->text, &real) >= 0 ? document_double(real) : json_null();
	}
	return json_string(line->text);
}

json_t *value_lines_document(const struct value_lines *lines)
{
	json_t *array = json_array();
	char path[PATH_TEXT_MAX];

	for (size_t i = 0; i < lines->n; i++)
		document_add(&array, json_pack("{s:s, s:o}", "path",
					       path_format(&lines->items[i].path, path), "value",
					       typed(&lines->items[i])));
	return array;
}

int value_lines_print(FILE *to, const struct value_lines *lines)
{
	_cleanup_table_ struct table t = { .columns = 2 };
	char(*paths)[PATH_TEXT_MAX];
	int r = 0;

	if (!lines->tree) {
		text_print(to, lines->items[0].text);
		fputc('\n', to);
		return 0;
	}
	paths = calloc(lines->n + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < lines->n && r >= 0; i++)
		r = table_add(&t, (const char *[]){ path_format(&lines->items[i].path, paths[i]),
						    lines->items[i].text });
	if (r >= 0)
		table_print(to, &t, &(struct table_frame){ 0 });
	free(paths);
	return r;
}
