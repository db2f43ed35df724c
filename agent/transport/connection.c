/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/log.h"
#include "transport/internal.h"

/* Of a datagram: IP without options, and UDP. */
#define IPV4_HEADERS (20 + 8)
#define IPV6_HEADERS (40 + 8)

/* A session's connection: addresses, socket, states, failures. */

#define log_about(s) (&(struct log_about){ .endpoint = (s)->label })

/* ---- sockets ---- */

static void close_socket(struct session *s, bool goodbye)
{
	int fd;

	if (s->io.fd < 0)
		return;
	s->channel->stop(s, goodbye);
	fd = loop_remove(s->transport->loop, &s->io);
	close(fd);
}

static void on_input(struct loop_io *io, uint32_t events)
{
	struct session *s = session_ref(container_of(io, struct session, io));

	s->channel->readable(s);
	session_unref(s);
}

static int open_socket(struct session *s)
{
	struct address address = *name_address(s->name, s->address);
	int fd, r;

	address_set_port(&address, s->port);
	fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	s->headers = address.any.sa_family == AF_INET6 ? IPV6_HEADERS : IPV4_HEADERS;
	r = connect(fd, &address.any, address_size(&address)) < 0 ? -errno : 0;
	if (r >= 0)
		r = loop_add(s->transport->loop, &s->io, fd, on_input);
	if (r < 0)
		close(fd);
	return r;
}

static void start_channel(struct session *s)
{
	int r;

	close_socket(s, false);
	s->hint = 0;
	s->heard = false;
	r = open_socket(s);
	if (r >= 0)
		r = s->channel->start(s);
	if (r > 0)
		session_secured(s, false);
	else if (r < 0)
		session_channel_failed(s, r, -1);
}

static bool has_more_addresses(const struct session *s)
{
	return s->tried + 1u < name_count(s->name);
}

uint64_t session_handshake_usec(const struct session *s)
{
	return has_more_addresses(s) ? HANDSHAKE_TRY_USEC : HANDSHAKE_USEC;
}

/* ---- states ---- */

void session_on_admitted(struct ticket *ticket)
{
	/* Not at once: it may be another session's call that freed the place. */
	session_kick(container_of(ticket, struct session, ticket));
}

void session_on_resolved(struct name_waiter *waiter, int error)
{
	struct session *s = session_ref(container_of(waiter, struct session, waiter));

	if (error < 0)
		session_fail(s, error, -1);
	else
		session_input(s, SESSION_INPUT_RESOLVED);
	session_unref(s);
}

static void resolve(struct session *s)
{
	int r = name_lookup(s->name, &s->waiter);

	if (r < 0)
		session_fail(s, r, -1);
	else if (r > 0)
		session_input(s, SESSION_INPUT_RESOLVED);
}

static void enter_admitting(struct session *s)
{
	s->tried = 0;
	s->ticket.priority = call_best_priority(s);
	if (!s->channel->handshakes || governor_acquire(s->governor, &s->ticket, false))
		session_input(s, SESSION_INPUT_ADMITTED);
}

static void forget_connection(struct session *s)
{
	name_cancel(&s->waiter);
	governor_cancel(s->governor, &s->ticket);
	exchange_detach_all(s);
	answer_forget_all(s);
	assembly_forget_all(s);
	snapshot_forget_all(s);
	s->recent = recent_free(s->recent);
	s->has_last_response = false;
	s->moving = false;
}

static void enter_state(struct session *s, enum session_state state)
{
	log_debug(log_about(s), "Connection: %s -> %s", session_state_name(s->state),
		  session_state_name(state));
	s->state = (uint8_t)state;
	switch (state) {
	case SESSION_STATE_IDLE:
		close_socket(s, true);
		s->channel->forget(s);
		forget_connection(s);
		break;
	case SESSION_STATE_RESOLVING:
		session_kick(s);
		break;
	case SESSION_STATE_ADMITTING:
		enter_admitting(s);
		break;
	case SESSION_STATE_HANDSHAKING:
		start_channel(s);
		break;
	case SESSION_STATE_CONNECTED:
		s->next_id = (uint16_t)random_u64();
		break;
	case SESSION_STATE_FAILED:
		close_socket(s, false);
		name_forget(s->name);
		s->address++;
		forget_connection(s);
		break;
	}
}

