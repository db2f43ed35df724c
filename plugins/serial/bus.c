/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plugins/lib/settings.h"
#include "port.h"

const char *const level_names[] = { "low", "high", NULL };

static const struct rs485_section rs485 = RS485_SECTION("serial");

static const char *const serial_keys[] = { "serial.device",	"serial.baud",	     "serial.format",	 "serial.dtr",
					   "serial.rts",	"serial.rs485",	     "serial.rts_active", "serial.rts_before",
					   "serial.rts_after",	"serial.echo",	     NULL };

bool bus_knows_baud(uint32_t baud)
{
	return port_speed(baud) >= 0;
}

uint64_t bus_wire_usec(const struct bus *b, uint32_t baud, uint32_t bytes)
{
	uint32_t bits = 1 + (uint32_t)b->data_bits + (b->parity != 'N') + (uint32_t)b->stop_bits;

	return b->tcp || !baud ? 0 : UINT64_C(1000000) * bytes * bits / baud;
}

static int compile_format(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	const struct fieldway_value *v = setting_find(s, "serial.format");
	const char *f = v ? v->data : DEFAULT_FORMAT;

	if ((v && v->size != 3) || !memchr("78", f[0], 2) || !memchr("NEO", f[1], 3) || !memchr("12", f[2], 2))
		return setting_refuse(error, "serial.format",
				      "the format is 7 or 8, N E or O for the parity, and 1 or 2 stop bits: \"7E1\"");
	b->data_bits = f[0] - '0';
	b->parity = f[1];
	b->stop_bits = f[2] - '0';
	return 0;
}

static int compile_level(const struct fieldway_settings *s, const char *key, enum level *ret,
			 struct fieldway_error *error)
{
	int level = setting_choice(s, key, level_names, -1);

	if (level == -EINVAL)
		return setting_refuse(error, key, "a line is high or low");
	*ret = level < 0 ? LEVEL_LEFT : level == 0 ? LEVEL_LOW : LEVEL_HIGH;
	return 0;
}

static int compile_serial(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	const struct fieldway_value *device = setting_find(s, "serial.device");
	uint64_t baud = setting_uint(s, "serial.baud", DEFAULT_BAUD);
	int r;

	if (!device || device->size == 0)
		return setting_refuse(error, "serial.device", "a serial port needs serial.device");
	if (device->size >= sizeof(b->name))
		return setting_refuse(error, "serial.device", "the path is too long");
	memcpy(b->name, device->data, device->size);
	if (baud > UINT32_MAX || !bus_knows_baud((uint32_t)baud))
		return setting_refuse(error, "serial.baud",
				      "no such baud rate; known are 300 to 921600 in the usual steps");
	b->baud = (uint32_t)baud;
	r = compile_format(s, b, error);
	if (r >= 0)
		r = rs485_compile(s, &rs485, &b->rs485, error);
	if (r >= 0)
		r = compile_level(s, "serial.dtr", &b->dtr, error);
	if (r >= 0)
		r = compile_level(s, "serial.rts", &b->rts, error);
	if (r >= 0 && b->rts != LEVEL_LEFT && b->rs485.mode != RS485_NONE)
		return setting_refuse(error, "serial.rts", "RTS is what rs485 switches the line with");
	return r;
}

static bool is_host(const struct fieldway_value *v, size_t max)
{
	for (size_t i = 0; v && i < v->size; i++)
		if ((uint8_t)v->data[i] <= ' ' || strchr("/[]@", v->data[i]))
			return false;
	return v && v->size > 0 && v->size < max;
}

static int compile_tcp(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	const struct fieldway_value *host = setting_find(s, "tcp.host");
	uint64_t port = setting_uint(s, "tcp.port", 0);

	if (!is_host(host, sizeof(b->host)))
		return setting_refuse(error, "tcp.host", "a serial device server needs tcp.host, its name or address");
	if (port < 1 || port > UINT16_MAX)
		return setting_refuse(error, "tcp.port", "a serial device server needs tcp.port, 1 to %d", UINT16_MAX);
	memcpy(b->host, host->data, host->size);
	b->port = (uint16_t)port;
	snprintf(b->name, sizeof(b->name), strchr(b->host, ':') ? "[%s]:%u" : "%s:%u", b->host, (unsigned)port);
	b->tcp = true;
	return 0;
}

static const char *find_any(const struct fieldway_settings *s, const char *const *keys)
{
	for (; *keys; keys++)
		if (setting_has(s, *keys))
			return *keys;
	return NULL;
}

int bus_compile(const struct fieldway_bus *from, struct bus *ret, struct fieldway_error *error)
{
	const struct fieldway_settings *s = &from->settings;
	bool tcp = setting_has(s, "tcp.host") || setting_has(s, "tcp.port");
	const char *serial = find_any(s, serial_keys);
	struct bus b = { .timeout_usec = from->timeout_usec };
	int r;

	if (tcp && serial)
		return setting_refuse(error, serial, "a bus is either serial or tcp");
	if (!tcp && !serial)
		return setting_refuse(error, NULL, "the bus needs serial: {device: /dev/serial/by-id/...} or "
						   "tcp: {host: 192.0.2.1, port: 4001}");
	r = tcp ? compile_tcp(s, &b, error) : compile_serial(s, &b, error);
	if (r < 0)
		return r;
	*ret = b;
	return 0;
}
