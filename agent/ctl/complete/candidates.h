/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* Words that may stand at some place; what does not fit what is typed is not taken. */
struct candidates {
	struct arena arena;
	const char *typed;
	const char **items;
	size_t n, allocated;
};

/* More than anybody looks at. */
#define CANDIDATES_MAX 20000u

void candidates_add(struct candidates *c, const char *word);
/* In order, each once. */
void candidates_print(struct candidates *c);
void candidates_done(struct candidates *c);

/* What the words before it say, of "endpoint path" and the like. */
struct completion {
	const char *bus;      /* as in struct invocation */
	const char *config, *shared;
	const char *first;    /* argument: whose paths or points; or NULL */
	struct candidates *to;
};

/*
 * Adds what is of this kind: "endpoint", "device", "bus", "server", "path" (of the
 * endpoint `first`), "point" (of the device `first`), "profile". Nothing when the daemon does not
 * answer. False: no such kind.
 */
bool completion_find(const struct completion *c, const char *kind);
