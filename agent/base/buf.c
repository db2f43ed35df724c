/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BUF_FIRST_BYTES 64

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .limit = b->limit };
}

/* Always one byte more than asked for, so that a text can be ended without growing past the limit. */
static int buf_grow(struct buf *b, size_t capacity)
{
	size_t wanted = MAX(b->allocated, (size_t)BUF_FIRST_BYTES);
	uint8_t *data;

	while (wanted <= capacity)
		wanted = wanted > SIZE_MAX / 2 ? capacity + 1 : wanted * 2;
	if (b->limit > 0 && wanted > b->limit)
		wanted = MAX(b->limit, capacity) + 1;
	data = realloc(b->data, wanted);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->allocated = wanted;
	return 0;
}

int buf_reserve(struct buf *b, size_t n)
{
	if (n >= SIZE_MAX - b->size)
		return -ENOMEM;
	if (b->limit > 0 && b->size + n > b->limit)
		return -EFBIG;
	if (b->size + n < b->allocated)
		return 0;
	return buf_grow(b, b->size + n);
}

int buf_append_slowly(struct buf *b, const void *data, size_t size)
{
	int r;

	r = buf_reserve(b, size);
	if (r < 0)
		return r;
	if (size > 0)
		memcpy(b->data + b->size, data, size);
	b->size += size;
	return 0;
}

int buf_append_text(struct buf *b, const char *text)
{
	return buf_append(b, text, strlen(text));
}

int buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int n, r;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		return -EINVAL;
	r = buf_reserve(b, (size_t)n);
	if (r < 0)
		return r;
	va_start(args, format);
	vsnprintf((char *)b->data + b->size, (size_t)n + 1, format, args);
	va_end(args);
	b->size += (size_t)n;
	return 0;
}

int buf_append_be(struct buf *b, uint64_t value, unsigned n)
{
	uint8_t bytes[8];

	if (n < 1 || n > sizeof(bytes))
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		bytes[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
	return buf_append(b, bytes, n);
}

char *buf_take_text(struct buf *b)
{
	char *text;

	if (b->size >= b->allocated && buf_grow(b, b->size) < 0)
		return NULL;
	text = (char *)TAKE_PTR(b->data);
	text[b->size] = '\0';
	b->size = b->allocated = 0;
	return text;
}

int span_take_be(struct span *s, unsigned n, uint64_t *ret)
{
	struct span bytes;
	uint64_t value = 0;
	int r;

	if (n < 1 || n > 8)
		return -EINVAL;
	r = span_take(s, n, &bytes);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < n; i++)
		value = value << 8 | bytes.p[i];
	*ret = value;
	return 0;
}
