/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/definition_internal.h"
#include "model/unit.h"

/* objects/<id>-<name>.yaml; the schema is objects/README.md. */

#define ENUMERATION_MAX 64u

/* Reports keys that the schema does not have. */
static void check_keys(const struct yaml_node *node, const char *const *known, size_t n,
		       struct yaml_errors *errors)
{
	for (size_t i = 0; i < node->n; i++) {
		const char *near;
		size_t k;

		for (k = 0; k < n && !streq(known[k], node->keys[i]->text); k++)
			;
		if (k < n)
			continue;
		near = str_nearest(node->keys[i]->text, known, n);
		yaml_error(errors, node->keys[i]->mark, "unknown key '%s'%s%s%s", node->keys[i]->text,
			   near ? ", did you mean '" : "", near ?: "", near ? "'?" : "");
	}
}

static const struct yaml_node *require(const struct yaml_node *node, const char *key,
				       struct yaml_errors *errors)
{
	const struct yaml_node *value = yaml_get(node, key);

	if (!value)
		yaml_error(errors, node->mark, "key '%s' is missing", key);
	return value;
}

static int read_id(const struct yaml_node *node, uint16_t *ret, struct yaml_errors *errors)
{
	if (node->kind != YAML_KIND_SCALAR || path_parse_id(node->text, strlen(node->text), ret) < 0 ||
	    *ret == ID_NONE) {
		yaml_error(errors, node->mark, "an id is a number from 0 to 65534");
		return -EINVAL;
	}
	return 0;
}

static int read_text(const struct yaml_node *node, char **ret, struct yaml_errors *errors)
{
	if (node->kind != YAML_KIND_SCALAR) {
		yaml_error(errors, node->mark, "expected text");
		return -EINVAL;
	}
	*ret = strdup(node->text);
	return *ret ? 0 : -ENOMEM;
}

static int read_bool(const struct yaml_node *parent, const char *key, bool *ret, struct yaml_errors *errors)
{
	const struct yaml_node *node = yaml_get(parent, key);

	return node ? yaml_to_bool(node, ret, errors) : 0;
}

/* "1.2" */
static int read_version(const struct yaml_node *node, uint16_t *ret, struct yaml_errors *errors)
{
	const char *dot = node->kind == YAML_KIND_SCALAR ? strchr(node->text, '.') : NULL;
	uint16_t major, minor;

	if (!dot || path_parse_id(node->text, dot - node->text, &major) < 0 ||
	    path_parse_id(dot + 1, strlen(dot + 1), &minor) < 0 || major > 255 || minor > 255) {
		yaml_error(errors, node->mark, "a version is written \"1.0\"");
		return -EINVAL;
	}
	*ret = VERSION(major, minor);
	return 0;
}

static int read_operations(const struct yaml_node *node, uint8_t *ret, struct yaml_errors *errors)
{
	static const struct {
		const char *text;
		uint8_t operations;
	} names[] = {
		{ "R", OPERATION_READ },
		{ "W", OPERATION_WRITE },
		{ "RW", OPERATION_READ | OPERATION_WRITE },
		{ "E", OPERATION_EXECUTE },
		{ "none", 0 },
	};

	for (size_t i = 0; node->kind == YAML_KIND_SCALAR && i < ARRAY_SIZE(names); i++) {
		if (!streq(names[i].text, node->text))
			continue;
		*ret = names[i].operations;
		return 0;
	}
	yaml_error(errors, node->mark, "operations are R, W, RW, E or none");
	return -EINVAL;
}

static int read_type(const struct yaml_node *node, enum value_type *ret, struct yaml_errors *errors)
{
	if (node->kind == YAML_KIND_SCALAR && value_type_parse(node->text, ret) >= 0 && *ret != VALUE_NONE)
		return 0;
	yaml_error(errors, node->mark,
		   "a type is string, integer, unsigned, float, boolean, opaque, time, objlnk or corelnk");
	return -EINVAL;
}

/* "0..100", "0..", "..100" */
static int read_bounds(const struct yaml_node *node, struct range *ret, struct yaml_errors *errors)
{
	const char *dots = strstr(node->text, "..");
	_cleanup_free_ char *low = dots ? strndup(node->text, dots - node->text) : NULL;
	struct range range = { .present = true, .minimum = -HUGE_VAL, .maximum = HUGE_VAL };

	/* "0...5" is not 0 to .5. */
	if (!low || dots[2] == '.' || (*low && parse_double(low, &range.minimum) < 0) ||
	    (dots[2] && parse_double(dots + 2, &range.maximum) < 0) || range.minimum > range.maximum) {
		yaml_error(errors, node->mark, "a range is written 0..100, or as a list [0, 1, 3]");
		return -EINVAL;
	}
	*ret = range;
	return 0;
}

