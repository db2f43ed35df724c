/* SPDX-License-Identifier: Apache-2.0 */
#include "uuid.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FULL_TEXT (UUID_TEXT_SIZE - 1)

/* 00000000-0000-1000-8000-00805F9B34FB */
static const struct uuid base = { { 0, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0x80, 0x5f, 0x9b, 0x34, 0xfb } };

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_full(const char *text, struct uuid *ret)
{
	struct uuid u = { { 0 } };
	size_t n = 0;

	for (size_t i = 0; i < FULL_TEXT; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash != (text[i] == '-'))
			return -EINVAL;
		if (dash)
			continue;
		if (digit(text[i]) < 0)
			return -EINVAL;
		u.bytes[n / 2] = (uint8_t)(u.bytes[n / 2] << 4 | digit(text[i]));
		n++;
	}
	*ret = u;
	return 0;
}

int uuid_parse(const char *text, size_t size, struct uuid *ret)
{
	uint32_t number = 0;

	if (size == FULL_TEXT)
		return parse_full(text, ret);
	if (size > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		text += 2;
		size -= 2;
	}
	if (size != 4 && size != 8)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (digit(text[i]) < 0)
			return -EINVAL;
		number = number << 4 | (uint32_t)digit(text[i]);
	}
	*ret = uuid_short(number);
	return 0;
}

struct uuid uuid_short(uint32_t number)
{
	struct uuid u = base;

	for (size_t i = 0; i < 4; i++)
		u.bytes[i] = (uint8_t)(number >> (24 - 8 * i));
	return u;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

void uuid_text(const struct uuid *u, char *ret)
{
	const uint8_t *b = u->bytes;
	bool is_short = memcmp(b + 4, base.bytes + 4, sizeof(base.bytes) - 4) == 0;

	if (is_short && b[0] == 0 && b[1] == 0)
		snprintf(ret, UUID_TEXT_SIZE, "%02x%02x", b[2], b[3]);
	else if (is_short)
		snprintf(ret, UUID_TEXT_SIZE, "%02x%02x%02x%02x", b[0], b[1], b[2], b[3]);
	else
		snprintf(ret, UUID_TEXT_SIZE,
			 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
			 b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}
