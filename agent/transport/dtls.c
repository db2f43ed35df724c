/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/dtls.h"

#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "transport/internal.h"
#include "transport/record.h"

/*
 * DTLS 1.2 with pre-shared keys (RFC 7925 section 4.2). GnuTLS retransmits its
 * flights when it is called; our timer says when. It measures by the wall
 * clock, so a step of that clock must not be mistaken for a dead server. It
 * refuses a list of suites without a signature, which PSK does not use.
 */
#define PRIORITY                                                                                 \
	"NONE:+VERS-DTLS1.2:+PSK:+ECDHE-PSK:+AES-128-CCM-8:+AES-128-CBC:+AEAD:+SHA256:"          \
	"+COMP-NULL:+GROUP-SECP256R1:+GROUP-X25519:+SIGN-ECDSA-SHA256"

#define TIMER_MIN_USEC (5 * USEC_PER_MSEC)
#define TIMER_MAX_USEC (5 * USEC_PER_SEC)

struct dtls_shared {
	gnutls_priority_t priority;
	gnutls_psk_client_credentials_t credentials;
};

struct dtls {
	gnutls_session_t tls; /* NULL: not connected */
	gnutls_datum_t resume;
	struct timer timer;
	uint64_t start_usec, start_realtime_usec; /* of the handshake */
	uint64_t finished_usec;                   /* our side has said everything, 0: not yet */
	uint64_t end_usec;
	int psk_error;
	unsigned restarts;
	bool established;
	bool invalid;     /* not to be resumed */
	bool repeated;    /* our ClientHello with the cookie has gone out once more */
	bool asked_again; /* and was answered by a request for another cookie */
	bool accepted;    /* the peer has answered our Finished: it knows the key */
	bool gathering;   /* records for one datagram */
	bool readable;    /* the loop says so, and nothing was read yet */
	bool silent;      /* there was nothing to read: that stays true until the next call */
	bool drained;     /* it has read all that there was */
};

bool dtls_clock_stepped(uint64_t monotonic_usec, uint64_t realtime_usec)
{
	uint64_t more = MAX(monotonic_usec, realtime_usec);

	return more - MIN(monotonic_usec, realtime_usec) > CLOCK_STEP_USEC;
}

/* ---- shared by all sessions ---- */

static void wipe_free(uint8_t *key, size_t size)
{
	if (key)
		explicit_bzero(key, size);
	free(key);
}

static int copy_datum(const void *data, size_t size, gnutls_datum_t *ret)
{
	ret->data = gnutls_malloc(size > 0 ? size : 1);
	if (!ret->data)
		return -ENOMEM;
	memcpy(ret->data, data, size);
	ret->size = (unsigned)size;
	return 0;
}

static int fill_psk(struct session *s, gnutls_datum_t *username, gnutls_datum_t *key)
{
	uint8_t *psk = NULL;
	size_t size = 0;
	int r;

	r = s->psk(s->userdata, &psk, &size);
	if (r < 0)
		return r;
	r = size > 0 ? copy_datum(psk, size, key) : -ENOKEY;
	wipe_free(psk, size);
	if (r < 0)
		return r;
	/* GnuTLS frees both, the key wiped. */
	return copy_datum(s->psk_identity, strlen(s->psk_identity), username);
}

static int on_psk(gnutls_session_t tls, gnutls_datum_t *username, gnutls_datum_t *key)
{
	struct session *s = gnutls_session_get_ptr(tls);

	*username = *key = (gnutls_datum_t){ 0 };
	s->dtls->psk_error = fill_psk(s, username, key);
	if (s->dtls->psk_error >= 0)
		return 0;
	gnutls_free(key->data);
	*key = (gnutls_datum_t){ 0 };
	return -1;
}

struct dtls_shared *dtls_shared_free(struct dtls_shared *d)
{
	if (!d)
		return NULL;
	gnutls_psk_free_client_credentials(d->credentials);
	gnutls_priority_deinit(d->priority);
	free(d);
	return NULL;
}

