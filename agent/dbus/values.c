/* SPDX-License-Identifier: Apache-2.0 */
#include "dbus/values.h"

#include <errno.h>
#include <string.h>

#include "dbus/internal.h"
#include "store/store.h"

/* ---- to the bus ---- */

static int bytes_append(sd_bus_message *m, const struct value *value)
{
	int r = sd_bus_message_open_container(m, 'v', "ay");

	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', value->data, value->size);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int value_append(sd_bus_message *m, const struct value *value)
{
	switch (value->type) {
	case VALUE_STRING:
	case VALUE_CORELNK:
		/* D-Bus strings end at a NUL; what LwM2M's hold behind one cannot be said. */
		return sd_bus_message_append(m, "v", "s", value->data);
	case VALUE_INTEGER:
	case VALUE_TIME:
		return sd_bus_message_append(m, "v", "x", value->integer);
	case VALUE_UNSIGNED:
		return sd_bus_message_append(m, "v", "t", value->unsignd);
	case VALUE_FLOAT:
		return sd_bus_message_append(m, "v", "d", value->real);
	case VALUE_BOOLEAN:
		return sd_bus_message_append(m, "v", "b", (int)value->boolean);
	case VALUE_OBJLNK:
		return sd_bus_message_append(m, "v", "(qq)", value->link.object,
					     value->link.instance);
	case VALUE_OPAQUE:
		return bytes_append(m, value);
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	return -EINVAL;
}

/* Records of one parent, whose depth is given, as an open a{qv}. */
static int append_below(sd_bus_message *m, const struct record *records, size_t n, unsigned depth);

/* One part: a value, or what has parts itself. */
static int append_part(sd_bus_message *m, const struct record *records, size_t n, unsigned depth)
{
	int r;

	if (n == 1 && records->path.depth == depth && records->value.type != VALUE_NONE)
		return value_append(m, &records->value);
	/* A multiple resource without instances stands for itself. */
	if (records->path.depth == depth)
		n = 0;
	r = sd_bus_message_open_container(m, 'v', "a{qv}");
	if (r >= 0)
		r = append_below(m, records, n, depth);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_entry(sd_bus_message *m, const struct record *records, size_t n, unsigned depth)
{
	int r = sd_bus_message_open_container(m, 'e', "qv");

	if (r >= 0)
		r = sd_bus_message_append(m, "q", records->path.ids[depth - 1]);
	if (r >= 0)
		r = append_part(m, records, n, depth);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_below(sd_bus_message *m, const struct record *records, size_t n, unsigned depth)
{
	int r = sd_bus_message_open_container(m, 'a', "{qv}");

	for (size_t i = 0, end; r >= 0 && i < n; i = end) {
		for (end = i + 1;
		     end < n && records[end].path.ids[depth] == records[i].path.ids[depth];)
			end++;
		r = append_entry(m, &records[i], end - i, depth + 1);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int records_append(sd_bus_message *m, const struct path *path, const struct records *records)
{
	static const struct record none = { 0 };

	if (records->n == 0)
		return append_part(m, &none, 0, PATH_RESOURCE_INSTANCE);
	return append_part(m, records->items, records->n, path->depth);
}

/* ---- from the bus ---- */

int path_read(sd_bus_message *m, struct path *ret, sd_bus_error *error)
{
	char echo[ECHO_MAX + 1];
	const char *text;
	int r = sd_bus_message_read(m, "s", &text);

	if (r < 0)
		return r;
	return path_parse(text, strlen(text), ret) < 0 ?
		       sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "%s is no path such as /3303/0/5700", error_echo(text, echo)) :
		       0;
}

int path_find(sd_bus_message *m, const struct store *store, struct path *ret, sd_bus_error *error)
{
	int r = path_read(m, ret, error);

	if (r < 0)
		return r;
	if (path_is_secret(ret))
		return error_set(error, -EACCES, "Its values are secret");
	return store_exists(store, ret) ? 0 : error_set(error, -ENOENT, NULL);
}

static int read_integer(sd_bus_message *m, char type, struct value *ret)
{
	union {
		uint8_t y;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
	} v;
	int r = sd_bus_message_read_basic(m, type, &v);

	if (r < 0)
		return r;
	switch (type) {
	case 'y':
		*ret = value_integer(v.y);
		break;
	case 'n':
		*ret = value_integer(v.n);
		break;
	case 'q':
		*ret = value_integer(v.q);
		break;
	case 'i':
		*ret = value_integer(v.i);
		break;
	case 'u':
		*ret = value_integer(v.u);
		break;
	case 'x':
		*ret = value_integer(v.x);
		break;
	case 't':
		*ret = value_unsigned(v.t);
		break;
	}
	return 0;
}

static int read_float(sd_bus_message *m, struct value *ret)
{
	double real;
	int r = sd_bus_message_read_basic(m, 'd', &real);

	if (r >= 0)
		*ret = value_float(real);
	return r;
}

static int read_boolean(sd_bus_message *m, struct value *ret)
{
	int boolean, r = sd_bus_message_read_basic(m, 'b', &boolean);

	if (r >= 0)
		*ret = value_boolean(boolean);
	return r;
}

static int read_text(sd_bus_message *m, enum value_type type, struct value *ret)
{
	const char *text;
	int r = sd_bus_message_read_basic(m, 's', &text);

	return r < 0 ? r : value_parse_text(text, strlen(text), type, ret);
}

static int read_bytes(sd_bus_message *m, struct value *ret)
{
	const void *data;
	size_t size;
	int r = sd_bus_message_read_array(m, 'y', &data, &size);

	return r < 0 ? r : value_set_bytes(ret, VALUE_OPAQUE, data, size);
}

static int read_link(sd_bus_message *m, struct value *ret)
{
	uint16_t object, instance;
	int r = sd_bus_message_read(m, "(qq)", &object, &instance);

	if (r >= 0)
		*ret = value_objlnk(object, instance);
	return r;
}

static int read_contents(sd_bus_message *m, const char *contents, enum value_type type,
			 struct value *ret)
{
	if (strlen(contents) == 1 && strchr("ynqiuxt", *contents))
		return read_integer(m, *contents, ret);
	if (strcmp(contents, "s") == 0)
		return read_text(m, type, ret);
	if (strcmp(contents, "d") == 0)
		return read_float(m, ret);
	if (strcmp(contents, "b") == 0)
		return read_boolean(m, ret);
	if (strcmp(contents, "ay") == 0)
		return read_bytes(m, ret);
	if (strcmp(contents, "(qq)") == 0)
		return read_link(m, ret);
	return -EINVAL;
}

int value_read(sd_bus_message *m, const char *contents, enum value_type type, struct value *ret)
{
	_cleanup_value_ struct value raw = { 0 };
	int r = sd_bus_message_enter_container(m, 'v', contents);

	if (r >= 0)
		r = read_contents(m, contents, type, &raw);
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? r : value_convert(&raw, type, ret);
}

struct reader {
	const struct store *store;
	struct records *records;
	struct path at;
};

static int read_part(struct reader *reader, sd_bus_message *m, const struct path *path);

static int read_parts(struct reader *reader, sd_bus_message *m, const struct path *path)
{
	struct path child;
	uint16_t id;
	int r = sd_bus_message_enter_container(m, 'v', "a{qv}");

	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{qv}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "qv");
		if (r <= 0)
			break;
		r = sd_bus_message_read(m, "q", &id);
		child = path_child(path, id);
		if (r >= 0)
			r = read_part(reader, m, &child);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(m);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_leaf(struct reader *reader, sd_bus_message *m, const char *contents,
		     const struct path *path, const struct resource_definition *resource)
{
	_cleanup_value_ struct value value = { 0 };
	int r = value_read(m, contents, resource->type, &value);

	if (r < 0)
		return r;
	r = records_add(reader->records, path, &value, 0);
	value = (struct value){ 0 }; /* taken over in any case */
	return r;
}

/* Parts have no order on the bus, and an array may be empty. */
static int read_array(struct reader *reader, sd_bus_message *m, const struct path *path)
{
	struct value none = { 0 };
	size_t before = reader->records->n;
	int r = read_parts(reader, m, path);

	if (r < 0 || path->depth != PATH_RESOURCE || reader->records->n > before)
		return r;
	return records_add(reader->records, path, &none, 0);
}

static int read_part(struct reader *reader, sd_bus_message *m, const struct path *path)
{
	struct path at = path_cut(path, PATH_RESOURCE);
	const struct resource_definition *resource = NULL;
	const char *contents;
	char type;
	int r;

	reader->at = *path;
	if (at.depth == PATH_RESOURCE) {
		resource = store_resource(reader->store, &at);
		if (!resource || !store_exists(reader->store, &at))
			return -ENOENT;
	}
	r = sd_bus_message_peek_type(m, &type, &contents);
	if (r < 0 || type != 'v')
		return -EINVAL;
	if (strcmp(contents, "a{qv}") == 0)
		return path->depth < PATH_RESOURCE ||
				       (resource->multiple && path->depth == PATH_RESOURCE) ?
			       read_array(reader, m, path) :
			       -EINVAL;
	if (!resource || resource->multiple != (path->depth == PATH_RESOURCE_INSTANCE))
		return -EINVAL;
	return read_leaf(reader, m, contents, path, resource);
}

static int by_path(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return path_compare(&x->path, &y->path);
}

int records_read(sd_bus_message *m, const struct store *store, const struct path *path,
		 struct records *ret, struct path *ret_at)
{
	_cleanup_records_ struct records records = { 0 };
	struct reader reader = { .store = store, .records = &records };
	int r = read_part(&reader, m, path);

	if (r < 0) {
		*ret_at = reader.at;
		return r;
	}
	if (records.n > 1)
		qsort(records.items, records.n, sizeof(*records.items), by_path);
	for (size_t i = 1; i < records.n; i++)
		if (path_equal(&records.items[i].path, &records.items[i - 1].path)) {
			*ret_at = records.items[i].path;
			return -EINVAL;
		}
	*ret = records;
	records = (struct records){ 0 };
	return 0;
}

/* ---- entries of a{sv} ---- */

int entry_text(sd_bus_message *m, const char *key, const char *text)
{
	return text && *text ? sd_bus_message_append(m, "{sv}", key, "s", text) : 0;
}

int entry_u64(sd_bus_message *m, const char *key, uint64_t value)
{
	return sd_bus_message_append(m, "{sv}", key, "t", value);
}

int entry_bytes(sd_bus_message *m, const char *key, const void *bytes, size_t n)
{
	int r = sd_bus_message_open_container(m, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", key);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "ay");
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', bytes, n);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int entry_value(sd_bus_message *m, const char *key, const struct value *value)
{
	int r = sd_bus_message_open_container(m, 'e', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", key);
	if (r >= 0)
		r = value_append(m, value);
	return r < 0 ? r : sd_bus_message_close_container(m);
}
