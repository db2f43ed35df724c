/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/device_index.h"
#include "config/local.h"
#include "config/names.h"
#include "config/places.h"
#include "config/profile.h"

#define OVERRIDES_MAX 10000u

struct override {
	const struct yaml_node *key;
	struct level level;
	bool used;
};

/* One row of `devices:` and what all its devices share. */
struct device_row {
	const struct yaml_node *node, *name;
	struct device_section section;
	struct profile *profile;
	int bus;
	struct level level;
	struct override *overrides;
	size_t n_overrides;
	struct plugin_scope scope;
	struct expansion expansion;
	bool failed; /* has errors: its devices are names only */
};

static void find_profile(struct loader *l, struct device_row *row)
{
	struct yaml_mark mark = mapping_mark(row->node, "profile");
	_cleanup_free_ const char **names = calloc(l->n_profiles + 1, sizeof(*names));
	size_t n = 0;

	for (size_t i = 0; i < l->n_profiles; i++) {
		if (l->profiles[i]->name && streq(l->profiles[i]->name, row->section.profile))
			row->profile = l->profiles[i];
		if (names && l->profiles[i]->name)
			names[n++] = l->profiles[i]->name;
	}
	/* Of a file that cannot be read that is all to be said. */
	if (!row->profile && !documents_are_damaged(l, CONFIG_PLACE_PROFILES, row->section.profile))
		loader_unknown(l, mark, "profile", row->section.profile, names, n);
	if (row->profile && row->profile->plugin && row->profile->plugin->asked == -ENOENT)
		loader_error(l, mark, "profile %s needs the plugin %s, which is not there",
			     row->profile->name, row->profile->plugin->name);
	row->failed = row->failed || !row->profile || row->profile->broken;
}

static void find_bus(struct loader *l, struct device_row *row)
{
	struct yaml_mark mark = mapping_mark(row->node, "bus");
	_cleanup_free_ const char **names = calloc(l->config->n_buses + 1, sizeof(*names));
	size_t n = 0;

	row->bus = bus_find(l, row->section.bus);
	for (size_t i = 0; names && i < l->config->n_buses; i++)
		if (l->config->buses[i].name)
			names[n++] = l->config->buses[i].name;
	if (row->bus < 0 && !documents_are_damaged(l, CONFIG_PLACE_BUSES, NULL))
		loader_unknown(l, mark, "bus", row->section.bus, names, n);
	row->failed = row->failed || row->bus < 0 || !l->config->buses[row->bus].plugin;
}

static bool is_local(const struct device_row *row)
{
	return row->profile && row->profile->plugin && row->profile->plugin->plugin == &config_plugin_local;
}

static void place_row(struct loader *l, struct device_row *row)
{
	if (is_local(row)) {
		row->bus = local_bus(l, mapping_mark(row->node, "profile"));
		row->failed = row->failed || row->bus < 0 || row->section.bus;
		if (row->section.bus)
			loader_error(l, mapping_mark(row->node, "bus"), "a local device is on no bus");
	} else if (row->section.bus) {
		find_bus(l, row);
	} else if (!yaml_get(row->node, "bus")) {
		/* Of a profile that is wrong itself nobody knows whether it needs one. */
		if (row->profile || !yaml_get(row->node, "profile"))
			loader_error(l, row->node->mark, "bus: is missing");
		row->failed = true;
	}
}

static void check_plugin(struct loader *l, struct device_row *row)
{
	const struct known_plugin *plugin = row->profile ? row->profile->plugin : NULL;
	const struct known_plugin *of_bus = row->bus >= 0 ? l->buses[row->bus].plugin : NULL;

	row->scope = (struct plugin_scope){ of_bus, FIELDWAY_SCOPE_ADDRESS };
	if (!plugin || !of_bus || plugin == of_bus || !plugin->plugin || !of_bus->plugin)
		return;
	loader_error(l, mapping_mark(row->node, "profile"),
		     "profile %s is for plugin %s, bus %s has plugin %s", row->profile->name,
		     plugin->name, row->section.bus, of_bus->name);
	row->failed = true;
}

static int by_key(const void *a, const void *b)
{
	const struct override *x = a, *y = b;

	return strcmp(x->key->text, y->key->text);
}

