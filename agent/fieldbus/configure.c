/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "fieldbus/internal.h"
#include "link/marshal.h"

/* struct config as Host1 has it: only the types that the bus uses, devices by their index. */

static void point_convert(const struct config_point *from, struct link_point *to)
{
	*to = (struct link_point){
		.name = from->name,
		.scale = from->scale,
		.offset = from->offset,
		.factor = from->factor,
		.invalid = from->invalid,
		.n_invalid = from->n_invalid,
		.inexact_reject = from->inexact_reject,
		.verify = { .enabled = from->verify.enabled,
			    .within_usec = from->verify.within_usec,
			    .tolerance = from->verify.tolerance,
			    .point = from->verify.point },
		.period_usec = from->period_usec,
		.deadband = from->deadband,
		.sample_usec = from->sample_usec,
		.sample_keep = (enum link_keep)from->sample_keep,
		.silence_usec = from->silence_usec,
		.scale10 = from->scale10,
		.settings = from->settings,
	};
	if (from->access & CONFIG_ACCESS_READ)
		to->access |= LINK_READ;
	if (from->access & CONFIG_ACCESS_WRITE)
		to->access |= LINK_WRITE;
}

static int type_convert(const struct config_type *from, struct arena *arena, struct link_type *to)
{
	if (from->n_points > LINK_POINTS_MAX)
		return -E2BIG;
	to->settings = from->settings;
	to->identify = (struct link_identify){ .point = from->identify.point,
					       .values = from->identify.values,
					       .n_values = from->identify.n_values };
	to->n_points = from->n_points;
	to->points = arena_new(arena, from->n_points * sizeof(*to->points));
	if (!to->points)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_points; i++)
		point_convert(&from->points[i], &to->points[i]);
	return 0;
}

static int pointer_compare(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)*(const void *const *)a, y = (uintptr_t)*(const void *const *)b;

	return x < y ? -1 : x > y;
}

/* Sorted, each once. */
struct used_types {
	const struct config_type **items;
	size_t n;
};

static void used_types_sort(struct used_types *u)
{
	size_t n = 0;

	if (u->n > 0)
		qsort(u->items, u->n, sizeof(const struct config_type *), pointer_compare);
	for (size_t i = 0; i < u->n; i++)
		if (n == 0 || u->items[n - 1] != u->items[i])
			u->items[n++] = u->items[i];
	u->n = n;
}

static uint32_t used_types_find(const struct used_types *u, const struct config_type *type)
{
	const struct config_type **found = bsearch(&type, u->items, u->n,
						   sizeof(const struct config_type *), pointer_compare);

	return (uint32_t)(found - u->items);
}

static int types_convert(const struct used_types *used, struct arena *arena, struct link_configuration *c)
{
	int r = 0;

	c->n_types = used->n;
	c->types = arena_new(arena, used->n * sizeof(*c->types));
	if (!c->types)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < used->n; i++)
		r = type_convert(used->items[i], arena, &c->types[i]);
	return r;
}

static int devices_convert(const struct config *config, const struct device_list *list,
			   struct arena *arena, struct link_configuration *c)
{
	struct used_types used = { .items = arena_new(arena, list->n * sizeof(*used.items)), .n = list->n };
	const struct config_device *d;

	c->n_devices = list->n;
	c->devices = arena_new(arena, list->n * sizeof(*c->devices));
	if (!used.items || !c->devices)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		used.items[i] = config->devices[list->items[i]].type;
	used_types_sort(&used);
	for (size_t i = 0; i < list->n; i++) {
		d = &config->devices[list->items[i]];
		c->devices[i] = (struct link_device){ .id = list->ids ? list->ids[i] : list->items[i],
						      .name = d->name,
						      .type = used_types_find(&used, d->type),
						      .address = d->address };
	}
	return types_convert(&used, arena, c);
}

int configuration_of_bus(const struct config *config, uint32_t bus, const struct device_list *list,
			 struct arena *arena, struct link_configuration *ret)
{
	const struct config_bus *b = &config->buses[bus];
	struct link_configuration c = {
		.plugin = b->plugin->name,
		.bus = { .name = b->name, .settings = b->settings, .timeout_usec = b->timeout_usec },
		.retries = b->retries,
		.offline_after = b->offline_after,
		.offline_first_usec = b->offline_first_usec,
		.offline_last_usec = b->offline_last_usec,
	};
	int r;

	if (list->n > LINK_DEVICES_MAX)
		return -E2BIG;
	r = devices_convert(config, list, arena, &c);
	if (r >= 0)
		*ret = c;
	return r;
}

int device_list_of_bus(const struct config *config, uint32_t bus, bool all, struct arena *arena,
		       struct device_list *ret)
{
	struct device_list list = { .items = arena_new(arena, config->n_devices * sizeof(*list.items)) };
	const struct config_device *d;

	if (!list.items)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->n_devices; i++) {
		d = &config->devices[i];
		if (d->bus == bus && (all || d->enabled))
			list.items[list.n++] = i;
	}
	*ret = list;
	return 0;
}

int configuration_call_new(struct fieldbus *f, sd_bus *link, const char *member,
			   uint64_t generation, const struct config *config, uint32_t bus,
			   const struct device_list *list, struct contents *contents,
			   sd_bus_message **ret)
{
	struct contents own = { 0 }, *used = contents ?: &own;
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_configuration c;
	int r;

	r = configuration_of_bus(config, bus, list, &arena, &c);
	if (r >= 0)
		r = contents_resolve(f, config->buses[bus].plugin, &c, used);
	if (r >= 0 && (used->of_bus || (c.n_devices == 0 && list->n > 0)))
		r = -ENOKEY;
	c.generation = generation;
	if (r >= 0)
		r = link_call_new(link, member, ret);
	if (r >= 0 && used->items)
		r = sd_bus_message_sensitive(*ret);
	if (r >= 0)
		r = link_append_configuration(*ret, &c);
	contents_done(&own);
	return r;
}

int configuration_of_type(const struct config_type *type, struct arena *arena,
			  struct link_configuration *ret)
{
	struct link_configuration c = {
		.plugin = type->plugin->name,
		.bus = { .name = "" },
		.types = arena_new(arena, sizeof(*c.types)),
		.n_types = 1,
		.devices = arena_new(arena, sizeof(*c.devices)),
		.n_devices = 1,
	};
	int r;

	if (!c.types || !c.devices)
		return -ENOMEM;
	c.devices->name = type->profile;
	r = type_convert(type, arena, c.types);
	if (r >= 0)
		*ret = c;
	return r;
}
