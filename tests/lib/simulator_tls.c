/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

/* The server's side of Modbus with TLS: it wants a certificate that ca.pem has signed. */

struct simulator_tls {
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	bool ready;
};

static int load(const struct simulator *s, gnutls_certificate_credentials_t c)
{
	char ca[512], certificate[512], key[512];

	snprintf(ca, sizeof(ca), "%s/ca.pem", s->certificates);
	snprintf(certificate, sizeof(certificate), "%s/%s.pem", s->certificates, s->certificate);
	snprintf(key, sizeof(key), "%s/%s.key", s->certificates, s->certificate);
	if (gnutls_certificate_set_x509_trust_file(c, ca, GNUTLS_X509_FMT_PEM) <= 0)
		return -ENOENT;
	return gnutls_certificate_set_x509_key_file(c, certificate, key, GNUTLS_X509_FMT_PEM) < 0 ? -ENOENT : 0;
}

int simulator_tls_new(const struct simulator *s, int fd, struct simulator_tls **ret)
{
	struct simulator_tls *t = calloc(1, sizeof(*t));

	if (!t || gnutls_certificate_allocate_credentials(&t->credentials) < 0 ||
	    gnutls_init(&t->session, GNUTLS_SERVER | GNUTLS_NONBLOCK) < 0 || load(s, t->credentials) < 0) {
		simulator_tls_free(t);
		return -EPROTO;
	}
	gnutls_set_default_priority(t->session);
	gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->credentials);
	gnutls_certificate_server_set_request(t->session, GNUTLS_CERT_REQUIRE);
	gnutls_session_set_verify_cert(t->session, NULL, 0);
	gnutls_handshake_set_timeout(t->session, GNUTLS_INDEFINITE_TIMEOUT);
	gnutls_transport_set_int(t->session, fd);
	*ret = t;
	return 0;
}

void simulator_tls_free(struct simulator_tls *t)
{
	if (!t)
		return;
	if (t->session)
		gnutls_deinit(t->session);
	if (t->credentials)
		gnutls_certificate_free_credentials(t->credentials);
	free(t);
}

static ssize_t tls_errno(struct simulator_tls *t, ssize_t r)
{
	if (!gnutls_error_is_fatal((int)r))
		return -EAGAIN;
	gnutls_alert_send_appropriate(t->session, (int)r);
	return -EPROTO;
}

ssize_t simulator_tls_read(struct simulator_tls *t, uint8_t *bytes, size_t size)
{
	ssize_t r;

	if (!t->ready) {
		r = gnutls_handshake(t->session);
		if (r < 0)
			return tls_errno(t, r);
		t->ready = true;
	}
	r = gnutls_record_recv(t->session, bytes, size);
	return r < 0 ? tls_errno(t, r) : r;
}

ssize_t simulator_tls_write(struct simulator_tls *t, const uint8_t *bytes, size_t size)
{
	ssize_t r = gnutls_record_send(t->session, bytes, size);

	return r < 0 ? tls_errno(t, r) : 0;
}
