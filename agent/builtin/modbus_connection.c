/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "builtin/modbus.h"

/* Object 10374: what YAML says of the Modbus buses, and how they are. */
enum {
	CONNECTION_ADDRESS = 0,
	CONNECTION_LAYER = 1,
	CONNECTION_ENABLE = 2,
	CONNECTION_BAUD = 3,
	CONNECTION_STOP_BITS = 4,
	CONNECTION_PARITY = 5,
	CONNECTION_FLOW = 6,
	CONNECTION_PORTS = 7,
	CONNECTION_STATE = 8,
};
/* More ports than this are not listed. */
#define PORTS_MAX 64u

static int refuse(char **ret_reason, int error, const char *reason)
{
	*ret_reason = strdup(reason);
	return error;
}

static bool is_current(const struct modbus *m, const struct path *path, const struct value *value)
{
	_cleanup_value_ struct value current = { 0 };

	return store_read(m->builtin->store, path, true, &current, NULL) >= 0 && value_equal(&current, value);
}

/* A server that writes a whole instance as it was read changes nothing. */
static int fixed_check(void *userdata, const struct path *path, const struct value *value,
		       char **ret_reason)
{
	return is_current(userdata, path, value) ? 0 : refuse(ret_reason, -EPERM, "is set in YAML");
}

static const struct backing_ops fixed_ops = { .check = fixed_check };

static int enable_check(void *userdata, const struct path *path, const struct value *value,
			char **ret_reason)
{
	const struct modbus *m = userdata;
	const struct connection *c = connection_find(m, path->instance);

	if (is_current(m, path, value))
		return 0;
	if (!m->change)
		return refuse(ret_reason, -EPERM, "YAML lets servers read only (modbus_objects: access)");
	if (!c || c->shared)
		return refuse(ret_reason, -EPERM, "its bus has other connections, too");
	return 0;
}

static void enable_write(void *userdata, const struct path *path, const struct value *value,
			 backing_done done, void *done_userdata)
{
	struct modbus *m = userdata;
	struct builtin *b = m->builtin;

	done(done_userdata, b->ports->modbus_enable(b->endpoint, path->instance, value->boolean), NULL);
}

static const struct backing_ops enable_ops = { .check = enable_check, .write = enable_write };

/* ---- Available RTU Ports ---- */

struct listing {
	struct records records;
	struct path path;
	int error;
};

static void list_port(void *userdata, const char *port)
{
	struct listing *l = userdata;
	struct path path = path_child(&l->path, (uint16_t)l->records.n);
	struct value value = { 0 };

	if (l->records.n >= PORTS_MAX || l->error < 0)
		return;
	l->error = value_set_string(&value, port);
	if (l->error >= 0)
		l->error = records_add(&l->records, &path, &value, 0);
}

static int put_ports(struct builtin *b, const struct listing *l)
{
	struct path surplus = path_child(&l->path, (uint16_t)l->records.n);
	int r = store_update(b->store, l->records.items, l->records.n);

	for (; r >= 0 && store_exists(b->store, &surplus); surplus.resource_instance++)
		r = store_remove_value(b->store, &surplus);
	if (r >= 0 && l->records.n == 0) {
		/* None is an answer, too. */
		r = store_remove_value(b->store, &l->path);
		if (r >= 0)
			r = store_set_quality(b->store, &l->path, STORE_GOOD);
	}
	return r;
}

static int update_ports(struct modbus *m, uint16_t instance)
{
	struct builtin *b = m->builtin;
	struct listing l = { .path = path_of_resource(CONNECTION_OBJECT, instance, CONNECTION_PORTS) };

	b->ports->serial_ports(b->endpoint, list_port, &l);
	store_begin(b->store);
	if (l.error >= 0)
		l.error = put_ports(b, &l);
	store_end(b->store);
	records_done(&l.records);
	return l.error;
}

static void ports_refresh(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
			  void *done_userdata)
{
	(void)period_usec;
	done(done_userdata, update_ports(userdata, path->instance), NULL);
}

static const struct backing_ops ports_ops = { .refresh = ports_refresh };

/* ---- */

static int add_backed(struct modbus *m, uint16_t instance, uint16_t resource, const struct backing_ops *ops)
{
	const struct backing backing = { .ops = ops, .userdata = m };
	const struct path path = path_of_resource(CONNECTION_OBJECT, instance, resource);

	return store_backing(m->builtin->store, &path) ? 0 :
							 store_add_resource(m->builtin->store, &path, &backing);
}

