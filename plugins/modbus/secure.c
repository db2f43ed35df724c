/* SPDX-License-Identifier: Apache-2.0 */
#include "secure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/lib/moment.h"
#include "plugins/lib/settings.h"
#include "wire.h"

/*
 * MODBUS/TCP Security V21: TLS 1.2 or newer. The suites that its small devices
 * have, RSA with AES-128-CBC and SHA-256, are not among GnuTLS's normal ones.
 */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+SHA256"

struct secure {
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	int fd;
	gnutls_typed_vdata_st wanted[2]; /* of the device's certificate */
	char why[160];
};

/* ---- credentials ---- */

static gnutls_datum_t datum_of(const struct fieldway_value *v)
{
	return (gnutls_datum_t){ .data = (unsigned char *)(uintptr_t)v->data, .size = (unsigned)v->size };
}

static int load_ca(gnutls_certificate_credentials_t c, const struct tls *tls, struct fieldway_error *error)
{
	gnutls_datum_t ca = datum_of(tls->ca);
	int n = gnutls_certificate_set_x509_trust_mem(c, &ca, GNUTLS_X509_FMT_PEM);

	if (n > 0)
		return 0;
	return setting_refuse(error, "tls.ca", "no certificate in PEM form: %s",
			      n < 0 ? gnutls_strerror(n) : "the file has none");
}

static bool is_certificate(const struct tls *tls)
{
	gnutls_datum_t text = datum_of(tls->certificate);
	gnutls_x509_crt_t *list = NULL;
	unsigned n = 0;
	int r = gnutls_x509_crt_list_import2(&list, &n, &text, GNUTLS_X509_FMT_PEM, 0);

	for (unsigned i = 0; r >= 0 && i < n; i++)
		gnutls_x509_crt_deinit(list[i]);
	gnutls_free(list);
	return r >= 0 && n > 0;
}

static int load_own(gnutls_certificate_credentials_t c, const struct tls *tls, struct fieldway_error *error)
{
	gnutls_datum_t certificate = datum_of(tls->certificate), key = datum_of(tls->key);
	int r;

	if (!is_certificate(tls))
		return setting_refuse(error, "tls.certificate", "no certificate in PEM form");
	r = gnutls_certificate_set_x509_key_mem(c, &certificate, &key, GNUTLS_X509_FMT_PEM);
	if (r >= 0)
		return 0;
	if (r == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
		return setting_refuse(error, "tls.key", "not the key of tls.certificate");
	return setting_refuse(error, "tls.key", "no private key in PEM form: %s", gnutls_strerror(r));
}

static int credentials_new(const struct tls *tls, gnutls_certificate_credentials_t *ret,
			   struct fieldway_error *error)
{
	gnutls_certificate_credentials_t c;
	int r;

	if (gnutls_certificate_allocate_credentials(&c) < 0)
		return -ENOMEM;
	r = load_ca(c, tls, error);
	if (r >= 0)
		r = load_own(c, tls, error);
	if (r < 0) {
		gnutls_certificate_free_credentials(c);
		return r;
	}
	*ret = c;
	return 0;
}

int secure_check(const struct tls *tls, struct fieldway_error *error)
{
	gnutls_certificate_credentials_t c;
	int r = credentials_new(tls, &c, error);

	if (r >= 0)
		gnutls_certificate_free_credentials(c);
	return r;
}

/* ---- why not ---- */

/* The day, by the clock of this machine: that one may be what is wrong. */
static void day_text(time_t t, char *ret, size_t size)
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(ret, size, "%Y-%m-%d", &tm) == 0)
		snprintf(ret, size, "?");
}

static time_t peer_time(const struct secure *s, time_t (*get)(gnutls_x509_crt_t crt))
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->session, &n);
	gnutls_x509_crt_t crt;
	time_t t = -1;

	if (!chain || n == 0 || gnutls_x509_crt_init(&crt) < 0)
		return t;
	if (gnutls_x509_crt_import(crt, chain, GNUTLS_X509_FMT_DER) >= 0)
		t = get(crt);
	gnutls_x509_crt_deinit(crt);
	return t;
}

