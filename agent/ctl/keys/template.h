/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/buf.h"

/*
 * What `credentials export` writes of one key, by a text with placeholders: {server}
 * {uri} {endpoint} {name} {identity} {key} (hexadecimal) {key_base64}; with ":json" as a
 * JSON string, quotes and all, with ":csv" as a field of RFC 4180. What is no
 * placeholder in braces stays, but a word that looks like one is an error.
 */
struct template_values {
	const char *server, *uri, *endpoint, *name, *identity;
	const uint8_t *key;
	size_t size;
};

struct template {
	const char *begin; /* in front of all */
	const char *each;
};

#define TEMPLATE_BYTES_MAX (64u << 10)

/* "leshan" (a JSON object a line, for its /api/security/clients) and "csv"; NULL: none of that name. */
const struct template *template_find(const char *name);
/* -EINVAL: *ret_wrong is the placeholder that there is not, inside text; -ENOMEM. */
int template_check(const char *text, const char **ret_wrong, size_t *ret_size);
/* Appends; text was checked. 0 or -ENOMEM. */
int template_expand(const char *text, const struct template_values *values, struct buf *to);
