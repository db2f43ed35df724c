/* SPDX-License-Identifier: Apache-2.0 */
#include "api/plugin.h"

#include "driver.h"
#include "line.h"
#include "point.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

static const char *const framing_names[] = { "tcp", "rtu", "ascii", NULL };

#define PAUSE(key, text)                                                                   \
	{ .name = (key), .scope = FIELDWAY_SCOPE_BUS, .flags = FIELDWAY_KEY_DURATION,      \
	  .type = FIELDWAY_UINT, .maximum = MAX_PAUSE_USEC, .help = (text) }
#define CREDENTIAL(key, more, text)                                                        \
	{ .name = (key), .scope = FIELDWAY_SCOPE_BUS, .flags = FIELDWAY_KEY_CONTENT | (more), \
	  .type = FIELDWAY_STRING, .help = (text) }
#define OF_BUS(key, kind, text)                                                            \
	{ .name = (key), .scope = FIELDWAY_SCOPE_BUS, .type = (kind), .help = (text) }
/* A serial port, of either framing. */
#define SERIAL(section, usual_format)                                                      \
	OF_BUS(section ".device", FIELDWAY_STRING, "serial port, best by its name in /dev/serial/by-id"), \
	{ .name = section ".baud", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_UINT,     \
	  .minimum = 1200, .maximum = 921600, .unit = "baud",                              \
	  .help = "baud rate (" TEXT(DEFAULT_BAUD) ")" },                                  \
	OF_BUS(section ".format", FIELDWAY_STRING,                                         \
	       "data bits, parity, stop bits, in quotes (" usual_format ")"),             \
	PAUSE(section ".pause", "rest between an answer and the next request (3.5 characters of RTU, never less)"), \
	PAUSE(section ".connect_pause", "rest between opening and the first request (0)"), \
	PAUSE(section ".gap", "silence that ends a frame of unknown length (20ms and 4 characters)"), \
	RS485_KEYS(section)

/*
 * Keys of a bus have no `initial`: whether one of tcp, tls, rtu or ascii is set decides what
 * the bus is, so the defaults are filled in by bus_compile().
 */
