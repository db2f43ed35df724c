/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "config/places.h"
#include "config/profile.h"

/* Points that are read, or could be written, and appear nowhere: for whoever writes a profile. */

struct used {
	const struct profile *profile;
	bool *points;
};

static void use(const struct used *u, int64_t point)
{
	if (point >= 0 && (size_t)point < u->profile->n_points)
		u->points[point] = true;
}

static void use_map(const struct used *u, const struct config_map *map, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (map[i].kind != CONFIG_MAP_CONSTANT && map[i].device == UINT32_MAX)
			use(u, map[i].point);
}

/* What devices of it map themselves. */
static void use_types(const struct loader *l, const struct used *u)
{
	for (size_t i = 0; i < l->config->n_types; i++)
		if (streq(l->config->types[i]->profile, u->profile->name))
			use_map(u, l->config->types[i]->map, l->config->types[i]->n_map);
}

static void use_endpoints(const struct loader *l, const struct used *u)
{
	for (uint32_t i = 0; i <= config_host(l->config); i++) {
		const struct config_endpoint *e = config_endpoint_at(l->config, i);

		for (size_t k = 0; e->device == UINT32_MAX && k < e->n_map; k++)
			if (e->map[k].kind != CONFIG_MAP_CONSTANT &&
			    e->map[k].device != UINT32_MAX &&
			    l->device_profiles[e->map[k].device] == u->profile)
				use(u, e->map[k].point);
	}
}

static void use_helpers(const struct used *u)
{
	const struct profile *p = u->profile;

	use(u, p->identify.n_values > 0 ? p->identify.point : -1);
	for (size_t i = 0; i < p->n_points; i++) {
		use(u, p->points[i].point.verify.enabled ? p->points[i].point.verify.point : -1);
		use(u, p->points[i].point.scale10);
	}
}

/* Of the points that one row makes, the first one stands for all. */
static void warn(struct loader *l, const struct used *u)
{
	const struct config_point *told = NULL;

	for (size_t i = 0; i < u->profile->n_points; i++) {
		const struct config_point *point = &u->profile->points[i].point;

		if (u->points[i] || (told && told->mark.line == point->mark.line &&
				     told->mark.column == point->mark.column))
			continue;
		loader_warning(l, point->mark, "point %s appears in no resource", point->name);
		told = point;
	}
}

static void check_profile(struct loader *l, const struct profile *p)
{
	struct used u = { .profile = p, .points = calloc(p->n_points + 1, sizeof(*u.points)) };

	if (u.points) {
		use_map(&u, p->map, p->n_map);
		use_types(l, &u);
		use_endpoints(l, &u);
		use_helpers(&u);
		warn(l, &u);
	} else {
		l->no_memory = true;
	}
	free(u.points);
}

void unmapped_check(struct loader *l)
{
	for (size_t i = 0; i < l->n_profiles; i++)
		if (!l->profiles[i]->broken && !l->profiles[i]->shared && l->profiles[i]->name)
			check_profile(l, l->profiles[i]);
}
