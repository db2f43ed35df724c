/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "config/map.h"
#include "config/origins.h"
#include "config/places.h"

/* ---- what a device says ---- */

static int read_parameter(struct loader *l, const struct profile *p, const struct yaml_node *name,
			  const struct yaml_node *node, double *values)
{
	const char *candidates[64];
	int index = parameter_find(p, name->text), r;
	size_t n = 0;

	for (; n < p->n_parameters && n < ARRAY_SIZE(candidates); n++)
		candidates[n] = p->parameters[n].name;
	if (index < 0) {
		loader_unknown(l, name->mark, "parameter", name->text, candidates, n);
		return -EINVAL;
	}
	r = parameter_value(l, &p->parameters[index], node, &values[index]);
	for (size_t i = 0; r >= 0 && i < p->n_points && values[index] == 0; i++)
		if (p->points[i].factor == index) {
			loader_error(l, node->mark, "%s is the factor of point %s and cannot be 0",
				     name->text, p->points[i].point.name);
			return -EINVAL;
		}
	return r;
}

static int read_parameters(struct loader *l, const struct profile *p, const struct yaml_node *node,
			   struct level *ret)
{
	int r = mapping_expect(l, node, "parameters");

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	ret->parameters = loader_scratch(l, (p->n_parameters + 1) * sizeof(*ret->parameters));
	if (!ret->parameters)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_parameters; i++)
		ret->parameters[i] = NAN;
	for (size_t i = 0; i < node->n; i++)
		r = worse(r, read_parameter(l, p, node->keys[i], node->items[i], ret->parameters));
	return r;
}

static int check_rates(struct loader *l, const struct profile *p, const struct rates *rates)
{
	const char *candidates[32];
	size_t n = 0;
	int r = 0;

	for (; n < p->rates.n && n < ARRAY_SIZE(candidates); n++)
		candidates[n] = p->rates.items[n].name;
	for (size_t i = 0; i < rates->n; i++) {
		if (rates_find(&p->rates, rates->items[i].name))
			continue;
		loader_unknown(l, rates->items[i].mark, "rate class", rates->items[i].name,
			       candidates, n);
		r = -EINVAL;
	}
	return r;
}

/* Behind `endpoint:` of the same level. */
static int read_create(struct loader *l, const struct yaml_node *node, struct level *ret)
{
	ret->has_create = true;
	if (!ret->endpoint || !streq(ret->endpoint, "none"))
		return create_read(l, node, &ret->create);
	loader_error(l, node->mark, "with endpoint: none there is nothing in which servers could make instances");
	return -EINVAL;
}

int level_read(struct loader *l, const struct profile *p, const struct level_section *section,
	       struct level *ret)
{
	const struct origin_part parts[] = { { "enabled", section->enabled },
					     { "note", section->note },
					     { "rates", section->rates },
					     { "parameters", section->parameters },
					     { "stale", section->stale } };
	bool enabled = true;
	int r = 0;

	*ret = (struct level){ .enabled = -1, .lwm2m = section->lwm2m };
	if (section->enabled) {
		r = scalar_bool(l, section->enabled, &enabled);
		ret->enabled = enabled;
	}
	if (section->note)
		r = worse(r, scalar_text(l, section->note, &ret->note));
	if (section->endpoint) {
		r = worse(r, scalar_text(l, section->endpoint, &ret->endpoint));
		ret->endpoint_mark = section->endpoint->mark;
	}
	r = worse(r, read_parameters(l, p, section->parameters, ret));
	r = worse(r, rates_read(l, section->rates, &ret->rates));
	r = worse(r, check_rates(l, p, &ret->rates));
	r = worse(r, origins_read(l, parts, ARRAY_SIZE(parts), &ret->origins));
	if (section->create)
		r = worse(r, read_create(l, section->create, ret));
	return worse(r, stale_read(l, section->stale, &ret->stale));
}

/* ---- types ---- */

/* All that two devices must have in common to share a type, as bytes. */
struct type_entry {
	struct type_entry *next;
	uint8_t *key;
	size_t size;
	const struct config_type *type; /* NULL: it has errors */
};

/* The values of one type, nearest to the device first applied last. */
struct effective {
	double *parameters;
	uint64_t *periods;
	struct config_stale stale;
	bool stale_is_given; /* by more than the gateway */
};

static void apply_stale(const struct stale_part *part, struct effective *e)
{
	stale_apply(&e->stale, part);
	e->stale_is_given = e->stale_is_given || part->has_after;
}

static void apply_level(const struct profile *p, const struct level *level, struct effective *e)
{
	for (size_t i = 0; level->parameters && i < p->n_parameters; i++)
		if (!isnan(level->parameters[i]))
			e->parameters[i] = level->parameters[i];
	apply_stale(&level->stale, e);
}

static void apply_rates(const struct profile *p, const struct rates *rates, uint64_t *periods)
{
	const struct rate *rate;

	for (size_t i = 0; rates->n > 0 && i < p->rates.n; i++) {
		rate = rates_find(rates, p->rates.items[i].name);
		if (rate)
			periods[i] = rate->period_usec;
	}
}

