/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "plugins/lib/moment.h"
#include "stream_state.h"

/* Takes it out of the row. */
static struct fieldway_ticket *take_write(struct fieldway_session *s, size_t place)
{
	struct pending *w = &s->writes[place];
	struct fieldway_ticket *ticket = w->ticket;

	free(w->text);
	memmove(w, w + 1, (--s->n_writes - place) * sizeof(*w));
	return ticket;
}

static void end_write(struct fieldway_session *s, enum fieldway_outcome outcome, int error, const char *detail)
{
	struct fieldway_result result = { .error = outcome == FIELDWAY_ACCEPTED ? 0 : error };
	struct fieldway_ticket *ticket = take_write(s, 0);

	snprintf(result.detail, sizeof(result.detail), "%s", detail);
	if (s->writing)
		conversation_done(&s->conversation);
	s->writing = false;
	s->host->timer_set(s->answer, UINT64_MAX);
	/* What the port has not taken yet is nobody's any more. */
	if (s->watch)
		s->host->watch_set(s->watch, EPOLLIN);
	s->host->written(s->host, ticket, outcome, &result);
}

static void count_write(struct fieldway_session *s, bool failed, bool silent)
{
	s->host->count(s->host, s->writes[0].device, 1, failed, silent);
}

static void finish(struct fieldway_session *s)
{
	struct conversation *c = &s->conversation;

	count_write(s, c->state == CONVERSATION_FAILED, c->result.error == -ETIMEDOUT);
	end_write(s, conversation_outcome(c), c->result.error, c->result.detail);
}

static void begin(struct fieldway_session *s)
{
	const struct pending *w = &s->writes[0];
	const struct fieldway_driver *d = s->listeners[w->device].driver;
	char why[96] = "";

	if (moment_now_usec() >= w->deadline_usec) {
		end_write(s, FIELDWAY_NOT_SENT, -ETIMEDOUT, "other writes took until the deadline");
		return;
	}
	if (point_encode(&d->points[w->point], &w->value, &s->encoded, why, sizeof(why)) < 0) {
		end_write(s, FIELDWAY_NOT_SENT, -EINVAL, why);
		return;
	}
	s->writing = true;
	s->sent = 0;
	conversation_write(&s->conversation, d, w->point, &s->encoded);
}

static void arm_answer(struct fieldway_session *s)
{
	uint64_t end = moment_now_usec() + bus_wire_usec(&s->bus, s->bus.baud, (uint32_t)s->conversation.size) +
		       conversation_timeout_usec(&s->conversation);

	if (end > s->writes[0].deadline_usec)
		end = s->writes[0].deadline_usec;
	s->host->timer_set(s->answer, end);
}

/* Sends what the port takes. Returns 0 when something is left. */
static int send_more(struct fieldway_session *s)
{
	struct conversation *c = &s->conversation;

	while (s->sent < c->size) {
		ssize_t n = write(s->fd, c->bytes + s->sent, c->size - s->sent);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		c->sent = true;
		s->host->bytes(s->host, FIELDWAY_SENT, c->bytes + s->sent, (size_t)n);
		s->sent += (size_t)n;
	}
	return 1;
}

/* One step of the write under way. False: it waits for something. */
static bool go_on(struct fieldway_session *s)
{
	struct conversation *c = &s->conversation;
	int r;

	switch (c->state) {
	case CONVERSATION_SEND:
		r = send_more(s);
		if (r < 0) {
			stream_lost(s, r);
			return false;
		}
		s->host->watch_set(s->watch, r ? EPOLLIN : EPOLLIN | EPOLLOUT);
		arm_answer(s);
		if (r)
			conversation_sent(c);
		return r > 0;
	case CONVERSATION_LISTEN:
		return false;
	case CONVERSATION_DONE:
	case CONVERSATION_FAILED:
		finish(s);
		return true;
	}
	return false;
}

/* Is an answer still to be waited out that belongs to nobody? Not for a write that ends by it. */
static bool is_held(struct fieldway_session *s)
{
	uint64_t deadline = s->writes[0].deadline_usec, now = moment_now_usec();

	if (now >= s->quiet_usec || now >= deadline)
		return false;
	s->host->timer_set(s->answer, s->quiet_usec < deadline ? s->quiet_usec : deadline);
	return true;
}

