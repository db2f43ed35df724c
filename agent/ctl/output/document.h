/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

struct fieldway_value;
struct table;

/*
 * What `--json` prints, on jansson. One document for each run, made of what the
 * text is made of: an object or an array, keys in lower case with underscores,
 * every key always there, null where there is nothing, durations in
 * microseconds (`_usec`). What is made here may be NULL without memory;
 * document_print() says so.
 */

/* On standard output, over several lines. Takes the document. 0; -ENOMEM (also of NULL), said. */
int document_print(json_t *document);
/* The same on one line, at once: of what has no end. */
int document_print_line(json_t *document);

/* Takes the item; *array becomes NULL when there is no memory, and stays so. */
void document_add(json_t **array, json_t *item);
/* "" and "-" as NULL, for json_pack()'s "s?". */
const char *document_text(const char *text);
/* A text of a file or a device, of which what is no UTF-8 is left out. */
json_t *document_any_text(const char *text);
/* As a number where 63 bits do, else as text. */
json_t *document_u64(uint64_t number);
/* NaN and infinity, which JSON does not have, as null. */
json_t *document_double(double number);
/* Bytes as hexadecimal text. */
json_t *document_value(const struct fieldway_value *value);
/* Rows behind the first one, which has the titles, as objects with these keys; "-" as null. */
json_t *document_rows(const struct table *t, const char *const *keys);
