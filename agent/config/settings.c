/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define NAME_SIZE 256u /* of a whole name, all parts together */

/* What settings handed out are part of, so that a key leads back to its place. */
struct settings_origin {
	struct yaml_mark owner;
	struct yaml_mark *marks; /* one for each item; file NULL: a default */
	struct fieldway_setting items[];
};

struct item {
	struct fieldway_setting setting;
	struct yaml_mark mark;
};

struct reading {
	struct loader *l;
	const struct settings_request *request;
	const struct settings_part *part; /* the one at hand */
	struct plugin_scope scope;	  /* its */
	struct item *items;
	size_t n, allocated;
};

/* ---- items ---- */

/* mark.file NULL: a default. */
static int add_item(struct reading *s, const char *name, const struct fieldway_value *value,
		    struct yaml_mark mark)
{
	struct item *grown;

	if (s->n == CONFIG_SETTINGS_MAX) {
		loader_error(s->l, s->request->owner, "more than %u keys of plugin %s in one place",
			     CONFIG_SETTINGS_MAX, s->scope.plugin->name);
		return -EINVAL;
	}
	grown = loader_grow(s->l, s->items, &s->allocated, s->n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->items = grown;
	grown[s->n++] = (struct item){ { name, *value }, mark };
	return 0;
}

static bool is_address(const char *name)
{
	return streq(name, "address") || streq(name, "write.address");
}

static int shift_value(const struct reading *s, const struct fieldway_key *key,
		       const struct yaml_node *node, struct fieldway_value *value)
{
	uint64_t shift = s->request->shift;

	if (shift == 0 || !is_address(key->name) || value->type != FIELDWAY_UINT)
		return 0;
	if (value->unsignd > UINT64_MAX - shift ||
	    (key->maximum > 0 && (double)(value->unsignd + shift) > key->maximum)) {
		loader_error(s->l, node->mark, "with repeat and step, %s goes over %.0f", key->name,
			     key->maximum);
		return -EINVAL;
	}
	value->unsignd += shift;
	return 0;
}

static int add_value(struct reading *s, const struct fieldway_key *key, const char *name,
		     const struct yaml_node *node)
{
	const struct variables *v = s->part->literal ? NULL : s->request->variables;
	const struct yaml_node *expanded;
	struct fieldway_value value;
	int r = node_expand(s->l, node, v, &expanded);

	if (r >= 0)
		r = setting_value(s->l, key, expanded, expanded != node, &value);
	if (r >= 0)
		r = shift_value(s, key, node, &value);
	return r < 0 ? r : add_item(s, name, &value, node->mark);
}

/* One value, or a list of them. */
static int add_values(struct reading *s, const struct fieldway_key *key, const char *name,
		      const struct yaml_node *node)
{
	int r = 0;

	if (node->kind != YAML_KIND_SEQUENCE || !(key->flags & FIELDWAY_KEY_LIST))
		return add_value(s, key, name, node);
	if (node->n == 0) {
		loader_error(s->l, node->mark, "the list is empty");
		return -EINVAL;
	}
	for (size_t i = 0; i < node->n; i++) {
		bool full = s->n == CONFIG_SETTINGS_MAX;

		r = worse(r, add_value(s, key, name, node->items[i]));
		if (full)
			break;
	}
	return r;
}

/* What a key is that nobody gave. `owner`: whose it would be. */
static int add_initial(struct reading *s, const struct fieldway_key *key, const char *name,
		       struct yaml_mark owner)
{
	struct yaml_node initial = { .kind = YAML_KIND_SCALAR,
				     .mark = owner,
				     .text = key->initial };
	struct fieldway_value value;
	int r;

	if (key->initial) {
		r = setting_value(s->l, key, &initial, true, &value);
		return r < 0 ? r : add_item(s, name, &value, (struct yaml_mark){ 0 });
	}
	if (!(key->flags & FIELDWAY_KEY_REQUIRED))
		return 0;
	loader_error(s->l, owner, "%s%s: is missing",
		     s->scope.scope == FIELDWAY_SCOPE_ADDRESS ? "address." : "", name);
	return -EINVAL;
}

/* ---- keys whose names stand in the table: in its order ---- */

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

/* Keys can lie below one that has a value, too: the mapping is theirs then. */
static bool is_value(const struct reading *s, const struct yaml_node *node, const char *pattern)
{
	return node->kind != YAML_KIND_MAPPING || !settings_has_below(&s->scope, pattern);
}

static int read_key(struct reading *s, const struct fieldway_key *key)
{
	const struct yaml_node *node = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(s->part->layers) && !node; i++)
		node = get_dotted(s->part->layers[i], key->name);
	if (node && is_value(s, node, key->name))
		return add_values(s, key, key->name, node);
	return add_initial(s, key, key->name, s->request->owner);
}