static int read_enumeration(const struct yaml_node *node, struct range *ret, struct yaml_errors *errors)
{
	struct range range = { .present = true, .n = node->n };

	if (node->n == 0 || node->n > ENUMERATION_MAX) {
		yaml_error(errors, node->mark, "a list of values has 1 to %u entries", ENUMERATION_MAX);
		return -EINVAL;
	}
	range.values = calloc(node->n, sizeof(*range.values));
	if (!range.values)
		return -ENOMEM;
	for (size_t i = 0; i < node->n; i++) {
		long long number;

		if (yaml_to_i64(node->items[i], &number, errors) < 0) {
			free(range.values);
			return -EINVAL;
		}
		range.values[i] = number;
	}
	*ret = range;
	return 0;
}

static int read_range(const struct yaml_node *node, struct range *ret, struct yaml_errors *errors)
{
	switch (node->kind) {
	case YAML_KIND_SCALAR:
		return read_bounds(node, ret, errors);
	case YAML_KIND_SEQUENCE:
		return read_enumeration(node, ret, errors);
	case YAML_KIND_MAPPING:
		break;
	}
	yaml_error(errors, node->mark, "a range is written 0..100, or as a list [0, 1, 3]");
	return -EINVAL;
}

static int read_unit(const struct yaml_node *node, char **ret, struct yaml_errors *errors)
{
	const char *near = NULL;

	if (node->kind != YAML_KIND_SCALAR || !unit_find(node->text, &near)) {
		yaml_error(errors, node->mark, "unknown unit%s%s%s", near ? ", did you mean '" : "", near ?: "",
			   near ? "'?" : "");
		return -EINVAL;
	}
	return read_text(node, ret, errors);
}

/* Fills a resource that its caller frees, complete or not. */
static int read_resource(const struct yaml_node *key, const struct yaml_node *node,
			 struct resource_definition *ret, struct yaml_errors *errors)
{
	static const char *const known[] = { "name",	 "operations", "type", "multiple",
					     "mandatory", "range",	"unit" };
	const struct yaml_node *name, *operations, *type, *range, *unit;
	int r;

	if (read_id(key, &ret->id, errors) < 0)
		return -EINVAL;
	if (node->kind != YAML_KIND_MAPPING) {
		yaml_error(errors, node->mark, "a resource is a mapping");
		return -EINVAL;
	}
	check_keys(node, known, ARRAY_SIZE(known), errors);
	name = require(node, "name", errors);
	operations = require(node, "operations", errors);
	if (!name || !operations || read_operations(operations, &ret->operations, errors) < 0)
		return -EINVAL;
	type = ret->operations & OPERATION_EXECUTE ? yaml_get(node, "type") : require(node, "type", errors);
	range = yaml_get(node, "range");
	unit = yaml_get(node, "unit");
	r = read_text(name, &ret->name, errors);
	if (r >= 0 && !type && !(ret->operations & OPERATION_EXECUTE))
		r = -EINVAL;
	if (r >= 0 && type)
		r = read_type(type, &ret->type, errors);
	if (r >= 0)
		r = read_bool(node, "multiple", &ret->multiple, errors);
	if (r >= 0)
		r = read_bool(node, "mandatory", &ret->mandatory, errors);
	if (r >= 0 && range)
		r = read_range(range, &ret->range, errors);
	if (r >= 0 && unit)
		r = read_unit(unit, &ret->unit, errors);
	return r;
}

static int by_id(const void *a, const void *b)
{
	const struct resource_definition *x = a, *y = b;

	return (int)x->id - (int)y->id;
}

static int read_resources(const struct yaml_node *node, struct object_definition *o, struct yaml_errors *errors)
{
	int r = 0;

	if (node->kind != YAML_KIND_MAPPING) {
		yaml_error(errors, node->mark, "'resources' is a mapping of ids");
		return -EINVAL;
	}
	o->resources = calloc(node->n ?: 1, sizeof(*o->resources));
	if (!o->resources)
		return -ENOMEM;
	for (size_t i = 0; i < node->n && r != -ENOMEM; i++) {
		int one = read_resource(node->keys[i], node->items[i], &o->resources[o->n_resources++], errors);

		r = one < 0 ? one : r;
	}
	qsort(o->resources, o->n_resources, sizeof(*o->resources), by_id);
	return r;
}

