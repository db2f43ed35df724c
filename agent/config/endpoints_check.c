/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "config/places.h"

/* ---- names ---- */

static int compare_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_places(const struct config_endpoint *a, const struct config_endpoint *b)
{
	return a < b ? -1 : a > b;
}

static int by_name(const void *a, const void *b)
{
	const struct config_endpoint *x = *(const struct config_endpoint *const *)a;
	const struct config_endpoint *y = *(const struct config_endpoint *const *)b;
	int order = compare_text(x->name, y->name);

	return order != 0 ? order : compare_places(x, y);
}

static int by_client_name(const void *a, const void *b)
{
	const struct config_endpoint *x = *(const struct config_endpoint *const *)a;
	const struct config_endpoint *y = *(const struct config_endpoint *const *)b;
	int order = compare_text(x->endpoint, y->endpoint);

	return order != 0 ? order : compare_places(x, y);
}

static bool is_of_same_device(const struct config_endpoint *a, const struct config_endpoint *b)
{
	/* Two devices of one name have been told already. */
	return a->device != UINT32_MAX && b->device != UINT32_MAX;
}

static void check_names(struct loader *l, const struct config_endpoint **sorted, size_t n)
{
	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = 1; i < n; i++)
		if (compare_text(sorted[i]->name, sorted[i - 1]->name) == 0 &&
		    !is_of_same_device(sorted[i], sorted[i - 1]))
			loader_error(l, sorted[i]->mark,
				     "there are two endpoints %s, the other in %s:%u",
				     sorted[i]->name, sorted[i - 1]->mark.file,
				     sorted[i - 1]->mark.line);
}

static void check_client_names(struct loader *l, const struct config_endpoint **sorted, size_t n)
{
	const char *host = l->config->gateway.endpoint;

	if (n > 1)
		qsort(sorted, n, sizeof(*sorted), by_client_name);
	for (size_t i = 0; i < n; i++) {
		if (!sorted[i]->endpoint)
			continue;
		if (host && streq(sorted[i]->endpoint, host))
			loader_error(l, sorted[i]->mark,
				     "%s has the endpoint client name of the host, %s",
				     sorted[i]->name, host);
		if (i > 0 && compare_text(sorted[i]->endpoint, sorted[i - 1]->endpoint) == 0 &&
		    compare_text(sorted[i]->name, sorted[i - 1]->name) != 0)
			loader_error(l, sorted[i]->mark,
				     "%s and %s have one endpoint client name, %s", sorted[i]->name,
				     sorted[i - 1]->name, sorted[i]->endpoint);
	}
}

/* ---- which endpoints register where ---- */

static bool matches_any(const struct config *c, const char *pattern)
{
	for (size_t i = 0; i < c->n_endpoints; i++)
		if (glob_match(pattern, c->endpoints[i].name))
			return true;
	return glob_match(pattern, "host");
}

static void check_pattern(struct loader *l, const struct yaml_node *node)
{
	const struct config *c = l->config;
	const char **names;

	if (matches_any(c, node->text))
		return;
	if (strpbrk(node->text, "*?")) {
		loader_warning(l, node->mark, "no endpoint has a name like \"%s\"", node->text);
		return;
	}
	names = loader_scratch(l, (c->n_endpoints + 1) * sizeof(*names));
	for (size_t i = 0; names && i < c->n_endpoints; i++)
		names[i] = c->endpoints[i].name;
	loader_unknown(l, node->mark, "endpoint", node->text, names, names ? c->n_endpoints : 0);
}

static void check_patterns_of(struct loader *l, const struct yaml_node *node, const struct config_server *server)
{
	for (size_t k = 0; node && node->kind == YAML_KIND_SEQUENCE && k < server->n_endpoints; k++)
		check_pattern(l, node->items[k]);
}

static void check_patterns(struct loader *l)
{
	for (size_t i = 0; i < l->config->n_servers; i++)
		check_patterns_of(l, l->server_patterns[i], &l->config->servers[i]);
	check_patterns_of(l, l->bootstrap_patterns, &l->config->bootstrap.server);
}

/* ---- points that can be written through two endpoints ---- */

struct writer {
	uint32_t device, point;
	const struct config_endpoint *endpoint;
	const struct config_map *row;
};

