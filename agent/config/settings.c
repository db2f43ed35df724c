/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* What settings handed out are part of, so that a key leads back to its place. */
struct settings_origin {
	struct yaml_mark owner;
	struct yaml_mark *marks; /* one for each item; file NULL: a default */
	struct fieldway_setting items[];
};

static bool is_checked(const struct plugin_scope *scope)
{
	return scope->plugin && scope->plugin->plugin && !scope->plugin->plugin->unchecked;
}

static bool is_first_part(const char *name, const char *part)
{
	size_t size = strlen(part);

	return strncmp(name, part, size) == 0 && (name[size] == '.' || name[size] == '\0');
}

bool settings_knows(const struct plugin_scope *scope, const char *key)
{
	const struct config_plugin *plugin;

	if (!is_checked(scope))
		return true;
	plugin = scope->plugin->plugin;
	for (size_t i = 0; i < plugin->n_keys; i++)
		if (plugin->keys[i].scope & scope->scope &&
		    is_first_part(plugin->keys[i].name, key))
			return true;
	return false;
}

size_t settings_candidates(struct loader *l, const struct plugin_scope *scope, const char **ret,
			   size_t max)
{
	const struct config_plugin *plugin = is_checked(scope) ? scope->plugin->plugin : NULL;
	size_t n = 0;

	for (size_t i = 0; plugin && i < plugin->n_keys && n < max; i++) {
		const char *name = plugin->keys[i].name;

		if (!(plugin->keys[i].scope & scope->scope))
			continue;
		ret[n] = loader_scratch_text(l, name, strcspn(name, "."));
		n += ret[n] != NULL;
	}
	return n;
}

enum fieldway_type settings_type(const struct plugin_scope *scope, const char *key)
{
	const struct config_plugin *plugin = is_checked(scope) ? scope->plugin->plugin : NULL;

	for (size_t i = 0; plugin && i < plugin->n_keys; i++)
		if (plugin->keys[i].scope & scope->scope && streq(plugin->keys[i].name, key))
			return plugin->keys[i].type;
	return FIELDWAY_NONE;
}

/* ---- values ---- */

static int read_unsigned(struct loader *l, const struct fieldway_key *key,
			 const struct yaml_node *node, uint64_t *ret)
{
	return key->flags & FIELDWAY_KEY_DURATION ? scalar_usec(l, node, ret) :
						    scalar_u64(l, node, ret);
}

static int check_limits(struct loader *l, const struct fieldway_key *key,
			const struct yaml_node *node, double value)
{
	/* Limits of a duration are microseconds as well. */
	if (key->flags & FIELDWAY_KEY_DURATION)
		return usec_check(l, node->mark, node->text, (uint64_t)value, key->minimum,
				  key->maximum);
	return number_check(l, node->mark, node->text, value, key->minimum, key->maximum);
}

static int read_string(struct loader *l, const struct fieldway_key *key,
		       const struct yaml_node *node, bool expanded, struct fieldway_value *ret)
{
	const char *text = node->text;
	int choice, r;

	if (key->choices)
		r = scalar_choice(l, node, key->choices, &choice);
	else
		r = expanded ? 0 : scalar_text(l, node, &text);
	if (r < 0)
		return r;
	ret->data = loader_text(l, text);
	ret->size = strlen(text);
	return ret->data ? 0 : -ENOMEM;
}

static int read_value(struct loader *l, const struct fieldway_key *key,
		      const struct yaml_node *node, bool expanded, struct fieldway_value *ret)
{
	struct fieldway_value value = { .type = key->type };
	int r = -EINVAL;

	switch (key->type) {
	case FIELDWAY_BOOL:
		r = scalar_bool(l, node, &value.boolean);
		break;
	case FIELDWAY_INT:
		r = scalar_i64(l, node, &value.integer);
		r = r < 0 ? r : check_limits(l, key, node, (double)value.integer);
		break;
	case FIELDWAY_UINT:
		r = read_unsigned(l, key, node, &value.unsignd);
		r = r < 0 ? r : check_limits(l, key, node, (double)value.unsignd);
		break;
	case FIELDWAY_FLOAT:
		r = scalar_double(l, node, &value.real);
		r = r < 0 ? r : check_limits(l, key, node, value.real);
		break;
	case FIELDWAY_STRING:
		r = read_string(l, key, node, expanded, &value);
		break;
	case FIELDWAY_NONE:
	case FIELDWAY_BYTES:
		loader_error(l, node->mark, "%s: " NOT_IN_THIS_VERSION, key->name);
		break;
	}
	if (r >= 0)
		*ret = value;
	return r;
}

