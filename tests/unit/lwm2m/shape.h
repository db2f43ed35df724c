/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/definition.h"
#include "store/store.h"

/* Stores written down as text, and what is in them. */

/* Each line "/0/1/0 coap://host": a value as in text format; a path alone is an instance. */
void shape_fill(struct store *s, const struct definitions *d, const char *text);
struct store *shape_new(const struct definitions *d, const char *text);
/* Everything at and below path in the same form, in order; the text lives until the next call. */
const char *shape_text(struct store *s, const char *path);
