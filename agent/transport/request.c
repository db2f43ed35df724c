/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "transport/internal.h"

/* Requests and notifications as their users make them. */

static const enum ticket_priority priorities[] = {
	[CALL_UPDATE] = TICKET_UPDATE,
	[CALL_NOTIFICATION] = TICKET_NOTIFICATION,
	[CALL_REGISTRATION] = TICKET_REGISTRATION,
};

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
	c->one_block = request->block2.present;
	c->ticket.priority = priorities[priority];
	c->handler = handler;
	c->userdata = userdata;
	if (!call_fits_one_message(c->head_size, c->body_size)) {
		r = transfer_start(c);
		if (r < 0) {
			call_discard(c);
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
	if (!call_fits_one_message(c->head_size, c->body_size)) {
		call_discard(c);
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
		call_on_granted(&c->ticket);
	return 0;
}

int call_supersede(struct call *c, const struct message *notification)
{
	struct session *s = c->session;
	struct message m = *notification;
	uint8_t etag[SNAPSHOT_ETAG_MAX];
	int r;

	snapshot_cut_notification(s, &m, etag);
	r = call_replace(c, &m);
	if (r < 0)
		return r;
	/* An RST to what went before ends the observation, too. */
	recent_add(s, c->id, c->token, c->token_size);
	c->id = session_take_id(s);
	return 0;
}
