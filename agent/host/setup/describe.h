/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "host/setup/loader.h"

struct sd_bus_message;

/* A plugin's key table for people. */
void describe_print(FILE *to, const struct fieldway_plugin *plugin);
/* Appends LINK_TYPE_DESCRIPTION. */
int describe_append(struct sd_bus_message *m, const struct fieldway_plugin *plugin);
