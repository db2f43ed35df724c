/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "lwm2m/client_internal.h"

static bool is_number(const struct resource_definition *resource)
{
	switch (resource->type) {
	case VALUE_INTEGER:
	case VALUE_UNSIGNED:
	case VALUE_FLOAT:
	case VALUE_TIME:
		return true;
	case VALUE_NONE:
	case VALUE_STRING:
	case VALUE_BOOLEAN:
	case VALUE_OPAQUE:
	case VALUE_OBJLNK:
	case VALUE_CORELNK:
	case VALUE_TYPES:
		return false;
	}
	return false;
}

unsigned attributes_known(enum lwm2m_version version)
{
	const unsigned since_1_1 = ATTRIBUTE_EPMIN | ATTRIBUTE_EPMAX;
	const unsigned since_1_2 = ATTRIBUTE_EDGE | ATTRIBUTE_CON | ATTRIBUTE_HQMAX;

	return ~((version < LWM2M_1_1 ? since_1_1 : 0) | (version < LWM2M_1_2 ? since_1_2 : 0));
}

/* What judges a number or a Boolean has nothing to judge elsewhere (Core 7.3.2). */
static bool attributes_fit(const struct request *q, const struct attributes *attributes)
{
	const struct resource_definition *resource = view_resource(&q->view, &q->target.path);

	if (attributes->present & ATTRIBUTES_OF_NUMBERS && !(resource && is_number(resource)))
		return false;
	return !(attributes->present & ATTRIBUTE_EDGE) || (resource && resource->type == VALUE_BOOLEAN);
}

int request_attributes(const struct request *q, struct attributes *attributes)
{
	struct attributes changed = *attributes;
	int r = attributes_apply(&changed, q->message->query, q->message->n_query,
				 q->target.path.depth);

	/* What was attached under a newer version stays. */
	if (r < 0 || changed.present & ~(attributes->present | attributes_known(q->client->version)) ||
	    !attributes_fit(q, &changed))
		return -EINVAL;
	*attributes = changed;
	return 0;
}

/* Write-Attributes (Core 6.3.6): per server, kept with the endpoint. */
void dm_write_attributes(struct request *q)
{
	struct client *c = q->client;
	const struct attributes *attached = attribute_set_find(c->attributes, &q->target.path);
	struct attributes attributes = attached ? *attached : (struct attributes){ 0 };
	int r;

	r = request_attributes(q, &attributes);
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
