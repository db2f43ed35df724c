/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/places.h"
#include "config/profile.h"

/*
 * `extends:`: a profile says what is different from another one. Their trees are
 * laid over each other key by key, before anything is read: each value keeps
 * its place in the file that it comes from.
 */

#define DEPTH_MAX 8u /* of a chain */

struct extending {
	struct loader *l;
	const char *base; /* at hand, for messages */
};

/* What a profile does not inherit: its samples belong to the base's values. */
static bool is_own(const char *key)
{
	static const char *const own[] = { "schema", "profile", "extends", "revision", "samples" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (streq(own[i], key))
			return true;
	return false;
}

/* ---- lwm2m: rows by their paths, however these are written ---- */

static struct yaml_node *text_new(struct loader *l, struct yaml_mark mark, const char *text,
				  size_t size)
{
	struct yaml_node *node = loader_scratch(l, sizeof(*node));

	if (!node)
		return NULL;
	*node = (struct yaml_node){ .kind = YAML_KIND_SCALAR, .mark = mark };
	node->text = loader_scratch_text(l, text, size);
	return node->text ? node : NULL;
}

/* One key of `lwm2m:`. */
struct row {
	const char *text;
	size_t size;  /* of the instance in it: "3305/0" of "3305/0/5800" */
	size_t index; /* in the mapping */
	bool whole;   /* there is nothing behind it */
};

static struct row split_path(const struct yaml_node *mapping, size_t index)
{
	const char *text = mapping->keys[index]->text;
	const char *slash = strchr(text, '/'), *second = slash ? strchr(slash + 1, '/') : NULL;

	return (struct row){ .text = text,
			     .size = second ? (size_t)(second - text) : strlen(text),
			     .index = index,
			     .whole = !second };
}

static bool is_same_instance(const struct row *a, const struct row *b)
{
	return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

/* Those of one instance together, in the order of the file. */
static int compare_rows(const void *a, const void *b)
{
	const struct row *p = a, *q = b;
	int order = memcmp(p->text, q->text, MIN(p->size, q->size));

	if (order == 0)
		order = (p->size > q->size) - (p->size < q->size);
	return order ? order : (p->index > q->index) - (p->index < q->index);
}

/* What stands under the instance itself, with room for its rows. NULL after a report. */
static struct yaml_node *start_instance(struct loader *l, const struct yaml_node *node,
					const struct row *rows, size_t n)
{
	struct yaml_node *whole = NULL;

	for (size_t i = 0; i < n; i++)
		if (rows[i].whole)
			whole = node->items[rows[i].index];
	if (!whole)
		return mapping_node_new(l, node->items[rows[0].index]->mark, n);
	if (n == 1)
		return whole;
	if (whole->kind == YAML_KIND_MAPPING)
		return mapping_node_copy(l, whole, n - 1);
	loader_error(l, whole->mark, "expected a mapping, as %.*s has rows beside this one",
		     (int)rows[0].size, rows[0].text);
	return NULL;
}

static struct yaml_node *make_instance(struct loader *l, const struct yaml_node *node,
				       const struct row *rows, size_t n)
{
	struct yaml_node *to = start_instance(l, node, rows, n);

	for (size_t i = 0; to && i < n; i++) {
		const struct yaml_node *key = node->keys[rows[i].index];
		const char *rest = key->text + rows[i].size + 1;

		if (rows[i].whole)
			continue;
		to->keys[to->n] = text_new(l, key->mark, rest, strlen(rest));
		to->items[to->n] = node->items[rows[i].index];
		if (!to->keys[to->n++])
			return NULL;
	}
	return to;
}

/* Each instance at the place of its first row. */
static int place_instances(struct loader *l, const struct yaml_node *node, const struct row *rows,
			   struct yaml_node *to)
{
	size_t n;

	for (size_t i = 0; i < node->n; i += n) {
		const struct row *first = &rows[i];

		for (n = 1; i + n < node->n && is_same_instance(first, &rows[i + n]); n++)
			;
		to->keys[first->index] =
			text_new(l, node->keys[first->index]->mark, first->text, first->size);
		to->items[first->index] = make_instance(l, node, first, n);
		if (!to->keys[first->index] || !to->items[first->index])
			return -EINVAL;
	}
	return 0;
}

/* "3305/0/5800: p" becomes "3305/0: {5800: p}". What is no mapping stays what it is. */
static struct yaml_node *sort_rows(struct loader *l, struct yaml_node *node)
{
	struct yaml_node *sorted;
	struct row *rows;

	if (node->kind != YAML_KIND_MAPPING || loader_expand(l, node->mark, node->n) < 0)
		return node;
	sorted = mapping_node_new(l, node->mark, node->n);
	rows = loader_scratch(l, (node->n + 1) * sizeof(*rows));
	if (!sorted || !rows)
		return NULL;
	for (size_t i = 0; i < node->n; i++)
		rows[i] = split_path(node, i);
	qsort(rows, node->n, sizeof(*rows), compare_rows);
	if (place_instances(l, node, rows, sorted) < 0)
		return NULL;
	for (size_t i = 0; i < node->n; i++) {
		if (!sorted->keys[i])
			continue;
		sorted->keys[sorted->n] = sorted->keys[i];
		sorted->items[sorted->n++] = sorted->items[i];
	}
	return sorted;
}

/* ---- laying one over the other ---- */

/* Keys of the mapping on top, by their names: profiles have thousands of points. */
struct own_key {
	const char *text;
	size_t index; /* in the mapping */
	bool met;     /* the base has it too */
};

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct own_key *)a)->text, ((const struct own_key *)b)->text);
}

