/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/clock.h"
#include "builtin/internal.h"

/* Object 4, Core appendix E.5, of the host: how this machine is connected. */
#define OBJECT 4

enum {
	CONNECTIVITY_BEARER = 0,
	CONNECTIVITY_AVAILABLE = 1,
	CONNECTIVITY_SIGNAL = 2,
	CONNECTIVITY_QUALITY = 3,
	CONNECTIVITY_ADDRESSES = 4,
	CONNECTIVITY_ROUTERS = 5,
};

/* A radio's signal is looked at so often by itself. */
#define LOOK_USEC (30 * USEC_PER_SEC)

static void look(struct builtin *b);

static void refresh(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
		    void *done_userdata)
{
	(void)path;
	if (period_usec == UINT64_MAX || period_usec < LOOK_USEC)
		look(userdata);
	done(done_userdata, 0, NULL);
}

static const struct backing_ops network_ops = { .refresh = refresh };

/* Ours; what the configuration shows there of a device, of a modem say, is not. */
static bool take(struct builtin *b, uint16_t resource)
{
	const struct path path = path_of_resource(OBJECT, 0, resource);
	const struct backing *backing;

	if (builtin_back(b, &path, &network_ops) < 0)
		return false;
	backing = store_backing(b->store, &path);
	return backing && backing->ops == &network_ops;
}

static void put(struct builtin *b, uint16_t resource, int64_t value)
{
	if (take(b, resource))
		builtin_set(b, OBJECT, 0, resource, value_integer(value));
}

static void withdraw(struct builtin *b, uint16_t resource)
{
	const struct path path = path_of_resource(OBJECT, 0, resource);

	if (store_exists(b->store, &path) && take(b, resource))
		store_remove_resource(b->store, &path);
}

static void remove_from(struct builtin *b, uint16_t resource, unsigned n)
{
	const struct path path = path_of_resource(OBJECT, 0, resource);

	for (struct path surplus = path_child(&path, (uint16_t)n); store_exists(b->store, &surplus);
	     surplus.resource_instance++)
		store_remove_value(b->store, &surplus);
}

static void put_texts(struct builtin *b, uint16_t resource, const char texts[][BUILTIN_ADDRESS_MAX], unsigned n)
{
	if (n == 0) {
		withdraw(b, resource);
		return;
	}
	if (!take(b, resource))
		return;
	for (unsigned i = 0; i < n; i++) {
		const struct path path = path_of_resource_instance(OBJECT, 0, resource, (uint16_t)i);
		_cleanup_value_ struct value value = { 0 };

		if (value_set_string(&value, texts[i]) >= 0)
			store_update_one(b->store, &path, &value);
	}
	remove_from(b, resource, n);
}

static void put_available(struct builtin *b, const struct builtin_network *n)
{
	if (!take(b, CONNECTIVITY_AVAILABLE))
		return;
	for (unsigned i = 0; i < n->n_available; i++) {
		const struct path path = path_of_resource_instance(OBJECT, 0, CONNECTIVITY_AVAILABLE, (uint16_t)i);
		const struct value value = value_integer(n->available[i]);

		store_update_one(b->store, &path, &value);
	}
	remove_from(b, CONNECTIVITY_AVAILABLE, n->n_available);
}

/* What only radios have. */
static void put_quality(struct builtin *b, const struct builtin_network *n)
{
	if (n->has_quality)
		put(b, CONNECTIVITY_QUALITY, n->quality);
	else
		withdraw(b, CONNECTIVITY_QUALITY);
}

static void look(struct builtin *b)
{
	struct builtin_network n = { 0 };

	b->ports->network(b->endpoint, &n);
	store_begin(b->store);
	put(b, CONNECTIVITY_BEARER, n.bearer);
	put_available(b, &n);
	/* It is mandatory; a wire has none. */
	put(b, CONNECTIVITY_SIGNAL, n.signal_dbm);
	put_quality(b, &n);
	put_texts(b, CONNECTIVITY_ADDRESSES, n.addresses, n.n_addresses);
	put_texts(b, CONNECTIVITY_ROUTERS, n.routers, n.n_routers);
	store_end(b->store);
}

void builtin_network_changed(struct builtin *b)
{
	if (builtin_has(b, OBJECT, 0))
		look(b);
}

int connectivity_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	const struct object_definition *object = definitions_newest(definitions, OBJECT);
	int r;

	if (!v->host || !v->host->network || !object)
		return 0;
	r = store_add_instance(b->store, object, 0);
	if (r >= 0)
		look(b);
	return r;
}