static int get_shared(struct transport *t, struct dtls_shared **ret)
{
	struct dtls_shared *d;

	if (!t->dtls) {
		d = calloc(1, sizeof(*d));
		if (!d)
			return -ENOMEM;
		if (gnutls_priority_init(&d->priority, PRIORITY, NULL) < 0 ||
		    gnutls_psk_allocate_client_credentials(&d->credentials) < 0) {
			gnutls_priority_deinit(d->priority);
			free(d);
			return -EOPNOTSUPP;
		}
		gnutls_psk_set_client_credentials_function2(d->credentials, on_psk);
		t->dtls = d;
	}
	*ret = t->dtls;
	return 0;
}

/* ---- under GnuTLS ---- */

static void send_datagram(struct session *s, const void *data, size_t size)
{
	ssize_t n = send(s->io.fd, data, size, MSG_NOSIGNAL);

	if (n > 0)
		session_count_sent(s, (size_t)n);
	else if (n < 0 && errno != EAGAIN)
		session_hint(s, -errno);
}

static void send_gathered(struct session *s)
{
	struct buf *flight = &s->transport->flight;

	if (flight->size > 0)
		send_datagram(s, flight->data, flight->size);
	flight->size = 0;
}

/*
 * RFC 6347 4.1.1 allows several records in a datagram. GnuTLS sends each by
 * itself, three for our last flight: a window of handshakes would overrun the
 * server's buffer, which counts datagrams rather than bytes.
 */
static bool gather(struct session *s, const void *data, size_t size)
{
	struct buf *flight = &s->transport->flight;

	if (!s->dtls->gathering)
		return false;
	if (flight->size + size > DTLS_DATAGRAM_MAX)
		send_gathered(s);
	return buf_append(flight, data, size) >= 0;
}

/* What cannot go is lost like any other datagram; GnuTLS must not keep it. */
static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t size)
{
	struct session *s = ptr;

	if (!gather(s, data, size))
		send_datagram(s, data, size);
	return (ssize_t)size;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t size)
{
	struct session *s = ptr;
	ssize_t n = recv(s->io.fd, data, size, 0);
	bool change;
	size_t sound;

	if (n > 0) {
		session_count_received(s, (size_t)n);
		sound = record_sound_part(data, (size_t)n, &change);
		s->dtls->accepted |= change;
		if (sound < (size_t)n)
			s->counters.malformed++;
		if (s->dtls->repeated && record_is_verify_request(data, sound))
			s->dtls->asked_again = true;
		if (sound > 0)
			return (ssize_t)sound;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		session_hint(s, -errno);
	s->dtls->drained = true;
	/* Nothing of use, which anybody can forge, is no end of file either. */
	gnutls_transport_set_errno(s->dtls->tls, EAGAIN);
	return -1;
}

/*
 * Never waits: the loop does that. GnuTLS looks twice before it decides to wait
 * for the peer's last flight. Would it find at the second time what it missed
 * at the first, it would take that for news that its own flight has arrived,
 * drop the flight, and not look at what it found: it would wait for a Finished
 * that it has.
 */
static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	struct session *s = ptr;
	struct pollfd fd = { .fd = s->io.fd, .events = POLLIN };
	int r;

	/* It asks each time that it is called, mostly because there is something. */
	if (s->dtls->readable) {
		s->dtls->readable = false;
		return 1;
	}
	if (s->dtls->silent)
		return 0;
	r = poll(&fd, 1, 0);
	s->dtls->silent = r == 0;
	return r;
}

/* ---- handshake ---- */

static void drop_resume(struct dtls *d)
{
	if (d->resume.data) {
		gnutls_memset(d->resume.data, 0, d->resume.size);
		gnutls_free(d->resume.data);
	}
	d->resume = (gnutls_datum_t){ 0 };
}

static void on_timer(struct timer *timer, void *userdata);
static void dtls_readable(struct session *s);

