/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "config/map.h"

#define OBJECT_DEVICE 3
#define OBJECT_CONNECTIVITY 4
#define ERROR_CODE 11
#define BINDING 16
#define SENSOR_VALUE 5700

/* What a server sees of these is the agent's own business. */
static const uint16_t own_objects[] = { 0, 1, 2, 5, 7, 21, 23, 25, 26 };

static char *text_of(const struct path *path, char text[PATH_TEXT_MAX])
{
	path_format(path, text);
	memmove(text, text + 1, strlen(text));
	return text;
}

bool object_is_own(uint16_t object)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_objects); i++)
		if (own_objects[i] == object)
			return true;
	return false;
}

static bool is_own(const struct path *path)
{
	return object_is_own(path->object) || (path->object == OBJECT_DEVICE && path->resource == BINDING);
}

static int check_depth(struct loader *l, struct yaml_mark mark, const struct path *path,
		       const struct resource_definition *resource)
{
	char text[PATH_TEXT_MAX];
	bool errors = path->object == OBJECT_DEVICE && resource->id == ERROR_CODE;

	text_of(path, text);
	if (path->depth == PATH_RESOURCE_INSTANCE && !resource->multiple)
		loader_error(l, mark, "%s: resource %u (%s) has no instances", text, resource->id,
			     resource->name);
	else if (path->depth == PATH_RESOURCE_INSTANCE && errors)
		loader_error(l, mark,
			     "%s: instances of error codes come and go with alarms, at 3/0/11",
			     text);
	else if (path->depth == PATH_RESOURCE && resource->multiple && !errors)
		loader_error(l, mark, "%s: resource %u (%s) has instances: write %s/0", text,
			     resource->id, resource->name, text);
	else
		return 0;
	return -EINVAL;
}

static int refuse_resource(struct loader *l, struct yaml_mark mark, const struct path *path,
			   const struct object_definition *object)
{
	loader_error(l, mark, "object %u (%s) %u.%u has no resource %u", object->id, object->name,
		     object->version >> 8, object->version & 0xff, path->resource);
	return -EINVAL;
}

int check_path(struct loader *l, struct yaml_mark mark, const struct path *path,
	       const struct resource_definition **ret)
{
	const struct object_definition *object =
		definitions_newest(l->sources->definitions, path->object);
	const struct resource_definition *resource;
	char text[PATH_TEXT_MAX];

	if (is_own(path)) {
		loader_error(l, mark, "%s is kept by the gateway itself", text_of(path, text));
		return -EINVAL;
	}
	if (!object) {
		loader_error(l, mark,
			     "there is no object %u: its definition would lie in objects.d",
			     path->object);
		return -EINVAL;
	}
	if (!object->multiple && path->instance != 0) {
		loader_error(l, mark, "object %u (%s) has a single instance, 0", object->id,
			     object->name);
		return -EINVAL;
	}
	resource = object_resource(object, path->resource);
	if (!resource)
		return refuse_resource(l, mark, path, object);
	*ret = resource;
	return check_depth(l, mark, path, resource);
}

/* ---- points ---- */

static int check_operations(struct loader *l, const struct config_map *row,
			    const struct resource_definition *resource,
			    const struct config_point *point)
{
	char text[PATH_TEXT_MAX];
	const char *path = text_of(&row->path, text);
	uint8_t operations = resource->operations;

	if (operations & OPERATION_EXECUTE)
		loader_error(l, row->mark, "%s (%s) is executed: write {execute: %s}", path,
			     resource->name, point->name);
	else if (operations == 0)
		loader_error(l, row->mark, "%s (%s) is not for servers", path, resource->name);
	else if (operations == OPERATION_READ && !(point->access & CONFIG_ACCESS_READ))
		loader_error(l, row->mark, "%s (%s) is read, but point %s cannot be", path,
			     resource->name, point->name);
	else if (operations == OPERATION_WRITE && !(point->access & CONFIG_ACCESS_WRITE))
		loader_error(l, row->mark, "%s (%s) is written, but point %s cannot be", path,
			     resource->name, point->name);
	else
		return 0;
	return -EINVAL;
}

