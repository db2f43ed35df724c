/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The query of a Register or Update, and which of it was there. */
struct parameters {
	char *endpoint, *version, *binding, *profiles;
	uint32_t lifetime_s;
	bool has_lifetime;
	char *links;	/* NULL: no payload */
	char *profiled; /* what profiles stand for */
};

static void parameters_done(struct parameters *p)
{
	free(p->endpoint);
	free(p->version);
	free(p->binding);
	free(p->profiles);
	free(p->links);
	free(p->profiled);
}

static int take_text(char **field, const char *value)
{
	free(*field);
	*field = strdup(value);
	return *field ? 0 : -ENOMEM;
}

static int parse_parameter(struct parameters *p, char *text)
{
	char *value = strchr(text, '=');
	unsigned long n;

	if (!value)
		return 0; /* Q */
	*value++ = '\0';
	if (strcmp(text, "ep") == 0)
		return take_text(&p->endpoint, value);
	if (strcmp(text, "lwm2m") == 0)
		return take_text(&p->version, value);
	if (strcmp(text, "b") == 0)
		return take_text(&p->binding, value);
	if (strcmp(text, "pid") == 0)
		return take_text(&p->profiles, value);
	if (strcmp(text, "lt") != 0)
		return 0;
	if (parse_number(value, UINT32_MAX, &n) < 0)
		return -EINVAL;
	p->lifetime_s = (uint32_t)n;
	p->has_lifetime = true;
	return 0;
}

static int parse_links(struct parameters *p, const coap_pdu_t *request)
{
	size_t size, offset, total;
	const uint8_t *data;

	if (!coap_get_data_large(request, &size, &data, &offset, &total) || size == 0)
		return 0;
	p->links = strndup((const char *)data, size);
	return p->links ? 0 : -ENOMEM;
}

static int parse_request(const coap_pdu_t *request, struct parameters *ret)
{
	coap_opt_iterator_t i;
	coap_opt_filter_t filter;
	coap_opt_t *o;
	int r = 0;

	coap_option_filter_clear(&filter);
	coap_option_filter_set(&filter, COAP_OPTION_URI_QUERY);
	if (coap_option_iterator_init(request, &i, &filter))
		while (r >= 0 && (o = coap_option_next(&i))) {
			char text[256];

			snprintf(text, sizeof(text), "%.*s", (int)coap_opt_length(o),
				 (const char *)coap_opt_value(o));
			r = parse_parameter(ret, text);
		}
	return r < 0 ? r : parse_links(ret, request);
}

/* Of the query all but ep, or what client_print() does not know: " lt=60 Q=1 b=U". */
static void print_query(const coap_pdu_t *request, bool known)
{
	static const char *const names[] = { "ep=", "lt=", "lwm2m=", "b=" };
	coap_opt_iterator_t i;
	coap_opt_filter_t filter;
	coap_opt_t *o;

	coap_option_filter_clear(&filter);
	coap_option_filter_set(&filter, COAP_OPTION_URI_QUERY);
	if (!coap_option_iterator_init(request, &i, &filter))
		return;
	while ((o = coap_option_next(&i))) {
		bool skip = false;

		for (size_t n = 0; n < (known ? 1 : sizeof(names) / sizeof(names[0])); n++)
			skip = skip || (coap_opt_length(o) >= strlen(names[n]) &&
					memcmp(coap_opt_value(o), names[n], strlen(names[n])) == 0);
		if (skip)
			continue;
		printf(" ");
		print_text(coap_opt_value(o), coap_opt_length(o));
		if (!memchr(coap_opt_value(o), '=', coap_opt_length(o)))
			printf("=1");
	}
}

static void print_links(const char *links)
{
	if (!links)
		return;
	printf(" links=");
	print_text(links, strlen(links));
}

void print_identity(const coap_session_t *session)
{
	const coap_bin_const_t *identity = coap_session_get_psk_identity(session);

	if (!identity)
		return;
	printf(" identity=");
	print_text(identity->s, identity->length);
}

