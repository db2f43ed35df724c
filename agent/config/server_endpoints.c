/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "config/config.h"

bool config_server_wants(const struct config_server *server, const char *name)
{
	for (size_t i = 0; i < server->n_endpoints; i++)
		if (glob_match(server->endpoints[i], name))
			return true;
	return false;
}

char *config_identity(const char *psk_identity, const char *endpoint)
{
	static const char placeholder[] = "{endpoint}";
	const char *text = psk_identity ?: placeholder, *at;
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
