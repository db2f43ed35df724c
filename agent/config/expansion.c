/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/reader.h"
#include "config/variables.h"

void expansion_init(struct expansion *x, struct yaml_mark mark)
{
	*x = (struct expansion){ .count = 1, .mark = mark };
}

/* "1..4", as ranges of values are written. */
static bool has_dots(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	const char *last = text + digits + 2;

	return digits > 0 && has_prefix(text + digits, "..") && *last &&
	       !last[strspn(last, "0123456789")];
}

static int parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
	const char *dash = strchr(text, '-');
	_cleanup_free_ char *first = dash ? strndup(text, (size_t)(dash - text)) : NULL;

	if (!first || !*first || first[strspn(first, "0123456789")] || !dash[1] ||
	    dash[1 + strspn(dash + 1, "0123456789")])
		return -EINVAL;
	return parse_u64(first, ret_first) < 0 || parse_u64(dash + 1, ret_last) < 0 ? -ERANGE : 0;
}

bool text_is_range(const char *text)
{
	uint64_t first, last;

	return has_dots(text) || parse_range(text, &first, &last) != -EINVAL;
}

/* Takes its place among the others. */
static int add_dimension(struct loader *l, struct expansion *x, struct yaml_mark mark,
			 const struct dimension *d)
{
	if (x->n == ARRAY_SIZE(x->dimensions)) {
		loader_error(l, mark, "more than %zu ranges at once", ARRAY_SIZE(x->dimensions));
		return -EINVAL;
	}
	if (d->n_rows > 0 && x->count > CONFIG_EXPANSIONS_MAX / d->n_rows) {
		loader_error(l, mark, "ranges, tables and repeats make more than %u items",
			     CONFIG_EXPANSIONS_MAX);
		return -EINVAL;
	}
	x->count *= d->n_rows;
	x->dimensions[x->n++] = *d;
	return 0;
}

static int dimension_new(struct loader *l, size_t n_names, size_t n_rows, struct dimension *ret)
{
	ret->n_names = n_names;
	ret->n_rows = n_rows;
	ret->names = loader_scratch(l, n_names * sizeof(*ret->names));
	ret->texts = loader_scratch(l, n_names * n_rows * sizeof(*ret->texts));
	return ret->names && ret->texts ? 0 : -ENOMEM;
}

static int read_range(struct loader *l, const struct yaml_node *node, struct dimension *ret)
{
	uint64_t first, last;
	char text[24];
	int r = parse_range(node->text, &first, &last);

	if (r == -ERANGE || (r >= 0 && (first > last || last - first >= CONFIG_EXPANSIONS_MAX))) {
		loader_error(l, node->mark, "%s: a range goes up, and over at most %u numbers",
			     node->text, CONFIG_EXPANSIONS_MAX);
		return -EINVAL;
	}
	if (has_dots(node->text)) {
		loader_error(l, node->mark, "%s: a range of devices is written 1-40", node->text);
		return -EINVAL;
	}
	if (r < 0)
		return r;
	r = loader_expand(l, node->mark, (size_t)(last - first + 1));
	if (r >= 0)
		r = dimension_new(l, 1, (size_t)(last - first + 1), ret);
	for (size_t i = 0; r >= 0 && i < ret->n_rows; i++) {
		snprintf(text, sizeof(text), "%" PRIu64, first + i);
		ret->texts[i] = loader_scratch_text(l, text, strlen(text));
		r = ret->texts[i] ? 0 : -ENOMEM;
	}
	return r;
}

static int read_scalar(struct loader *l, const struct yaml_node *node, const char **ret)
{
	if (node->kind != YAML_KIND_SCALAR || node_is_null(node) || strpbrk(node->text, "{}")) {
		loader_error(l, node->mark, "a value for a placeholder is text or a number");
		return -EINVAL;
	}
	*ret = node->text;
	return 0;
}

static int read_list(struct loader *l, const struct yaml_node *node, struct dimension *ret)
{
	int r = loader_expand(l, node->mark, node->n);

	if (r >= 0)
		r = dimension_new(l, 1, node->n, ret);
	for (size_t i = 0; r >= 0 && i < node->n; i++)
		r = read_scalar(l, node->items[i], &ret->texts[i]);
	return r;
}

