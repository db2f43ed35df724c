/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/devices.h"
#include "config/map.h"
#include "config/sections.h"

#define ALARM_MIN 16
#define ALARM_MAX 32
#define ALARMS_MAX 32u

static int find_own(struct loader *l, const struct profile *p, struct yaml_mark mark,
		    const char *name, struct map_point *ret)
{
	int64_t index = profile_point(p, name);

	if (index >= 0) {
		*ret = (struct map_point){ .device = UINT32_MAX,
					   .index = (uint32_t)index,
					   .point = &p->points[index].point,
					   .kind = p->points[index].kind };
		return 0;
	}
	return profile_refuse_point(l, p, mark, name);
}

/* "plc1.temp3": a device's name may have dots, a point's has none. */
static int find_foreign(struct loader *l, struct yaml_mark mark, const char *text,
			struct map_point *ret)
{
	const char *dot = strrchr(text, '.');
	_cleanup_free_ char *name = dot ? strndup(text, (size_t)(dot - text)) : NULL;
	int64_t device;
	int r;

	if (!name) {
		loader_error(l, mark, "\"%s\": of several devices, a point is written device.point",
			     text);
		return -EINVAL;
	}
	device = device_find(l, name);
	if (device < 0) {
		device_refuse(l, mark, name);
		return -EINVAL;
	}
	if (!l->config->devices[device].type)
		return -EINVAL; /* has its own report */
	r = find_own(l, l->device_profiles[device], mark, dot + 1, ret);
	ret->device = r < 0 ? ret->device : (uint32_t)device;
	return r;
}

static int find_point(struct loader *l, const struct map_target *target,
		      const struct yaml_node *node, const struct variables *v,
		      struct map_point *ret)
{
	const struct yaml_node *expanded;
	int r = node_expand(l, node, v, &expanded);

	if (r < 0)
		return r;
	if (expanded->kind != YAML_KIND_SCALAR || !*expanded->text) {
		loader_error(l, node->mark, "expected the name of a point");
		return -EINVAL;
	}
	if (target->profile)
		return find_own(l, target->profile, node->mark, expanded->text, ret);
	return find_foreign(l, node->mark, expanded->text, ret);
}

struct entry {
	struct loader *l;
	const struct map_target *target;
	const struct variables *v;
	const struct resource_definition *resource;
	struct config_map row;
	struct map_rows *rows;
};

static int add_row(struct entry *e, const struct map_point *point)
{
	if (point) {
		e->row.device = point->device;
		e->row.point = point->index;
	}
	return map_rows_add(e->l, e->rows, &e->row);
}

static int read_unit(struct entry *e, const struct yaml_node *node)
{
	return node ? scalar_unit(e->l, node, &e->row.unit) : 0;
}

static int read_point(struct entry *e, const struct yaml_node *node, const struct yaml_node *unit)
{
	struct map_point point;
	int r = find_point(e->l, e->target, node, e->v, &point);

	e->row.kind = CONFIG_MAP_POINT;
	e->row.mark = node->mark;
	r = worse(r, read_unit(e, unit));
	r = r < 0 ? r : check_point(e->l, &e->row, e->resource, &point);
	return r < 0 ? r : add_row(e, &point);
}

static int read_constant(struct entry *e, const struct yaml_node *node)
{
	const struct yaml_node *expanded;
	int r = node_expand(e->l, node, e->v, &expanded);

	e->row.kind = CONFIG_MAP_CONSTANT;
	e->row.mark = node->mark;
	r = r < 0 ? r : check_constant(e->l, expanded, &e->row.path, e->resource, &e->row.constant);
	return r < 0 ? r : add_row(e, NULL);
}

/* The value that an Execute writes has the type that YAML gives it. */
static int read_execute_value(struct loader *l, const struct yaml_node *node, struct value *ret)
{
	int64_t integer;
	double number;

	if (node->kind != YAML_KIND_SCALAR) {
		loader_error(l, node->mark, "value is true, false, a number or text");
		return -EINVAL;
	}
	if (!node->quoted && (streq(node->text, "true") || streq(node->text, "false")))
		*ret = value_boolean(*node->text == 't');
	else if (!node->quoted && parse_i64(node->text, &integer) >= 0)
		*ret = value_integer(integer);
	else if (!node->quoted && parse_double(node->text, &number) >= 0)
		*ret = value_float(number);
	else {
		ret->data = loader_text(l, node->text);
		ret->size = (uint32_t)strlen(node->text);
		ret->type = VALUE_STRING;
		return ret->data ? 0 : -ENOMEM;
	}
	return 0;
}

