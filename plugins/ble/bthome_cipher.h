/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* AES-128-CCM with BTHome's sizes, by GnuTLS. */

#define BTHOME_NONCE_SIZE 13u
#define BTHOME_TAG_SIZE 4u

/* ret_plain has room for size bytes. 0, -EKEYREJECTED for a wrong tag, -EIO. */
int bthome_decrypt(const uint8_t *key, const uint8_t *nonce, const uint8_t *sealed, size_t size, const uint8_t *tag,
		   uint8_t *ret_plain);
