/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#define ARENA_BLOCK_BYTES (32u << 10)

struct arena_block {
	struct arena_block *next;
	size_t size;
	max_align_t data[];
};

static int arena_grow(struct arena *arena, size_t size)
{
	struct arena_block *block;
	size_t wanted = MAX(size, (size_t)ARENA_BLOCK_BYTES);

	if (wanted > SIZE_MAX - sizeof(*block))
		return -1;
	block = calloc(1, sizeof(*block) + wanted);
	if (!block)
		return -1;
	block->size = wanted;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->used = 0;
	return 0;
}

void *arena_new(struct arena *arena, size_t size)
{
	const size_t unit = _Alignof(max_align_t);
	void *p;

	if (size > SIZE_MAX - unit)
		return NULL;
	size = (size + unit - 1) / unit * unit;
	if (!arena->blocks || size > arena->blocks->size - arena->used)
		if (arena_grow(arena, size) < 0)
			return NULL;
	p = (char *)arena->blocks->data + arena->used;
	arena->used += size;
	return p;
}

char *arena_text(struct arena *arena, const void *text, size_t size)
{
	char *copy = size < SIZE_MAX ? arena_new(arena, size + 1) : NULL;

	if (copy && size > 0)
		memcpy(copy, text, size);
	return copy;
}

void arena_done(struct arena *arena)
{
	struct arena_block *next;

	for (struct arena_block *b = arena->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	*arena = (struct arena){ 0 };
}
