/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/device_index.h"

static int by_name(const void *a, const void *b, void *userdata)
{
	const struct config_device *devices = userdata;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(devices[x].name, devices[y].name);

	return order != 0 ? order : x < y ? -1 : x > y;
}

int64_t device_find(const struct loader *l, const char *name)
{
	size_t low = 0, high = l->device_order ? l->config->n_devices : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, l->config->devices[l->device_order[middle]].name);

		if (order == 0)
			return l->device_order[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -ENOENT;
}

void device_refuse(struct loader *l, struct yaml_mark mark, const char *name)
{
	size_t n = l->config->n_devices;
	_cleanup_free_ const char **names = calloc(n + 1, sizeof(*names));

	for (size_t i = 0; names && i < n; i++)
		names[i] = l->config->devices[i].name;
	loader_unknown(l, mark, "device", name, names, names ? n : 0);
}

static int compare_values(const struct fieldway_value *a, const struct fieldway_value *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	switch (a->type) {
	case FIELDWAY_BOOL:
		return (int)a->boolean - (int)b->boolean;
	case FIELDWAY_INT:
		return a->integer < b->integer ? -1 : a->integer > b->integer;
	case FIELDWAY_UINT:
		return a->unsignd < b->unsignd ? -1 : a->unsignd > b->unsignd;
	case FIELDWAY_FLOAT:
		return a->real < b->real ? -1 : a->real > b->real;
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		return strcmp(a->data, b->data);
	case FIELDWAY_NONE:
		break;
	}
	return 0;
}

static bool is_secret(const struct config_plugin *plugin, const char *name)
{
	for (size_t i = 0; i < plugin->n_keys; i++)
		if (plugin->keys[i].flags & FIELDWAY_KEY_SECRET &&
		    dotted_match(plugin->keys[i].name, name))
			return true;
	return false;
}

/* The next one that says where a device is, or NULL. */
static const struct fieldway_setting *next_setting(const struct config_plugin *plugin,
						   const struct fieldway_settings *s, size_t *i)
{
	while (*i < s->n && is_secret(plugin, s->items[*i].key))
		++*i;
	return *i < s->n ? &s->items[(*i)++] : NULL;
}

/* Settings stand in the order of the plugin's table. */
static int compare_settings(const struct config_plugin *plugin, const struct fieldway_settings *a,
			    const struct fieldway_settings *b)
{
	const struct fieldway_setting *x, *y;
	size_t i = 0, k = 0;
	int order = 0;

	while (order == 0) {
		x = next_setting(plugin, a, &i);
		y = next_setting(plugin, b, &k);
		if (!x || !y)
			return (x != NULL) - (y != NULL);
		order = strcmp(x->key, y->key);
		if (order == 0)
			order = compare_values(&x->value, &y->value);
	}
	return order;
}

static int compare_addresses(const struct config *c, const struct config_device *a,
			     const struct config_device *b)
{
	const struct config_plugin *plugin = c->buses[a->bus].plugin;

	if (a->bus != b->bus || !plugin)
		return a->bus < b->bus ? -1 : a->bus > b->bus;
	return compare_settings(plugin, &a->address, &b->address);
}

static int by_address(const void *a, const void *b, void *userdata)
{
	const struct config *c = userdata;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = compare_addresses(c, &c->devices[x], &c->devices[y]);

	return order != 0 ? order : x < y ? -1 : x > y;
}

/* The rows of the last clash that was told: the devices of one row clash all together. */
struct told {
	struct yaml_mark a, b;
};

static bool mark_is(const struct yaml_mark *a, const struct yaml_mark *b)
{
	return a->file == b->file && a->line == b->line && a->column == b->column;
}

static bool is_told(struct told *told, const struct config_device *a, const struct config_device *b)
{
	if (mark_is(&told->a, &a->mark) && mark_is(&told->b, &b->mark))
		return true;
	*told = (struct told){ a->mark, b->mark };
	return false;
}

static void check_names(struct loader *l)
{
	const struct config_device *devices = l->config->devices;
	struct told told = { 0 };

	for (size_t i = 1; i < l->config->n_devices; i++) {
		const struct config_device *device = &devices[l->device_order[i]];
		const struct config_device *before = &devices[l->device_order[i - 1]];

		if (streq(device->name, before->name) && !is_told(&told, device, before))
			loader_error(l, device->mark,
				     "there are two devices %s, the other in %s:%u", device->name,
				     before->mark.file, before->mark.line);
	}
}

static bool is_same_place(const struct config *c, const struct config_device *a,
			  const struct config_device *b)
{
	/* A user may have programs for many. */
	return a->type && b->type && a->address.n > 0 && c->buses[a->bus].plugin != &config_plugin_local &&
	       compare_addresses(c, a, b) == 0;
}

/* Several of a kind behind one address, told apart by what their parameters make of their settings. */
static bool is_same_device(const struct config *c, const struct config_device *a,
			   const struct config_device *b)
{
	return !a->type->parametric || !b->type->parametric ||
	       !streq(a->type->profile, b->type->profile) ||
	       compare_settings(c->buses[a->bus].plugin, &a->type->settings, &b->type->settings) ==
		       0;
}

static void check_addresses(struct loader *l, uint32_t *order)
{
	struct config *c = l->config;
	struct told told = { 0 };

	if (c->n_devices > 1)
		qsort_r(order, c->n_devices, sizeof(*order), by_address, c);
	for (size_t i = 1; i < c->n_devices; i++) {
		const struct config_device *device = &c->devices[order[i]], *before;
		size_t k = i;

		do
			before = &c->devices[order[--k]];
		while (k > 0 && is_same_place(c, device, before) &&
		       !is_same_device(c, device, before));
		if (is_same_place(c, device, before) && is_same_device(c, device, before) &&
		    !is_told(&told, device, before))
			loader_error(l, device->mark, "%s has the address of %s on bus %s (%s:%u)",
				     device->name, before->name, c->buses[device->bus].name,
				     before->mark.file, before->mark.line);
	}
}

/*
 * Whatever went wrong with a device has its message; should one be missing, the
 * device is not let through.
 */
static void check_types(struct loader *l)
{
	for (size_t i = 0; i < l->config->n_devices && l->errors.n == 0; i++)
		if (!l->config->devices[i].type)
			loader_error(l, l->config->devices[i].mark, "%s cannot be used",
				     l->config->devices[i].name);
}

void devices_index(struct loader *l)
{
	size_t n = l->config->n_devices;
	_cleanup_free_ uint32_t *order = calloc(n + 1, sizeof(*order));

	l->device_order = calloc(n + 1, sizeof(*l->device_order));
	if (!l->device_order || !order) {
		l->no_memory = true;
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		order[i] = l->device_order[i] = i;
	if (n > 1)
		qsort_r(l->device_order, n, sizeof(*l->device_order), by_name, l->config->devices);
	check_names(l);
	check_addresses(l, order);
	check_types(l);
}
