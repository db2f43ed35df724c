/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/settings.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/str.h"

struct compilation {
	const struct refusal_place *place;
	struct refusals *refusals;
	bool refused;
};

#define refuse(c, key, ...)                                                                        \
	({                                                                                         \
		(c)->refused = true;                                                               \
		refusals_add((c)->refusals, (c)->place, (key), __VA_ARGS__);                       \
	})

static bool is_wild(const struct fieldway_key *key)
{
	return strchr(key->name, '*') != NULL;
}

/* What the user keeps outside of the configuration: its bytes come. */
static bool is_content(const struct fieldway_key *key)
{
	return key->flags & (FIELDWAY_KEY_SECRET | FIELDWAY_KEY_CONTENT);
}

static const struct fieldway_key *find_key(const struct fieldway_plugin *plugin, const char *name,
					   unsigned scope)
{
	for (size_t i = 0; i < plugin->n_keys; i++)
		if ((plugin->keys[i].scope & scope) && dotted_match(plugin->keys[i].name, name))
			return &plugin->keys[i];
	return NULL;
}

static const char *type_text(enum fieldway_type type)
{
	switch (type) {
	case FIELDWAY_BOOL:
		return "true or false";
	case FIELDWAY_INT:
		return "a whole number";
	case FIELDWAY_UINT:
		return "a whole number, not negative";
	case FIELDWAY_FLOAT:
		return "a number";
	case FIELDWAY_STRING:
		return "text";
	case FIELDWAY_NONE:
	case FIELDWAY_BYTES:
		break;
	}
	return "nothing";
}

/* Whole numbers are told apart by their sign only, and are numbers. */
static bool convert(const struct fieldway_value *from, enum fieldway_type type,
		    struct fieldway_value *ret)
{
	struct fieldway_value v = *from;

	if (v.type == FIELDWAY_INT && type == FIELDWAY_UINT && v.integer >= 0)
		v = (struct fieldway_value){ .type = type, .unsignd = (uint64_t)v.integer };
	else if (v.type == FIELDWAY_UINT && type == FIELDWAY_INT && v.unsignd <= INT64_MAX)
		v = (struct fieldway_value){ .type = type, .integer = (int64_t)v.unsignd };
	else if (v.type == FIELDWAY_INT && type == FIELDWAY_FLOAT)
		v = (struct fieldway_value){ .type = type, .real = (double)v.integer };
	else if (v.type == FIELDWAY_UINT && type == FIELDWAY_FLOAT)
		v = (struct fieldway_value){ .type = type, .real = (double)v.unsignd };
	*ret = v;
	return v.type == type;
}

static bool is_in_range(const struct fieldway_key *key, const struct fieldway_value *v)
{
	double number;

	if (key->minimum == 0 && key->maximum == 0)
		return true;
	if (v->type == FIELDWAY_INT)
		number = (double)v->integer;
	else if (v->type == FIELDWAY_UINT)
		number = (double)v->unsignd;
	else if (v->type == FIELDWAY_FLOAT)
		number = v->real;
	else
		return true;
	return number >= key->minimum && number <= key->maximum;
}

static bool is_choice(const struct fieldway_key *key, const struct fieldway_value *v)
{
	if (!key->choices || v->type != FIELDWAY_STRING)
		return true;
	for (const char *const *choice = key->choices; *choice; choice++)
		if (strlen(*choice) == v->size && memcmp(*choice, v->data, v->size) == 0)
			return true;
	return false;
}

static int check_value(struct compilation *c, const struct fieldway_key *key, const char *name,
		       const struct fieldway_value *from, struct fieldway_value *ret)
{
	char low[FORMAT_DOUBLE_MAX], high[FORMAT_DOUBLE_MAX];

	if (is_content(key) && from->type == FIELDWAY_BYTES) {
		*ret = *from;
		return 0;
	}
	if (is_content(key) || !convert(from, key->type, ret))
		return refuse(c, name, "%s: takes %s", name,
			      is_content(key) ? "what a file holds" : type_text(key->type));
	if (!is_in_range(key, ret))
		return refuse(c, name, "%s: is not within %.40s to %.40s", name,
			      format_double(key->minimum, low), format_double(key->maximum, high));
	if (!is_choice(key, ret))
		return refuse(c, name, "%s: there is no '%.*s'", name,
			      (int)MIN(ret->size, (size_t)64), ret->data);
	return 0;
}