static int read_instances(const struct yaml_node *node, bool *ret, struct yaml_errors *errors)
{
	if (node->kind == YAML_KIND_SCALAR && (streq(node->text, "multiple") || streq(node->text, "single"))) {
		*ret = streq(node->text, "multiple");
		return 0;
	}
	yaml_error(errors, node->mark, "instances are single or multiple");
	return -EINVAL;
}

static int read_object(const struct yaml_node *node, struct object_definition *o, struct yaml_errors *errors)
{
	static const char *const known[] = { "id", "name", "version", "instances", "mandatory" };
	const struct yaml_node *id, *name, *version, *instances;
	int r;

	if (node->kind != YAML_KIND_MAPPING) {
		yaml_error(errors, node->mark, "'object' is a mapping");
		return -EINVAL;
	}
	check_keys(node, known, ARRAY_SIZE(known), errors);
	id = require(node, "id", errors);
	name = require(node, "name", errors);
	version = require(node, "version", errors);
	instances = require(node, "instances", errors);
	if (!id || !name || !version || !instances)
		return -EINVAL;
	r = read_id(id, &o->id, errors);
	if (r >= 0)
		r = read_text(name, &o->name, errors);
	if (r >= 0)
		r = read_version(version, &o->version, errors);
	if (r >= 0)
		r = read_instances(instances, &o->multiple, errors);
	return r < 0 ? r : read_bool(node, "mandatory", &o->mandatory, errors);
}

static int read_document(struct definitions *d, const struct yaml_node *node, struct yaml_errors *errors)
{
	static const char *const known[] = { "schema", "object", "resources" };
	const struct yaml_node *schema, *object, *resources;
	struct object_definition *o;
	unsigned before = errors->n;
	int r;

	if (node->kind != YAML_KIND_MAPPING) {
		yaml_error(errors, node->mark, "an object file is a mapping");
		return -EINVAL;
	}
	check_keys(node, known, ARRAY_SIZE(known), errors);
	schema = require(node, "schema", errors);
	object = require(node, "object", errors);
	resources = require(node, "resources", errors);
	if (schema && (schema->kind != YAML_KIND_SCALAR || !streq(schema->text, "1")))
		yaml_error(errors, schema->mark, "schema is 1");
	if (!object || !resources)
		return -EINVAL;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	r = read_object(object, o, errors);
	if (r >= 0)
		r = read_resources(resources, o, errors);
	if (r >= 0 && errors->n > before)
		r = -EINVAL;
	if (r >= 0)
		r = definitions_add(d, o);
	if (r < 0)
		object_definition_free(o);
	return r;
}

static int read_documents(struct definitions *d, struct yaml_file *file, struct yaml_errors *errors)
{
	int r = 0;

	for (size_t i = 0; i < file->n && r != -ENOMEM; i++) {
		int one = read_document(d, file->documents[i], errors);

		r = one < 0 ? one : r;
	}
	return r;
}

int definitions_read_text(struct definitions *d, const char *name, const char *text, size_t size,
			  struct yaml_errors *errors)
{
	struct yaml_file *file;
	int r = yaml_read_text(name, text, size, errors, &file);

	if (r < 0)
		return r;
	r = read_documents(d, file, errors);
	yaml_file_free(file);
	return r;
}

static int is_yaml(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return *entry->d_name != '.' && n > 5 && streq(entry->d_name + n - 5, ".yaml");
}

static int read_file(struct definitions *d, const char *folder, const char *name, struct yaml_errors *errors)
{
	_cleanup_free_ char *path = NULL;
	struct yaml_file *file;
	int r;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	r = yaml_read_file(path, errors, &file);
	if (r < 0)
		return r;
	r = read_documents(d, file, errors);
	yaml_file_free(file);
	return r;
}

int definitions_read_folder(struct definitions *d, const char *folder, struct yaml_errors *errors)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_yaml, alphasort), r = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		int one = r == -ENOMEM ? r : read_file(d, folder, entries[i]->d_name, errors);

		r = one < 0 ? one : r;
		free(entries[i]);
	}
	free(entries);
	return r;
}
