/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "bthome.h"
#include "point.h"

/* Configuration, compiled. Pure. */

#define CONNECTIONS_MAX 32u
#define DEFAULT_CONNECTIONS 5
#define MAC_TEXT_SIZE 18u
#define PASSKEY_MAX 999999u

enum scan {
	SCAN_PASSIVE, /* if it can be, else actively */
	SCAN_ACTIVE,
	SCAN_OFF, /* somebody else makes bluetoothd scan, or nobody */
};
extern const char *const scan_names[];

struct bus {
	char *adapter; /* address or hciN */
	bool any_adapter, power;
	enum scan scan;
	unsigned connections;
};

struct fieldway_driver {
	char line[64];
	uint8_t mac[BTHOME_MAC_SIZE];
	char mac_text[MAC_TEXT_SIZE];
	bool has_key, pair, has_passkey;
	uint8_t key[BTHOME_KEY_SIZE];
	uint32_t passkey;
	bool needs_connection, notifies; /* some point */
	size_t n_points;
	struct point points[];
};

/* 0, -ENOMEM, or -EINVAL with error. bus_done() frees. */
int bus_compile(const struct fieldway_bus *from, struct bus *ret, struct fieldway_error *error);
void bus_done(struct bus *b);

/* As struct fieldway_plugin has them. */
int driver_bus_check(const struct fieldway_bus *bus, struct fieldway_error *error);
int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device, struct fieldway_driver **ret,
	       struct fieldway_error *error);
void driver_free(struct fieldway_driver *d);
int driver_line_name(const struct fieldway_driver *d, char *ret, size_t size);
int driver_plan(const struct fieldway_driver *d, const uint32_t *points, size_t n_points, struct fieldway_plan *ret);
void driver_plan_free(struct fieldway_plan *plan);
int driver_decode(const struct fieldway_driver *d, const struct fieldway_request *request, const void *bytes,
		  size_t size, struct fieldway_sample *samples, char *text, size_t text_size);
int driver_write_check(const struct fieldway_driver *d, uint32_t point, const struct fieldway_value *value,
		       struct fieldway_error *error);
/* The bytes of a value that is written. Their number, or as driver_write_check(). */
ssize_t driver_encode(const struct fieldway_driver *d, uint32_t point, const struct fieldway_value *value,
		      uint8_t *ret, size_t room, struct fieldway_error *error);
size_t driver_notes(const struct fieldway_driver *d, struct fieldway_error *ret, size_t max);
int driver_sample(const struct fieldway_driver *d, const struct fieldway_input *inputs, size_t n_inputs,
		  struct fieldway_sample *samples, size_t *ret_n, char *text, size_t text_size,
		  struct fieldway_error *error);
