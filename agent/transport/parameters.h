/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/clock.h"

/* Transmission parameters, RFC 7252 section 4.8. */
#define ACK_TIMEOUT_USEC (2 * USEC_PER_SEC)
#define ACK_RANDOM_USEC (ACK_TIMEOUT_USEC / 2) /* ACK_RANDOM_FACTOR 1.5 */
#define MAX_RETRANSMIT 4
#define MAX_TRANSMIT_WAIT_USEC (93 * USEC_PER_SEC)
#define EXCHANGE_LIFETIME_USEC (247 * USEC_PER_SEC)
#define PIGGYBACK_USEC (1 * USEC_PER_SEC) /* after that a request is acknowledged without its response */

/* Handshakes. */
#define HANDSHAKE_RETRANSMIT_MSEC 1000u     /* RFC 6347 section 4.2.4.1 */
#define HANDSHAKE_RESTARTS_SLOWER 4u         /* from that one on they come no slower */
#define HANDSHAKE_USEC (45 * USEC_PER_SEC)  /* to the last address of a name */
#define HANDSHAKE_TRY_USEC (10 * USEC_PER_SEC) /* to an address that others follow */
#define HANDSHAKE_FINISHED_USEC (15 * USEC_PER_SEC) /* for the peer's last flight: then the key is wrong, or we begin anew */
#define CLOCK_STEP_USEC (1 * USEC_PER_SEC)  /* wall against monotonic clock: more is a step */
#define DTLS_DATAGRAM_MAX 1232u             /* fits the IPv6 minimum MTU */

/* What a peer can make us hold. */
#define DATAGRAM_MAX 2048u          /* read from a socket; longer ones are cut and thus malformed */
#define READ_BATCH 8u               /* datagrams of one session in one turn */
#define CALLS_MAX 256u              /* of one session, waiting or in flight: -ENOBUFS */
#define EXCHANGES_MAX 32u           /* requests of one session without response: 5.03 */
#define ANSWERS_MAX 512u            /* kept by one session against duplicates */
#define ANSWERS_TOTAL_MAX 65536u    /* by all sessions; the oldest goes first */
#define SNAPSHOT_OBSERVATIONS_MAX 1024u      /* of one session, whose notifications may be block-wise */
#define RECENT_MAX 8u               /* NON notifications of one session that an RST can still name */

/* Block-wise transfer. */
#define BLOCK_SIZE_MAX 1024u
#define BLOCK_SIZE_MIN 16u
#define ASSEMBLIES_MAX 4u                /* bodies that one session sends us at a time; the oldest goes first */
#define ASSEMBLY_SIZE_MAX (8u << 20)     /* one body: 4.13 */
#define ASSEMBLY_TOTAL_MAX (64u << 20)   /* of all sessions, responses to us included: 4.13, -EFBIG */
#define RESPONSE_SIZE_MAX (8u << 20)     /* a response to us: -EFBIG */
#define SNAPSHOTS_MAX 4u                 /* bodies of one session that a peer fetches; the oldest goes first */
#define SNAPSHOT_TOTAL_MAX (64u << 20)   /* of all sessions: later blocks are read anew */