static int get_dtls(struct session *s, struct dtls **ret)
{
	int r;

	if (!s->dtls) {
		r = timers_reserve(s->transport->timers, 1);
		if (r < 0)
			return r;
		s->dtls = calloc(1, sizeof(*s->dtls));
		if (!s->dtls)
			return -ENOMEM;
		timer_init(&s->dtls->timer, s->transport->timers, on_timer, s);
	}
	*ret = s->dtls;
	return 0;
}

static int set_up(struct session *s, struct dtls *d, struct dtls_shared *shared)
{
	gnutls_session_t tls;
	uint64_t now_usec = clock_monotonic_usec();
	uint64_t left_usec = d->end_usec - MIN(now_usec, d->end_usec);

	if (gnutls_init(&tls, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK) < 0)
		return -ENOMEM;
	d->tls = tls;
	gnutls_session_set_ptr(tls, s);
	gnutls_transport_set_ptr(tls, s);
	gnutls_transport_set_push_function(tls, push);
	gnutls_transport_set_pull_function(tls, pull);
	gnutls_transport_set_pull_timeout_function(tls, pull_timeout);
	gnutls_dtls_set_mtu(tls, DTLS_DATAGRAM_MAX);
	gnutls_dtls_set_timeouts(tls, HANDSHAKE_RETRANSMIT_MSEC << MIN(d->restarts, HANDSHAKE_RESTARTS_SLOWER),
				 (unsigned)(left_usec / USEC_PER_MSEC));
	if (gnutls_priority_set(tls, shared->priority) < 0 ||
	    gnutls_credentials_set(tls, GNUTLS_CRD_PSK, shared->credentials) < 0)
		return -EOPNOTSUPP;
	if (d->resume.data)
		gnutls_session_set_data(tls, d->resume.data, d->resume.size);
	d->start_usec = now_usec;
	d->start_realtime_usec = clock_realtime_usec();
	d->finished_usec = 0;
	d->psk_error = 0;
	d->established = d->invalid = d->repeated = d->asked_again = d->accepted = false;
	return 0;
}

static void fail_handshake(struct session *s, int error, int alert)
{
	drop_resume(s->dtls);
	session_channel_failed(s, error, alert);
}

static void on_secured(struct session *s)
{
	struct dtls *d = s->dtls;
	bool resumed = gnutls_session_is_resumed(d->tls);

	/* Behind Finished there may be more in the same datagram. */
	timer_arm_in(&d->timer, 0);
	d->established = true;
	drop_resume(d);
	session_secured(s, resumed);
}

static bool clock_has_stepped(const struct dtls *d)
{
	return dtls_clock_stepped(clock_monotonic_usec() - d->start_usec,
				  clock_realtime_usec() - d->start_realtime_usec);
}

static void shake(struct session *s);

/*
 * The server has forgotten the handshake: it lost it, or ended it by an alert
 * that was lost. GnuTLS takes one HelloVerifyRequest and no other, and servers
 * made with it number all of theirs alike, so that they are dropped as
 * replayed: without a new ClientHello both would talk past each other until
 * the time is over. Each time takes a flight that was repeated: no faster.
 */
static void start_over(struct session *s)
{
	struct dtls *d = s->dtls;
	int r;

	gnutls_deinit(d->tls);
	d->tls = NULL;
	d->restarts++;
	r = set_up(s, d, s->transport->dtls);
	if (r < 0)
		fail_handshake(s, r, -1);
	else
		shake(s);
}

static bool is_overdue(const struct dtls *d, uint64_t now_usec)
{
	return d->finished_usec > 0 && now_usec - d->finished_usec >= HANDSHAKE_FINISHED_USEC;
}

