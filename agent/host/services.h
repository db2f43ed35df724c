/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

#include "host/device/parts.h"
#include "host/setup/loader.h"

/* The calls of link/host1.h that serve people: Raw, Scan, Release, Record. */

/* buses: of struct host_bus. As a handler of sd-bus. */
int services_call(struct loader *loader, const struct list *buses, sd_bus_message *m,
		  sd_bus_error *error);