static int by_point(const void *a, const void *b)
{
	const struct writer *x = a, *y = b;

	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->point != y->point)
		return x->point < y->point ? -1 : 1;
	if (x->endpoint != y->endpoint)
		return x->endpoint < y->endpoint ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static bool is_written(const struct loader *l, const struct config_map *row)
{
	const struct object_definition *object =
		definitions_newest(l->sources->definitions, row->path.object);
	const struct resource_definition *resource =
		object ? object_resource(object, row->path.resource) : NULL;

	if (row->kind == CONFIG_MAP_EXECUTE)
		return true;
	return row->kind == CONFIG_MAP_POINT && resource && resource->operations & OPERATION_WRITE;
}

static bool can_be_written(const struct config_device *device, uint32_t point)
{
	return device->type->points[point].access & CONFIG_ACCESS_WRITE;
}

/*
 * The endpoints of several devices; a device's own endpoint is looked at where one
 * of them shows its points.
 */
static size_t collect(const struct loader *l, struct writer *writers)
{
	const struct config *c = l->config;
	size_t n = 0;

	for (uint32_t i = 0; i <= config_host(c); i++) {
		const struct config_endpoint *e = config_endpoint_at(c, i);

		for (size_t k = 0; e->device == UINT32_MAX && k < e->n_map; k++) {
			const struct config_map *row = &e->map[k];

			if (row->kind == CONFIG_MAP_CONSTANT || !is_written(l, row) ||
			    !can_be_written(&c->devices[row->device], row->point))
				continue;
			if (writers)
				writers[n] = (struct writer){ row->device, row->point, e, row };
			n++;
		}
	}
	return n;
}

static void warn(struct loader *l, const struct writer *writer, const char *other)
{
	const struct config_device *device = &l->config->devices[writer->device];

	loader_warning(l, writer->row->mark,
		       "%s.%s can be written through two endpoints, %s and %s", device->name,
		       device->type->points[writer->point].name, other, writer->endpoint->name);
}

static const struct config_endpoint **own_endpoints(struct loader *l)
{
	const struct config *c = l->config;
	const struct config_endpoint **own = loader_scratch(l, (c->n_devices + 1) * sizeof(*own));

	for (size_t i = 0; own && i < c->n_endpoints; i++)
		if (c->endpoints[i].device != UINT32_MAX)
			own[c->endpoints[i].device] = &c->endpoints[i];
	return own;
}

static bool endpoint_writes(const struct loader *l, const struct config_endpoint *e, uint32_t point)
{
	for (size_t i = 0; e && i < e->n_map; i++)
		if (e->map[i].kind != CONFIG_MAP_CONSTANT && e->map[i].point == point &&
		    is_written(l, &e->map[i]))
			return true;
	return false;
}

static void check_writers(struct loader *l)
{
	size_t n = collect(l, NULL);
	struct writer *writers = loader_scratch(l, (n + 1) * sizeof(*writers));
	const struct config_endpoint **own = own_endpoints(l);

	if (!writers || !own)
		return;
	collect(l, writers);
	if (n > 1)
		qsort(writers, n, sizeof(*writers), by_point);
	for (size_t i = 0; i < n; i++) {
		const struct writer *w = &writers[i], *before = i > 0 ? w - 1 : NULL;

		if (before && before->device == w->device && before->point == w->point) {
			if (before->endpoint != w->endpoint)
				warn(l, w, before->endpoint->name);
		} else if (endpoint_writes(l, own[w->device], w->point)) {
			warn(l, w, own[w->device]->name);
		}
	}
}

void endpoints_check(struct loader *l)
{
	struct config *c = l->config;
	const struct config_endpoint **sorted =
		loader_scratch(l, (c->n_endpoints + 1) * sizeof(*sorted));

	if (!sorted)
		return;
	for (size_t i = 0; i < c->n_endpoints; i++)
		sorted[i] = &c->endpoints[i];
	check_names(l, sorted, c->n_endpoints);
	check_client_names(l, sorted, c->n_endpoints);
	if (l->errors.n == 0)
		check_patterns(l);
	if (l->errors.n == 0)
		check_writers(l);
	if (c->n_endpoints > c->limits.endpoints)
		loader_error(l, l->limits_mark, "there are %zu endpoints, limits allow %u",
			     c->n_endpoints, c->limits.endpoints);
}
