/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

/* An array of objects, and no deeper; with an object around it one more. */
#define JSON_DEPTH_MAX 2u
/* Fewer digits always fit 64 bits. */
#define WIDE_DIGITS 19u

struct json_list {
	json_t *root;
	json_t *array, *head; /* of root; head is NULL or what is around the array */
};

/* ---- what jansson does not do ---- */

/*
 * Before parsing: nesting and objects are counted, and integers that may be too
 * wide for jansson become an array of one string. That cannot be mistaken for
 * what the sender wrote, because his arrays are refused here.
 */
struct scan {
	struct span left;
	const uint8_t *copied; /* up to here */
	struct buf *out;       /* empty while there was no wide integer */
	unsigned depth, objects, depth_max;
	const char *reason;
};

static int pass(struct scan *s, size_t n)
{
	struct span bytes;

	return span_take(&s->left, n, &bytes);
}

static int copy_passed(struct scan *s)
{
	int r = buf_append(s->out, s->copied, (size_t)(s->left.p - s->copied));

	s->copied = s->left.p;
	return r;
}

static size_t string_length(struct span s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\')
			i++;
	}
	return s.n;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static size_t number_length(struct span s, bool *ret_integer)
{
	size_t n = 0;

	*ret_integer = true;
	for (; n < s.n; n++) {
		if (s.p[n] == '.' || s.p[n] == 'e' || s.p[n] == 'E' || s.p[n] == '+')
			*ret_integer = false;
		else if (!is_digit(s.p[n]) && s.p[n] != '-')
			break;
		else if (s.p[n] == '-' && n > 0)
			*ret_integer = false;
	}
	return n;
}

static int scan_number(struct scan *s)
{
	bool integer;
	size_t n = number_length(s->left, &integer), digits = n - (*s->left.p == '-');
	int r;

	/* A leading zero is for jansson to refuse. */
	if (!integer || digits < WIDE_DIGITS || s->left.p[n - digits] == '0')
		return pass(s, n);
	r = copy_passed(s);
	if (r >= 0)
		r = buf_append_text(s->out, "[\"");
	pass(s, n);
	if (r >= 0)
		r = copy_passed(s);
	return r < 0 ? r : buf_append_text(s->out, "\"]");
}

static int scan_bracket(struct scan *s, uint8_t c)
{
	if (c == '}' || c == ']') {
		s->depth -= s->depth > 0;
		return pass(s, 1);
	}
	s->objects += c == '{';
	if (++s->depth > s->depth_max)
		s->reason = "JSON nested too deeply";
	else if (s->objects > JSON_OBJECTS_MAX)
		s->reason = "too many JSON objects";
	return s->reason ? -EINVAL : pass(s, 1);
}

static int scan_token(struct scan *s)
{
	uint8_t c = *s->left.p;

	switch (c) {
	case '"':
		return pass(s, string_length(s->left));
	case '{':
	case '}':
	case '[':
	case ']':
		return scan_bracket(s, c);
	default:
		return is_digit(c) || c == '-' ? scan_number(s) : pass(s, 1);
	}
}

/* ---- reading ---- */

static bool is_list(const json_t *array)
{
	json_t *object;
	size_t i;

	if (!json_is_array(array))
		return false;
	json_array_foreach(array, i, object) if (!json_is_object(object)) return false;
	return true;
}

static int fail(const char *reason, const char **ret_reason)
{
	*ret_reason = reason;
	return -EINVAL;
}

static int parse(struct span text, json_t **ret, const char **ret_reason)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)text.p, text.n,
				  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	if (!root && json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	if (!root)
		return fail(json_error_code(&error) == json_error_numeric_overflow ?
				    "not a finite number" :
				    "not JSON",
			    ret_reason);
	*ret = root;
	return 0;
}

static int find_list(struct json_list *list, const char *member, const char **ret_reason)
{
	list->array = list->root;
	if (member) {
		list->head = list->root;
		list->array = json_object_get(list->root, member);
	}
	if (is_list(list->array))
		return 0;
	return fail(member ? "not a JSON object with an array of objects" :
			     "not a JSON array of objects",
		    ret_reason);
}

/* Into widened when there is something to widen, which is empty else. */
static int widen(struct span text, const char *member, struct buf *widened, const char **ret_reason)
{
	struct scan scan = {
		.left = text,
		.copied = text.p,
		.out = widened,
		.depth_max = member ? JSON_DEPTH_MAX + 1 : JSON_DEPTH_MAX,
	};
	int r = 0;

	while (r >= 0 && scan.left.n > 0)
		r = scan_token(&scan);
	if (r >= 0 && widened->size > 0)
		r = copy_passed(&scan);
	return scan.reason ? fail(scan.reason, ret_reason) : r;
}