/* ---- looking keys up ---- */

static const struct yaml_node *get_dotted(const struct yaml_node *mapping, const char *name)
{
	const char *dot = strchr(name, '.');
	char part[CONFIG_NAME_MAX];

	if (!mapping || mapping->kind != YAML_KIND_MAPPING)
		return NULL;
	if (!dot)
		return yaml_get(mapping, name);
	if ((size_t)(dot - name) >= sizeof(part))
		return NULL;
	memcpy(part, name, (size_t)(dot - name));
	part[dot - name] = '\0';
	return get_dotted(yaml_get(mapping, part), dot + 1);
}

static const struct yaml_node *find_node(const struct settings_request *request, const char *name)
{
	const struct yaml_node *node = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(request->layers) && !node; i++)
		node = get_dotted(request->layers[i], name);
	return node;
}

/* "tcp.port" in tcp: {prot: 1} is not found, and what is there instead has to be refused. */
static int check_nested(struct loader *l, const struct plugin_scope *scope, const char *prefix,
			const struct yaml_node *mapping)
{
	const struct config_plugin *plugin = scope->plugin->plugin;
	const char *candidates[64];
	char name[2 * CONFIG_NAME_MAX];
	size_t size = strlen(prefix), n = 0;
	int r = 0;

	for (size_t i = 0; i < plugin->n_keys && n < ARRAY_SIZE(candidates); i++)
		if (strncmp(plugin->keys[i].name, prefix, size) == 0 &&
		    plugin->keys[i].name[size] == '.')
			candidates[n++] = plugin->keys[i].name + size + 1;
	for (size_t i = 0; i < mapping->n; i++) {
		snprintf(name, sizeof(name), "%s.%s", prefix, mapping->keys[i]->text);
		if (settings_type(scope, name) != FIELDWAY_NONE)
			continue;
		loader_unknown(l, mapping->keys[i]->mark, "key", mapping->keys[i]->text, candidates,
			       n);
		r = -EINVAL;
	}
	return r;
}

/* A layer's keys with parts below them: a mapping and nothing unknown in it. */
static int check_layer(struct loader *l, const struct plugin_scope *scope,
		       const struct yaml_node *layer)
{
	int r = 0, one;

	for (size_t i = 0; i < layer->n; i++) {
		const struct yaml_node *name = layer->keys[i], *value = layer->items[i];

		if (!settings_knows(scope, name->text) ||
		    settings_type(scope, name->text) != FIELDWAY_NONE)
			continue;
		one = mapping_expect(l, value, name->text);
		if (one == 0)
			one = check_nested(l, scope, name->text, value);
		r = worse(r, one == -ENOENT ? 0 : one);
	}
	return r;
}

/* ---- settings ---- */

static struct settings_origin *origin_new(struct loader *l, size_t n)
{
	struct settings_origin *origin =
		loader_new(l, sizeof(*origin) + n * sizeof(origin->items[0]));

	if (origin)
		origin->marks = loader_array(l, struct yaml_mark, n);
	return origin && origin->marks ? origin : NULL;
}

static bool is_address(const char *name)
{
	return streq(name, "address") || streq(name, "write.address");
}