static void read_overrides(struct loader *l, struct device_row *row)
{
	const struct yaml_node *node = row->section.overrides;
	struct level_section section;

	if (mapping_expect(l, node, "override") < 0 || !row->profile)
		return;
	if (node->n > OVERRIDES_MAX) {
		loader_error(l, node->mark, "more than %u overrides", OVERRIDES_MAX);
		return;
	}
	row->overrides = loader_scratch(l, (node->n + 1) * sizeof(*row->overrides));
	for (size_t i = 0; row->overrides && i < node->n; i++) {
		struct override *o = &row->overrides[row->n_overrides++];

		section = (struct level_section){ 0 };
		o->key = node->keys[i];
		if (mapping_read(l, node->items[i], node->items[i]->mark, &keys_override, NULL,
				 &section) < 0 ||
		    level_read(l, row->profile, &section, &o->level) < 0)
			row->failed = true;
	}
	if (row->n_overrides > 1)
		qsort(row->overrides, row->n_overrides, sizeof(*row->overrides), by_key);
}

/*
 * Ranges and lists in `address:` multiply the row; texts of the plugin may look
 * like ranges and are not.
 */
static bool is_multiple(const struct device_row *row, const struct yaml_node *key,
			const struct yaml_node *node)
{
	const struct fieldway_key *known = settings_key(&row->scope, key->text);

	if (node->kind == YAML_KIND_SEQUENCE)
		return !known || !(known->flags & FIELDWAY_KEY_LIST);
	return node->kind == YAML_KIND_SCALAR && (!known || known->type != FIELDWAY_STRING) &&
	       text_is_range(node->text);
}

static int read_expansion(struct loader *l, struct device_row *row)
{
	const struct yaml_node *address = row->section.address;
	int r;

	expansion_init(&row->expansion, row->name ? row->name->mark : row->node->mark);
	r = expansion_add_each(l, &row->expansion, row->section.each);
	if (!address || address->kind != YAML_KIND_MAPPING)
		return r;
	for (size_t i = 0; i < address->n && r >= 0; i++)
		if (is_multiple(row, address->keys[i], address->items[i]))
			r = expansion_add_values(l, &row->expansion, address->keys[i],
						 address->items[i]);
	return r;
}

/* The variables of one device: its expansion, and what its address says. */
static int device_variables(struct loader *l, const struct device_row *row, size_t index,
			    struct variables *v)
{
	const struct yaml_node *address = row->section.address;
	int r = expansion_variables(l, &row->expansion, index, v);

	if (!address || address->kind != YAML_KIND_MAPPING)
		return r;
	for (size_t i = 0; i < address->n && r >= 0; i++) {
		const struct yaml_node *key = address->keys[i], *value = address->items[i];

		if (value->kind == YAML_KIND_SCALAR && !strpbrk(value->text, "{}") &&
		    !variables_find(v, key->text, strlen(key->text)))
			r = variables_add(l, v, value->mark, key->text, value->text, false);
	}
	return r;
}

/* `address:` of one device: ranges give way to its own value. */
static const struct yaml_node *device_address(struct loader *l, const struct device_row *row,
					      const struct variables *v)
{
	const struct yaml_node *address = row->section.address;
	struct yaml_node *copy;

	if (!address || address->kind != YAML_KIND_MAPPING)
		return NULL;
	copy = loader_scratch(l, sizeof(*copy));
	if (!copy)
		return NULL;
	*copy = *address;
	copy->items = loader_scratch(l, (address->n + 1) * sizeof(struct yaml_node *));
	for (size_t i = 0; copy->items && i < address->n; i++) {
		const struct yaml_node *key = address->keys[i], *value = address->items[i];
		struct yaml_node *item;

		copy->items[i] = address->items[i];
		if (!is_multiple(row, key, value))
			continue;
		item = loader_scratch(l, sizeof(*item));
		if (!item)
			return NULL;
		*item = (struct yaml_node){ .kind = YAML_KIND_SCALAR, .mark = value->mark };
		item->text = variables_find(v, key->text, strlen(key->text))->text;
		copy->items[i] = item;
	}
	return copy->items ? copy : NULL;
}

static struct override *search_override(const struct device_row *row, const char *key)
{
	struct yaml_node node = { .text = key };
	struct override wanted = { .key = &node };