static bool kind_fits(enum point_kind kind, enum value_type type)
{
	static const unsigned fits[] = {
		[POINT_ANY] = ~0u,
		[POINT_BOOL] = 1u << VALUE_BOOLEAN | 1u << VALUE_INTEGER | 1u << VALUE_UNSIGNED |
			       1u << VALUE_FLOAT | 1u << VALUE_STRING,
		[POINT_NUMBER] = 1u << VALUE_BOOLEAN | 1u << VALUE_INTEGER | 1u << VALUE_UNSIGNED |
				 1u << VALUE_FLOAT | 1u << VALUE_TIME | 1u << VALUE_STRING,
		[POINT_TEXT] = 1u << VALUE_STRING | 1u << VALUE_CORELNK | 1u << VALUE_OBJLNK,
	};

	return (type != VALUE_OBJLNK || kind == POINT_TEXT) && fits[kind] & 1u << type;
}

static int check_type(struct loader *l, const struct config_map *row,
		      const struct resource_definition *resource, const struct map_point *point)
{
	static const char *const kinds[] = { "a value", "a single bit", "a number", "text" };
	char text[PATH_TEXT_MAX];

	if (kind_fits(point->kind, resource->type))
		return 0;
	loader_error(l, row->mark, "point %s is %s, which does not fit %s (%s), of type %s",
		     point->point->name, kinds[point->kind], text_of(&row->path, text),
		     resource->name, value_type_name(resource->type));
	return -EINVAL;
}

static int check_row_unit(struct loader *l, const struct config_map *row,
			  const struct resource_definition *resource,
			  const struct config_point *point, const struct unit *own)
{
	double factor, offset;

	if (!row->unit)
		return 0;
	if (!point->unit) {
		loader_error(l, row->mark, "point %s has no unit to convert from", point->name);
		return -EINVAL;
	}
	if (own &&
	    (unit_conversion(own, row->unit, &factor, &offset) < 0 || factor != 1 || offset != 0)) {
		loader_error(l, row->mark, "%s is in %s by its definition, not in %s",
			     resource->name, unit_name(own), unit_name(row->unit));
		return -EINVAL;
	}
	return 0;
}

/*
 * What an object measures, where its Sensor Value has no unit by definition and 5701
 * names it. Others of them hold several kinds: 3328 has watts, volt-amperes and vars.
 */
static const struct unit *quantity_of(const struct path *path)
{
	static const struct {
		uint16_t object;
		const char *unit;
	} quantities[] = {
		{ 3303, "Cel" }, { 3315, "Pa" }, { 3316, "V" }, { 3317, "A" },	{ 3318, "Hz" },
		{ 3319, "m" },	 { 3321, "m" },	 { 3323, "Pa" }, { 3330, "m" },
	};

	for (size_t i = 0; path->resource == SENSOR_VALUE && i < ARRAY_SIZE(quantities); i++)
		if (quantities[i].object == path->object)
			return unit_find(quantities[i].unit, NULL);
	return NULL;
}

static void note_quantity(struct loader *l, const struct config_map *row,
			  const struct config_point *point)
{
	const struct unit *quantity = quantity_of(&row->path);
	const struct object_definition *object =
		definitions_newest(l->sources->definitions, row->path.object);
	double factor, offset;

	if (quantity && object && point->unit &&
	    unit_conversion(point->unit, quantity, &factor, &offset) < 0)
		loader_warning(l, row->mark, "point %s is in %s, and object %u is %s", point->name,
			       unit_name(point->unit), object->id, object->name);
}

static int check_unit(struct loader *l, const struct config_map *row,
		      const struct resource_definition *resource, const struct config_point *point)
{
	const struct unit *own = resource->unit ? unit_find(resource->unit, NULL) : NULL;
	const struct unit *target = own ?: row->unit;
	char text[PATH_TEXT_MAX];
	double factor, offset;
	int r = check_row_unit(l, row, resource, point, own);

	if (r < 0 || !target || !point->unit ||
	    unit_conversion(point->unit, target, &factor, &offset) >= 0)
		return r;
	loader_error(l, row->mark, "point %s is in %s, which does not turn into %s of %s (%s)",
		     point->name, unit_name(point->unit), unit_name(target),
		     text_of(&row->path, text), resource->name);
	return -EINVAL;
}

