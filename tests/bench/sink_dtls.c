/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/bench/sink.h"

/* DTLS by GnuTLS, with a cookie as servers ask for one (RFC 6347 section 4.2.1). */

/* Everybody's key. */
#define KEY "fieldway-bench-1"

static int on_psk(gnutls_session_t tls, const char *identity, gnutls_datum_t *ret)
{
	ret->data = gnutls_malloc(sizeof(KEY) - 1);
	if (!ret->data)
		return -1;
	memcpy(ret->data, KEY, sizeof(KEY) - 1);
	ret->size = sizeof(KEY) - 1;
	return 0;
}

int sink_dtls_open(struct sink *s, const char *priority)
{
	if (gnutls_key_generate(&s->cookie_key, GNUTLS_COOKIE_KEY_SIZE) < 0 ||
	    gnutls_priority_init(&s->priority, priority, NULL) < 0 ||
	    gnutls_psk_allocate_server_credentials(&s->credentials) < 0)
		return -EINVAL;
	gnutls_psk_set_server_credentials_function(s->credentials, on_psk);
	s->secure = true;
	return 0;
}

struct cookie_target {
	int fd;
	const struct sockaddr_in *to;
};

static ssize_t push_cookie(gnutls_transport_ptr_t ptr, const void *data, size_t n)
{
	const struct cookie_target *t = ptr;

	return sendto(t->fd, data, n, 0, (const struct sockaddr *)t->to, sizeof(*t->to));
}

/* GnuTLS gives one pointer to both functions; the socket is the same for all. */
static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t n)
{
	struct sink_peer *p = ptr;
	const struct sink *s = gnutls_session_get_ptr(p->tls);

	return sendto(s->fd, data, n, 0, (const struct sockaddr *)&p->address, sizeof(p->address));
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t size)
{
	struct sink_peer *p = ptr;
	size_t n = p->in_size < size ? p->in_size : size;

	if (p->in_size == 0) {
		gnutls_transport_set_errno(p->tls, EAGAIN);
		return -1;
	}
	memcpy(data, p->in, n);
	p->in_size = 0;
	return (ssize_t)n;
}

static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	const struct sink_peer *p = ptr;

	return p->in_size > 0;
}

static bool accept_peer(struct sink *s, struct sink_peer *p, const uint8_t *data, size_t n)
{
	struct cookie_target target = { s->fd, &p->address };
	gnutls_dtls_prestate_st state = { 0 };
	uint8_t hello[SINK_DATAGRAM_MAX];
	gnutls_session_t tls;

	/* It takes the message as not constant. */
	memcpy(hello, data, n);
	if (gnutls_dtls_cookie_verify(&s->cookie_key, &p->address, sizeof(p->address), hello, n, &state) < 0) {
		gnutls_dtls_cookie_send(&s->cookie_key, &p->address, sizeof(p->address), &state, &target,
					push_cookie);
		return false;
	}
	if (gnutls_init(&tls, GNUTLS_SERVER | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK) < 0)
		return false;
	p->tls = tls;
	p->established = false;
	gnutls_priority_set(tls, s->priority);
	gnutls_credentials_set(tls, GNUTLS_CRD_PSK, s->credentials);
	gnutls_session_set_ptr(tls, s);
	gnutls_dtls_prestate_set(tls, &state);
	gnutls_transport_set_ptr(tls, p);
	gnutls_transport_set_push_function(tls, push);
	gnutls_transport_set_pull_function(tls, pull);
	gnutls_transport_set_pull_timeout_function(tls, pull_timeout);
	return true;
}

static void drop(struct sink_peer *p)
{
	gnutls_deinit(p->tls);
	p->tls = NULL;
	p->established = false;
}

static void note_suite(struct sink *s, gnutls_session_t tls)
{
	snprintf(s->suite, sizeof(s->suite), "%s-%s", gnutls_kx_get_name(gnutls_kx_get(tls)),
		 gnutls_cipher_get_name(gnutls_cipher_get(tls)));
}

static void shake(struct sink *s, struct sink_peer *p)
{
	int r = gnutls_handshake(p->tls);

	if (r == GNUTLS_E_SUCCESS) {
		p->established = true;
		if (s->counters.handshakes++ == 0)
			note_suite(s, p->tls);
	} else if (gnutls_error_is_fatal(r)) {
		fprintf(stderr, "sink: handshake: %s\n", gnutls_strerror(r));
		drop(p);
	}
}

static void read_records(struct sink *s, struct sink_peer *p)
{
	uint8_t plain[SINK_DATAGRAM_MAX];
	ssize_t n;

	while ((n = gnutls_record_recv(p->tls, plain, sizeof(plain))) > 0)
		sink_take(s, p, plain, (size_t)n);
	if (n == 0 || gnutls_error_is_fatal((int)n))
		drop(p);
}

void sink_dtls_input(struct sink *s, const struct sockaddr_in *from, const uint8_t *data, size_t n)
{
	struct sink_peer *p = sink_peer_get(s, from);

	if (!p->tls && !accept_peer(s, p, data, n))
		return;
	p->in = data;
	p->in_size = n;
	if (!p->established)
		shake(s, p);
	if (p->established)
		read_records(s, p);
}

void sink_dtls_close(struct sink *s)
{
	for (size_t i = 0; i < SINK_PORTS; i++)
		if (s->peers[i] && s->peers[i]->tls)
			drop(s->peers[i]);
	gnutls_psk_free_server_credentials(s->credentials);
	gnutls_priority_deinit(s->priority);
	gnutls_free(s->cookie_key.data);
}
