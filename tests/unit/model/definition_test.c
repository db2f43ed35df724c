/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/definition.h"

static struct definitions *definitions;
static struct yaml_errors errors;

static void setup(void)
{
	ck_assert_int_eq(definitions_new(&definitions), 0);
	errors = (struct yaml_errors){ 0 };
}

static void teardown(void)
{
	definitions = definitions_free(definitions);
	yaml_errors_done(&errors);
}

static const char *error_text(void)
{
	return errors.text.size > 0 ? (const char *)errors.text.data : "";
}

static int read_text(const char *text)
{
	return definitions_read_text(definitions, "x.yaml", text, strlen(text), &errors);
}

#define HEAD                                                                                       \
	"schema: 1\nobject: {id: 3303, name: T, version: \"1.0\", instances: multiple}\nresources:\n"

START_TEST(reads_an_object)
{
	const struct resource_definition *r;
	const struct object_definition *o;

	ck_assert_int_eq(
		read_text(
			"schema: 1\n"
			"object: {id: 3303, name: Temperature, version: \"1.1\", instances: multiple, mandatory: true}\n"
			"resources:\n"
			"  5700: {name: Sensor Value, operations: R, type: float, mandatory: true, unit: Cel}\n"
			"  5605: {name: Reset, operations: E}\n"
			"  5: {name: Mode, operations: RW, type: integer, range: [0, 2, -7], multiple: true}\n"
			"  6: {name: Key, operations: none, type: opaque, range: ..16}\n"
			"  7: {name: W, operations: W, type: string, range: 1..}\n"),
		0);
	ck_assert_str_eq(error_text(), "");
	o = definitions_find(definitions, 3303, VERSION(1, 1));
	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(o->name, "Temperature");
	ck_assert(o->multiple && o->mandatory);
	ck_assert_uint_eq(o->n_resources, 5);
	for (size_t i = 1; i < o->n_resources; i++)
		ck_assert_uint_lt(o->resources[i - 1].id, o->resources[i].id);
	r = object_resource(o, 5700);
	ck_assert_str_eq(r->name, "Sensor Value");
	ck_assert_uint_eq(r->operations, OPERATION_READ);
	ck_assert_int_eq(r->type, VALUE_FLOAT);
	ck_assert(r->mandatory && !r->multiple && !r->range.present);
	ck_assert_str_eq(r->unit, "Cel");
	r = object_resource(o, 5605);
	ck_assert_uint_eq(r->operations, OPERATION_EXECUTE);
	ck_assert_int_eq(r->type, VALUE_NONE);
	ck_assert_ptr_null(r->unit);
	r = object_resource(o, 5);
	ck_assert_uint_eq(r->operations, OPERATION_READ | OPERATION_WRITE);
	ck_assert(r->multiple);
	ck_assert_uint_eq(r->range.n, 3);
	ck_assert_int_eq(r->range.values[2], -7);
	r = object_resource(o, 6);
	ck_assert_uint_eq(r->operations, 0);
	ck_assert(r->range.minimum == -HUGE_VAL && r->range.maximum == 16);
	r = object_resource(o, 7);
	ck_assert(r->range.minimum == 1 && r->range.maximum == HUGE_VAL);
	ck_assert_ptr_null(object_resource(o, 8));
}
END_TEST

