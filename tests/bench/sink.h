/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An LwM2M server that does as little as it can: answers Register, Update and
 * De-register, places requests, acknowledges, counts. Peers are told apart by
 * their port, as all are on loopback.
 */

#define SINK_DATAGRAM_MAX 2048
#define SINK_PORTS 65536
/* Requests under way at once. */
#define SINK_WINDOW 64u

struct sink_peer {
	struct sockaddr_in address;
	gnutls_session_t tls;
	/* The datagram in hand, for GnuTLS. */
	const uint8_t *in;
	size_t in_size;
	uint16_t last_id; /* of a confirmable message */
	uint16_t next_id;
	bool has_last, established;
	bool registered, host; /* host: the endpoint without devices */
};

struct sink_counters {
	uint64_t registers, updates, deletes;
	uint64_t repeats; /* a confirmable message that came once more */
	uint64_t non, con, bytes; /* notifications; bytes: of their CoAP messages */
	uint64_t answers, errors; /* to requests of ours: 2.xx and others */
	uint64_t handshakes;
};

struct sink {
	int fd;
	bool secure;
	struct sink_peer *peers[SINK_PORTS];
	struct sink_counters counters;
	/* DTLS */
	gnutls_datum_t cookie_key;
	gnutls_priority_t priority;
	gnutls_psk_server_credentials_t credentials;
	char suite[64];
	/* The round of requests. */
	const char *path, *text; /* text NULL: an Observe */
	unsigned next_port, waiting;
	unsigned nap_usec;
	/* `reach`: counter to be told about. */
	const uint64_t *reach;
	uint64_t reach_value;
};

/* sink_dtls.c */
int sink_dtls_open(struct sink *s, const char *priority);
/* Hands what the datagram holds to sink_take(). */
void sink_dtls_input(struct sink *s, const struct sockaddr_in *from, const uint8_t *data, size_t n);
void sink_dtls_close(struct sink *s);

/* sink.c */
struct sink_peer *sink_peer_get(struct sink *s, const struct sockaddr_in *from);
/* A CoAP message of a peer. */
void sink_take(struct sink *s, struct sink_peer *p, const uint8_t *data, size_t n);

/* ---- sink_wire.c: CoAP (RFC 7252), as much of it as is needed ---- */

enum { WIRE_CON, WIRE_NON, WIRE_ACK, WIRE_RST };
#define WIRE_CODE(class, detail) ((class) << 5 | (detail))
#define WIRE_PATH_MAX 8u

struct wire_text {
	const char *p;
	size_t n;
};

struct wire {
	uint8_t type, code, token_size;
	uint16_t id;
	const uint8_t *token;
	struct wire_text path[WIRE_PATH_MAX];
	unsigned n_path;
	struct wire_text endpoint; /* ep= */
};

/* False: no CoAP message. */
bool wire_parse(const uint8_t *data, size_t n, struct wire *ret);
bool wire_is(const struct wire_text *text, const char *expected);
/* Sizes of what was written to out, which has room for SINK_DATAGRAM_MAX. */
size_t wire_answer(uint8_t *out, const struct wire *request, uint8_t code, const char *location);
size_t wire_empty(uint8_t *out, uint8_t type, uint16_t id);
/* A CON; token: 2 bytes. text NULL: GET with Observe=0; else PUT of that as text/plain. */
size_t wire_request(uint8_t *out, uint16_t id, uint16_t token, const char *path, const char *text);
