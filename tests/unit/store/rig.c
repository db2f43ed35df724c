/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/rig.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/yaml.h"

static const char objects[] =
	"schema: 1\n"
	"object: {id: 1000, name: Test, version: \"1.0\", instances: multiple}\n"
	"resources:\n"
	"  0: {name: Needed, operations: RW, type: integer, mandatory: true, range: 0..100}\n"
	"  1: {name: Text, operations: RW, type: string, range: 0..8}\n"
	"  2: {name: Reading, operations: R, type: float}\n"
	"  3: {name: Texts, operations: RW, type: string, multiple: true}\n"
	"  4: {name: Link, operations: RW, type: objlnk}\n"
	"  5: {name: Go, operations: E}\n"
	"  6: {name: Key, operations: W, type: opaque}\n"
	"  7: {name: Choice, operations: RW, type: unsigned, range: [1, 2, 4]}\n"
	"  8: {name: Given, operations: R, type: float, mandatory: true}\n"
	"  9: {name: Numbers, operations: RW, type: integer, multiple: true, range: 0..9}\n"
	"  10: {name: Readings, operations: R, type: float, multiple: true}\n"
	"---\n"
	"schema: 1\n"
	"object: {id: 1000, name: Test, version: \"1.1\", instances: multiple}\n"
	"resources: {}\n"
	"---\n"
	"schema: 1\n"
	"object: {id: 2000, name: Single, version: \"1.0\", instances: single}\n"
	"resources:\n"
	"  0: {name: Value, operations: RW, type: float}\n";

static void watch(void *userdata, enum store_change change, const struct path *paths, size_t n)
{
	char text[PATH_TEXT_MAX];
	struct rig *rig = userdata;

	buf_printf(&rig->log, "%s", change == STORE_CHANGE_INSTANCES ? "I" : "V");
	for (size_t i = 0; i < n; i++)
		buf_printf(&rig->log, " %s", path_format(&paths[i], text));
	buf_append_text(&rig->log, ";");
}

void rig_setup(struct rig *rig)
{
	struct yaml_errors errors = { 0 };

	*rig = (struct rig){ 0 };
	ck_assert_int_eq(definitions_new(&rig->definitions), 0);
	ck_assert_int_eq(
		definitions_read_text(rig->definitions, "rig", objects, strlen(objects), &errors),
		0);
	rig->object = definitions_find(rig->definitions, 1000, VERSION(1, 0));
	rig->single = definitions_find(rig->definitions, 2000, VERSION(1, 0));
	ck_assert_int_eq(store_new(rig->definitions, &rig->store), 0);
	store_set_watch(rig->store, watch, rig);
}

void rig_teardown(struct rig *rig)
{
	rig->store = store_free(rig->store);
	rig->definitions = definitions_free(rig->definitions);
	buf_done(&rig->log);
}

struct path rig_path(const char *text)
{
	struct path path;

	ck_assert_int_eq(path_parse(text, strlen(text), &path), 0);
	return path;
}

const char *rig_told(struct rig *rig)
{
	static char text[1024];

	snprintf(text, sizeof(text), "%.*s", (int)rig->log.size, (const char *)rig->log.data ?: "");
	rig->log.size = 0;
	return text;
}

static struct value value_of(const struct resource_definition *definition, const char *text)
{
	struct value value = { 0 };

	if (streq(text, "!"))
		return value;
	if (has_prefix(text, "s:"))
		ck_assert_int_eq(value_set_string(&value, text + 2), 0);
	else
		ck_assert_msg(value_parse_text(text, strlen(text),
					       definition ? definition->type : VALUE_INTEGER,
					       &value) == 0,
			      "%s", text);
	return value;
}

void rig_records(struct rig *rig, const struct path *instance, const char *contents,
		 struct records *ret)
{
	const struct object_definition *object =
		definitions_find(rig->definitions, instance->object, VERSION(1, 0));
	char prefix[PATH_TEXT_MAX], copy[512], text[64], *item, *save = NULL;

	snprintf(copy, sizeof(copy), "%s", contents);
	for (item = strtok_r(copy, " ", &save); item; item = strtok_r(NULL, " ", &save)) {
		char *equals = strchr(item, '=');
		struct path path;
		struct value value;

		ck_assert_ptr_nonnull(equals);
		*equals = 0;
		snprintf(text, sizeof(text), "%s/%s", path_format(instance, prefix), item);
		path = rig_path(*item ? text : prefix);
		value = value_of(object_resource(object, path.resource), equals + 1);
		ck_assert_int_eq(records_add(ret, &path, &value, 0), 0);
	}
}

int rig_update(struct rig *rig, const char *instance, const char *contents)
{
	_cleanup_records_ struct records records = { 0 };
	struct path path = rig_path(instance);

	rig_records(rig, &path, contents, &records);
	return store_update(rig->store, records.items, records.n);
}

void rig_fill(struct rig *rig, const char *instance, const char *contents)
{
	struct path path = rig_path(instance);

	ck_assert_int_eq(store_add_instance(rig->store,
					    path.object == 1000 ? rig->object : rig->single,
					    path.instance),
			 0);
	ck_assert_int_eq(rig_update(rig, instance, contents), 0);
	rig->log.size = 0;
}

struct printer {
	struct rig *rig;
	char *text;
	size_t size;
};

static int print_one(void *userdata, const struct path *path)
{
	struct printer *p = userdata;
	const struct resource_definition *d = store_resource(p->rig->store, path);
	_cleanup_value_ struct value value = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t n = strlen(p->text);

	if (d->operations & OPERATION_EXECUTE)
		return 0;
	if (d->multiple && path->depth == PATH_RESOURCE) {
		snprintf(p->text + n, p->size - n, "%s%u:", n ? " " : "", path->resource);
		return store_children(p->rig->store, path, print_one, p);
	}
	if (store_read(p->rig->store, path, true, &value, NULL) >= 0)
		ck_assert_int_eq(value_format_text(&value, &text), 0);
	if (d->multiple)
		snprintf(p->text + n, p->size - n, " %u=%s", path->resource_instance, text ?: "?");
	else
		snprintf(p->text + n, p->size - n, "%s%u=%s", n ? " " : "", path->resource,
			 text ?: "?");
	return 0;
}

const char *rig_contents(struct rig *rig, const char *instance)
{
	static char text[1024];
	struct printer p = { .rig = rig, .text = text, .size = sizeof(text) };
	struct path path = rig_path(instance);

	if (!store_exists(rig->store, &path))
		return "-";
	*text = 0;
	ck_assert_int_eq(store_children(rig->store, &path, print_one, &p), 0);
	return text;
}

void rig_done(void *userdata, int error, const char *reason)
{
	struct rig *rig = userdata;

	rig->ended++;
	buf_printf(&rig->log, "D%d;", error);
	snprintf(rig->reason, sizeof(rig->reason), "%s", reason ?: "");
}

void rig_write(struct rig *rig, const char *target, enum store_write_mode mode,
	       const char *contents)
{
	_cleanup_records_ struct records records = { 0 };
	struct path path = rig_path(target), instance = path_cut(&path, PATH_INSTANCE);

	rig_records(rig, &instance, contents, &records);
	store_write(rig->store, &path, mode, records.items, records.n, rig_done, rig);
}
