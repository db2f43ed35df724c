/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/record.h"

#include <gnutls/gnutls.h>

/* RFC 6347 4.1: type, version, epoch, sequence number, length. */
#define RECORD_HEADER 13u
#define RECORD_TYPE_FIRST 20u
#define RECORD_TYPE_CHANGE_CIPHER_SPEC 20u
#define RECORD_TYPE_HANDSHAKE 22u
#define RECORD_TYPE_DATA 23u
#define RECORD_TYPE_LAST 24u
#define RECORD_MAX (16384u + 256u) /* more makes GnuTLS end the session */
#define HANDSHAKE_HEADER 12u

static bool is_in_the_clear(const uint8_t *record)
{
	return record[3] == 0 && record[4] == 0;
}

bool record_is_verify_request(const uint8_t *datagram, size_t size)
{
	return size > RECORD_HEADER && datagram[0] == RECORD_TYPE_HANDSHAKE && is_in_the_clear(datagram) &&
	       datagram[RECORD_HEADER] == GNUTLS_HANDSHAKE_HELLO_VERIFY_REQUEST;
}

/* The size of a whole record that may be one of our peer's; 0: it is none. */
static size_t record_size(const uint8_t *record, size_t left)
{
	size_t n;

	if (left < RECORD_HEADER || record[1] != 0xfe || record[0] < RECORD_TYPE_FIRST ||
	    record[0] > RECORD_TYPE_LAST)
		return 0;
	n = (size_t)record[11] << 8 | record[12];
	if (n > RECORD_MAX || n > left - RECORD_HEADER)
		return 0;
	if (is_in_the_clear(record) &&
	    (record[0] >= RECORD_TYPE_DATA ||
	     (record[0] == RECORD_TYPE_HANDSHAKE && n < HANDSHAKE_HEADER)))
		return 0;
	return RECORD_HEADER + n;
}

size_t record_sound_part(const uint8_t *datagram, size_t size, bool *ret_change)
{
	size_t used = 0, n;

	*ret_change = false;
	while (used < size && (n = record_size(datagram + used, size - used)) > 0) {
		*ret_change |= datagram[used] == RECORD_TYPE_CHANGE_CIPHER_SPEC;
		used += n;
	}
	return used;
}
