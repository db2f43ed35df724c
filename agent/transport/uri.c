/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/uri.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "base/str.h"

#define HOST_MAX 255u
#define PORT_COAP 5683
#define PORT_COAPS 5684

static const struct scheme {
	const char *prefix;
	enum uri_scheme scheme;
	uint16_t port;
} schemes[] = {
	{ "coap://", URI_COAP, PORT_COAP },
	{ "coaps://", URI_COAPS, PORT_COAPS },
	{ "coap+tcp://", URI_COAP_TCP, PORT_COAP },
	{ "coaps+tcp://", URI_COAPS_TCP, PORT_COAPS },
};

static const struct scheme *find_scheme(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncasecmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
			return &schemes[i];
	return NULL;
}

static bool is_host_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

static bool host_is_valid(const char *host, bool literal)
{
	struct in6_addr address;
	size_t n = strlen(host);

	if (n == 0 || n > HOST_MAX)
		return false;
	if (literal) {
		_cleanup_free_ char *plain = strndup(host, strcspn(host, "%"));

		return plain && inet_pton(AF_INET6, plain, &address) == 1;
	}
	for (const char *p = host; *p; p++)
		if (!is_host_character(*p))
			return false;
	return true;
}

/* Splits "host", "[v6]" off; *text then points behind it. */
static char *take_host(const char **text, bool *ret_literal)
{
	const char *p = *text;
	size_t n;

	*ret_literal = *p == '[';
	if (*ret_literal) {
		n = strcspn(++p, "]");
		if (p[n] != ']')
			return NULL;
		*text = p + n + 1;
	} else {
		n = strcspn(p, ":/?#");
		*text = p + n;
	}
	return strndup(p, n);
}

static int take_port(const char **text, uint16_t *port)
{
	_cleanup_free_ char *digits = NULL;
	size_t n;

	if (**text != ':')
		return 0;
	n = strspn(++*text, "0123456789");
	if (n == 0) /* RFC 3986 6.2.3: an empty port is the default */
		return 0;
	digits = strndup(*text, n);
	if (!digits)
		return -ENOMEM;
	*text += n;
	if (parse_u16(digits, port) < 0 || *port == 0)
		return -EINVAL;
	return 0;
}

int uri_parse(const char *text, struct uri *ret)
{
	const struct scheme *scheme = find_scheme(text);
	_cleanup_free_ char *host = NULL;
	uint16_t port;
	bool literal;
	int r;

	if (!scheme)
		return -EINVAL;
	text += strlen(scheme->prefix);
	host = take_host(&text, &literal);
	if (!host || !host_is_valid(host, literal))
		return -EINVAL;
	port = scheme->port;
	r = take_port(&text, &port);
	if (r < 0)
		return r;
	/* A lone slash is what an empty path looks like after normalisation (RFC 7252 6.3). */
	if (!streq(text, "") && !streq(text, "/"))
		return -EINVAL;
	*ret = (struct uri){ .scheme = scheme->scheme, .host = TAKE_PTR(host), .port = port };
	return 0;
}

void uri_done(struct uri *uri)
{
	free(uri->host);
	uri->host = NULL;
}