static const struct {
	const char *text, *error;
} bad[] = {
	{ "- 1\n", "x.yaml:1:1: an object file is a mapping" },
	{ "object: {}\n", "x.yaml:1:1: key 'schema' is missing" },
	{ "schema: 1\nresources: {}\n", "x.yaml:1:1: key 'object' is missing" },
	{ "schema: 1\nobject: {id: 1}\n", "x.yaml:1:1: key 'resources' is missing" },
	{ "schema: 2\nobject: {id: 1, name: A, version: \"1.0\", instances: single}\nresources: {}\n",
	  "x.yaml:1:9: schema is 1" },
	{ "schema: 1\nobjekt: {}\n", "x.yaml:2:1: unknown key 'objekt', did you mean 'object'?" },
	{ "schema: 1\nobject: 5\nresources: {}\n", "x.yaml:2:9: 'object' is a mapping" },
	{ "schema: 1\nobject: {id: 65535, name: A, version: \"1.0\", instances: single}\nresources: {}\n",
	  "x.yaml:2:14: an id is a number from 0 to 65534" },
	{ "schema: 1\nobject: {id: 1, name: [], version: \"1.0\", instances: single}\nresources: {}\n",
	  "x.yaml:2:23: expected text" },
	{ "schema: 1\nobject: {id: 1, name: A, version: 1, instances: single}\nresources: {}\n",
	  "x.yaml:2:35: a version is written \"1.0\"" },
	{ "schema: 1\nobject: {id: 1, name: A, version: \"256.0\", instances: single}\nresources: {}\n",
	  "x.yaml:2:35: a version is written" },
	{ "schema: 1\nobject: {id: 1, name: A, version: \"1.0\", instances: many}\nresources: {}\n",
	  "x.yaml:2:53: instances are single or multiple" },
	{ "schema: 1\nobject: {id: 1, name: A, version: \"1.0\", instances: single, mandatory: yes}\nresources: {}\n",
	  "x.yaml:2:72: " },
	{ "schema: 1\nobject: {id: 1, name: A, version: \"1.0\", instances: single, instance: 1}\nresources: {}\n",
	  "x.yaml:2:61: unknown key 'instance', did you mean 'instances'?" },
	{ "schema: 1\nobject: {id: 1, name: A, instances: single}\nresources: {}\n",
	  "x.yaml:2:9: key 'version' is missing" },
	{ "schema: 1\nobject: {id: 1, name: A, version: \"1.0\", instances: single}\nresources: []\n",
	  "x.yaml:3:12: 'resources' is a mapping of ids" },
	{ HEAD "  a: {name: A, operations: R, type: float}\n", "x.yaml:4:3: an id is a number" },
	{ HEAD "  07: {name: A, operations: R, type: float}\n", "x.yaml:4:3: an id is a number" },
	{ HEAD "  7: A\n", "x.yaml:4:6: a resource is a mapping" },
	{ HEAD "  7: {operations: R, type: float}\n", "x.yaml:4:6: key 'name' is missing" },
	{ HEAD "  7: {name: A, type: float}\n", "x.yaml:4:6: key 'operations' is missing" },
	{ HEAD "  7: {name: A, operations: R}\n", "x.yaml:4:6: key 'type' is missing" },
	{ HEAD "  7: {name: A, operations: RWE, type: float}\n",
	  "x.yaml:4:28: operations are R, W, RW, E or none" },
	{ HEAD "  7: {name: A, operations: R, type: double}\n",
	  "x.yaml:4:37: a type is string, integer" },
	{ HEAD "  7: {name: A, operations: R, type: none}\n",
	  "x.yaml:4:37: a type is string, integer" },
	{ HEAD "  7: {name: A, operations: R, type: float, multiple: \"true\"}\n",
	  "x.yaml:4:54: " },
	{ HEAD "  7: {name: A, operations: R, type: float, range: 5}\n",
	  "x.yaml:4:51: a range is written" },
	{ HEAD "  7: {name: A, operations: R, type: float, range: 9..1}\n",
	  "x.yaml:4:51: a range is written" },
	{ HEAD "  7: {name: A, operations: R, type: float, range: a..b}\n",
	  "x.yaml:4:51: a range is written" },
	{ HEAD "  7: {name: A, operations: R, type: float, range: 0...5}\n",
	  "x.yaml:4:51: a range is written" },
	{ HEAD "  7: {name: A, operations: R, type: float, range: {}}\n",
	  "x.yaml:4:51: a range is written" },
	{ HEAD "  7: {name: A, operations: R, type: float, range: []}\n",
	  "x.yaml:4:51: a list of values has 1 to 64" },
	{ HEAD "  7: {name: A, operations: R, type: float, range: [1, x]}\n", "x.yaml:4:55: " },
	{ HEAD "  7: {name: A, operations: R, type: float, unit: kwh}\n",
	  "x.yaml:4:50: unknown unit, did you mean 'kWh'?" },
	{ HEAD "  7: {name: A, operations: R, type: float, units: V}\n",
	  "x.yaml:4:44: unknown key 'units', did you mean 'unit'?" },
	{ HEAD
	  "  7: {name: A, operations: R, type: float}\n  7: {name: B, operations: R, type: float}\n",
	  "x.yaml:5:3: " },
	{ HEAD "  7: {name: A\n", "x.yaml:" },
};

