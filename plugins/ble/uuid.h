/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A Bluetooth UUID, whole; bytes in the order of its text. */
struct uuid {
	uint8_t bytes[16];
};

#define UUID_TEXT_SIZE 37u

/* "180f", "0x180F", "0000180f", or all 36 characters. 0 or -EINVAL. */
int uuid_parse(const char *text, size_t size, struct uuid *ret);
/* One of the Bluetooth SIG (Core Vol 3, Part B, 2.5.1). */
struct uuid uuid_short(uint32_t number);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
/* As short as it can be: "180f". ret has room for UUID_TEXT_SIZE. */
void uuid_text(const struct uuid *u, char *ret);
