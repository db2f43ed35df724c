/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/dm/pending.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lwm2m/status.h"
#include "store/audit.h"

struct pending *pending_new(struct request *q, uint8_t success)
{
	struct pending *op = calloc(1, sizeof(*op));

	if (!op) {
		respond_error(q, -ENOMEM, NULL);
		return NULL;
	}
	op->client = q->client;
	op->exchange = q->exchange;
	op->success = success;
	list_append(&q->client->pending, &op->list);
	return op;
}

static void pending_log(const struct pending *op, int error, const char *reason)
{
	const struct client_config *config = &op->client->config;
	struct log_about about = client_about(op->client, NULL);

	if (!op->audit)
		return;
	about.message_id = MESSAGE_WRITE;
	log_notice(&about, "%s: server %s: %s: %s%s%s", config->endpoint, config->server_name, op->audit,
		   audit_end(error, reason), reason ? ": " : "", reason ?: "");
}

static void pending_answer(struct pending *op, int error, const char *reason)
{
	char ids[2][8];
	struct message m;

	message_init(&m, MESSAGE_ACK, error < 0 ? status_code(error) : op->success);
	if (error < 0 && reason)
		m.payload = span_of(reason, strlen(reason));
	if (error >= 0 && op->location.depth == PATH_INSTANCE) {
		for (unsigned i = 0; i < 2; i++) {
			snprintf(ids[i], sizeof(ids[i]), "%u", op->location.ids[i]);
			message_add_path(&m, ids[i]);
		}
	}
	exchange_respond(op->exchange, &m, NULL, NULL);
}

void pending_free(struct pending *op)
{
	if (op->client)
		list_remove(&op->list);
	free(op->audit);
	free(op);
}

void pending_done(void *userdata, int error, const char *reason)
{
	struct pending *op = userdata;

	if (op->client) {
		pending_log(op, error, reason);
		pending_answer(op, error, reason);
	}
	pending_free(op);
}

void pending_forget(struct client *c)
{
	struct pending *op;

	list_for_each(op, &c->pending, list) {
		list_remove(&op->list);
		exchange_ignore(op->exchange);
		op->client = NULL;
	}
}
