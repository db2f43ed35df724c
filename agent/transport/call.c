/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "transport/internal.h"

static void on_timer(struct timer *timer, void *userdata);
static void on_granted(struct ticket *ticket);

/* ---- life ---- */

static struct call *free_call(struct call *c)
{
	if (!c)
		return NULL;
	transfer_free(c->transfer);
	free(c->head);
	free(c->body);
	free(c);
	return NULL;
}

static int copy_bytes(const void *data, size_t size, uint8_t **ret)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (!copy)
		return -ENOMEM;
	if (size > 0)
		memcpy(copy, data, size);
	*ret = copy;
	return 0;
}

static int copy_message(struct call *c, const struct message *m)
{
	struct buf *out = &c->session->transport->out;
	struct message head = *m;
	int r;

	head.payload = span_of(NULL, 0);
	out->size = 0;
	r = message_encode(&head, out);
	if (r >= 0)
		r = copy_bytes(out->data, out->size, &c->head);
	if (r < 0)
		return r;
	c->head_size = out->size;
	if (m->payload.n == 0)
		return 0;
	r = copy_bytes(m->payload.p, m->payload.n, &c->body);
	if (r >= 0)
		c->body_size = m->payload.n;
	return r;
}

int call_new(struct session *s, enum call_kind kind, const struct message *m, struct call **ret)
{
	struct call *c;
	int r;

	/* Responses are bounded by the requests that they answer. */
	if (kind != CALL_KIND_RESPONSE && s->n_calls >= CALLS_MAX)
		return -ENOBUFS;
	/* The timer cannot fail later on. */
	r = timers_reserve(s->transport->timers, 1);
	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->session = s;
	c->kind = (uint8_t)kind;
	c->state = CALL_STATE_QUEUED;
	c->token_size = m->token_size;
	memcpy(c->token, m->token, sizeof(c->token));
	r = copy_message(c, m);
	if (r < 0) {
		free_call(c);
		return r;
	}
	timer_init(&c->timer, s->transport->timers, on_timer, c);
	ticket_init(&c->ticket, TICKET_RESPONSE, on_granted);
	list_append(&s->calls, &c->node);
	s->n_calls++;
	*ret = c;
	return 0;
}

static void detach(struct call *c)
{
	struct session *s = c->session;

	timer_disarm(&c->timer);
	governor_cancel(s->governor, &c->ticket);
	list_remove(&c->node);
	if (c->state != CALL_STATE_DONE)
		s->n_calls--;
	if (s->outstanding == c)
		s->outstanding = NULL;
}

static void run_handler(struct call *c, int error, const struct message *response)
{
	c->running = true;
	if (c->acked)
		c->acked(c->userdata, error);
	else if (c->handler)
		c->handler(c->userdata, error, response);
	free_call(c);
}

void call_end(struct call *c, int error, const struct message *response)
{
	struct session *s = session_ref(c->session);

	detach(c);
	run_handler(c, error, response);
	if (!s->freed)
		call_pump(s);
	session_unref(s);
}

/* Ends a call inside its user's own call: the handler comes from the loop. */
static void end_later(struct call *c)
{
	struct transport *t = c->session->transport;

	detach(c);
	if (!c->handler && !c->referenced) {
		free_call(c);
		return;
	}
	c->state = CALL_STATE_DONE;
	list_append(&t->done, &c->node);
	timer_arm_in(&t->ready_timer, 0);
}

void call_run_done(struct call *c)
{
	struct session *s = session_ref(c->session);

	list_remove(&c->node);
	run_handler(c, c->error, NULL);
	session_unref(s);
}

static void collect_done(struct session *s, struct list *to)
{
	struct call *c;

	list_for_each(c, &s->transport->done, node) {
		if (c->session != s)
			continue;
		list_remove(&c->node);
		list_append(to, &c->node);
	}
}

void call_end_all(struct session *s, int error)
{
	struct list ending;
	struct call *c;

	/* Handlers may make new calls, which are not meant. */
	list_init(&ending);
	list_for_each(c, &s->calls, node) {
		detach(c);
		c->state = CALL_STATE_DONE;
		c->error = error;
		list_append(&ending, &c->node);
	}
	if (s->freed)
		collect_done(s, &ending);
	while (!list_is_empty(&ending)) {
		c = list_entry(ending.next, struct call, node);
		list_remove(&c->node);
		run_handler(c, c->error, NULL);
	}
}

struct call *call_cancel(struct call *c)
{
	struct session *s;

	if (!c || c->running)
		return NULL;
	s = c->session;
	detach(c);
	free_call(c);
	if (!s->freed)
		call_pump(s);
	return NULL;
}

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
		retransmit_start(&c->retransmit, random_u64());
		timer_arm_in(&c->timer, c->retransmit.timeout_usec);
	}
	put_on_wire(c);
}

