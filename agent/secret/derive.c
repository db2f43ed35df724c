/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/derive.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

#define SALT "fieldway-psk-1"
#define SHA256_BYTES 32

/* GnuTLS takes inputs through a pointer that is not const. */
static gnutls_datum_t datum_of(const void *data, size_t size)
{
	union {
		const void *in;
		unsigned char *out;
	} pointer = { .in = data };

	return (gnutls_datum_t){ .data = pointer.out, .size = (unsigned)size };
}

int secret_derive(const uint8_t *master, size_t size, const char *identity,
		  uint8_t ret[SECRET_DERIVED_BYTES])
{
	const gnutls_datum_t key = datum_of(master, size), salt = datum_of(SALT, strlen(SALT)),
			     info = datum_of(identity, strlen(identity));
	uint8_t extracted[SHA256_BYTES];
	gnutls_datum_t pseudorandom = { .data = extracted, .size = sizeof(extracted) };
	int r;

	r = gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &key, &salt, extracted);
	if (r >= 0)
		r = gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &pseudorandom, &info, ret,
				       SECRET_DERIVED_BYTES);
	explicit_bzero(extracted, sizeof(extracted));
	return r < 0 ? -EIO : 0;
}