static void wait_for_peer(struct session *s)
{
	struct dtls *d = s->dtls;
	uint64_t now_usec = clock_monotonic_usec();
	uint64_t wait_usec = gnutls_dtls_get_timeout(d->tls) * USEC_PER_MSEC + TIMER_MIN_USEC;

	if (d->finished_usec == 0 &&
	    gnutls_handshake_get_last_out(d->tls) == GNUTLS_HANDSHAKE_FINISHED)
		d->finished_usec = now_usec;
	/* It has answered all that it could read, and RFC 6347 4.1.2.7 has it drop the rest: a wrong key. */
	if (is_overdue(d, now_usec) && !d->accepted) {
		fail_handshake(s, -EACCES, -1);
		return;
	}
	/* Or what it said last was lost, and it does not say it again as 4.2.4 wants it to. */
	if (is_overdue(d, now_usec) || d->asked_again) {
		start_over(s);
		return;
	}
	timer_arm_in(&d->timer, MIN(wait_usec, TIMER_MAX_USEC));
}

/*
 * Our Finished is the first thing that the key protects. A peer with another
 * key ends the handshake there, by an alert that we in turn cannot read.
 */
static bool is_wrong_key(const struct dtls *d, int error)
{
	return gnutls_handshake_get_last_out(d->tls) == GNUTLS_HANDSHAKE_FINISHED &&
	       (error == GNUTLS_E_UNEXPECTED_PACKET || error == GNUTLS_E_DECRYPTION_FAILED);
}

static void give_up(struct session *s, int error)
{
	struct dtls *d = s->dtls;

	if (d->psk_error < 0)
		fail_handshake(s, d->psk_error, -1);
	else if (error == GNUTLS_E_TIMEDOUT)
		fail_handshake(s, -ETIMEDOUT, -1);
	else if (error == GNUTLS_E_FATAL_ALERT_RECEIVED)
		fail_handshake(s, -EACCES, (int)gnutls_alert_get(d->tls));
	else if (error == GNUTLS_E_MEMORY_ERROR)
		fail_handshake(s, -ENOMEM, -1);
	else if (is_wrong_key(d, error))
		fail_handshake(s, -EACCES, -1);
	else {
		gnutls_alert_send_appropriate(d->tls, error);
		fail_handshake(s, -EPROTO, -1);
	}
}

/*
 * RFC 6347 4.1.2.7: a broken record is dropped, and the session goes on. GnuTLS
 * says then that there is nothing, although more of the datagram may lie with
 * it, which the loop does not see.
 */
static bool is_worth_another_call(const struct dtls *d, ssize_t r)
{
	return r == GNUTLS_E_INTERRUPTED || (r == GNUTLS_E_AGAIN && !d->drained && !d->silent);
}

static int shake_once(struct dtls *d)
{
	d->silent = d->drained = false;
	return gnutls_handshake(d->tls);
}

static void shake(struct session *s)
{
	int r;

	s->dtls->gathering = true;
	r = shake_once(s->dtls);
	for (unsigned i = 0; i < READ_BATCH && is_worth_another_call(s->dtls, r); i++)
		r = shake_once(s->dtls);
	s->dtls->gathering = s->dtls->readable = false;
	send_gathered(s);
	if (r == GNUTLS_E_SUCCESS)
		on_secured(s);
	else if (!gnutls_error_is_fatal(r))
		wait_for_peer(s);
	else if (r == GNUTLS_E_TIMEDOUT && clock_has_stepped(s->dtls))
		session_channel_restart(s);
	else
		give_up(s, r);
}

/* As with confirmable messages, what is not answered in time goes on without a place. */
static void repeat_flight(struct session *s)
{
	struct dtls *d = s->dtls;

	governor_loss(s->governor, &s->ticket);
	d->repeated = gnutls_handshake_get_last_in(d->tls) == GNUTLS_HANDSHAKE_HELLO_VERIFY_REQUEST;
	shake(s);
}

static void on_timer(struct timer *timer, void *userdata)
{
	struct session *s = session_ref(userdata);
	struct dtls *d = s->dtls;

	if (d->established)
		dtls_readable(s);
	else if (clock_has_stepped(d))
		session_channel_restart(s);
	else if (clock_monotonic_usec() >= d->end_usec)
		give_up(s, GNUTLS_E_TIMEDOUT);
	else
		repeat_flight(s);
	session_unref(s);
}

