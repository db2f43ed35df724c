/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "fieldbus/internal.h"

/* Bytes that are wiped when their configuration is on its way. */
struct content {
	struct content *next;
	uint8_t *data;
	size_t size;
};

struct resolving {
	struct fieldbus *fieldbus;
	const struct config_plugin *plugin;
	struct link_configuration *configuration;
	struct contents *contents;
};

/* The first of some settings that leads nowhere; key NULL: none does. */
struct dead_end {
	struct fieldway_settings settings; /* config's */
	const char *key, *why;
};

static bool is_content(const struct fieldway_key *key)
{
	return key->flags & (FIELDWAY_KEY_SECRET | FIELDWAY_KEY_CONTENT);
}

bool contents_are_used(const struct config_plugin *plugin)
{
	for (size_t i = 0; i < plugin->n_keys; i++)
		if (is_content(&plugin->keys[i]))
			return true;
	return false;
}

static const struct fieldway_key *find_content(const struct config_plugin *plugin,
					       const struct fieldway_setting *setting)
{
	for (size_t i = 0; i < plugin->n_keys; i++)
		if (is_content(&plugin->keys[i]) && setting->value.type == FIELDWAY_STRING &&
		    dotted_match(plugin->keys[i].name, setting->key))
			return &plugin->keys[i];
	return NULL;
}

/* ---- are there any? ---- */

static bool has_content(const struct config_plugin *plugin, const struct fieldway_settings *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (find_content(plugin, &s->items[i]))
			return true;
	return false;
}

static bool type_has_content(const struct config_type *type)
{
	if (has_content(type->plugin, &type->settings))
		return true;
	for (size_t i = 0; i < type->n_points; i++)
		if (has_content(type->plugin, &type->points[i].settings))
			return true;
	return false;
}

/* A type that has some stands for all devices of its plugin: hardly any has. */
bool contents_are_named(const struct config *config, uint32_t bus)
{
	const struct config_plugin *plugin = config->buses[bus].plugin;

	if (!contents_are_used(plugin))
		return false;
	if (has_content(plugin, &config->buses[bus].settings))
		return true;
	for (size_t i = 0; i < config->n_types; i++)
		if (config->types[i]->plugin == plugin && type_has_content(config->types[i]))
			return true;
	for (size_t i = 0; i < config->n_devices; i++)
		if (config->devices[i].bus == bus &&
		    has_content(plugin, &config->devices[i].address))
			return true;
	return false;
}

/* ---- one setting ---- */

static int keep(struct contents *c, uint8_t *data, size_t size)
{
	struct content *item = arena_new(&c->arena, sizeof(*item));

	if (!item) {
		explicit_bzero(data, size);
		free(data);
		return -ENOMEM;
	}
	*item = (struct content){ c->items, data, size };
	c->items = item;
	return 0;
}

/* 1: it leads nowhere. */
static int resolve_setting(const struct resolving *x, const struct fieldbus_content *what,
			   struct fieldway_value *value, const char **ret_why)
{
	const struct fieldbus *f = x->fieldbus;
	const char *why = "nobody looks it up";
	uint8_t *data;
	size_t size;
	int r;

	r = f->content ? f->content(f->userdata, what, &data, &size, &why) : -EOPNOTSUPP;
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		*ret_why = arena_text(&x->contents->arena, why, strlen(why));
		return *ret_why ? 1 : -ENOMEM;
	}
	r = keep(x->contents, data, size);
	if (r >= 0)
		*value = (struct fieldway_value){ .type = FIELDWAY_BYTES,
						  .data = (const char *)data,
						  .size = size };
	return r;
}

/* ---- settings ---- */

static int copy_items(struct arena *arena, const struct fieldway_settings *s,
		      struct fieldway_setting **ret)
{
	struct fieldway_setting *copy;

	if (*ret)
		return 0;
	copy = arena_new(arena, s->n * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, s->items, s->n * sizeof(*copy));
	*ret = copy;
	return 0;
}

static const char *find_mac(const struct link_device *device)
{
	const struct fieldway_settings *s = &device->address;

	for (size_t i = 0; i < s->n; i++)
		if (streq(s->items[i].key, "mac") && s->items[i].value.type == FIELDWAY_STRING)
			return s->items[i].value.data;
	return NULL;
}