static int read_keys(struct reading *s)
{
	const struct config_plugin *plugin = s->scope.plugin->plugin;
	int r = 0;

	for (size_t i = 0; i < plugin->n_keys; i++)
		if (plugin->keys[i].scope & s->scope.scope &&
		    !settings_is_wild(plugin->keys[i].name))
			r = worse(r, read_key(s, &plugin->keys[i]));
	return r;
}

/* ---- keys in whose names the user chose a part: in the order of the file ---- */

/* A mapping below the layers; also looked through for what nobody knows. */
struct branch {
	const char *pattern, *name; /* "messages.*", "messages.weight"; "": the layers themselves */
	const struct yaml_node *nodes[2]; /* nearest first; NULL: nothing there */
};

static int read_branch(struct reading *s, const struct branch *b);

static bool is_chosen(const char *pattern)
{
	size_t size = strlen(pattern);

	return size > 0 && pattern[size - 1] == '*';
}

static int join(struct reading *s, struct yaml_mark mark, const char *start, const char *part,
		char ret[static NAME_SIZE])
{
	if (snprintf(ret, NAME_SIZE, "%s%s%s", start, *start ? "." : "", part) < (int)NAME_SIZE)
		return 0;
	loader_error(s->l, mark, "the name of this key is too long");
	return -EINVAL;
}

void settings_refuse(struct loader *l, const char *home, const struct yaml_node *key,
		     const char *const *candidates, size_t n)
{
	if (home)
		loader_error(l, key->mark, "unknown key \"%s\", it stands in %s", key->text, home);
	else if (strchr(key->text, ':'))
		loader_error(l, key->mark, "unknown key \"%s\": a space belongs behind the colon",
			     key->text);
	else
		loader_unknown(l, key->mark, "key", key->text, candidates, n);
}

static int refuse_part(struct reading *s, const struct branch *b, const struct yaml_node *part)
{
	const char *candidates[64];
	size_t n = settings_parts(s->l, &s->scope, b->pattern, candidates, ARRAY_SIZE(candidates));

	if (!*b->pattern)
		return 0; /* not of the plugin */
	/* Inside of others only what tells a device from its bus is a likely mistake: tcp.host. */
	settings_refuse(s->l, settings_home(&s->scope, FIELDWAY_SCOPE_ADDRESS, part->text), part,
			candidates, n);
	return -EINVAL;
}

/* A name inside of others has no dot, so that the whole is not ambiguous. */
static int check_chosen(struct reading *s, const struct yaml_node *part, const char *pattern)
{
	bool last = !settings_has_below(&s->scope, pattern);

	if (last ? *part->text != '\0' : name_is_valid(part->text) && !strchr(part->text, '.'))
		return 0;
	loader_error(s->l, part->mark,
		     last ? "the name is empty" :
			    "\"%s\" is no name: letters, digits, \"_\" and \"-\"",
		     part->text);
	return -EINVAL;
}

static bool is_known(const struct reading *s, const char *pattern)
{
	return settings_key(&s->scope, pattern) || settings_has_below(&s->scope, pattern);
}

/* Returns 1 when the table has something of this name, or for any name. */
static int find_part(struct reading *s, const struct branch *b, const struct yaml_node *part,
		     char pattern[static NAME_SIZE])
{
	int r = join(s, part->mark, b->pattern, part->text, pattern);

	if (r < 0)
		return r;
	/* In YAML there is a mapping for each dot. */
	if (!strpbrk(part->text, ".*") && is_known(s, pattern))
		return 1;
	r = join(s, part->mark, b->pattern, "*", pattern);
	if (r < 0)
		return r;
	if (!*b->pattern || !is_known(s, pattern))
		return refuse_part(s, b, part);
	r = check_chosen(s, part, pattern);
	return r < 0 ? r : 1;
}

static int read_part(struct reading *s, const struct branch *b, const struct yaml_node *part)
{
	char pattern[NAME_SIZE], name[NAME_SIZE];
	struct branch below = { .pattern = pattern, .name = name };
	const struct yaml_node *nearest;
	const struct fieldway_key *key;
	int r = find_part(s, b, part, pattern);

	if (r <= 0)
		return r;
	r = join(s, part->mark, b->name, part->text, name);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(below.nodes); i++)
		below.nodes[i] = b->nodes[i] ? yaml_get(b->nodes[i], part->text) : NULL;
	nearest = below.nodes[0] ?: below.nodes[1];
	key = settings_key(&s->scope, pattern);
	if (!key || !is_value(s, nearest, pattern))
		return read_branch(s, &below);
	if (!settings_is_wild(pattern))
		return 0;
	below.name = loader_text(s->l, name);
	return below.name ? add_values(s, key, below.name, nearest) : -ENOMEM;
}

