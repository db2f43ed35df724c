/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

#include "model/path.h"
#include "model/record.h"
#include "model/value.h"

struct store;

/* The next argument, a path; what is wrong with it becomes the error. */
int path_read(sd_bus_message *m, struct path *ret, sd_bus_error *error);
/* The same of a path that is there, and that everybody may see. */
int path_find(sd_bus_message *m, const struct store *store, struct path *ret, sd_bus_error *error);

/* Values as agent1.h has them as variants. */

int value_append(sd_bus_message *m, const struct value *value);
/* A variant with these contents, as of type; what does not fit without loss is -EINVAL or -ERANGE. */
int value_read(sd_bus_message *m, const char *contents, enum value_type type, struct value *ret);
/* Ascending records at or below the path as one variant: a{qv} and so on down. */
int records_append(sd_bus_message *m, const struct path *path, const struct records *records);
/*
 * A variant for a path of the store as records in the types of its definitions.
 * 0; -EINVAL, -ERANGE, -E2BIG, -ENOENT a resource that is not there, -ENOMEM;
 * ret_at (untouched on success) is what the failure is about.
 */
int records_read(sd_bus_message *m, const struct store *store, const struct path *path,
		 struct records *ret, struct path *ret_at);

/* Entries of a{sv}. Text: none where it is NULL or "". */
int entry_text(sd_bus_message *m, const char *key, const char *text);
int entry_u64(sd_bus_message *m, const char *key, uint64_t value);
int entry_bytes(sd_bus_message *m, const char *key, const void *bytes, size_t n);
int entry_value(sd_bus_message *m, const char *key, const struct value *value);
