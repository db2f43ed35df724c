/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/backoff.h"
#include "transport/internal.h"

/* ---- sending ---- */

static int build(struct call *c, struct buf *out)
{
	struct message m;
	int r;

	r = message_decode(c->head, c->head_size, &m);
	if (r < 0)
		return r;
	m.type = c->confirmable ? MESSAGE_CON : MESSAGE_NON;
	m.id = c->id;
	m.token_size = c->token_size;
	memcpy(m.token, c->token, sizeof(m.token));
	m.payload = span_of(c->body, c->body_size);
	if (c->transfer)
		transfer_fill(c, &m);
	out->size = 0;
	return message_encode(&m, out);
}

static void put_on_wire(struct call *c)
{
	struct buf *out = &c->session->transport->out;

	if (build(c, out) >= 0)
		session_send(c->session, out);
}

static void new_token(struct call *c)
{
	c->token_size = sizeof(c->token);
	random_bytes(c->token, sizeof(c->token));
}

/* The next message of a call: the first one, or another block. */
static void transmit(struct call *c)
{
	c->id = session_take_id(c->session);
	c->state = CALL_STATE_SENT;
	if (c->kind == CALL_KIND_REQUEST)
		new_token(c);
	if (c->confirmable) {
		retransmit_start(&c->retransmit, transport_jitter(c->session->transport));
		timer_arm_in(&c->timer, c->retransmit.timeout_usec);
	}
	put_on_wire(c);
}

static void transmit_unconfirmed(struct call *c)
{
	transmit(c);
	recent_add(c->session, c->id, c->token, c->token_size);
	call_end_later(c);
}

void call_on_granted(struct ticket *ticket)
{
	struct call *c = container_of(ticket, struct call, ticket);

	if (!c->confirmable) {
		transmit_unconfirmed(c);
		return;
	}
	c->session->outstanding = c;
	transmit(c);
}

static bool waits_its_turn(const struct call *c)
{
	return c->state == CALL_STATE_QUEUED && c->confirmable && c->kind != CALL_KIND_RESPONSE;
}

struct call *call_next(const struct session *s)
{
	struct call *best = NULL;
	struct call *c;

	list_for_each(c, &s->calls, node)
		if (waits_its_turn(c) && (!best || c->ticket.priority < best->ticket.priority))
			best = c;
	return best;
}

enum ticket_priority call_best_priority(const struct session *s)
{
	const struct call *c = call_next(s);

	return c ? (enum ticket_priority)c->ticket.priority : TICKET_REGISTRATION;
}

/* Only the best call of a session stands in the governor's queue. */
static void withdraw_other(struct session *s, const struct call *best)
{
	struct call *c;

	list_for_each(c, &s->calls, node) {
		if (c == best || !c->confirmable || c->ticket.state != TICKET_WAITING)
			continue;
		/* It was alone there; the walk ends, as others may go now and be freed. */
		governor_cancel(s->governor, &c->ticket);
		return;
	}
}

void call_pump(struct session *s)
{
	struct call *c;

	if (s->state != SESSION_STATE_CONNECTED || s->outstanding)
		return;
	c = call_next(s);
	if (!c || c->ticket.state == TICKET_WAITING)
		return;
	withdraw_other(s, c);
	governor_transfer(&s->ticket, &c->ticket);
	if (governor_acquire(s->governor, &c->ticket, false))
		call_on_granted(&c->ticket);
}

void call_send_response(struct call *c)
{
	governor_force(c->session->governor, &c->ticket);
	transmit(c);
}

/* ---- what comes back ---- */

static void repeat(struct call *c)
{
	struct session *s = c->session;

	governor_loss(s->governor, &c->ticket);
	s->counters.retransmissions++;
	timer_arm_in(&c->timer, c->retransmit.timeout_usec);
	if (c->kind == CALL_KIND_NOTIFICATION && c->referenced && s->ops->repeat)
		s->ops->repeat(s->userdata, c);
	put_on_wire(c);
}

void call_on_timer(struct timer *timer, void *userdata)
{
	struct call *c = userdata;
	struct session *s = session_ref(c->session);

	if (c->state == CALL_STATE_SENT && retransmit_again(&c->retransmit))
		repeat(c);
	else if (c->state == CALL_STATE_ACKED || c->kind == CALL_KIND_RESPONSE)
		/* A server that is slow, or no longer wants an answer, is not gone. */
		call_end(c, -ETIMEDOUT, NULL);
	else
		session_fail(s, -ETIMEDOUT, -1);
	session_unref(s);
}

struct call *call_find_id(struct session *s, uint16_t id)
{
	struct call *c;

	list_for_each(c, &s->calls, node)
		if (c->state == CALL_STATE_SENT && c->id == id)
			return c;
	return NULL;
}

struct call *call_find_token(struct session *s, const uint8_t *token, uint8_t size)
{
	struct call *c;

	list_for_each(c, &s->calls, node)
		if (c->kind == CALL_KIND_REQUEST && c->token_size == size &&
		    (c->state == CALL_STATE_SENT || c->state == CALL_STATE_ACKED) &&
		    memcmp(c->token, token, size) == 0)
			return c;
	return NULL;
}

void call_got_ack(struct call *c)
{
	struct session *s = c->session;

	session_proved_alive(s);
	if (c->kind != CALL_KIND_REQUEST) {
		governor_success(s->governor, &c->ticket);
		call_end(c, 0, NULL);
		return;
	}
	c->state = CALL_STATE_ACKED;
	timer_arm_in(&c->timer, MAX_TRANSMIT_WAIT_USEC);
	/* RFC 7252 4.7: an acknowledged request is no longer outstanding. */
	if (s->outstanding == c)
		s->outstanding = NULL;
	governor_success(s->governor, &c->ticket);
	call_pump(s);
}

void call_got_reset(struct call *c)
{
	struct session *s = session_ref(c->session);
	uint8_t token[8], size = c->token_size;
	bool notification = c->kind == CALL_KIND_NOTIFICATION;

	memcpy(token, c->token, sizeof(token));
	session_proved_alive(s);
	governor_success(s->governor, &c->ticket);
	call_end(c, -ECONNRESET, NULL);
	if (notification)
		observation_forget(s, token, size);
	if (notification && !s->freed && s->ops->reset)
		s->ops->reset(s->userdata, token, size);
	session_unref(s);
}

void call_got_response(struct call *c, const struct message *response)
{
	struct session *s = c->session;
	struct message complete;
	int r;

	session_proved_alive(s);
	timer_disarm(&c->timer);
	governor_success(s->governor, &c->ticket);
	r = transfer_take(c, response, &complete);
	if (r == 0) {
		/* The next block takes the turn of this one. */
		if (s->outstanding == c)
			s->outstanding = NULL;
		c->state = CALL_STATE_QUEUED;
		call_pump(s);
		return;
	}
	call_end(c, r < 0 ? r : 0, r < 0 ? NULL : &complete);
}
