/* SPDX-License-Identifier: Apache-2.0 */
#include "download/coap_uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place. A NUL would end the segment for whoever reads it. */
static int decode(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		int high, low;

		if (*p != '%') {
			*to++ = *p;
			continue;
		}
		high = hex_digit(p[1]);
		low = high < 0 ? -1 : hex_digit(p[2]);
		if (low < 0 || (high == 0 && low == 0))
			return -EINVAL;
		*to++ = (char)(high << 4 | low);
		p += 2;
	}
	*to = '\0';
	return 0;
}

/* Cuts the text at each separator; one empty part is none. */
static int split(char *text, char separator, const char **parts, unsigned most, unsigned *ret_n)
{
	unsigned n = 0;

	for (char *part = text; part;) {
		char *end = strchr(part, separator);

		if (end)
			*end = '\0';
		if (n == most)
			return -ENOBUFS;
		if (decode(part) < 0)
			return -EINVAL;
		parts[n++] = part;
		part = end ? end + 1 : NULL;
	}
	*ret_n = n == 1 && *parts[0] == '\0' ? 0 : n;
	return 0;
}

static int parse_rest(struct coap_uri *uri)
{
	char *query = strchr(uri->text, '?'), *path = uri->text;
	int r = 0;

	if (query)
		*query++ = '\0';
	if (*path == '/')
		r = split(path + 1, '/', uri->path, MESSAGE_SEGMENTS_MAX, &uri->n_path);
	if (r >= 0 && query)
		r = split(query, '&', uri->query, MESSAGE_QUERIES_MAX, &uri->n_query);
	return r;
}

int coap_uri_parse(const char *text, struct coap_uri *ret)
{
	struct coap_uri uri = { 0 };
	const char *authority = strstr(text, "://");
	_cleanup_free_ char *server = NULL;
	size_t n;
	int r;

	/* A fragment is not for servers (RFC 7252 6.1). */
	if (!authority || strchr(text, '#'))
		return -EINVAL;
	n = (size_t)(authority - text) + 3;
	n += strcspn(text + n, "/?");
	server = strndup(text, n);
	uri.text = strdup(text + n);
	if (!server || !uri.text) {
		free(uri.text);
		return -ENOMEM;
	}
	r = uri_parse(server, &uri.server);
	if (r >= 0)
		r = parse_rest(&uri);
	if (r < 0) {
		coap_uri_done(&uri);
		return r;
	}
	*ret = uri;
	return 0;
}

void coap_uri_done(struct coap_uri *uri)
{
	uri_done(&uri->server);
	free(uri->text);
	uri->text = NULL;
}
