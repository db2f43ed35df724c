/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "config/settings_internal.h"

bool settings_are_checked(const struct plugin_scope *scope)
{
	return scope->plugin && scope->plugin->plugin && !scope->plugin->plugin->unchecked;
}

/* What of a table's name lies below a pattern, or NULL. */
static const char *part_below(const char *name, const char *pattern)
{
	size_t size = strlen(pattern);

	if (size == 0)
		return name;
	return strncmp(name, pattern, size) == 0 && name[size] == '.' ? name + size + 1 : NULL;
}

/* Goes through the keys of a scope: the next one from *i on, or NULL. */
static const struct fieldway_key *next_key(const struct plugin_scope *scope, size_t *i)
{
	const struct config_plugin *plugin = settings_are_checked(scope) ? scope->plugin->plugin :
									   NULL;

	while (plugin && *i < plugin->n_keys) {
		const struct fieldway_key *key = &plugin->keys[(*i)++];

		if (key->scope & scope->scope)
			return key;
	}
	return NULL;
}

bool settings_has_below(const struct plugin_scope *scope, const char *pattern)
{
	const struct fieldway_key *key;

	for (size_t i = 0; (key = next_key(scope, &i));)
		if (part_below(key->name, pattern))
			return true;
	return false;
}

const struct fieldway_key *settings_key(const struct plugin_scope *scope, const char *pattern)
{
	const struct fieldway_key *key;

	for (size_t i = 0; (key = next_key(scope, &i));)
		if (streq(key->name, pattern))
			return key;
	return NULL;
}

bool settings_knows(const struct plugin_scope *scope, const char *name)
{
	return !settings_are_checked(scope) ||
	       (!strchr(name, '.') &&
		(settings_key(scope, name) || settings_has_below(scope, name)));
}

const char *settings_home(const struct plugin_scope *scope, unsigned scopes, const char *name)
{
	static const struct {
		unsigned scope;
		const char *place;
	} homes[] = {
		{ FIELDWAY_SCOPE_BUS, "a bus" },
		{ FIELDWAY_SCOPE_ADDRESS, "the `address:` of a device" },
		{ FIELDWAY_SCOPE_PROFILE, "a profile" },
		{ FIELDWAY_SCOPE_DEVICE, "the `defaults:` of a profile" },
		{ FIELDWAY_SCOPE_POINT, "a point" },
	};

	for (size_t i = 0; settings_are_checked(scope) && i < ARRAY_SIZE(homes); i++) {
		struct plugin_scope other = { scope->plugin, homes[i].scope };

		if (scopes & ~scope->scope & homes[i].scope &&
		    (settings_key(&other, name) || settings_has_below(&other, name)))
			return homes[i].place;
	}
	return NULL;
}

size_t settings_parts(struct loader *l, const struct plugin_scope *scope, const char *pattern,
		      const char **ret, size_t max)
{
	const struct fieldway_key *key;
	size_t n = 0;

	for (size_t i = 0; n < max && (key = next_key(scope, &i));) {
		const char *part = part_below(key->name, pattern);

		if (!part || *part == '*')
			continue;
		ret[n] = loader_scratch_text(l, part, strcspn(part, "."));
		n += ret[n] != NULL;
	}
	return n;
}

size_t settings_candidates(struct loader *l, const struct plugin_scope *scope, const char **ret,
			   size_t max)
{
	return settings_parts(l, scope, "", ret, max);
}
