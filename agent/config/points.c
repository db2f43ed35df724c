/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/local.h"
#include "config/names.h"
#include "config/origins.h"
#include "config/profile.h"

/* What holds for all points that one row of `points:` makes. */
struct point_row {
	const struct yaml_node *name, *node, *defaults;
	struct plugin_scope scope;
	struct point_section section;
	struct expansion expansion;
	struct config_origins origins;
	uint64_t step;
};

static int compare_names(const void *a, const void *b, void *profile)
{
	const struct profile *p = profile;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(p->points[x].point.name, p->points[y].point.name);

	return order != 0 ? order : x < y ? -1 : 1;
}

int64_t profile_point(const struct profile *p, const char *name)
{
	size_t low = 0, high = p->by_name ? p->n_points : 0, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, p->points[p->by_name[middle]].point.name);
		if (order == 0)
			return p->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -ENOENT;
}

int profile_refuse_point(struct loader *l, const struct profile *p, struct yaml_mark mark,
			 const char *name)
{
	_cleanup_free_ const char **names = calloc(p->n_points + 1, sizeof(*names));

	for (size_t i = 0; names && i < p->n_points; i++)
		names[i] = p->points[i].point.name;
	loader_unknown(l, mark, "point", name, names, names ? p->n_points : 0);
	return -EINVAL;
}

static int index_points(struct loader *l, struct profile *p)
{
	int r = 0;

	p->by_name = loader_scratch(l, (p->n_points + 1) * sizeof(*p->by_name));
	if (!p->by_name)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->n_points; i++)
		p->by_name[i] = i;
	if (p->n_points > 1)
		qsort_r(p->by_name, p->n_points, sizeof(*p->by_name), compare_names, p);
	for (size_t i = 1; i < p->n_points; i++) {
		const struct config_point *point = &p->points[p->by_name[i]].point;
		const struct config_point *before = &p->points[p->by_name[i - 1]].point;

		if (!streq(point->name, before->name))
			continue;
		loader_error(l, point->mark, "there are two points %s, the other in line %u",
			     point->name, before->mark.line);
		r = -EINVAL;
	}
	return r;
}

static const char *text_setting(const struct fieldway_settings *s, const char *key)
{
	const struct fieldway_value *value = settings_find(s, key);

	return value && value->type == FIELDWAY_STRING ? value->data : NULL;
}

static enum point_kind kind_of(const struct fieldway_settings *s)
{
	const char *type = text_setting(s, "type"), *area = text_setting(s, "area");

	if (settings_find(s, "bit") || (type && streq(type, "bool")))
		return POINT_BOOL;
	if (type &&
	    (has_prefix(type, "int") || has_prefix(type, "uint") || has_prefix(type, "float")))
		return POINT_NUMBER;
	if (type && streq(type, "string"))
		return POINT_TEXT;
	if (!type && area)
		return streq(area, "coil") || streq(area, "discrete") ? POINT_BOOL : POINT_NUMBER;
	return POINT_ANY;
}

static int check_kind(struct loader *l, const struct point_source *source)
{
	const struct config_point *point = &source->point;
	const char *what = source->kind == POINT_BOOL ? "a single bit" : "text";
	bool scaled = point->scale != 1 || point->offset != 0 || point->factor != 1 ||
		      source->factor >= 0 || source->scale10_point || point->deadband > 0;

	if (source->kind != POINT_BOOL && source->kind != POINT_TEXT)
		return 0;
	if (!scaled && !point->unit && !point->range.present && !point->counter.enabled &&
	    (source->kind == POINT_BOOL || !point->n_labels))
		return 0;
	loader_error(l, point->mark,
		     "%s is %s: it has no scale, scale10, offset, factor, deadband, unit, range or counter%s",
		     point->name, what, source->kind == POINT_TEXT ? ", nor an enum" : "");
	return -EINVAL;
}

static int check_access(struct loader *l, const struct profile *p,
			const struct point_source *source)
{
	const struct config_point *point = &source->point;
	const struct known_plugin *known = p->plugin;

	if (point->access & CONFIG_ACCESS_WRITE && !known->plugin->unchecked &&
	    !(known->plugin->capabilities & FIELDWAY_CAN_WRITE)) {
		loader_error(l, point->mark, "plugin %s cannot write", known->name);
		return -EINVAL;
	}
	if (!point->verify.enabled)
		return 0;
	if (!(point->access & CONFIG_ACCESS_WRITE)) {
		loader_error(l, point->mark, "%s is not written, so there is nothing to verify",
			     point->name);
		return -EINVAL;
	}
	if (!(point->access & CONFIG_ACCESS_READ) && !source->verify_point) {
		loader_error(l, point->mark, "%s cannot be read back: verify needs another point",
			     point->name);
		return -EINVAL;
	}
	return 0;
}

