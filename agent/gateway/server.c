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

int server_open(struct server *s, const struct config_server *config, struct transport *transport)
{
	int r;

	s->config = config;
	r = uri_parse(config->uri, &s->uri);
	if (r >= 0)
		r = server_formats(s);
	return r < 0 ? r : governor_new(transport, s->uri.host, &s->governor);
}

void server_close(struct server *s)
{
	s->governor = governor_free(s->governor);
	uri_done(&s->uri);
	free(s->formats);
	s->formats = NULL;
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
