/* SPDX-License-Identifier: Apache-2.0 */
#include "config/origins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/reader.h"

#define NAME_SIZE (2 * CONFIG_NAME_MAX)

static size_t count(const struct yaml_node *node)
{
	return node && node->kind == YAML_KIND_MAPPING ? node->n : 0;
}

static bool is_one(const struct yaml_node *node)
{
	return node && node->kind != YAML_KIND_MAPPING;
}

static int add(struct loader *l, struct config_origins *o, const char *what,
	       const struct yaml_node *node)
{
	what = loader_text(l, what);
	if (!what)
		return -ENOMEM;
	o->items[o->n++] = (struct config_origin){ what, node->mark };
	return 0;
}

static int add_part(struct loader *l, struct config_origins *o, const struct origin_part *part)
{
	char what[NAME_SIZE];
	int r = is_one(part->node) ? add(l, o, part->prefix, part->node) : 0;

	for (size_t i = 0; i < count(part->node) && r >= 0; i++) {
		snprintf(what, sizeof(what), "%s.%s", part->prefix, part->node->keys[i]->text);
		r = add(l, o, what, part->node->items[i]);
	}
	return r;
}

int origins_read(struct loader *l, const struct origin_part *parts, size_t n,
		 struct config_origins *ret)
{
	struct config_origins origins = { 0 };
	size_t most = 0;
	int r = 0;

	for (size_t i = 0; i < n; i++)
		most += count(parts[i].node) + is_one(parts[i].node);
	if (most == 0)
		return 0;
	origins.items = loader_array(l, struct config_origin, most);
	if (!origins.items)
		return -ENOMEM;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = add_part(l, &origins, &parts[i]);
	if (r >= 0)
		*ret = origins;
	return r;
}

/* Not the plugin's, which know their places, nor what makes points of a row. */
static bool is_common(const char *key)
{
	return table_has(&keys_defaults, key);
}

int origins_read_point(struct loader *l, const struct yaml_node *node,
		       const struct yaml_node *defaults, struct config_origins *ret)
{
	const struct yaml_node *stale = yaml_get(node, "stale");
	struct config_origins origins = { 0 };
	struct origin_part part = { "stale", stale };
	int r = 0;

	if (!stale && count(defaults) > 0)
		part.node = yaml_get(defaults, "stale");
	origins.items = loader_array(l, struct config_origin,
				     count(node) + count(defaults) + count(part.node) + 1);
	if (!origins.items)
		return -ENOMEM;
	for (size_t i = 0; i < count(node) && r >= 0; i++)
		if (is_common(node->keys[i]->text))
			r = add(l, &origins, node->keys[i]->text, node->items[i]);
	for (size_t i = 0; i < count(defaults) && r >= 0; i++)
		if (is_common(defaults->keys[i]->text) &&
		    !yaml_get(node, defaults->keys[i]->text))
			r = add(l, &origins, defaults->keys[i]->text, defaults->items[i]);
	r = r < 0 ? r : add_part(l, &origins, &part);
	if (r >= 0)
		*ret = origins;
	return r;
}

const struct yaml_mark *config_origin(const struct config_origins *o, const char *what)
{
	for (size_t i = 0; i < o->n; i++)
		if (streq(o->items[i].what, what))
			return &o->items[i].mark;
	return NULL;
}
