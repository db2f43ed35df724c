/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* RFC 7252 4.8.2: after MAX_TRANSMIT_WAIT nothing is to be expected any more. */
#define PATIENCE_S 93
#define PAYLOAD_MAX 65536

/* The words behind a request's path. */
struct options {
	long accept, format;
	bool non;
	unsigned long timeout_s;
	uint8_t *payload;
	size_t size;
};

static const struct {
	const char *name;
	coap_pdu_code_t code;
} methods[] = {
	{ "GET", COAP_REQUEST_CODE_GET },	{ "POST", COAP_REQUEST_CODE_POST },
	{ "PUT", COAP_REQUEST_CODE_PUT },	{ "DELETE", COAP_REQUEST_CODE_DELETE },
	{ "FETCH", COAP_REQUEST_CODE_FETCH },	{ "PATCH", COAP_REQUEST_CODE_PATCH },
	{ "IPATCH", COAP_REQUEST_CODE_IPATCH },
};

static int parse_payload(struct options *o, const char *text)
{
	free(o->payload);
	o->payload = malloc(strlen(text) / 2 + 1);
	return o->payload ? parse_hex(text, o->payload, PAYLOAD_MAX, &o->size) : -ENOMEM;
}

/* What is larger than a line. */
static int read_payload(struct options *o, const char *path)
{
	FILE *f = fopen(path, "re");
	long size = -1;

	if (!f)
		return -errno;
	if (fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	rewind(f);
	free(o->payload);
	o->payload = size > 0 ? malloc((size_t)size) : NULL;
	o->size = o->payload ? fread(o->payload, 1, (size_t)size, f) : 0;
	fclose(f);
	return o->size > 0 ? 0 : -EINVAL;
}

static int parse_option(struct options *o, const char *word)
{
	unsigned long n;
	int r = 0;

	if (strcmp(word, "non") == 0)
		o->non = true;
	else if (strncmp(word, "payload-file=", 13) == 0)
		r = read_payload(o, word + 13);
	else if (strncmp(word, "payload=", 8) == 0)
		r = parse_payload(o, word + 8);
	else if (strncmp(word, "timeout=", 8) == 0)
		r = parse_number(word + 8, 86400, &o->timeout_s);
	else if (strncmp(word, "accept=", 7) == 0 && (r = parse_number(word + 7, 65535, &n)) == 0)
		o->accept = (long)n;
	else if (strncmp(word, "format=", 7) == 0 && (r = parse_number(word + 7, 65535, &n)) == 0)
		o->format = (long)n;
	else
		r = -EINVAL;
	return r;
}

static int parse_options(char **words, int n, struct options *ret)
{
	int r = 0;

	*ret = (struct options){ .accept = -1, .format = -1, .timeout_s = PATIENCE_S };
	for (int i = 0; i < n && r >= 0; i++)
		r = parse_option(ret, words[i]);
	return r;
}

static int add_option(coap_optlist_t **list, coap_option_num_t number, const void *value,
		      size_t size)
{
	coap_optlist_t *o = coap_new_optlist(number, size, value);

	return o && coap_insert_optlist(list, o) ? 0 : -ENOMEM;
}

static int add_number(coap_optlist_t **list, coap_option_num_t number, long value)
{
	uint8_t bytes[4];

	if (value < 0)
		return 0;
	return add_option(list, number, bytes,
			  coap_encode_var_safe(bytes, sizeof(bytes), (unsigned)value));
}

/* target: /path[?query], cut into pieces here */
static int add_target(coap_optlist_t **list, char *target)
{
	char *query = strchr(target, '?'), *rest = NULL;
	int r = 0;

	if (query)
		*query++ = '\0';
	for (char *t = strtok_r(target, "/", &rest); t && r >= 0; t = strtok_r(NULL, "/", &rest))
		r = add_option(list, COAP_OPTION_URI_PATH, t, strlen(t));
	if (!query)
		return r;
	for (char *t = strtok_r(query, "&", &rest); t && r >= 0; t = strtok_r(NULL, "&", &rest))
		r = add_option(list, COAP_OPTION_URI_QUERY, t, strlen(t));
	return r;
}

static int build_options(char *target, const struct options *o, long observe, coap_optlist_t **ret)
{
	int r = add_target(ret, target);

	if (r >= 0)
		r = add_number(ret, COAP_OPTION_OBSERVE, observe);
	if (r >= 0)
		r = add_number(ret, COAP_OPTION_CONTENT_FORMAT, o->format);
	return r < 0 ? r : add_number(ret, COAP_OPTION_ACCEPT, o->accept);
}

static void release_payload(coap_session_t *session, void *payload)
{
	free(payload);
}

/* Takes the payload. */
static coap_pdu_t *build_pdu(coap_session_t *session, coap_pdu_code_t code, const uint8_t *token,
			     coap_optlist_t **options, struct options *o)
{
	coap_pdu_t *pdu = coap_new_pdu(o->non ? COAP_MESSAGE_NON : COAP_MESSAGE_CON, code, session);
	uint8_t *payload = o->payload;

	if (!pdu)
		return NULL;
	o->payload = NULL;
	if (!coap_add_token(pdu, TOKEN_SIZE, token) ||
	    (*options && !coap_add_optlist_pdu(pdu, options))) {
		free(payload);
		coap_delete_pdu(pdu);
		return NULL;
	}
	/* Released by the library, also when it fails. */
	if (payload && !coap_add_data_large_request(session, pdu, o->size, payload, release_payload,
						    payload)) {
		coap_delete_pdu(pdu);
		return NULL;
	}
	return pdu;
}

static int remember(struct server *s, const struct request *template, const char *path,
		    unsigned long timeout_s)
{
	struct request *q;

	if (s->n_requests == REQUESTS_MAX)
		return -ENOBUFS;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = *template;
	q->id = strdup(template->id);
	q->endpoint = strdup(template->endpoint);
	q->path = strdup(path);
	q->due_usec = now_usec() + timeout_s * UINT64_C(1000000);
	q->next = s->requests;
	s->requests = q;
	s->n_requests++;
	return 0;
}

static void request_free(struct server *s, struct request *q)
{
	struct request **link = &s->requests;

	while (*link != q)
		link = &(*link)->next;
	*link = q->next;
	s->n_requests--;
	free(q->id);
	free(q->endpoint);
	free(q->path);
	free(q);
}

static void request_fail(struct server *s, struct request *q, const char *reason)
{
	printf("failed %s %s\n", q->id, reason);
	request_free(s, q);
}

static struct request *request_find(struct server *s, coap_bin_const_t token)
{
	for (struct request *q = s->requests; q; q = q->next)
		if (token.length == TOKEN_SIZE && memcmp(q->token, token.s, TOKEN_SIZE) == 0)
			return q;
	return NULL;
}

static int find_session(struct server *s, const char *endpoint, coap_session_t **ret)
{
	struct client *c = bootstrap_find(s, endpoint);

	if (!c)
		c = client_find(s, endpoint);
	if (!c)
		return -ENOENT;
	if (!c->session)
		return -ENOTCONN;
	*ret = c->session;
	return 0;
}

/* q->kind, id and endpoint are set. */
static int send_request(struct server *s, struct request *q, coap_pdu_code_t code, char *target,
			struct options *o)
{
	coap_optlist_t *list = NULL;
	coap_session_t *session;
	char path[256];
	coap_pdu_t *pdu;
	int r;

	snprintf(path, sizeof(path), "%s", target);
	path[strcspn(path, "?")] = '\0';
	r = find_session(s, q->endpoint, &session);
	if (r >= 0 && getrandom(q->token, TOKEN_SIZE, 0) != TOKEN_SIZE)
		r = -EIO;
	if (r >= 0)
		r = build_options(target, o,
				  q->kind == REQUEST_OBSERVE ? COAP_OBSERVE_ESTABLISH : -1, &list);
	pdu = r >= 0 ? build_pdu(session, code, q->token, &list, o) : NULL;
	coap_delete_optlist(list);
	if (!pdu)
		return r < 0 ? r : -EMSGSIZE;
	r = remember(s, q, path, o->timeout_s);
	if (r < 0)
		coap_delete_pdu(pdu);
	else if (coap_send(session, pdu) == COAP_INVALID_MID)
		request_fail(s, s->requests, "not-sent");
	return r;
}

int request_send(struct server *s, const char *id, const char *endpoint, const char *method,
		 char *target, char **words, int n)
{
	struct request q = { .kind = REQUEST_PLAIN,
			     .id = (char *)(uintptr_t)id,
			     .endpoint = (char *)(uintptr_t)endpoint };
	struct options o;
	int r = parse_options(words, n, &o);
	size_t m = 0;

	while (m < sizeof(methods) / sizeof(methods[0]) && strcmp(methods[m].name, method) != 0)
		m++;
	if (m == sizeof(methods) / sizeof(methods[0]))
		r = -EINVAL;
	if (r >= 0 && methods[m].code == COAP_REQUEST_CODE_POST && strcmp(target, "/bs") == 0)
		q.kind = REQUEST_FINISH;
	if (r >= 0)
		r = send_request(s, &q, methods[m].code, target, &o);
	free(o.payload);
	return r;
}

int request_observe(struct server *s, const char *id, const char *endpoint, char *target,
		    char **words, int n)
{
	struct request q = { .kind = REQUEST_OBSERVE,
			     .id = (char *)(uintptr_t)id,
			     .endpoint = (char *)(uintptr_t)endpoint };
	struct options o;
	int r = parse_options(words, n, &o);

	if (r >= 0)
		r = send_request(s, &q, o.payload ? COAP_REQUEST_CODE_FETCH : COAP_REQUEST_CODE_GET,
				 target, &o);
	free(o.payload);
	return r;
}

static struct observation *observation_find(struct server *s, const char *endpoint,
					    const char *path)
{
	for (struct observation *o = s->observations; o; o = o->next)
		if (strcmp(o->endpoint, endpoint) == 0 && strcmp(o->path, path) == 0)
			return o;
	return NULL;
}

static struct observation *observation_of_token(struct server *s, coap_bin_const_t token)
{
	for (struct observation *o = s->observations; o; o = o->next)
		if (token.length == TOKEN_SIZE && memcmp(o->token, token.s, TOKEN_SIZE) == 0)
			return o;
	return NULL;
}

static void observation_free(struct server *s, struct observation *o)
{
	struct observation **link = &s->observations;

	while (*link != o)
		link = &(*link)->next;
	*link = o->next;
	s->n_observations--;
	free(o->endpoint);
	free(o->path);
	free(o);
}

static void observation_add(struct server *s, const struct request *q)
{
	struct observation *o = s->n_observations < OBSERVATIONS_MAX ? calloc(1, sizeof(*o)) : NULL;

	if (!o)
		return;
	o->endpoint = strdup(q->endpoint);
	o->path = strdup(q->path);
	memcpy(o->token, q->token, TOKEN_SIZE);
	o->next = s->observations;
	s->observations = o;
	s->n_observations++;
}

int request_cancel(struct server *s, const char *id, const char *endpoint, const char *path)
{
	struct observation *o = observation_find(s, endpoint, path);
	struct request q = { .kind = REQUEST_CANCEL,
			     .id = (char *)(uintptr_t)id,
			     .endpoint = (char *)(uintptr_t)endpoint };
	coap_session_t *session;
	coap_binary_t *token;
	int r = find_session(s, endpoint, &session);

	if (r < 0 || !o)
		return r < 0 ? r : -ESRCH;
	memcpy(q.token, o->token, TOKEN_SIZE);
	r = remember(s, &q, path, PATIENCE_S);
	if (r < 0)
		return r;
	token = coap_new_binary(TOKEN_SIZE);
	if (token)
		memcpy(token->s, q.token, TOKEN_SIZE);
	/* coap_send() of 4.3.1 would put a token of its own into the request. */
	if (!token || !coap_cancel_observe(session, token, COAP_MESSAGE_CON))
		request_fail(s, s->requests, "not-sent");
	coap_delete_binary(token);
	return 0;
}

int observation_reset(struct server *s, const char *endpoint, const char *token)
{
	uint8_t bytes[TOKEN_SIZE];
	coap_bin_const_t t = { .s = bytes };
	struct observation *o;

	if (parse_hex(token, bytes, sizeof(bytes), &t.length) < 0)
		return -EINVAL;
	o = observation_of_token(s, t);
	if (!o || strcmp(o->endpoint, endpoint) != 0)
		return -ENOENT;
	o->reset = true;
	return 0;
}

void requests_fail(struct server *s, const char *endpoint, const char *reason)
{
	struct request *next;

	for (struct request *q = s->requests; q; q = next) {
		next = q->next;
		if (strcmp(q->endpoint, endpoint) == 0)
			request_fail(s, q, reason);
	}
}

void observations_drop(struct server *s, const char *endpoint)
{
	struct observation *next;

	for (struct observation *o = s->observations; o; o = next) {
		next = o->next;
		if (strcmp(o->endpoint, endpoint) == 0)
			observation_free(s, o);
	}
}

void requests_expire(struct server *s)
{
	struct request *next;

	for (struct request *q = s->requests; q; q = next) {
		next = q->next;
		if (q->due_usec <= now_usec())
			request_fail(s, q, "timeout");
	}
}

static void print_location(const coap_pdu_t *pdu)
{
	coap_opt_iterator_t i;
	coap_opt_filter_t filter;
	coap_opt_t *o;

	coap_option_filter_clear(&filter);
	coap_option_filter_set(&filter, COAP_OPTION_LOCATION_PATH);
	if (!coap_check_option(pdu, COAP_OPTION_LOCATION_PATH, &i))
		return;
	printf(" location=");
	coap_option_iterator_init(pdu, &i, &filter);
	while ((o = coap_option_next(&i))) {
		printf("/");
		print_text(coap_opt_value(o), coap_opt_length(o));
	}
}

static void print_number(const char *name, long value)
{
	if (value >= 0)
		printf(" %s=%ld", name, value);
}

static void print_content(const coap_pdu_t *pdu)
{
	size_t size, offset, total;
	const uint8_t *data;

	print_number("format", option_number(pdu, COAP_OPTION_CONTENT_FORMAT));
	printf(" payload=");
	if (coap_get_data_large(pdu, &size, &data, &offset, &total))
		print_hex(data, size);
}

static void print_response(struct server *s, struct request *q, const coap_pdu_t *pdu)
{
	long observe = option_number(pdu, COAP_OPTION_OBSERVE);

	printf("response %s code=", q->id);
	print_code(coap_pdu_get_code(pdu));
	print_content(pdu);
	print_location(pdu);
	if (observe >= 0) {
		printf(" observe=%ld token=", observe);
		print_hex(q->token, TOKEN_SIZE);
	}
	printf("\n");
}

static void answer_request(struct server *s, struct request *q, const coap_pdu_t *pdu)
{
	print_response(s, q, pdu);
	if (q->kind == REQUEST_OBSERVE && option_number(pdu, COAP_OPTION_OBSERVE) >= 0) {
		struct observation *old = observation_find(s, q->endpoint, q->path);

		/* RFC 7641 3.1: the newest entry of a client and a target stands. */
		if (old)
			observation_free(s, old);
		observation_add(s, q);
	}
	if (q->kind == REQUEST_FINISH && coap_pdu_get_code(pdu) == COAP_RESPONSE_CODE_CHANGED)
		bootstrap_end(s, q->endpoint);
	request_free(s, q);
}

/* word: notify, or stray for what nobody asked for any more */
static void print_notification(const char *word, const char *endpoint, const char *path,
			       const coap_pdu_t *pdu)
{
	coap_bin_const_t token = coap_pdu_get_token(pdu);

	printf("%s ", word);
	print_text(endpoint, strlen(endpoint));
	printf(" ");
	print_hex(token.s, token.length);
	if (token.length == 0)
		printf("-");
	printf(" code=");
	print_code(coap_pdu_get_code(pdu));
	printf(" con=%d path=%s", coap_pdu_get_type(pdu) == COAP_MESSAGE_CON, path);
	print_number("observe", option_number(pdu, COAP_OPTION_OBSERVE));
	print_content(pdu);
	printf("\n");
}

static coap_response_t take_notification(struct server *s, struct observation *o,
					 const coap_pdu_t *pdu)
{
	bool reset = o->reset;

	if (s->fault_notify.silent) {
		server_mute(s);
		return COAP_RESPONSE_OK;
	}
	print_notification("notify", o->endpoint, o->path, pdu);
	/* RFC 7641 3.2: an error ends it. */
	if (reset || COAP_RESPONSE_CLASS(coap_pdu_get_code(pdu)) != 2)
		observation_free(s, o);
	return reset ? COAP_RESPONSE_FAIL : COAP_RESPONSE_OK;
}

static coap_response_t handle_response(coap_session_t *session, const coap_pdu_t *sent,
				       const coap_pdu_t *received, coap_mid_t mid)
{
	struct server *s = coap_get_app_data(coap_session_get_context(session));
	coap_bin_const_t token = coap_pdu_get_token(received);
	struct request *q = request_find(s, token);
	struct observation *o = observation_of_token(s, token);
	struct client *c;

	/* Notifications may still be under way; the answer to a cancellation has no Observe. */
	if (q && q->kind == REQUEST_CANCEL && option_number(received, COAP_OPTION_OBSERVE) < 0) {
		if (o)
			observation_free(s, o);
		answer_request(s, q, received);
		return COAP_RESPONSE_OK;
	}
	if (o)
		return take_notification(s, o, received);
	if (q) {
		answer_request(s, q, received);
		return COAP_RESPONSE_OK;
	}
	c = client_of_session(s, session);
	print_notification("stray", c ? c->endpoint : "-", "-", received);
	return COAP_RESPONSE_FAIL;
}

static void handle_nack(coap_session_t *session, const coap_pdu_t *sent,
			const coap_nack_reason_t reason, const coap_mid_t mid)
{
	struct server *s = coap_get_app_data(coap_session_get_context(session));
	struct request *q = sent ? request_find(s, coap_pdu_get_token(sent)) : NULL;

	/* After an ICMP error the library tries again. */
	if (q && reason != COAP_NACK_ICMP_ISSUE)
		request_fail(s, q,
			     reason == COAP_NACK_RST		  ? "reset" :
			     reason == COAP_NACK_TOO_MANY_RETRIES ? "timeout" :
								    "unreachable");
}

void requests_init(struct server *s)
{
	coap_register_response_handler(s->context, handle_response);
	coap_register_nack_handler(s->context, handle_nack);
}

void requests_free(struct server *s)
{
	while (s->requests)
		request_free(s, s->requests);
	while (s->observations)
		observation_free(s, s->observations);
}