static int effective_init(struct loader *l, const struct profile *p, const struct bus_source *bus,
			  const struct level *const levels[2], struct effective *e)
{
	e->parameters = calloc(p->n_parameters + 1, sizeof(*e->parameters));
	e->periods = calloc(p->rates.n + 1, sizeof(*e->periods));
	if (!e->parameters || !e->periods)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_parameters; i++)
		e->parameters[i] = p->parameters[i].initial;
	e->stale = l->config->stale;
	apply_stale(&p->stale, e);
	apply_rates(p, &p->rates, e->periods);
	if (bus) {
		apply_stale(&bus->stale, e);
		apply_rates(p, &bus->rates, e->periods);
	}
	for (size_t i = 2; i-- > 0;) {
		if (!levels[i])
			continue;
		apply_level(p, levels[i], e);
		apply_rates(p, &levels[i]->rates, e->periods);
	}
	return 0;
}

static void effective_done(struct effective *e)
{
	free(e->parameters);
	free(e->periods);
}

static int append_text(struct buf *b, const char *text)
{
	return buf_append(b, text, strlen(text) + 1);
}

/* A text, and the values of the variables in it. */
static int append_scalar(struct buf *b, const char *text, const struct variables *v)
{
	const struct variable *variable;
	int r = append_text(b, text);

	for (const char *p = strchr(text, '{'); p && r >= 0; p = strchr(p + 1, '{')) {
		variable = variables_find(v, p + 1, strcspn(p + 1, ":}"));
		if (variable)
			r = append_text(b, variable->text);
	}
	return r;
}

/* What a node says, so that equal texts are equal bytes. */
static int append_node(struct buf *b, const struct yaml_node *node, const struct variables *v)
{
	uint32_t n = (uint32_t)node->n;
	int r = buf_append_byte(b, (uint8_t)(node->kind << 1 | node->quoted));

	if (node->kind == YAML_KIND_SCALAR)
		return r < 0 ? r : append_scalar(b, node->text, v);
	r = worse(r, buf_append(b, &n, sizeof(n)));
	for (size_t i = 0; i < node->n && r >= 0; i++) {
		if (node->kind == YAML_KIND_MAPPING)
			r = append_node(b, node->keys[i], v);
		r = r < 0 ? r : append_node(b, node->items[i], v);
	}
	return r;
}

static int make_key(const struct profile *p, const struct effective *e,
		    const struct level *const levels[2], const struct variables *v, struct buf *ret)
{
	uint64_t stale[] = { e->stale.times, e->stale.after_usec, e->stale.read,
			     e->stale_is_given };
	int r = buf_append(ret, &p, sizeof(p));

	r = worse(r, buf_append(ret, e->parameters, p->n_parameters * sizeof(*e->parameters)));
	r = worse(r, buf_append(ret, e->periods, p->rates.n * sizeof(*e->periods)));
	r = worse(r, buf_append(ret, stale, sizeof(stale)));
	for (size_t i = 0; i < 2 && r >= 0; i++) {
		r = buf_append_byte(ret, levels[i] && levels[i]->lwm2m);
		if (r >= 0 && levels[i] && levels[i]->lwm2m)
			r = append_node(ret, levels[i]->lwm2m, v);
	}
	return r;
}

/* FNV-1a */
static size_t bucket_of(const struct buf *key)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < key->size; i++)
		hash = (hash ^ key->data[i]) * UINT64_C(1099511628211);
	return (size_t)(hash % TYPE_BUCKETS);
}

static struct type_entry *entry_get(struct loader *l, const struct buf *key, bool *ret_known)
{
	struct type_entry **bucket = &l->types[bucket_of(key)], *entry;