void output_run(struct fieldway_session *s)
{
	bool more = true;

	while (more && s->connected && s->n_writes) {
		if (s->writing)
			more = go_on(s);
		else if (is_held(s))
			more = false;
		else
			begin(s);
	}
}

bool output_frame(struct fieldway_session *s, const struct fieldway_driver *d, const struct frame *frame,
		  uint64_t boottime_usec)
{
	if (!s->writing || s->conversation.driver != d || s->conversation.state != CONVERSATION_LISTEN)
		return false;
	return conversation_frame(&s->conversation, frame, boottime_usec);
}

void output_silence(struct fieldway_session *s)
{
	struct conversation *c = &s->conversation;

	if (!s->writing) {
		output_run(s);
		return;
	}
	if (c->state == CONVERSATION_LISTEN)
		s->quiet_usec = moment_now_usec() + conversation_timeout_usec(c);
	if (c->state == CONVERSATION_SEND && s->sent > 0) {
		/* A part is out, more of it may lie in the port: neither may become the beginning of the next one. */
		count_write(s, true, true);
		stream_lost(s, -ETIMEDOUT);
		return;
	}
	if (c->state == CONVERSATION_SEND)
		conversation_fail(c, -ETIMEDOUT, "the port does not take what is to be sent");
	else if (c->state == CONVERSATION_LISTEN && moment_now_usec() >= s->writes[0].deadline_usec)
		conversation_fail(c, -ETIMEDOUT, "no answer before the deadline");
	else if (c->state == CONVERSATION_LISTEN)
		conversation_silence(c);
	s->sent = 0;
	output_run(s);
}

void output_end(struct fieldway_session *s, size_t place, int error, const char *detail)
{
	struct fieldway_result result = { .error = error };
	bool sent = s->conversation.sent;

	if (place == 0 && s->writing) {
		/* Its answer may still come, and is nobody's. */
		if (sent)
			s->quiet_usec = moment_now_usec() + conversation_timeout_usec(&s->conversation);
		end_write(s, sent ? FIELDWAY_UNKNOWN : FIELDWAY_NOT_SENT, error, detail);
		return;
	}
	snprintf(result.detail, sizeof(result.detail), "%s", detail);
	s->host->written(s->host, take_write(s, place), FIELDWAY_NOT_SENT, &result);
}

void output_fail(struct fieldway_session *s, int error, const char *detail)
{
	if (s->writing)
		end_write(s, s->conversation.sent ? FIELDWAY_UNKNOWN : FIELDWAY_NOT_SENT, error, detail);
	while (s->n_writes)
		end_write(s, FIELDWAY_NOT_SENT, error, detail);
}

/* ---- the operation ---- */

static bool enqueue(struct fieldway_session *s, const struct pending *w)
{
	struct pending *own = &s->writes[s->n_writes];

	*own = *w;
	if (w->value.type == FIELDWAY_STRING || w->value.type == FIELDWAY_BYTES) {
		own->text = malloc(w->value.size + 1);
		if (!own->text)
			return false;
		memcpy(own->text, w->value.data, w->value.size);
		own->value.data = own->text;
	}
	s->n_writes++;
	return true;
}

static void refuse(struct fieldway_session *s, struct fieldway_ticket *ticket, int error, const char *detail)
{
	struct fieldway_result result = { .error = error };

	snprintf(result.detail, sizeof(result.detail), "%s", detail);
	s->host->written(s->host, ticket, FIELDWAY_NOT_SENT, &result);
}

void stream_write(struct fieldway_session *session, uint32_t device, uint32_t point,
		  const struct fieldway_value *value, uint64_t deadline_usec, struct fieldway_ticket *ticket)
{
	struct pending w = { .ticket = ticket, .device = device, .point = point, .value = *value,
			     .deadline_usec = deadline_usec };

	if (!session->connected)
		refuse(session, ticket, -ENODEV, session->reason[0] ? session->reason : "the port is not open yet");
	else if (session->n_writes == STREAM_WRITES_MAX)
		refuse(session, ticket, -EBUSY, "too many writes wait for their turn");
	else if (!enqueue(session, &w))
		refuse(session, ticket, -ENOMEM, "out of memory");
	else
		output_run(session);
}