/* request: the Register, or NULL */
static void print_from(const coap_session_t *session)
{
	unsigned char text[64];
	size_t size = coap_print_addr(coap_session_get_addr_remote(session), text, sizeof(text));

	printf(" from=");
	print_text(text, size);
}

static void print_client(const char *event, const struct client *c, const coap_pdu_t *request)
{
	printf("%s ", event);
	print_text(c->endpoint, strlen(c->endpoint));
	printf(" location=/rd/%u lt=%u lwm2m=%s b=%s secure=%d", c->location, c->lifetime_s,
	       c->version, c->binding, c->secure);
	if (c->secure && c->session)
		print_identity(c->session);
	if (c->session)
		print_from(c->session);
	if (request)
		print_query(request, false);
	if (c->profiled) {
		printf(" profiled=");
		print_text(c->profiled, strlen(c->profiled));
	}
	print_links(c->links);
	printf("\n");
}

void client_print(const char *event, const struct client *c)
{
	print_client(event, c, NULL);
}

struct client *client_find(struct server *s, const char *endpoint)
{
	for (struct client *c = s->clients; c; c = c->next)
		if (strcmp(c->endpoint, endpoint) == 0)
			return c;
	return NULL;
}

struct client *client_of_session(struct server *s, const coap_session_t *session)
{
	for (struct client *c = s->clients; c; c = c->next)
		if (c->session == session)
			return c;
	return NULL;
}

void client_set_session(struct client *c, coap_session_t *session)
{
	if (c->session == session)
		return;
	if (c->session)
		coap_session_release(c->session);
	/* Kept, or libcoap ends it after some minutes of silence. */
	c->session = session ? coap_session_reference(session) : NULL;
}

void client_free(struct client *c)
{
	client_set_session(c, NULL);
	free(c->endpoint);
	free(c->version);
	free(c->binding);
	free(c->links);
	free(c->profiled);
	free(c);
}

void client_remove(struct server *s, struct client *c)
{
	struct client **link = &s->clients;

	requests_fail(s, c->endpoint, "gone");
	observations_drop(s, c->endpoint);
	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	client_free(c);
}

void clients_free(struct server *s)
{
	while (s->clients)
		client_remove(s, s->clients);
}

void clients_expire(struct server *s)
{
	struct client *next;

	for (struct client *c = s->clients; c; c = next) {
		next = c->next;
		if (!c->lifetime_s || c->seen_usec + c->lifetime_s * UINT64_C(1000000) > now_usec())
			continue;
		client_print("expired", c);
		client_remove(s, c);
	}
}

bool session_is_secure(const coap_session_t *session)
{
	return coap_session_get_proto(session) == COAP_PROTO_DTLS;
}

bool security_fits(const struct server *s, const coap_session_t *session, const char *endpoint)
{
	const coap_bin_const_t *identity;

	if (!session_is_secure(session))
		return !s->keys;
	if (!psk_find(s, endpoint, strlen(endpoint)))
		return true;
	identity = coap_session_get_psk_identity(session);
	return identity && identity->length == strlen(endpoint) &&
	       memcmp(identity->s, endpoint, identity->length) == 0;
}

bool fault_apply(struct server *s, const struct fault *f, const char *version, coap_pdu_t *response)
{
	if (f->only_1_2 && strcmp(version, "1.2") != 0)
		return false;
	if (f->silent)
		server_mute(s);
	else if (f->code)
		coap_pdu_set_code(response, (coap_pdu_code_t)f->code);
	return f->silent || f->code;
}

static void set_parameters(struct client *c, struct parameters *p)
{
	if (p->has_lifetime)
		c->lifetime_s = p->lifetime_s;
	if (p->version) {
		free(c->version);
		c->version = p->version;
		p->version = NULL;
	}
	if (p->binding) {
		free(c->binding);
		c->binding = p->binding;
		p->binding = NULL;
	}
	if (p->links) {
		free(c->links);
		c->links = p->links;
		p->links = NULL;
	}
	if (p->profiled) {
		free(c->profiled);
		c->profiled = p->profiled;
		p->profiled = NULL;
	}
}

