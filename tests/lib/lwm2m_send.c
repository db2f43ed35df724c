/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What clients send without being asked: POST /dp. */

static bool is_pack(long format)
{
	return format == 110 || format == 112 || format == 11544;
}

static void handle_send(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
			const coap_string_t *query, coap_pdu_t *response)
{
	struct server *s = coap_get_app_data(coap_session_get_context(session));
	struct client *c = client_of_session(s, session);
	long format = option_number(request, COAP_OPTION_CONTENT_FORMAT);
	size_t size = 0, offset, total;
	const uint8_t *data = NULL;

	if (fault_apply(s, &s->fault_send, c ? c->version : "1.0", response))
		return;
	if (!c || !is_pack(format)) {
		coap_pdu_set_code(response, c ? COAP_RESPONSE_CODE_UNSUPPORTED_CONTENT_FORMAT :
						COAP_RESPONSE_CODE_NOT_FOUND);
		return;
	}
	coap_get_data_large(request, &size, &data, &offset, &total);
	if (s->refused && memmem(data, size, s->refused, strlen(s->refused))) {
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_BAD_REQUEST);
		return;
	}
	printf("sent ");
	print_text(c->endpoint, strlen(c->endpoint));
	printf(" format=%ld payload=", format);
	print_hex(data, size);
	printf("\n");
	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CHANGED);
}

int send_init(struct server *s)
{
	coap_resource_t *dp = coap_resource_init(coap_make_str_const("dp"), 0);

	if (!dp)
		return -ENOMEM;
	coap_register_request_handler(dp, COAP_REQUEST_POST, handle_send);
	coap_add_resource(s->context, dp);
	return 0;
}
