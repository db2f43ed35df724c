/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum uri_scheme {
	URI_COAP,
	URI_COAPS,
	URI_COAP_TCP,
	URI_COAPS_TCP,
};

struct uri {
	enum uri_scheme scheme;
	char *host; /* name or address, IPv6 without brackets */
	uint16_t port;
};

/* "coaps://host[:port]" (RFC 7252 section 6, RFC 8323 section 8); no path, no query. -EINVAL. */
int uri_parse(const char *text, struct uri *ret);
void uri_done(struct uri *uri);
