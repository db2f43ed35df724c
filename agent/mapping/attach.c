/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "mapping/internal.h"

/* What an endpoint shows, in its store. */

int row_add_instance(struct mapped_endpoint *e, struct mapped_row *row)
{
	const struct config_map *map = row_map(row);
	const struct object_definition *object = store_object(e->store, map->path.object);
	struct path instance = path_cut(&map->path, PATH_INSTANCE);
	int r;

	if (store_exists(e->store, &instance))
		return 0;
	if (!object)
		object = definitions_newest(e->mapping->definitions, map->path.object);
	r = object ? store_add_instance(e->store, object, map->path.instance) : -ENOENT;
	row->made_instance = r >= 0;
	return r;
}

static bool is_value_of(const struct config_map *map, const struct path *resource)
{
	return (map->kind == CONFIG_MAP_POINT || map->kind == CONFIG_MAP_CONSTANT) &&
	       path_contains(resource, &map->path);
}

bool row_is_first(const struct mapped_endpoint *e, struct mapped_row *row, struct backing *ret)
{
	const struct path resource = path_cut(&row_map(row)->path, PATH_RESOURCE);
	struct backing backing = { .ops = &constant_backing, .userdata = row };

	if (row_map(row)->kind == CONFIG_MAP_EXECUTE)
		backing.ops = &execute_backing;
	for (size_t i = 0; i < e->config->n_map && row_map(row)->kind != CONFIG_MAP_EXECUTE; i++) {
		if (!is_value_of(&e->config->map[i], &resource))
			continue;
		if (&e->rows[i] < row)
			return false;
		if (e->config->map[i].kind == CONFIG_MAP_POINT)
			backing.ops = &point_backing;
	}
	*ret = backing;
	return true;
}

/* The first row of a multiple resource backs it for all: a second one would empty it again. */
static int add_backing(struct mapped_endpoint *e, struct mapped_row *row)
{
	struct backing backing;

	return row_is_first(e, row, &backing) ? store_add_resource(e->store, &row_map(row)->path, &backing) : 0;
}

static int add_constant(struct mapped_endpoint *e, struct mapped_row *row)
{
	const struct config_map *map = row_map(row);
	int r = add_backing(e, row);

	return r < 0 ? r : store_update_one(e->store, &map->path, &map->constant);
}

static int add_unit(struct mapped_endpoint *e, const struct mapped_row *row)
{
	const struct path *path = &row_map(row)->path;
	const struct path units = path_of_resource(path->object, path->instance, SENSOR_UNITS);
	const struct row_plan *plan = row_plan(row);
	_cleanup_value_ struct value value = { 0 };
	int r;

	if (!plan->units)
		return 0;
	r = value_set_string(&value, transform_unit(&plan->transform, row_map(row)->unit));
	return r < 0 ? r : store_update_one(e->store, &units, &value);
}

int row_add_given(struct mapped_endpoint *e, const struct mapped_row *row)
{
	int r = add_unit(e, row);

	return r < 0 ? r : extremes_add_reset(e, row);
}

static int add_point(struct mapped_endpoint *e, struct mapped_row *row)
{
	int r = row_plan(row)->fits ? add_backing(e, row) : -EINVAL;

	return r < 0 ? r : row_add_given(e, row);
}

int row_add(struct mapped_endpoint *e, struct mapped_row *row)
{
	int r = row_add_instance(e, row);

	if (r < 0)
		return r;
	switch (row_map(row)->kind) {
	case CONFIG_MAP_POINT:
		return add_point(e, row);
	case CONFIG_MAP_CONSTANT:
		return add_constant(e, row);
	case CONFIG_MAP_EXECUTE:
		return add_backing(e, row);
	case CONFIG_MAP_ALARM:
		return 0;
	}
	return -EINVAL;
}

int mapping_attach(struct mapping *m, uint32_t endpoint, struct store *store)
{
	struct mapped_endpoint *e = m->endpoints[endpoint];
	int r = 0;

	e->store = store;
	store_begin(store);
	for (size_t i = 0; i < e->config->n_map && r >= 0; i++)
		r = row_add(e, &e->rows[i]);
	if (r >= 0) {
		quality_start(e);
		alarms_start(e);
		kept_show(e, NULL);
		/* Its devices may be known to be gone, and what is kept is shown as good. */
		quality_follow(e);
	}
	errors_update(e);
	if (r < 0)
		mapped_endpoint_leave(e);
	store_end(store);
	return r < 0 ? r : 0;
}

void mapping_detach(struct mapping *m, uint32_t endpoint)
{
	struct mapped_endpoint *e = m->endpoints[endpoint];

	timer_disarm(&e->stale);
	timer_disarm(&e->alarms);
	mapped_writes_forget(e);
	asking_forget(e);
	e->store = NULL;
}

static bool is_ours(const struct mapped_endpoint *e, const struct backing *backing)
{
	const struct mapped_row *row = backing ? backing->userdata : NULL;

	return backing && (backing->userdata == e || (row >= e->rows && row < e->rows + e->config->n_map));
}

static void leave_resource(struct mapped_endpoint *e, const struct path *path)
{
	static const struct backing nobody = { .ops = &constant_backing };

	if (is_ours(e, store_backing(e->store, path)))
		store_hand_over(e->store, path, &nobody);
}

void mapped_endpoint_leave(struct mapped_endpoint *e)
{
	struct given given[GIVEN_MAX];

	timer_disarm(&e->stale);
	timer_disarm(&e->alarms);
	mapped_writes_end(e, NULL);
	asking_end(e, NULL);
	for (size_t i = 0; i < e->config->n_map; i++) {
		const struct config_map *map = &e->config->map[i];
		size_t n = plan_given(map, &e->plan[i], given);

		leave_resource(e, &map->path);
		for (size_t k = 0; k < n; k++)
			leave_resource(e, &given[k].path);
	}
	e->store = NULL;
}
