/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/profile.h"

#define VALUES_MAX 64u /* that a model may have */

/* A label stands for its number. */
static int read_label(struct loader *l, const struct config_point *point,
		      const struct yaml_node *node, struct fieldway_value *value)
{
	for (size_t i = 0; i < point->n_labels; i++) {
		if (!streq(point->labels[i].text, value->data))
			continue;
		*value = (struct fieldway_value){ .type = FIELDWAY_INT,
						  .integer = point->labels[i].number };
		return 0;
	}
	loader_error(l, node->mark, "point %s has no label \"%s\"", point->name, value->data);
	return -EINVAL;
}

static int read_value(struct loader *l, const struct point_source *source,
		      const struct yaml_node *node, struct fieldway_value *ret)
{
	int r = expected_value_read(l, node, ret);

	if (r < 0)
		return r;
	if (ret->type == FIELDWAY_NONE) {
		loader_error(l, node->mark, "a model is told by a value, not by none");
		return -EINVAL;
	}
	return ret->type == FIELDWAY_STRING && source->point.n_labels > 0 ?
		       read_label(l, &source->point, node, ret) :
		       0;
}

static int read_values(struct loader *l, struct profile *p, const struct yaml_node *node)
{
	const struct point_source *source = &p->points[p->identify.point];
	size_t n = node->kind == YAML_KIND_SEQUENCE ? node->n : 1;
	int r = 0;

	if (n == 0 || n > VALUES_MAX) {
		loader_error(l, node->mark, "equals is one value, or a list of 1 to %u",
			     VALUES_MAX);
		return -EINVAL;
	}
	p->identify.values = loader_array(l, struct fieldway_value, n);
	if (!p->identify.values)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		r = worse(r, read_value(l, source,
					node->kind == YAML_KIND_SEQUENCE ? node->items[i] : node,
					&p->identify.values[i]));
	p->identify.n_values = r < 0 ? 0 : n;
	return r;
}

int identify_read(struct loader *l, struct profile *p, const struct yaml_node *node)
{
	struct identify_section section = { 0 };
	int64_t point;
	int r;

	p->identify.point = -1;
	if (!node || node_is_null(node))
		return 0;
	r = mapping_read(l, node, node->mark, &keys_identify, NULL, &section);
	if (r < 0)
		return r;
	point = profile_point(p, section.point);
	if (point < 0)
		return profile_refuse_point(l, p, mapping_mark(node, "point"), section.point);
	if (!(p->points[point].point.access & CONFIG_ACCESS_READ)) {
		loader_error(l, mapping_mark(node, "point"), "point %s cannot be read",
			     section.point);
		return -EINVAL;
	}
	p->identify.point = (int32_t)point;
	return read_values(l, p, section.equals);
}
