/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/devices.h"
#include "config/map.h"
#include "config/names.h"
#include "config/places.h"

static struct config_endpoint *append_endpoint(struct loader *l, struct yaml_mark mark)
{
	struct config *c = l->config;
	struct config_endpoint *grown;

	if (c->n_endpoints == CONFIG_ENDPOINTS_MAX) {
		loader_error(l, mark, "more than %u endpoints", CONFIG_ENDPOINTS_MAX);
		return NULL;
	}
	grown = loader_grow(l, c->endpoints, &l->endpoints_allocated, c->n_endpoints,
			    sizeof(*grown));
	if (!grown)
		return NULL;
	c->endpoints = grown;
	grown += c->n_endpoints++;
	*grown = (struct config_endpoint){ .mark = mark, .device = UINT32_MAX };
	return grown;
}

/* As the gateway's template has it. */
static char *template_name(struct loader *l, struct yaml_mark mark, const char *name)
{
	struct variables v = { 0 };
	char *client_name;

	if (!l->config->gateway.endpoint_template ||
	    variables_add(l, &v, mark, "name", name, true) < 0 ||
	    endpoint_name(l, mark, l->config->gateway.endpoint_template, &v, &client_name) < 0)
		return NULL;
	return client_name;
}

int endpoint_add_device(struct loader *l, uint32_t device, const char *client_name,
			const struct config_objects *create, struct yaml_mark mark)
{
	const struct config_device *d = &l->config->devices[device];
	struct config_endpoint *e = append_endpoint(l, mark);
	char *own;

	if (!e)
		return -EINVAL;
	own = client_name ? loader_text(l, client_name) : template_name(l, d->mark, d->name);
	e->mark = d->mark;
	e->name = d->name;
	e->endpoint = own;
	e->manufacturer = d->type->manufacturer;
	e->model = d->type->model;
	e->device = device;
	e->map = d->type->map;
	e->n_map = d->type->n_map;
	e->create = *create;
	return own ? 0 : -EINVAL;
}

/* ---- rows of `endpoints:` ---- */

struct endpoint_row {
	const struct yaml_node *node, *name;
	struct endpoint_section section;
	struct info_section info;
	struct config_objects create;
	struct expansion expansion;
};

static char *client_name(struct loader *l, const struct endpoint_row *row,
			 const struct variables *v, const char *name)
{
	const struct yaml_node *node = row->section.endpoint;
	const char *text;
	char *ret;

	if (!node)
		return template_name(l, row->name->mark, name);
	if (scalar_text(l, node, &text) < 0 || endpoint_name(l, node->mark, text, v, &ret) < 0)
		return NULL;
	return ret;
}

static int read_endpoint(struct loader *l, const struct endpoint_row *row, size_t index)
{
	struct map_target target = { 0 };
	struct config_endpoint *e;
	struct config_map *map = NULL;
	struct variables v = { 0 };
	char *name;
	int r = expansion_variables(l, &row->expansion, index, &v);

	r = r < 0 ? r : name_expand(l, row->name->mark, row->section.name, &v, &name);
	r = r < 0 ? r : name_check(l, row->name->mark, name);
	r = r < 0 ? r : variables_add_names(l, &v, row->name->mark, name);
	if (r < 0)
		return r;
	e = append_endpoint(l, row->name->mark);
	if (!e)
		return -EINVAL;
	e->name = name;
	e->manufacturer = row->info.manufacturer;
	e->model = row->info.model;
	e->endpoint = client_name(l, row, &v, name);
	r = map_read(l, &target, row->section.lwm2m, &v, &map, &e->n_map);
	e->map = map;
	e->create = row->create;
	return e->endpoint ? r : -EINVAL;
}

static int check_varying(struct loader *l, const struct endpoint_row *row)
{
	struct variables v = { 0 };
	bool any;

	if (row->expansion.count <= 1 || expansion_variables(l, &row->expansion, 0, &v) < 0)
		return 0;
	text_varying(row->section.name, &v, &any);
	if (any)
		return 0;
	loader_error(l, row->name->mark,
		     "%zu endpoints of one name: \"%s\" lacks a placeholder that varies",
		     row->expansion.count, row->section.name);
	return -EINVAL;
}

static void read_row(struct loader *l, const struct yaml_node *node)
{
	struct endpoint_row row = { .node = node };
	int r = 0;

	if (node_is_null(node) || mapping_expect(l, node, "an endpoint") < 0) {
		if (node_is_null(node))
			loader_error(l, node->mark,
				     "an endpoint is a mapping, written {key: value}");
		return;
	}
	if (mapping_read(l, node, node->mark, &keys_endpoint, NULL, &row.section) < 0)
		r = -EINVAL;
	info_read(l, row.section.info, &row.info);
	if (row.section.create)
		create_read(l, row.section.create, &row.create);
	row.name = yaml_get(node, "name");
	if (!row.section.name || !row.name || r < 0)
		return;
	expansion_init(&row.expansion, row.name->mark);
	if (expansion_add_each(l, &row.expansion, row.section.each) < 0 ||
	    check_varying(l, &row) < 0)
		return;
	for (size_t i = 0; i < row.expansion.count && r >= 0; i++)
		r = read_endpoint(l, &row, i);
}

/* Other keys of the document have been read with its devices. */
static void read_document(struct loader *l, const struct yaml_node *document)
{
	const struct yaml_node *endpoints = yaml_get(document, "endpoints");

	if (sequence_expect(l, endpoints, "endpoints") < 0)
		return;
	for (size_t i = 0; i < endpoints->n && !l->no_memory; i++)
		read_row(l, endpoints->items[i]);
}

void endpoints_read(struct loader *l)
{
	for (size_t i = 0; i < l->n_documents && !l->no_memory; i++)
		if (l->documents[i].file->place == CONFIG_PLACE_DEVICES)
			read_document(l, l->documents[i].node);
	host_rows_read(l);
	endpoints_check(l);
}
