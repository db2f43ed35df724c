/* SPDX-License-Identifier: Apache-2.0 */
#include "config/reader.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "config/settings.h"

int mapping_expect(struct loader *l, const struct yaml_node *node, const char *what)
{
	if (!node || node_is_null(node))
		return -ENOENT;
	if (node->kind == YAML_KIND_MAPPING)
		return 0;
	loader_error(l, node->mark, "%s is a mapping, written {key: value}", what);
	return -EINVAL;
}

int sequence_expect(struct loader *l, const struct yaml_node *node, const char *what)
{
	if (!node || node_is_null(node))
		return -ENOENT;
	if (node->kind == YAML_KIND_SEQUENCE)
		return 0;
	loader_error(l, node->mark, "%s is a list, written [a, b], or each behind \"- \" on its line", what);
	return -EINVAL;
}

static int read_duration(struct loader *l, const struct key *key, const struct yaml_node *node,
			 uint64_t *ret)
{
	uint64_t usec;
	int r = scalar_usec(l, node, &usec);

	if (r >= 0)
		r = usec_check(l, node->mark, node->text, usec, key->minimum * USEC_PER_SEC,
			       key->maximum * USEC_PER_SEC);
	if (r >= 0)
		*ret = usec;
	return r;
}

static int read_seconds(struct loader *l, const struct key *key, const struct yaml_node *node,
			int64_t *ret)
{
	uint64_t usec = 0;
	int r = read_duration(l, key, node, &usec);

	if (r >= 0 && usec % USEC_PER_SEC != 0) {
		loader_error(l, node->mark, "%s is not a number of whole seconds", node->text);
		r = -EINVAL;
	}
	if (r >= 0)
		*ret = (int64_t)(usec / USEC_PER_SEC);
	return r;
}

static int read_number(struct loader *l, const struct key *key, const struct yaml_node *node,
		       double *ret)
{
	double value;
	int r = scalar_double(l, node, &value);

	if (r >= 0)
		r = number_check(l, node->mark, node->text, value, key->minimum, key->maximum);
	if (r >= 0)
		*ret = value;
	return r;
}

static int read_uint(struct loader *l, const struct key *key, const struct yaml_node *node,
		     uint32_t *ret)
{
	uint64_t value;
	int r = scalar_u64(l, node, &value);

	if (r >= 0)
		r = number_check(l, node->mark, node->text, (double)value, key->minimum,
				 key->maximum);
	if (r >= 0)
		*ret = (uint32_t)value;
	return r;
}

