/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <string.h>

#include "api/plugin.h"

/* Settings as a configuration would give them: SETTINGS(TEXT("area", "input"), UINT("address", 3)). */

/* The same for constant tables: text in quotes only. */
#define UINT_(name, number) { .key = (name), .value = { .type = FIELDWAY_UINT, .unsignd = (number) } }
#define TEXT_(name, string)                                                               \
	{                                                                                 \
		.key = (name),                                                            \
		.value = { .type = FIELDWAY_STRING, .data = (string), .size = sizeof(string) - 1 } \
	}

#define UINT(name, number) ((struct fieldway_setting)UINT_(name, number))
#define TEXT(name, string)                                                                   \
	((struct fieldway_setting){ .key = (name),                                           \
				    .value = { .type = FIELDWAY_STRING,                      \
					       .data = (string),                            \
					       .size = strlen(string) } })
#define SETTINGS(...)                                                                   \
	((struct fieldway_settings){ (const struct fieldway_setting[]){ __VA_ARGS__ },  \
				     sizeof((const struct fieldway_setting[]){ __VA_ARGS__ }) / \
					     sizeof(struct fieldway_setting) })
