/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/modbus/modbus.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "fieldbus/fieldbus.h"
#include "gateway/modbus/modbus_internal.h"

/* A server waits 5 s: the bus may be at another request for some of them. */
#define REQUEST_USEC (UINT64_C(3000000))
#define BY_ID "/dev/serial/by-id"

/* ---- how they are ---- */

static enum builtin_connection_state state_of_device(enum fieldbus_state state)
{
	switch (state) {
	case FIELDBUS_UNKNOWN:
		return BUILTIN_CONNECTION_CONNECTING;
	case FIELDBUS_ONLINE:
		return BUILTIN_CONNECTION_CONNECTED;
	case FIELDBUS_OFFLINE:
	case FIELDBUS_FAILED:
		return BUILTIN_CONNECTION_ERROR;
	case FIELDBUS_PAUSED:
		return BUILTIN_CONNECTION_DISABLED;
	}
	return BUILTIN_CONNECTION_CONNECTING;
}

/*
 * One device that answers shows that the line works; one that may yet, that it is
 * not known; one that a user has paused says nothing beside others.
 */
static enum builtin_connection_state better(enum builtin_connection_state a, enum builtin_connection_state b)
{
	static const enum builtin_connection_state order[] = { BUILTIN_CONNECTION_CONNECTED,
							       BUILTIN_CONNECTION_CONNECTING,
							       BUILTIN_CONNECTION_ERROR };

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return BUILTIN_CONNECTION_DISABLED;
}

static enum builtin_connection_state state_of_line(const struct modbus_field *m, size_t line)
{
	const struct modbus_line *l = &m->lines[line];
	enum builtin_connection_state state = BUILTIN_CONNECTION_DISABLED;
	bool any = false;

	if (!l->enabled)
		return BUILTIN_CONNECTION_DISABLED;
	if (fieldbus_is_refused(m->config.fieldbus, l->bus))
		return BUILTIN_CONNECTION_INVALID;
	for (uint32_t i = 0; i < m->config.config->n_devices; i++)
		if (m->line_of_device[i] == line) {
			any = true;
			state = better(state, state_of_device(fieldbus_device_state(m->config.fieldbus, i, NULL)));
		}
	if (any)
		return state;
	if (!l->asked)
		return BUILTIN_CONNECTION_CONNECTING;
	return l->error < 0 ? BUILTIN_CONNECTION_ERROR : BUILTIN_CONNECTION_CONNECTED;
}

static void tell_state(struct modbus_field *m, size_t line)
{
	if (m->builtin)
		builtin_connection_state(m->builtin, m->lines[line].id, state_of_line(m, line));
}

void modbus_field_device(struct modbus_field *m, uint32_t device)
{
	if (m && m->line_of_device && m->line_of_device[device] != UINT16_MAX)
		tell_state(m, m->line_of_device[device]);
}

/* ---- life ---- */

int modbus_connections_make(struct modbus_field *m)
{
	m->connections = calloc(m->n_lines + 1, sizeof(*m->connections));
	if (!m->connections)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].address)
			modbus_line_describe(m, &m->lines[i], &m->connections[m->values.n_connections++]);
	m->values.timers = m->config.timers;
	m->values.connections = m->connections;
	m->values.change = m->config.config->gateway.modbus_access == CONFIG_MODBUS_CHANGE &&
			   m->config.config->writes_allow;
	return 0;
}

int modbus_field_new(const struct modbus_field_config *config, struct modbus_field **ret)
{
	struct modbus_field *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->config = *config;
	list_init(&m->requests);
	r = modbus_lines_load(m);
	if (r >= 0)
		r = modbus_lines_make(m);
	if (r >= 0)
		r = modbus_connections_make(m);
	if (r < 0) {
		modbus_field_free(m);
		return r;
	}
	modbus_lines_save(m);
	*ret = m;
	return 0;
}

void modbus_field_done(struct modbus_field *m)
{
	modbus_lines_free(m);
	free(m->connections);
	free(m->switched_on);
}

struct modbus_field *modbus_field_free(struct modbus_field *m)
{
	struct modbus_request *q;

	if (!m)
		return NULL;
	/* None, where the fieldbus went first. */
	list_for_each(q, &m->requests, list)
		free(q);
	modbus_field_done(m);
	free(m);
	return NULL;
}

const struct builtin_modbus *modbus_field_values(const struct modbus_field *m)
{
	return m && m->config.config->gateway.modbus_access != CONFIG_MODBUS_OFF ? &m->values : NULL;
}

void modbus_field_attach(struct modbus_field *m, struct builtin *builtin)
{
	m->builtin = builtin;
}

static const char *bus_name(const struct modbus_field *m, const struct modbus_line *line)
{
	return m->config.config->buses[line->bus].name;
}

/* The end of a reload. */
static void field_reloaded(struct modbus_field *m)
{
	for (uint32_t i = 0; i < m->config.config->n_buses; i++)
		if (m->switched_on[i])
			fieldbus_enable(m->config.fieldbus, i, true);
	free(TAKE_PTR(m->switched_on));
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].address)
			tell_state(m, i);
}

