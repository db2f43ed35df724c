/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "codec/codec.h"
#include "gateway/internal.h"

static int find_formats(const struct config_server *config, const struct codec ***ret, size_t *ret_n)
{
	const struct codec **formats = calloc(config->n_formats + 1, sizeof(*formats));
	size_t n = 0;

	if (!formats)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_formats; i++) {
		const struct codec *codec = codec_find_name(config->formats[i]);

		if (codec) /* load_check() has refused others */
			formats[n++] = codec;
	}
	*ret = formats;
	*ret_n = n;
	return 0;
}

static int server_open(struct server *s, const struct config_server *config, struct transport *transport)
{
	int r = str_replace(&s->name, config->name);

	s->config = config;
	if (r >= 0)
		r = str_replace(&s->key, config->psk_key);
	if (r >= 0)
		r = uri_parse(config->uri, &s->uri);
	if (r >= 0)
		r = find_formats(config, &s->formats, &s->n_formats);
	return r < 0 ? r : governor_new(transport, s->uri.host, &s->governor);
}

int server_new(const struct config_server *config, struct transport *transport, struct server **ret)
{
	struct server *s = calloc(1, sizeof(*s));
	int r = s ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	s->refs = 1;
	r = server_open(s, config, transport);
	if (r < 0)
		server_unref(s);
	else
		*ret = s;
	return r;
}

bool server_is_same(const struct config_server *before, const struct config_server *after)
{
	return streq(before->uri, after->uri) && before->short_id == after->short_id &&
	       before->protocol == after->protocol && before->security == after->security &&
	       streq_null(before->psk_identity, after->psk_identity);
}

int server_terms_init(struct server_terms *t, const struct config_server *config)
{
	int r;

	*t = (struct server_terms){ .config = config };
	r = str_replace(&t->key, config->psk_key);
	return r < 0 ? r : find_formats(config, &t->formats, &t->n_formats);
}

void server_terms_done(struct server_terms *t)
{
	free(t->key);
	free(t->formats);
}

void server_adopt(struct server *s, struct server_terms *t)
{
	struct server_terms former = { .key = s->key, .formats = s->formats };

	s->config = t->config;
	s->key = t->key;
	s->formats = t->formats;
	s->n_formats = t->n_formats;
	*t = former;
}

struct server *server_ref(struct server *s)
{
	s->refs++;
	return s;
}

struct server *server_unref(struct server *s)
{
	if (!s || --s->refs > 0)
		return NULL;
	governor_free(s->governor);
	uri_done(&s->uri);
	free(s->formats);
	free(s->name);
	free(s->key);
	free(s);
	return NULL;
}

struct server *server_of(struct server *const *servers, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (config_server_wants(servers[i]->config, name))
			return servers[i];
	return NULL;
}
