/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/definition.h"

/* Shared by definition.c and definition_yaml.c only. */
struct definitions {
	struct object_definition **objects; /* ascending id, then version */
	size_t n;
	struct object_definition **replaced;
	size_t n_replaced;
};

/* Takes the object over on success. -ENOMEM. */
int definitions_add(struct definitions *d, struct object_definition *o);
struct object_definition *object_definition_free(struct object_definition *o);
