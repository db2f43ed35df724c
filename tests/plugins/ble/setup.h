/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <string.h>

#include "api/plugin.h"

/* Settings as a configuration would give them: SETTINGS(TEXT("bthome", "battery"), UINT("at", 3)). */

#define UINT(name, number) \
	((struct fieldway_setting){ .key = (name), .value = { .type = FIELDWAY_UINT, .unsignd = (number) } })
#define BOOL(name, truth) \
	((struct fieldway_setting){ .key = (name), .value = { .type = FIELDWAY_BOOL, .boolean = (truth) } })
#define BYTES(name, string, length)                                                          \
	((struct fieldway_setting){ .key = (name),                                           \
				    .value = { .type = FIELDWAY_BYTES, .data = (string), .size = (length) } })
#define TEXT(name, string)                                                                   \
	((struct fieldway_setting){ .key = (name),                                           \
				    .value = { .type = FIELDWAY_STRING,                      \
					       .data = (string),                            \
					       .size = strlen(string) } })
#define SETTINGS(...)                                                                   \
	((struct fieldway_settings){ (const struct fieldway_setting[]){ __VA_ARGS__ },  \
				     sizeof((const struct fieldway_setting[]){ __VA_ARGS__ }) / \
					     sizeof(struct fieldway_setting) })
