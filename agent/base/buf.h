/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "base/macro.h"

/* A growable byte buffer. Zero-initialised is empty and has no limit. */
struct buf {
	uint8_t *data;
	size_t size;
	size_t allocated;
	size_t limit; /* bytes it may grow to; 0: no limit */
};

/* Frees the memory, leaves an empty buffer with the same limit. */
void buf_done(struct buf *b);
/* Makes room for n more bytes behind size. -ENOMEM, or -EFBIG over the limit. */
int buf_reserve(struct buf *b, size_t n);
int buf_append_slowly(struct buf *b, const void *data, size_t size); /* grows */
/* Encoders append a few bytes at a time, nearly always where there is room. */
static inline int buf_append(struct buf *b, const void *data, size_t size)
{
	if (b->size + size >= b->allocated || size > b->allocated || (b->limit > 0 && b->size + size > b->limit))
		return buf_append_slowly(b, data, size);
	if (size > 0)
		memcpy(b->data + b->size, data, size);
	b->size += size;
	return 0;
}
static inline int buf_append_byte(struct buf *b, uint8_t byte)
{
	return buf_append(b, &byte, 1);
}
int buf_append_text(struct buf *b, const char *text);
int buf_printf(struct buf *b, const char *format, ...) _printf_(2, 3);
/* Big-endian, n = 1..8 bytes. */
int buf_append_be(struct buf *b, uint64_t value, unsigned n);
/* Gives the bytes away with a NUL behind them (not counted); the buffer is empty then. NULL without memory. */
char *buf_take_text(struct buf *b);
#define _cleanup_buf_ _cleanup_(buf_done)

/* A view on bytes that somebody else owns; readers move p forward. */
struct span {
	const uint8_t *p;
	size_t n;
};

static inline struct span span_of(const void *data, size_t size)
{
	return (struct span){ .p = data, .n = size };
}

/* Each takes bytes from the front: 0, or -EBADMSG when too few are left (then nothing moved). */
static inline int span_take(struct span *s, size_t n, struct span *ret)
{
	if (n > s->n)
		return -EBADMSG;
	*ret = span_of(s->p, n);
	if (n > 0)
		s->p += n;
	s->n -= n;
	return 0;
}
static inline int span_take_byte(struct span *s, uint8_t *ret)
{
	if (s->n == 0)
		return -EBADMSG;
	*ret = *s->p++;
	s->n--;
	return 0;
}
int span_take_be(struct span *s, unsigned n, uint64_t *ret);