/* Outside its time: when that was, and what day this machine takes it to be. */
static void why_time(struct secure *s, const char *what, time_t (*get)(gnutls_x509_crt_t crt))
{
	char day[16], today[16];

	day_text(peer_time(s, get), day, sizeof(day));
	day_text(time(NULL), today, sizeof(today));
	snprintf(s->why, sizeof(s->why), "the device's certificate %s %s; today is %s", what, day, today);
}

static const struct {
	unsigned status;
	const char *text;
} verdicts[] = {
	{ GNUTLS_CERT_REVOKED, "the device's certificate has been revoked" },
	{ GNUTLS_CERT_UNEXPECTED_OWNER, "the device's certificate is for another name" },
	{ GNUTLS_CERT_SIGNER_NOT_FOUND, "the device's certificate is not signed by tls.ca" },
	{ GNUTLS_CERT_SIGNER_NOT_CA, "the signer of the device's certificate is no CA" },
	{ GNUTLS_CERT_INSECURE_ALGORITHM, "the device's certificate uses a weak algorithm" },
	{ GNUTLS_CERT_PURPOSE_MISMATCH, "the device's certificate is not one of a server" },
};

static void why_certificate(struct secure *s)
{
	unsigned status = gnutls_session_get_verify_cert_status(s->session);

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (status & verdicts[i].status) {
			snprintf(s->why, sizeof(s->why), "%s", verdicts[i].text);
			return;
		}
	}
	if (status & GNUTLS_CERT_EXPIRED)
		why_time(s, "expired on", gnutls_x509_crt_get_expiration_time);
	else if (status & GNUTLS_CERT_NOT_ACTIVATED)
		why_time(s, "is valid from", gnutls_x509_crt_get_activation_time);
	else
		snprintf(s->why, sizeof(s->why), "the device's certificate is not valid");
}

static int tls_failed(struct secure *s, int r)
{
	gnutls_alert_description_t alert;

	switch (r) {
	case GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR:
		why_certificate(s);
		return -ECONNREFUSED;
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		alert = gnutls_alert_get(s->session);
		snprintf(s->why, sizeof(s->why), "the device refuses: %.60s", gnutls_alert_get_name(alert));
		return -ECONNREFUSED;
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
	case GNUTLS_E_UNEXPECTED_PACKET:
	case GNUTLS_E_RECORD_OVERFLOW:
		snprintf(s->why, sizeof(s->why), "what the device says is not TLS");
		return -ECONNREFUSED;
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		return -ECONNRESET;
	default:
		snprintf(s->why, sizeof(s->why), "%.150s", gnutls_strerror(r));
		return -ECONNREFUSED;
	}
}

/* ---- the session ---- */

static bool is_address(const char *name)
{
	struct in6_addr room;

	return inet_pton(AF_INET, name, &room) == 1 || inet_pton(AF_INET6, name, &room) == 1;
}

static unsigned char *bytes_of(const char *text)
{
	return (unsigned char *)(uintptr_t)text;
}

/* name has to live until the handshake is over. */
static int session_set_up(struct secure *s, const char *name)
{
	int r = gnutls_init(&s->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

	if (r >= 0)
		r = gnutls_priority_set_direct(s->session, PRIORITIES, NULL);
	if (r >= 0)
		r = gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE, s->credentials);
	/* RFC 6066, section 3: an address is no server name. */
	if (r >= 0 && !is_address(name))
		r = gnutls_server_name_set(s->session, GNUTLS_NAME_DNS, name, strlen(name));
	if (r < 0)
		return r;
	s->wanted[0] = (gnutls_typed_vdata_st){ .type = GNUTLS_DT_DNS_HOSTNAME, .data = bytes_of(name) };
	s->wanted[1] = (gnutls_typed_vdata_st){ .type = GNUTLS_DT_KEY_PURPOSE_OID,
						.data = bytes_of(GNUTLS_KP_TLS_WWW_SERVER) };
	gnutls_session_set_verify_cert2(s->session, s->wanted, 2, 0);
	gnutls_transport_set_int(s->session, s->fd);
	gnutls_handshake_set_timeout(s->session, GNUTLS_INDEFINITE_TIMEOUT);
	return 0;
}