START_TEST(says_where_it_is_wrong)
{
	ck_assert_int_eq(read_text(bad[_i].text), -EINVAL);
	ck_assert_msg(strstr(error_text(), bad[_i].error), "wanted '%s', got '%s'", bad[_i].error,
		      error_text());
	ck_assert_ptr_null(definitions_newest(definitions, 3303));
	ck_assert_ptr_null(definitions_newest(definitions, 1));
}
END_TEST

START_TEST(reports_every_error_of_a_file)
{
	ck_assert_int_eq(read_text(HEAD "  7: {name: A, operations: Q, type: float}\n"
					"  8: {name: A, operations: R, type: double}\n"
					"---\n" HEAD "  9: B\n"),
			 -EINVAL);
	ck_assert_uint_eq(errors.n, 3);
	ck_assert_ptr_nonnull(strstr(error_text(), "x.yaml:4:28: "));
	ck_assert_ptr_nonnull(strstr(error_text(), "x.yaml:5:37: "));
	ck_assert_ptr_nonnull(strstr(error_text(), "x.yaml:10:6: "));
}
END_TEST

START_TEST(keeps_the_good_documents)
{
	ck_assert_int_eq(
		read_text(
			"schema: 1\nobject: {id: 1, name: A, version: \"1.0\", instances: single}\n"
			"resources: {}\n---\n" HEAD "  7: A\n"),
		-EINVAL);
	ck_assert_ptr_nonnull(definitions_find(definitions, 1, VERSION(1, 0)));
}
END_TEST

START_TEST(replaces_the_same_version_only)
{
	const struct object_definition *old, *new;

	ck_assert_int_eq(read_text(HEAD "  7: {name: A, operations: R, type: float}\n"), 0);
	old = definitions_newest(definitions, 3303);
	ck_assert_int_eq(read_text(HEAD "  8: {name: A, operations: R, type: float}\n"), 0);
	new = definitions_newest(definitions, 3303);
	ck_assert_ptr_ne(old, new);
	ck_assert_ptr_nonnull(object_resource(new, 8));
	/* Stores may still point to it. */
	ck_assert_ptr_nonnull(object_resource(old, 7));
	ck_assert_int_eq(
		read_text(
			"schema: 1\nobject: {id: 3303, name: A, version: \"1.10\", instances: single}\n"
			"resources: {}\n"),
		0);
	ck_assert_int_eq(
		read_text(
			"schema: 1\nobject: {id: 3303, name: A, version: \"1.9\", instances: single}\n"
			"resources: {}\n"),
		0);
	ck_assert_ptr_eq(definitions_find(definitions, 3303, VERSION(1, 0)), new);
	ck_assert_uint_eq(definitions_newest(definitions, 3303)->version, VERSION(1, 10));
	ck_assert_ptr_null(definitions_newest(definitions, 3302));
	ck_assert_ptr_null(definitions_newest(definitions, 3304));
	ck_assert_ptr_null(definitions_find(definitions, 3303, VERSION(2, 0)));
}
END_TEST

START_TEST(finds_the_last_version_there_can_be)
{
	ck_assert_int_eq(
		read_text(
			"schema: 1\nobject: {id: 7, name: A, version: \"255.255\", instances: single}\n"
			"resources: {}\n"),
		0);
	ck_assert_ptr_nonnull(definitions_newest(definitions, 7));
}
END_TEST

