/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "base/timer.h"
#include "transport/channel.h"
#include "transport/governor.h"
#include "transport/loop.h"
#include "transport/names.h"
#include "transport/netmon.h"
#include "transport/parameters.h"
#include "transport/retransmit.h"
#include "transport/state.h"
#include "transport/transport.h"

/* What the files of this module share. Nobody else includes it. */

struct dtls;
struct dtls_shared;
struct observations;
struct recent;
struct transfer;

struct transport {
	void (*network_changed)(void *userdata); /* NULL: nobody wants to know */
	void *network_userdata;
	struct timers *timers;
	struct loop *loop;
	struct names *names;
	struct netmon *netmon;    /* NULL where the kernel gives no news */
	struct list sessions;     /* all */
	struct dtls_shared *dtls; /* from the first secured session on */
	struct list ready;        /* sessions with work that must not run inside their user's call */
	struct list done;         /* calls that have ended and whose handlers are due */
	struct timer ready_timer;
	struct list answers;      /* of all sessions, oldest first */
	struct timer answers_timer;
	uint32_t n_answers;
	size_t assembling;        /* bytes of all bodies that come in */
	size_t snapshot_bytes;    /* of all bodies that peers fetch */
	uint64_t hash_seed;
	uint64_t jitter; /* state of transport_jitter() */
	struct buf out;           /* the datagram that is being made */
	struct buf flight;        /* of a handshake, likewise */
	uint8_t in[DATAGRAM_MAX];
};

struct session {
	struct loop_io io;
	struct transport *transport;
	struct governor *governor;
	const struct session_ops *ops;
	void *userdata;
	const char *label;
	const struct channel_ops *channel;
	struct dtls *dtls;
	session_psk_handler psk;
	char *psk_identity;
	struct name *name;
	struct name_waiter waiter;
	struct list all_node, ready_node;
	struct list calls;     /* ours, in the order made */
	struct list ending;    /* of them those whose handlers are due now */
	struct list exchanges; /* the peer's, unanswered */
	struct list answers;   /* given, oldest first */
	struct list assemblies, snapshots;
	struct call *outstanding; /* NSTART is 1 (RFC 7252 section 4.7) */
	struct exchange *current; /* in its handler */
	struct observations *observations;
	struct recent *recent;
	struct ticket ticket; /* for the handshake */
	uint64_t alive_usec, spoke_usec;
	struct session_counters counters;
	int hint; /* the last socket error since the peer proved alive, negative errno */
	uint32_t refs;
	uint16_t port;
	uint16_t next_id;
	uint16_t last_response_id; /* that we acknowledged */
	uint16_t n_calls, n_exchanges, n_answers;
	uint8_t state;
	uint8_t address; /* index of the one in use */
	uint8_t headers; /* bytes of IP and UDP before each datagram there */
	uint8_t tried;
	bool has_last_response, freed;
	bool heard;  /* anything came over this connection */
	bool recheck; /* addresses have come or gone */
	bool moving; /* to another address, unnoticed by the user */
};

/* Any number, good enough to spread retransmissions; a call of the kernel for each would cost as much as a message. */
uint64_t transport_jitter(struct transport *t);

/* ---- session.c, connection.c ---- */

struct session *session_ref(struct session *s);
struct session *session_unref(struct session *s);
/* The one door for state changes; effects of the new state happen before it returns. */
void session_input(struct session *s, enum session_input input);
/* The governor has a place for the handshake; the addresses are known. */
void session_on_admitted(struct ticket *ticket);
void session_on_resolved(struct name_waiter *waiter, int error);
/* Ends the connection and with it every call; error is a negative errno. */
void session_fail(struct session *s, int error, int alert);
/* Addresses of this machine have changed: fails the session, soon, if its own is gone. */
void session_network_changed(struct session *s);
/* Serves the session from the loop soon. */
void session_kick(struct session *s);
/* From transport.c: what session_kick() asked for. */
void session_serve(struct session *s);
/* Sends one datagram, counted. */
void session_send(struct session *s, const struct buf *datagram);
/* An empty message: ACK or RST. */
void session_send_empty(struct session *s, uint8_t type, uint16_t id);
/* From channels: a datagram of n bytes went, or came. */
void session_count_sent(struct session *s, size_t n);
void session_count_received(struct session *s, size_t n);
uint16_t session_take_id(struct session *s);
void session_proved_alive(struct session *s);

