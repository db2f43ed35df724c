/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "transport/message.h"
#include "transport/uri.h"

/* "coap://host:port/path?query" as a request has it (RFC 7252 6.4). */
struct coap_uri {
	struct uri server;
	char *text; /* the segments and queries, decoded, a NUL behind each */
	const char *path[MESSAGE_SEGMENTS_MAX], *query[MESSAGE_QUERIES_MAX];
	unsigned n_path, n_query;
};

/* -EINVAL; -ENOBUFS: more segments or queries than a message takes; -ENOMEM. */
int coap_uri_parse(const char *text, struct coap_uri *ret);
void coap_uri_done(struct coap_uri *uri);