int check_point(struct loader *l, const struct config_map *row,
		const struct resource_definition *resource, const struct map_point *point)
{
	int r = check_operations(l, row, resource, point->point);

	if (r < 0)
		return r;
	if (row->path.object == OBJECT_DEVICE && row->path.resource == ERROR_CODE) {
		loader_error(l, row->mark, "error codes are written {alarms: {%s: 16}}",
			     point->point->name);
		return -EINVAL;
	}
	r = check_type(l, row, resource, point);
	r = worse(r, check_unit(l, row, resource, point->point));
	if (r >= 0)
		note_quantity(l, row, point->point);
	return r;
}

int check_alarm(struct loader *l, const struct config_map *row, const struct map_point *point)
{
	if (row->path.object != OBJECT_DEVICE || row->path.resource != ERROR_CODE)
		loader_error(l, row->mark, "alarms stand at 3/0/11");
	else if (row->condition && point->kind == POINT_TEXT)
		loader_error(l, row->mark, "a limit is for numbers, and point %s is text", point->point->name);
	else if (!row->condition && point->kind != POINT_BOOL && point->kind != POINT_ANY)
		loader_error(l, row->mark, "an alarm is a single bit, point %s is not",
			     point->point->name);
	else if (!(point->point->access & CONFIG_ACCESS_READ))
		loader_error(l, row->mark, "point %s cannot be read", point->point->name);
	else
		return 0;
	return -EINVAL;
}

static bool constant_fits(const struct value *constant, const struct map_point *point)
{
	switch (point->kind) {
	case POINT_BOOL:
		return constant->type == VALUE_BOOLEAN;
	case POINT_NUMBER:
		return constant->type != VALUE_STRING;
	case POINT_TEXT:
		return constant->type == VALUE_STRING;
	case POINT_ANY:
		break;
	}
	return true;
}

int check_execute(struct loader *l, const struct config_map *row,
		  const struct resource_definition *resource, const struct map_point *point)
{
	char text[PATH_TEXT_MAX];
	const char *path = text_of(&row->path, text);

	if (!(resource->operations & OPERATION_EXECUTE))
		loader_error(l, row->mark, "%s (%s) is not executed", path, resource->name);
	else if (!(point->point->access & CONFIG_ACCESS_WRITE))
		loader_error(l, row->mark, "%s writes point %s, which cannot be written", path,
			     point->point->name);
	else if (row->argument && point->kind != POINT_TEXT)
		loader_error(l, row->mark, "the argument of %s is text, which point %s is not", path,
			     point->point->name);
	else if (!row->argument && !constant_fits(&row->constant, point))
		loader_error(l, row->mark, "the value that %s writes does not fit point %s", path,
			     point->point->name);
	else
		return 0;
	return -EINVAL;
}

/* ---- constants ---- */

static int parse_constant(const struct yaml_node *node, enum value_type type, struct value *ret)
{
	bool truth = streq(node->text, "true");
	int64_t integer;

	if (type == VALUE_BOOLEAN) {
		if (node->quoted || (!truth && !streq(node->text, "false")))
			return -EINVAL;
		*ret = value_boolean(truth);
		return 0;
	}
	/* 0x is YAML's, not LwM2M's. */
	if (type == VALUE_INTEGER && !node->quoted && parse_i64(node->text, &integer) >= 0) {
		*ret = value_integer(integer);
		return 0;
	}
	return value_parse_text(node->text, strlen(node->text), type, ret);
}