/* From channels. The handshake is done; resumed: with the keys of an older one. */
void session_secured(struct session *s, bool resumed);
void session_received(struct session *s, const void *data, size_t size); /* receive.c */
/* A socket error that anybody on the way may have caused: believed only when time confirms it. */
void session_hint(struct session *s, int error);
/* The handshake to this address failed, or an alert came. */
void session_channel_failed(struct session *s, int error, int alert);
/* The handshake shall start again at once, as if nothing had happened. */
void session_channel_restart(struct session *s);
/* How long the handshake to the address in use may take. */
uint64_t session_handshake_usec(const struct session *s);

/* ---- call.c, flight.c ---- */

enum call_kind {
	CALL_KIND_REQUEST,
	CALL_KIND_NOTIFICATION,
	CALL_KIND_RESPONSE, /* a separate one */
};

enum call_state {
	CALL_STATE_QUEUED,
	CALL_STATE_SENT,
	CALL_STATE_ACKED, /* the response comes later */
	CALL_STATE_DONE,
};

struct call {
	struct list node;
	struct session *session;
	call_handler handler;
	void (*acked)(void *userdata, int error); /* of a separate response, instead of handler */
	void *userdata;
	struct ticket ticket;
	struct timer timer;
	struct retransmit retransmit;
	struct transfer *transfer; /* block-wise state and Echo of a request, when there is any */
	uint8_t *head;  /* the message without payload, encoded */
	uint8_t *body;
	size_t head_size, body_size;
	int error;
	uint16_t id;
	uint8_t kind, state, token_size;
	uint8_t token[8];
	bool confirmable, running;
	bool one_block;  /* of a response; its user asks for the others itself */
	bool referenced; /* its user has a pointer */
	uint8_t *newer;	 /* head and body, in the place of message: a notification that superseded it */
	uint8_t message[]; /* head and body */
};

int call_new(struct session *s, enum call_kind kind, const struct message *m, struct call **ret);
/* Another message in the place of the one that the call has: -EMSGSIZE, -ENOMEM, and it keeps that. */
int call_replace(struct call *c, const struct message *m);
/* head_size: of the encoded message, with its token or still without. */
bool call_fits_one_message(size_t head_size, size_t body_size);
/* Takes the call out of everything and frees it; its handler is not run. */
void call_discard(struct call *c);
/* Ends a call well inside its user's own call: the handler comes from the loop. */
void call_end_later(struct call *c);
/* flight.c: the governor lets the call go, and its timer fires. */
void call_on_granted(struct ticket *ticket);
void call_on_timer(struct timer *timer, void *userdata);
/* Sends what may be sent now. */
void call_pump(struct session *s);
/* A separate response: at once, beside whatever else is in flight. */
void call_send_response(struct call *c);
/* Ends all calls of a session: first none of them goes on, then their handlers run. */
void call_stop_all(struct session *s, int error);
void call_run_ending(struct session *s);
void call_end_all(struct session *s, int error);
struct call *call_find_id(struct session *s, uint16_t id);
struct call *call_find_token(struct session *s, const uint8_t *token, uint8_t size);
void call_got_ack(struct call *c);
void call_got_reset(struct call *c);
void call_got_response(struct call *c, const struct message *response);
/* Takes the call out of everything, runs its handler and frees it. */
void call_end(struct call *c, int error, const struct message *response);
/* From the ready timer: the handler of a call that ended inside its user's call. */
void call_run_done(struct call *c);
enum ticket_priority call_best_priority(const struct session *s);
/* Highest rank among calls that wait, NULL if none. */
struct call *call_next(const struct session *s);

/* ---- transfer.c: block-wise requests of ours ---- */