static int parse_initial(const struct fieldway_key *key, struct fieldway_value *ret)
{
	struct fieldway_value v = { .type = key->type };
	int r = -EINVAL;

	switch (key->type) {
	case FIELDWAY_BOOL:
		v.boolean = streq(key->initial, "true");
		r = v.boolean || streq(key->initial, "false") ? 0 : -EINVAL;
		break;
	case FIELDWAY_INT:
		r = parse_i64(key->initial, &v.integer);
		break;
	case FIELDWAY_UINT:
		r = key->flags & FIELDWAY_KEY_DURATION ? parse_usec(key->initial, &v.unsignd) :
							 parse_u64(key->initial, &v.unsignd);
		break;
	case FIELDWAY_FLOAT:
		r = parse_double(key->initial, &v.real);
		break;
	case FIELDWAY_STRING:
		v.data = key->initial;
		v.size = strlen(key->initial);
		r = 0;
		break;
	case FIELDWAY_NONE:
	case FIELDWAY_BYTES:
		break;
	}
	if (r >= 0)
		*ret = v;
	return r;
}

static const struct fieldway_setting *find_setting(const struct fieldway_setting *items, size_t n,
						   const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (streq(items[i].key, key))
			return &items[i];
	return NULL;
}

static int take_given(struct compilation *c, const struct fieldway_plugin *plugin,
		      const struct settings_source *source, struct fieldway_setting *items,
		      size_t *n)
{
	for (size_t i = 0; i < source->settings->n; i++) {
		const struct fieldway_setting *s = &source->settings->items[i];
		const struct fieldway_key *key = find_key(plugin, s->key, source->scope);
		int r;

		if (!key) {
			r = refuse(c, s->key, "plugin %s has no key '%.64s' here", plugin->name,
				   s->key);
		} else if (!(key->flags & FIELDWAY_KEY_LIST) && find_setting(items, *n, s->key)) {
			r = refuse(c, s->key, "%s: is given twice", s->key);
		} else {
			items[*n].key = is_wild(key) ? s->key : key->name;
			r = check_value(c, key, s->key, &s->value, &items[*n].value);
			++*n;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_defaults(struct compilation *c, const struct fieldway_plugin *plugin,
			 unsigned scope, struct fieldway_setting *items, size_t *n)
{
	for (size_t i = 0; i < plugin->n_keys; i++) {
		const struct fieldway_key *key = &plugin->keys[i];
		int r = 0;

		/* Only the configuration knows which names the user chose: it fills theirs in. */
		if (!(key->scope & scope) || is_wild(key) || find_setting(items, *n, key->name))
			continue;
		if (key->initial && parse_initial(key, &items[*n].value) >= 0)
			items[(*n)++].key = key->name;
		else if (key->flags & FIELDWAY_KEY_REQUIRED)
			r = refuse(c, key->name, "%s: is missing", key->name);
		if (r < 0)
			return r;
	}
	return 0;
}

static size_t count_keys(const struct fieldway_plugin *plugin, unsigned scope)
{
	size_t n = 0;

	for (size_t i = 0; i < plugin->n_keys; i++)
		n += (plugin->keys[i].scope & scope) != 0;
	return n;
}

int settings_compile(const struct fieldway_plugin *plugin, const struct settings_source *sources,
		     size_t n_sources, const struct refusal_place *place, struct arena *arena,
		     struct fieldway_settings *ret, struct refusals *refusals)
{
	struct compilation c = { .place = place, .refusals = refusals };
	struct fieldway_setting *items;
	unsigned scope = 0;
	size_t n = 0, room;
	int r = 0;

	for (size_t i = 0; i < n_sources; i++)
		scope |= sources[i].scope;
	room = count_keys(plugin, scope);
	for (size_t i = 0; i < n_sources; i++)
		room += sources[i].settings->n;
	items = arena_new(arena, (room + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < n_sources; i++)
		r = take_given(&c, plugin, &sources[i], items, &n);
	if (r >= 0)
		r = take_defaults(&c, plugin, scope, items, &n);
	if (r < 0)
		return r;
	*ret = (struct fieldway_settings){ items, n };
	return c.refused ? -EINVAL : 0;
}
