/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/registry/internal.h"

/* Packages by their URI. */

static int fetched_begin(void *userdata, uint64_t offset, uint64_t size, const char *etag)
{
	struct fetcher *f = userdata;

	return delivery_fetch_begin(f->delivery, offset, size, etag);
}

static int fetched_take(void *userdata, const void *data, size_t size)
{
	struct fetcher *f = userdata;

	return delivery_fetch_take(f->delivery, data, size);
}

static void fetched_trouble(void *userdata, const char *text)
{
	struct fetcher *f = userdata;

	delivery_fetch_trouble(f->delivery, text);
}

static void fetched(void *userdata, int error)
{
	struct fetcher *f = userdata;

	f->download = download_free(f->download);
	delivery_fetch_done(f->delivery, error);
}

static const struct download_ops download_ops = {
	.begin = fetched_begin, .take = fetched_take, .trouble = fetched_trouble, .done = fetched
};

/* An account of this machine at the server that has the package, too; NULL: there is none. */
static struct account *account_at(struct registry *r, const char *host)
{
	for (struct account *a = r->host.accounts; a; a = a->next)
		if (a->identity && strcasecmp(a->server->uri.host, host) == 0)
			return a;
	return NULL;
}

/* What YAML says of that host, before what is known of it otherwise; NULL: nothing. */
static const struct config_server *source_at(const struct fetcher *f, const char *host)
{
	const struct config_server *s = &f->package->source;
	struct uri uri;
	bool same;

	if (s->security != CONFIG_SECURITY_PSK || uri_parse(s->uri, &uri) < 0)
		return NULL;
	same = strcasecmp(uri.host, host) == 0;
	uri_done(&uri);
	return same ? s : NULL;
}

static int credentials_identity(void *userdata, const char *host, const char **ret)
{
	struct fetcher *f = userdata;
	const struct config_server *s = source_at(f, host);
	const struct account *a = account_at(f->registry, host);

	if (!s && !a)
		return -ENOKEY;
	free(f->identity);
	f->identity = s ? config_identity(s->psk_identity, endpoint_client_name(&f->registry->host)) : strdup(a->identity);
	if (!f->identity)
		return -ENOMEM;
	*ret = f->identity;
	return 0;
}

static int credentials_key(void *userdata, const char *host, uint8_t **ret_key, size_t *ret_size)
{
	const struct fetcher *f = userdata;
	const struct config_server *s = source_at(f, host);
	const struct account *a = account_at(f->registry, host);

	if (!f->identity || (!s && !a))
		return -ENOKEY;
	return MIN(secret_lookup(f->registry->config.secrets, s ? s->psk_key : a->server->terms.key, f->identity, ret_key,
				 ret_size),
		   0);
}

static const struct download_credentials credentials = { credentials_identity, credentials_key };

static int source_check(void *userdata, const char *uri)
{
	(void)userdata;
	return download_check(uri);
}

static int source_start(void *userdata, struct delivery *d, const char *uri, uint64_t offset, const char *etag)
{
	struct fetcher *f = userdata;
	struct registry *r = f->registry;
	const struct download_config config = {
		.event = r->config.event,
		.timers = r->config.timers,
		.transport = r->config.transport,
		.credentials = &credentials,
		.credentials_userdata = f,
		.trust = f->package->trust,
		.ops = &download_ops,
		.userdata = f,
	};

	f->delivery = d;
	f->download = download_free(f->download);
	return download_new(&config, uri, offset, etag, &f->download);
}

static void source_stop(void *userdata)
{
	struct fetcher *f = userdata;

	f->download = download_free(f->download);
	free(f->identity);
	f->identity = NULL;
}

/* As /5/0/8 numbers them: coap, coaps, http, https. */
static const uint8_t protocols[] = { 0, 1, 2, 3 };

const struct delivery_source fetcher_source = {
	.protocols = protocols,
	.n_protocols = sizeof(protocols),
	.check = source_check,
	.start = source_start,
	.stop = source_stop,
};
