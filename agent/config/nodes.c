/* SPDX-License-Identifier: Apache-2.0 */
#include "config/profile.h"

struct yaml_node *mapping_node_new(struct loader *l, struct yaml_mark mark, size_t room)
{
	struct yaml_node *node = loader_scratch(l, sizeof(*node));

	if (!node)
		return NULL;
	*node = (struct yaml_node){ .kind = YAML_KIND_MAPPING, .mark = mark, .text = "" };
	node->keys = loader_scratch(l, (room + 1) * sizeof(struct yaml_node *));
	node->items = loader_scratch(l, (room + 1) * sizeof(struct yaml_node *));
	return node->keys && node->items ? node : NULL;
}

struct yaml_node *mapping_node_copy(struct loader *l, const struct yaml_node *node, size_t room)
{
	struct yaml_node *copy = mapping_node_new(l, node->mark, node->n + room);

	for (size_t i = 0; copy && i < node->n; i++) {
		copy->keys[i] = node->keys[i];
		copy->items[i] = node->items[i];
	}
	if (copy)
		copy->n = node->n;
	return copy;
}