static void put_file(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(reads_folders_in_name_order)
{
	static const char *const names[] = { "a.yaml",	"b.yaml", "c.txt",
					     ".d.yaml", ".yaml",  "e.yml" };
	char folder[] = "/tmp/fieldway-objects-XXXXXX", path[PATH_MAX];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	put_file(folder, "b.yaml", HEAD "  8: {name: B, operations: R, type: float}\n");
	put_file(folder, "a.yaml", HEAD "  7: {name: A, operations: R, type: float}\n");
	for (size_t i = 2; i < ARRAY_SIZE(names); i++)
		put_file(folder, names[i], "{{{");
	ck_assert_int_eq(definitions_read_folder(definitions, folder, &errors), 0);
	ck_assert_str_eq(error_text(), "");
	ck_assert_ptr_nonnull(object_resource(definitions_newest(definitions, 3303), 8));
	put_file(folder, "a.yaml", "{{{");
	ck_assert_int_eq(definitions_read_folder(definitions, folder, &errors), -EINVAL);
	snprintf(path, sizeof(path), "%s/a.yaml:", folder);
	ck_assert_msg(has_prefix(error_text(), path), "%s", error_text());
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		ck_assert_int_eq(unlink(path), 0);
	}
	ck_assert_int_eq(rmdir(folder), 0);
	ck_assert_int_eq(definitions_read_folder(definitions, folder, &errors), 0);
}
END_TEST

/* ---- the shipped files ---- */

static void read_objects(void)
{
	const char *top = getenv("abs_top_srcdir");
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s/objects", top ? top : ".");
	ck_assert_msg(definitions_read_folder(definitions, folder, &errors) == 0, "%s",
		      error_text());
	ck_assert_str_eq(error_text(), "");
}

START_TEST(every_shipped_object_loads)
{
	static const uint16_t ids[][2] = { { 0, 7 },	   { 10, 13 },	   { 16, 16 },
					   { 19, 21 },	   { 23, 26 },	   { 3200, 3203 },
					   { 3300, 3306 }, { 3308, 3308 }, { 3310, 3348 } };

	read_objects();
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		for (unsigned id = ids[i][0]; id <= ids[i][1]; id++)
			ck_assert_msg(definitions_newest(definitions, id), "object %u", id);
}
END_TEST

/* lwm2m.md "Versions that a missing ver means"; `shown` is the version that we then have. */
static const struct {
	uint16_t id;
	uint16_t own;
	struct {
		uint16_t implied, shown;
	} in_1_0, in_1_1, in_1_2;
} versions[] = {
	{ 0,
	  VERSION(1, 2),
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 1), VERSION(1, 1) },
	  { VERSION(1, 2), VERSION(1, 2) } },
	{ 1,
	  VERSION(1, 2),
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 1), VERSION(1, 1) },
	  { VERSION(1, 2), VERSION(1, 2) } },
	{ 2,
	  VERSION(1, 1),
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 1), VERSION(1, 1) } },
	{ 3,
	  VERSION(1, 2),
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 1), VERSION(1, 1) },
	  { VERSION(1, 2), VERSION(1, 2) } },
	{ 4,
	  VERSION(1, 3),
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 2), VERSION(1, 2) },
	  { VERSION(1, 3), VERSION(1, 3) } },
	{ 5,
	  VERSION(1, 2),
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 1), VERSION(1, 2) } },
	{ 6,
	  VERSION(1, 0),
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 0), VERSION(1, 0) } },
	{ 7,
	  VERSION(1, 0),
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 0), VERSION(1, 0) } },
	{ 21,
	  VERSION(2, 0),
	  { VERSION(1, 0), 0 },
	  { VERSION(1, 0), 0 },
	  { VERSION(2, 0), VERSION(2, 0) } },
	{ 23,
	  VERSION(1, 0),
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 0), VERSION(1, 0) },
	  { VERSION(1, 0), VERSION(1, 0) } },
	{ 25,
	  VERSION(2, 0),
	  { VERSION(1, 0), VERSION(2, 0) },
	  { VERSION(1, 0), VERSION(2, 0) },
	  { VERSION(1, 0), VERSION(2, 0) } },
	{ 3303,
	  VERSION(1, 1),
	  { VERSION(1, 0), VERSION(1, 1) },
	  { VERSION(1, 0), VERSION(1, 1) },
	  { VERSION(1, 0), VERSION(1, 1) } },
};

