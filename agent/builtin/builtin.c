/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/macro.h"
#include "builtin/internal.h"

/* An object is an init, what a reload makes of it, and one row. */
static const struct {
	int (*init)(struct builtin *, const struct definitions *, const struct builtin_values *);
	int (*reload)(struct builtin *, const struct definitions *, const struct builtin_values *);
} rows[] = {
	{ security_init, security_reload },
	{ server_init, server_reload },
	{ device_init, device_reload },
	{ connectivity_init, connectivity_init },
	{ statistics_init, statistics_init },
	{ modbus_init, modbus_reload },
	{ firmware_object_init, firmware_object_reload },
	{ software_object_init, software_object_reload },
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

int builtin_back(struct builtin *b, const struct path *resource, const struct backing_ops *ops)
{
	const struct backing backing = { .ops = ops, .userdata = b };

	return store_backing(b->store, resource) ? 0 : store_add_resource(b->store, resource, &backing);
}

bool builtin_has(const struct builtin *b, uint16_t object, uint16_t instance)
{
	const struct path path = path_of_instance(object, instance);

	return store_exists(b->store, &path);
}

/* An instance of the object that no account has. */
struct strangers {
	const struct builtin_values *values;
	uint16_t instance;
};

static bool is_of(const struct builtin_account *a, const struct path *instance)
{
	return (instance->object == 0 ? a->security : a->instance) == instance->instance;
}

static int find_stranger(void *userdata, const struct path *child)
{
	struct strangers *s = userdata;

	for (size_t i = 0; i < s->values->n_accounts; i++)
		if (is_of(&s->values->accounts[i], child))
			return 0;
	if (child->object == 0 && s->values->bootstrap && s->values->bootstrap->security == child->instance)
		return 0;
	s->instance = child->instance;
	return 1;
}

void builtin_keep_accounts(struct builtin *b, uint16_t object, const struct builtin_values *v)
{
	const struct path path = path_of_object(object);
	struct strangers strangers = { .values = v };

	if (v->n_accounts == 0 && !(object == 0 && v->bootstrap))
		store_remove_object(b->store, object);
	while (store_children(b->store, &path, find_stranger, &strangers) > 0)
		if (store_remove_instance(b->store, object, strangers.instance) < 0)
			break;
}

int builtin_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *values)
{
	int error = 0;

	store_begin(b->store);
	store_set_definitions(b->store, definitions);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = rows[i].reload(b, definitions, values);

		error = error < 0 ? error : r;
	}
	store_end(b->store);
	return error;
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
	for (size_t i = 0; i < ARRAY_SIZE(rows) && r >= 0; i++)
		r = rows[i].init(b, definitions, values);
	store_end(store);
	if (r < 0) {
		builtin_free(b);
		return r;
	}
	*ret = b;
	return 0;
}

void builtin_leave(struct builtin *b)
{
	if (!b)
		return;
	firmware_object_leave(b);
	software_object_leave(b);
}

struct builtin *builtin_free(struct builtin *b)
{
	if (!b)
		return NULL;
	statistics_free(b->statistics);
	device_host_free(b->host);
	modbus_free(b->modbus);
	builtin_leave(b);
	free(b);
	return NULL;
}
