/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/macro.h"
#include "builtin/internal.h"

/* An object is one init and one row. */
static int (*const inits[])(struct builtin *, const struct definitions *, const struct builtin_values *) = {
	security_init,
	server_init,
	device_init,
	modbus_init,
};

int builtin_set(struct builtin *b, uint16_t object, uint16_t instance, uint16_t resource, struct value v)
{
	struct path path = path_of_resource(object, instance, resource);
	int r = store_update_one(b->store, &path, &v);

	value_done(&v);
	return r;
}

int builtin_set_text(struct builtin *b, uint16_t object, uint16_t instance, uint16_t resource,
		     const char *text)
{
	struct value v = { 0 };
	int r;

	if (!text)
		return 0;
	r = value_set_string(&v, text);
	return r < 0 ? r : builtin_set(b, object, instance, resource, v);
}

int builtin_new(struct store *store, const struct definitions *definitions,
		const struct builtin_values *values, const struct builtin_ports *ports, void *endpoint,
		struct builtin **ret)
{
	struct builtin *b = calloc(1, sizeof(*b));
	int r = 0;

	if (!b)
		return -ENOMEM;
	b->store = store;
	b->ports = ports;
	b->endpoint = endpoint;
	store_begin(store);
	for (size_t i = 0; i < ARRAY_SIZE(inits) && r >= 0; i++)
		r = inits[i](b, definitions, values);
	store_end(store);
	if (r < 0) {
		builtin_free(b);
		return r;
	}
	*ret = b;
	return 0;
}

struct builtin *builtin_free(struct builtin *b)
{
	if (b)
		modbus_free(b->modbus);
	free(b);
	return NULL;
}
