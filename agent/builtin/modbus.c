/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin/modbus.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

/* The objects 10374, Modbus Connection, and 10375, Modbus Register Cluster, where YAML allows them. */

const struct connection *connection_find(const struct modbus *m, uint16_t id)
{
	for (size_t i = 0; i < m->n_connections; i++)
		if (m->connections[i].id == id)
			return &m->connections[i];
	return NULL;
}

static int keep_connections(struct modbus *m, const struct builtin_modbus *v)
{
	struct connection *connections = calloc(v->n_connections + 1, sizeof(*connections));

	if (!connections)
		return -ENOMEM;
	for (size_t i = 0; i < v->n_connections; i++)
		connections[i] = (struct connection){
			.id = v->connections[i].id,
			.serial = v->connections[i].serial,
			.shared = v->connections[i].shared,
		};
	free(m->connections);
	m->connections = connections;
	m->n_connections = v->n_connections;
	return 0;
}

static bool is_observed(const struct builtin *b, uint16_t instance)
{
	static const uint16_t resources[] = { CLUSTER_VALUES, CLUSTER_MINIMUM, CLUSTER_MAXIMUM };

	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		const struct path path = path_of_resource(CLUSTER_OBJECT, instance, resources[i]);

		if (store_exists(b->store, &path) && b->ports->is_observed(b->endpoint, &path))
			return true;
	}
	return false;
}

/* Observed values do not come by themselves. */
static void observed_due(struct timer *timer, void *userdata)
{
	struct modbus *m = userdata;

	(void)timer;
	for (size_t i = 0; i < m->n_clusters; i++) {
		const struct kept_cluster *k = &m->clusters[i];
		const struct cluster cluster = k->cluster;

		if (is_observed(m->builtin, k->instance) && !operation_exists(m, k->instance))
			operation_read(m, k->instance, &cluster, NULL, NULL);
	}
	timer_arm_in(&m->timer, OBSERVED_USEC);
}

int modbus_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	struct modbus *m;
	int r;

	if (!v->modbus)
		return 0;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->builtin = b;
	m->change = v->modbus->change;
	list_init(&m->operations);
	timer_init(&m->timer, v->modbus->timers, observed_due, m);
	b->modbus = m;
	r = keep_connections(m, v->modbus);
	if (r >= 0)
		r = connections_init(m, definitions, v->modbus);
	return r < 0 ? r : clusters_init(m, definitions);
}

/* YAML does not allow them any more. */
static void leave(struct builtin *b)
{
	store_set_keeper(b->store, NULL);
	store_remove_object(b->store, CLUSTER_OBJECT);
	store_remove_object(b->store, CONNECTION_OBJECT);
	b->modbus = modbus_free(b->modbus);
}

int modbus_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	int r;

	if (!b->modbus)
		return modbus_init(b, definitions, v);
	if (!v->modbus) {
		leave(b);
		return 0;
	}
	r = keep_connections(b->modbus, v->modbus);
	if (r < 0)
		return r;
	b->modbus->change = v->modbus->change;
	r = connections_reload(b->modbus, definitions, v->modbus);
	return r < 0 ? r : clusters_reload(b->modbus, definitions);
}

struct modbus *modbus_free(struct modbus *m)
{
	if (!m)
		return NULL;
	timer_disarm(&m->timer);
	operations_free(m);
	for (size_t i = 0; i < m->n_clusters; i++)
		free(m->clusters[i].extremes);
	free(m->connections);
	free(m);
	return NULL;
}

int builtin_clusters_adopt(struct builtin *b)
{
	return b->modbus ? clusters_adopt(b->modbus) : 0;
}
