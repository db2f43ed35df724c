/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/describe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "link/marshal.h"

static const char *type_name(const struct fieldway_key *key)
{
	if (key->flags & FIELDWAY_KEY_CONTENT)
		return "file";
	if (key->flags & FIELDWAY_KEY_SECRET)
		return "key file:F or table:F";
	if (key->flags & FIELDWAY_KEY_DURATION)
		return "duration";
	switch (key->type) {
	case FIELDWAY_BOOL:
		return "bool";
	case FIELDWAY_INT:
		return "int";
	case FIELDWAY_UINT:
		return "uint";
	case FIELDWAY_FLOAT:
		return "float";
	case FIELDWAY_STRING:
		return "text";
	case FIELDWAY_NONE:
	case FIELDWAY_BYTES:
		break;
	}
	return "?";
}

static const char *limit_text(const struct fieldway_key *key, double limit, char ret[FORMAT_DOUBLE_MAX])
{
	if (key->flags & FIELDWAY_KEY_DURATION)
		return format_usec((uint64_t)limit, ret);
	return format_double(limit, ret);
}

static void print_range(FILE *to, const struct fieldway_key *key)
{
	char low[FORMAT_DOUBLE_MAX], high[FORMAT_DOUBLE_MAX];

	if (key->minimum != 0 || key->maximum != 0)
		fprintf(to, " %s..%s", limit_text(key, key->minimum, low),
			limit_text(key, key->maximum, high));
	if (key->unit)
		fprintf(to, " %s", key->unit);
	for (const char *const *choice = key->choices; choice && *choice; choice++)
		fprintf(to, "%s%s", choice == key->choices ? ": " : " | ", *choice);
	if (key->initial)
		fprintf(to, ", default %s", key->initial);
	if (key->flags & FIELDWAY_KEY_LIST)
		fputs(", or a list", to);
	if (key->flags & FIELDWAY_KEY_REQUIRED)
		fputs(", required", to);
}

void describe_print(FILE *to, const struct fieldway_plugin *plugin)
{
	static const struct {
		unsigned scope;
		const char *title;
	} scopes[] = {
		{ FIELDWAY_SCOPE_BUS, "Bus" },
		{ FIELDWAY_SCOPE_ADDRESS, "A device's address" },
		{ FIELDWAY_SCOPE_DEVICE, "Device, in defaults" },
		{ FIELDWAY_SCOPE_PROFILE, "Profile" },
		{ FIELDWAY_SCOPE_POINT, "Point, or in defaults for all" },
	};

	fprintf(to, "%s %s:%s%s%s\n", plugin->name, plugin->version,
		plugin->capabilities & FIELDWAY_CAN_POLL ? " polls" : "",
		plugin->capabilities & FIELDWAY_CAN_LISTEN ? " listens" : "",
		plugin->capabilities & FIELDWAY_CAN_WRITE ? " writes" : "");
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		fprintf(to, "\n%s:\n", scopes[i].title);
		for (size_t j = 0; j < plugin->n_keys; j++) {
			const struct fieldway_key *key = &plugin->keys[j];

			if (!(key->scope & scopes[i].scope))
				continue;
			fprintf(to, "  %s (%s", key->name, type_name(key));
			print_range(to, key);
			fprintf(to, ")\n      %s\n", key->help);
		}
	}
}

static const char *text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

int describe_append(struct sd_bus_message *m, const struct fieldway_plugin *plugin)
{
	_cleanup_free_ struct fieldway_key *keys = calloc(plugin->n_keys + 1, sizeof(*keys));
	const struct link_description d = {
		.name = plugin->name,
		.version = plugin->version,
		.capabilities = plugin->capabilities,
		.keys = keys,
		.n_keys = MIN(plugin->n_keys, (size_t)LINK_KEYS_MAX),
	};

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < d.n_keys; i++) {
		keys[i] = plugin->keys[i];
		keys[i].initial = text_or_null(keys[i].initial);
		keys[i].unit = text_or_null(keys[i].unit);
	}
	return link_append_description(m, &d);
}
