/* SPDX-License-Identifier: Apache-2.0 */
#include "config/map.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define PATH_LENGTH_MAX 128

int map_rows_add(struct loader *l, struct map_rows *rows, const struct config_map *row)
{
	struct config_map *grown;

	if (rows->n == CONFIG_MAP_MAX) {
		loader_error(l, row->mark, "more than %u rows in lwm2m", CONFIG_MAP_MAX);
		return -EINVAL;
	}
	grown = loader_grow(l, rows->items, &rows->allocated, rows->n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	rows->items = grown;
	grown[rows->n++] = *row;
	return 0;
}

struct reading {
	struct loader *l;
	const struct map_target *target;
	struct map_rows *rows;
};

static int read_rows(struct reading *m, const struct path *outer, const struct yaml_node *key,
		     const struct yaml_node *node, const struct variables *v);

static int read_children(struct reading *m, const struct path *path, const struct yaml_node *node,
			 const struct variables *v)
{
	int r = 0;

	if (node->kind != YAML_KIND_MAPPING) {
		loader_error(m->l, node->mark,
			     "this path is an object instance: below it stands {5700: point}");
		return -EINVAL;
	}
	for (size_t i = 0; i < node->n; i++)
		if (!streq(node->keys[i]->text, "repeat"))
			r = worse(r, read_rows(m, path, node->keys[i], node->items[i], v));
	return r;
}

static int read_path(struct loader *l, const struct path *outer, const struct yaml_node *key,
		     const struct variables *v, struct path *ret)
{
	char text[PATH_LENGTH_MAX], prefix[PATH_TEXT_MAX] = "";
	const struct yaml_node *expanded;
	int r = node_expand(l, key, v, &expanded);

	if (r < 0)
		return r;
	if (outer)
		path_format(outer, prefix);
	if (snprintf(text, sizeof(text), "%s%s%s", prefix, outer ? "/" : "", expanded->text) >=
		    (int)sizeof(text) ||
	    path_parse(text, strlen(text), ret) < 0 || ret->depth < PATH_INSTANCE ||
	    (outer && ret->depth <= outer->depth)) {
		loader_error(
			l, key->mark,
			"\"%s\" is no path such as 3303/0/5700, or 3303/0 with resources below it",
			expanded->text);
		return -EINVAL;
	}
	return 0;
}

static int read_row(struct reading *m, const struct path *outer, const struct yaml_node *key,
		    const struct yaml_node *node, const struct variables *v)
{
	struct path path;
	int r = read_path(m->l, outer, key, v, &path);

	if (r < 0)
		return r;
	if (path.depth == PATH_INSTANCE)
		return read_children(m, &path, node, v);
	return map_entry_read(m->l, m->target, key->mark, &path, node, v, m->rows);
}

/* With {p} as `repeat:` says, and {i} for its place. */
static int read_repeated(struct reading *m, const struct path *outer, const struct yaml_node *key,
			 const struct yaml_node *node, const struct yaml_node *repeat,
			 const struct variables *v)
{
	struct expansion x;
	char count[24];
	int r = 0;

	expansion_init(&x, repeat->mark);
	if (repeat->kind != YAML_KIND_MAPPING || repeat->n != 1) {
		loader_error(m->l, repeat->mark,
			     "repeat is one placeholder and its range: {p: 1-3}");
		return -EINVAL;
	}
	if (expansion_add_mapping(m->l, &x, repeat) < 0)
		return -EINVAL;
	for (size_t i = 0; i < x.count && r >= 0; i++) {
		struct variables own = v ? *v : (struct variables){ 0 };

		snprintf(count, sizeof(count), "%zu", i);
		r = expansion_variables(m->l, &x, i, &own);
		r = r < 0 ? r : variables_add(m->l, &own, repeat->mark, "i", count, true);
		r = r < 0 ? r : read_row(m, outer, key, node, &own);
	}
	return r;
}

static int read_rows(struct reading *m, const struct path *outer, const struct yaml_node *key,
		     const struct yaml_node *node, const struct variables *v)
{
	const struct yaml_node *repeat = yaml_get(node, "repeat");

	if (repeat)
		return read_repeated(m, outer, key, node, repeat, v);
	return read_row(m, outer, key, node, v);
}

static int by_path(const void *a, const void *b)
{
	const struct config_map *x = a, *y = b;
	int order = path_compare(&x->path, &y->path);

	if (order != 0)
		return order;
	if (x->mark.line != y->mark.line)
		return x->mark.line < y->mark.line ? -1 : 1;
	return x->mark.column < y->mark.column ? -1 : x->mark.column > y->mark.column;
}

static void sort_rows(struct map_rows *rows)
{
	if (rows->n > 1)
		qsort(rows->items, rows->n, sizeof(*rows->items), by_path);
}

static bool is_of_file(const struct config_map *row, const char *file)
{
	return streq(row->mark.file, file);
}

static bool has_own(const struct map_rows *rows, const struct config_map *inherited,
		    const char *file)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct config_map *row = &rows->items[i];

		if (is_of_file(row, file) &&
		    !(row->kind == CONFIG_MAP_ALARM && inherited->kind == CONFIG_MAP_ALARM) &&
		    (path_contains(&row->path, &inherited->path) ||
		     path_contains(&inherited->path, &row->path)))
			return true;
	}
	return false;
}

