/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct session;

/*
 * How datagrams of a session go over its connected socket. A channel reports
 * through session_secured(), session_received(), session_hint() and
 * session_channel_failed() of internal.h.
 */
struct channel_ops {
	bool handshakes; /* a start takes round trips and costs the server something */
	/* The socket is open. 1: ready. 0: session_secured() follows. -errno: this address fails. */
	int (*start)(struct session *s);
	/* A datagram that cannot go now is lost: reliability lies above. */
	void (*send)(struct session *s, const void *data, size_t size);
	void (*readable)(struct session *s);
	/* Before the socket is closed. goodbye: tell the peer. */
	void (*stop)(struct session *s, bool goodbye);
	/* Forgets what would allow a resumption, and frees what start() made. */
	void (*forget)(struct session *s);
};

extern const struct channel_ops channel_udp;
extern const struct channel_ops channel_dtls;
