/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* An object of the OMA registry as its XML says it: texts, not yet understood. */

enum registry_field {
	FIELD_NAME,
	FIELD_ID,	 /* ObjectID, or a resource's ID attribute */
	FIELD_VERSION,	 /* ObjectVersion */
	FIELD_MULTIPLE,	 /* MultipleInstances */
	FIELD_MANDATORY,
	FIELD_OPERATIONS,
	FIELD_TYPE,
	FIELD_RANGE,
	FIELD_UNITS,
	FIELDS,
};

struct registry_item {
	char *fields[FIELDS]; /* trimmed; NULL when absent */
};

struct registry_object {
	struct registry_item object;
	struct registry_item *resources;
	size_t n;
};

#define REGISTRY_FILE_MAX (4u << 20)
#define REGISTRY_RESOURCES_MAX 2048u
#define REGISTRY_TEXT_MAX 4096u /* a field; descriptions are passed over */

/* Reads one file. 0, or -errno after a message "file:line:column: ..." on standard error. */
int registry_read(const char *file, struct registry_object *ret);
void registry_object_done(struct registry_object *o);
