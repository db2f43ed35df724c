/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"
#include "config/config.h"
#include "gateway/modbus/modbus.h"

/* One connection. */
struct modbus_line {
	uint16_t id;
	char *name;    /* BUS/ADDRESS, in the state folder */
	char *address; /* as /10374/x/0 shows it; NULL: YAML does not have it now */
	uint32_t bus;
	const struct config_device *device; /* one of a TCP device's host:port; NULL: serial */
	bool enabled;
	bool off;    /* the fieldbus knows that it is not enabled */
	bool leaves; /* another configuration will not have it */
	bool asked;  /* without devices it is its requests that show how it is */
	int error;   /* of the last of them */
};

struct modbus_field {
	struct modbus_field_config config;
	struct modbus_line lines[MODBUS_CONNECTIONS_MAX];
	size_t n_lines;
	uint16_t *line_of_device; /* config.n_devices; UINT16_MAX: none */
	struct builtin_connection *connections;
	struct builtin_modbus values;
	struct builtin *builtin;
	struct list requests; /* struct modbus_request */
	bool *switched_on;    /* config.n_buses, after a reload: servers had switched them off, and have no say any more */
};

struct modbus_request {
	struct list list; /* modbus_field.requests */
	struct modbus_field *field;
	uint16_t connection;
	builtin_modbus_done done;
	void *userdata;
};

/* modbus.c */
int modbus_connections_make(struct modbus_field *m);
void modbus_field_done(struct modbus_field *m);
/* NULL: YAML's part of the connection has gone, while a cluster links to it still. */
struct modbus_line *modbus_line_of(struct modbus_field *m, uint16_t connection);

/* A setting of a Modbus bus below rtu. or ascii.; NULL: it has none. */
const struct fieldway_value *modbus_serial_setting(const struct config_bus *bus, const char *key);
/* Is it a line of this plugin? */
bool modbus_bus_is_serial(const struct config_bus *bus);

/* modbus_lines.c: the lines of a configuration, over what is remembered of earlier ones. */
int modbus_lines_make(struct modbus_field *m);
int modbus_lines_load(struct modbus_field *m);
void modbus_lines_save(struct modbus_field *m);
void modbus_lines_free(struct modbus_field *m);
/* What is remembered of them, as modbus_lines_load(). */
int modbus_lines_copy(struct modbus_field *m, const struct modbus_field *from);
/* NULL: YAML does not have it. */
struct modbus_line *modbus_line_find(struct modbus_field *m, const char *name);
/* Fills in what YAML says of one. */
void modbus_line_describe(const struct modbus_field *m, const struct modbus_line *line,
			  struct builtin_connection *ret);