START_TEST(chooses_the_version_of_a_registration)
{
	const enum lwm2m_version lwm2m[] = { LWM2M_1_0, LWM2M_1_1, LWM2M_1_2 };
	const uint16_t implied[] = { versions[_i].in_1_0.implied, versions[_i].in_1_1.implied,
				     versions[_i].in_1_2.implied };
	const uint16_t shown[] = { versions[_i].in_1_0.shown, versions[_i].in_1_1.shown,
				   versions[_i].in_1_2.shown };

	read_objects();
	ck_assert_uint_eq(definitions_newest(definitions, versions[_i].id)->version,
			  versions[_i].own);
	for (size_t i = 0; i < ARRAY_SIZE(lwm2m); i++) {
		const struct object_definition *o =
			definitions_for(definitions, definitions_newest(definitions, versions[_i].id), lwm2m[i]);

		ck_assert_uint_eq(object_version_implied(versions[_i].id, lwm2m[i]), implied[i]);
		ck_assert_ptr_nonnull(o);
		ck_assert_uint_eq(o->id, versions[_i].id);
		if (shown[i])
			ck_assert_msg(o->version == shown[i], "/%u in %d: %x", o->id, lwm2m[i],
				      o->version);
	}
}
END_TEST

START_TEST(shows_what_it_has_of_an_unknown_version)
{
	const struct object_definition strange = { .id = 65000, .version = VERSION(9, 9) };
	const struct object_definition newer = { .id = 3, .version = VERSION(9, 9) };

	read_objects();
	ck_assert_ptr_eq(definitions_for(definitions, &strange, LWM2M_1_2), &strange);
	ck_assert_ptr_eq(definitions_for(definitions, &newer, LWM2M_1_2),
			 definitions_find(definitions, 3, object_version_implied(3, LWM2M_1_2)));
	ck_assert_uint_eq(object_version_implied(65000, LWM2M_1_2), VERSION(1, 0));
}
END_TEST

/* ---- ranges ---- */

static int64_t listed[] = { 16, 32, -1 };

static const struct {
	struct range range;
	struct value value;
	int error;
} ranges[] = {
	{ { 0 }, { .type = VALUE_INTEGER, .integer = 5 }, 0 },
	{ { true, 0, 100 }, { .type = VALUE_INTEGER, .integer = 0 }, 0 },
	{ { true, 0, 100 }, { .type = VALUE_INTEGER, .integer = 100 }, 0 },
	{ { true, 0, 100 }, { .type = VALUE_INTEGER, .integer = 101 }, -ERANGE },
	{ { true, 0, 100 }, { .type = VALUE_FLOAT, .real = -0.01 }, -ERANGE },
	{ { true, 0, 100 }, { .type = VALUE_FLOAT, .real = NAN }, -ERANGE },
	{ { true, 1, HUGE_VAL }, { .type = VALUE_UNSIGNED, .unsignd = UINT64_MAX }, 0 },
	{ { true, -HUGE_VAL, 5 }, { .type = VALUE_TIME, .integer = INT64_MIN }, 0 },
	{ { true, 1, 4 }, { .type = VALUE_STRING, .size = 4, .data = (char[]){ "abcd" } }, 0 },
	{ { true, 1, 4 },
	  { .type = VALUE_STRING, .size = 5, .data = (char[]){ "abcde" } },
	  -ERANGE },
	{ { true, 1, 4 }, { .type = VALUE_OPAQUE, .size = 0, .data = (char[]){ "" } }, -ERANGE },
	{ { true, 0, 0, 3, listed },
	  { .type = VALUE_OPAQUE, .size = 16, .data = (char[17]){ "" } },
	  0 },
	{ { true, 0, 0, 3, listed },
	  { .type = VALUE_OPAQUE, .size = 17, .data = (char[18]){ "" } },
	  -ERANGE },
	{ { true, 0, 0, 3, listed }, { .type = VALUE_INTEGER, .integer = -1 }, 0 },
	{ { true, 0, 0, 3, listed }, { .type = VALUE_INTEGER, .integer = 17 }, -ERANGE },
	{ { true, 0, 100 }, { .type = VALUE_OBJLNK, .link = { 3, 0 } }, 0 },
};