/* A peer can keep the session busy with records that lead nowhere. */
static int wait_session(struct secure *s, uint64_t deadline_usec)
{
	if (moment_now_usec() >= deadline_usec)
		return -ETIMEDOUT;
	return wire_wait(s->fd, gnutls_record_get_direction(s->session) ? POLLOUT : POLLIN, deadline_usec);
}

static int shake_hands(struct secure *s, uint64_t deadline_usec)
{
	for (;;) {
		int r = gnutls_handshake(s->session);

		if (r == GNUTLS_E_SUCCESS)
			return 0;
		if (gnutls_error_is_fatal(r)) {
			r = tls_failed(s, r);
			if (r == -ECONNRESET)
				snprintf(s->why, sizeof(s->why), "the device closed the connection in the handshake");
			return r;
		}
		r = wait_session(s, deadline_usec);
		if (r < 0) {
			snprintf(s->why, sizeof(s->why), "the device does not answer the handshake");
			return r;
		}
	}
}

int secure_open(const struct tls *tls, int fd, const char *name, uint64_t deadline_usec,
		struct secure **ret, char *why, size_t size)
{
	struct secure *s = calloc(1, sizeof(*s));
	struct fieldway_error error = { 0 };
	int r;

	if (!s) {
		snprintf(why, size, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	s->fd = fd;
	r = credentials_new(tls, &s->credentials, &error);
	if (r < 0) {
		snprintf(s->why, sizeof(s->why), "%.150s", error.text);
	} else {
		r = session_set_up(s, name);
		r = r < 0 ? tls_failed(s, r) : shake_hands(s, deadline_usec);
	}
	if (r < 0) {
		snprintf(why, size, "%s", s->why);
		secure_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct secure *secure_close(struct secure *s)
{
	if (!s)
		return NULL;
	if (s->session) {
		(void)gnutls_bye(s->session, GNUTLS_SHUT_WR);
		gnutls_deinit(s->session);
	}
	if (s->credentials)
		gnutls_certificate_free_credentials(s->credentials);
	free(s);
	return NULL;
}

/* A device that refuses a client of TLS 1.3 says so, and hangs up, while the client sends already. */
static int send_failed(struct secure *s, int r)
{
	uint8_t byte;
	ssize_t said = gnutls_record_recv(s->session, &byte, sizeof(byte));

	return tls_failed(s, said == GNUTLS_E_FATAL_ALERT_RECEIVED ? (int)said : r);
}

int secure_send(struct secure *s, const uint8_t *bytes, size_t size, uint64_t deadline_usec)
{
	while (size > 0) {
		ssize_t n = gnutls_record_send(s->session, bytes, size);
		int r = 0;

		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		} else if (gnutls_error_is_fatal((int)n)) {
			r = send_failed(s, (int)n);
		} else {
			r = wait_session(s, deadline_usec);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

ssize_t secure_receive(struct secure *s, uint8_t *bytes, size_t size)
{
	ssize_t n = gnutls_record_recv(s->session, bytes, size);

	if (n > 0)
		return n;
	if (n == 0)
		return -ECONNRESET;
	/* Tickets of TLS 1.3, key updates, and whatever is not yet whole. */
	return gnutls_error_is_fatal((int)n) ? tls_failed(s, (int)n) : -EAGAIN;
}

bool secure_pending(const struct secure *s)
{
	return gnutls_record_check_pending(s->session) > 0;
}

const char *secure_why(const struct secure *s)
{
	return s && s->why[0] ? s->why : NULL;
}
