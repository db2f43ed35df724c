/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "builtin/modbus.h"

/* Object 10375: registers that a server names, read when they are asked for. */

#define UNIT_MAX 247
#define UNIT_NONE 255 /* of TCP: not significant */

static int refuse(char **ret_reason, int error, const char *reason)
{
	*ret_reason = strdup(reason);
	return error;
}

struct kept_cluster *cluster_find(struct modbus *m, uint16_t instance)
{
	for (size_t i = 0; i < m->n_clusters; i++)
		if (m->clusters[i].instance == instance)
			return &m->clusters[i];
	return NULL;
}

/* Those that a server deleted make room. */
static void forget_deleted(struct modbus *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_clusters; i++) {
		struct path path = path_of_instance(CLUSTER_OBJECT, m->clusters[i].instance);

		if (store_exists(m->builtin->store, &path))
			m->clusters[n++] = m->clusters[i];
		else
			free(m->clusters[i].extremes);
	}
	m->n_clusters = n;
}

/* ---- what it is of ---- */

/* A request that leads to what is in the store in the end. */
struct request {
	const struct modbus *modbus;
	const struct path *target;
	enum store_write_mode mode;
	const struct record *records;
	size_t n;
};

static const struct value *find_value(const struct request *q, uint16_t resource)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->records[i].path.resource == resource)
			return &q->records[i].value;
	return NULL;
}

/* 0, or -ENOENT. */
static int find_setting(const struct request *q, uint16_t resource, struct value *ret)
{
	const struct path path = path_of_resource(CLUSTER_OBJECT, q->target->instance, resource);
	const struct value *value = find_value(q, resource);

	if (value) {
		*ret = *value;
		return 0;
	}
	if (q->mode == STORE_CREATE || (q->mode == STORE_REPLACE && q->target->depth == PATH_INSTANCE))
		return -ENOENT;
	/* None of these has memory of its own. */
	return store_read(q->modbus->builtin->store, &path, true, ret, NULL) < 0 ? -ENOENT : 0;
}

static int64_t find_number(const struct request *q, uint16_t resource, int64_t otherwise)
{
	struct value value;

	return find_setting(q, resource, &value) < 0 ? otherwise : value.integer;
}

static int check_unit(const struct request *q, int64_t unit, uint16_t connection, char **ret_reason)
{
	const struct connection *c = connection_find(q->modbus, connection);

	if (!c)
		return refuse(ret_reason, -EINVAL, "is no instance of /10374");
	if (unit < 0 || (unit > UNIT_MAX && (unit != UNIT_NONE || c->serial)))
		return refuse(ret_reason, -ERANGE,
			      c->serial ? "a unit is 1 to 247" : "a unit is 0 to 247, or 255");
	if (unit == 0 && c->serial)
		return refuse(ret_reason, -ERANGE, "unit 0 of a serial line is everybody: nobody answers");
	return 0;
}

static int check_quantity(int64_t type, int64_t start, int64_t quantity, char **ret_reason)
{
	if (quantity > CLUSTER_REGISTERS_MAX && (type == CLUSTER_HOLDING || type == CLUSTER_INPUT))
		return refuse(ret_reason, -ERANGE, "at most 125 registers are read together");
	if (start + quantity > UINT16_MAX + 1)
		return refuse(ret_reason, -ERANGE, "there is no register behind 65535");
	return 0;
}

/* What it will be of; single values are good already. */
static int settle(const struct request *q, struct cluster *ret, char **ret_reason)
{
	struct value link = { 0 };
	int64_t type = find_number(q, CLUSTER_TYPE, 0), unit = find_number(q, CLUSTER_UNIT, -1),
		start = find_number(q, CLUSTER_START, 0), quantity = find_number(q, CLUSTER_QUANTITY, 1);
	int r;

	if (find_setting(q, CLUSTER_CONNECTION, &link) < 0 || link.link.object != CONNECTION_OBJECT)
		return refuse(ret_reason, -EINVAL, "is no instance of /10374");
	r = check_unit(q, unit, link.link.instance, ret_reason);
	if (r >= 0)
		r = check_quantity(type, start, quantity, ret_reason);
	if (r < 0)
		return r;
	*ret = (struct cluster){ .connection = link.link.instance,
				 .type = (uint8_t)type,
				 .unit = (uint8_t)unit,
				 .start = (uint16_t)start,
				 .quantity = (uint16_t)quantity };
	return 0;
}

static bool is_same(const struct cluster *a, const struct cluster *b)
{
	return a->connection == b->connection && a->type == b->type && a->unit == b->unit &&
	       a->start == b->start && a->quantity == b->quantity;
}

/* ---- requests of servers ---- */

static int check_register(const struct cluster *c, const struct record *record, char **ret_reason)
{
	/* "any write operation that would result in the set of valid Resource Instance IDs being changed" */
	if (record->path.depth != PATH_RESOURCE_INSTANCE || record->path.resource_instance >= c->quantity)
		return refuse(ret_reason, -EINVAL, "Values has as many instances as Quantity says");
	if (cluster_is_bits(c) && record->value.integer > 1)
		return refuse(ret_reason, -ERANGE, "a coil is 0 or 1");
	return 0;
}