void transfer_done(struct call *c);
/* The request is too large for one message: -ENOMEM. */
int transfer_start(struct call *c);
/* Sets options and payload of the next message. */
void transfer_fill(const struct call *c, struct message *m);
/*
 * Looks at a response: 1: it is the last one, and ret is complete with a
 * payload that lives in the call; 0: another message is to be sent; -errno: the
 * transfer failed.
 */
int transfer_take(struct call *c, const struct message *response, struct message *ret);

/* ---- recent.c: ids of unconfirmed notifications, so that an RST finds its observation ---- */

struct recent *recent_free(struct recent *r);
void recent_add(struct session *s, uint16_t id, const uint8_t *token, uint8_t size);
/* The token of an id, or NULL. Forgets it. */
const uint8_t *recent_take(struct session *s, uint16_t id, uint8_t *ret_size);

/* ---- exchange.c ---- */

struct exchange {
	struct list node;
	struct session *session; /* NULL: its connection is gone */
	struct timer ack_timer;
	uint64_t key;       /* of the resource, for snapshots */
	uint64_t body_hash; /* of the request's payload */
	struct message_block block1, block2;
	int32_t observe;
	uint16_t id;
	uint8_t type, code, token_size;
	uint8_t token[8];
	bool acknowledged;
};

/* A request that is no duplicate. */
int exchange_new(struct session *s, const struct message *m, struct exchange **ret);
struct exchange *exchange_find(struct session *s, uint16_t id);
/* An answer without payload of our own making. */
void exchange_respond_code(struct exchange *e, uint8_t code);
/* The handler has returned without a response. */
void exchange_wait(struct exchange *e);
void exchange_repeat_ack(struct exchange *e);
/* The connection is gone: responses go nowhere. */
void exchange_detach_all(struct session *s);
/* What names the resource and the form of its answer. */
uint64_t exchange_key(struct transport *t, const struct message *m);

/* ---- answers.c: what a duplicate request gets (RFC 7252 section 4.5) ---- */

struct answer;
/* size 0: silence. Without memory nothing is kept. */
void answer_keep(struct session *s, uint16_t id, const void *data, size_t size);
const struct answer *answer_find(const struct session *s, uint16_t id);
struct span answer_datagram(const struct answer *a);
void answer_forget_all(struct session *s);
void answer_expire(struct transport *t);

/* ---- assembly.c: bodies that the peer sends in blocks (Block1) ---- */

struct assembly;
/*
 * 1: the request is complete, its payload lies in *ret_body, which the caller
 * frees. 0: it has been answered.
 */
int assembly_take(struct exchange *e, struct message *m, struct buf *ret_body);
void assembly_forget_all(struct session *s);

/* ---- snapshot.c: bodies that the peer fetches in blocks (Block2) ---- */

struct snapshot;
/* Answers a request for a later block from a snapshot: true if there was one. */
bool snapshot_serve(struct exchange *e, const struct message *request);
/* Cuts the payload of a response and keeps the rest. Changes m; etag must live as long as m. */
#define SNAPSHOT_ETAG_MAX 8u
void snapshot_cut_response(struct exchange *e, struct message *m, uint8_t etag[SNAPSHOT_ETAG_MAX]);
void snapshot_cut_notification(struct session *s, struct message *m, uint8_t etag[SNAPSHOT_ETAG_MAX]);
void snapshot_forget_all(struct session *s);
/* Observations and which request their notifications answer. */
void observation_note(struct exchange *e, const struct message *response);
void observation_forget(struct session *s, const uint8_t *token, uint8_t size);

/* ---- block.c ---- */

/* The largest block size, at most limit, with which m (without its payload) still fits. */
uint16_t block_size_fit(const struct message *m, size_t payload_size, uint16_t limit);
/* One block of a body; false: it begins behind the end. */
bool block_cut(struct span body, uint32_t number, uint16_t size, struct message_block *ret_block,
	       struct span *ret);
uint64_t hash_bytes(uint64_t seed, const void *data, size_t size);

/* ---- dtls.c ---- */

struct dtls_shared *dtls_shared_free(struct dtls_shared *d);
