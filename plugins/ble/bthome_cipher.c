/* SPDX-License-Identifier: Apache-2.0 */
#include "bthome_cipher.h"

#include <errno.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "bthome.h"

int bthome_decrypt(const uint8_t *key, const uint8_t *nonce, const uint8_t *sealed, size_t size, const uint8_t *tag,
		   uint8_t *ret_plain)
{
	uint8_t bytes[BTHOME_DATA_MAX + BTHOME_TAG_SIZE], secret[BTHOME_KEY_SIZE];
	const gnutls_datum_t datum = { .data = secret, .size = sizeof(secret) };
	gnutls_aead_cipher_hd_t cipher;
	size_t plain = size;
	int r;

	if (size > BTHOME_DATA_MAX)
		return -EIO;
	memcpy(secret, key, sizeof(secret));
	memcpy(bytes, sealed, size);
	memcpy(bytes + size, tag, BTHOME_TAG_SIZE);
	r = gnutls_aead_cipher_init(&cipher, GNUTLS_CIPHER_AES_128_CCM, &datum);
	gnutls_memset(secret, 0, sizeof(secret));
	if (r < 0)
		return -EIO;
	r = gnutls_aead_cipher_decrypt(cipher, nonce, BTHOME_NONCE_SIZE, NULL, 0, BTHOME_TAG_SIZE, bytes,
				       size + BTHOME_TAG_SIZE, ret_plain, &plain);
	gnutls_aead_cipher_deinit(cipher);
	if (r == GNUTLS_E_DECRYPTION_FAILED)
		return -EKEYREJECTED;
	return r < 0 || plain != size ? -EIO : 0;
}