static struct own_key *sort_keys(struct loader *l, const struct yaml_node *own)
{
	struct own_key *keys = loader_scratch(l, (own->n + 1) * sizeof(*keys));

	for (size_t i = 0; keys && i < own->n; i++)
		keys[i] = (struct own_key){ .text = own->keys[i]->text, .index = i };
	if (keys)
		qsort(keys, own->n, sizeof(*keys), compare_keys);
	return keys;
}

static struct own_key *find_key(struct own_key *keys, size_t n, const char *text)
{
	struct own_key wanted = { .text = text };

	return bsearch(&wanted, keys, n, sizeof(*keys), compare_keys);
}

static struct yaml_node *lay(const struct extending *x, struct yaml_node *base,
			     struct yaml_node *own);

static void refuse_removal(const struct extending *x, const struct yaml_node *key,
			   const struct yaml_node *base)
{
	const char *candidates[128];
	size_t n = 0;
	const char *near;

	for (; n < base->n && n < ARRAY_SIZE(candidates); n++)
		candidates[n] = base->keys[n]->text;
	near = str_nearest(key->text, candidates, n);
	loader_error(x->l, key->mark, "null removes what %s has, and it has no %s here%s%s%s",
		     x->base, key->text, near ? ", did you mean \"" : "", near ?: "",
		     near ? "\"?" : "");
}

/* What both have, and what only the base has. */
static int lay_base(const struct extending *x, const struct yaml_node *base,
		    const struct yaml_node *own, struct own_key *keys, bool is_top,
		    struct yaml_node *to)
{
	int r = 0;

	for (size_t i = 0; i < base->n; i++) {
		const char *text = base->keys[i]->text;
		struct own_key *key = find_key(keys, own->n, text);
		struct yaml_node *item = base->items[i];

		if (is_top && is_own(text))
			continue;
		if (key)
			key->met = true;
		if (key && node_is_null(own->items[key->index]))
			continue;
		if (key && is_top && streq(text, "lwm2m"))
			item = lay(x, sort_rows(x->l, item),
				   sort_rows(x->l, own->items[key->index]));
		else if (key)
			item = lay(x, item, own->items[key->index]);
		if (!item) {
			r = -EINVAL;
			continue;
		}
		to->keys[to->n] = key ? own->keys[key->index] : base->keys[i];
		to->items[to->n++] = item;
	}
	return r;
}

static int lay_own(const struct extending *x, const struct yaml_node *base,
		   const struct yaml_node *own, struct own_key *keys, bool is_top,
		   struct yaml_node *to)
{
	int r = 0;

