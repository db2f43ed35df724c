/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "lwm2m/client_internal.h"

/*
 * Which operation a CoAP request means (Core 6.3, Transport 6.4.4), in the
 * order of checks of lwm2m.md "Operations".
 */

/* Closed whatever follows, also where no path has that shape. */
static bool names_secret(const struct message *m)
{
	uint16_t object;

	return m->n_path > 0 &&
	       path_parse_id((const char *)m->path[0].p, m->path[0].n, &object) >= 0 &&
	       object_is_secret(object);
}

/* What the shape of method and path allows at all; 4.05 otherwise. */
static bool fits_shape(const struct message *m, const struct path *path)
{
	switch (m->code) {
	case CODE_GET:
		return path->depth >= PATH_OBJECT;
	case CODE_PUT:
		/* Write replaces an instance or less; Write-Attributes may name an object. */
		return path->depth >= PATH_INSTANCE || (path->depth == PATH_OBJECT && m->content_format < 0);
	case CODE_POST:
		return path->depth >= PATH_OBJECT;
	case CODE_DELETE:
		return path->depth == PATH_INSTANCE || path->depth == PATH_RESOURCE_INSTANCE;
	case CODE_FETCH:
	case CODE_IPATCH:
		return path->depth == PATH_ROOT;
	default:
		return false;
	}
}

/* A resource instance of a single resource has no place (lwm2m.md). */
static bool is_instance_of_single(const struct request *q)
{
	const struct resource_definition *resource = view_resource(&q->view, &q->target.path);

	return q->target.path.depth == PATH_RESOURCE_INSTANCE && resource && !resource->multiple;
}

bool request_may_make(const struct request *q, const struct path *path)
{
	const struct resolver *resolver = q->client->config.resolver;

	/* Its owner hands out rights where nobody had any. */
	if (path->object == ACCESS_OBJECT && path->depth >= PATH_RESOURCE)
		return true;
	return resolver->may_make(resolver->userdata, q->target.store, path);
}

/* A write makes the resource instance that it names, and the resource where servers may. */
static bool exists_for(const struct request *q)
{
	const struct path *path = &q->target.path;
	struct path instance = path_cut(path, PATH_INSTANCE);
	struct path resource = path_cut(path, PATH_RESOURCE);
	bool writes = (q->message->code == CODE_PUT || q->message->code == CODE_POST) &&
		      q->message->content_format >= 0;

	if (!writes || path->depth < PATH_RESOURCE)
		return view_exists(&q->view, path);
	return view_exists(&q->view, &resource) ||
	       (view_exists(&q->view, &instance) && view_resource(&q->view, path) &&
		request_may_make(q, &resource));
}

static void dispatch_get(struct request *q)
{
	const struct message *m = q->message;

	if (m->accept == FORMAT_LINK)
		dm_discover(q);
	else if (m->observe == 0)
		dm_observe(q);
	else if (m->observe == 1)
		dm_cancel(q);
	else if (m->observe > 1)
		respond_error(q, -EINVAL, "Observe is 0 or 1");
	else
		dm_read(q);
}

/* Composite operations came with 1.1. */
static void dispatch_fetch(struct request *q)
{
	const struct message *m = q->message;

	if (q->client->version < LWM2M_1_1)
		respond_error(q, -EPERM, NULL);
	else if (m->observe == 0)
		dm_observe_composite(q);
	else if (m->observe == 1)
		dm_cancel_composite(q);
	else if (m->observe > 1)
		respond_error(q, -EINVAL, "Observe is 0 or 1");
	else
		dm_read_composite(q);
}

static void dispatch_put(struct request *q)
{
	if (q->message->content_format >= 0)
		dm_write(q, STORE_REPLACE);
	else if (q->message->payload.n == 0)
		dm_write_attributes(q);
	else
		respond_error(q, -EPROTONOSUPPORT, "no Content-Format");
}

static void dispatch_post(struct request *q)
{
	const struct path *path = &q->target.path;
	const struct resource_definition *resource = view_resource(&q->view, path);

	switch ((enum path_depth)path->depth) {
	case PATH_ROOT:
		respond_error(q, -EPERM, NULL);
		break;
	case PATH_OBJECT:
		dm_create(q);
		break;
	case PATH_INSTANCE:
		dm_write(q, STORE_UPDATE);
		break;
	case PATH_RESOURCE:
		if (resource->operations & OPERATION_EXECUTE)
			dm_execute(q);
		else if (resource->multiple && q->message->content_format >= 0)
			dm_write(q, STORE_UPDATE);
		else
			respond_error(q, -EPERM, NULL);
		break;
	case PATH_RESOURCE_INSTANCE:
		/* ETS 228 and 233 use it, T is silent. */
		if (q->message->content_format >= 0)
			dm_write(q, STORE_UPDATE);
		else
			respond_error(q, -EPERM, NULL);
		break;
	}
}

static void dispatch(struct request *q)
{
	switch (q->message->code) {
	case CODE_GET:
		dispatch_get(q);
		break;
	case CODE_PUT:
		dispatch_put(q);
		break;
	case CODE_POST:
		dispatch_post(q);
		break;
	case CODE_DELETE:
		dm_delete(q);
		break;
	case CODE_IPATCH:
		/* Composite operations came with 1.1. */
		if (q->client->version >= LWM2M_1_1)
			dm_write_composite(q);
		else
			respond_error(q, -EPERM, NULL);
		break;
	case CODE_FETCH:
		dispatch_fetch(q);
		break;
	default:
		respond_error(q, -EPERM, NULL);
		break;
	}
}

int request_resolve(struct request *q)
{
	const struct client *c = q->client;
	const struct message *m = q->message;
	int r;

	if (names_secret(m))
		return -EACCES;
	r = c->config.resolver->resolve(c->config.resolver->userdata, c->config.store, m->path, m->n_path,
					&q->target);
	if (r < 0)
		return r;
	q->view = client_view(c, q->target.store);
	if (q->target.path.depth >= PATH_OBJECT && object_is_secret(q->target.path.object))
		return -EACCES;
	if (!fits_shape(m, &q->target.path) || is_instance_of_single(q))
		return -EPERM;
	if (!exists_for(q))
		return -ENOENT;
	return request_is_allowed(q) ? 0 : -EACCES;
}

void requests_handle(void *userdata, struct exchange *exchange, const struct message *message)
{
	struct client *c = userdata;
	struct request q = { .client = c, .exchange = exchange, .message = message };
	int r;

	if (message->streamed) {
		stream_handle(&q);
		return;
	}
	if (!client_serves(c)) {
		exchange_ignore(exchange);
		return;
	}
	r = request_resolve(&q);
	if (r < 0)
		respond_error(&q, r, NULL);
	else
		dispatch(&q);
}
