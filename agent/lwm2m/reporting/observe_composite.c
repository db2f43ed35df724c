/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "lwm2m/dm/composite_read.h"

/* Observe-Composite and its Cancel (Core 6.4.4, 6.4.5): FETCH with Observe. */

struct composite_request {
	struct observed *paths;
	unsigned n;
	int32_t format;
	struct wish wish;
};

static int request_read(struct request *q, struct composite_request *ret, const char **ret_reason)
{
	int r = composite_targets(q, &ret->paths, &ret->n, ret_reason);

	if (r >= 0)
		r = composite_format(q->message, &ret->format);
	return r < 0 ? r : wish_read(q, &ret->wish);
}

static int read_content_of(struct client *c, const struct composite_request *request, struct buf *ret)
{
	_cleanup_composite_content_ struct composite_content content = { .client = c };
	int r = 0;

	for (unsigned i = 0; i < request->n && r >= 0; i++)
		r = composite_content_add(&content, &request->paths[i]);
	return r < 0 ? r : composite_content_encode(&content, request->format, false, ret);
}

static void answer(struct request *q, const struct composite_request *request, bool start,
		   const struct buf *content)
{
	struct message m;

	message_init(&m, MESSAGE_ACK, CODE(2, 05));
	/* Without a place for it, or a path to observe, the answer is a plain Read (RFC 7641 4.1). */
	if (start && request->n > 0)
		notify_start(q->client, request->paths, request->n, true, &request->wish, request->format, &m);
	m.content_format = request->format;
	m.payload = span_of(content->data, content->size);
	exchange_respond(q->exchange, &m, NULL, NULL);
}

void dm_observe_composite(struct request *q)
{
	struct composite_request request = { .paths = NULL };
	_cleanup_buf_ struct buf content = { 0 };
	const char *reason = NULL;
	int r = request_read(q, &request, &reason);

	if (r >= 0)
		r = read_content_of(q->client, &request, &content);
	if (r < 0) {
		respond_error(q, r, reason);
	} else {
		answer(q, &request, true, &content);
		/* What is only read when somebody asks is asked for now. */
		for (unsigned i = 0; i < request.n; i++)
			if (composite_may_read(q->client, &request.paths[i]))
				store_refresh(request.paths[i].store, &request.paths[i].path, NULL, NULL);
	}
	free(request.paths);
}

static bool is_of(struct observation *o, const struct composite_request *request)
{
	if (!o->composite || o->n_paths != request->n)
		return false;
	for (unsigned i = 0; i < request->n; i++)
		if (observation_path(o, i)->store != request->paths[i].store ||
		    !path_equal(&observation_path(o, i)->path, &request->paths[i].path))
			return false;
	return true;
}

/* The same token and the same list; of another list it is a Read. */
void dm_cancel_composite(struct request *q)
{
	struct client *c = q->client;
	struct composite_request request = { .paths = NULL };
	_cleanup_buf_ struct buf content = { 0 };
	const char *reason = NULL;
	struct observation *o;
	int r = request_read(q, &request, &reason);

	o = r < 0 ? NULL : observations_find(c->observations, q->message->token, q->message->token_size);
	if (o && is_of(o, &request))
		observations_remove(c->observations, q->message->token, q->message->token_size);
	if (r >= 0)
		r = read_content_of(c, &request, &content);
	if (r < 0)
		respond_error(q, r, reason);
	else
		answer(q, &request, false, &content);
	free(request.paths);
}
