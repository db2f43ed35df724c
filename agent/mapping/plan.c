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

static void plan_row(const struct mapping *m, const struct config_endpoint *e,
		     const struct config_map *map, struct row_plan *ret)
{
	const struct object_definition *object =
		definitions_newest(m->definitions, map->path.object);
	const struct resource_definition *resource =
		object ? object_resource(object, map->path.resource) : NULL;
	const struct config_device *device;
	uint16_t minimum, maximum;

	if (map->kind != CONFIG_MAP_POINT || !resource)
		return;
	device = &m->config->devices[map->device == UINT32_MAX ? e->device : map->device];
	if (transform_init(&ret->transform, &device->type->points[map->point], resource,
			   map->unit) < 0)
		return;
	ret->fits = true;
	ret->stamps = is_given(e, object, &map->path, TIMESTAMP);
	if (!extremes_of(&map->path, &minimum, &maximum))
		return;
	ret->minimum = is_given(e, object, &map->path, minimum);
	ret->maximum = is_given(e, object, &map->path, maximum);
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

void plans_free(struct mapping *m)
{
	struct plan *plan;

	list_for_each(plan, &m->plans, list) {
		list_remove(&plan->list);
		free(plan);
	}
}