	if (row->n_overrides == 0)
		return NULL;
	return bsearch(&wanted, row->overrides, row->n_overrides, sizeof(wanted), by_key);
}

/* By the value of the only varying placeholder, else by name. */
static struct override *find_override(struct device_row *row, const struct variables *v,
				      const char *name)
{
	const struct variable *varying = text_varying(row->section.name, v, NULL);
	struct override *found = varying ? search_override(row, varying->text) : NULL;

	return found ?: search_override(row, name);
}

static void add_endpoint(struct loader *l, const struct device_row *row, const struct level *own,
			 const struct variables *v, uint32_t index)
{
	const struct level *level = own && own->endpoint ? own : &row->level;
	const struct config_objects *create = own && own->has_create ? &own->create : &row->level.create;
	char *client_name;

	if (!level->endpoint) {
		endpoint_add_device(l, index, NULL, create, row->node->mark);
		return;
	}
	if (streq(level->endpoint, "none"))
		return;
	if (endpoint_name(l, level->endpoint_mark, level->endpoint, v, &client_name) < 0)
		return;
	endpoint_add_device(l, index, client_name, create, level->endpoint_mark);
}

static struct config_device *append_device(struct loader *l, const struct profile *profile)
{
	struct config *c = l->config;
	struct config_device *devices;
	const struct profile **profiles;

	devices = loader_grow(l, c->devices, &l->devices_allocated, c->n_devices, sizeof(*devices));
	if (!devices)
		return NULL;
	c->devices = devices;
	profiles = loader_grow(l, l->device_profiles, &l->profiles_allocated, c->n_devices,
			       sizeof(*profiles));
	if (!profiles)
		return NULL;
	l->device_profiles = profiles;
	profiles[c->n_devices] = profile;
	return &devices[c->n_devices++];
}

static int fill_device(struct loader *l, struct device_row *row, const struct override *o,
		       const struct variables *v, struct config_device *device)
{
	const struct level *levels[2] = { o ? &o->level : NULL, &row->level };
	bool placed = row->section.address || !l->sources->addresses_optional;
	struct settings_request request = {
		.plugin = row->scope.plugin,
		.parts = { { placed ? FIELDWAY_SCOPE_ADDRESS : 0, false, { device_address(l, row, v) } } },
		.owner = row->section.address ? row->section.address->mark : row->node->mark,
		.variables = v,
	};
	int r = settings_read(l, &request, &device->address);

	if (r >= 0)
		r = local_owner_find(l, request.owner, device);
	device->type = r < 0 ? NULL : type_get(l, row->profile, &l->buses[row->bus], levels, v);
	return device->type ? 0 : -EINVAL;
}

static void set_level(struct loader *l, const struct device_row *row, const struct override *o,
		      struct config_device *device)
{
	const char *note = o && o->level.note ? o->level.note : row->level.note;
	int enabled = o && o->level.enabled >= 0 ? o->level.enabled : row->level.enabled;

	device->enabled = enabled != 0;
	device->note = note ? loader_text(l, note) : NULL;
	device->origins[0] = o ? o->level.origins : (struct config_origins){ 0 };
	device->origins[1] = row->level.origins;
}

/* Device number `index` of a row. One that is wrong keeps its name, for those who refer to it. */
static int read_device(struct loader *l, struct device_row *row, size_t index)
{
	struct config_device *device;
	struct variables v = { 0 };
	struct override *o;
	uint32_t place = (uint32_t)l->config->n_devices;
	char *name;
	int r = device_variables(l, row, index, &v);

	r = r < 0 ? r : name_expand(l, row->name->mark, row->section.name, &v, &name);
	r = r < 0 ? r : name_check(l, row->name->mark, name);
	r = r < 0 ? r : variables_add_names(l, &v, row->name->mark, name);
	if (r < 0)
		return r;
	o = find_override(row, &v, name);
	if (o)
		o->used = true;
	device = append_device(l, row->profile);
	if (!device)
		return -ENOMEM;
	*device = (struct config_device){ .mark = row->name->mark,
					  .name = name,
					  .bus = row->bus < 0 ? 0 : row->bus };
	set_level(l, row, o, device);
	if (row->failed || fill_device(l, row, o, &v, device) < 0) {
		row->failed = true;
		return 0;
	}
	if (device->enabled)
		add_endpoint(l, row, o ? &o->level : NULL, &v, place);
	return 0;
}

