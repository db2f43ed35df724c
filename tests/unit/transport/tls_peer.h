/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <gnutls/gnutls.h>

#include "transport/message.h"

/* A DTLS server behind the rig's plain socket, for one client at a time. */
struct tls_peer {
	gnutls_session_t tls;
	gnutls_psk_server_credentials_t credentials;
	gnutls_datum_t ticket_key;
	const char *priority;
	const char *identity, *secret; /* that it knows: "me", "secret" */
	gnutls_datum_t cookie_key;
	bool asks_cookie, cookie_asked, cookie_seen;
	bool corked;
	bool established, closed;
	int error;
	unsigned n_datagrams; /* read by GnuTLS */
};

extern struct tls_peer tls_peer;

#define TLS_PEER_PRIORITY "NORMAL:-VERS-ALL:+VERS-DTLS1.2:+PSK:+ECDHE-PSK:+AES-128-CCM-8"

/* priority NULL: TLS_PEER_PRIORITY. Tickets stay valid until tls_peer_done(). */
void tls_peer_start(const char *priority);
/* Forgets the connection, as after a restart; tickets stay valid unless forget_tickets. */
void tls_peer_restart(bool forget_tickets);
/* What it sends from now on goes as one datagram by the second of these. */
void tls_peer_cork(void);
void tls_peer_uncork(void);
void tls_peer_discard(void); /* it is lost instead */
/* The last record of it so far will not be authentic. */
void tls_peer_damage(void);
/* The first record of it goes now, by itself. */
void tls_peer_uncork_record(void);
/* The next handshake needs a HelloVerifyRequest. */
void tls_peer_ask_cookie(void);
void tls_peer_done(void);
/* Goes on with the handshake or reads a record: its size, 0 if there is none. */
ssize_t tls_peer_step(void *data, size_t size);
void tls_peer_receive(struct message *ret);
void tls_peer_send(const struct message *m);
