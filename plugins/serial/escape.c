/* SPDX-License-Identifier: Apache-2.0 */
#include "escape.h"

#include <errno.h>
#include <string.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int hexadecimal(const char *text, size_t size, size_t *at)
{
	int high, low;

	if (size - *at < 2)
		return -EINVAL;
	high = digit(text[*at]);
	low = digit(text[*at + 1]);
	if (high < 0 || low < 0)
		return -EINVAL;
	*at += 2;
	return high << 4 | low;
}

int text_byte(const char *text, size_t size, size_t *at)
{
	static const char from[] = "rnt0e\\{}", to[] = "\r\n\t\0\x1b\\{}";
	const char *known;
	size_t i = *at;
	int byte = (uint8_t)text[i++];

	if (byte == '\\') {
		if (i == size)
			return -EINVAL;
		if (text[i] == 'x') {
			i++;
			byte = hexadecimal(text, size, &i);
			if (byte < 0)
				return byte;
		} else {
			known = memchr(from, text[i++], sizeof(from) - 1);
			if (!known)
				return -EINVAL;
			byte = (uint8_t)to[known - from];
		}
	}
	*at = i;
	return byte;
}

int text_bytes(const char *text, size_t size, uint8_t *ret, size_t max, size_t *ret_size)
{
	size_t n = 0, at = 0;

	while (at < size) {
		int byte = text_byte(text, size, &at);

		if (byte < 0)
			return byte;
		if (n == max)
			return -ENOBUFS;
		ret[n++] = (uint8_t)byte;
	}
	*ret_size = n;
	return 0;
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
	while (s.size && is_blank(s.data[0])) {
		s.data++;
		s.size--;
	}
	while (s.size && is_blank(s.data[s.size - 1]))
		s.size--;
	return s;
}

int slice_equals(struct slice s, const char *text, size_t size)
{
	return s.data && s.size == size && memcmp(s.data, text, size) == 0;
}
