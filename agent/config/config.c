/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/places.h"
#include "config/profile.h"

/* Moves a malloc()ed array to where everything else is. */
static void *settle(struct loader *l, void *items, size_t n, size_t size)
{
	void *copy = loader_new(l, (n + 1) * size);

	if (copy && n > 0)
		memcpy(copy, items, n * size);
	free(items);
	return copy;
}

static void keep_plugins(struct loader *l)
{
	struct config *c = l->config;

	c->plugins = loader_array(l, struct config_plugin *, l->n_plugins);
	for (size_t i = 0; c->plugins && i < l->n_plugins; i++)
		/* Not ours to change, and nobody does: the contract's type has no const. */
		if (l->plugins[i].plugin)
			memcpy(&c->plugins[c->n_plugins++], &l->plugins[i].plugin,
			       sizeof(c->plugins[0]));
}

static void keep_index(struct loader *l)
{
	struct config_memory *memory = l->config->arena;
	size_t n = l->config->n_devices;

	memory->by_name = loader_new(l, (n + 1) * sizeof(*memory->by_name));
	if (!memory->by_name || !l->device_order || !l->config->devices)
		return;
	for (size_t i = 0; i < n; i++)
		memory->by_name[i] = &l->config->devices[l->device_order[i]];
	memory->n_by_name = n;
}

static void settle_all(struct loader *l)
{
	struct config *c = l->config;

	c->types = settle(l, c->types, c->n_types, sizeof(*c->types));
	c->devices = settle(l, c->devices, c->n_devices, sizeof(*c->devices));
	c->endpoints = settle(l, c->endpoints, c->n_endpoints, sizeof(*c->endpoints));
	c->samples = settle(l, c->samples, c->n_samples, sizeof(*c->samples));
	keep_plugins(l);
	keep_index(l);
}

static void read_places(struct loader *l)
{
	documents_read(l);
	gateway_read(l);
	buses_read(l);
	profiles_read(l);
	devices_read(l);
	endpoints_read(l);
	if (l->errors.n == 0 && !l->no_memory)
		unmapped_check(l);
	settle_all(l);
}

static void loader_done(struct loader *l)
{
	documents_done(l);
	types_done(l);
	free(l->device_profiles);
	free(l->device_order);
	arena_done(&l->scratch);
}

static struct config *config_new(void)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c)
		c->arena = calloc(1, sizeof(struct config_memory));
	return c && c->arena ? c : config_free(c);
}

int config_read(const struct config_sources *sources, struct yaml_errors *errors,
		struct yaml_errors *warnings, struct config **ret)
{
	struct loader l = { .sources = sources, .config = config_new() };
	bool wrong;

	if (!l.config)
		return -ENOMEM;
	l.arena = &((struct config_memory *)l.config->arena)->arena;
	read_places(&l);
	wrong = l.errors.n > 0 || l.errors.dropped > 0;
	reports_give(&l, &l.errors, errors);
	reports_give(&l, &l.warnings, warnings);
	loader_done(&l);
	if (l.no_memory || wrong) {
		config_free(l.config);
		return l.no_memory ? -ENOMEM : -EINVAL;
	}
	*ret = l.config;
	return 0;
}

struct config *config_free(struct config *c)
{
	struct config_memory *memory = c ? c->arena : NULL;

	if (memory) {
		for (size_t i = 0; i < memory->n_file_names; i++)
			free(memory->file_names[i]);
		free(memory->file_names);
		arena_done(&memory->arena);
		free(memory);
	}
	free(c);
	return NULL;
}

const struct config_device *config_device_find(const struct config *c, const char *name)
{
	const struct config_memory *memory = c->arena;
	size_t low = 0, high = memory->n_by_name;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, memory->by_name[middle]->name);

		if (order == 0)
			return memory->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
