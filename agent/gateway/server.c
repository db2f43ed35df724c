/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "codec/codec.h"
#include "gateway/internal.h"

static int server_formats(struct server *s)
{
	s->formats = calloc(s->config->n_formats + 1, sizeof(*s->formats));
	if (!s->formats)
		return -ENOMEM;
	for (size_t i = 0; i < s->config->n_formats; i++) {
		const struct codec *codec = codec_find_name(s->config->formats[i]);

		if (codec) /* load_check() has refused others */
			s->formats[s->n_formats++] = codec;
	}
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
		r = server_formats(s);
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
