/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>

#include "secret/secret.h"

#define SHA256_BYTES 32
#define SHOWN_BYTES 8

int secret_fingerprint(const uint8_t *key, size_t size, char ret[SECRET_FINGERPRINT_MAX])
{
	uint8_t hash[SHA256_BYTES];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, key, size, hash) < 0)
		return -EIO;
	for (size_t i = 0; i < SHOWN_BYTES; i++)
		sprintf(ret + 3 * i, "%02x%s", hash[i], i + 1 < SHOWN_BYTES ? ":" : "");
	return 0;
}