static int shift_value(struct loader *l, const struct fieldway_key *key,
		       const struct yaml_node *node, uint64_t shift, struct fieldway_value *value)
{
	if (shift == 0 || !is_address(key->name) || value->type != FIELDWAY_UINT)
		return 0;
	if (value->unsignd > UINT64_MAX - shift ||
	    (key->maximum > 0 && (double)(value->unsignd + shift) > key->maximum)) {
		loader_error(l, node->mark, "with repeat and step, %s goes over %.0f", key->name,
			     key->maximum);
		return -EINVAL;
	}
	value->unsignd += shift;
	return 0;
}

static int read_given(struct loader *l, const struct settings_request *request,
		      const struct fieldway_key *key, const struct yaml_node *node,
		      struct fieldway_value *ret)
{
	const struct yaml_node *expanded;
	int r = node_expand(l, node, request->variables, &expanded);

	if (r < 0)
		return r;
	r = read_value(l, key, expanded, expanded != node, ret);
	return r < 0 ? r : shift_value(l, key, node, request->shift, ret);
}

/* Returns 1 when there is a value. */
static int read_key(struct loader *l, const struct settings_request *request,
		    const struct fieldway_key *key, struct fieldway_value *ret,
		    struct yaml_mark *ret_mark)
{
	const struct yaml_node *node = find_node(request, key->name);
	struct yaml_node initial = { .kind = YAML_KIND_SCALAR,
				     .mark = request->owner,
				     .text = key->initial };
	int r;

	if (node) {
		*ret_mark = node->mark;
		r = read_given(l, request, key, node, ret);
		return r < 0 ? r : 1;
	}
	if (key->initial) {
		r = read_value(l, key, &initial, true, ret);
		return r < 0 ? r : 1;
	}
	if (!(key->flags & FIELDWAY_KEY_REQUIRED))
		return 0;
	loader_error(l, request->owner, "%s: is missing", key->name);
	return -EINVAL;
}

static int read_keys(struct loader *l, const struct settings_request *request,
		     struct settings_origin *origin, size_t *ret_n)
{
	const struct config_plugin *plugin = request->scope.plugin->plugin;
	struct fieldway_setting *items = origin->items;
	size_t n = 0;
	int r = 0, one;

	for (size_t i = 0; i < plugin->n_keys; i++) {
		if (!(plugin->keys[i].scope & request->scope.scope))
			continue;
		one = read_key(l, request, &plugin->keys[i], &items[n].value, &origin->marks[n]);
		r = worse(r, one);
		if (one > 0)
			items[n++].key = plugin->keys[i].name;
	}
	*ret_n = n;
	return r;
}

static size_t count_keys(const struct plugin_scope *scope)
{
	const struct config_plugin *plugin = is_checked(scope) ? scope->plugin->plugin : NULL;
	size_t n = 0;

	for (size_t i = 0; plugin && i < plugin->n_keys; i++)
		n += (plugin->keys[i].scope & scope->scope) != 0;
	return n;
}

int settings_read(struct loader *l, const struct settings_request *request,
		  struct fieldway_settings *ret)
{
	struct settings_origin *origin = origin_new(l, count_keys(&request->scope));
	size_t n = 0;
	int r = 0;

	if (!origin)
		return -ENOMEM;
	origin->owner = request->owner;
	*ret = (struct fieldway_settings){ .items = origin->items };
	if (!is_checked(&request->scope))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(request->layers); i++) {
		if (!request->layers[i] || request->layers[i]->kind != YAML_KIND_MAPPING)
			continue;
		r = worse(r, check_layer(l, &request->scope, request->layers[i]));
	}
	r = worse(r, read_keys(l, request, origin, &n));
	if (r >= 0)
		ret->n = n;
	return r < 0 ? r : 0;
}

const struct fieldway_value *settings_find(const struct fieldway_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->items[i].key, key))
			return &s->items[i].value;
	return NULL;
}

struct yaml_mark config_setting_mark(const struct config *c, const struct fieldway_settings *s,
				     const char *key)
{
	const struct settings_origin *origin =
		(const void *)((const char *)s->items - offsetof(struct settings_origin, items));

	for (size_t i = 0; key && i < s->n; i++)
		if (streq(s->items[i].key, key) && origin->marks[i].file)
			return origin->marks[i];
	return origin->owner;
}
