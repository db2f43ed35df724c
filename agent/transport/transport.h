/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "transport/message.h"
#include "transport/uri.h"

struct sd_event;
struct timers;

/*
 * What all sessions of a process share: the inner epoll, the name resolver's
 * thread, GnuTLS's priority cache and PSK callback, receive buffers.
 */
struct transport;
int transport_new(struct sd_event *event, struct timers *timers, struct transport **ret);
struct transport *transport_free(struct transport *t); /* after all sessions */

/*
 * A server as many sessions share it: the adaptive window over handshakes,
 * registrations, CONs and NON bursts, and the addresses of its name.
 */
struct governor;
int governor_new(struct transport *t, const char *server_name, struct governor **ret);
struct governor *governor_free(struct governor *g); /* after all its sessions */

/*
 * One account's association with one server: one socket, one (D)TLS session,
 * reliability, de-duplication, block-wise transfer. It connects by itself when
 * something is sent and reconnects after failures.
 */
struct session;
struct exchange; /* a request of the server that waits for its response */
struct call;     /* a request of ours, or a notification, that waits for its end */

enum session_security {
	SESSION_SECURITY_NONE,
	SESSION_SECURITY_PSK,
};

/*
 * Fetches the PSK for the handshake that starts now. ret_key is a malloc'd key
 * that the transport wipes and frees. Errors end the handshake attempt.
 */
typedef int (*session_psk_handler)(void *userdata, uint8_t **ret_key, size_t *ret_size);

struct session_config {
	struct transport *transport;
	struct governor *governor;
	const struct uri *uri;        /* copied */
	enum session_security security;
	const char *psk_identity;     /* copied */
	session_psk_handler psk;
	const char *label;            /* endpoint name for logs; must outlive the session */
};

enum session_event {
	/* The first datagram can go, or a new security context exists (handshake without resumption, or a new address without security). */
	SESSION_NEW_CONTEXT,
	/* The session was resumed: same security context. */
	SESSION_RESUMED,
	/*
	 * Name unresolvable, handshake failed, alert, peer silent: error is a
	 * negative errno. Behind it pending calls end with the same error; what
	 * is sent from here on starts a new connection.
	 */
	SESSION_FAILED,
};

/*
 * Whom the blocks of one request's body go to as they come, so that nobody holds
 * all of it. Embedded; lives until lost(), or until the request has been handed
 * over with it in message->streamed.
 */
struct body_sink {
	/* The next block. 0; -EBUSY: not now, and its sender repeats it; or the code to refuse the request with, then lost() follows. */
	int (*take)(struct body_sink *sink, struct span block);
	/* It does not become whole: it was refused, another one began, or its sender is gone. */
	void (*lost)(struct body_sink *sink);
};

/*
 * All callbacks come from the loop, never from inside session_request() or
 * session_notify(). They may call everything here, session_free() included.
 */
struct session_ops {
	/*
	 * error: negative errno with SESSION_FAILED: -ETIMEDOUT or the socket
	 * error that explains it (-ECONNREFUSED, -ENETUNREACH, ...), -EACCES
	 * handshake refused, by alert or because the peer cannot read what our
	 * key protects, -ENOKEY or what the psk handler returned, -EHOSTUNREACH
	 * name, -ENETRESET our address has gone, -ECONNABORTED closed by the peer's alert, -EPROTO. alert: TLS
	 * alert 0..255 or -1.
	 */
	void (*event)(void *userdata, enum session_event event, int error, int alert);
	/*
	 * A complete request (blocks put together, duplicates and bad options
	 * already dealt with). Ends with exactly one exchange_respond() or
	 * exchange_ignore(), at once or later. The message and its spans live
	 * until the handler returns.
	 */
	void (*request)(void *userdata, struct exchange *exchange, const struct message *request);
	/*
	 * The first block of a body that others follow has come. 0 and a sink:
	 * it goes there, and request() is called when it is whole; 0 and NULL: it is
	 * held here until then, within ASSEMBLY_SIZE_MAX; else the code to refuse the
	 * request with. NULL: all are held.
	 */
	uint8_t (*body)(void *userdata, const struct message *first, struct body_sink **ret);
	/* The server refused a notification by RST: its token. */
	void (*reset)(void *userdata, const uint8_t *token, uint8_t token_size);
	/*
	 * A CON notification was not acknowledged in time and is to go again: call
	 * is what session_notify() returned. call_supersede() is all that may be
	 * called here. NULL: it goes as it was.
	 */
	void (*repeat)(void *userdata, struct call *call);
};

/* ops is not copied. -EPROTONOSUPPORT: the URI's scheme; -EINVAL: security without identity or key. */
int session_new(const struct session_config *config, const struct session_ops *ops, void *userdata,
		struct session **ret);