static int check_values(const struct request *q, const struct cluster *c, char **ret_reason)
{
	size_t n = 0;
	int r = 0;

	if (!q->modbus->change)
		return refuse(ret_reason, -EPERM, "YAML lets servers read only (modbus_objects: access)");
	if (!cluster_is_writable(c))
		return refuse(ret_reason, -EPERM, "inputs cannot be written");
	for (size_t i = 0; i < q->n && r >= 0; i++) {
		if (q->records[i].path.resource != CLUSTER_VALUES)
			continue;
		r = check_register(c, &q->records[i], ret_reason);
		n++;
	}
	if (r >= 0 && n != c->quantity && q->mode == STORE_REPLACE && q->target->depth <= PATH_RESOURCE)
		return refuse(ret_reason, -EINVAL, "Values has as many instances as Quantity says");
	return r;
}

static int cluster_check(void *userdata, const struct path *target, enum store_write_mode mode,
			 const struct record *records, size_t n, char **ret_reason)
{
	const struct request q = { userdata, target, mode, records, n };
	struct modbus *m = userdata;
	const struct kept_cluster *kept;
	struct cluster cluster;
	int r;

	forget_deleted(m);
	if (mode == STORE_CREATE && m->n_clusters >= CLUSTERS_MAX)
		return refuse(ret_reason, -EINVAL, "there are 64 clusters already");
	r = settle(&q, &cluster, ret_reason);
	if (r < 0 || !find_value(&q, CLUSTER_VALUES))
		return r;
	kept = mode == STORE_CREATE ? NULL : cluster_find(m, target->instance);
	if (!kept || !is_same(&kept->cluster, &cluster))
		return refuse(ret_reason, -EINVAL, "Values can be written when it is settled of what");
	return check_values(&q, &cluster, ret_reason);
}

static bool cluster_supplies(void *userdata, uint16_t resource)
{
	(void)userdata;
	return resource >= CLUSTER_VALUES;
}

/* ---- Values ---- */

static void values_refresh(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
			   void *done_userdata)
{
	struct modbus *m = userdata;
	const struct kept_cluster *k = cluster_find(m, path->instance);
	struct cluster cluster;

	(void)period_usec;
	if (!k) {
		done(done_userdata, -ENOENT, NULL);
		return;
	}
	cluster = k->cluster;
	operation_read(m, path->instance, &cluster, done, done_userdata);
}

static void values_write(void *userdata, const struct record *records, size_t n, backing_done done,
			 void *done_userdata)
{
	struct modbus *m = userdata;
	const struct kept_cluster *k = cluster_find(m, records->path.instance);
	struct cluster cluster;

	if (!k) {
		done(done_userdata, -ENOENT, NULL);
		return;
	}
	cluster = k->cluster;
	operation_write(m, records->path.instance, &cluster, records, n, done, done_userdata);
}

static void values_explain(void *userdata, const struct path *path, char *ret, size_t size)
{
	const struct kept_cluster *k = cluster_find(userdata, path->instance);

	snprintf(ret, size, "%s", k && *k->reason ? k->reason : "not read yet");
}

static const struct backing_ops values_ops = {
	.write_all = values_write,
	.refresh = values_refresh,
	.explain = values_explain,
};

/* Nothing is known of its Values. */
static int clear_values(struct modbus *m, uint16_t instance)
{
	const struct backing backing = { .ops = &values_ops, .userdata = m };
	const struct path path = path_of_resource(CLUSTER_OBJECT, instance, CLUSTER_VALUES);

	return store_add_resource(m->builtin->store, &path, &backing);
}

static int keep_cluster(struct modbus *m, uint16_t instance, const struct cluster *cluster)
{
	struct kept_cluster *k = cluster_find(m, instance);
	int r;

	if (!k && m->n_clusters >= CLUSTERS_MAX)
		return -ENOSPC;
	if (!k) {
		k = &m->clusters[m->n_clusters++];
		k->extremes = NULL;
	}
	*k = (struct kept_cluster){ .instance = instance, .cluster = *cluster, .extremes = k->extremes };
	if (!timer_is_armed(&m->timer))
		timer_arm_in(&m->timer, OBSERVED_USEC);
	r = extremes_clear(m, k);
	return r < 0 ? r : clear_values(m, instance);
}

static void cluster_written(void *userdata, const struct path *instance, enum store_write_mode mode)
{
	const struct request q = { .modbus = userdata, .target = instance, .mode = STORE_UPDATE };
	const struct kept_cluster *k = cluster_find(userdata, instance->instance);
	_cleanup_free_ char *reason = NULL;
	struct cluster cluster;

	if (settle(&q, &cluster, &reason) < 0 ||
	    (mode != STORE_CREATE && k && is_same(&k->cluster, &cluster)))
		return;
	/* Its single instances exist once it has been read. */
	if (keep_cluster(userdata, instance->instance, &cluster) >= 0)
		operation_read(userdata, instance->instance, &cluster, NULL, NULL);
}