static int read_one(struct loader *l, const struct yaml_node *node, struct dimension *ret)
{
	int r = dimension_new(l, 1, 1, ret);

	return r < 0 ? r : read_scalar(l, node, &ret->texts[0]);
}

static bool is_variable_name(const char *text)
{
	return name_is_valid(text) && !strpbrk(text, ":");
}

int expansion_add_values(struct loader *l, struct expansion *x, const struct yaml_node *name,
			 const struct yaml_node *values)
{
	struct dimension d = { 0 };
	int r;

	if (!is_variable_name(name->text)) {
		loader_error(l, name->mark, "\"%s\" is no name of a placeholder", name->text);
		return -EINVAL;
	}
	if (values->kind == YAML_KIND_SEQUENCE)
		r = read_list(l, values, &d);
	else if (values->kind == YAML_KIND_SCALAR && text_is_range(values->text))
		r = read_range(l, values, &d);
	else
		r = read_one(l, values, &d);
	if (r < 0)
		return r;
	d.names[0] = name->text;
	return add_dimension(l, x, values->mark, &d);
}

int expansion_add_mapping(struct loader *l, struct expansion *x, const struct yaml_node *node)
{
	int r = 0;

	for (size_t i = 0; i < node->n && r >= 0; i++)
		r = expansion_add_values(l, x, node->keys[i], node->items[i]);
	return r;
}

/* One row of `each:` as list: the same keys as the first. */
static int read_row(struct loader *l, const struct yaml_node *row, const struct dimension *d,
		    const char **ret)
{
	const struct yaml_node *value;
	int r = 0;

	for (size_t i = 0; i < d->n_names && r >= 0; i++) {
		value = yaml_get(row, d->names[i]);
		if (!value) {
			loader_error(l, row->mark, "the row has no \"%s\", which the first one has",
				     d->names[i]);
			return -EINVAL;
		}
		r = read_scalar(l, value, &ret[i]);
	}
	if (r >= 0 && row->n != d->n_names) {
		loader_error(l, row->mark, "the row has keys that the first one has not");
		r = -EINVAL;
	}
	return r;
}

static int read_rows(struct loader *l, const struct yaml_node *node, struct dimension *ret)
{
	const struct yaml_node *first = node->n > 0 ? node->items[0] : NULL;
	int r = loader_expand(l, node->mark, node->n);

	for (size_t i = 0; i < node->n && r >= 0; i++)
		r = mapping_expect(l, node->items[i], "a row of each");
	if (r < 0 || !first || first->n == 0) {
		if (r != -EINVAL)
			loader_error(l, node->mark,
				     "each is {placeholder: range}, a list of rows, or csv:FILE");
		return -EINVAL;
	}
	r = dimension_new(l, first->n, node->n, ret);
	for (size_t i = 0; r >= 0 && i < first->n; i++)
		ret->names[i] = first->keys[i]->text;
	for (size_t i = 0; r >= 0 && i < node->n; i++)
		r = read_row(l, node->items[i], ret, ret->texts + i * first->n);
	return r;
}

int expansion_add_each(struct loader *l, struct expansion *x, const struct yaml_node *node)
{
	struct dimension d = { 0 };
	int r;

	if (!node || node_is_null(node))
		return 0;
	if (node->kind == YAML_KIND_MAPPING)
		return expansion_add_mapping(l, x, node);
	if (node->kind == YAML_KIND_SCALAR && has_prefix(node->text, "csv:"))
		r = table_read(l, node, node->text + strlen("csv:"), &d);
	else if (node->kind == YAML_KIND_SEQUENCE)
		r = read_rows(l, node, &d);
	else
		r = -ENOENT;
	if (r == -ENOENT)
		loader_error(l, node->mark,
			     "each is {placeholder: range}, a list of rows, or csv:FILE");
	return r < 0 ? r : add_dimension(l, x, node->mark, &d);
}

int expansion_variables(struct loader *l, const struct expansion *x, size_t index,
			struct variables *v)
{
	int r = 0;

	/* The last dimension turns fastest. */
	for (size_t k = x->n; k-- > 0 && r >= 0;) {
		const struct dimension *d = &x->dimensions[k];
		size_t row = index % d->n_rows;

		index /= d->n_rows;
		for (size_t i = 0; i < d->n_names && r >= 0; i++)
			r = variables_add(l, v, x->mark, d->names[i],
					  d->texts[row * d->n_names + i], d->n_rows > 1);
	}
	return r;
}
