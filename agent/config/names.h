/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/variables.h"

/* Endpoint client names and the placeholders that every text of this gateway may have. */

/* "ep=" and the name are one Uri-Query option of at most 255 bytes (RFC 7252 5.10). */
#define ENDPOINT_NAME_MAX 252u

/* {name}, {gateway} and {machine_id}, unless the row has such placeholders itself. */
int variables_add_names(struct loader *l, struct variables *v, struct yaml_mark mark,
			const char *name);
/* {gateway} and {machine_id}. */
int variables_add_host(struct loader *l, struct variables *v, struct yaml_mark mark);
/*
 * Expands; printable, without blanks, at most ENDPOINT_NAME_MAX bytes. Memory of
 * the configuration.
 */
int endpoint_name(struct loader *l, struct yaml_mark mark, const char *text,
		  const struct variables *v, char **ret);
/* A name of a device or endpoint: "host" is taken. */
int name_check(struct loader *l, struct yaml_mark mark, const char *name);
/* A name with its placeholders replaced. */
int name_expand(struct loader *l, struct yaml_mark mark, const char *text,
		const struct variables *v, char **ret);