static int read_execute(struct entry *e, const struct map_section *section)
{
	struct map_point point;
	int r = find_point(e->l, e->target, section->execute, e->v, &point);

	e->row.kind = CONFIG_MAP_EXECUTE;
	e->row.mark = section->execute->mark;
	e->row.constant = value_boolean(true);
	e->row.argument = section->argument;
	if (section->argument && section->value) {
		loader_error(e->l, section->value->mark, "either value or argument");
		return -EINVAL;
	}
	if (section->value)
		r = worse(r, read_execute_value(e->l, section->value, &e->row.constant));
	r = r < 0 ? r : check_execute(e->l, &e->row, e->resource, &point);
	return r < 0 ? r : add_row(e, &point);
}

static int read_alarm(struct entry *e, const struct yaml_node *name, const struct yaml_node *code)
{
	struct map_point point;
	uint64_t number;
	int r = find_point(e->l, e->target, name, e->v, &point);

	r = worse(r, scalar_u64(e->l, code, &number));
	if (r >= 0)
		r = number_check(e->l, code->mark, code->text, (double)number, ALARM_MIN,
				 ALARM_MAX);
	e->row.kind = CONFIG_MAP_ALARM;
	e->row.mark = name->mark;
	e->row.alarm = r < 0 ? 0 : (uint16_t)number;
	r = r < 0 ? r : check_alarm(e->l, &e->row, &point);
	return r < 0 ? r : add_row(e, &point);
}

/* `hot: {point: temperature, above: 80, code: 17}` */
static int read_condition(struct entry *e, const struct yaml_node *name, const struct yaml_node *node)
{
	struct alarm_section section = { 0 };
	struct map_point point;
	int r = alarm_read(e->l, node, &section, &e->row.condition);

	if (r < 0)
		return r;
	r = find_point(e->l, e->target, section.point ?: name, e->v, &point);
	e->row.kind = CONFIG_MAP_ALARM;
	e->row.mark = name->mark;
	e->row.alarm = (uint16_t)section.code;
	r = r < 0 ? r : check_alarm(e->l, &e->row, &point);
	r = r < 0 ? r : add_row(e, &point);
	e->row.condition = NULL;
	return r;
}

static int read_alarms(struct entry *e, const struct yaml_node *node)
{
	int r = 0;

	if (node->kind != YAML_KIND_MAPPING || node->n == 0 || node->n > ALARMS_MAX) {
		loader_error(e->l, node->mark, "alarms are {point: code}, 1 to %u of them",
			     ALARMS_MAX);
		return -EINVAL;
	}
	for (size_t i = 0; i < node->n; i++)
		r = worse(r, node->items[i]->kind == YAML_KIND_MAPPING ?
				     read_condition(e, node->keys[i], node->items[i]) :
				     read_alarm(e, node->keys[i], node->items[i]));
	return r;
}

static int read_mapping(struct entry *e, const struct yaml_node *node)
{
	struct map_section section = { 0 };
	int r = mapping_read(e->l, node, node->mark, &keys_map, NULL, &section);

	if (r < 0)
		return r;
	if (section.argument && !section.execute) {
		loader_error(e->l, mapping_mark(node, "argument"), "argument belongs to execute");
		return -EINVAL;
	}
	if (section.alarms && !section.point && !section.value && !section.execute && !section.unit)
		return read_alarms(e, section.alarms);
	if (section.execute && !section.point && !section.unit && !section.alarms)
		return read_execute(e, &section);
	if (section.value && !section.point && !section.unit && !section.alarms && !section.execute)
		return read_constant(e, section.value);
	if (section.point && !section.value && !section.alarms && !section.execute)
		return read_point(e, section.point, section.unit);
	loader_error(
		e->l, node->mark,
		"a row is a point, {point: P, unit: U}, {value: V}, {execute: P, value: V} or {alarms: {P: code}}");
	return -EINVAL;
}

int map_entry_read(struct loader *l, const struct map_target *target, struct yaml_mark at,
		   const struct path *path, const struct yaml_node *node, const struct variables *v,
		   struct map_rows *rows)
{
	struct entry e = { .l = l, .target = target, .v = v, .rows = rows };
	int r = check_path(l, at, path, &e.resource);

	if (r < 0)
		return r;
	e.row = (struct config_map){ .path = *path, .device = UINT32_MAX };
	switch (node->kind) {
	case YAML_KIND_SCALAR:
		return read_point(&e, node, NULL);
	case YAML_KIND_MAPPING:
		return read_mapping(&e, node);
	case YAML_KIND_SEQUENCE:
		break;
	}
	loader_error(l, node->mark, "expected a point, or {value: V}");
	return -EINVAL;
}
