/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "transport/internal.h"

/* What to do with a datagram (RFC 7252 sections 4.2 to 4.5). Nothing here trusts the peer. */

static void refuse(struct session *s, const struct message *m)
{
	if (m->type == MESSAGE_CON)
		session_send_empty(s, MESSAGE_RST, m->id);
}

static void reject_malformed(struct session *s, const struct message *m)
{
	s->counters.malformed++;
	refuse(s, m);
}

/* ---- requests ---- */

static bool is_duplicate(struct session *s, const struct message *m)
{
	struct exchange *e = exchange_find(s, m->id);
	const struct answer *a;

	if (e) {
		exchange_repeat_ack(e);
		return true;
	}
	a = answer_find(s, m->id);
	if (a && answer_datagram(a).n > 0) {
		struct buf *out = &s->transport->out;

		out->size = 0;
		if (buf_append(out, answer_datagram(a).p, answer_datagram(a).n) >= 0)
			session_send(s, out);
	}
	return a;
}

/* RFC 7252 5.4.1: a critical option that is not understood. */
static bool refuse_bad_option(struct exchange *e, const struct message *m)
{
	if (m->bad_option == 0)
		return false;
	if (m->type == MESSAGE_CON)
		exchange_respond_code(e, CODE(4, 2));
	else
		exchange_ignore(e);
	return true;
}

static void hand_over(struct session *s, struct exchange *e, const struct message *m)
{
	s->current = e;
	s->ops->request(s->userdata, e, m);
	/* It is still here if nobody has answered it. */
	if (s->current == e)
		exchange_wait(e);
	s->current = NULL;
}

static void process(struct session *s, struct exchange *e, struct message *m)
{
	_cleanup_buf_ struct buf body = { 0 };

	if (refuse_bad_option(e, m))
		return;
	if (m->code > CODE_IPATCH) {
		exchange_respond_code(e, CODE(4, 5));
		return;
	}
	if (assembly_take(e, m, &body) == 0)
		return;
	if (m->code == CODE_FETCH)
		e->body_hash = hash_bytes(0, m->payload.p, m->payload.n);
	if (!snapshot_serve(e, m))
		hand_over(s, e, m);
	else if (m->streamed)
		m->streamed->lost(m->streamed);
}

static void refuse_request(struct session *s, const struct message *m, uint8_t code)
{
	struct exchange *e;

	if (exchange_new(s, m, &e) >= 0)
		exchange_respond_code(e, code);
}

static void receive_request(struct session *s, struct message *m)
{
	struct exchange *e;

	if (is_duplicate(s, m)) {
		s->counters.duplicates++;
		return;
	}
	if (s->n_exchanges >= EXCHANGES_MAX) {
		refuse_request(s, m, CODE(5, 3));
		return;
	}
	if (exchange_new(s, m, &e) >= 0)
		process(s, e, m);
}

/* ---- responses ---- */

static void finish(struct call *c, const struct message *m)
{
	/* RFC 7252 5.4.1: a response that we cannot understand whole is none. */
	if (m->bad_option != 0)
		call_end(c, -EPROTO, NULL);
	else
		call_got_response(c, m);
}

static bool is_repeated_response(const struct session *s, const struct message *m)
{
	return s->has_last_response && s->last_response_id == m->id;
}

static void receive_response(struct session *s, const struct message *m)
{
	struct call *c = call_find_token(s, m->token, m->token_size);

	if (m->type == MESSAGE_CON) {
		if (!c && !is_repeated_response(s, m)) {
			refuse(s, m);
			return;
		}
		session_send_empty(s, MESSAGE_ACK, m->id);
		s->has_last_response = true;
		s->last_response_id = m->id;
	}
	if (c)
		finish(c, m);
}

static void receive_ack(struct session *s, const struct message *m)
{
	struct call *c = call_find_id(s, m->id);

	if (!c || !c->confirmable)
		return;
	if (m->code == CODE_EMPTY)
		call_got_ack(c);
	else if (code_class(m->code) >= 2 && c == call_find_token(s, m->token, m->token_size))
		finish(c, m);
	else
		s->counters.malformed++;
}

static void receive_reset(struct session *s, const struct message *m)
{
	struct call *c = call_find_id(s, m->id);
	const uint8_t *token;
	uint8_t size;

	if (m->code != CODE_EMPTY) {
		s->counters.malformed++;
		return;
	}
	if (c) {
		call_got_reset(c);
		return;
	}
	token = recent_take(s, m->id, &size);
	if (!token)
		return;
	observation_forget(s, token, size);
	if (s->ops->reset)
		s->ops->reset(s->userdata, token, size);
}

/* ---- all ---- */

static void receive_new(struct session *s, struct message *m)
{
	switch (code_class(m->code)) {
	case 0:
		if (m->code == CODE_EMPTY)
			refuse(s, m); /* a ping (RFC 7252 4.3) */
		else
			receive_request(s, m);
		break;
	case 2:
	case 4:
	case 5:
		receive_response(s, m);
		break;
	default:
		reject_malformed(s, m);
		break;
	}
}

static void receive_message(struct session *s, struct message *m)
{
	switch ((enum message_type)m->type) {
	case MESSAGE_CON:
	case MESSAGE_NON:
		receive_new(s, m);
		break;
	case MESSAGE_ACK:
		receive_ack(s, m);
		break;
	case MESSAGE_RST:
		receive_reset(s, m);
		break;
	}
}

/* Understood well enough to be told so. */
static void receive_oversized(struct session *s, const struct message *m)
{
	bool request = code_class(m->code) == 0 && (m->type == MESSAGE_CON || m->type == MESSAGE_NON);

	s->counters.malformed++;
	if (!request)
		refuse(s, m);
	else if (!is_duplicate(s, m))
		refuse_request(s, m, CODE(4, 0));
}

void session_received(struct session *s, const void *data, size_t size)
{
	struct message m;
	int r;

	s->counters.received_messages++;
	s->heard = true;
	s->hint = 0;
	r = message_decode(data, size, &m);
	if (r == 0)
		receive_message(s, &m);
	else if (r == -ENOBUFS)
		receive_oversized(s, &m);
	else if (r == -EBADMSG)
		reject_malformed(s, &m);
	else
		s->counters.malformed++;
}
