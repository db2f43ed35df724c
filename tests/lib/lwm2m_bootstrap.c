/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bootstrap server: POST /bs, GET /bspack, and who may be asked until he is finished. */

struct client *bootstrap_find(struct server *s, const char *endpoint)
{
	for (struct client *c = s->bootstraps; c; c = c->next)
		if (strcmp(c->endpoint, endpoint) == 0)
			return c;
	return NULL;
}

void bootstrap_end(struct server *s, const char *endpoint)
{
	struct client **link = &s->bootstraps;

	while (*link && strcmp((*link)->endpoint, endpoint) != 0)
		link = &(*link)->next;
	if (*link) {
		struct client *c = *link;

		*link = c->next;
		client_free(c);
	}
}

/* The value of a parameter of the query, or NULL. */
static char *query_value(const coap_pdu_t *request, const char *name)
{
	size_t size = strlen(name);
	coap_opt_iterator_t i;
	coap_opt_filter_t filter;
	coap_opt_t *o;

	coap_option_filter_clear(&filter);
	coap_option_filter_set(&filter, COAP_OPTION_URI_QUERY);
	if (!coap_option_iterator_init(request, &i, &filter))
		return NULL;
	while ((o = coap_option_next(&i))) {
		const char *text = (const char *)coap_opt_value(o);

		if (coap_opt_length(o) > size && memcmp(text, name, size) == 0 && text[size] == '=')
			return strndup(text + size + 1, coap_opt_length(o) - size - 1);
	}
	return NULL;
}

static void print_parameter(const coap_pdu_t *request, const char *name)
{
	char *value = query_value(request, name);

	if (!value)
		return;
	printf(" %s=", name);
	print_text(value, strlen(value));
	free(value);
}

static void print_request(const char *event, const char *endpoint, const coap_session_t *session,
			  const coap_pdu_t *request)
{
	long accept = option_number(request, COAP_OPTION_ACCEPT);

	printf("%s ", event);
	print_text(endpoint, strlen(endpoint));
	printf(" secure=%d", session_is_secure(session));
	if (session_is_secure(session))
		print_identity(session);
	print_parameter(request, "pct");
	print_parameter(request, "acc");
	if (accept >= 0)
		printf(" accept=%ld", accept);
	printf("\n");
}

/* Whether a request may go on: it names an endpoint, which may be the one of its session. */
static bool is_allowed(struct server *s, const char *what, const char *endpoint,
		       const coap_session_t *session, coap_pdu_t *response)
{
	if (endpoint && security_fits(s, session, endpoint))
		return true;
	client_refuse(what, endpoint ? endpoint : "-",
		      endpoint ? COAP_RESPONSE_CODE_FORBIDDEN : COAP_RESPONSE_CODE_BAD_REQUEST,
		      response);
	return false;
}

static bool is_faulty(struct server *s, const struct fault *f, const char *what,
		      const char *endpoint, coap_pdu_t *response)
{
	if (!fault_apply(s, f, "", response))
		return false;
	if (!f->silent)
		client_refuse(what, endpoint, f->code, response);
	return true;
}

static int remember(struct server *s, const char *endpoint, coap_session_t *session)
{
	struct client *c;

	requests_fail(s, endpoint, "gone");
	bootstrap_end(s, endpoint);
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->endpoint = strdup(endpoint);
	client_set_session(c, session);
	c->next = s->bootstraps;
	s->bootstraps = c;
	return 0;
}

static void handle_request(coap_resource_t *resource, coap_session_t *session,
			   const coap_pdu_t *request, const coap_string_t *query,
			   coap_pdu_t *response)
{
	struct server *s = coap_get_app_data(coap_session_get_context(session));
	char *endpoint = query_value(request, "ep");

	if (is_allowed(s, "bootstrap", endpoint, session, response) &&
	    !is_faulty(s, &s->fault_bootstrap, "bootstrap", endpoint, response)) {
		coap_pdu_set_code(response, remember(s, endpoint, session) < 0 ?
						    COAP_RESPONSE_CODE_INTERNAL_ERROR :
						    COAP_RESPONSE_CODE_CHANGED);
		print_request("bootstrap-request", endpoint, session, request);
	}
	free(endpoint);
}

static void answer_pack(struct server *s, coap_resource_t *resource, coap_session_t *session,
			const coap_pdu_t *request, const coap_string_t *query, coap_pdu_t *response)
{
	long accept = option_number(request, COAP_OPTION_ACCEPT);

	if (!s->pack || (accept >= 0 && accept != s->pack_format)) {
		coap_pdu_set_code(response, s->pack ? COAP_RESPONSE_CODE_NOT_ACCEPTABLE :
						      COAP_RESPONSE_CODE_NOT_FOUND);
		return;
	}
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
	coap_add_data_large_response(resource, session, request, response, query,
				     (uint16_t)s->pack_format, -1, 0, s->pack_size, s->pack, NULL,
				     NULL);
}

static void handle_pack(coap_resource_t *resource, coap_session_t *session,
			const coap_pdu_t *request, const coap_string_t *query, coap_pdu_t *response)
{
	struct server *s = coap_get_app_data(coap_session_get_context(session));
	char *endpoint = query_value(request, "ep");

	if (is_allowed(s, "pack", endpoint, session, response) &&
	    !is_faulty(s, &s->fault_pack, "pack", endpoint, response)) {
		print_request("pack-request", endpoint, session, request);
		answer_pack(s, resource, session, request, query, response);
	}
	free(endpoint);
}

int bootstrap_pack(struct server *s, const char *format, const char *hex)
{
	unsigned long n = 0;
	uint8_t *pack = NULL;
	size_t size = 0;
	int r = 0;

	if (hex) {
		pack = malloc(strlen(hex) / 2 + 1);
		r = pack ? parse_number(format, 65535, &n) : -ENOMEM;
		r = r < 0 ? r : parse_hex(hex, pack, strlen(hex) / 2, &size);
	}
	if (r < 0) {
		free(pack);
		return r;
	}
	free(s->pack);
	s->pack = pack;
	s->pack_size = size;
	s->pack_format = (long)n;
	return 0;
}

int bootstrap_init(struct server *s)
{
	coap_resource_t *bs = coap_resource_init(coap_make_str_const("bs"), 0);
	coap_resource_t *pack = coap_resource_init(coap_make_str_const("bspack"), 0);

	if (!bs || !pack)
		return -ENOMEM;
	coap_register_request_handler(bs, COAP_REQUEST_POST, handle_request);
	coap_register_request_handler(pack, COAP_REQUEST_GET, handle_pack);
	coap_add_resource(s->context, bs);
	coap_add_resource(s->context, pack);
	return 0;
}

void bootstraps_free(struct server *s)
{
	while (s->bootstraps)
		bootstrap_end(s, s->bootstraps->endpoint);
	free(s->pack);
	s->pack = NULL;
}
