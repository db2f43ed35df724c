/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/transport/tls_peer.h"

#include <check.h>
#include <errno.h>
#include <gnutls/dtls.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/transport/rig.h"

struct tls_peer tls_peer;
static uint8_t record[2048];
static struct buf cork;

static int get_key(gnutls_session_t tls, const char *username, gnutls_datum_t *key)
{
	size_t size = strlen(tls_peer.secret);

	if (strcmp(username, tls_peer.identity) != 0)
		return -1;
	key->data = gnutls_malloc(size);
	key->size = (unsigned)size;
	memcpy(key->data, tls_peer.secret, size);
	return 0;
}

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t size)
{
	ssize_t n;

	if (tls_peer.corked)
		return buf_append(&cork, data, size) < 0 ? -1 : (ssize_t)size;
	n = sendto(rig.fd, data, size, 0, &rig.session_address.any, address_size(&rig.session_address));
	return n < 0 ? (ssize_t)size : n;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t size)
{
	socklen_t n = sizeof(rig.session_address);
	ssize_t r = recvfrom(rig.fd, data, size, 0, &rig.session_address.any, &n);

	tls_peer.n_datagrams += r > 0;
	return r;
}

static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	struct pollfd fd = { .fd = rig.fd, .events = POLLIN };

	return poll(&fd, 1, 0);
}

static void open_session(void)
{
	ck_assert_int_eq(gnutls_init(&tls_peer.tls, GNUTLS_SERVER | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK), 0);
	ck_assert_int_eq(gnutls_priority_set_direct(tls_peer.tls, tls_peer.priority, NULL), 0);
	ck_assert_int_eq(gnutls_credentials_set(tls_peer.tls, GNUTLS_CRD_PSK, tls_peer.credentials), 0);
	ck_assert_int_eq(gnutls_session_ticket_enable_server(tls_peer.tls, &tls_peer.ticket_key), 0);
	gnutls_transport_set_push_function(tls_peer.tls, push);
	gnutls_transport_set_pull_function(tls_peer.tls, pull);
	gnutls_transport_set_pull_timeout_function(tls_peer.tls, pull_timeout);
	tls_peer.established = tls_peer.closed = false;
	tls_peer.error = 0;
}

void tls_peer_start(const char *priority)
{
	tls_peer = (struct tls_peer){ .priority = priority ? priority : TLS_PEER_PRIORITY,
				      .identity = "me",
				      .secret = "secret" };
	ck_assert_int_eq(gnutls_psk_allocate_server_credentials(&tls_peer.credentials), 0);
	gnutls_psk_set_server_credentials_function(tls_peer.credentials, get_key);
	ck_assert_int_eq(gnutls_session_ticket_key_generate(&tls_peer.ticket_key), 0);
	open_session();
}

void tls_peer_restart(bool forget_tickets)
{
	gnutls_deinit(tls_peer.tls);
	if (forget_tickets) {
		gnutls_free(tls_peer.ticket_key.data);
		ck_assert_int_eq(gnutls_session_ticket_key_generate(&tls_peer.ticket_key), 0);
	}
	open_session();
}

void tls_peer_done(void)
{
	gnutls_deinit(tls_peer.tls);
	gnutls_psk_free_server_credentials(tls_peer.credentials);
	gnutls_free(tls_peer.ticket_key.data);
	gnutls_free(tls_peer.cookie_key.data);
}

void tls_peer_cork(void)
{
	tls_peer.corked = true;
}

static void push_corked(size_t size)
{
	tls_peer.corked = false;
	if (size > 0)
		ck_assert_int_eq(push(NULL, cork.data, size), (ssize_t)size);
}

void tls_peer_uncork(void)
{
	push_corked(cork.size);
	buf_done(&cork);
}

void tls_peer_discard(void)
{
	tls_peer.corked = false;
	buf_done(&cork);
}

void tls_peer_damage(void)
{
	cork.data[cork.size - 1] ^= 1;
}

void tls_peer_uncork_record(void)
{
	/* RFC 6347 4.1: the length stands at the end of 13 bytes. */
	size_t size = 13u + (size_t)(cork.data[11] << 8 | cork.data[12]);

	push_corked(size);
	cork.size -= size;
	memmove(cork.data, cork.data + size, cork.size);
	tls_peer.corked = true;
}

void tls_peer_ask_cookie(void)
{
	gnutls_free(tls_peer.cookie_key.data);
	ck_assert_int_eq(gnutls_key_generate(&tls_peer.cookie_key, GNUTLS_COOKIE_KEY_SIZE), 0);
	tls_peer.asks_cookie = true;
}

/* True when the client has shown its cookie; its ClientHello is then still to be read. */
static bool check_cookie(void)
{
	socklen_t n = sizeof(rig.session_address);
	gnutls_dtls_prestate_st state = { 0 };
	uint8_t data[2048];
	ssize_t size;
	int r;

	size = recvfrom(rig.fd, data, sizeof(data), MSG_PEEK, &rig.session_address.any, &n);
	if (size < 0)
		return false;
	r = gnutls_dtls_cookie_verify(&tls_peer.cookie_key, &rig.session_address.any, n, data, (size_t)size,
				      &state);
	if (r < 0) {
		gnutls_dtls_cookie_send(&tls_peer.cookie_key, &rig.session_address.any, n, &state, NULL, push);
		ck_assert_int_eq(recv(rig.fd, data, sizeof(data), 0), size);
		tls_peer.cookie_asked = true;
		return false;
	}
	gnutls_dtls_prestate_set(tls_peer.tls, &state);
	tls_peer.asks_cookie = false;
	tls_peer.cookie_seen = true;
	return true;
}

static void shake(void)
{
	int r;

	if (tls_peer.error < 0 || (tls_peer.asks_cookie && !check_cookie()))
		return;
	r = gnutls_handshake(tls_peer.tls);
	if (r == 0) {
		tls_peer.established = true;
	} else if (gnutls_error_is_fatal(r)) {
		tls_peer.error = r;
		gnutls_alert_send_appropriate(tls_peer.tls, r);
	}
}

ssize_t tls_peer_step(void *data, size_t size)
{
	ssize_t n;

	if (!tls_peer.established) {
		shake();
		return 0;
	}
	n = gnutls_record_recv(tls_peer.tls, data, size);
	if (n == 0)
		tls_peer.closed = true;
	return n < 0 ? 0 : n;
}

void tls_peer_receive(struct message *ret)
{
	ssize_t n;

	rig_until((n = tls_peer_step(record, sizeof(record))) > 0);
	ck_assert_int_eq(message_decode(record, (size_t)n, ret), 0);
}

void tls_peer_send(const struct message *m)
{
	_cleanup_buf_ struct buf out = { 0 };

	ck_assert_int_eq(message_encode(m, &out), 0);
	ck_assert_int_eq(gnutls_record_send(tls_peer.tls, out.data, out.size), (ssize_t)out.size);
}