static struct client *client_new(struct server *s, const char *endpoint)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->endpoint = strdup(endpoint);
	c->version = strdup("1.0");
	c->binding = strdup("U");
	c->lifetime_s = 86400;
	c->location = s->next_location++;
	if (!c->endpoint || !c->version || !c->binding) {
		client_free(c);
		return NULL;
	}
	c->next = s->clients;
	s->clients = c;
	return c;
}

static unsigned check_register(struct server *s, const coap_session_t *session, const coap_pdu_t *request,
			       struct parameters *p)
{
	if (!p->endpoint || (!p->links && !p->profiles))
		return COAP_RESPONSE_CODE_BAD_REQUEST;
	if (p->profiles && profiles_resolve(s, p->profiles, p->links, &p->profiled) < 0)
		return COAP_RESPONSE_CODE_CONFLICT;
	if (p->links && option_number(request, COAP_OPTION_CONTENT_FORMAT) !=
	    COAP_MEDIATYPE_APPLICATION_LINK_FORMAT)
		return COAP_RESPONSE_CODE_UNSUPPORTED_CONTENT_FORMAT;
	if (p->version && strcmp(p->version, "1.0") != 0 && strcmp(p->version, "1.1") != 0 &&
	    strcmp(p->version, "1.2") != 0)
		return COAP_RESPONSE_CODE_PRECONDITION_FAILED;
	return security_fits(s, session, p->endpoint) ? 0 : COAP_RESPONSE_CODE_FORBIDDEN;
}

static void add_location(const struct client *c, coap_pdu_t *response)
{
	char number[12];

	snprintf(number, sizeof(number), "%u", c->location);
	coap_add_option(response, COAP_OPTION_LOCATION_PATH, 2, (const uint8_t *)"rd");
	coap_add_option(response, COAP_OPTION_LOCATION_PATH, strlen(number),
			(const uint8_t *)number);
}

void client_refuse(const char *what, const char *endpoint, unsigned code, coap_pdu_t *response)
{
	coap_pdu_set_code(response, (coap_pdu_code_t)code);
	printf("refused %s ", what);
	print_text(endpoint, strlen(endpoint));
	printf(" code=");
	print_code(code);
	printf("\n");
}

static void accept_register(struct server *s, coap_session_t *session, const coap_pdu_t *request,
			    struct parameters *p, coap_pdu_t *response)
{
	struct client *c = client_find(s, p->endpoint);

	if (c)
		client_remove(s, c);
	bootstrap_end(s, p->endpoint);
	c = client_new(s, p->endpoint);
	if (!c) {
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_INTERNAL_ERROR);
		return;
	}
	client_set_session(c, session);
	c->secure = session_is_secure(session);
	c->seen_usec = now_usec();
	set_parameters(c, p);
	add_location(c, response);
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CREATED);
	print_client("registered", c, request);
}

static void handle_register(coap_resource_t *resource, coap_session_t *session,
			    const coap_pdu_t *request, const coap_string_t *query,
			    coap_pdu_t *response)
{
	struct server *s = coap_get_app_data(coap_session_get_context(session));
	struct parameters p = { 0 };
	int r = parse_request(request, &p);
	unsigned code = r < 0 ? COAP_RESPONSE_CODE_BAD_REQUEST :
				check_register(s, session, request, &p);

	if (code)
		client_refuse("register", p.endpoint ? p.endpoint : "-", code, response);
	else if (!fault_apply(s, &s->fault_register, p.version ? p.version : "1.0", response))
		accept_register(s, session, request, &p, response);
	else if (!s->fault_register.silent)
		client_refuse("register", p.endpoint, s->fault_register.code, response);
	parameters_done(&p);
}

/* Nobody's registration but his own: another identity gets 4.04 as if there were none. */
static struct client *client_of_path(struct server *s, const coap_session_t *session,
				     const coap_pdu_t *request)
{
	coap_string_t *path = coap_get_uri_path(request);
	struct client *c = NULL;
	unsigned long n;

	if (!path)
		return NULL;
	if (strncmp((const char *)path->s, "rd/", 3) == 0 &&
	    parse_number((const char *)path->s + 3, UINT32_MAX, &n) == 0)
		for (c = s->clients; c && c->location != n;)
			c = c->next;
	if (c && !security_fits(s, session, c->endpoint))
		c = NULL;
	coap_delete_string(path);
	return c;
}

