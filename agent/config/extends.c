/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
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

static struct yaml_node *node_new(struct loader *l, enum yaml_kind kind, struct yaml_mark mark,
				  size_t n)
{
	struct yaml_node *node = loader_scratch(l, sizeof(*node));

	if (!node)
		return NULL;
	*node = (struct yaml_node){ .kind = kind, .mark = mark, .text = "" };
	node->keys = loader_scratch(l, (n + 1) * sizeof(struct yaml_node *));
	node->items = loader_scratch(l, (n + 1) * sizeof(struct yaml_node *));
	return node->keys && node->items ? node : NULL;
}

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

/* The sizes of "3305/0" and, behind it, of "5800"; false: the path is not that long. */
static bool split_path(const char *text, size_t *ret_size)
{
	const char *slash = strchr(text, '/'), *second = slash ? strchr(slash + 1, '/') : NULL;

	if (!second)
		return false;
	*ret_size = (size_t)(second - text);
	return true;
}

static ssize_t find_key(const struct yaml_node *mapping, const char *text, size_t size)
{
	for (size_t i = 0; i < mapping->n; i++)
		if (strlen(mapping->keys[i]->text) == size &&
		    memcmp(mapping->keys[i]->text, text, size) == 0)
			return (ssize_t)i;
	return -ENOENT;
}

/* One row of a resource into the mapping of its instance. */
static int add_resource(struct loader *l, struct yaml_node *to, const struct yaml_node *key,
			struct yaml_node *item, size_t size, size_t most)
{
	ssize_t at = find_key(to, key->text, size);
	struct yaml_node *instance;

	if (at < 0) {
		at = (ssize_t)to->n++;
		to->keys[at] = text_new(l, key->mark, key->text, size);
		to->items[at] = node_new(l, YAML_KIND_MAPPING, item->mark, most);
	}
	instance = to->items[at];
	if (!to->keys[at] || !instance)
		return -ENOMEM;
	instance->keys[instance->n] =
		text_new(l, key->mark, key->text + size + 1, strlen(key->text) - size - 1);
	instance->items[instance->n] = item;
	return instance->keys[instance->n++] ? 0 : -ENOMEM;
}

static struct yaml_node *copy_mapping(struct loader *l, const struct yaml_node *node, size_t room)
{
	struct yaml_node *copy = node_new(l, YAML_KIND_MAPPING, node->mark, node->n + room);

	for (size_t i = 0; copy && i < node->n; i++) {
		copy->keys[i] = node->keys[i];
		copy->items[i] = node->items[i];
	}
	if (copy)
		copy->n = node->n;
	return copy;
}

/* "3305/0/5800: p" becomes "3305/0: {5800: p}". What is no mapping stays what it is. */
static struct yaml_node *sort_rows(struct loader *l, struct yaml_node *node)
{
	struct yaml_node *sorted;
	size_t size;
	int r = 0;

	if (node->kind != YAML_KIND_MAPPING || loader_expand(l, node->mark, node->n) < 0)
		return node;
	sorted = node_new(l, YAML_KIND_MAPPING, node->mark, node->n);
	for (size_t i = 0; sorted && i < node->n; i++) {
		if (split_path(node->keys[i]->text, &size))
			continue;
		sorted->keys[sorted->n] = node->keys[i];
		sorted->items[sorted->n] = node->items[i]->kind == YAML_KIND_MAPPING ?
						   copy_mapping(l, node->items[i], node->n) :
						   node->items[i];
		r = sorted->items[sorted->n++] ? r : -ENOMEM;
	}
	for (size_t i = 0; sorted && r >= 0 && i < node->n; i++)
		if (split_path(node->keys[i]->text, &size))
			r = add_resource(l, sorted, node->keys[i], node->items[i], size, node->n);
	return r < 0 ? NULL : sorted;
}

/* ---- laying one over the other ---- */

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
		    const struct yaml_node *own, bool is_top, struct yaml_node *to)
{
	int r = 0;

	for (size_t i = 0; i < base->n; i++) {
		const char *text = base->keys[i]->text;
		ssize_t at = find_key(own, text, strlen(text));
		struct yaml_node *item = base->items[i];

		if (is_top && is_own(text))
			continue;
		if (at >= 0 && node_is_null(own->items[at]))
			continue;
		if (at >= 0 && is_top && streq(text, "lwm2m"))
			item = lay(x, sort_rows(x->l, item), sort_rows(x->l, own->items[at]));
		else if (at >= 0)
			item = lay(x, item, own->items[at]);
		if (!item) {
			r = -EINVAL;
			continue;
		}
		to->keys[to->n] = at >= 0 ? own->keys[at] : base->keys[i];
		to->items[to->n++] = item;
	}
	return r;
}

static int lay_own(const struct extending *x, const struct yaml_node *base,
		   const struct yaml_node *own, bool is_top, struct yaml_node *to)
{
	int r = 0;

	for (size_t i = 0; i < own->n; i++) {
		const char *text = own->keys[i]->text;

		if (find_key(base, text, strlen(text)) >= 0 && !(is_top && is_own(text)))
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
	struct yaml_node *to;
	int r;

	if (loader_expand(x->l, own->mark, base->n + own->n) < 0)
		return NULL;
	to = node_new(x->l, YAML_KIND_MAPPING, own->mark, base->n + own->n);
	r = to ? lay_base(x, base, own, is_top, to) : -ENOMEM;
	r = to ? worse(r, lay_own(x, base, own, is_top, to)) : r;
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
