/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/profile.h"

#define SAMPLES_MAX 1000u /* of one profile */
#define CELL_MAX 65535

/* The areas that the plugin knows; where it says nothing, any will do. */
static const char *const *known_areas(const struct profile *p)
{
	const struct config_plugin *plugin = p->plugin->plugin;

	for (size_t i = 0; i < plugin->n_keys; i++)
		if (streq(plugin->keys[i].name, "area") &&
		    plugin->keys[i].scope & FIELDWAY_SCOPE_POINT)
			return plugin->keys[i].choices;
	return NULL;
}

static size_t count_cells(const struct yaml_node *registers)
{
	size_t n = 0;

	for (size_t i = 0; i < registers->n; i++) {
		const struct yaml_node *area = registers->items[i];

		for (size_t k = 0; area->kind == YAML_KIND_MAPPING && k < area->n; k++)
			n += area->items[k]->kind == YAML_KIND_SEQUENCE ? area->items[k]->n : 1;
	}
	return n;
}

static int read_cell(struct loader *l, const char *area, uint64_t address,
		     const struct yaml_node *node, struct config_sample *sample)
{
	uint64_t value;
	bool coil;
	int r;

	if (node->kind == YAML_KIND_SCALAR && !node->quoted &&
	    (streq(node->text, "true") || streq(node->text, "false"))) {
		r = scalar_bool(l, node, &coil);
		value = r < 0 ? 0 : coil;
	} else {
		r = scalar_u64(l, node, &value);
		r = r < 0 ? r : number_check(l, node->mark, node->text, (double)value, 0, CELL_MAX);
	}
	if (r < 0)
		return r;
	sample->cells[sample->n_cells++] = (struct fieldway_cell){ .area = area,
								   .address = (uint32_t)address,
								   .value = (uint16_t)value };
	return 0;
}

/* From one address on. */
static int read_block(struct loader *l, const char *area, const struct yaml_node *start,
		      const struct yaml_node *node, struct config_sample *sample)
{
	uint64_t address;
	int r = scalar_u64(l, start, &address);

	r = r < 0 ? r :
		    number_check(l, start->mark, start->text, (double)address, 0,
				 UINT32_MAX - CONFIG_CELLS_MAX);
	if (r < 0)
		return r;
	if (node->kind != YAML_KIND_SEQUENCE)
		return read_cell(l, area, address, node, sample);
	for (size_t i = 0; i < node->n; i++)
		r = worse(r, read_cell(l, area, address + i, node->items[i], sample));
	return r;
}

static int read_area(struct loader *l, const struct profile *p, const struct yaml_node *name,
		     const struct yaml_node *node, struct config_sample *sample)
{
	const char *const *areas = known_areas(p);
	const char *area = loader_text(l, name->text);
	int r = area ? mapping_expect(l, node, "an area") : -ENOMEM, ignored;

	if (areas)
		r = worse(r, scalar_choice(l, name, areas, &ignored));
	for (size_t i = 0; r >= 0 && i < node->n; i++)
		r = read_block(l, area, node->keys[i], node->items[i], sample);
	return r;
}

static int read_registers(struct loader *l, const struct profile *p, const struct yaml_node *node,
			  struct config_sample *sample)
{
	int r = mapping_expect(l, node, "registers");
	size_t n;

	if (r < 0)
		return r;
	n = count_cells(node);
	if (n > CONFIG_CELLS_MAX) {
		loader_error(l, node->mark, "more than %u registers", CONFIG_CELLS_MAX);
		return -EINVAL;
	}
	sample->cells = loader_array(l, struct fieldway_cell, n);
	if (!sample->cells)
		return -ENOMEM;
	for (size_t i = 0; i < node->n; i++)
		r = worse(r, read_area(l, p, node->keys[i], node->items[i], sample));
	return r;
}

