/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin/device_host.h"

#include <errno.h>
#include <stdlib.h>

/* What object 3 of the host has of its own: this machine. */

struct device_host *device_host_free(struct device_host *h)
{
	if (!h)
		return NULL;
	timer_disarm(&h->timer);
	free(h);
	return NULL;
}

int device_host_back(struct device_host *h, uint16_t resource, const struct backing_ops *ops)
{
	const struct path path = path_of_resource(3, 0, resource);
	const struct backing backing = { .ops = ops, .userdata = h };
	struct store *store = h->builtin->store;

	return store_backing(store, &path) ? 0 : store_add_resource(store, &path, &backing);
}

static int make(struct builtin *b, const struct builtin_host *v)
{
	struct device_host *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->builtin = b;
	h->clock = v->clock;
	timer_init(&h->timer, v->timers, NULL, NULL);
	b->host = h;
	return 0;
}

int device_host_init(struct builtin *b, const struct builtin_host *v)
{
	int r = b->host ? 0 : make(b, v);

	if (r >= 0)
		r = clock_init(b->host);
	return r < 0 ? r : facts_init(b->host);
}
