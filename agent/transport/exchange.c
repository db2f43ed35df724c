/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/internal.h"

static void on_ack_due(struct timer *timer, void *userdata)
{
	exchange_acknowledge(userdata);
}

int exchange_new(struct session *s, const struct message *m, struct exchange **ret)
{
	struct exchange *e;
	int r;

	r = timers_reserve(s->transport->timers, 1);
	if (r < 0)
		return r;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->session = s;
	e->id = m->id;
	e->type = m->type;
	e->code = m->code;
	e->token_size = m->token_size;
	memcpy(e->token, m->token, sizeof(e->token));
	e->observe = m->observe;
	e->block1 = m->block1;
	e->block2 = m->block2;
	e->key = exchange_key(s->transport, m);
	timer_init(&e->ack_timer, s->transport->timers, on_ack_due, e);
	list_append(&s->exchanges, &e->node);
	s->n_exchanges++;
	*ret = e;
	return 0;
}

static void detach(struct exchange *e)
{
	if (!e->session)
		return;
	timer_disarm(&e->ack_timer);
	list_remove(&e->node);
	e->session->n_exchanges--;
	if (e->session->current == e)
		e->session->current = NULL;
	e->session = NULL;
}

void exchange_detach_all(struct session *s)
{
	struct exchange *e;

	list_for_each(e, &s->exchanges, node)
		detach(e);
}

struct exchange *exchange_find(struct session *s, uint16_t id)
{
	struct exchange *e;

	list_for_each(e, &s->exchanges, node)
		if (e->id == id)
			return e;
	return NULL;
}

static uint64_t hash_span(uint64_t hash, struct span span)
{
	uint16_t n = (uint16_t)span.n;

	return hash_bytes(hash_bytes(hash, &n, sizeof(n)), span.p, span.n);
}

uint64_t exchange_key(struct transport *t, const struct message *m)
{
	uint64_t hash = hash_bytes(t->hash_seed, &m->code, sizeof(m->code));

	for (unsigned i = 0; i < m->n_path; i++)
		hash = hash_span(hash, m->path[i]);
	hash = hash_bytes(hash, &m->accept, sizeof(m->accept));
	for (unsigned i = 0; i < m->n_query; i++)
		hash = hash_span(hash, m->query[i]);
	return hash;
}

/* RFC 7252 4.5 allows to run these again: they change nothing. */
static bool may_repeat(const struct exchange *e)
{
	return (e->code == CODE_GET || e->code == CODE_FETCH) && e->observe < 0;
}

static void keep(const struct exchange *e, const void *data, size_t size)
{
	if (!may_repeat(e))
		answer_keep(e->session, e->id, data, size);
}

void exchange_acknowledge(struct exchange *e)
{
	if (!e->session || e->type != MESSAGE_CON || e->acknowledged)
		return;
	timer_disarm(&e->ack_timer);
	e->acknowledged = true;
	session_send_empty(e->session, MESSAGE_ACK, e->id);
}

void exchange_repeat_ack(struct exchange *e)
{
	if (e->acknowledged)
		session_send_empty(e->session, MESSAGE_ACK, e->id);
}

void exchange_wait(struct exchange *e)
{
	if (e->type == MESSAGE_CON && !e->acknowledged)
		timer_arm_in(&e->ack_timer, PIGGYBACK_USEC);
}

/* A response that does not fit any message is our own fault. */
static int encode(struct message *m, struct buf *out)
{
	int r;

	out->size = 0;
	r = message_encode(m, out);
	if (r != -EMSGSIZE)
		return r;
	m->n_path = 0;
	m->content_format = -1;
	m->payload = span_of(NULL, 0);
	m->code = CODE(5, 00);
	out->size = 0;
	return message_encode(m, out);
}

static void send_at_once(struct exchange *e, struct message *m)
{
	struct session *s = e->session;
	struct buf *out = &s->transport->out;

	m->type = e->type == MESSAGE_CON ? MESSAGE_ACK : MESSAGE_NON;
	m->id = e->type == MESSAGE_CON ? e->id : session_take_id(s);
	if (encode(m, out) < 0)
		return;
	session_send(s, out);
	/* A duplicate NON is only dropped (RFC 7252 4.3). */
	keep(e, out->data, e->type == MESSAGE_CON ? out->size : 0);
}

static void keep_empty_ack(struct exchange *e)
{
	struct buf *out = &e->session->transport->out;
	struct message m;

	message_init(&m, MESSAGE_ACK, CODE_EMPTY);
	m.id = e->id;
	out->size = 0;
	if (message_encode(&m, out) >= 0)
		keep(e, out->data, out->size);
}

static int send_separately(struct exchange *e, const struct message *m,
			   void (*acked)(void *userdata, int error), void *userdata)
{
	struct call *c;
	int r;

	keep_empty_ack(e);
	r = call_new(e->session, CALL_KIND_RESPONSE, m, &c);
	if (r < 0)
		return r;
	c->confirmable = true;
	c->acked = acked;
	c->userdata = userdata;
	call_send_response(c);
	return 0;
}

static void complete(struct exchange *e, const struct message *response, struct message *m,
		     uint8_t etag[SNAPSHOT_ETAG_MAX])
{
	*m = *response;
	m->token_size = e->token_size;
	memcpy(m->token, e->token, sizeof(m->token));
	/* RFC 7959 2.3: the block that this answers; only 2.31 asks for more. */
	if (e->block1.present) {
		m->block1 = e->block1;
		if (m->code != CODE(2, 31))
			m->block1.more = false;
	}
	observation_note(e, m);
	snapshot_cut_response(e, m, etag);
}

void exchange_respond(struct exchange *e, const struct message *response,
		      void (*acked)(void *userdata, int error), void *userdata)
{
	uint8_t etag[SNAPSHOT_ETAG_MAX];
	struct message m;
	int r = e->session ? 0 : -ENOTCONN;
	bool separate = e->acknowledged && e->type == MESSAGE_CON;

	if (r == 0) {
		complete(e, response, &m, etag);
		if (separate)
			r = send_separately(e, &m, acked, userdata);
		else
			send_at_once(e, &m);
	}
	detach(e);
	free(e);
	if (acked && (r < 0 || !separate))
		acked(userdata, r);
}

void exchange_respond_code(struct exchange *e, uint8_t code)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, code);
	exchange_respond(e, &m, NULL, NULL);
}

void exchange_ignore(struct exchange *e)
{
	detach(e);
	free(e);
}