static void transmit_unconfirmed(struct call *c)
{
	transmit(c);
	recent_add(c->session, c->id, c->token, c->token_size);
	end_later(c);
}

static void on_granted(struct ticket *ticket)
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
static void withdraw_others(struct session *s, const struct call *best)
{
	struct call *c;

	list_for_each(c, &s->calls, node)
		if (c != best && c->confirmable && c->ticket.state == TICKET_WAITING)
			governor_cancel(s->governor, &c->ticket);
}

void call_pump(struct session *s)
{
	struct call *c;

	if (s->state != SESSION_STATE_CONNECTED || s->outstanding)
		return;
	c = call_next(s);
	if (!c || c->ticket.state == TICKET_WAITING)
		return;
	withdraw_others(s, c);
	governor_transfer(&s->ticket, &c->ticket);
	if (governor_acquire(s->governor, &c->ticket, false))
		on_granted(&c->ticket);
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
	put_on_wire(c);
}

static void on_timer(struct timer *timer, void *userdata)
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

/* ---- the user's side ---- */

static const enum ticket_priority priorities[] = {
	[CALL_UPDATE] = TICKET_UPDATE,
	[CALL_NOTIFICATION] = TICKET_NOTIFICATION,
	[CALL_REGISTRATION] = TICKET_REGISTRATION,
};

static bool fits_one_message(const struct call *c)
{
	/* The head has no token yet, if it is a request's. */
	return c->body_size <= BLOCK_SIZE_MAX &&
	       c->head_size + sizeof(c->token) + 1 + c->body_size <= MESSAGE_SIZE_MAX;
}

int session_request(struct session *s, const struct message *request, enum call_priority priority,
		    call_handler handler, void *userdata, struct call **ret)
{
	struct call *c;
	int r;

	if (s->freed)
		return -ECANCELED;
	r = call_new(s, CALL_KIND_REQUEST, request, &c);
	if (r < 0)
		return r;
	c->confirmable = true;
	c->ticket.priority = priorities[priority];
	c->handler = handler;
	c->userdata = userdata;
	if (!fits_one_message(c)) {
		r = transfer_start(c);
		if (r < 0) {
			detach(c);
			free_call(c);
			return r;
		}
	}
	if (ret)
		*ret = c;
	session_input(s, SESSION_INPUT_SEND);
	call_pump(s);
	return 0;
}

/* The common case without an allocation: it goes now and nobody asks what became of it. */
static bool send_unconfirmed(struct session *s, const struct message *m)
{
	struct buf *out = &s->transport->out;
	struct message copy = *m;
	struct ticket ticket;

	ticket_init(&ticket, TICKET_NOTIFICATION, NULL);
	if (!governor_acquire(s->governor, &ticket, true)) {
		governor_cancel(s->governor, &ticket);
		return false;
	}
	copy.type = MESSAGE_NON;
	copy.id = session_take_id(s);
	out->size = 0;
	if (message_encode(&copy, out) < 0)
		return false; /* the long way finds the same and says so */
	session_send(s, out);
	recent_add(s, copy.id, copy.token, copy.token_size);
	return true;
}

static int queue_notification(struct session *s, const struct message *m, bool confirmable,
			      struct call **ret)
{
	struct call *c;
	int r;

	r = call_new(s, CALL_KIND_NOTIFICATION, m, &c);
	if (r < 0)
		return r;
	if (!fits_one_message(c)) {
		detach(c);
		free_call(c);
		return -EMSGSIZE;
	}
	c->confirmable = confirmable;
	c->ticket.priority = TICKET_NOTIFICATION;
	*ret = c;
	return 0;
}

int session_notify(struct session *s, const struct message *notification, bool confirmable,
		   call_handler handler, void *userdata, struct call **ret)
{
	struct message m = *notification;
	uint8_t etag[SNAPSHOT_ETAG_MAX];
	struct call *c;
	int r;

	if (s->freed || s->state != SESSION_STATE_CONNECTED)
		return -ENOTCONN;
	snapshot_cut_notification(s, &m, etag);
	if (!confirmable && !handler && !ret && send_unconfirmed(s, &m))
		return 0;
	r = queue_notification(s, &m, confirmable, &c);
	if (r < 0)
		return r;
	c->handler = handler;
	c->userdata = userdata;
	c->referenced = ret;
	if (ret)
		*ret = c;
	if (confirmable)
		call_pump(s);
	else if (governor_acquire(s->governor, &c->ticket, true))
		on_granted(&c->ticket);
	return 0;
}