	for (entry = *bucket; entry; entry = entry->next)
		if (entry->size == key->size && memcmp(entry->key, key->data, key->size) == 0) {
			*ret_known = true;
			return entry;
		}
	entry = loader_scratch(l, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->key = (uint8_t *)loader_scratch_text(l, (const char *)key->data, key->size);
	if (!entry->key)
		return NULL;
	entry->size = key->size;
	entry->next = *bucket;
	*bucket = entry;
	*ret_known = false;
	return entry;
}

static int count_type(struct loader *l, const struct profile *p)
{
	size_t size = p->n_points + p->n_map;

	if (l->config->n_types >= CONFIG_TYPES_MAX ||
	    size > CONFIG_TYPE_POINTS_MAX - l->type_points) {
		loader_error(
			l, p->mark,
			"devices differ in more than %u ways, or have more than %u points and rows together",
			CONFIG_TYPES_MAX, CONFIG_TYPE_POINTS_MAX);
		return -EINVAL;
	}
	l->type_points += size;
	return 0;
}

/* What comes by itself has no interval to count in: it has its silence. */
static void apply_silence(struct config_point *point, bool given)
{
	struct config_stale *stale = &point->stale;

	if (point->silence_usec == 0 || point->period_usec != CONFIG_RATE_ON_DEMAND)
		return;
	if (!given)
		stale->after_usec = point->silence_usec;
	else if (stale->times > 0)
		stale->after_usec = stale->times * point->silence_usec;
	stale->times = 0;
}

static void fill_points(const struct profile *p, const struct effective *e,
			struct config_point *points)
{
	for (size_t i = 0; i < p->n_points; i++) {
		const struct point_source *source = &p->points[i];
		struct config_point *point = &points[i];

		*point = source->point;
		if (source->rate >= 0)
			point->period_usec = e->periods[source->rate];
		if (!(point->access & CONFIG_ACCESS_READ))
			point->period_usec = CONFIG_RATE_ON_DEMAND;
		if (source->factor >= 0)
			point->factor = e->parameters[source->factor];
		point->stale = e->stale;
		stale_apply(&point->stale, &source->stale);
		apply_silence(point, e->stale_is_given || source->stale.has_after);
	}
}

static int fill_map(struct loader *l, const struct profile *p, const struct level *const levels[2],
		    const struct variables *v, struct config_type *type)
{
	const struct yaml_node *nodes[2] = { levels[1] ? levels[1]->lwm2m : NULL,
					     levels[0] ? levels[0]->lwm2m : NULL };

	type->map = p->map;
	type->n_map = p->n_map;
	return nodes[0] || nodes[1] ? map_override(l, p, nodes, v, &type->map, &type->n_map) : 0;
}

static int fill_classes(struct loader *l, const struct profile *p, const struct effective *e,
			struct config_type *type)
{
	type->rates = loader_array(l, struct config_class, p->rates.n);
	type->parameters = loader_array(l, struct config_parameter, p->n_parameters);
	if (!type->rates || !type->parameters)
		return -ENOMEM;
	for (size_t i = 0; i < p->rates.n; i++)
		type->rates[i] = (struct config_class){ p->rates.items[i].name, e->periods[i] };
	for (size_t i = 0; i < p->n_parameters; i++)
		type->parameters[i] =
			(struct config_parameter){ p->parameters[i].name, e->parameters[i] };
	type->n_rates = p->rates.n;
	type->n_parameters = p->n_parameters;
	type->origins = p->origins;
	return 0;
}

static struct config_type *build(struct loader *l, const struct profile *p,
				 const struct effective *e, const struct level *const levels[2],
				 const struct variables *v)
{
	struct config_type *type;

	if (count_type(l, p) < 0)
		return NULL;
	type = loader_new(l, sizeof(*type));
	if (!type)
		return NULL;
	type->points = loader_array(l, struct config_point, p->n_points);
	type->profile = loader_text(l, p->name);
	if (!type->points || !type->profile)
		return NULL;
	type->shared = p->shared;
	type->revision = p->revision;
	type->manufacturer = p->info.manufacturer;
	type->model = p->info.model;
	type->plugin = p->plugin->plugin;
	type->settings = p->settings;
	type->identify = p->identify;
	type->attributes = p->attributes;
	type->n_attributes = p->n_attributes;
	type->recorded = p->recorded;
	type->n_recorded = p->n_recorded;
	type->record_usec = p->record_usec;
	type->n_points = p->n_points;
	type->parametric = p->parametric;
	if (p->parametric && profile_settings_read(l, p, e->parameters, &type->settings) < 0)
		return NULL;
	fill_points(p, e, type->points);
	if (fill_classes(l, p, e, type) < 0)
		return NULL;
	return fill_map(l, p, levels, v, type) < 0 ? NULL : type;
}

static int keep_type(struct loader *l, struct config_type *type)
{
	struct config *c = l->config;
	struct config_type **grown =
		loader_grow(l, c->types, &l->types_allocated, c->n_types, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	c->types = grown;
	grown[c->n_types++] = type;
	return 0;
}

static const struct config_type *get(struct loader *l, const struct profile *p,
				     const struct effective *e, const struct level *const levels[2],
				     const struct variables *v)
{
	_cleanup_buf_ struct buf key = { 0 };
	struct type_entry *entry;
	struct config_type *type;
	bool known;

	if (make_key(p, e, levels, v, &key) < 0) {
		l->no_memory = true;
		return NULL;
	}
	entry = entry_get(l, &key, &known);
	if (!entry || known)
		return entry ? entry->type : NULL;
	type = build(l, p, e, levels, v);
	if (type && keep_type(l, type) >= 0)
		entry->type = type;
	return entry->type;
}

const struct config_type *type_get(struct loader *l, const struct profile *p,
				   const struct bus_source *bus,
				   const struct level *const levels[2], const struct variables *v)
{
	struct effective e = { 0 };
	const struct config_type *type = NULL;

	if (!l->types)
		l->types = calloc(TYPE_BUCKETS, sizeof(*l->types));
	if (!p->broken && l->types && effective_init(l, p, bus, levels, &e) >= 0)
		type = get(l, p, &e, levels, v);
	else if (!p->broken)
		l->no_memory = true;
	effective_done(&e);
	return type;
}

void types_done(struct loader *l)
{
	free(l->types);
	for (size_t i = 0; i < l->n_profiles; i++)
		free(l->profiles[i]->points);
	free(l->profiles);
}
