/* SPDX-License-Identifier: Apache-2.0 */
#include "base/macro.h"
#include "config/local.h"

/* The keys of the plugin that no host loads. */

static const char *const types[] = { "bool", "int64", "uint64", "float", "string", "bytes", NULL };

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
