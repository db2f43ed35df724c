/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl/daemon/record.h"

struct client;

/* Endpoints and devices in this order: by name, m2 before m10. */
struct inventory {
	struct endpoint_record *endpoints;
	struct device_record *devices;
	struct bus_record *buses;
	size_t n_endpoints, n_devices, n_buses;
	struct arena arena;
	struct sd_bus_message *message; /* holds the texts */
};

/* Objects of one inventory: well above what a configuration may have (config/loader.h). */
#define INVENTORY_OBJECTS_MAX 100000u

/* Asks the daemon for all of its objects. 0, or negative after a message on standard error. */
int inventory_fetch(struct client *client, struct inventory *ret);
/* Reads a{oa{sa{sv}}}, keeping a reference to m. -EBADMSG, -E2BIG: over that limit, -ENOMEM. */
int inventory_read(struct sd_bus_message *m, struct inventory *ret);
void inventory_done(struct inventory *i);
#define _cleanup_inventory_ _cleanup_(inventory_done)
