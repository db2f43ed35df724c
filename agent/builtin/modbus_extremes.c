/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "builtin/modbus.h"

/* Of object 10375: the lowest and the highest that was read of each register, since it is of these. */

struct extremes {
	size_t n;
	uint16_t values[]; /* n of the last read, n lowest, n highest ones */
};

static uint16_t *lowest(struct extremes *e)
{
	return e->values + e->n;
}

static uint16_t *highest(struct extremes *e)
{
	return e->values + 2 * e->n;
}

static int put(struct modbus *m, const struct kept_cluster *k)
{
	struct store *store = m->builtin->store;
	struct extremes *e = k->extremes;
	int r = cluster_put(store, k->instance, CLUSTER_MINIMUM, lowest(e), e->n);

	return r < 0 ? r : cluster_put(store, k->instance, CLUSTER_MAXIMUM, highest(e), e->n);
}

static void begin_anew(struct extremes *e)
{
	memcpy(lowest(e), e->values, e->n * sizeof(*e->values));
	memcpy(highest(e), e->values, e->n * sizeof(*e->values));
}

static struct extremes *extremes_new(const uint16_t *values, size_t n)
{
	struct extremes *e = malloc(sizeof(*e) + 3 * n * sizeof(*e->values));

	if (!e)
		return NULL;
	e->n = n;
	memcpy(e->values, values, n * sizeof(*values));
	begin_anew(e);
	return e;
}

int extremes_take(struct modbus *m, struct kept_cluster *k, const uint16_t *values)
{
	struct extremes *e = k->extremes;

	if (!e) {
		k->extremes = extremes_new(values, k->cluster.quantity);
		return k->extremes ? put(m, k) : -ENOMEM;
	}
	memcpy(e->values, values, e->n * sizeof(*values));
	for (size_t i = 0; i < e->n; i++) {
		lowest(e)[i] = MIN(lowest(e)[i], values[i]);
		highest(e)[i] = MAX(highest(e)[i], values[i]);
	}
	return put(m, k);
}

static void reset(void *userdata, const struct path *path, const char *argument, backing_done done,
		  void *done_userdata)
{
	struct modbus *m = userdata;
	const struct kept_cluster *k = cluster_find(m, path->instance);
	int r = 0;

	(void)argument;
	if (k && k->extremes) {
		begin_anew(k->extremes);
		r = put(m, k);
	}
	done(done_userdata, r, NULL);
}

static void explain(void *userdata, const struct path *path, char *ret, size_t size)
{
	(void)userdata;
	(void)path;
	snprintf(ret, size, "not read yet");
}

int extremes_clear(struct modbus *m, struct kept_cluster *k)
{
	static const struct backing_ops measured = { .explain = explain }, resetting = { .execute = reset };
	static const struct {
		uint16_t resource;
		const struct backing_ops *ops;
	} resources[] = {
		{ CLUSTER_MINIMUM, &measured },
		{ CLUSTER_MAXIMUM, &measured },
		{ CLUSTER_RESET, &resetting },
	};
	int r = 0;

	free(TAKE_PTR(k->extremes));
	for (size_t i = 0; i < ARRAY_SIZE(resources) && r >= 0; i++) {
		const struct path path = path_of_resource(CLUSTER_OBJECT, k->instance, resources[i].resource);
		const struct backing backing = { .ops = resources[i].ops, .userdata = m };

		r = store_add_resource(m->builtin->store, &path, &backing);
	}
	return r;
}