void modbus_field_started(struct modbus_field *m)
{
	for (size_t i = 0; m && i < m->n_lines; i++) {
		struct modbus_line *line = &m->lines[i];

		if (!line->address || line->enabled || line->off)
			continue;
		line->off = true;
		log_warning(&(struct log_about){ .bus = bus_name(m, line) },
			    "bus %s stays switched off, as a server left it (/10374/%u/2)", bus_name(m, line),
			    line->id);
		fieldbus_enable(m->config.fieldbus, line->bus, false);
	}
	if (m && m->switched_on)
		field_reloaded(m);
}

/* ---- what instances ask for ---- */

/* YAML's part of the connection may have gone while a cluster links to it still. */
struct modbus_line *modbus_line_of(struct modbus_field *m, uint16_t connection)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].id == connection && m->lines[i].address && !m->lines[i].leaves)
			return &m->lines[i];
	return NULL;
}

int modbus_field_enable(struct modbus_field *m, uint16_t connection, bool enable)
{
	struct modbus_line *line = modbus_line_of(m, connection);
	int r;

	if (!line)
		return -ENOENT;
	if (line->enabled == enable)
		return 0;
	line->enabled = enable;
	line->off = !enable;
	line->asked = false;
	r = fieldbus_enable(m->config.fieldbus, line->bus, enable);
	modbus_lines_save(m);
	tell_state(m, (size_t)(line - m->lines));
	return r;
}

/* The field's errors as backing.h has them. */
static int error_of_request(int error)
{
	switch (error) {
	case 0:
	case -EBUSY:
	case -ETIMEDOUT:
	case -ENOMEM:
		return error;
	case -ECONNRESET: /* it may have been carried out */
		return -ETIMEDOUT;
	case -EHOSTDOWN:
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -ECONNREFUSED:
	case -ENODEV:
	case -ENOENT:
	case -ECANCELED:
		return -EHOSTDOWN;
	}
	return -EIO;
}

static void request_done(void *userdata, int error, const char *detail, const void *answer, size_t size)
{
	struct modbus_request *q = userdata;
	struct modbus_line *line = modbus_line_of(q->field, q->connection);

	if (line) {
		line->asked = true;
		line->error = error == -EBUSY ? line->error : error;
		tell_state(q->field, (size_t)(line - q->field->lines));
	}
	list_remove(&q->list);
	q->done(q->userdata, error_of_request(error), detail && *detail ? detail : strerror(-error), answer,
		size);
	free(q);
}

#define ADDRESS_SETTINGS 3u

static void add_setting(struct fieldway_setting *items, size_t *n, const struct config_device *device,
			const char *key)
{
	const struct fieldway_value *value = device ? settings_find(&device->address, key) : NULL;

	if (value)
		items[(*n)++] = (struct fieldway_setting){ .key = key, .value = *value };
}

int modbus_field_request(struct modbus_field *m, uint16_t connection, uint8_t unit, const uint8_t *pdu,
			 size_t size, builtin_modbus_done done, void *userdata)
{
	struct fieldway_setting items[ADDRESS_SETTINGS] = {
		{ .key = "unit", .value = { .type = FIELDWAY_UINT, .unsignd = unit } },
	};
	struct fieldway_settings address = { .items = items, .n = 1 };
	const struct modbus_line *line = modbus_line_of(m, connection);
	struct modbus_request *q;
	int r;

	if (!line)
		return -EHOSTDOWN;
	add_setting(items, &address.n, line->device, "host");
	add_setting(items, &address.n, line->device, "port");
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct modbus_request){ { 0 }, m, connection, done, userdata };
	r = fieldbus_raw(m->config.fieldbus, line->bus, &address, pdu, size, REQUEST_USEC, request_done, q);
	if (r < 0)
		free(q);
	else
		list_append(&m->requests, &q->list);
	return r == -EINVAL ? -EHOSTDOWN : r;
}

/* ---- Available RTU Ports ---- */

static bool is_by_id(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void list_by_id(void (*found)(void *userdata, const char *port), void *userdata)
{
	char path[sizeof(BY_ID) + sizeof(((struct dirent *)NULL)->d_name)];
	DIR *folder = opendir(BY_ID);
	const struct dirent *entry;

	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		if (!is_by_id(entry) || !utf8_is_valid(entry->d_name, strlen(entry->d_name)))
			continue;
		snprintf(path, sizeof(path), BY_ID "/%s", entry->d_name);
		found(userdata, path);
	}
	closedir(folder);
}

void modbus_field_ports(const struct modbus_field *m, void (*found)(void *userdata, const char *port),
			void *userdata)
{
	for (size_t i = 0; i < m->n_lines; i++) {
		const char *address = m->lines[i].address;

		if (address && !m->lines[i].device && !has_prefix(address, BY_ID "/"))
			found(userdata, address);
	}
	list_by_id(found, userdata);
}
