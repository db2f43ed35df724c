/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "builtin/builtin.h"

struct config;
struct fieldbus;
struct state;
struct store;

/*
 * The field behind the host's Modbus objects (10374, 10375): which connections
 * there are, and what their instances ask of the fieldbus. A connection is a
 * serial line, or one host:port of a bus; its id stays with its name, also
 * while YAML does not have it, as register clusters link to it.
 */
struct modbus_field;

/* More connections than this have no instance. */
#define MODBUS_CONNECTIONS_MAX 256u

struct modbus_field_config {
	struct timers *timers;
	const struct config *config; /* outlives it, as all others do */
	struct fieldbus *fieldbus;
	struct state *state;
};

int modbus_field_new(const struct modbus_field_config *config, struct modbus_field **ret);
struct modbus_field *modbus_field_free(struct modbus_field *m);
/*
 * The connections of another configuration, none where it does not allow the
 * objects; requests to those that go end. To be followed by builtin_reload(),
 * modbus_field_attach() and, behind fieldbus_reload(), modbus_field_started().
 * -ENOMEM: there are none until the next one.
 */
int modbus_field_reload(struct modbus_field *m, const struct config *config);
/* What builtin_new() needs, until it is attached; NULL: the objects do not exist. Of no field, too. */
const struct builtin_modbus *modbus_field_values(const struct modbus_field *m);
/* builtin is told of states from now on. */
void modbus_field_attach(struct modbus_field *m, struct builtin *builtin);
/* fieldbus_start() or fieldbus_reload() has been called: what a server switched off is off. */
void modbus_field_started(struct modbus_field *m);
void modbus_field_device(struct modbus_field *m, uint32_t device);

/* builtin_ports of the same names. */
int modbus_field_request(struct modbus_field *m, uint16_t connection, uint8_t unit, const uint8_t *pdu,
			 size_t size, builtin_modbus_done done, void *userdata);
int modbus_field_enable(struct modbus_field *m, uint16_t connection, bool enable);
void modbus_field_ports(const struct modbus_field *m, void (*found)(void *userdata, const char *port),
			void *userdata);
