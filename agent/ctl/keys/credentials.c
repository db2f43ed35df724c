/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keys/credentials.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/keys/keyring.h"
#include "ctl/output/text.h"

#define LENGTH_MAX 64u

/* ---- shared ---- */

int credentials_length(const struct invocation *i, size_t *ret)
{
	const char *text = option_find(i, "length");
	uint64_t length = CREDENTIAL_BYTES;

	if (text && (parse_u64(text, &length) < 0 || length < CREDENTIAL_BYTES || length > LENGTH_MAX)) {
		fprintf(stderr, "fieldwayctl: --length: %u to %u bytes\n", CREDENTIAL_BYTES,
			LENGTH_MAX);
		return -EDOM;
	}
	*ret = (size_t)length;
	return 0;
}

int credentials_random(uint8_t *ret, size_t size)
{
	if (gnutls_rnd(GNUTLS_RND_KEY, ret, size) >= 0)
		return 0;
	fputs("fieldwayctl: GnuTLS gives no random bytes\n", stderr);
	return -EIO;
}

static int put_random(struct keyring *k, const char *identity, size_t length)
{
	uint8_t key[LENGTH_MAX];
	int r = credentials_random(key, length);

	if (r < 0)
		return r;
	r = keyring_put(k, identity, key, length);
	explicit_bzero(key, sizeof(key));
	if (r < 0) {
		fputs("fieldwayctl: ", stderr);
		text_print(stderr, identity);
		fprintf(stderr, ": %s\n",
			r == -EINVAL ? "this identity cannot stand in a psk-file" : strerror(-r));
	}
	return r;
}

/* Several endpoints may share an identity: then they share its key. */
int credentials_fill(struct keyring *k, const struct target_server *s, size_t length, bool all,
		     size_t *ret_n)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < s->n && r >= 0; i++) {
		if (!all && keyring_has(k, s->keys[i].identity))
			continue;
		r = put_random(k, s->keys[i].identity, length);
		n += r >= 0;
	}
	*ret_n = n;
	return r;
}

/* ---- the command ---- */

static const struct {
	const char *name;
	int (*run)(const struct invocation *i);
} parts[] = {
	{ "create", credentials_create },
	{ "export", credentials_export },
	{ "rotate", credentials_rotate },
	{ "status", credentials_status },
};

static int run(const struct invocation *i)
{
	const char *what = i->arguments[0];

	for (size_t k = 0; k < ARRAY_SIZE(parts); k++)
		if (streq(parts[k].name, what))
			return exit_status(parts[k].run(i));
	fputs("fieldwayctl credentials: '", stderr);
	text_print(stderr, what);
	fputs("': create, export, rotate or status\n", stderr);
	return EXIT_USAGE;
}

static const struct command_option options[] = {
	{ "endpoint", "GLOB", "only endpoints of this name; of rotate only in a psk-file" },
	{ "length", "BYTES", "of new keys: 16 to 64 (16)" },
	{ "template", "NAME", "of export: leshan, csv, or a file with a text for each key (csv)" },
	{ "output", "FILE", "of export: where to, a new file that only you can read" },
	{ "pending", NULL, "of export: the keys that wait for a switch" },
	{ "switch", NULL, "of rotate: from now on the pending keys count" },
	{ "cancel", NULL, "of rotate: forget the pending keys" },
	CONFIGURATION_OPTIONS,
	{ 0 },
};

const struct command command_credentials = {
	.name = "credentials",
	.arguments = "create|export|rotate|status [SERVER...]",
	.help = "makes keys for all endpoints of a server, exports, changes, and lists them",
	.details =
		"For each SERVER (all that have keys, that of bootstrap: by the name bootstrap) in\n"
		"the file that its key: names, with the identities that the configuration makes.\n"
		"Screens show fingerprints, only export prints keys. Needs no daemon, and the right\n"
		"to write the file; a running fieldwayd uses a new key at its next handshake.\n"
		"\n"
		"create adds a random key for each identity that has none, or makes the master of\n"
		"derive:, or the one key of file:. What is there stays.\n"
		"\n"
		"rotate takes two steps, so that the server can learn the new keys in between. The\n"
		"first puts them beside the old ones, into FILE.pending; 'export --pending' gives\n"
		"them out; 'rotate --switch' puts them in force.\n"
		"\n"
		"status says which keys are in use, pending, or missing.\n"
		"\n"
		"A template is a text with {server} {uri} {endpoint} {name} {identity} {key}\n"
		"{key_base64}, also as {identity:json} or {identity:csv}, printed once for each key.\n"
		"leshan makes a JSON object on each line, each to be sent to Leshan's demo server\n"
		"by PUT to /api/security/clients.\n",
	.least = 1,
	.most = 100,
	.options = options,
	.completes = "=create,export,rotate,status server*",
	.run = run,
};
