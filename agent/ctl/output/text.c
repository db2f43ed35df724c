/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/output/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/macro.h"

#define ESCAPED_MAX sizeof("\\xe2\\x80\\xaa")

/* Characters that are not shown, by Unicode: controls, and what turns the direction of text. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0x61c, 0x61c },   { 0x200e, 0x200f },
	{ 0x2028, 0x202e }, { 0x2066, 0x2069 }, { 0xfeff, 0xfeff },
};

/* The character at p, and its bytes. What is no UTF-8 counts as a control character of one byte. */
static uint32_t decode(const char *text, size_t *ret_size)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t size = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;
	uint32_t c = size == 1 ? *p : size > 0 ? *p & (0x7f >> size) : 0;

	for (size_t i = 1; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			size = 0;
			break;
		}
		c = c << 6 | (p[i] & 0x3f);
	}
	*ret_size = size > 0 ? size : 1;
	return size > 0 ? c : 0;
}

static bool is_hidden(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return false;
}

static size_t escape(const char *p, size_t size, char ret[ESCAPED_MAX])
{
	static const char letters[][2] = { "\nn", "\tt", "\rr", "\\\\" };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		if (*p != letters[i][0])
			continue;
		ret[0] = '\\';
		ret[1] = letters[i][1];
		return 2;
	}
	for (size_t i = 0; i < size; i++)
		n += sprintf(ret + n, "\\x%02x", (uint8_t)p[i]);
	return n;
}

/* What the character at *p is shown as; *p goes behind it. The columns. */
static size_t next(const char **p, char ret[ESCAPED_MAX], size_t *ret_size)
{
	const char *at = *p;
	size_t size;
	uint32_t c = decode(at, &size);

	*p += size;
	if (is_hidden(c) || c == '\\')
		return *ret_size = escape(at, size, ret);
	memcpy(ret, at, size);
	*ret_size = size;
	return 1;
}

void text_print(FILE *to, const char *text)
{
	char shown[ESCAPED_MAX];
	size_t size;

	while (*text) {
		next(&text, shown, &size);
		fwrite(shown, 1, size, to);
	}
}

size_t text_width(const char *text)
{
	char shown[ESCAPED_MAX];
	size_t size, width = 0;

	while (*text)
		width += next(&text, shown, &size);
	return width;
}

void text_print_cut(FILE *to, const char *text, size_t columns)
{
	size_t width = 0, size, step;
	char shown[ESCAPED_MAX];

	if (text_width(text) <= columns) {
		text_print(to, text);
		return;
	}
	while (*text) {
		step = next(&text, shown, &size);
		if (width + step + 3 > columns)
			break;
		fwrite(shown, 1, size, to);
		width += step;
	}
	fprintf(to, "%.*s", columns < 3 ? (int)columns : 3, "...");
}

char *text_number(uint64_t number, char ret[TEXT_NUMBER_MAX])
{
	char digits[TEXT_NUMBER_MAX], *at = ret;
	int n = sprintf(digits, "%" PRIu64, number);

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return ret;
}

const char *text_join(struct arena *arena, const char *const *texts, size_t n)
{
	char *joined, *at;
	size_t size = 1;

	for (size_t i = 0; i < n; i++)
		size += strlen(texts[i]) + 1;
	joined = at = arena_new(arena, size);
	for (size_t i = 0; joined && i < n; i++) {
		if (i > 0)
			*at++ = ',';
		at = stpcpy(at, texts[i]);
	}
	return joined;
}
