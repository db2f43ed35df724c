/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "model/path.h"

struct json_t;
struct sd_bus_message;

/*
 * A value of dbus/agent1.h as text: what `fieldwayctl write` takes as well, so
 * 1 and 0 for booleans, base64, 3:0, seconds since 1970.
 */
struct value_line {
	struct path path;
	const char *text;
	char type; /* s, x, t, d, b, a or ( as in D-Bus */
};

struct value_lines {
	struct value_line *items;
	size_t n, allocated;
	bool tree; /* of several values by their paths; else it is one */
	struct arena arena;
};

/*
 * Reads a variant that stands for path, in the message's order. 0; -EBADMSG: no
 * such value, or it is deeper than paths are; -ENOMEM. How many lines there are
 * is bounded by the message.
 */
int value_lines_read(struct sd_bus_message *m, const struct path *path, struct value_lines *ret);
void value_lines_done(struct value_lines *lines);
/* One value bare on a line, a tree as "/3303/0/5700  21.5". 0 or -ENOMEM. */
int value_lines_print(FILE *to, const struct value_lines *lines);
/* [{path, value}]: numbers, true and false; text where JSON has no such type. NULL without memory. */
struct json_t *value_lines_document(const struct value_lines *lines);
#define _cleanup_value_lines_ _cleanup_(value_lines_done)
