/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "secret/secret.h"

/* HKDF-SHA256 (RFC 5869) of a master, salt "fieldway-psk-1", info = identity. -EIO: GnuTLS. */
int secret_derive(const uint8_t *master, size_t size, const char *identity,
		  uint8_t ret[SECRET_DERIVED_BYTES]);
