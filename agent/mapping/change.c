/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping/change.h"

#include <string.h>

/* What other rows make of the store that shows them. */

static bool shows(const struct config_endpoint *config, const struct path *resource)
{
	for (size_t i = 0; i < config->n_map; i++)
		if (config->map[i].kind != CONFIG_MAP_ALARM && path_contains(resource, &config->map[i].path))
			return true;
	return false;
}

/* Is anything of a resource what it was? */
static bool goes_on(const struct change *c, const struct path *resource)
{
	for (size_t j = 0; j < c->e->config->n_map; j++)
		if (c->from[j] != CONFIG_NONE && c->e->config->map[j].kind != CONFIG_MAP_ALARM &&
		    path_contains(resource, &c->e->config->map[j].path))
			return true;
	return false;
}

static void remove_rows(struct change *c)
{
	for (size_t i = 0; i < c->config->n_map; i++) {
		const struct config_map *map = &c->config->map[i];
		const struct path resource = path_cut(&map->path, PATH_RESOURCE);

		if (map->kind == CONFIG_MAP_ALARM || c->to[i] != CONFIG_NONE)
			continue;
		if (!shows(c->e->config, &resource) || !goes_on(c, &resource))
			store_remove_resource(c->e->store, &resource);
		else
			store_remove_value(c->e->store, &map->path);
	}
}

/* What comes from values stays where those do. */
static bool is_given_still(const struct change *c, const struct given *given)
{
	struct given now[GIVEN_MAX];

	for (size_t j = 0; j < c->e->config->n_map; j++) {
		size_t n = 0;

		if (path_contains(&(struct path){ .ids = { given->path.object, given->path.instance }, .depth = 2 },
				  &c->e->config->map[j].path))
			n = plan_given(&c->e->config->map[j], &c->e->plan[j], now);
		while (n-- > 0)
			if (path_equal(&now[n].path, &given->path) &&
			    (!given->measured || c->from[j] != CONFIG_NONE))
				return true;
	}
	return false;
}

static void remove_given(struct change *c)
{
	struct given given[GIVEN_MAX];

	for (size_t i = 0; i < c->config->n_map; i++) {
		size_t n = plan_given(&c->config->map[i], &c->plan[i], given);

		while (n-- > 0)
			if (!is_given_still(c, &given[n]))
				store_remove_resource(c->e->store, &given[n].path);
	}
}

static int is_any(void *userdata, const struct path *child)
{
	(void)userdata;
	(void)child;
	return 1;
}

static void remove_instance(struct store *s, const struct path *instance)
{
	const struct path object = path_cut(instance, PATH_OBJECT);

	store_remove_instance(s, instance->object, instance->instance);
	if (store_children(s, &object, is_any, NULL) == 0)
		store_remove_object(s, object.object);
}

/* An instance that the mapping has made is its own until it has nothing to show there. */
static void remove_instances(struct change *c)
{
	struct mapped_endpoint *e = c->e;

	for (size_t i = 0; i < c->config->n_map; i++) {
		const struct path instance = path_cut(&c->config->map[i].path, PATH_INSTANCE);
		size_t j = 0;

		if (!c->rows[i].made_instance)
			continue;
		while (j < e->config->n_map && !path_contains(&instance, &e->config->map[j].path))
			j++;
		if (j < e->config->n_map)
			e->rows[j].made_instance = true;
		else
			remove_instance(e->store, &instance);
	}
}

/* A row whose resource has been there, and stays. */
static int keep_row(const struct change *c, struct mapped_row *row)
{
	struct mapped_endpoint *e = c->e;
	const struct config_map *map = row_map(row);
	struct backing backing;
	int r = 0;

	if (row_is_first(e, row, &backing))
		r = store_hand_over(e->store, &map->path, &backing);
	if (r >= 0 && map->kind == CONFIG_MAP_CONSTANT && c->from[row - e->rows] == CONFIG_NONE)
		r = store_update_one(e->store, &map->path, &map->constant);
	if (r >= 0 && map->kind == CONFIG_MAP_POINT)
		r = row_add_given(e, row);
	return r;
}

static void put_row(const struct change *c, size_t j)
{
	struct mapped_endpoint *e = c->e;
	struct mapped_row *row = &e->rows[j];
	const struct path resource = path_cut(&row_map(row)->path, PATH_RESOURCE);
	char path[PATH_TEXT_MAX];
	int r;

	if (row_map(row)->kind != CONFIG_MAP_ALARM && (c->from[j] != CONFIG_NONE || goes_on(c, &resource)))
		r = keep_row(c, row);
	else
		r = row_add(e, row);
	if (r < 0)
		log_error(&(struct log_about){ .endpoint = e->config->endpoint }, "%s: %s cannot be shown: %s",
			  e->config->endpoint, path_format(&row_map(row)->path, path), strerror(-r));
}

void change_show(struct change *c)
{
	struct mapped_endpoint *e = c->e;

	remove_instances(c);
	remove_rows(c);
	remove_given(c);
	for (size_t j = 0; j < e->config->n_map; j++)
		put_row(c, j);
	kept_show(e, c->from);
	quality_follow(e);
	alarms_follow(e);
	errors_update(e);
	e->unseen = rows_unseen(e);
}
