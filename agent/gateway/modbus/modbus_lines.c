/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "gateway/modbus/modbus_internal.h"
#include "state/state.h"

#define PLUGIN "modbus"
/* Those of the plugin where YAML says nothing. */
#define TCP_PORT 502u
#define TLS_PORT 802u
#define BAUD 9600u
#define RTU_FORMAT "8E1"
#define ASCII_FORMAT "7E1"
#define SETTING_MAX 32
#define ENDPOINT "host"
#define KIND "modbus-connections"

/* ---- settings ---- */

static const struct fieldway_value *section_setting(const struct config_bus *bus, const char *section,
						    const char *key)
{
	char name[SETTING_MAX];

	snprintf(name, sizeof(name), "%s.%s", section, key);
	return settings_find(&bus->settings, name);
}

static bool is_ascii(const struct config_bus *bus)
{
	return section_setting(bus, "ascii", "device") != NULL;
}

const struct fieldway_value *modbus_serial_setting(const struct config_bus *bus, const char *key)
{
	return section_setting(bus, is_ascii(bus) ? "ascii" : "rtu", key);
}

bool modbus_bus_is_serial(const struct config_bus *bus)
{
	return streq(bus->plugin->name, PLUGIN) && modbus_serial_setting(bus, "device");
}

static uint64_t setting_number(const struct fieldway_value *v, uint64_t otherwise)
{
	return v ? v->unsignd : otherwise;
}

static bool setting_is(const struct fieldway_value *v, const char *text)
{
	return v && v->size == strlen(text) && memcmp(v->data, text, v->size) == 0;
}

/* TLS has a port of its own. */
static uint64_t usual_port(const struct config_bus *bus)
{
	uint64_t standard = settings_find(&bus->settings, "tls.ca") ? TLS_PORT : TCP_PORT;

	return setting_number(settings_find(&bus->settings, "tcp.port"), standard);
}

/* HOST:PORT, an IPv6 address in brackets; NULL without memory or host. */
static char *tcp_address(const struct config_bus *bus, const struct config_device *device)
{
	const struct fieldway_value *host = settings_find(&device->address, "host");
	uint64_t port = setting_number(settings_find(&device->address, "port"), usual_port(bus));
	bool colons = host && memchr(host->data, ':', host->size);
	char *text;

	if (!host || asprintf(&text, "%s%.*s%s:%u", colons ? "[" : "", (int)host->size, host->data,
			      colons ? "]" : "", (unsigned)port) < 0)
		return NULL;
	return text;
}

/* ---- as object 10374 has them ---- */

enum {
	LAYER_TCP = 0,
	LAYER_RS232 = 1,
	LAYER_RS485 = 2,
	FLOW_NONE = 0,
	FLOW_RTS_SENDING = 1,
	FLOW_RTS_NOT_SENDING = 2,
};

static void describe_format(const struct config_bus *bus, struct builtin_connection *ret)
{
	const struct fieldway_value *v = modbus_serial_setting(bus, "format");
	const char *format = is_ascii(bus) ? ASCII_FORMAT : RTU_FORMAT;

	if (v && v->size >= strlen(format))
		format = v->data;
	ret->parity = format[1] == 'E' ? 1 : format[1] == 'O' ? 2 : 0;
	ret->stop_bits = format[2] == '2' ? 2 : 1;
}

/* Of an adapter that switches by itself nobody knows what it is: RS-232, as far as this end goes. */
static void describe_serial(const struct config_bus *bus, struct builtin_connection *ret)
{
	const struct fieldway_value *rs485 = modbus_serial_setting(bus, "rs485");

	ret->serial = true;
	ret->layer = rs485 && !setting_is(rs485, "none") ? LAYER_RS485 : LAYER_RS232;
	ret->baud = (uint32_t)setting_number(modbus_serial_setting(bus, "baud"), BAUD);
	ret->flow = FLOW_NONE;
	if (setting_is(rs485, "rts"))
		ret->flow = setting_is(modbus_serial_setting(bus, "rts_active"), "low") ?
				    FLOW_RTS_NOT_SENDING :
				    FLOW_RTS_SENDING;
	describe_format(bus, ret);
}