/* Of a profile that extends another one: its own row instead of one that the base's `repeat:` makes. */
static void drop_inherited(const struct profile *p, struct map_rows *rows)
{
	size_t kept = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (is_of_file(&rows->items[i], p->mark.file) ||
		    !has_own(rows, &rows->items[i], p->mark.file))
			rows->items[kept++] = rows->items[i];
	rows->n = kept;
}

static int read_all(struct loader *l, const struct map_target *target, const struct yaml_node *node,
		    const struct variables *v, struct map_rows *rows)
{
	struct reading m = { .l = l, .target = target, .rows = rows };
	int r = mapping_expect(l, node, "lwm2m");

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < node->n; i++)
		r = worse(r, read_rows(&m, NULL, node->keys[i], node->items[i], v));
	if (target->profile)
		drop_inherited(target->profile, rows);
	sort_rows(rows);
	return worse(r, check_overlaps(l, rows));
}

static int keep_rows(struct loader *l, const struct map_rows *rows, struct config_map **ret,
		     size_t *ret_n)
{
	struct config_map *map = loader_array(l, struct config_map, rows->n);

	if (!map)
		return -ENOMEM;
	if (rows->n > 0)
		memcpy(map, rows->items, rows->n * sizeof(*map));
	*ret = map;
	*ret_n = rows->n;
	return 0;
}

int map_read(struct loader *l, const struct map_target *target, const struct yaml_node *node,
	     const struct variables *v, struct config_map **ret, size_t *ret_n)
{
	struct map_rows rows = { 0 };
	int r = read_all(l, target, node, v, &rows);

	r = r < 0 ? r : check_mandatory(l, target, rows.items, rows.n);
	r = r < 0 ? r : keep_rows(l, &rows, ret, ret_n);
	free(rows.items);
	return r;
}

static bool is_replaced(const struct config_map *row, const struct map_rows *by)
{
	for (size_t i = 0; i < by->n; i++)
		if (path_contains(&by->items[i].path, &row->path) ||
		    path_contains(&row->path, &by->items[i].path))
			return true;
	return false;
}

/* Rows of `over` in place of those at the same paths. */
static int merge_rows(struct loader *l, struct map_rows *rows, const struct map_rows *over)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (!is_replaced(&rows->items[i], over))
			rows->items[kept++] = rows->items[i];
	rows->n = kept;
	for (size_t i = 0; i < over->n && r >= 0; i++)
		r = map_rows_add(l, rows, &over->items[i]);
	sort_rows(rows);
	return r;
}

int map_override(struct loader *l, const struct profile *p, const struct yaml_node *const nodes[2],
		 const struct variables *v, struct config_map **ret, size_t *ret_n)
{
	struct map_target target = { .profile = p };
	struct map_rows rows = { 0 }, over = { 0 };
	int r = 0;

	for (size_t i = 0; i < p->n_map && r >= 0; i++)
		r = map_rows_add(l, &rows, &p->map[i]);
	for (size_t i = 0; i < 2 && r >= 0; i++) {
		over.n = 0;
		r = nodes[i] ? read_all(l, &target, nodes[i], v, &over) : 0;
		r = r < 0 ? r : merge_rows(l, &rows, &over);
	}
	r = r < 0 ? r : check_mandatory(l, &target, rows.items, rows.n);
	r = r < 0 ? r : keep_rows(l, &rows, ret, ret_n);
	free(rows.items);
	free(over.items);
	return r;
}
