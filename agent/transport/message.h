/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * A CoAP message in parsed form (RFC 7252 section 3, options of 7641, 7959,
 * 8132, 9175). Coded and decoded with libcoap's public functions; the 4-byte
 * header and the token are done here.
 */

enum message_type {
	MESSAGE_CON = 0,
	MESSAGE_NON = 1,
	MESSAGE_ACK = 2,
	MESSAGE_RST = 3,
};

/* 4.04 -> CODE(4, 04) */
#define CODE(class, detail) ((uint8_t)(((class) << 5) | (detail)))
enum {
	CODE_EMPTY = 0,
	CODE_GET = 1,
	CODE_POST = 2,
	CODE_PUT = 3,
	CODE_DELETE = 4,
	CODE_FETCH = 5,
	CODE_IPATCH = 7,
};
static inline unsigned code_class(uint8_t code)
{
	return code >> 5;
}

/* Bounds of what is accepted and sent: more is a 4.00, never a crash. */
#define MESSAGE_SIZE_MAX 1152u /* bytes in one datagram (RFC 7252 section 4.6) */
#define MESSAGE_SEGMENTS_MAX 8u
#define MESSAGE_QUERIES_MAX 24u

struct message_block {
	bool present, more;
	uint32_t number;
	uint16_t size; /* bytes: 16..1024 */
};

/* Spans point into the datagram, or into memory of whoever builds the message. */
struct body_sink;

struct message {
	uint8_t type;
	uint8_t code;
	uint16_t id;
	uint8_t token_size;
	uint8_t token[8];
	uint8_t n_path;  /* Uri-Path of a request, Location-Path of a response */
	uint8_t n_query; /* Uri-Query of a request */
	struct span path[MESSAGE_SEGMENTS_MAX];
	struct span query[MESSAGE_QUERIES_MAX];
	int32_t content_format; /* -1: absent */
	int32_t accept;         /* -1: absent */
	int32_t observe;        /* -1: absent */
	int64_t size1, size2;   /* -1: absent */
	int64_t max_age;	/* seconds, of a response; -1: absent */
	struct message_block block1, block2;
	struct span etag, request_tag, echo; /* n == 0: absent, or p: an empty Request-Tag */
	uint16_t bad_option; /* first unrecognised critical option (-> 4.02), 0: none */
	struct span payload;
	struct body_sink *streamed; /* of a request: its body went there (transport.h), and payload is empty */
};

/* Everything absent, code and type as given. */
void message_init(struct message *m, uint8_t type, uint8_t code);
int message_add_path(struct message *m, const char *segment);  /* -ENOBUFS when full */
int message_add_query(struct message *m, const char *query);   /* "lt=300"; the text must outlive the message */
/*
 * 0; -EBADMSG: a message format error (CON -> RST, else dropped), header
 * fields type and id are set whenever size >= 4 (below, type is NON); -EPROTO:
 * another protocol version, to be ignored silently (RFC 7252 section 3);
 * -ENOBUFS: too large, too many options or a reserved block size, to be
 * answered 4.00, header and token are set.
 */
int message_decode(const void *data, size_t size, struct message *ret);
/* Appends the datagram to out. -EMSGSIZE over MESSAGE_SIZE_MAX. */
int message_encode(const struct message *m, struct buf *out);
