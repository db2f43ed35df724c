/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"

#include <errno.h>
#include <string.h>

#include "plugins/lib/settings.h"

/*
 * A gateway between TCP and a serial line hands on what it has in packets that
 * a network may part.
 */
#define TCP_GAP_USEC UINT64_C(50000)

static const char *const framing_names[] = { [FRAMING_MBAP] = "tcp", [FRAMING_RTU] = "rtu",
					     [FRAMING_ASCII] = "ascii", NULL };

/* A key of this section that is set, or NULL. */
static const char *find_any(const struct fieldway_settings *s, const char *section)
{
	size_t size = strlen(section);

	for (size_t i = 0; i < s->n; i++)
		if (strncmp(s->items[i].key, section, size) == 0)
			return s->items[i].key;
	return NULL;
}

uint64_t bus_wire_usec(const struct bus *b, uint32_t bytes)
{
	uint32_t bits = 1 + (uint32_t)b->line.data_bits + (b->line.parity != 'N') + (uint32_t)b->line.stop_bits;

	if (!b->serial)
		return 0;
	if (b->framing == FRAMING_ASCII)
		bytes *= 2;
	return UINT64_C(1000000) * bytes * bits / b->line.baud;
}

static int compile_framing(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	int framing = setting_choice(s, "tcp.framing", framing_names, FRAMING_MBAP);

	if (framing < 0)
		return setting_refuse(error, "tcp.framing", "the framing is tcp, rtu or ascii");
	if (b->secure && framing != FRAMING_MBAP)
		return setting_refuse(error, "tcp.framing", "Modbus with TLS has the framing of tcp");
	b->framing = (enum framing)framing;
	return 0;
}

static int compile_tls(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	static const char *const needed[] = { "tls.ca", "tls.certificate", "tls.key" };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!setting_has(s, needed[i]))
			return setting_refuse(error, needed[i],
					      "Modbus with TLS is mutual: it needs ca, certificate and key");
	b->secure = true;
	b->tls = (struct tls){
		.ca = setting_find(s, "tls.ca"),
		.certificate = setting_find(s, "tls.certificate"),
		.key = setting_find(s, "tls.key"),
		.server_name = setting_find(s, "tls.server_name"),
	};
	return 0;
}

static int compile_connections(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	uint64_t port = setting_uint(s, "tcp.port", b->secure ? DEFAULT_TLS_PORT : DEFAULT_TCP_PORT);
	uint64_t connections = setting_uint(s, "tcp.connections_per_host", DEFAULT_CONNECTIONS);

	if (port < 1 || port > UINT16_MAX)
		return setting_refuse(error, "tcp.port", "a port is 1 to %d", UINT16_MAX);
	if (connections < 1 || connections > MAX_CONNECTIONS)
		return setting_refuse(error, "tcp.connections_per_host", "1 to %d connections", MAX_CONNECTIONS);
	/* Two connections to one serial line would talk at the same time. */
	if (connections > 1 && b->framing != FRAMING_MBAP)
		return setting_refuse(error, "tcp.connections_per_host",
				      "a serial line behind a gateway takes one connection");
	b->port = (uint16_t)port;
	b->connections = (uint32_t)connections;
	b->pause_usec = setting_uint(s, "tcp.pause", 0);
	b->connect_pause_usec = setting_uint(s, "tcp.connect_pause", 0);
	b->reconnect_pause_usec = setting_uint(s, "tcp.reconnect_pause", 0);
	b->gap_usec = setting_uint(s, "tcp.gap", TCP_GAP_USEC);
	b->idle_usec = setting_uint(s, "tcp.idle", 0);
	b->keepalive_usec = setting_uint(s, "tcp.keepalive", 0);
	return 0;
}

static int compile_tcp(const struct fieldway_settings *s, struct bus *b, bool secure,
		       struct fieldway_error *error)
{
	int r = secure ? compile_tls(s, b, error) : 0;

	if (r >= 0)
		r = compile_framing(s, b, error);
	return r < 0 ? r : compile_connections(s, b, error);
}

int bus_compile(const struct fieldway_bus *from, struct bus *ret, struct fieldway_error *error)
{
	const struct fieldway_settings *s = &from->settings;
	const char *tcp = find_any(s, "tcp."), *tls = find_any(s, "tls.");
	const char *rtu = find_any(s, "rtu."), *ascii = find_any(s, "ascii.");
	struct bus b = { .timeout_usec = from->timeout_usec };
	int r;

	if (rtu && ascii)
		return setting_refuse(error, ascii, "a bus is either rtu or ascii");
	if ((tcp || tls) && (rtu || ascii))
		return setting_refuse(error, rtu ? rtu : ascii, "a bus is either %s or %s", tcp ? "tcp" : "tls",
				      rtu ? "rtu" : "ascii");
	if (!tcp && !tls && !rtu && !ascii)
		return setting_refuse(error, NULL,
				      "the bus needs tcp: {port: 502} or rtu: {device: /dev/serial/by-id/...}");
	b.framing = ascii ? FRAMING_ASCII : rtu ? FRAMING_RTU : FRAMING_MBAP;
	r = rtu || ascii ? serial_compile(s, &b, error) : compile_tcp(s, &b, tls != NULL, error);
	if (r < 0)
		return r;
	*ret = b;
	return 0;
}