#define EQUAL_HEAD "schema: 1\nobject: {id: 3303, name: T, version: \"1.0\", instances: multiple}\nresources:\n"
static const struct {
	const char *text;
	bool equal;
} equals[] = {
	{ EQUAL_HEAD "  1: {name: A, operations: RW, type: float, unit: V, range: 1..2}\n", true },
	{ EQUAL_HEAD "  1: {name: B, operations: RW, type: float, unit: V, range: 1..2}\n", false },
	{ EQUAL_HEAD "  1: {name: A, operations: R, type: float, unit: V, range: 1..2}\n", false },
	{ EQUAL_HEAD "  1: {name: A, operations: RW, type: integer, unit: V, range: 1..2}\n", false },
	{ EQUAL_HEAD "  1: {name: A, operations: RW, type: float, unit: A, range: 1..2}\n", false },
	{ EQUAL_HEAD "  1: {name: A, operations: RW, type: float, range: 1..2}\n", false },
	{ EQUAL_HEAD "  1: {name: A, operations: RW, type: float, unit: V, range: 1..3}\n", false },
	{ EQUAL_HEAD "  1: {name: A, operations: RW, type: float, unit: V, range: [1, 2]}\n", false },
	{ EQUAL_HEAD "  1: {name: A, operations: RW, type: float, unit: V}\n", false },
	{ EQUAL_HEAD "  1: {name: A, operations: RW, type: float, unit: V, range: 1..2, multiple: true}\n", false },
	{ EQUAL_HEAD "  1: {name: A, operations: RW, type: float, unit: V, range: 1..2, mandatory: true}\n", false },
	{ EQUAL_HEAD "  2: {name: A, operations: RW, type: float, unit: V, range: 1..2}\n", false },
	{ EQUAL_HEAD "  1: {name: A, operations: RW, type: float, unit: V, range: 1..2}\n"
		     "  2: {name: B, operations: RW, type: float}\n",
	  false },
	{ "schema: 1\nobject: {id: 3303, name: U, version: \"1.0\", instances: multiple}\nresources:\n"
	  "  1: {name: A, operations: RW, type: float, unit: V, range: 1..2}\n",
	  false },
	{ "schema: 1\nobject: {id: 3303, name: T, version: \"1.1\", instances: multiple}\nresources:\n"
	  "  1: {name: A, operations: RW, type: float, unit: V, range: 1..2}\n",
	  false },
	{ "schema: 1\nobject: {id: 3303, name: T, version: \"1.0\", instances: single}\nresources:\n"
	  "  1: {name: A, operations: RW, type: float, unit: V, range: 1..2}\n",
	  false },
};

START_TEST(tells_definitions_apart)
{
	struct definitions *other;

	ck_assert_int_eq(read_text(equals[0].text), 0);
	ck_assert_int_eq(definitions_new(&other), 0);
	ck_assert_int_eq(definitions_read_text(other, "y.yaml", equals[_i].text, strlen(equals[_i].text), &errors), 0);
	ck_assert_int_eq(object_definition_equal(definitions_newest(definitions, 3303), definitions_newest(other, 3303)),
			 equals[_i].equal);
	definitions_free(other);
}
END_TEST

START_TEST(checks_ranges)
{
	ck_assert_int_eq(range_check(&ranges[_i].range, &ranges[_i].value), ranges[_i].error);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("definition");
	TCase *tcase = tcase_create("definition");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reads_an_object);
	tcase_add_loop_test(tcase, says_where_it_is_wrong, 0, ARRAY_SIZE(bad));
	tcase_add_test(tcase, reports_every_error_of_a_file);
	tcase_add_test(tcase, keeps_the_good_documents);
	tcase_add_test(tcase, replaces_the_same_version_only);
	tcase_add_test(tcase, finds_the_last_version_there_can_be);
	tcase_add_test(tcase, reads_folders_in_name_order);
	tcase_add_test(tcase, every_shipped_object_loads);
	tcase_add_loop_test(tcase, chooses_the_version_of_a_registration, 0, ARRAY_SIZE(versions));
	tcase_add_test(tcase, shows_what_it_has_of_an_unknown_version);
	tcase_add_loop_test(tcase, tells_definitions_apart, 0, ARRAY_SIZE(equals));
	tcase_add_loop_test(tcase, checks_ranges, 0, ARRAY_SIZE(ranges));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