int expected_value_read(struct loader *l, const struct yaml_node *node, struct fieldway_value *ret)
{
	int64_t integer;
	uint64_t unsignd;
	double number;

	if (node->kind != YAML_KIND_SCALAR || node_is_null(node)) {
		loader_error(l, node->mark, "expected true, false, a number, text, or invalid");
		return -EINVAL;
	}
	if (!node->quoted && streq(node->text, "invalid"))
		*ret = (struct fieldway_value){ .type = FIELDWAY_NONE };
	else if (!node->quoted && (streq(node->text, "true") || streq(node->text, "false")))
		*ret = (struct fieldway_value){ .type = FIELDWAY_BOOL,
						.boolean = *node->text == 't' };
	else if (!node->quoted && parse_i64(node->text, &integer) >= 0)
		*ret = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = integer };
	else if (!node->quoted && parse_u64(node->text, &unsignd) >= 0)
		*ret = (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = unsignd };
	else if (!node->quoted && parse_double(node->text, &number) >= 0)
		*ret = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = number };
	else {
		*ret = (struct fieldway_value){ .type = FIELDWAY_STRING,
						.data = loader_text(l, node->text),
						.size = strlen(node->text) };
		return ret->data ? 0 : -ENOMEM;
	}
	return 0;
}

static int read_expectation(struct loader *l, const struct profile *p, const struct yaml_node *name,
			    const struct yaml_node *node, struct config_expectation *ret)
{
	int64_t point = profile_point(p, name->text);

	if (point < 0)
		return profile_refuse_point(l, p, name->mark, name->text);
	if (!(p->points[point].point.access & CONFIG_ACCESS_READ)) {
		loader_error(l, name->mark, "point %s cannot be read", name->text);
		return -EINVAL;
	}
	ret->mark = node->mark;
	ret->point = (uint32_t)point;
	return expected_value_read(l, node, &ret->value);
}

static int read_expect(struct loader *l, const struct profile *p, const struct yaml_node *node,
		       struct config_sample *sample)
{
	int r = mapping_expect(l, node, "expect");

	if (r < 0)
		return r;
	sample->expectations = loader_array(l, struct config_expectation, node->n);
	if (!sample->expectations)
		return -ENOMEM;
	for (size_t i = 0; i < node->n; i++)
		r = worse(r, read_expectation(l, p, node->keys[i], node->items[i],
					      &sample->expectations[i]));
	sample->n_expectations = node->n;
	return r;
}

static int read_source(struct loader *l, const struct profile *p, const struct yaml_node *node,
		       const struct sample_section *section, struct config_sample *sample)
{
	int r = inputs_read(l, section, sample);

	if (r < 0)
		return r;
	if ((r > 0) == (section->registers != NULL)) {
		loader_error(l, node->mark,
			     r > 0 ? "a sample with registers has nothing else" :
				     "a sample has registers, or bytes, text, advertisement or gatt");
		return -EINVAL;
	}
	return section->registers ? read_registers(l, p, section->registers, sample) : 0;
}

static int read_sample(struct loader *l, const struct profile *p, const struct yaml_node *node,
		       struct config_sample *sample)
{
	struct sample_section section = { 0 };
	int r = mapping_read(l, node, node->mark, &keys_sample, NULL, &section);

	sample->mark = node->mark;
	r = worse(r, read_source(l, p, node, &section, sample));
	if (section.expect)
		r = worse(r, read_expect(l, p, section.expect, sample));
	return r;
}

static int add_sample(struct loader *l, const struct config_type *type, const struct profile *p,
		      const struct yaml_node *node)
{
	struct config *c = l->config;
	struct config_sample *grown =
		loader_grow(l, c->samples, &l->samples_allocated, c->n_samples, sizeof(*grown));
	int r;

	if (!grown)
		return -ENOMEM;
	c->samples = grown;
	r = read_sample(l, p, node, &grown[c->n_samples]);
	grown[c->n_samples].type = type;
	c->n_samples += r >= 0;
	return r;
}

void samples_read(struct loader *l, const struct profile *p, const struct yaml_node *node)
{
	const struct level *const none[2] = { NULL, NULL };
	const struct config_type *type;

	if (sequence_expect(l, node, "samples") < 0)
		return;
	if (node->n > SAMPLES_MAX) {
		loader_error(l, node->mark, "more than %u samples", SAMPLES_MAX);
		return;
	}
	type = type_get(l, p, NULL, none, NULL);
	for (size_t i = 0; type && i < node->n; i++)
		add_sample(l, type, p, node->items[i]);
}