	for (size_t i = 0; i < own->n; i++) {
		if (find_key(keys, own->n, own->keys[i]->text)->met)
			continue;
		if (!is_top && node_is_null(own->items[i])) {
			refuse_removal(x, own->keys[i], base);
			r = -EINVAL;
			continue;
		}
		to->keys[to->n] = own->keys[i];
		to->items[to->n++] = own->items[i];
	}
	return r;
}

/* NULL after a report. */
static struct yaml_node *lay_mappings(const struct extending *x, const struct yaml_node *base,
				      const struct yaml_node *own, bool is_top)
{
	struct own_key *keys;
	struct yaml_node *to;
	int r;

	if (loader_expand(x->l, own->mark, base->n + own->n) < 0)
		return NULL;
	to = mapping_node_new(x->l, own->mark, base->n + own->n);
	keys = sort_keys(x->l, own);
	if (!to || !keys)
		return NULL;
	r = lay_base(x, base, own, keys, is_top, to);
	r = worse(r, lay_own(x, base, own, keys, is_top, to));
	return r < 0 ? NULL : to;
}

/* Mappings key by key; everything else, lists too, is replaced. */
static struct yaml_node *lay(const struct extending *x, struct yaml_node *base,
			     struct yaml_node *own)
{
	if (!base || !own)
		return NULL;
	if (base->kind != YAML_KIND_MAPPING || own->kind != YAML_KIND_MAPPING)
		return own;
	return lay_mappings(x, base, own, false);
}

/* ---- chains ---- */

static const struct yaml_node *find_base(struct loader *l, const struct yaml_node *name)
{
	_cleanup_free_ const char **names = calloc(l->n_documents + 1, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; names && i < l->n_documents; i++) {
		const struct yaml_node *other = yaml_get(l->documents[i].node, "profile");

		if (l->documents[i].file->place != CONFIG_PLACE_PROFILES || !other ||
		    other->kind != YAML_KIND_SCALAR)
			continue;
		if (streq(other->text, name->text))
			return l->documents[i].node;
		names[n++] = other->text;
	}
	if (!documents_are_damaged(l, CONFIG_PLACE_PROFILES, name->text))
		loader_unknown(l, name->mark, "profile", name->text, names, n);
	return NULL;
}

static bool has_same_plugin(struct loader *l, const struct yaml_node *name,
			    const struct yaml_node *base, const struct yaml_node *own)
{
	const struct yaml_node *plugin = yaml_get(own, "plugin");
	const struct yaml_node *other = yaml_get(base, "plugin");

	if (!plugin || !other || plugin->kind != YAML_KIND_SCALAR ||
	    other->kind != YAML_KIND_SCALAR || streq(plugin->text, other->text))
		return true;
	loader_error(l, plugin->mark, "profile %s, which this one extends, is for plugin %s",
		     name->text, other->text);
	return false;
}

static const struct yaml_node *extend(struct loader *l, const struct yaml_node *own,
				      const struct yaml_node *const chain[], size_t depth)
{
	const struct yaml_node *name = yaml_get(own, "extends"), *base;
	const struct yaml_node *longer[DEPTH_MAX + 1];
	struct extending x = { .l = l };

	if (!name || name->kind != YAML_KIND_SCALAR || node_is_null(name))
		return own; /* whatever is wrong with it is said when it is read */
	for (size_t i = 0; i < depth; i++)
		longer[i] = chain[i];
	longer[depth] = own;
	base = find_base(l, name);
	for (size_t i = 0; base && i <= depth; i++)
		if (longer[i] == base) {
			loader_error(l, name->mark, "profile %s extends itself", name->text);
			return NULL;
		}
	if (base && depth + 1 == DEPTH_MAX) {
		loader_error(l, name->mark, "more than %u profiles extend each other", DEPTH_MAX);
		return NULL;
	}
	base = base ? extend(l, base, longer, depth + 1) : NULL;
	if (!base || !has_same_plugin(l, name, base, own))
		return NULL;
	x.base = name->text;
	return lay_mappings(&x, base, own, true);
}

const struct yaml_node *profile_extend(struct loader *l, const struct yaml_node *own)
{
	return extend(l, own, NULL, 0);
}
