/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lwm2m/dm/execute_argument.h"
#include "lwm2m/dm/pending.h"

void dm_execute(struct request *q)
{
	const struct span *payload = &q->message->payload;
	char argument[EXECUTE_ARGUMENT_MAX + 1], path[PATH_TEXT_MAX], text[96];
	struct pending *op;

	/* Without a Content-Format they are text all the same; there is no 4.15 here (T 6.7). */
	if (q->message->content_format > FORMAT_TEXT) {
		respond_error(q, -EINVAL, "arguments are text");
		return;
	}
	if (execute_argument_check((const char *)payload->p, payload->n) < 0) {
		respond_error(q, -EINVAL, "arguments");
		return;
	}
	memcpy(argument, payload->p ?: (const uint8_t *)"", payload->n);
	argument[payload->n] = 0;
	op = pending_new(q, CODE(2, 04));
	if (!op)
		return;
	if (q->client->config.audit) {
		snprintf(text, sizeof(text), "execute %s", path_format(&q->target.path, path));
		op->audit = strdup(text);
	}
	store_execute(q->target.store, &q->target.path, argument, pending_done, op);
}
