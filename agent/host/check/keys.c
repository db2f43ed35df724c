/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "host/check/check.h"
#include "host/setup/settings.h"

/* The key table, and settings of one device made by it. */

#define POINTS 1u

static const struct {
	const char *name;
	unsigned scope;
} scopes[] = {
	{ "bus", FIELDWAY_SCOPE_BUS },
	{ "address", FIELDWAY_SCOPE_ADDRESS },
	{ "device", FIELDWAY_SCOPE_DEVICE | FIELDWAY_SCOPE_PROFILE },
	{ "point", FIELDWAY_SCOPE_POINT },
};

void check_error(struct check *c, const char *operation, const struct fieldway_error *error)
{
	if (!memchr(error->text, '\0', sizeof(error->text)) || error->text[0] == '\0')
		check_complain(c, "%s refuses and does not say why", operation);
	if (error->point < -1 || error->point >= (int)POINTS)
		check_complain(c, "%s refuses point %d, which it was not given", operation,
			       error->point);
	if (!error->key)
		return;
	for (size_t i = 0; i < c->plugin->n_keys; i++)
		if (dotted_match(c->plugin->keys[i].name, error->key))
			return;
	check_complain(c, "%s refuses the key %s, which is not in the table", operation,
		       error->key);
}

void check_refused(struct check *c, const struct fieldway_error *error)
{
	c->refused = true;
	printf("  settings: %.*s\n", (int)sizeof(error->text), error->text);
}

static void check_numbers(struct check *c, const struct fieldway_key *key)
{
	bool number = key->type == FIELDWAY_INT || key->type == FIELDWAY_UINT ||
		      key->type == FIELDWAY_FLOAT;

	if (key->minimum > key->maximum)
		check_complain(c, "key %s: its minimum is above its maximum", key->name);
	if (!number && (key->minimum != 0 || key->maximum != 0))
		check_complain(c, "key %s: a range, but no number", key->name);
	if (key->type == FIELDWAY_UINT && key->minimum < 0)
		check_complain(c, "key %s: it cannot be negative, as its minimum is", key->name);
	if (key->flags & FIELDWAY_KEY_DURATION && key->type != FIELDWAY_UINT)
		check_complain(c, "key %s: a duration is a UINT", key->name);
	if (key->choices && key->type != FIELDWAY_STRING)
		check_complain(c, "key %s: choices, but no STRING", key->name);
	if (key->choices && !key->choices[0])
		check_complain(c, "key %s: there is nothing to choose from", key->name);
	if (key->initial && key->flags & FIELDWAY_KEY_REQUIRED)
		check_complain(c, "key %s: required, but with a default", key->name);
	if (key->help[0] == '\0' || strchr(key->help, '\n'))
		check_complain(c, "key %s: its help is not one line", key->name);
}

/* As YAML would be read for a key of this type; what is no such value stays a text, and is refused as one. */
static struct fieldway_value value_of(enum fieldway_type type, unsigned flags, const char *text)
{
	struct fieldway_value v = { .type = type };

	if (flags & (FIELDWAY_KEY_SECRET | FIELDWAY_KEY_CONTENT))
		return (struct fieldway_value){ .type = FIELDWAY_BYTES,
						.data = text,
						.size = strlen(text) };
	if (type == FIELDWAY_BOOL && (streq(text, "true") || streq(text, "false"))) {
		v.boolean = text[0] == 't';
		return v;
	}
	if (type == FIELDWAY_INT && parse_i64(text, &v.integer) >= 0)
		return v;
	if (type == FIELDWAY_UINT &&
	    (flags & FIELDWAY_KEY_DURATION ? parse_usec : parse_u64)(text, &v.unsignd) >= 0)
		return v;
	if (type == FIELDWAY_FLOAT && parse_double(text, &v.real) >= 0)
		return v;
	return (struct fieldway_value){ .type = FIELDWAY_STRING,
					.data = text,
					.size = strlen(text) };
}

/* A default goes through the same door as what users write. */
static void check_initial(struct check *c, const struct fieldway_key *key)
{
	const struct refusal_place place = { .bus = "b", .device_id = -1, .point_index = -1 };
	const struct fieldway_plugin one = { .name = "", .keys = key, .n_keys = 1 };
	const struct fieldway_setting given = { key->name,
						value_of(key->type, key->flags, key->initial) };
	const struct settings_source source = { key->scope,
						&(struct fieldway_settings){ &given, 1 } };
	struct refusals *refusals = calloc(1, sizeof(*refusals));
	struct fieldway_settings settings;

	if (!refusals)
		return;
	if (settings_compile(&one, &source, 1, &place, &c->arena, &settings, refusals) < 0)
		check_complain(c, "key %s: its default '%s' is no value of it", key->name,
			       key->initial);
	refusals_done(refusals);
	free(refusals);
}