static int dtls_start(struct session *s)
{
	struct dtls_shared *shared;
	struct dtls *d;
	int r;

	r = get_shared(s->transport, &shared);
	if (r < 0)
		return r;
	r = get_dtls(s, &d);
	if (r < 0)
		return r;
	d->restarts = 0;
	d->end_usec = clock_monotonic_usec() + session_handshake_usec(s);
	r = set_up(s, d, shared);
	if (r < 0)
		return r;
	shake(s);
	return 0;
}

/* ---- records ---- */

static void dtls_send(struct session *s, const void *data, size_t size)
{
	if (s->dtls->established)
		gnutls_record_send(s->dtls->tls, data, size);
}

/* False: nothing more to read now. */
static bool handle_record_error(struct session *s, ssize_t n)
{
	gnutls_session_t tls = s->dtls->tls;

	if (n == GNUTLS_E_AGAIN)
		return is_worth_another_call(s->dtls, n);
	if (n == 0) {
		session_channel_failed(s, -ECONNABORTED, GNUTLS_A_CLOSE_NOTIFY);
		return false;
	}
	if (n == GNUTLS_E_REHANDSHAKE)
		gnutls_alert_send(tls, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
	if (!gnutls_error_is_fatal((int)n))
		return true;
	/* RFC 5246 7.2.2: a session that ended by a fatal alert is not resumed. */
	s->dtls->invalid = true;
	if (n == GNUTLS_E_FATAL_ALERT_RECEIVED)
		session_channel_failed(s, -ECONNABORTED, (int)gnutls_alert_get(tls));
	else
		session_channel_failed(s, -EPROTO, -1);
	return false;
}

/* One record, cut like a datagram: GnuTLS would give the rest of a longer one as if it were another. */
static ssize_t read_record(struct dtls *d, uint8_t *in)
{
	uint8_t rest[512];
	ssize_t n;

	d->silent = d->drained = false;
	n = gnutls_record_recv(d->tls, in, DATAGRAM_MAX);

	while (n == DATAGRAM_MAX && gnutls_record_check_pending(d->tls) > 0)
		if (gnutls_record_recv(d->tls, rest, sizeof(rest)) <= 0)
			break;
	return n;
}

static void dtls_readable(struct session *s)
{
	if (!s->dtls->established) {
		s->dtls->readable = true;
		shake(s);
		return;
	}
	/* A datagram may hold many records, which the loop does not see once the first is read. */
	for (unsigned i = 0; i < READ_BATCH; i++) {
		uint8_t *in = s->transport->in;
		ssize_t n = read_record(s->dtls, in);

		if (n > 0)
			session_received(s, in, (size_t)n);
		else if (!handle_record_error(s, n))
			return;
		if (s->freed || s->state != SESSION_STATE_CONNECTED)
			return;
	}
	timer_arm_in(&s->dtls->timer, 0);
}

/* Only now: while the connection lasts, GnuTLS has all of it anyhow. */
static void save_resume(struct dtls *d)
{
	if (gnutls_session_get_data2(d->tls, &d->resume) < 0)
		d->resume = (gnutls_datum_t){ 0 };
}

static void dtls_stop(struct session *s, bool goodbye)
{
	struct dtls *d = s->dtls;

	if (!d || !d->tls)
		return;
	timer_disarm(&d->timer);
	if (d->established && goodbye)
		gnutls_bye(d->tls, GNUTLS_SHUT_WR);
	else if (d->established && !d->invalid)
		save_resume(d);
	gnutls_deinit(d->tls);
	d->tls = NULL;
	d->established = false;
}

static void dtls_forget(struct session *s)
{
	struct dtls *d = s->dtls;

	if (!d)
		return;
	timer_disarm(&d->timer);
	drop_resume(d);
	free(d);
	s->dtls = NULL;
}

const struct channel_ops channel_dtls = {
	.handshakes = true,
	.start = dtls_start,
	.send = dtls_send,
	.readable = dtls_readable,
	.stop = dtls_stop,
	.forget = dtls_forget,
};
