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

bool server_wants(const struct config_server *server, const char *name)
{
	for (size_t i = 0; i < server->n_endpoints; i++)
		if (glob_match(server->endpoints[i], name))
			return true;
	return false;
}

char *server_identity(const struct config_server *server, const char *endpoint)
{
	static const char placeholder[] = "{endpoint}";
	const char *text = server->psk_identity ?: placeholder, *at;
	_cleanup_buf_ struct buf out = { 0 };
	int r = 0;

	while (r >= 0 && (at = strstr(text, placeholder))) {
		r = buf_append(&out, text, at - text);
		if (r >= 0)
			r = buf_append_text(&out, endpoint);
		text = at + strlen(placeholder);
	}
	if (r >= 0)
		r = buf_append_text(&out, text);
	return r < 0 ? NULL : buf_take_text(&out);
}
