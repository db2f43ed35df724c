/* SPDX-License-Identifier: Apache-2.0 */
#include "config/local.h"

#include "base/str.h"

/* The keys of the plugin that no host loads. */

/* From FIELDWAY_BOOL on. */
static const char *const types[] = {
	[FIELDWAY_BOOL - 1] = "bool",	[FIELDWAY_INT - 1] = "int64",	  [FIELDWAY_UINT - 1] = "uint64",
	[FIELDWAY_FLOAT - 1] = "float", [FIELDWAY_STRING - 1] = "string", [FIELDWAY_BYTES - 1] = "bytes", NULL,
};

const char *config_local_type_name(enum fieldway_type type)
{
	return type == FIELDWAY_NONE ? "" : types[type - 1];
}

enum fieldway_type config_local_type(const struct config_point *point)
{
	for (size_t i = 0; i < point->settings.n; i++)
		for (unsigned k = 0; types[k] && streq(point->settings.items[i].key, "type"); k++)
			if (streq(types[k], point->settings.items[i].value.data))
				return (enum fieldway_type)(k + 1);
	return FIELDWAY_NONE;
}

static const struct fieldway_key keys[] = {
	{ .name = "owner",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .type = FIELDWAY_STRING,
	  .help = "the user whose programs publish its values, by name or number" },
	{ .name = "group",
	  .scope = FIELDWAY_SCOPE_ADDRESS,
	  .type = FIELDWAY_STRING,
	  .help = "or a group, for programs whose user is made when they start" },
	{ .name = "type",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .flags = FIELDWAY_KEY_REQUIRED | FIELDWAY_KEY_PLACE,
	  .type = FIELDWAY_STRING,
	  .choices = types,
	  .help = "of its values; text and bytes up to 4096 bytes" },
	{ .name = "persist",
	  .scope = FIELDWAY_SCOPE_POINT,
	  .type = FIELDWAY_BOOL,
	  .initial = "false",
	  .help = "its last value is kept over a restart of the agent, with its age" },
};

const struct config_plugin config_plugin_local = {
	.name = (char *)LOCAL_NAME,
	.version = (char *)PACKAGE_VERSION,
	.capabilities = FIELDWAY_CAN_LISTEN | FIELDWAY_CAN_WRITE,
	.keys = keys,
	.n_keys = ARRAY_SIZE(keys),
};