static const struct store_keeper_ops keeper_ops = {
	.check = cluster_check,
	.supplies = cluster_supplies,
	.written = cluster_written,
};

/* ---- what was read ---- */

int cluster_put(struct store *store, uint16_t instance, uint16_t resource, const uint16_t *values, size_t n)
{
	const struct path path = path_of_resource(CLUSTER_OBJECT, instance, resource);
	struct record *records = calloc(n, sizeof(*records));
	int r;

	if (!records)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		records[i].path = path_child(&path, (uint16_t)i);
		records[i].value = value_integer(values[i]);
	}
	r = store_update(store, records, n);
	free(records);
	return r;
}

/* It may be of something else by now. */
void cluster_take(struct modbus *m, uint16_t instance, const struct cluster *cluster, const uint16_t *values)
{
	struct kept_cluster *k = cluster_find(m, instance);
	struct store *store = m->builtin->store;

	if (!k || !is_same(&k->cluster, cluster))
		return;
	*k->reason = 0;
	store_begin(store);
	cluster_put(store, instance, CLUSTER_VALUES, values, cluster->quantity);
	extremes_take(m, k, values);
	store_end(store);
}

void cluster_fail(struct modbus *m, uint16_t instance, const char *reason)
{
	const struct path path = path_of_resource(CLUSTER_OBJECT, instance, CLUSTER_VALUES);
	struct kept_cluster *k = cluster_find(m, instance);

	if (!k)
		return;
	snprintf(k->reason, sizeof(k->reason), "%s", reason);
	k->reason[utf8_valid_prefix(k->reason, strlen(k->reason))] = 0;
	store_set_quality(m->builtin->store, &path, STORE_OFFLINE);
}

/* ---- */

static int adopt(void *userdata, const struct path *instance)
{
	struct modbus *m = userdata;
	const struct request q = { .modbus = m, .target = instance, .mode = STORE_UPDATE };
	_cleanup_free_ char *reason = NULL;
	struct cluster cluster;

	if (cluster_find(m, instance->instance))
		return 0;
	/* Its bus may be gone: then there is nothing to be read until a server says of what. */
	return settle(&q, &cluster, &reason) < 0 ? 0 : keep_cluster(m, instance->instance, &cluster);
}

int clusters_adopt(struct modbus *m)
{
	const struct path object = path_of_object(CLUSTER_OBJECT);

	return store_children(m->builtin->store, &object, adopt, m);
}

/* Its connection is gone, or has no such unit: its Values are none, until a server says of what. */
static void forget_values(struct modbus *m, uint16_t instance)
{
	for (uint16_t resource = CLUSTER_VALUES; resource <= CLUSTER_RESET; resource++) {
		const struct path path = path_of_resource(CLUSTER_OBJECT, instance, resource);

		store_remove_resource(m->builtin->store, &path);
	}
}

static int reload_cluster(struct modbus *m, const struct kept_cluster *k, bool *ret_stays)
{
	const struct path instance = path_of_instance(CLUSTER_OBJECT, k->instance);
	const struct path values = path_of_resource(CLUSTER_OBJECT, k->instance, CLUSTER_VALUES);
	const struct request q = { .modbus = m, .target = &instance, .mode = STORE_UPDATE };
	_cleanup_free_ char *reason = NULL;
	struct cluster cluster;

	*ret_stays = settle(&q, &cluster, &reason) >= 0;
	if (!*ret_stays)
		forget_values(m, k->instance);
	else if (!is_same(&k->cluster, &cluster) || !store_backing(m->builtin->store, &values))
		return keep_cluster(m, k->instance, &cluster);
	return 0;
}

int clusters_reload(struct modbus *m, const struct definitions *definitions)
{
	const struct object_definition *object = definitions_newest(definitions, CLUSTER_OBJECT);
	size_t n = 0;
	int error = object ? store_add_object(m->builtin->store, object) : -ENOENT;

	forget_deleted(m);
	for (size_t i = 0; i < m->n_clusters; i++) {
		bool stays;
		int r = reload_cluster(m, &m->clusters[i], &stays);

		error = error < 0 ? error : r;
		if (stays)
			m->clusters[n++] = m->clusters[i];
		else
			free(m->clusters[i].extremes);
	}
	m->n_clusters = n;
	return error < 0 ? error : clusters_adopt(m);
}

int clusters_init(struct modbus *m, const struct definitions *definitions)
{
	const struct object_definition *object = definitions_newest(definitions, CLUSTER_OBJECT);

	if (!object)
		return -ENOENT;
	m->keeper = (struct store_keeper){ CLUSTER_OBJECT, &keeper_ops, m };
	store_set_keeper(m->builtin->store, &m->keeper);
	return store_add_object(m->builtin->store, object);
}
