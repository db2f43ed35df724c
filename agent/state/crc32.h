/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* CRC-32 of IEEE 802.3 (reflected 0x04C11DB7); `crc` is 0 or the result for the bytes before these. */
uint32_t crc32_update(uint32_t crc, const void *data, size_t size);
