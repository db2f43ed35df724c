/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* DTLS records as they stand in a datagram (RFC 6347 4.1), before GnuTLS sees them. Pure. */

/*
 * The size of what comes before the first thing that is no record; 0: there is
 * none. RFC 6347 4.1.2.7 has such things dropped silently; GnuTLS ends the
 * session for some of them, which anybody could send in the peer's name.
 * ret_change: there is a ChangeCipherSpec.
 */
size_t record_sound_part(const uint8_t *datagram, size_t size, bool *ret_change);
/* Does the datagram begin with a HelloVerifyRequest? size: of its sound part. */
bool record_is_verify_request(const uint8_t *datagram, size_t size);
