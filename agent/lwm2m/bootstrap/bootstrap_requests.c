/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lwm2m/bootstrap/bootstrap_internal.h"
#include "lwm2m/status.h"
#include "transport/message.h"

/* What a bootstrap server asks for (Core 6.1.7, Transport 6.4.2). */

#define FINISH "finish of"

struct bootstrap_operation {
	struct bootstrap *bootstrap;
	struct exchange *exchange;
	const struct message *message;
	struct path path;
	const char *what; /* for the log */
	char reason[STAGING_REASON_MAX];
};

/* ---- answers ---- */

static void respond(struct bootstrap_operation *o, uint8_t code, int32_t format, struct span payload)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, code);
	m.content_format = format;
	m.payload = payload;
	exchange_respond(o->exchange, &m, NULL, NULL);
}

static void respond_refusal(struct bootstrap_operation *o, uint8_t code)
{
	struct bootstrap *b = o->bootstrap;
	char path[PATH_TEXT_MAX], text[STATUS_TEXT_MAX];
	struct log_about about = bootstrap_about(b, path_format(&o->path, path));

	if (log_budget_take(&b->refusals, NULL))
		log_notice(&about, "%s: bootstrap server %s: %s %s refused: %s%s%s", b->config.endpoint,
			   b->config.server_name, o->what, path, status_format(code, text),
			   o->reason[0] ? ": " : "", o->reason);
	respond(o, code, FORMAT_NONE, span_of(o->reason, strlen(o->reason)));
}

/* Which, and never what: some of it are keys. */
static void log_change(const struct bootstrap_operation *o)
{
	const struct bootstrap *b = o->bootstrap;
	char path[PATH_TEXT_MAX];
	struct log_about about = bootstrap_about(b, path_format(&o->path, path));

	about.message_id = MESSAGE_WRITE;
	if (b->config.audit)
		log_notice(&about, "%s: bootstrap server %s: %s %s", b->config.endpoint, b->config.server_name, o->what,
			   path);
}

/* ---- operations ---- */

static void respond_change(struct bootstrap_operation *o, int r, uint8_t code)
{
	if (r < 0) {
		respond_refusal(o, status_code(r));
		return;
	}
	log_change(o);
	respond(o, code, FORMAT_NONE, span_of(NULL, 0));
}

static void handle_put(struct bootstrap_operation *o)
{
	const struct message *m = o->message;

	o->what = "write";
	respond_change(o, staging_write(o->bootstrap->staging, &o->path, m->content_format, m->payload, o->reason),
		       CODE(2, 04));
}

static void handle_delete(struct bootstrap_operation *o)
{
	o->what = "delete";
	respond_change(o, staging_delete(o->bootstrap->staging, &o->path, o->reason), CODE(2, 02));
}

static void handle_get(struct bootstrap_operation *o)
{
	struct staging *staging = o->bootstrap->staging;
	_cleanup_buf_ struct buf content = { 0 };
	int32_t format = FORMAT_LINK;
	int r;

	o->what = "read";
	if (o->message->accept == FORMAT_LINK)
		r = staging_discover(staging, &o->path, &content);
	else
		r = staging_read(staging, &o->path, o->message->accept, &content, &format);
	if (r < 0)
		respond_refusal(o, status_code(r));
	else
		respond(o, CODE(2, 05), format, span_of(content.data, content.size));
}

/* ---- Bootstrap-Finish ---- */

/* Whatever keeps it from being in force is 4.06; the server may mend it, and finish again. */
static void handle_finish(struct bootstrap_operation *o)
{
	o->what = FINISH;
	if (o->message->payload.n > 0) {
		snprintf(o->reason, sizeof(o->reason), "Finish has no payload");
		respond_refusal(o, CODE(4, 00));
	} else if (bootstrap_take(o->bootstrap, o->exchange, o->reason) < 0) {
		respond_refusal(o, CODE(4, 06));
	}
}

void bootstrap_answer_finish(struct bootstrap *b, struct exchange *finish, const char *reason)
{
	struct bootstrap_operation o = { .bootstrap = b, .exchange = finish, .what = FINISH };

	snprintf(o.reason, sizeof(o.reason), "%s", reason ?: "");
	if (reason)
		respond_refusal(&o, CODE(4, 06));
	else
		respond(&o, CODE(2, 04), FORMAT_NONE, span_of(NULL, 0));
}

static bool is_finish(const struct message *m)
{
	return m->code == CODE_POST && m->n_path == 1 && m->path[0].n == 2 && memcmp(m->path[0].p, "bs", 2) == 0;
}

void bootstrap_handle(void *userdata, struct exchange *exchange, const struct message *message)
{
	struct bootstrap *b = userdata;
	struct bootstrap_operation o = { .bootstrap = b, .exchange = exchange, .message = message, .what = "request on" };

	/* What overtakes the answer to our request, or comes behind a Finish, is sent again. */
	if (b->state != BOOTSTRAP_OPEN) {
		exchange_ignore(exchange);
		return;
	}
	bootstrap_heard(b);
	if (is_finish(message))
		handle_finish(&o);
	else if (resolver_path(message->path, message->n_path, &o.path) < 0)
		/* Devices behind a prefix are not bootstrapped, either. */
		respond_refusal(&o, CODE(4, 05));
	else if (message->code == CODE_PUT)
		handle_put(&o);
	else if (message->code == CODE_DELETE)
		handle_delete(&o);
	else if (message->code == CODE_GET)
		handle_get(&o);
	else
		respond_refusal(&o, CODE(4, 05));
}
