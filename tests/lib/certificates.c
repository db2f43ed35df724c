/* SPDX-License-Identifier: Apache-2.0 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/*
 * Makes the certificates that tests of TLS need, in a folder: ca.pem has signed
 * all but `stranger`, which other-ca.pem has. NAME.pem and NAME.key for each.
 */

#define DAY 86400
/* MODBUS/TCP Security V21: the role of a client. A UTF8String. */
#define ROLE_OID "1.3.6.1.4.1.50316.802.1"

struct made {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

static const struct row {
	const char *name, *issuer; /* NULL: itself, a CA */
	const char *host, *role;
	long from, until; /* days from now */
	const char *purpose; /* NULL: any */
} rows[] = {
	{ "ca", NULL, NULL, NULL, -400, 400, NULL },
	{ "other-ca", NULL, NULL, NULL, -400, 400, NULL },
	{ "server", "ca", "127.0.0.1", NULL, -1, 300, NULL },
	{ "named", "ca", "meter.example", NULL, -1, 300, NULL },
	{ "expired", "ca", "127.0.0.1", NULL, -300, -10, NULL },
	{ "future", "ca", "127.0.0.1", NULL, 20, 300, NULL },
	{ "stranger", "other-ca", "127.0.0.1", NULL, -1, 300, NULL },
	{ "gateway", "ca", "127.0.0.1", NULL, -1, 300, GNUTLS_KP_TLS_WWW_CLIENT },
	{ "client", "ca", NULL, "Operator", -1, 300, NULL },
	{ "expired-client", "ca", NULL, "Operator", -300, -10, NULL },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void must(int r)
{
	if (r >= 0)
		return;
	fprintf(stderr, "certificates: %s\n", gnutls_strerror(r));
	exit(1);
}

static void set_host(gnutls_x509_crt_t crt, const char *host)
{
	const unsigned char loopback[] = { 127, 0, 0, 1 };

	if (strcmp(host, "127.0.0.1") == 0)
		must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, loopback, sizeof(loopback),
							  GNUTLS_FSAN_SET));
	else
		must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host, (unsigned)strlen(host),
							  GNUTLS_FSAN_SET));
}

static void set_role(gnutls_x509_crt_t crt, const char *role)
{
	unsigned char der[32] = { 12, (unsigned char)strlen(role) };

	memcpy(der + 2, role, strlen(role));
	must(gnutls_x509_crt_set_extension_by_oid(crt, ROLE_OID, der, 2 + strlen(role), 0));
}

static void make(const struct row *row, size_t index, const struct made *issuer, struct made *ret)
{
	time_t now = time(NULL);
	unsigned char serial = (unsigned char)(index + 1);
	gnutls_x509_crt_t crt;

	must(gnutls_x509_privkey_init(&ret->key));
	must(gnutls_x509_privkey_generate(ret->key, GNUTLS_PK_ECDSA,
					  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	must(gnutls_x509_crt_init(&ret->crt));
	crt = ret->crt;
	must(gnutls_x509_crt_set_version(crt, 3));
	must(gnutls_x509_crt_set_serial(crt, &serial, 1));
	must(gnutls_x509_crt_set_activation_time(crt, now + row->from * DAY));
	must(gnutls_x509_crt_set_expiration_time(crt, now + row->until * DAY));
	must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, row->name,
					   (unsigned)strlen(row->name)));
	must(gnutls_x509_crt_set_key(crt, ret->key));
	must(gnutls_x509_crt_set_basic_constraints(crt, !row->issuer, -1));
	must(gnutls_x509_crt_set_key_usage(crt, row->issuer ? GNUTLS_KEY_DIGITAL_SIGNATURE : GNUTLS_KEY_KEY_CERT_SIGN));
	if (row->host)
		set_host(crt, row->host);
	if (row->purpose)
		must(gnutls_x509_crt_set_key_purpose_oid(crt, row->purpose, 0));
	if (row->role)
		set_role(crt, row->role);
	must(gnutls_x509_crt_sign2(crt, issuer->crt ? issuer->crt : crt, issuer->crt ? issuer->key : ret->key,
				   GNUTLS_DIG_SHA256, 0));
}

static void put(const char *folder, const char *name, const char *suffix, const gnutls_datum_t *text)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.%s", folder, name, suffix);
	umask(077);
	file = fopen(path, "we");
	if (!file || fwrite(text->data, 1, text->size, file) != text->size || fclose(file) != 0) {
		perror(path);
		exit(1);
	}
}

static void save(const char *folder, const char *name, const struct made *made)
{
	gnutls_datum_t text;

	must(gnutls_x509_crt_export2(made->crt, GNUTLS_X509_FMT_PEM, &text));
	put(folder, name, "pem", &text);
	gnutls_free(text.data);
	must(gnutls_x509_privkey_export2(made->key, GNUTLS_X509_FMT_PEM, &text));
	put(folder, name, "key", &text);
	gnutls_free(text.data);
}

int main(int argc, char **argv)
{
	struct made made[ROWS] = { 0 };
	const struct made nobody = { 0 };

	if (argc != 2) {
		fprintf(stderr, "certificates FOLDER\n");
		return 2;
	}
	for (size_t i = 0; i < ROWS; i++) {
		const struct made *issuer = &nobody;

		for (size_t j = 0; j < i; j++)
			if (rows[i].issuer && strcmp(rows[j].name, rows[i].issuer) == 0)
				issuer = &made[j];
		make(&rows[i], i, issuer, &made[i]);
		save(argv[1], rows[i].name, &made[i]);
	}
	for (size_t i = 0; i < ROWS; i++) {
		gnutls_x509_crt_deinit(made[i].crt);
		gnutls_x509_privkey_deinit(made[i].key);
	}
	return 0;
}