void modbus_line_describe(const struct modbus_field *m, const struct modbus_line *line,
			  struct builtin_connection *ret)
{
	*ret = (struct builtin_connection){
		.id = line->id,
		.address = line->address,
		.layer = LAYER_TCP,
		.enabled = line->enabled,
	};
	if (!line->device)
		describe_serial(&m->config.config->buses[line->bus], ret);
	for (size_t i = 0; i < m->n_lines; i++)
		ret->shared |= &m->lines[i] != line && m->lines[i].address && m->lines[i].bus == line->bus;
}

/* ---- making them ---- */

static struct modbus_line *find_name(struct modbus_field *m, const char *name)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (streq(m->lines[i].name, name))
			return &m->lines[i];
	return NULL;
}

static bool is_taken(const struct modbus_field *m, uint16_t id)
{
	for (size_t i = 0; i < m->n_lines; i++)
		if (m->lines[i].id == id)
			return true;
	return false;
}

/* A place for one more: of one that YAML has no more, when there is none left. Others keep theirs. */
static struct modbus_line *find_room(struct modbus_field *m)
{
	if (m->n_lines < MODBUS_CONNECTIONS_MAX)
		return &m->lines[m->n_lines++];
	for (size_t i = 0; i < m->n_lines; i++)
		if (!m->lines[i].address)
			return &m->lines[i];
	return NULL;
}

/* With the lowest number that nobody has. Takes the name over, also when there is no room: NULL. */
static struct modbus_line *add_new(struct modbus_field *m, char *name)
{
	struct modbus_line *line = find_room(m);
	uint16_t id = 0;

	if (!line) {
		free(name);
		return NULL;
	}
	free(line->name);
	*line = (struct modbus_line){ .id = UINT16_MAX, .name = name, .enabled = true };
	while (is_taken(m, id))
		id++;
	line->id = id;
	return line;
}

/* Takes the address over, which may be NULL: no memory. 1: there is no room for it. */
static int use_line(struct modbus_field *m, uint32_t bus, char *address, const struct config_device *device,
		    struct modbus_line **ret)
{
	struct modbus_line *line;
	char *name;

	if (!address || asprintf(&name, "%s/%s", m->config.config->buses[bus].name, address) < 0) {
		free(address);
		return -ENOMEM;
	}
	line = find_name(m, name);
	if (!line)
		line = add_new(m, TAKE_PTR(name));
	free(name);
	if (!line || line->address)
		free(address);
	else
		line->address = address;
	if (!line)
		return 1;
	line->bus = bus;
	line->device = device;
	*ret = line;
	return 0;
}

static bool is_shown(const struct modbus_field *m, const struct config_bus *bus)
{
	const struct config_gateway *gateway = &m->config.config->gateway;

	if (gateway->modbus_access == CONFIG_MODBUS_OFF || !streq(bus->plugin->name, PLUGIN))
		return false;
	for (size_t i = 0; i < gateway->n_modbus_buses; i++)
		if (glob_match(gateway->modbus_buses[i], bus->name))
			return true;
	return false;
}

static int make_serial(struct modbus_field *m, uint32_t bus)
{
	const struct fieldway_value *device = modbus_serial_setting(&m->config.config->buses[bus], "device");
	struct modbus_line *line;

	return use_line(m, bus, strndup(device->data, device->size), NULL, &line);
}

static int make_device(struct modbus_field *m, uint32_t i)
{
	const struct config_device *device = &m->config.config->devices[i];
	const struct config_bus *bus = &m->config.config->buses[device->bus];
	struct modbus_line *line = NULL;
	int r;

	m->line_of_device[i] = UINT16_MAX;
	if (!device->enabled || !is_shown(m, bus))
		return 0;
	if (modbus_bus_is_serial(bus)) {
		for (size_t k = 0; k < m->n_lines; k++)
			if (m->lines[k].address && m->lines[k].bus == device->bus)
				m->line_of_device[i] = (uint16_t)k;
		return 0;
	}
	if (!settings_find(&device->address, "host"))
		return 0;
	r = use_line(m, device->bus, tcp_address(bus, device), device, &line);
	if (r == 0)
		m->line_of_device[i] = (uint16_t)(line - m->lines);
	return r;
}