static void accept_update(struct client *c, coap_session_t *session, const coap_pdu_t *request,
			  struct parameters *p, coap_pdu_t *response)
{
	printf("updated ");
	print_text(c->endpoint, strlen(c->endpoint));
	printf(" location=/rd/%u secure=%d", c->location, session_is_secure(session));
	print_from(session);
	print_query(request, true);
	print_links(p->links);
	printf("\n");
	client_set_session(c, session);
	c->seen_usec = now_usec();
	set_parameters(c, p);
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CHANGED);
}

static void handle_update(coap_resource_t *resource, coap_session_t *session,
			  const coap_pdu_t *request, const coap_string_t *query,
			  coap_pdu_t *response)
{
	struct server *s = coap_get_app_data(coap_session_get_context(session));
	struct client *c = client_of_path(s, session, request);
	struct parameters p = { 0 };

	if (fault_apply(s, &s->fault_update, c ? c->version : "1.0", response)) {
		if (c && s->fault_update.code == COAP_RESPONSE_CODE_NOT_FOUND)
			client_remove(s, c);
	} else if (!c) {
		client_refuse("update", "-", COAP_RESPONSE_CODE_NOT_FOUND, response);
	} else if (parse_request(request, &p) < 0 || c->secure != session_is_secure(session)) {
		client_refuse("update", c->endpoint, COAP_RESPONSE_CODE_BAD_REQUEST, response);
	} else {
		accept_update(c, session, request, &p, response);
	}
	parameters_done(&p);
}

static void handle_deregister(coap_resource_t *resource, coap_session_t *session,
			      const coap_pdu_t *request, const coap_string_t *query,
			      coap_pdu_t *response)
{
	struct server *s = coap_get_app_data(coap_session_get_context(session));
	struct client *c = client_of_path(s, session, request);

	if (fault_apply(s, &s->fault_deregister, c ? c->version : "1.0", response))
		return;
	if (!c || c->secure != session_is_secure(session)) {
		client_refuse("deregister", "-",
		       c ? COAP_RESPONSE_CODE_BAD_REQUEST : COAP_RESPONSE_CODE_NOT_FOUND, response);
		return;
	}
	printf("deregistered ");
	print_text(c->endpoint, strlen(c->endpoint));
	printf(" location=/rd/%u\n", c->location);
	client_remove(s, c);
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_DELETED);
}

/* libcoap knows only paths that are named beforehand; /rd/N is not. */
static void handle_put(coap_resource_t *resource, coap_session_t *session,
		       const coap_pdu_t *request, const coap_string_t *query, coap_pdu_t *response)
{
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_NOT_ALLOWED);
}

static void lose_session(struct server *s, struct client *c, const coap_session_t *session)
{
	if (c->session != session)
		return;
	client_set_session(c, NULL);
	requests_fail(s, c->endpoint, "unreachable");
}

static int handle_event(coap_session_t *session, const coap_event_t event)
{
	struct server *s = coap_get_app_data(coap_session_get_context(session));

	if (event != COAP_EVENT_DTLS_CLOSED && event != COAP_EVENT_DTLS_ERROR)
		return 0;
	for (struct client *c = s->clients; c; c = c->next)
		lose_session(s, c, session);
	for (struct client *c = s->bootstraps; c; c = c->next)
		lose_session(s, c, session);
	return 0;
}

int registration_init(struct server *s)
{
	coap_resource_t *rd = coap_resource_init(coap_make_str_const("rd"), 0);
	coap_resource_t *locations = coap_resource_unknown_init(handle_put);

	if (!rd || !locations)
		return -ENOMEM;
	coap_register_request_handler(rd, COAP_REQUEST_POST, handle_register);
	coap_register_request_handler(locations, COAP_REQUEST_POST, handle_update);
	coap_register_request_handler(locations, COAP_REQUEST_DELETE, handle_deregister);
	coap_add_resource(s->context, rd);
	coap_add_resource(s->context, locations);
	coap_register_event_handler(s->context, handle_event);
	return 0;
}
