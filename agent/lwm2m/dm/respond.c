/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "lwm2m/client_internal.h"
#include "lwm2m/status.h"

void respond_code(struct request *q, uint8_t code)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, code);
	exchange_respond(q->exchange, &m, NULL, NULL);
}

/* Named as it came: it may be none of ours. */
#define REFUSED_PATH_MAX 64u

static const char *format_path(const struct message *m, char ret[REFUSED_PATH_MAX])
{
	int used = snprintf(ret, REFUSED_PATH_MAX, "%s", m->n_path > 0 ? "" : "/");

	for (unsigned i = 0; i < m->n_path && used < (int)REFUSED_PATH_MAX; i++)
		used += snprintf(ret + used, REFUSED_PATH_MAX - (size_t)used, "/%.*s", (int)m->path[i].n,
				 (const char *)m->path[i].p);
	for (char *at = ret; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	return ret;
}

static const char *method_that_changes(const struct message *m)
{
	switch (m->code) {
	case CODE_PUT:
		return "PUT";
	case CODE_POST:
		return "POST";
	case CODE_DELETE:
		return "DELETE";
	case CODE_IPATCH:
		return "iPATCH";
	default:
		return NULL;
	}
}

/* What was to change something and never came to pending_done(). */
static void log_refusal(struct request *q, int error, const char *reason)
{
	const char *method = q->message ? method_that_changes(q->message) : NULL;
	struct client *c = q->client;
	char path[REFUSED_PATH_MAX] = "", code[STATUS_TEXT_MAX];
	struct log_about about = client_about(c, path);
	unsigned more = 0;

	if (!method || !log_budget_take(&c->refusals, &more))
		return;
	log_notice(&about, "%s: server %s: %s %s refused: %s%s%s", c->config.endpoint,
		   c->config.server_name, method, format_path(q->message, path),
		   status_format(status_code(error), code), reason && *reason ? ": " : "", reason ?: "");
	if (more > 0)
		log_notice(&about, "%s: server %s: %u refusals like this were not logged",
			   c->config.endpoint, c->config.server_name, more);
}

void respond_error(struct request *q, int error, const char *reason)
{
	struct message m;

	log_refusal(q, error, reason);
	message_init(&m, MESSAGE_ACK, status_code(error));
	/* A diagnostic payload has no Content-Format (RFC 7252 5.5.2). */
	if (reason && *reason)
		m.payload = span_of(reason, strlen(reason));
	exchange_respond(q->exchange, &m, NULL, NULL);
}

void respond_content(struct request *q, int32_t format, struct span payload)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, CODE(2, 05));
	m.content_format = format;
	m.payload = payload;
	exchange_respond(q->exchange, &m, NULL, NULL);
}