static int read_string(struct loader *l, const struct key *key, const struct yaml_node *node,
		       char **ret)
{
	const char *text;
	char *copy;
	int r = key->kind == KEY_NAME ? scalar_name(l, node, &text) : scalar_text(l, node, &text);

	if (r < 0)
		return r;
	copy = loader_text(l, text);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

/* Of what is no text the place that parses it says more. */
static int read_size(struct loader *l, const struct key *key, const struct yaml_node *node, char **ret)
{
	const bool scalar = node->kind == YAML_KIND_SCALAR && *node->text;

	if (!scalar || node->quoted)
		return read_string(l, key, node, ret);
	*ret = loader_text(l, node->text);
	return *ret ? 0 : -ENOMEM;
}

/* Whatever could never be right is said to be wrong, rather than to come later. */
static int check_possible(struct loader *l, const struct key *key, const struct yaml_node *node)
{
	bool truth;
	int choice;

	if (streq(key->initial, "false"))
		return scalar_bool(l, node, &truth);
	if (key->choices && node->kind == YAML_KIND_SCALAR)
		return scalar_choice(l, node, key->choices, &choice);
	return 0;
}

/* One value now, more of them later. */
static int read_only(struct loader *l, const struct key *key, const struct yaml_node *node)
{
	bool scalar = node->kind == YAML_KIND_SCALAR;
	int r = check_possible(l, key, node);

	if (r < 0 || (scalar && streq(node->text, key->initial)))
		return r;
	if (streq(key->name, "schema"))
		loader_error(l, node->mark,
			     "schema %s is not known to this version, which has schema %s",
			     scalar ? node->text : "of this kind", key->initial);
	else
		loader_error(l, node->mark, "%s: other than %s: " NOT_IN_THIS_VERSION, key->name,
			     key->initial);
	return -EINVAL;
}

static int read_value(struct loader *l, const struct key *key, const struct yaml_node *node,
		      void *target)
{
	void *at = (char *)target + key->offset;
	int choice, r;

	switch (key->kind) {
	case KEY_BOOL:
		return scalar_bool(l, node, at);
	case KEY_UINT:
		return read_uint(l, key, node, at);
	case KEY_NUMBER:
		return read_number(l, key, node, at);
	case KEY_DURATION:
		return read_duration(l, key, node, at);
	case KEY_SECONDS:
		return read_seconds(l, key, node, at);
	case KEY_TEXT:
	case KEY_NAME:
		return read_string(l, key, node, at);
	case KEY_SIZE:
		return read_size(l, key, node, at);
	case KEY_CHOICE:
		r = scalar_choice(l, node, key->choices, &choice);
		if (r >= 0)
			memcpy(at, &choice, sizeof(choice));
		return r;
	case KEY_ONLY:
		return read_only(l, key, node);
	case KEY_NODE:
		memcpy(at, &node, sizeof(node));
		return 0;
	case KEY_LATER:
		break;
	}
	loader_error(l, node->mark, "%s: " NOT_IN_THIS_VERSION, key->name);
	return -EINVAL;
}

static int set_initial(struct loader *l, const struct key_table *table, void *target)
{
	int r = 0;

	for (size_t i = 0; i < table->n && r >= 0; i++) {
		const struct key *key = &table->keys[i];
		struct yaml_node node = { .kind = YAML_KIND_SCALAR,
					  .mark.file = table->place,
					  .text = key->initial };

		if (key->initial && key->kind != KEY_ONLY)
			r = read_value(l, key, &node, target);
	}
	return r;
}

static const struct key *find_key(const struct key_table *table, const char *name)
{
	for (size_t i = 0; i < table->n; i++)
		if (streq(table->keys[i].name, name))
			return &table->keys[i];
	return NULL;
}

bool table_has(const struct key_table *table, const char *name)
{
	const struct key *key = find_key(table, name);

	return key && key->kind != KEY_LATER;
}

/* Keys that files of another kind start with, and what people look for in the wrong place. */
static const char *home_of(const struct key_table *table, const char *name)
{
	static const struct {
		const char *place; /* the wrong one; NULL: the beginning of a file */
		const char *name, *home;
	} homes[] = {
		{ NULL, "bus", "buses.d" },
		{ NULL, "devices", "devices.d" },
		{ NULL, "endpoints", "devices.d" },
		{ NULL, "gateway", "fieldway.yaml" },
		{ NULL, "object", "objects.d" },
		{ NULL, "profile", "profiles.d" },
		{ NULL, "servers", "fieldway.yaml" },
		{ "gateway", "notify", "servers, and by path into profiles" },
		{ "gateway", "history", "profiles; how much of it is kept, beside gateway" },
	};
	bool begins = find_key(table, "schema") != NULL;

	for (size_t i = 0; i < ARRAY_SIZE(homes); i++)
		if (streq(homes[i].name, name) && (homes[i].place ? streq(homes[i].place, table->place) : begins))
			return homes[i].home;
	return NULL;
}

static void refuse_unknown(struct loader *l, const struct yaml_node *node,
			   const struct key_table *table, const struct plugin_scope *plugin)
{
	const char *candidates[128];
	size_t n = 0;

	for (size_t i = 0; i < table->n && n < ARRAY_SIZE(candidates); i++)
		if (table->keys[i].kind != KEY_LATER)
			candidates[n++] = table->keys[i].name;
	if (plugin)
		n += settings_candidates(l, plugin, candidates + n, ARRAY_SIZE(candidates) - n);
	settings_refuse(l, plugin ? settings_home(plugin, ~0u, node->text) : NULL, node, candidates, n);
}

static int read_key(struct loader *l, const struct yaml_node *name, const struct yaml_node *value,
		    const struct key_table *table, const struct plugin_scope *plugin, void *target)
{
	const struct key *key = find_key(table, name->text);

	if (key && key->kind != KEY_LATER)
		return read_value(l, key, value, target);
	if (plugin && settings_knows(plugin, name->text))
		return 0;
	if (key) {
		loader_error(l, name->mark, "%s: " NOT_IN_THIS_VERSION, name->text);
		return -EINVAL;
	}
	if (home_of(table, name->text))
		loader_error(l, name->mark, "%s belongs into %s", name->text,
			     home_of(table, name->text));
	else
		refuse_unknown(l, name, table, plugin);
	return -EINVAL;
}

/*
 * A document that belongs elsewhere, and has nothing of what belongs here: that
 * is all that is wrong with its keys.
 */
static bool is_misplaced(const struct yaml_node *node, const struct key_table *table)
{
	bool misplaced = false;

	for (size_t i = 0; i < node->n; i++) {
		if (table_has(table, node->keys[i]->text) && !streq(node->keys[i]->text, "schema"))
			return false;
		misplaced = misplaced || home_of(table, node->keys[i]->text);
	}
	return misplaced;
}

static int refuse_place(struct loader *l, const struct yaml_node *node, const struct key_table *table)
{
	for (size_t i = 0; i < node->n; i++)
		if (home_of(table, node->keys[i]->text))
			loader_error(l, node->keys[i]->mark, "%s belongs into %s",
				     node->keys[i]->text, home_of(table, node->keys[i]->text));
	return -EINVAL;
}

static int check_required(struct loader *l, const struct yaml_node *node, struct yaml_mark at,
			  const struct key_table *table)
{
	int r = 0;

	for (size_t i = 0; i < table->n; i++) {
		if (!table->keys[i].required || (node && yaml_get(node, table->keys[i].name)))
			continue;
		loader_error(l, at, "%s: is missing", table->keys[i].name);
		r = -EINVAL;
	}
	return r;
}

int mapping_apply(struct loader *l, const struct yaml_node *node, const struct key_table *table,
		  const struct plugin_scope *plugin, void *target)
{
	int r = mapping_expect(l, node, table->place);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < node->n; i++) {
		r = worse(r, read_key(l, node->keys[i], node->items[i], table, plugin, target));
	}
	return r;
}

int mapping_read(struct loader *l, const struct yaml_node *node, struct yaml_mark at,
		 const struct key_table *table, const struct plugin_scope *plugin, void *target)
{
	const struct yaml_node *present = node && !node_is_null(node) ? node : NULL;
	int r = set_initial(l, table, target);

	if (r < 0)
		return r;
	if (present && present->kind != YAML_KIND_MAPPING)
		return mapping_apply(l, present, table, plugin, target);
	if (present && is_misplaced(present, table))
		return refuse_place(l, present, table);
	r = check_required(l, present, at, table);
	return worse(r, present ? mapping_apply(l, present, table, plugin, target) : 0);
}

struct yaml_mark mapping_mark(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *value = yaml_get(node, key);

	return value ? value->mark : node->mark;
}