int modbus_lines_make(struct modbus_field *m)
{
	const struct config *c = m->config.config;
	size_t left_out = 0;
	int r = 0;

	m->line_of_device = calloc(c->n_devices + 1, sizeof(*m->line_of_device));
	if (!m->line_of_device)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_buses && r >= 0; i++)
		if (is_shown(m, &c->buses[i]) && modbus_bus_is_serial(&c->buses[i])) {
			r = make_serial(m, i);
			left_out += r > 0;
		}
	for (uint32_t i = 0; i < c->n_devices && r >= 0; i++) {
		r = make_device(m, i);
		left_out += r > 0;
	}
	if (left_out > 0)
		log_warning(NULL, "modbus_objects: /10374 has no room for %zu connections beside the first %u",
			    left_out, MODBUS_CONNECTIONS_MAX);
	return r < 0 ? r : 0;
}

struct modbus_line *modbus_line_find(struct modbus_field *m, const char *name)
{
	struct modbus_line *line = find_name(m, name);

	return line && line->address ? line : NULL;
}

int modbus_lines_copy(struct modbus_field *m, const struct modbus_field *from)
{
	for (size_t i = 0; i < from->n_lines; i++) {
		struct modbus_line *line = &m->lines[i];

		*line = from->lines[i];
		line->address = NULL;
		line->device = NULL;
		line->name = strdup(from->lines[i].name);
		if (!line->name)
			return -ENOMEM;
		m->n_lines++;
	}
	return 0;
}

void modbus_lines_free(struct modbus_field *m)
{
	for (size_t i = 0; i < m->n_lines; i++) {
		free(m->lines[i].name);
		free(m->lines[i].address);
	}
	free(m->line_of_device);
}

/* ---- over restarts: a line of text for each, its id, on or off, its name ---- */

static void load_line(struct modbus_field *m, char *text)
{
	char *word = strchr(text, ' '), *name = word ? strchr(word + 1, ' ') : NULL, *copy;
	uint16_t id;

	if (!name || m->n_lines >= MODBUS_CONNECTIONS_MAX)
		return;
	*word++ = *name++ = 0;
	if (parse_u16(text, &id) < 0 || id == UINT16_MAX || is_taken(m, id) || find_name(m, name))
		return;
	copy = strdup(name);
	if (copy)
		m->lines[m->n_lines++] = (struct modbus_line){ .id = id,
							       .name = copy,
							       .enabled = !streq(word, "off") };
}

int modbus_lines_load(struct modbus_field *m)
{
	_cleanup_buf_ struct buf record = { 0 };
	_cleanup_free_ char *text = NULL;
	char *rest;
	int r = state_load(m->config.state, ENDPOINT, KIND, &record);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		log_warning(NULL, "the numbers of /10374 and what was switched off there are lost: %s",
			    strerror(-r));
		return 0;
	}
	text = strndup(record.data ? (const char *)record.data : "", record.size);
	if (!text)
		return -ENOMEM;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		load_line(m, line);
	return 0;
}

void modbus_lines_save(struct modbus_field *m)
{
	_cleanup_buf_ struct buf out = { 0 };
	int r = 0;

	for (size_t i = 0; i < m->n_lines && r >= 0; i++)
		r = buf_printf(&out, "%u %s %s\n", m->lines[i].id, m->lines[i].enabled ? "on" : "off",
			       m->lines[i].name);
	if (r >= 0)
		r = state_save(m->config.state, ENDPOINT, KIND, out.data, out.size);
	if (r < 0)
		log_error(NULL, "cannot keep the connections of /10374 over restarts: %s", strerror(-r));
}