/* Several devices of one name are one mistake. */
static int check_varying(struct loader *l, const struct device_row *row)
{
	struct variables v = { 0 };
	bool any;

	if (row->expansion.count <= 1 || expansion_variables(l, &row->expansion, 0, &v) < 0)
		return 0;
	text_varying(row->section.name, &v, &any);
	if (any)
		return 0;
	loader_error(l, row->name->mark,
		     "%zu devices of one name: \"%s\" lacks a placeholder that varies",
		     row->expansion.count, row->section.name);
	return -EINVAL;
}

static void check_overrides(struct loader *l, const struct device_row *row)
{
	for (size_t i = 0; i < row->n_overrides; i++)
		if (!row->overrides[i].used)
			loader_error(l, row->overrides[i].key->mark,
				     "override %s fits none of the %zu devices",
				     row->overrides[i].key->text, row->expansion.count);
}

static void expand_row(struct loader *l, struct device_row *row)
{
	size_t room = CONFIG_DEVICES_MAX - l->config->n_devices;
	int r = 0;

	if (read_expansion(l, row) < 0 || check_varying(l, row) < 0)
		return;
	if (row->expansion.count > room) {
		loader_error(l, row->name->mark, "more than %u devices", CONFIG_DEVICES_MAX);
		return;
	}
	for (size_t i = 0; i < row->expansion.count && r >= 0; i++)
		r = read_device(l, row, i);
	if (r >= 0)
		check_overrides(l, row);
}

static int check_address(struct loader *l, struct device_row *row)
{
	const struct yaml_node *address = row->section.address;
	char none[1];

	if (!address || node_is_null(address))
		return 0; /* keys that must be there are missed later */
	return mapping_read(l, address, address->mark, &keys_address, &row->scope, none);
}

static void read_row(struct loader *l, const struct yaml_node *node)
{
	struct device_row row = { .node = node, .bus = -1, .level.enabled = -1 };

	if (node_is_null(node) || mapping_expect(l, node, "a device") < 0) {
		if (node_is_null(node))
			loader_error(l, node->mark, "a device is a mapping, written {key: value}");
		return;
	}
	row.failed = mapping_read(l, node, node->mark, &keys_device, NULL, &row.section) < 0;
	row.name = yaml_get(node, "name");
	if (row.section.profile)
		find_profile(l, &row);
	place_row(l, &row);
	check_plugin(l, &row);
	if (row.profile && level_read(l, row.profile, &row.section.level, &row.level) < 0)
		row.failed = true;
	read_overrides(l, &row);
	if (check_address(l, &row) < 0)
		row.failed = true;
	if (row.section.name && row.name)
		expand_row(l, &row);
}

static void read_document(struct loader *l, const struct yaml_node *document)
{
	struct devices_section section = { 0 };

	mapping_read(l, document, document->mark, &keys_devices, NULL, &section);
	if (sequence_expect(l, section.devices, "devices") < 0)
		return;
	for (size_t i = 0; i < section.devices->n && !l->no_memory; i++)
		read_row(l, section.devices->items[i]);
}

static bool is_used(const struct loader *l, size_t bus, const char *class)
{
	for (size_t i = 0; i < l->config->n_devices; i++)
		if (l->config->devices[i].bus == bus &&
		    (!l->device_profiles[i] || rates_find(&l->device_profiles[i]->rates, class)))
			return true;
	return false;
}

/* A bus serves many profiles: only a class that none of them has is worth a word. */
static void check_rates(struct loader *l)
{
	for (size_t i = 0; i < l->config->n_buses; i++)
		for (size_t k = 0; k < l->buses[i].rates.n; k++) {
			const struct rate *rate = &l->buses[i].rates.items[k];

			if (!is_used(l, i, rate->name))
				loader_warning(l, rate->mark,
					       "no device on bus %s has a rate class \"%s\"",
					       l->config->buses[i].name, rate->name);
		}
}

void devices_read(struct loader *l)
{
	for (size_t i = 0; i < l->n_documents && !l->no_memory; i++)
		if (l->documents[i].file->place == CONFIG_PLACE_DEVICES)
			read_document(l, l->documents[i].node);
	devices_index(l);
	if (l->errors.n == 0)
		check_rates(l);
}