/* Into memory of the configuration. */
static int keep_constant(struct loader *l, const struct value *from, struct value *ret)
{
	struct value value = *from;

	if (value.type == VALUE_STRING || value.type == VALUE_OPAQUE ||
	    value.type == VALUE_CORELNK) {
		value.data = arena_text(l->arena, from->data ?: "", from->size);
		if (!value.data) {
			l->no_memory = true;
			return -ENOMEM;
		}
	}
	*ret = value;
	return 0;
}

int check_constant(struct loader *l, const struct yaml_node *node, const struct path *path,
		   const struct resource_definition *resource, struct value *ret)
{
	_cleanup_value_ struct value value = { 0 };
	char text[PATH_TEXT_MAX];

	text_of(path, text);
	if (path->object == OBJECT_DEVICE && path->resource == ERROR_CODE)
		loader_error(l, node->mark, "error codes are written {alarms: {POINT: 16}}");
	else if (!(resource->operations & OPERATION_READ))
		loader_error(l, node->mark, "%s (%s) is not read: a constant is of no use", text,
			     resource->name);
	else if (node->kind != YAML_KIND_SCALAR || parse_constant(node, resource->type, &value) < 0)
		loader_error(l, node->mark, "%s (%s) is of type %s, which %s is not", text,
			     resource->name, value_type_name(resource->type),
			     node->kind == YAML_KIND_SCALAR ? node->text : "this");
	else if (range_check(&resource->range, &value) < 0)
		loader_error(l, node->mark, "%s (%s): %s is outside of its range", text,
			     resource->name, node->text);
	else
		return keep_constant(l, &value, ret);
	return -EINVAL;
}

/* ---- whole maps ---- */

int check_overlaps(struct loader *l, const struct map_rows *rows)
{
	const struct config_map *outer = NULL, *row;
	char text[PATH_TEXT_MAX];
	int r = 0;

	for (size_t i = 0; i < rows->n; i++) {
		row = &rows->items[i];
		if (!outer || !path_contains(&outer->path, &row->path)) {
			outer = row;
			continue;
		}
		if (outer->kind == CONFIG_MAP_ALARM && row->kind == CONFIG_MAP_ALARM)
			continue;
		if (streq(row->mark.file, outer->mark.file))
			loader_error(l, row->mark, "%s stands twice, also in line %u",
				     text_of(&row->path, text), outer->mark.line);
		else
			loader_error(l, row->mark, "%s stands twice, also in %s:%u",
				     text_of(&row->path, text), outer->mark.file, outer->mark.line);
		r = -EINVAL;
	}
	return r;
}

static bool has_resource(const struct config_map *map, size_t n, uint16_t id)
{
	for (size_t i = 0; i < n; i++)
		if (map[i].path.resource == id)
			return true;
	return false;
}

/* What /3 must have is given without asking, as is /4 of this machine. */
static bool is_given(const struct map_target *target, uint16_t object)
{
	return object == OBJECT_DEVICE || (target->host && object == OBJECT_CONNECTIVITY);
}

/* Rows of one object instance. */
static int check_instance(struct loader *l, const struct map_target *target, const struct config_map *map, size_t n)
{
	const struct object_definition *object =
		definitions_newest(l->sources->definitions, map->path.object);
	int r = 0;

	for (size_t i = 0; object && i < object->n_resources && !is_given(target, object->id); i++) {
		const struct resource_definition *resource = &object->resources[i];

		if (!resource->mandatory || resource->operations == 0 ||
		    has_resource(map, n, resource->id))
			continue;
		loader_error(l, map->mark, "%u/%u lacks the mandatory resource %u (%s)",
			     map->path.object, map->path.instance, resource->id, resource->name);
		r = -EINVAL;
	}
	return r;
}

int check_mandatory(struct loader *l, const struct map_target *target, const struct config_map *map, size_t n)
{
	size_t end;
	int r = 0;

	for (size_t i = 0; i < n; i = end) {
		struct path instance = path_cut(&map[i].path, PATH_INSTANCE);

		for (end = i + 1; end < n && path_contains(&instance, &map[end].path); end++)
			;
		r = worse(r, check_instance(l, target, map + i, end - i));
	}
	return r;
}
