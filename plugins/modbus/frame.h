/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How a PDU lies in bytes on the wire, both ways. Pure. MBAP: Messaging on
 * TCP/IP V1.0b, 3.1.3. RTU and ASCII: Serial Line V1.02, 2.5.1 and 2.5.2.
 */

enum framing {
	FRAMING_MBAP,
	FRAMING_RTU,
	FRAMING_ASCII,
};

/* The longest PDU: Application Protocol V1.1b3, section 4.1. */
#define MAX_PDU_BYTES 253u
/* The longest frame, an ASCII one: colon, two digits for each of unit, PDU and LRC, CR LF. */
#define MAX_FRAME_BYTES (1u + 2u * (1u + MAX_PDU_BYTES + 1u) + 2u)

struct frame {
	uint16_t transaction; /* MBAP */
	uint8_t unit;
	uint8_t pdu[MAX_PDU_BYTES];
	size_t size;    /* of the PDU, at least 2 */
	size_t skipped; /* bytes before it that belong to nothing */
};

/* pdu has 1 to MAX_PDU_BYTES; ret has room for MAX_FRAME_BYTES. Returns the frame's size. */
size_t frame_build(enum framing framing, uint16_t transaction, uint8_t unit, const uint8_t *pdu,
		   size_t size, uint8_t *ret);

/* What an answer is waited for: in RTU it can be told from noise only so. */
struct frame_wanted {
	uint8_t unit, function;
};

/*
 * The first frame in what has come so far. ended: the line has been quiet for
 * so long that a frame would have ended, which is what delimits RTU frames whose
 * function does not tell their length.
 *
 * Returns the bytes used up, skipped ones included; 0: it has begun, and more
 * bytes are to come; -EAGAIN: perhaps, if more bytes come, or none; -EBADMSG:
 * nothing of it is a frame. Size 0 is -EAGAIN. ret is untouched unless found.
 */
int frame_find(enum framing framing, const struct frame_wanted *wanted, const uint8_t *bytes,
	       size_t size, bool ended, struct frame *ret);

/* Bytes of which nothing is a frame: could the wanted one, damaged, be among them? */
bool frame_resembles(enum framing framing, const struct frame_wanted *wanted, const uint8_t *bytes, size_t size);