int json_list_parse(struct span text, const char *member, struct json_list **ret,
		    const char **ret_reason)
{
	_cleanup_(json_list_freep) struct json_list *list = NULL;
	_cleanup_buf_ struct buf widened = { 0 };
	int r = widen(text, member, &widened, ret_reason);

	if (r < 0)
		return r;
	list = calloc(1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	r = parse(widened.size > 0 ? span_of(widened.data, widened.size) : text, &list->root,
		  ret_reason);
	if (r >= 0)
		r = find_list(list, member, ret_reason);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(list);
	return 0;
}

struct json_list *json_list_free(struct json_list *list)
{
	if (!list)
		return NULL;
	json_decref(list->root);
	free(list);
	return NULL;
}

size_t json_list_size(const struct json_list *list)
{
	return json_array_size(list->array);
}

static int read_wide(const json_t *array, struct wire *ret)
{
	const char *text = json_string_value(json_array_get(array, 0));
	uint64_t v;
	int64_t i;

	/* An array of the sender's own, beside the one that may be there. */
	if (!text || json_array_size(array) != 1 || strlen(text) < WIDE_DIGITS)
		return -EINVAL;
	if (*text != '-' && parse_u64(text, &v) >= 0)
		*ret = (struct wire){ .kind = WIRE_UNSIGNED, .unsignd = v };
	else if (parse_i64(text, &i) >= 0)
		*ret = wire_integer(i);
	else {
		ret->kind = WIRE_ROUNDED;
		return parse_double(text, &ret->real);
	}
	return 0;
}

static int read_value(const json_t *json, struct wire *ret)
{
	switch (json_typeof(json)) {
	case JSON_STRING:
		*ret = wire_bytes(WIRE_TEXT,
				  span_of(json_string_value(json), json_string_length(json)));
		return 0;
	case JSON_INTEGER:
		*ret = wire_integer(json_integer_value(json));
		return 0;
	case JSON_REAL:
		*ret = (struct wire){ .kind = WIRE_FLOAT, .real = json_real_value(json) };
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		*ret = (struct wire){ .kind = WIRE_BOOLEAN, .boolean = json_is_true(json) };
		return 0;
	case JSON_NULL:
		*ret = (struct wire){ .kind = WIRE_NULL };
		return 0;
	case JSON_ARRAY:
		return read_wide(json, ret);
	case JSON_OBJECT:
		break;
	}
	return -EINVAL;
}

static int walk(json_t *object, const json_t *but, json_member f, void *userdata)
{
	const char *name;
	json_t *value;
	int r;

	json_object_foreach(object, name, value)
	{
		struct wire wire = { 0 };

		if (value == but)
			continue;
		r = read_value(value, &wire);
		if (r == 0)
			r = f(userdata, span_of(name, strlen(name)), &wire);
		if (r != 0)
			return r;
	}
	return 0;
}

int json_list_members(const struct json_list *list, size_t index, json_member f, void *userdata)
{
	return walk(json_array_get(list->array, index), NULL, f, userdata);
}

int json_list_head(const struct json_list *list, json_member f, void *userdata)
{
	return walk(list->head, list->array, f, userdata);
}

/* ---- writing ---- */

int json_write_key(struct buf *out, const char *key)
{
	int r = buf_append_text(out, out->data[out->size - 1] == '{' ? "\"" : ",\"");

	if (r >= 0)
		r = buf_append_text(out, key);
	return r < 0 ? r : buf_append_text(out, "\":");
}

int json_write_seconds(struct buf *out, int64_t usec)
{
	uint64_t magnitude = usec < 0 ? 0 - (uint64_t)usec : (uint64_t)usec;
	char text[48];
	int n = snprintf(text, sizeof(text), "%s%" PRIu64 ".%06" PRIu64, usec < 0 ? "-" : "",
			 magnitude / USEC_PER_SEC, magnitude % USEC_PER_SEC);

	while (text[n - 1] == '0')
		n--;
	if (text[n - 1] == '.')
		n--;
	return buf_append(out, text, (size_t)n);
}

static bool is_plain(char c)
{
	return c != '"' && c != '\\' && (unsigned char)c >= 0x20;
}

static int write_escaped(struct buf *out, char c)
{
	if (c == '"' || c == '\\')
		return buf_printf(out, "\\%c", c);
	return buf_printf(out, "\\u%04x", (unsigned)c);
}

int json_write_text(struct buf *out, const char *text, size_t size)
{
	int r = buf_append_byte(out, '"');

	for (size_t i = 0, run; i < size && r >= 0; i += run + 1) {
		for (run = 0; i + run < size && is_plain(text[i + run]);)
			run++;
		r = buf_append(out, text + i, run);
		if (r >= 0 && i + run < size)
			r = write_escaped(out, text[i + run]);
	}
	return r < 0 ? r : buf_append_byte(out, '"');
}

static int write_integer(struct buf *out, bool negative, uint64_t v)
{
	char text[1 + FORMAT_U64_MAX] = "-", *end;

	end = format_u64(negative ? 0 - v : v, text + 1);
	return negative ? buf_append(out, text, (size_t)(end - text)) :
			  buf_append(out, text + 1, (size_t)(end - text - 1));
}

static int write_bytes(struct buf *out, const struct value *v,
		       int (*bytes)(const void *data, size_t size, char **ret))
{
	_cleanup_free_ char *text = NULL;
	int r = bytes(v->data, v->size, &text);

	return r < 0 ? r : json_write_text(out, text, strlen(text));
}

int json_write_value(struct buf *out, const struct value *v,
		     int (*bytes)(const void *data, size_t size, char **ret))
{
	char text[FORMAT_DOUBLE_MAX];

	switch (v->type) {
	case VALUE_STRING:
	case VALUE_CORELNK:
		return json_write_text(out, v->data, v->size);
	case VALUE_BOOLEAN:
		return buf_append_text(out, v->boolean ? "true" : "false");
	case VALUE_INTEGER:
	case VALUE_TIME:
		return write_integer(out, v->integer < 0, v->integer);
	case VALUE_UNSIGNED:
		return write_integer(out, false, v->unsignd);
	case VALUE_FLOAT:
		return buf_append_text(out, format_double(v->real, text));
	case VALUE_OPAQUE:
		return write_bytes(out, v, bytes);
	case VALUE_OBJLNK:
		return buf_printf(out, "\"%u:%u\"", v->link.object, v->link.instance);
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	return -EINVAL;
}

int json_write_path(struct buf *out, const char *key, const char *path)
{
	int r = json_write_key(out, key);

	return r < 0 ? r : json_write_text(out, path, strlen(path));
}

int json_write_time(struct buf *out, const char *key, int64_t usec)
{
	int r = json_write_key(out, key);

	return r < 0 ? r : json_write_seconds(out, usec);
}