static int add_value(struct modbus *m, uint16_t instance, uint16_t resource,
		     const struct backing_ops *ops, struct value v)
{
	int r = add_backed(m, instance, resource, ops);

	return r < 0 ? r : builtin_set(m->builtin, CONNECTION_OBJECT, instance, resource, v);
}

static int add_line(struct modbus *m, const struct builtin_connection *c)
{
	int r = add_value(m, c->id, CONNECTION_BAUD, &fixed_ops, value_integer(c->baud));

	if (r >= 0)
		r = add_value(m, c->id, CONNECTION_STOP_BITS, &fixed_ops, value_integer(c->stop_bits));
	if (r >= 0)
		r = add_value(m, c->id, CONNECTION_PARITY, &fixed_ops, value_integer(c->parity));
	if (r >= 0)
		r = add_value(m, c->id, CONNECTION_FLOW, &fixed_ops, value_integer(c->flow));
	return r;
}

/* What YAML says of it; where it is there already, as well. */
static int fill(struct modbus *m, const struct builtin_connection *c)
{
	int r = add_backed(m, c->id, CONNECTION_ADDRESS, &fixed_ops);

	if (r >= 0)
		r = builtin_set_text(m->builtin, CONNECTION_OBJECT, c->id, CONNECTION_ADDRESS, c->address);
	if (r >= 0)
		r = add_value(m, c->id, CONNECTION_LAYER, &fixed_ops, value_integer(c->layer));
	if (r >= 0)
		r = add_value(m, c->id, CONNECTION_ENABLE, &enable_ops, value_boolean(c->enabled));
	if (r >= 0 && c->serial)
		r = add_line(m, c);
	if (r >= 0)
		r = add_backed(m, c->id, CONNECTION_PORTS, &ports_ops);
	return r < 0 ? r : update_ports(m, c->id);
}

static int add_connection(struct modbus *m, const struct object_definition *object,
			  const struct builtin_connection *c)
{
	int r = store_add_instance(m->builtin->store, object, c->id);

	if (r >= 0)
		r = fill(m, c);
	if (r >= 0)
		r = builtin_set(m->builtin, CONNECTION_OBJECT, c->id, CONNECTION_STATE,
				value_integer(c->enabled ? BUILTIN_CONNECTION_CONNECTING :
							   BUILTIN_CONNECTION_DISABLED));
	return r;
}

int connections_init(struct modbus *m, const struct definitions *definitions, const struct builtin_modbus *v)
{
	const struct object_definition *object = definitions_newest(definitions, CONNECTION_OBJECT);
	int r = object ? store_add_object(m->builtin->store, object) : -ENOENT;

	for (size_t i = 0; i < v->n_connections && r >= 0; i++)
		r = add_connection(m, object, &v->connections[i]);
	return r;
}

static int collect_gone(void *userdata, const struct path *instance)
{
	const struct modbus *m = userdata;

	return connection_find(m, instance->instance) ? 0 : instance->instance + 1;
}

static bool was_serial(const struct modbus *m, uint16_t instance)
{
	const struct path path = path_of_resource(CONNECTION_OBJECT, instance, CONNECTION_BAUD);

	return store_exists(m->builtin->store, &path);
}

static int reload_connection(struct modbus *m, const struct object_definition *object,
			     const struct builtin_connection *c)
{
	if (builtin_has(m->builtin, CONNECTION_OBJECT, c->id) && was_serial(m, c->id) == c->serial)
		return fill(m, c);
	store_remove_instance(m->builtin->store, CONNECTION_OBJECT, c->id);
	return add_connection(m, object, c);
}

int connections_reload(struct modbus *m, const struct definitions *definitions, const struct builtin_modbus *v)
{
	const struct object_definition *object = definitions_newest(definitions, CONNECTION_OBJECT);
	const struct path all = path_of_object(CONNECTION_OBJECT);
	struct store *store = m->builtin->store;
	int r, gone;

	while ((gone = store_children(store, &all, collect_gone, m)) > 0)
		store_remove_instance(store, CONNECTION_OBJECT, (uint16_t)(gone - 1));
	r = object ? store_add_object(store, object) : -ENOENT;
	for (size_t i = 0; i < v->n_connections && r >= 0; i++)
		r = reload_connection(m, object, &v->connections[i]);
	return r;
}

void builtin_connection_state(struct builtin *b, uint16_t connection, enum builtin_connection_state state)
{
	if (b->modbus && connection_find(b->modbus, connection))
		builtin_set(b, CONNECTION_OBJECT, connection, CONNECTION_STATE, value_integer(state));
}
