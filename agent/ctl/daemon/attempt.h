/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

#include "ctl/ctl.h"
#include "ctl/daemon/reading.h"

struct client;

/* Devices that are not configured, at an address that the command line says, on a bus that is. */

#define ATTEMPT_SETTINGS_MAX 16u
/* As in YAML, all as text. */
struct attempt_point {
	const char *name;
	struct given_option settings[ATTEMPT_SETTINGS_MAX];
	size_t n;
};

/* a{sv} of texts. Negative errno of sd-bus. */
int settings_append(sd_bus_message *m, const struct given_option *settings, size_t n);

/* One entry of it, as the plugin's key has it; what D-Bus does not carry (bytes) is left out. */
int setting_append(sd_bus_message *m, const char *key, const struct fieldway_value *value);

struct attempt {
	const char *path; /* of the bus */
	const struct given_option *address;
	size_t n_address;
	uint64_t within_usec; /* 0: as long as the daemon likes */
};
/* A call that ends with points and within; both have to be appended. */
int attempt_new(struct client *c, const struct attempt *a, sd_bus_message **ret);
/*
 * Reads these points once. 0; or negative with *ret_error set, which is the caller's
 * to print and to free.
 */
int attempt_points(struct client *c, const struct attempt *a, const struct attempt_point *points,
		   size_t n, sd_bus_error *ret_error, sd_bus_message **ret);
