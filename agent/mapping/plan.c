/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "mapping/internal.h"

/*
 * What is decided about a row once, at load, for all endpoints that share its
 * map: thousands of devices of one type have one plan.
 */

bool map_covers(const struct config_endpoint *e, const struct path *path)
{
	for (size_t i = 0; i < e->n_map; i++)
		if (path_contains(path, &e->map[i].path))
			return true;
	return false;
}

/* A resource beside `path` that the object has and nobody maps: the agent's to fill. */
static bool is_given(const struct config_endpoint *e, const struct object_definition *object,
		     const struct path *path, uint16_t resource)
{
	const struct path sibling = path_of_resource(path->object, path->instance, resource);

	return object_resource(object, resource) && !map_covers(e, &sibling);
}

/* 5701 is filled from the unit where the object has it and nobody maps it. */
static bool gives_unit(const struct config_endpoint *e, const struct object_definition *object,
		       const struct config_map *map, const struct transform *t)
{
	return t->resource->type == VALUE_FLOAT && is_given(e, object, &map->path, SENSOR_UNITS) &&
	       transform_unit(t, map->unit);
}

static void plan_row(const struct mapping *m, const struct config_endpoint *e,
		     const struct config_map *map, struct row_plan *ret)
{
	const struct object_definition *object =
		definitions_newest(m->definitions, map->path.object);
	const struct resource_definition *resource =
		object ? object_resource(object, map->path.resource) : NULL;
	const struct config_device *device;
	const struct extreme *x = extreme_find(&map->path);

	if (map->kind != CONFIG_MAP_POINT || !resource)
		return;
	device = &m->config->devices[config_row_device(e, map)];
	if (transform_init(&ret->transform, &device->type->points[map->point], resource,
			   map->unit) < 0)
		return;
	ret->fits = true;
	ret->units = gives_unit(e, object, map, &ret->transform);
	ret->stamps = is_given(e, object, &map->path, TIMESTAMP);
	if (!x)
		return;
	ret->minimum = is_given(e, object, &map->path, x->minimum);
	ret->maximum = is_given(e, object, &map->path, x->maximum);
	ret->resets = is_given(e, object, &map->path, x->reset);
}

static void add_given(const struct config_map *map, uint16_t resource, bool measured, struct given *ret, size_t *n)
{
	ret[(*n)++] = (struct given){
		.path = path_of_resource(map->path.object, map->path.instance, resource),
		.measured = measured,
	};
}

size_t plan_given(const struct config_map *map, const struct row_plan *plan, struct given ret[GIVEN_MAX])
{
	const struct extreme *x = extreme_find(&map->path);
	size_t n = 0;

	if (plan->units)
		add_given(map, SENSOR_UNITS, false, ret, &n);
	if (plan->stamps)
		add_given(map, TIMESTAMP, true, ret, &n);
	if (plan->minimum)
		add_given(map, x->minimum, true, ret, &n);
	if (plan->maximum)
		add_given(map, x->maximum, true, ret, &n);
	if (plan->resets)
		add_given(map, x->reset, false, ret, &n);
	return n;
}

static struct plan *plan_find(const struct mapping *m, const struct config_map *map)
{
	struct plan *plan;

	list_for_each(plan, &m->plans, list)
		if (plan->map == map)
			return plan;
	return NULL;
}

int plan_get(struct mapping *m, const struct config_endpoint *e, const struct row_plan **ret)
{
	/* A map of several devices is the endpoint's own. */
	struct plan *plan = e->device == UINT32_MAX ? NULL : plan_find(m, e->map);

	if (!plan) {
		plan = calloc(1, sizeof(*plan) + e->n_map * sizeof(plan->rows[0]));
		if (!plan)
			return -ENOMEM;
		plan->map = e->map;
		for (size_t i = 0; i < e->n_map; i++)
			plan_row(m, e, &e->map[i], &plan->rows[i]);
		list_append(&m->plans, &plan->list);
	}
	*ret = plan->rows;
	return 0;
}

void plans_free(struct list *plans)
{
	struct plan *plan;

	list_for_each(plan, plans, list) {
		list_remove(&plan->list);
		free(plan);
	}
}