void session_input(struct session *s, enum session_input input)
{
	int next = session_state_next(s->state, input);

	if (next >= 0 && !s->freed)
		enter_state(s, (enum session_state)next);
}

void session_fail(struct session *s, int error, int alert)
{
	if (s->freed || session_state_next(s->state, SESSION_INPUT_BROKEN) < 0)
		return;
	session_ref(s);
	if (error == -ETIMEDOUT && s->hint < 0)
		error = s->hint;
	session_input(s, SESSION_INPUT_BROKEN);
	call_stop_all(s, error);
	if (!s->freed && s->ops->event)
		s->ops->event(s->userdata, SESSION_FAILED, error, alert);
	call_run_ending(s);
	session_unref(s);
}

/* ---- from channels ---- */

void session_secured(struct session *s, bool resumed)
{
	session_input(s, SESSION_INPUT_SECURED);
	if (s->state != SESSION_STATE_CONNECTED)
		return;
	if (s->channel->handshakes) {
		s->counters.handshakes++;
		if (resumed)
			s->counters.resumptions++;
		session_proved_alive(s);
	}
	session_ref(s);
	/* Nobody has seen the address that did not answer: it was no context. */
	if (!s->moving && s->ops->event)
		s->ops->event(s->userdata, resumed ? SESSION_RESUMED : SESSION_NEW_CONTEXT, 0, -1);
	s->moving = false;
	if (!s->freed) {
		call_pump(s);
		/* The first call has taken the place over, if there was one. */
		governor_success(s->governor, &s->ticket);
	}
	session_unref(s);
}

void session_hint(struct session *s, int error)
{
	s->hint = error;
	if (!s->heard && has_more_addresses(s))
		session_kick(s);
}

/* A hint is reason enough to try another address of a server that has never answered from this one. */
static bool should_move(const struct session *s)
{
	if (s->hint >= 0 || s->heard || !has_more_addresses(s))
		return false;
	return s->state == SESSION_STATE_HANDSHAKING || s->state == SESSION_STATE_CONNECTED;
}

static void move(struct session *s)
{
	s->moving = s->state == SESSION_STATE_CONNECTED;
	s->tried++;
	s->address++;
	session_input(s, SESSION_INPUT_RETRY);
}

void session_network_changed(struct session *s)
{
	/* Names may mean something else in this network. */
	name_forget(s->name);
	s->recheck = s->io.fd >= 0;
	if (s->recheck)
		session_kick(s);
}

/* Whether the address that the socket sends from is still one of this machine. */
static bool local_address_is_gone(const struct session *s)
{
	struct address address;
	socklen_t n = sizeof(address);
	bool gone;
	int fd;

	if (s->io.fd < 0 || getsockname(s->io.fd, &address.any, &n) < 0)
		return false;
	address_set_port(&address, 0);
	fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	gone = bind(fd, &address.any, address_size(&address)) < 0 && errno == EADDRNOTAVAIL;
	close(fd);
	return gone;
}

static void check_network(struct session *s)
{
	if (!s->recheck)
		return;
	s->recheck = false;
	if (local_address_is_gone(s))
		session_fail(s, -ENETRESET, -1);
}

void session_serve(struct session *s)
{
	session_ref(s);
	check_network(s);
	if (s->state == SESSION_STATE_RESOLVING)
		resolve(s);
	else if (s->state == SESSION_STATE_ADMITTING && s->ticket.state == TICKET_HELD)
		session_input(s, SESSION_INPUT_ADMITTED);
	else if (should_move(s))
		move(s);
	if (!s->freed)
		call_pump(s);
	session_unref(s);
}

void session_channel_failed(struct session *s, int error, int alert)
{
	/* Answers of a server are final, silence and missing routes ask for its next address. */
	if (s->state == SESSION_STATE_HANDSHAKING && alert < 0 && error != -ENOKEY &&
	    ++s->tried < name_count(s->name)) {
		s->address++;
		session_input(s, SESSION_INPUT_RETRY);
		return;
	}
	if (s->state == SESSION_STATE_HANDSHAKING && error == -ETIMEDOUT)
		governor_loss(s->governor, &s->ticket);
	session_fail(s, error, alert);
}

void session_channel_restart(struct session *s)
{
	session_input(s, SESSION_INPUT_RETRY);
}
