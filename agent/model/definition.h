/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/path.h"
#include "model/value.h"

struct yaml_errors;
struct yaml_node;

/* Facts about objects, from objects/<id>-<name>.yaml (schema: objects/README.md). */

enum operation {
	OPERATION_READ = 1 << 0,
	OPERATION_WRITE = 1 << 1,
	OPERATION_EXECUTE = 1 << 2,
};

/* LwM2M versions as 10, 11, 12; object versions as major * 256 + minor. */
#define VERSION(major, minor) ((uint16_t)((major) << 8 | (minor)))
enum lwm2m_version {
	LWM2M_1_0 = 10,
	LWM2M_1_1 = 11,
	LWM2M_1_2 = 12,
};

struct range {
	bool present;
	double minimum, maximum; /* value, or length in bytes for STRING and OPAQUE; -+HUGE_VAL when open */
	uint16_t n;              /* enumerated values, when the registry lists them */
	int64_t *values;
};

struct resource_definition {
	uint16_t id;
	uint8_t operations;
	bool multiple, mandatory;
	enum value_type type;
	char *name;
	char *unit; /* SenML unit, or NULL */
	struct range range;
};

struct object_definition {
	uint16_t id;
	uint16_t version; /* VERSION(1, 2) */
	bool multiple, mandatory;
	char *name;
	struct resource_definition *resources; /* ascending ids */
	size_t n_resources;
};

/* All definitions; immutable once loaded, objects never move. */
struct definitions;
int definitions_new(struct definitions **ret);
struct definitions *definitions_free(struct definitions *d);
/* Every *.yaml of a folder, in name order; a definition of the same id and version replaces an earlier one (/etc over /usr/share). A missing folder is no error. */
int definitions_read_folder(struct definitions *d, const char *folder, struct yaml_errors *errors);
int definitions_read_text(struct definitions *d, const char *name, const char *text, size_t size,
			  struct yaml_errors *errors);

/* NULL when unknown. */
const struct object_definition *definitions_find(const struct definitions *d, uint16_t id, uint16_t version);
/* The newest version known. */
const struct object_definition *definitions_newest(const struct definitions *d, uint16_t id);
/*
 * What of an object a registration as 1.0, 1.1 or 1.2 shows: for the objects of
 * the standard the version of that LwM2M version (lwm2m.md "Versions that a
 * missing ver means", with our /5 1.2 at 1.2), where it is known; else `own`.
 */
const struct object_definition *definitions_for(const struct definitions *d,
						const struct object_definition *own,
						enum lwm2m_version lwm2m);
/* The version that a link without `ver` means in a registration of this LwM2M version (Core 7.2.3). */
uint16_t object_version_implied(uint16_t id, enum lwm2m_version lwm2m);

const struct resource_definition *object_resource(const struct object_definition *o, uint16_t id);
/* In everything. */
bool object_definition_equal(const struct object_definition *a, const struct object_definition *b);
/* The same objects in the same versions. */
bool definitions_equal(const struct definitions *a, const struct definitions *b);
/* 0; -ERANGE: outside the range or not an enumerated value; type is not looked at. */
int range_check(const struct range *range, const struct value *v);
