/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "config/profile.h"

/* `lwm2m:` has rows of rows: "3322/0": {5700: {point: weight, unit: kg}}. */
#define ROW_DEPTH 2

static bool is_text(const struct yaml_node *node, const char *text)
{
	return node && node->kind == YAML_KIND_SCALAR && streq(node->text, text);
}

/* The unit that a row wants of the point; NULL: none says one. */
static struct yaml_node *find_unit(const struct yaml_node *rows, const char *point, unsigned depth)
{
	struct yaml_node *found = NULL;

	if (!rows || rows->kind != YAML_KIND_MAPPING)
		return NULL;
	for (size_t i = 0; i < rows->n; i++)
		if (is_text(rows->keys[i], "unit") && is_text(yaml_get(rows, "point"), point))
			return rows->items[i];
	for (size_t i = 0; i < rows->n && depth > 0 && !found; i++)
		found = find_unit(rows->items[i], point, depth - 1);
	return found;
}

static struct yaml_node *add_to(struct loader *l, const struct yaml_node *unit, struct yaml_node *to)
{
	struct yaml_node *copy = mapping_node_copy(l, unit, 1), *key = loader_scratch(l, sizeof(*key));

	if (!copy || !key)
		return NULL;
	*key = (struct yaml_node){ .kind = YAML_KIND_SCALAR, .mark = unit->mark, .text = "to" };
	copy->keys[copy->n] = key;
	copy->items[copy->n++] = to;
	return copy;
}

const struct yaml_node *point_unit_complete(struct loader *l, const struct yaml_node *rows, const char *name,
					    const struct yaml_node *point)
{
	const struct yaml_node *unit = point->kind == YAML_KIND_MAPPING ? yaml_get(point, "unit") : NULL;
	struct yaml_node *to, *copy, *complete;

	if (!unit || unit->kind != YAML_KIND_MAPPING || yaml_get(unit, "to"))
		return point;
	to = find_unit(rows, name, ROW_DEPTH);
	if (!to)
		return point;
	copy = mapping_node_copy(l, point, 0);
	complete = add_to(l, unit, to);
	for (size_t i = 0; copy && complete && i < copy->n; i++)
		if (copy->items[i] == unit)
			copy->items[i] = complete;
	return copy && complete ? copy : point;
}