static const struct fieldway_key keys[] = {
	{ .name = "tcp.port", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = 65535, .help = "TCP port of hosts that name none (" TEXT(DEFAULT_TCP_PORT) ")" },
	{ .name = "tcp.connections_per_host", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_UINT,
	  .minimum = 1, .maximum = MAX_CONNECTIONS,
	  .help = "connections to each host:port, shared out by unit (" TEXT(DEFAULT_CONNECTIONS) ")" },
	{ .name = "tcp.framing", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING, .choices = framing_names,
	  .help = "tcp, or what a gateway hands on from its serial line: rtu, ascii (tcp)" },
	PAUSE("tcp.pause", "rest between an answer and the next request (0)"),
	PAUSE("tcp.connect_pause", "rest between connecting and the first request (0)"),
	PAUSE("tcp.reconnect_pause", "rest between one connection and the next (0)"),
	PAUSE("tcp.gap", "silence that ends a frame of unknown length, rtu and ascii (50ms)"),
	{ .name = "tcp.idle", .scope = FIELDWAY_SCOPE_BUS, .flags = FIELDWAY_KEY_DURATION,
	  .type = FIELDWAY_UINT, .help = "a connection that was not used for so long is closed (never)" },
	{ .name = "tcp.keepalive", .scope = FIELDWAY_SCOPE_BUS, .flags = FIELDWAY_KEY_DURATION,
	  .type = FIELDWAY_UINT, .help = "a silent peer is probed after so long (as the system does)" },
	CREDENTIAL("tls.ca", 0, "certificates (PEM) that have signed those of the devices"),
	CREDENTIAL("tls.certificate", 0, "certificate (PEM) of this gateway; devices read its role from it"),
	CREDENTIAL("tls.key", FIELDWAY_KEY_SECRET, "private key (PEM) of tls.certificate"),
	{ .name = "tls.server_name", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING,
	  .help = "name in the certificates of the devices (that of the host)" },
	SERIAL("rtu", DEFAULT_FORMAT),
	SERIAL("ascii", DEFAULT_ASCII_FORMAT),
	{ .name = "unit", .scope = FIELDWAY_SCOPE_ADDRESS, .flags = FIELDWAY_KEY_REQUIRED,
	  .type = FIELDWAY_UINT, .minimum = 0, .maximum = 255,
	  .help = "unit (slave) address: 1-247, over TCP also 0 and 255; 0 on a serial line is everybody" },
	{ .name = "broadcast", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_BOOL, .initial = "false",
	  .help = "of unit 0: a write that was sent to everybody counts as accepted" },
	{ .name = "host", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_STRING,
	  .help = "name or IP address of a TCP device" },
	{ .name = "port", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = 65535, .help = "TCP port (that of the bus)" },
	{ .name = "max_gap", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_UINT, .minimum = 0,
	  .maximum = MAX_READ_BITS, .initial = "0",
	  .help = "unwanted addresses that one request may read over" },
	{ .name = "max_registers", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = MAX_READ_REGISTERS, .initial = "125",
	  .help = "registers in one request" },
	{ .name = "max_coils", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = MAX_READ_BITS, .help = "coils in one request (16 times max_registers)" },
	{ .name = "max_write_registers", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = MAX_WRITE_REGISTERS, .initial = "123", .help = "registers that one request may write" },
	{ .name = "address_base", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_STRING,
	  .choices = address_base_names, .initial = "0",
	  .help = "how the manual counts: 0 as on the wire, 1 from one, modicon as 40001 or 400001" },
	{ .name = "base.address", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_UINT, .minimum = 0,
	  .maximum = 65535, .help = "is added to every address" },
	{ .name = "base.find", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_STRING,
	  .help = "what a chain of models begins with: \"SunS\"" },
	{ .name = "base.at", .scope = FIELDWAY_SCOPE_DEVICE, .flags = FIELDWAY_KEY_LIST, .type = FIELDWAY_UINT,
	  .minimum = 0, .maximum = 65535, .help = "where to look for it, as on the wire (40000, 50000, 0)" },
	{ .name = "area", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING, .choices = area_names,
	  .flags = FIELDWAY_KEY_PLACE, .initial = "holding",
	  .help = "which table of the device, or its identification (function 43)" },
	{ .name = "object", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_STRING,
	  .help = "of area identification: vendor_name, product_code, revision and so on, or a number in quotes, 0-255" },
	{ .name = "address", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_UINT,
	  .minimum = 0, .maximum = 465536, .help = "address as on the wire, counted from 0; else see address_base" },
	{ .name = "model", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_LIST, .type = FIELDWAY_UINT,
	  .minimum = 1, .maximum = 65534,
	  .help = "the address counts from the ID of this model, or of the first that the device has of these" },
	{ .name = "occurrence", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = MAX_MODELS, .help = "which one of several such models (1)" },
	LAYOUT_KEYS(MAX_ANSWER_BYTES),
	{ .name = "write.address", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE,
	  .type = FIELDWAY_UINT, .minimum = 0, .maximum = 465536,
	  .help = "where it is written, if not where it is read" },
	{ .name = "write.function", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT, .minimum = 5,
	  .maximum = 23, .help = "5, 6, 15, 16, 22 or 23 (5 for coils, 22 for bits, 6 for one register, else 16)" },
};

FIELDWAY_EXPORT const struct fieldway_plugin fieldway_plugin = {
	.struct_size = sizeof(fieldway_plugin),
	.abi = FIELDWAY_ABI,
	.capabilities = FIELDWAY_CAN_POLL | FIELDWAY_CAN_WRITE,
	.name = "modbus",
	.version = PACKAGE_VERSION,
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.bus_check = driver_bus_check,
	.driver_new = driver_new,
	.driver_free = driver_free,
	.line_name = driver_line_name,
	.plan_new = driver_plan,
	.plan_free = plan_done,
	.decode = driver_decode,
	.line_open = line_open,
	.line_close = line_close,
	.read = line_read,
	.write = line_write,
	.write_check = driver_write_check,
	.answer = driver_answer,
	.driver_notes = driver_notes,
	.line_tap = line_tap,
	.line_rest = line_rest,
	.line_follow = line_follow,
	.raw = line_raw,
};