/* One point; index counts within its row. */
static int read_point(struct loader *l, const struct profile *p, const struct point_row *row,
		      size_t index, struct point_source *ret)
{
	struct variables v = { 0 };
	struct settings_request request = {
		.plugin = p->plugin,
		.parts = { { FIELDWAY_SCOPE_POINT, false, { row->node, row->defaults } } },
		.owner = row->name->mark,
		.variables = &v,
		.shift = index * row->step,
	};
	int r = expansion_variables(l, &row->expansion, index, &v);

	if (r < 0)
		return r;
	ret->point.mark = row->name->mark;
	ret->point.origins = row->origins;
	r = name_expand(l, row->name->mark, row->name->text, &v, &ret->point.name);
	if (r >= 0 && strchr(ret->point.name, '.')) {
		loader_error(l, row->name->mark, "a point's name has no dot: %s", ret->point.name);
		r = -EINVAL;
	}
	if (r < 0)
		return r;
	r = settings_read(l, &request, &ret->point.settings);
	r = worse(r, point_fill(l, p, &row->section, &v, ret));
	if (r < 0)
		return r;
	ret->kind = kind_of(&ret->point.settings);
	r = check_kind(l, ret);
	r = r < 0 ? r : local_point_check(l, p, ret);
	return r < 0 ? r : check_access(l, p, ret);
}

static int read_step(struct loader *l, struct point_row *row)
{
	const struct yaml_node *address = yaml_get(row->node, "address");
	int r;

	if (row->section.step) {
		r = scalar_u64(l, row->section.step, &row->step);
		r = r < 0 ? r :
			    number_check(l, row->section.step->mark, row->section.step->text,
					 (double)row->step, 1, 4294967295.0);
		if (r >= 0 && !row->section.repeat) {
			loader_error(l, row->section.step->mark, "step without repeat");
			r = -EINVAL;
		}
		return r;
	}
	/* Where points have no addresses, nothing is one step further. */
	if (!row->section.repeat || !settings_knows(&row->scope, "address") ||
	    (address && address->kind == YAML_KIND_SCALAR && strchr(address->text, '{')))
		return 0;
	loader_error(l, row->section.repeat->mark,
		     "repeat needs step: how far one address is from the next");
	return -EINVAL;
}

static int read_repeat(struct loader *l, struct point_row *row)
{
	const struct yaml_node *repeat = row->section.repeat;
	char placeholder[CONFIG_NAME_MAX + 2];
	int r;

	expansion_init(&row->expansion, row->node->mark);
	if (!repeat)
		return 0;
	if (repeat->kind != YAML_KIND_MAPPING || repeat->n != 1) {
		loader_error(l, repeat->mark, "repeat is one placeholder and its range: {p: 1-3}");
		return -EINVAL;
	}
	r = expansion_add_mapping(l, &row->expansion, repeat);
	if (r < 0)
		return r;
	snprintf(placeholder, sizeof(placeholder), "{%s", repeat->keys[0]->text);
	if (!strstr(row->name->text, placeholder)) {
		loader_error(l, row->name->mark, "the repeated point's name lacks {%s}",
			     repeat->keys[0]->text);
		return -EINVAL;
	}
	return 0;
}

/* A point that is wrong keeps its name, so that who names it is not told that there is none. */
static int add_point(struct loader *l, struct profile *p, const struct point_row *row, size_t index)
{
	struct point_source *point =
		loader_grow(l, p->points, &p->points_allocated, p->n_points, sizeof(*point));
	int r;

	if (!point)
		return -ENOMEM;
	p->points = point;
	point += p->n_points;
	*point = (struct point_source){ .rate = -1, .factor = -1 };
	r = read_point(l, p, row, index, point);
	if (r < 0) {
		point->kind = POINT_ANY;
		point->point.unit = NULL;
		point->point.access = CONFIG_ACCESS_READ | CONFIG_ACCESS_WRITE;
	}
	p->n_points += point->point.name != NULL;
	return r;
}

static int read_row(struct loader *l, struct profile *p, struct point_row *row)
{
	int r = mapping_expect(l, row->node, "a point");

	if (r == -EINVAL)
		return r;
	r = mapping_apply(l, row->node, &keys_point, &row->scope, &row->section);
	if (read_repeat(l, row) < 0)
		return -EINVAL;
	r = worse(r, read_step(l, row));
	r = worse(r, origins_read_point(l, row->node, row->defaults, &row->origins));
	for (size_t i = 0; i < row->expansion.count && !l->no_memory; i++) {
		if (p->n_points == CONFIG_POINTS_MAX) {
			loader_error(l, row->name->mark, "more than %u points", CONFIG_POINTS_MAX);
			return -EINVAL;
		}
		r = worse(r, add_point(l, p, row, i));
	}
	return r;
}

int points_read(struct loader *l, struct profile *p, const struct yaml_node *points,
		const struct yaml_node *defaults, const struct yaml_node *map)
{
	struct plugin_scope all = { p->plugin, FIELDWAY_SCOPE_POINT | FIELDWAY_SCOPE_DEVICE };
	struct point_section section = { 0 };
	int r = mapping_read(l, defaults, p->mark, &keys_defaults, &all, &section);

	if (mapping_expect(l, points, "points") < 0)
		return points && !node_is_null(points) ? -EINVAL : r;
	for (size_t i = 0; i < points->n && !l->no_memory; i++) {
		struct point_row row = {
			.name = points->keys[i],
			.node = point_unit_complete(l, map, points->keys[i]->text, points->items[i]),
			.defaults = defaults,
			.scope = { p->plugin, FIELDWAY_SCOPE_POINT },
			.section = section,
		};

		r = worse(r, read_row(l, p, &row));
	}
	r = worse(r, index_points(l, p));
	return worse(r, points_link(l, p));
}