/*
 * Ends every call with -ECANCELED, sends close_notify, closes. Never calls back
 * afterwards. Exchanges that wait for a response stay valid until it is given.
 */
struct session *session_free(struct session *s);
/* Closes the connection, pending calls end with -ECANCELED; the next send starts a new one (full handshake). */
void session_disconnect(struct session *s);
/* Monotonic time of the last message that proved the peer alive (an ACK or response to a CON, or a completed handshake); 0 if none. */
uint64_t session_alive_usec(const struct session *s);
/* Monotonic time of the last message of our own; 0 if none. */
uint64_t session_spoke_usec(const struct session *s);
/* Local address and port now in use, for /4 and logs; -ENOTCONN. */
int session_local_address(const struct session *s, char *ret, size_t size);

/* ---- answers to requests of the server ---- */

/*
 * Sends the response: piggybacked if the request is CON and no empty ACK has
 * gone out (one goes out by itself 1 s after the request), separate otherwise.
 * Payloads larger than a block go block-wise from a snapshot. The response's
 * type, id and token are filled in. acked (may be NULL) is called once when the
 * peer has it: at once for piggybacked ones and NONs, after the ACK of a
 * separate one, or with a negative errno: -ENOTCONN the connection that brought
 * the request is gone, -ECONNRESET the peer no longer wants it, -ETIMEDOUT.
 */
void exchange_respond(struct exchange *e, const struct message *response,
		      void (*acked)(void *userdata, int error), void *userdata);
/* The request is dropped without an answer (a CON is still acknowledged never: silence). */
void exchange_ignore(struct exchange *e);
/* May be called between request and response when a response will take longer: sends the empty ACK now. */
void exchange_acknowledge(struct exchange *e);

/* ---- our requests ---- */

enum call_priority { /* higher first in the governor's queue */
	CALL_UPDATE,
	CALL_NOTIFICATION,
	CALL_REGISTRATION,
};

/*
 * End of a call. error 0: response is the complete response (blocks put
 * together), or for a notification NULL: acknowledged, or sent if NON.
 * Otherwise negative errno: -ETIMEDOUT no answer after all retransmissions,
 * -ECONNRESET RST received, -ECANCELED, or what ended the session.
 */
typedef void (*call_handler)(void *userdata, int error, const struct message *response);

/*
 * Sends a CON request; token, id and blocks are ours. The message is copied.
 * *ret (may be NULL) is valid until the handler has run. Connects first if
 * needed. 0, or -ENOMEM, -EMSGSIZE, -ENOBUFS too many calls wait. An Echo that
 * the server asks for is repeated once (RFC 9175). A request with a Block2 of its
 * own gets that block alone: for bodies that nobody wants to hold.
 */
int session_request(struct session *s, const struct message *request, enum call_priority priority,
		    call_handler handler, void *userdata, struct call **ret);
/*
 * Sends a notification with its observe number; message->token names the
 * observation. At most one CON notification per session is in flight (NSTART
 * 1, RFC 7252 4.7); others wait in order. handler may be NULL. A large payload
 * goes as its first block; the GETs for the rest are answered from a snapshot.
 * A session that is not connected refuses with -ENOTCONN; -EMSGSIZE, -ENOBUFS,
 * -ENOMEM.
 */
int session_notify(struct session *s, const struct message *notification, bool confirmable,
		   call_handler handler, void *userdata, struct call **ret);
/*
 * From repeat(): a newer notification of the same token goes in its place, with
 * an id of its own, and the attempts and the time that are left (RFC 7641
 * 4.5.2). The message is copied. -EMSGSIZE, -ENOMEM: it goes as it was.
 */
int call_supersede(struct call *c, const struct message *notification);
/*
 * All observations have ended without a word to the server (by a Register).
 * Others end by what goes through here: cancel, RST, error notification.
 */
void session_forget_observations(struct session *s);
/* Forgets a call; its handler is not run. NULL is allowed. */
struct call *call_cancel(struct call *c);
/* Likewise, and what waits behind it goes no sooner than with the next request: the caller ends that too. */
struct call *call_drop(struct call *c);

/* Totals for /7 and statistics. */
struct session_counters {
	uint64_t sent_bytes, received_bytes;
	uint64_t sent_ip_bytes, received_ip_bytes; /* with headers up to that of IP (Core E.8) */
	uint32_t datagrams, largest;		   /* both ways; largest in bytes, without those headers */
	uint32_t sent_messages, received_messages, retransmissions, duplicates, malformed, handshakes, resumptions;
};
const struct session_counters *session_counters(const struct session *s);
/* The largest datagram is looked for anew. */
void session_forget_largest(struct session *s);
/*
 * Addresses, links or routes of this machine have changed; runs once for all
 * within a second. userdata NULL and handler NULL: nobody wants to know.
 */
void transport_watch_network(struct transport *t, void (*changed)(void *userdata), void *userdata);
