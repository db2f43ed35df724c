/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dbus/internal.h"

/* Where the value of a resource comes from, as the configuration has it. */
struct source {
	const struct config_map *row; /* NULL: it is the agent's own, or a server's */
	const struct config_device *device;
	const struct config_point *point;
	uint32_t device_id;
	unsigned more; /* other rows of the path */
};
struct source source_find(const struct item *item, const struct path *path);
/* As entries of Explain: its kind; of a point its device, bus, place, decoding and rate. */
int source_append(sd_bus_message *m, const struct item *item, const struct source *s);
