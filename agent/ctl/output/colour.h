/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum colour {
	COLOUR_NONE,
	COLOUR_GOOD,
	COLOUR_WAITING, /* may become good by itself, or somebody wants it so */
	COLOUR_BAD,
};

/*
 * Does this output take colours? Only a terminal does, unless NO_COLOR (no-color.org)
 * has a value or TERM is "dumb".
 */
bool colour_is_on(FILE *to);
/* Around what is printed, both empty where colours are off. */
void colour_begin(FILE *to, enum colour colour);
void colour_end(FILE *to, enum colour colour);
/* Of the name of a state of dbus/agent1.h; NONE: it is none. */
enum colour colour_of_state(const char *state);