void check_keys(struct check *c)
{
	const struct fieldway_key *keys = c->plugin->keys;

	check_part("keys");
	for (size_t i = 0; i < c->plugin->n_keys; i++) {
		check_numbers(c, &keys[i]);
		if (keys[i].initial)
			check_initial(c, &keys[i]);
		for (size_t j = 0; j < i; j++)
			if (streq(keys[i].name, keys[j].name) && keys[i].scope & keys[j].scope)
				check_complain(c, "key %s: it is in the table twice", keys[i].name);
	}
}

static enum fieldway_type type_of(const struct fieldway_plugin *plugin, unsigned scope,
				  const char *name, unsigned *ret_flags)
{
	for (size_t i = 0; i < plugin->n_keys; i++)
		if (plugin->keys[i].scope & scope && dotted_match(plugin->keys[i].name, name)) {
			*ret_flags = plugin->keys[i].flags;
			return plugin->keys[i].type;
		}
	return FIELDWAY_STRING;
}

static int take_scope(struct check *c, size_t scope, struct fieldway_settings *ret)
{
	size_t prefix = strlen(scopes[scope].name), n = 0;
	struct fieldway_setting *items;

	while (c->arguments[n])
		n++;
	items = arena_new(&c->arena, (n + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	*ret = (struct fieldway_settings){ .items = items };
	for (size_t i = 0; i < n; i++) {
		const char *key = c->arguments[i] + prefix + 1,
			   *equals = strchr(c->arguments[i], '=');
		unsigned flags = 0;

		if (strncmp(c->arguments[i], scopes[scope].name, prefix) != 0 || key[-1] != '.' ||
		    !equals)
			continue;
		items[ret->n].key = arena_text(&c->arena, key, (size_t)(equals - key));
		if (!items[ret->n].key)
			return -ENOMEM;
		items[ret->n].value =
			value_of(type_of(c->plugin, scopes[scope].scope, items[ret->n].key, &flags),
				 flags, equals + 1);
		ret->n++;
	}
	return 0;
}

static int compile(struct check *c, const struct settings_source *sources, size_t n,
		   const char *device, const char *point, struct fieldway_settings *ret)
{
	const struct refusal_place place = { "b", device, point, -1, -1 };
	struct refusals *refusals = calloc(1, sizeof(*refusals));
	int r = refusals ?
			settings_compile(c->plugin, sources, n, &place, &c->arena, ret, refusals) :
			-ENOMEM;

	for (size_t i = 0; r < 0 && refusals && i < refusals->n; i++)
		printf("  settings: %s\n", refusals->items[i].text);
	if (refusals)
		refusals_done(refusals);
	free(refusals);
	return r;
}

static bool arguments_are_known(const struct check *c)
{
	for (char *const *a = c->arguments; *a; a++) {
		size_t i = 0;

		if (streq(*a, "--write"))
			continue;
		while (i < ARRAY_SIZE(scopes) &&
		       (strncmp(*a, scopes[i].name, strlen(scopes[i].name)) != 0 ||
			(*a)[strlen(scopes[i].name)] != '.'))
			i++;
		if (i < ARRAY_SIZE(scopes) && strchr(*a, '='))
			continue;
		printf("  settings: %s: expected bus., address., device. or point. and KEY=VALUE\n",
		       *a);
		return false;
	}
	return true;
}

int check_settings(struct check *c)
{
	struct fieldway_settings given[ARRAY_SIZE(scopes)];
	struct settings_source sources[ARRAY_SIZE(scopes)];
	int r = arguments_are_known(c) ? 0 : -EINVAL;

	check_part("settings");
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(scopes); i++) {
		r = take_scope(c, i, &given[i]);
		sources[i] = (struct settings_source){ scopes[i].scope, &given[i] };
	}
	c->bus = (struct fieldway_bus){ .name = "b", .timeout_usec = 1000000 };
	c->point = (struct fieldway_point){ .name = "p", .readable = true, .period_usec = 1000000 };
	for (char *const *a = c->arguments; *a; a++)
		c->point.writable = c->point.writable || streq(*a, "--write");
	c->device =
		(struct fieldway_device){ .name = "d", .points = &c->point, .n_points = POINTS };
	if (r >= 0)
		r = compile(c, &sources[0], 1, NULL, NULL, &c->bus.settings);
	if (r >= 0)
		r = compile(c, &sources[1], 2, "d", NULL, &c->device.settings);
	if (r >= 0)
		r = compile(c, &sources[3], 1, "d", "p", &c->point.settings);
	return r;
}
