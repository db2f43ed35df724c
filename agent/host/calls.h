/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

#include "host/device/parts.h"

/* Calls of Host1 beside those in host.c: about devices at work, what a configuration would do, and samples. */

struct host;

/* Userdata is the host. */
extern const sd_bus_vtable calls_vtable[];
/* sample_call.c: Decode, likewise. */
int sample_call(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* ---- host.c: what they need ---- */

/* Sends a reply, takes it over, also on failure; r is how making it went. 1 or a negative errno. */
int reply_end(sd_bus_message *reply, int r);
struct host_bus *host_find_bus(const struct host *h, const char *name);
struct attempts *host_attempts(struct host *h);
/* The configuration in a call. -EINVAL: refusals say why. */
int host_read_setup(struct host *h, sd_bus_message *m, enum setup_kind kind, struct refusals *refusals,
		    struct setup **ret);
/* NULL: none of this generation. */
struct device *host_find_device(const struct host *h, uint64_t generation, uint32_t id);
