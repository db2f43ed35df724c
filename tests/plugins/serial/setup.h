/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <string.h>

#include "api/plugin.h"
#include "plugins/serial/pattern.h"

/* Settings as a configuration would give them: SETTINGS(TEXT("mode", "stream"), UINT("frame.max", 40)). */

#define UINT(name, number) { .key = (name), .value = { .type = FIELDWAY_UINT, .unsignd = (number) } }
#define INT(name, number) { .key = (name), .value = { .type = FIELDWAY_INT, .integer = (number) } }
#define TEXT(name, string)                                                                                   \
	{ .key = (name), .value = { .type = FIELDWAY_STRING, .data = (string), .size = sizeof(string) - 1 } }
#define SETTINGS(...)                                                                                        \
	{ (const struct fieldway_setting[]){ __VA_ARGS__ },                                                  \
	  sizeof((const struct fieldway_setting[]){ __VA_ARGS__ }) / sizeof(struct fieldway_setting) }
#define SLICE(text) ((struct slice){ (text), strlen(text) })
