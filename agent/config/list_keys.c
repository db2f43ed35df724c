/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "config/config.h"
#include "config/keys.h"

/*
 * Prints the key tables for the manual (packaging/man), in the form in which
 * `fieldway-plugin-host --describe` prints those of a plugin.
 */

static const char *kind_name(enum key_kind kind)
{
	switch (kind) {
	case KEY_BOOL:
		return "bool";
	case KEY_UINT:
		return "uint";
	case KEY_NUMBER:
		return "number";
	case KEY_DURATION:
	case KEY_SECONDS:
		return "duration";
	case KEY_TEXT:
		return "text";
	case KEY_SIZE:
		return "size";
	case KEY_NAME:
		return "name";
	case KEY_CHOICE:
		return "choice";
	case KEY_ONLY:
		return "only";
	case KEY_NODE:
		return "";
	case KEY_LATER:
		return "later";
	}
	return "?";
}

static const char *limit_text(const struct key *key, double limit, char ret[FORMAT_DOUBLE_MAX])
{
	if (key->kind == KEY_DURATION || key->kind == KEY_SECONDS)
		return format_usec((uint64_t)(limit * 1e6), ret);
	return format_double(limit, ret);
}

static void print_key(const struct key *key)
{
	char low[FORMAT_DOUBLE_MAX], high[FORMAT_DOUBLE_MAX];

	printf("  %s (%s", key->name, kind_name(key->kind));
	if (key->minimum != 0 || key->maximum != 0)
		printf(" %s..%s", limit_text(key, key->minimum, low), limit_text(key, key->maximum, high));
	/* Of KEY_ONLY the others are refused, whatever they will be. */
	for (const char *const *choice = key->choices; key->kind == KEY_CHOICE && *choice; choice++)
		printf("%s%s", choice == key->choices ? ": " : " | ", *choice);
	if (key->kind == KEY_ONLY)
		printf(": %s", key->initial);
	else if (key->initial)
		printf(", default %s", key->initial);
	printf("%s)\n      %s\n", key->required ? ", required" : "", key->help);
}

/* Its plugin is nobody's to ask. */
static void print_local(const char *title, unsigned scope)
{
	const struct config_plugin *plugin = &config_plugin_local;

	printf("\n%s:\n", title);
	for (size_t i = 0; i < plugin->n_keys; i++) {
		const struct fieldway_key *key = &plugin->keys[i];

		if (!(key->scope & scope))
			continue;
		printf("  %s (%s", key->name, key->type == FIELDWAY_BOOL ? "bool" : "text");
		for (const char *const *choice = key->choices; choice && *choice; choice++)
			printf("%s%s", choice == key->choices ? ": " : " | ", *choice);
		printf("%s%s)\n      %s\n", key->initial ? ", default " : "", key->initial ?: "", key->help);
	}
}

int main(void)
{
	for (const struct key_table *const *table = key_tables; *table; table++) {
		printf("%s%s:\n", table == key_tables ? "" : "\n", (*table)->place);
		for (size_t i = 0; i < (*table)->n; i++)
			print_key(&(*table)->keys[i]);
	}
	printf("\nplugin %s\n%s:\n", config_plugin_local.name, config_plugin_local.name);
	print_local("A device's address", FIELDWAY_SCOPE_ADDRESS);
	print_local("Point, or in defaults for all", FIELDWAY_SCOPE_POINT);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
