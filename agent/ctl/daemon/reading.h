/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "api/value.h"
#include "base/arena.h"

struct json_t;
struct sd_bus_message;

/* What was read of one point. */
struct reading {
	const char *name;
	const char *problem;	     /* "": none */
	struct fieldway_value value; /* NONE with a problem */
};

/*
 * Reads the answer of Read() and Attempt(), a(ssv); texts stay in the message.
 * 0, -EBADMSG, -ENOMEM.
 */
int readings_read(struct sd_bus_message *m, struct arena *arena, struct reading **ret,
		  size_t *ret_n);
/* NULL when there is none of the name. */
const struct reading *reading_find(const struct reading *readings, size_t n, const char *name);

/*
 * A value for people: true and false, numbers, text, bytes in hexadecimal; in arena memory, NULL
 * without.
 */
const char *reading_text(struct arena *arena, const struct fieldway_value *value);
/* [{name, value, problem}]; NULL without memory. */
struct json_t *readings_document(const struct reading *readings, size_t n);
/* Names and values, or what is wrong. 0 or -ENOMEM. */
int readings_print(FILE *to, const struct reading *readings, size_t n);
