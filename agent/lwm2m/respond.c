/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lwm2m/client_internal.h"
#include "lwm2m/status.h"

void respond_code(struct request *q, uint8_t code)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, code);
	exchange_respond(q->exchange, &m, NULL, NULL);
}

void respond_error(struct request *q, int error, const char *reason)
{
	struct message m;

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
