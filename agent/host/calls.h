/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

#include "host/parts.h"

/* Calls of Host1 about devices at work, beside those in host.c. */

struct host;

/* Userdata is the host. */
extern const sd_bus_vtable calls_vtable[];

/* ---- host.c: what they need ---- */

struct host_bus *host_find_bus(const struct host *h, const char *name);
struct attempts *host_attempts(struct host *h);
/* The configuration in a call. -EINVAL: refusals say why. */
int host_read_setup(struct host *h, sd_bus_message *m, enum setup_kind kind, struct refusals *refusals,
		    struct setup **ret);
/* NULL: none of this generation. */
struct device *host_find_device(const struct host *h, uint64_t generation, uint32_t id);
