/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* "16 d2fc" to bytes; spaces where they please. */
static inline size_t hex_bytes(const char *text, uint8_t *ret, size_t max)
{
	size_t n = 0;

	while (*text) {
		unsigned byte;
		int used;

		if (*text == ' ') {
			text++;
			continue;
		}
		ck_assert_uint_lt(n, max);
		ck_assert_int_eq(sscanf(text, "%2x%n", &byte, &used), 1);
		ck_assert_int_eq(used, 2);
		ret[n++] = (uint8_t)byte;
		text += 2;
	}
	return n;
}
