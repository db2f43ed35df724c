/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping/mapping.h"

#include <errno.h>

#include "mapping/internal.h"

/* Its endpoints and devices, made of a configuration. */

bool mapping_is_blind(const struct mapping *m, uint32_t endpoint)
{
	const struct mapped_endpoint *e = m->endpoints[endpoint];

	for (size_t i = 0; i < e->config->n_map; i++)
		if (row_has_rate(&e->rows[i]))
			return false;
	return true;
}

static int device_shows(struct mapped_device *d, uint32_t endpoint)
{
	uint32_t *grown;

	if (d->n > 0 && d->endpoints[d->n - 1] == endpoint)
		return 0;
	grown = reallocarray(d->endpoints, d->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	d->endpoints = grown;
	d->endpoints[d->n++] = endpoint;
	return 0;
}

static int endpoint_init(struct mapping *m, uint32_t index)
{
	struct mapped_endpoint *e = m->endpoints[index];
	int r = plan_get(m, e->config, &e->plan);

	if (r < 0)
		return r;
	e->rows = calloc(e->config->n_map ?: 1, sizeof(*e->rows));
	if (!e->rows)
		return -ENOMEM;
	for (size_t i = 0; i < e->config->n_map && r >= 0; i++) {
		e->rows[i].endpoint = e;
		if (row_has_point(&e->rows[i]))
			r = device_shows(&m->devices[row_device(&e->rows[i])], index);
	}
	e->unseen = rows_unseen(e);
	return r;
}

static int endpoint_new(struct mapping *m, uint32_t index)
{
	struct mapped_endpoint *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->mapping = m;
	e->config = config_endpoint_at(m->config, index);
	e->index = index;
	list_init(&e->writes);
	list_init(&e->asking);
	m->endpoints[index] = e;
	return endpoint_init(m, index);
}

void mapped_endpoint_free(struct mapped_endpoint *e)
{
	if (e)
		free(e->rows);
	free(e);
}

int mapping_init(struct mapping *m, const struct mapping *from, const struct config_difference *d)
{
	const struct config *config = m->config;
	int r = 0;

	list_init(&m->plans);
	once_init(m);
	m->endpoints = calloc(config->n_endpoints + 1, sizeof(*m->endpoints));
	m->devices = calloc(config->n_devices ?: 1, sizeof(*m->devices));
	if (!m->endpoints || !m->devices)
		return -ENOMEM;
	for (uint32_t i = 0; i <= config_host(config) && r >= 0; i++)
		r = endpoint_new(m, i);
	if (r >= 0)
		r = counters_init(m, from, d);
	return r < 0 ? r : kept_init(m, from, d);
}

int mapping_new(const struct mapping_config *config, const struct mapping_ops *ops, void *userdata,
		struct mapping **ret)
{
	struct mapping *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->config = config->config;
	m->definitions = config->definitions;
	m->fieldbus = config->fieldbus;
	m->timers = config->timers;
	m->state = config->state;
	m->ops = ops;
	m->userdata = userdata;
	r = mapping_init(m, NULL, NULL);
	if (r < 0) {
		mapping_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

void mapped_devices_free(struct mapped_device *devices, size_t n)
{
	for (size_t i = 0; devices && i < n; i++) {
		free(devices[i].endpoints);
		free(devices[i].reason);
		free(devices[i].counters);
		kept_free(devices[i].kept);
	}
	free(devices);
}

struct mapping *mapping_free(struct mapping *m)
{
	if (!m)
		return NULL;
	for (uint32_t i = 0; m->endpoints && i <= config_host(m->config); i++) {
		if (m->endpoints[i] && m->endpoints[i]->store)
			mapping_detach(m, i);
		mapped_endpoint_free(m->endpoints[i]);
	}
	once_leave(m, NULL);
	counters_done(m);
	kept_done(m);
	mapped_devices_free(m->devices, m->config->n_devices);
	plans_free(&m->plans);
	free(m->endpoints);
	free(m);
	return NULL;
}