/* device: whose they are alone, or NULL. */
static int resolve_settings(const struct resolving *x, struct fieldway_settings *s,
			    const struct link_device *device, struct dead_end *end)
{
	struct fieldbus_content what = { .owner = device ? device->name :
							   x->configuration->bus.name,
					 .mac = device ? find_mac(device) : NULL };
	struct fieldway_setting *items = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n; i++) {
		const struct fieldway_key *key = find_content(x->plugin, &s->items[i]);

		if (!key)
			continue;
		what.reference = s->items[i].value.data;
		what.flags = key->flags;
		r = copy_items(&x->contents->arena, s, &items);
		if (r >= 0)
			r = resolve_setting(x, &what, &items[i].value, &end->why);
		if (r > 0) {
			end->settings = *s;
			end->key = s->items[i].key;
		}
	}
	if (r == 0 && items)
		s->items = items;
	return MIN(r, 0);
}

static int resolve_type(const struct resolving *x, struct link_type *type, struct dead_end *end)
{
	int r = resolve_settings(x, &type->settings, NULL, end);

	for (size_t i = 0; r >= 0 && !end->key && i < type->n_points; i++)
		r = resolve_settings(x, &type->points[i].settings, NULL, end);
	return r;
}

/* ---- what is missing ---- */

static int grow(struct contents *c)
{
	size_t wanted = c->allocated > 0 ? 2 * c->allocated : 16;
	struct missing *grown;

	if (c->n_missing < c->allocated)
		return 0;
	grown = arena_new(&c->arena, wanted * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	if (c->n_missing > 0)
		memcpy(grown, c->missing, c->n_missing * sizeof(*grown));
	c->missing = grown;
	c->allocated = wanted;
	return 0;
}

static int add_missing(const struct resolving *x, const struct link_device *device,
		       const struct dead_end *end)
{
	const char *bus = x->configuration->bus.name, *reason;
	struct contents *c = x->contents;
	char text[FIELDBUS_REASON_MAX];

	snprintf(text, sizeof(text), "%s%.64s%s%s%.64s%s%.64s: %s", *bus ? "bus " : "", bus,
		 *bus ? ": " : "", device ? "device " : "", device ? device->name : "",
		 device ? ": " : "", end->key, end->why);
	text[utf8_valid_prefix(text, strlen(text))] = '\0';
	reason = arena_text(&c->arena, text, strlen(text));
	if (!reason || grow(c) < 0)
		return -ENOMEM;
	c->missing[c->n_missing++] = (struct missing){
		.device = device ? (int32_t)device->id : -1,
		.settings = end->settings,
		.key = end->key,
		.reason = reason,
	};
	return 0;
}

/* ---- all ---- */

static int resolve_bus(const struct resolving *x)
{
	struct dead_end end = { 0 };
	int r = resolve_settings(x, &x->configuration->bus.settings, NULL, &end);

	if (r < 0 || !end.key)
		return r;
	x->contents->of_bus = true;
	return add_missing(x, NULL, &end);
}

static int resolve_devices(const struct resolving *x, const struct dead_end *types)
{
	struct link_configuration *c = x->configuration;
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < c->n_devices; i++) {
		struct link_device *device = &c->devices[i];
		struct dead_end end = types[device->type];

		if (!end.key)
			r = resolve_settings(x, &device->address, device, &end);
		if (r >= 0 && end.key)
			r = add_missing(x, device, &end);
		else if (r >= 0)
			c->devices[kept++] = *device;
	}
	c->n_devices = kept;
	return r;
}

int contents_resolve(struct fieldbus *f, const struct config_plugin *plugin,
		     struct link_configuration *c, struct contents *contents)
{
	const struct resolving x = { f, plugin, c, contents };
	struct dead_end *types;
	int r;

	if (!contents_are_used(plugin))
		return 0;
	types = arena_new(&contents->arena, c->n_types * sizeof(*types));
	r = types ? resolve_bus(&x) : -ENOMEM;
	for (size_t i = 0; r >= 0 && i < c->n_types; i++)
		r = resolve_type(&x, &c->types[i], &types[i]);
	return r < 0 ? r : resolve_devices(&x, types);
}

void contents_done(struct contents *c)
{
	for (struct content *item = c->items; item; item = item->next) {
		explicit_bzero(item->data, item->size);
		free(item->data);
	}
	arena_done(&c->arena);
	*c = (struct contents){ 0 };
}
