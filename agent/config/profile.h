/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/levels.h"
#include "config/settings.h"

/* A device type as its file has it, before a device's parameters and rates. */

struct parameter {
	const char *name;
	bool integer;
	double initial;
	struct range range;
};

/*
 * What its settings say about a point's values, by the names that plugins use
 * for this: `bit`, `type` (bool, int..., uint..., float..., string), `area`.
 */
enum point_kind {
	POINT_ANY,
	POINT_BOOL,
	POINT_NUMBER,
	POINT_TEXT,
};

struct point_source {
	struct config_point point; /* period, factor and stale: see type_get() */
	enum point_kind kind;
	int rate;   /* class of the profile; -1: point.period_usec as it is */
	int factor; /* parameter of the profile; -1: point.factor as it is */
	struct stale_part stale;
	const char *verify_point, *scale10_point; /* names, or NULL */
	struct yaml_mark verify_mark, scale10_mark;
};

struct profile {
	struct yaml_mark mark;
	const char *name;
	bool broken; /* has errors: no types are made of it */
	bool shared; /* comes with the package */
	uint32_t revision;
	struct info_section info;
	const struct known_plugin *plugin;
	const struct yaml_node *node, *defaults; /* where its settings stand */
	struct fieldway_settings settings; /* with the parameters' defaults */
	bool parametric;		   /* they depend on its parameters */
	struct parameter *parameters;
	size_t n_parameters;
	struct rates rates;
	struct stale_part stale;
	uint64_t silence_usec;
	struct config_identify identify;
	struct config_origins origins;
	struct point_source *points;
	size_t n_points, points_allocated;
	uint32_t *by_name;	/* indices of points */
	struct config_map *map; /* in the order of paths */
	size_t n_map;
	struct config_attributes *attributes;
	size_t n_attributes;
	uint32_t *recorded; /* history: */
	size_t n_recorded;
	uint64_t record_usec;
};

const struct profile *profile_find(const struct loader *l, const char *name);
/* Index of a point, or -ENOENT. */
int64_t profile_point(const struct profile *p, const char *name);
/* Says that there is none; -EINVAL. */
int profile_refuse_point(struct loader *l, const struct profile *p, struct yaml_mark mark,
			 const char *name);
int parameter_find(const struct profile *p, const char *name);
/* Number within type and range of a parameter. */
int parameter_value(struct loader *l, const struct parameter *parameter,
		    const struct yaml_node *node, double *ret);

/* profiles.c: the plugin's keys of a device; parameters NULL: their defaults. */
int profile_settings_read(struct loader *l, const struct profile *p, const double *parameters,
			  struct fieldway_settings *ret);
/* points.c */
int points_read(struct loader *l, struct profile *p, const struct yaml_node *points,
		const struct yaml_node *defaults, const struct yaml_node *map);
/* nodes.c: a mapping of this run without keys yet, and a copy of one, with room for more of them. */
struct yaml_node *mapping_node_new(struct loader *l, struct yaml_mark mark, size_t room);
struct yaml_node *mapping_node_copy(struct loader *l, const struct yaml_node *node, size_t room);
/*
 * point_unit.c: `unit: {from: FIELD}` turns into the unit that a row of lwm2m: wants
 * of the point, {point: NAME, unit: U}, where it does not say `to:` itself.
 * Returns the point's node, or a copy of it.
 */
const struct yaml_node *point_unit_complete(struct loader *l, const struct yaml_node *rows, const char *name,
					    const struct yaml_node *point);
/* point_values.c: the keys of one point that no plugin has. */
int point_fill(struct loader *l, const struct profile *p, const struct point_section *section,
	       const struct variables *v, struct point_source *ret);
/* point_links.c: points that other points name, when all of them are there. */
int points_link(struct loader *l, struct profile *p);
/* identify.c */
int identify_read(struct loader *l, struct profile *p, const struct yaml_node *node);
/* attributes.c: `notify:`, behind the map. */
int attributes_read(struct loader *l, struct profile *p, const struct yaml_node *node);
/* history.c: `history:` of a profile, behind its points. */
int recording_read(struct loader *l, struct profile *p, const struct yaml_node *node);
/* extends.c: the profile's tree with that of its base below it, or NULL after a report. */
const struct yaml_node *profile_extend(struct loader *l, const struct yaml_node *own);
/* inputs.c: what a sample has that is no register. 0: nothing; 1: something. */
int inputs_read(struct loader *l, const struct sample_section *section, struct config_sample *ret);
/* samples.c: true, false, a number, text, or (type NONE) `invalid`. */
int expected_value_read(struct loader *l, const struct yaml_node *node, struct fieldway_value *ret);
void samples_read(struct loader *l, const struct profile *p, const struct yaml_node *node);

/* What a device, or what its override, says otherwise than its profile. */
struct level {
	int enabled; /* -1: nothing */
	const char *note, *endpoint;
	struct yaml_mark endpoint_mark;
	const struct yaml_node *lwm2m;
	double *parameters; /* by the profile's; NaN: nothing */
	struct rates rates;
	struct stale_part stale;
	struct config_origins origins;
	bool has_create;
	struct config_objects create;
};

int level_read(struct loader *l, const struct profile *p, const struct level_section *section,
	       struct level *ret);
/*
 * The type of a device, shared where everything is equal. bus and the levels
 * (nearest first) may be NULL. variables: for placeholders in `lwm2m:`. NULL
 * after a report.
 */
const struct config_type *type_get(struct loader *l, const struct profile *p,
				   const struct bus_source *bus,
				   const struct level *const levels[2], const struct variables *v);
void types_done(struct loader *l);
