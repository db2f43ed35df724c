/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

struct client;

/*
 * The object path of an endpoint, by its YAML name or its endpoint client name,
 * of a device, or of a bus. Yours to free. 0, or negative after a line on standard error (-ENOENT: there is none),
 * which suggests a name that is near.
 */
int find_endpoint(struct client *c, const char *name, char **ret_path);
int find_device(struct client *c, const char *name, char **ret_path);
int find_bus(struct client *c, const char *name, char **ret_path);
/* Could it be a name at all? False after a line on standard error. */
bool find_name(const char *what, const char *name);
