/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/internal.h"

/* How calls come and go; flight.c has them sent and answered, request.c is what users call. */

/* ---- life ---- */

static struct call *free_call(struct call *c)
{
	if (!c)
		return NULL;
	transfer_done(c);
	free(c->newer);
	free(c);
	return NULL;
}

/* at: as long as both. */
static void copy_message(struct call *c, uint8_t *at, const struct buf *head, struct span body)
{
	c->head = at;
	c->head_size = head->size;
	c->body = at + head->size;
	c->body_size = body.n;
	memcpy(c->head, head->data, head->size);
	if (body.n > 0)
		memcpy(c->body, body.p, body.n);
}

/* In one piece with its message: thousands are made at once, each for a moment. */
static struct call *alloc_call(const struct buf *head, struct span body)
{
	struct call *c = malloc(sizeof(*c) + head->size + body.n);

	if (!c)
		return NULL;
	*c = (struct call){ 0 };
	copy_message(c, c->message, head, body);
	return c;
}

bool call_fits_one_message(size_t head_size, size_t body_size)
{
	/* The head has no token yet, if it is a request's. */
	return body_size <= BLOCK_SIZE_MAX &&
	       head_size + sizeof(((const struct call *)NULL)->token) + 1 + body_size <= MESSAGE_SIZE_MAX;
}

static int encode_head(struct buf *out, const struct message *m)
{
	struct message head = *m;

	head.payload = span_of(NULL, 0);
	out->size = 0;
	return message_encode(&head, out);
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
	r = encode_head(&s->transport->out, m);
	if (r < 0)
		return r;
	c = alloc_call(&s->transport->out, m->payload);
	if (!c)
		return -ENOMEM;
	c->session = s;
	c->kind = (uint8_t)kind;
	c->state = CALL_STATE_QUEUED;
	c->token_size = m->token_size;
	memcpy(c->token, m->token, sizeof(c->token));
	timer_init(&c->timer, s->transport->timers, call_on_timer, c);
	ticket_init(&c->ticket, TICKET_RESPONSE, call_on_granted);
	list_append(&s->calls, &c->node);
	s->n_calls++;
	*ret = c;
	return 0;
}

int call_replace(struct call *c, const struct message *m)
{
	struct buf *head = &c->session->transport->out;
	uint8_t *newer;
	int r;

	r = encode_head(head, m);
	if (r < 0)
		return r;
	if (!call_fits_one_message(head->size, m->payload.n))
		return -EMSGSIZE;
	newer = malloc(head->size + m->payload.n);
	if (!newer)
		return -ENOMEM;
	copy_message(c, newer, head, m->payload);
	free(c->newer);
	c->newer = newer;
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

void call_end_later(struct call *c)
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

static void collect_done(struct session *s)
{
	struct call *c;

	list_for_each(c, &s->transport->done, node) {
		if (c->session != s)
			continue;
		list_remove(&c->node);
		list_append(&s->ending, &c->node);
	}
}

/* One after the other from the front: the place that a call leaves may let others go, which ends them. */
static void collect_calls(struct session *s, int error)
{
	while (!list_is_empty(&s->calls)) {
		struct call *c = list_entry(s->calls.next, struct call, node);

		detach(c);
		c->state = CALL_STATE_DONE;
		c->error = error;
		list_append(&s->ending, &c->node);
	}
}

void call_stop_all(struct session *s, int error)
{
	collect_calls(s, error);
	if (s->freed)
		collect_done(s);
}

void call_run_ending(struct session *s)
{
	struct call *c;

	/* Handlers may make new calls, which are not meant, and free the session, which ends the rest first. */
	while (!list_is_empty(&s->ending)) {
		c = list_entry(s->ending.next, struct call, node);
		list_remove(&c->node);
		run_handler(c, c->error, NULL);
	}
}

void call_end_all(struct session *s, int error)
{
	call_stop_all(s, error);
	call_run_ending(s);
}

void call_discard(struct call *c)
{
	detach(c);
	free_call(c);
}

struct call *call_drop(struct call *c)
{
	if (c && !c->running)
		call_discard(c);
	return NULL;
}

struct call *call_cancel(struct call *c)
{
	struct session *s;

	if (!c || c->running)
		return NULL;
	s = c->session;
	call_discard(c);
	if (!s->freed)
		call_pump(s);
	return NULL;
}
