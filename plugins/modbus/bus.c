/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/lib/settings.h"

/* Serial Line V1.02, 2.5.1.1: 3.5 characters between frames, above 19200 baud a fixed 1.75 ms. */
#define GAP_FIXED_BAUD 19200u
#define GAP_FIXED_USEC UINT64_C(1750)

/* What both termios and every supported libmodbus know; libmodbus takes 9600 for all others. */
static const uint32_t bauds[] = { 1200,  2400,	 4800,	 9600,	 19200,	 38400,
				  57600, 115200, 230400, 460800, 500000, 921600 };

static const char *const tcp_keys[] = { "tcp.port", "tcp.connections_per_host", "tcp.pause", NULL };
static const char *const rtu_keys[] = { "rtu.device", "rtu.baud", "rtu.format", "rtu.pause", NULL };

/* The first of these keys that is set, or NULL. */
static const char *find_any(const struct fieldway_settings *s, const char *const *keys)
{
	for (; *keys; keys++)
		if (setting_has(s, *keys))
			return *keys;
	return NULL;
}

static uint32_t character_bits(const struct bus *b)
{
	return 1 + (uint32_t)b->data_bits + (b->parity != 'N') + (uint32_t)b->stop_bits;
}

uint64_t bus_wire_usec(const struct bus *b, uint32_t bytes)
{
	return b->serial ? UINT64_C(1000000) * bytes * character_bits(b) / b->baud : 0;
}

static uint64_t frame_gap_usec(const struct bus *b)
{
	return b->baud > GAP_FIXED_BAUD ? GAP_FIXED_USEC : bus_wire_usec(b, 7) / 2;
}

static int compile_format(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	const struct fieldway_value *v = setting_find(s, "rtu.format");
	const char *f = v ? v->data : DEFAULT_FORMAT;

	/* RTU frames are binary: 7 data bits cannot carry them. */
	if ((v && v->size != 3) || f[0] != '8' || !memchr("NEO", f[1], 3) || !memchr("12", f[2], 2))
		return setting_refuse(error, "rtu.format",
				      "the format is 8, N E or O for the parity, and 1 or 2 stop bits: \"8E1\"");
	b->data_bits = 8;
	b->parity = f[1];
	b->stop_bits = f[2] - '0';
	return 0;
}

static int compile_baud(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	uint64_t baud = setting_uint(s, "rtu.baud", DEFAULT_BAUD);

	for (size_t i = 0; i < sizeof(bauds) / sizeof(bauds[0]); i++) {
		if (bauds[i] == baud) {
			b->baud = bauds[i];
			return 0;
		}
	}
	return setting_refuse(error, "rtu.baud", "no such baud rate; known are 1200 to 921600 in the usual steps");
}

static int compile_serial(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	const struct fieldway_value *device = setting_find(s, "rtu.device");
	int r;

	b->serial = true;
	if (!device || device->size == 0)
		return setting_refuse(error, "rtu.device", "a serial bus needs rtu.device");
	if (device->size >= sizeof(b->device))
		return setting_refuse(error, "rtu.device", "the path is too long");
	memcpy(b->device, device->data, device->size);
	b->device[device->size] = '\0';
	r = compile_format(s, b, error);
	if (r < 0)
		return r;
	r = compile_baud(s, b, error);
	if (r < 0)
		return r;
	b->pause_usec = setting_uint(s, "rtu.pause", 0);
	if (b->pause_usec < frame_gap_usec(b))
		b->pause_usec = frame_gap_usec(b);
	return 0;
}

static int compile_tcp(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	uint64_t port = setting_uint(s, "tcp.port", DEFAULT_TCP_PORT);
	uint64_t connections = setting_uint(s, "tcp.connections_per_host", DEFAULT_CONNECTIONS);

	if (port < 1 || port > UINT16_MAX)
		return setting_refuse(error, "tcp.port", "a port is 1 to %d", UINT16_MAX);
	if (connections < 1 || connections > MAX_CONNECTIONS)
		return setting_refuse(error, "tcp.connections_per_host", "1 to %d connections", MAX_CONNECTIONS);
	b->port = (uint16_t)port;
	b->connections = (uint32_t)connections;
	b->pause_usec = setting_uint(s, "tcp.pause", 0);
	return 0;
}

int bus_compile(const struct fieldway_bus *from, struct bus *ret, struct fieldway_error *error)
{
	const struct fieldway_settings *s = &from->settings;
	const char *tcp = find_any(s, tcp_keys), *rtu = find_any(s, rtu_keys);
	struct bus b = { .timeout_usec = from->timeout_usec };
	int r;

	if (tcp && rtu)
		return setting_refuse(error, rtu, "a bus is either tcp or rtu");
	if (!tcp && !rtu)
		return setting_refuse(error, NULL,
				      "the bus needs tcp: {port: 502} or rtu: {device: /dev/serial/by-id/...}");
	r = rtu ? compile_serial(s, &b, error) : compile_tcp(s, &b, error);
	if (r < 0)
		return r;
	*ret = b;
	return 0;
}
