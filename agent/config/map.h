/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/profile.h"

/* `lwm2m:` of a profile, a device or an endpoint: rows, sorted by path and checked. */

/* Whose points the rows name. */
struct map_target {
	const struct profile
		*profile; /* its own by their name; NULL: of all devices, as device.point */
	bool host; /* shows what the agent knows of this machine, too */
};

struct map_point {
	uint32_t device; /* UINT32_MAX: the device itself */
	uint32_t index;
	const struct config_point *point;
	enum point_kind kind;
};

struct map_rows {
	struct config_map *items; /* malloc()ed */
	size_t n, allocated;
};

/*
 * Reads a whole map; memory of the configuration. node NULL: an empty one.
 * variables (or NULL): placeholders that the texts may have.
 */
int map_read(struct loader *l, const struct map_target *target, const struct yaml_node *node,
	     const struct variables *v, struct config_map **ret, size_t *ret_n);
/* The map of a profile with rows replaced or added by nodes (the later ones win; NULL: none). */
int map_override(struct loader *l, const struct profile *p, const struct yaml_node *const nodes[2],
		 const struct variables *v, struct config_map **ret, size_t *ret_n);

/* map_entry.c: what stands at one path; adds its rows. */
int map_entry_read(struct loader *l, const struct map_target *target, struct yaml_mark at,
		   const struct path *path, const struct yaml_node *node, const struct variables *v,
		   struct map_rows *rows);
struct alarm_section;
/* map_alarm.c: one that is more than a bit; memory of the configuration. */
int alarm_read(struct loader *l, const struct yaml_node *node, struct alarm_section *ret_section,
	       const struct config_condition **ret);
/* create.c: `create:` of an endpoint, NULL: nothing */
int create_read(struct loader *l, const struct yaml_node *node, struct config_objects *ret);
/* check.c: does the agent keep the object itself? */
bool object_is_own(uint16_t object);
/* map.c */
int map_rows_add(struct loader *l, struct map_rows *rows, const struct config_map *row);

/* check.c: against the newest definitions; all -EINVAL with a report. */

/* The resource at a path that a device may show. */
int check_path(struct loader *l, struct yaml_mark mark, const struct path *path,
	       const struct resource_definition **ret);
int check_point(struct loader *l, const struct config_map *row,
		const struct resource_definition *resource, const struct map_point *point);
int check_execute(struct loader *l, const struct config_map *row,
		  const struct resource_definition *resource, const struct map_point *point);
int check_alarm(struct loader *l, const struct config_map *row, const struct map_point *point);
/* A constant of the resource's type. */
int check_constant(struct loader *l, const struct yaml_node *node, const struct path *path,
		   const struct resource_definition *resource, struct value *ret);
/* Sorted rows: no path twice; mandatory resources there. */
int check_overlaps(struct loader *l, const struct map_rows *rows);
int check_mandatory(struct loader *l, const struct map_target *target, const struct config_map *map, size_t n);
