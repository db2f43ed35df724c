/* SPDX-License-Identifier: Apache-2.0 */
#include "config/variables.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/reader.h"

#define ZEROS_MAX 20

const struct variable *variables_find(const struct variables *v, const char *name, size_t size)
{
	for (size_t i = 0; v && i < v->n; i++)
		if (strlen(v->items[i].name) == size && memcmp(v->items[i].name, name, size) == 0)
			return &v->items[i];
	return NULL;
}

int variables_add(struct loader *l, struct variables *v, struct yaml_mark mark, const char *name,
		  const char *text, bool varies)
{
	if (variables_find(v, name, strlen(name))) {
		loader_error(l, mark, "the placeholder {%s} is set twice", name);
		return -EINVAL;
	}
	if (v->n == CONFIG_VARIABLES_MAX) {
		loader_error(l, mark, "more than %u placeholders", CONFIG_VARIABLES_MAX);
		return -EINVAL;
	}
	v->items[v->n++] = (struct variable){ .name = name, .text = text, .varies = varies };
	return 0;
}

/* "{name:03}" behind its "{": sizes of both parts. False: not of this form. */
static bool split_placeholder(const char *p, size_t *ret_name, const char **ret_format,
			      size_t *ret_size)
{
	size_t size = strcspn(p, "}"), name;
	const char *colon = memchr(p, ':', size);

	name = colon ? (size_t)(colon - p) : size;
	if (p[size] != '}' || name == 0)
		return false;
	*ret_name = name;
	*ret_format = colon ? colon + 1 : NULL;
	*ret_size = size;
	return true;
}

/* "03": at least three digits, with zeros. */
static int parse_zeros(const char *format, size_t *ret)
{
	size_t zeros = 0;

	if (*format != '0')
		return -EINVAL;
	for (; *format >= '0' && *format <= '9' && zeros <= ZEROS_MAX; format++)
		zeros = zeros * 10 + (size_t)(*format - '0');
	if (*format != '}' || zeros == 0 || zeros > ZEROS_MAX)
		return -EINVAL;
	*ret = zeros;
	return 0;
}

static int append_value(struct loader *l, struct yaml_mark mark, struct buf *b,
			const struct variable *variable, const char *format)
{
	size_t zeros = 0, size = strlen(variable->text);
	uint64_t number;
	int r = 0;

	if (format && parse_zeros(format, &zeros) < 0) {
		loader_error(l, mark, "a placeholder with leading zeros is written {%s:03}",
			     variable->name);
		return -EINVAL;
	}
	if (format && parse_u64(variable->text, &number) < 0) {
		loader_error(l, mark, "{%s:0%zu}: \"%s\" is no number", variable->name, zeros,
			     variable->text);
		return -EINVAL;
	}
	for (; size < zeros && r >= 0; size++)
		r = buf_append_byte(b, '0');
	return r < 0 ? r : buf_append_text(b, variable->text);
}

static int refuse_placeholder(struct loader *l, struct yaml_mark mark, const char *p, size_t size,
			      const struct variables *v)
{
	const char *names[CONFIG_VARIABLES_MAX];
	_cleanup_free_ char *name = strndup(p, size);
	size_t n = 0;

	for (; v && n < v->n; n++)
		names[n] = v->items[n].name;
	if (!name)
		return -ENOMEM;
	if (streq(name, "dmi_serial") || streq(name, "mac"))
		loader_error(l, mark, "the placeholder {%s}: " NOT_IN_THIS_VERSION, name);
	else
		loader_unknown(l, mark, "placeholder", name, names, n);
	return -EINVAL;
}

static int expand(struct loader *l, struct yaml_mark mark, const char *text,
		  const struct variables *v, struct buf *b)
{
	const struct variable *variable;
	size_t name, size;
	const char *format;
	int r = 0;

	for (const char *p = text; *p && r >= 0; p++) {
		if (*p == '}' || (*p == '{' && !split_placeholder(p + 1, &name, &format, &size))) {
			loader_error(l, mark,
				     "\"%s\": a placeholder is written {name} or {name:03}", text);
			return -EINVAL;
		}
		if (*p != '{') {
			r = buf_append_byte(b, (uint8_t)*p);
			continue;
		}
		variable = variables_find(v, p + 1, name);
		if (!variable)
			return refuse_placeholder(l, mark, p + 1, name, v);
		r = append_value(l, mark, b, variable, format);
		p += size + 1;
	}
	return r;
}

int text_expand(struct loader *l, struct yaml_mark mark, const char *text,
		const struct variables *v, const char **ret)
{
	_cleanup_buf_ struct buf b = { 0 };
	const char *copy = text;
	int r;

	if (strpbrk(text, "{}")) {
		r = expand(l, mark, text, v, &b);
		l->no_memory = l->no_memory || r == -ENOMEM;
		if (r < 0)
			return r;
		copy = loader_scratch_text(l, b.data ? (char *)b.data : "", b.size);
		if (!copy)
			return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

int node_expand(struct loader *l, const struct yaml_node *node, const struct variables *v,
		const struct yaml_node **ret)
{
	struct yaml_node *expanded;
	const char *text;
	int r;

	if (!v || v->n == 0 || node->kind != YAML_KIND_SCALAR || !strpbrk(node->text, "{}")) {
		*ret = node;
		return 0;
	}
	r = text_expand(l, node->mark, node->text, v, &text);
	if (r < 0)
		return r;
	expanded = loader_scratch(l, sizeof(*expanded));
	if (!expanded)
		return -ENOMEM;
	*expanded = *node;
	expanded->text = text;
	expanded->quoted = false;
	*ret = expanded;
	return 0;
}

const struct variable *text_varying(const char *text, const struct variables *v, bool *ret_any)
{
	const struct variable *only = NULL, *variable;
	bool any = false, several = false;
	size_t name, size;
	const char *format;

	for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{')) {
		if (!split_placeholder(p + 1, &name, &format, &size))
			break;
		variable = variables_find(v, p + 1, name);
		if (!variable || !variable->varies)
			continue;
		several = several || (any && variable != only);
		only = variable;
		any = true;
	}
	if (ret_any)
		*ret_any = any;
	return several ? NULL : only;
}