static bool is_given(const struct reading *s, size_t from, const char *name)
{
	for (size_t i = from; i < s->n; i++)
		if (streq(s->items[i].setting.key, name))
			return true;
	return false;
}

/* What is not said of a thing that the user named: items from `from` on are its. */
static int fill_chosen(struct reading *s, const struct branch *b, size_t from)
{
	const struct config_plugin *plugin = s->scope.plugin->plugin;
	const struct yaml_node *owner = b->nodes[0] ?: b->nodes[1];
	size_t size = strlen(b->pattern);
	char name[NAME_SIZE];
	int r = 0;

	for (size_t i = 0; i < plugin->n_keys && r >= 0; i++) {
		const struct fieldway_key *key = &plugin->keys[i];
		const char *text;

		if (!(key->scope & s->scope.scope) || strncmp(key->name, b->pattern, size) != 0 ||
		    key->name[size] != '.' || settings_is_wild(key->name + size))
			continue;
		r = join(s, owner->mark, b->name, key->name + size + 1, name);
		if (r < 0 || is_given(s, from, name))
			continue;
		text = loader_text(s->l, name);
		r = text ? add_initial(s, key, text, owner->mark) : -ENOMEM;
	}
	return r;
}

static int read_branch(struct reading *s, const struct branch *b)
{
	size_t from = s->n;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(b->nodes); i++) {
		const struct yaml_node *node = b->nodes[i];
		int one = mapping_expect(s->l, node, b->name);

		r = worse(r, one == -ENOENT ? 0 : one);
		for (size_t k = 0; one == 0 && k < node->n; k++)
			if (i == 0 || !b->nodes[0] || !yaml_get(b->nodes[0], node->keys[k]->text))
				r = worse(r, read_part(s, b, node->keys[k]));
	}
	return r >= 0 && is_chosen(b->pattern) ? fill_chosen(s, b, from) : r;
}

/* ---- all ---- */

static bool is_mapping(const struct yaml_node *node)
{
	return node && node->kind == YAML_KIND_MAPPING;
}

static int read_part_of_request(struct reading *s, const struct settings_part *part)
{
	struct branch all = { .pattern = "", .name = "" };
	int r;

	s->part = part;
	s->scope = (struct plugin_scope){ s->request->plugin, part->scope };
	if (!settings_are_checked(&s->scope))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(all.nodes); i++)
		all.nodes[i] = is_mapping(part->layers[i]) ? part->layers[i] : NULL;
	r = read_keys(s);
	return worse(r, read_branch(s, &all));
}

static struct settings_origin *origin_new(struct loader *l, const struct item *items, size_t n)
{
	struct settings_origin *origin =
		loader_new(l, sizeof(*origin) + n * sizeof(origin->items[0]));

	if (origin)
		origin->marks = loader_array(l, struct yaml_mark, n);
	if (!origin || !origin->marks)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		origin->items[i] = items[i].setting;
		origin->marks[i] = items[i].mark;
	}
	return origin;
}

int settings_read(struct loader *l, const struct settings_request *request,
		  struct fieldway_settings *ret)
{
	struct reading s = { .l = l, .request = request };
	struct settings_origin *origin;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(request->parts); i++)
		r = worse(r, read_part_of_request(&s, &request->parts[i]));
	origin = origin_new(l, s.items, r < 0 ? 0 : s.n);
	if (origin) {
		origin->owner = request->owner;
		*ret = (struct fieldway_settings){ origin->items, r < 0 ? 0 : s.n };
	}
	free(s.items);
	return origin ? r : -ENOMEM;
}

const struct fieldway_value *settings_find(const struct fieldway_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->items[i].key, key))
			return &s->items[i].value;
	return NULL;
}

/* How many whole parts two names have in common. */
static unsigned common_parts(const char *a, const char *b)
{
	unsigned n = 0;

	for (; *a && *a == *b; a++, b++)
		n += *a == '.';
	return n;
}

static const struct settings_origin *origin_of(const struct fieldway_settings *s)
{
	return (const void *)((const char *)s->items - offsetof(struct settings_origin, items));
}

struct yaml_mark config_setting_origin(const struct fieldway_settings *s, size_t i)
{
	return origin_of(s)->marks[i];
}

struct yaml_mark config_setting_mark(const struct config *c, const struct fieldway_settings *s,
				     const char *key)
{
	const struct settings_origin *origin = origin_of(s);
	struct yaml_mark near = origin->owner;
	unsigned most = 0;

	for (size_t i = 0; key && i < s->n; i++) {
		unsigned common = common_parts(s->items[i].key, key);

		if (!origin->marks[i].file)
			continue;
		if (streq(s->items[i].key, key) || dotted_match(key, s->items[i].key))
			return origin->marks[i];
		if (common > most) {
			most = common;
			near = origin->marks[i];
		}
	}
	return near;
}
