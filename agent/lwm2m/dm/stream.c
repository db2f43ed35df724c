/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lwm2m/dm/pending.h"
#include "lwm2m/status.h"

/* Writes of values that nobody wants to hold in memory, such as a Package (Core E.6): they are taken as they come. */

struct stream {
	struct body_sink sink;
	struct backing backing;
	struct path path;
	uint64_t size; /* that has come */
};

static struct stream *stream_of(struct body_sink *sink)
{
	return container_of(sink, struct stream, sink);
}

static int take(struct body_sink *sink, struct span block)
{
	struct stream *s = stream_of(sink);
	int r = s->backing.ops->stream_take(s->backing.userdata, &s->path, block.p, block.n);

	if (r == 0)
		s->size += block.n;
	return r == 0 || r == -EBUSY ? r : status_code(r);
}

static void lost(struct body_sink *sink)
{
	struct stream *s = stream_of(sink);

	s->backing.ops->stream_lost(s->backing.userdata, &s->path);
	free(s);
}

/* Whoever takes such a value in pieces: it is written whole, as the bytes that it is. */
static const struct backing *find_backing(const struct request *q)
{
	const struct resource_definition *resource = view_resource(&q->view, &q->target.path);
	const struct backing *backing;

	if (q->message->code != CODE_PUT || q->message->content_format != FORMAT_OPAQUE ||
	    q->target.path.depth != PATH_RESOURCE || !resource || !(resource->operations & OPERATION_WRITE))
		return NULL;
	backing = store_backing(q->target.store, &q->target.path);
	return backing && backing->ops->stream_begin ? backing : NULL;
}

uint8_t stream_open(void *userdata, const struct message *first, struct body_sink **ret)
{
	struct request q = { .client = userdata, .message = first };
	const struct backing *backing;
	struct stream *s;
	int r;

	/* What is wrong with it is said once it is here. */
	if (!client_serves(q.client) || request_resolve(&q) < 0)
		return 0;
	backing = find_backing(&q);
	if (!backing)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return status_code(-ENOMEM);
	s->sink = (struct body_sink){ .take = take, .lost = lost };
	s->backing = *backing;
	s->path = q.target.path;
	r = backing->ops->stream_begin(backing->userdata, &s->path, first->size1 > 0 ? (uint64_t)first->size1 : 0);
	if (r < 0) {
		free(s);
		return status_code(r);
	}
	*ret = &s->sink;
	return 0;
}

static char *audit_text(const struct stream *s)
{
	char path[PATH_TEXT_MAX], text[PATH_TEXT_MAX + 48];

	snprintf(text, sizeof(text), "%s = %llu bytes", path_format(&s->path, path), (unsigned long long)s->size);
	return strdup(text);
}

void stream_handle(struct request *q)
{
	struct stream *s = stream_of(q->message->streamed);
	struct pending *op;
	int r = client_serves(q->client) ? request_resolve(q) : -ENOTCONN;

	if (r == -ENOTCONN) {
		exchange_ignore(q->exchange);
		lost(&s->sink);
		return;
	}
	/* Rights may have changed on the way. */
	if (r < 0) {
		respond_error(q, r, NULL);
		lost(&s->sink);
		return;
	}
	op = pending_new(q, CODE(2, 04));
	if (!op) {
		lost(&s->sink);
		return;
	}
	op->audit = q->client->config.audit ? audit_text(s) : NULL;
	s->backing.ops->stream_end(s->backing.userdata, &s->path, pending_done, op);
	free(s);
}
