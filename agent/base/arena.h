/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/macro.h"

/* Memory that is given back all at once. Zero-initialised is empty. */
struct arena {
	struct arena_block *blocks;
	size_t used; /* of the first block */
};

/* Zeroed and aligned for any type; NULL without memory. */
void *arena_new(struct arena *arena, size_t size);
/* A copy of size bytes with a NUL behind them. */
char *arena_text(struct arena *arena, const void *text, size_t size);
void arena_done(struct arena *arena);
#define _cleanup_arena_ _cleanup_(arena_done)
