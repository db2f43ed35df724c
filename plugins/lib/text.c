/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdint.h>

/* Bytes that follow a first byte, and the lowest code point that needs them; -1: no first byte. */
static int lead_length(uint8_t lead, uint32_t *ret_code, uint32_t *ret_least)
{
	if (lead < 0x80) {
		*ret_code = lead;
		*ret_least = 0;
		return 0;
	}
	if (lead >= 0xc2 && lead < 0xe0) {
		*ret_code = lead & 0x1f;
		*ret_least = 0x80;
		return 1;
	}
	if (lead >= 0xe0 && lead < 0xf0) {
		*ret_code = lead & 0x0f;
		*ret_least = 0x800;
		return 2;
	}
	if (lead >= 0xf0 && lead < 0xf5) {
		*ret_code = lead & 0x07;
		*ret_least = 0x10000;
		return 3;
	}
	return -1;
}

bool text_is_utf8(const char *text, size_t size)
{
	size_t i = 0;

	while (i < size) {
		uint32_t code, least;
		int more = lead_length((uint8_t)text[i++], &code, &least);

		if (more < 0 || (size_t)more > size - i)
			return false;
		for (; more > 0; more--) {
			if (((uint8_t)text[i] & 0xc0) != 0x80)
				return false;
			code = code << 6 | ((uint8_t)text[i++] & 0x3f);
		}
		if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
			return false;
	}
	return true;
}
