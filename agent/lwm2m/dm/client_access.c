/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/client_internal.h"

/* Whether the server may (Core 8.2): between existence and operation. */

/* /2 is the endpoint's own; devices behind prefixes have none (lwm2m.md "Gateway"). */
const struct access *client_access(struct client *c, const struct store *store)
{
	if (store != c->config.store)
		return NULL;
	if (!c->access_known && access_new(c->config.store, c->config.short_id, &c->access) < 0)
		return &access_closed;
	c->access_known = true;
	return c->access;
}

void client_access_forget(struct client *c)
{
	c->access = access_free(c->access);
	c->access_known = false;
}

void client_access_changed(struct client *c, const struct path *paths, size_t n)
{
	for (size_t i = 0; i < n && c->access_known; i++)
		if (paths[i].depth == PATH_ROOT || paths[i].object == ACCESS_OBJECT || paths[i].object == 1)
			client_access_forget(c);
}

static uint8_t right_to_post(const struct request *q)
{
	const struct resource_definition *resource = view_resource(&q->view, &q->target.path);

	if (q->target.path.depth == PATH_OBJECT)
		return ACCESS_CREATE;
	return q->target.path.depth == PATH_RESOURCE && resource->operations & OPERATION_EXECUTE ?
		       ACCESS_EXECUTE :
		       ACCESS_WRITE;
}

/* What the operation wants; 0: it is open to all, as Discover is. */
static uint8_t right_wanted(const struct request *q)
{
	const struct message *m = q->message;

	switch (m->code) {
	case CODE_GET:
		return m->accept == FORMAT_LINK ? 0 : ACCESS_READ;
	case CODE_PUT:
		if (m->content_format >= 0)
			return ACCESS_WRITE;
		return q->target.path.depth == PATH_OBJECT ? 0 : ACCESS_READ;
	case CODE_POST:
		return right_to_post(q);
	case CODE_DELETE:
		return ACCESS_DELETE;
	default:
		/* Composite operations ask for each of their paths. */
		return 0;
	}
}

bool request_is_allowed(const struct request *q)
{
	const struct access *access = client_access(q->client, q->target.store);
	const struct path *path = &q->target.path;
	uint8_t wanted = right_wanted(q);

	if (wanted == ACCESS_CREATE)
		return access_may_create(access, path->object);
	if (wanted == ACCESS_READ)
		return access_reads(access, q->target.store, path);
	return (access_rights(access, path->object, path->instance) & wanted) == wanted;
}
