/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "lwm2m/client_internal.h"

/* Write-Attributes (Core 6.3.6): per server, kept with the endpoint. */
void dm_write_attributes(struct request *q)
{
	struct client *c = q->client;
	const struct attributes *attached = attribute_set_find(c->attributes, &q->target.path);
	struct attributes attributes = attached ? *attached : (struct attributes){ 0 };
	int r;

	r = attributes_apply(&attributes, q->message->query, q->message->n_query, q->target.path.depth);
	if (r >= 0)
		r = attribute_set_put(c->attributes, &q->target.path, &attributes);
	if (r < 0) {
		respond_error(q, r == -ENOSPC ? -EINVAL : r, r == -ENOSPC ? "too many paths" : NULL);
		return;
	}
	respond_code(q, CODE(2, 04));
	c->ops->attributes(c->userdata);
	observations_reconsider(c->observations);
}
