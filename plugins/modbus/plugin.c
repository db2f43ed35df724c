/* SPDX-License-Identifier: Apache-2.0 */
#include "api/plugin.h"

#include "driver.h"
#include "line.h"
#include "point.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

/*
 * Keys of a bus have no `initial`: whether one of tcp or rtu is set decides what
 * the bus is, so the defaults are filled in by bus_compile().
 */
static const struct fieldway_key keys[] = {
	{ .name = "tcp.port", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = 65535, .help = "TCP port of hosts that name none (" TEXT(DEFAULT_TCP_PORT) ")" },
	{ .name = "tcp.connections_per_host", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_UINT,
	  .minimum = 1, .maximum = MAX_CONNECTIONS,
	  .help = "connections to each host:port, shared out by unit (" TEXT(DEFAULT_CONNECTIONS) ")" },
	{ .name = "tcp.pause", .scope = FIELDWAY_SCOPE_BUS, .flags = FIELDWAY_KEY_DURATION,
	  .type = FIELDWAY_UINT, .help = "rest between an answer and the next request (0)" },
	{ .name = "rtu.device", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING,
	  .help = "serial port, best by its name in /dev/serial/by-id" },
	{ .name = "rtu.baud", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_UINT, .minimum = 1200,
	  .maximum = 921600, .unit = "baud", .help = "baud rate (" TEXT(DEFAULT_BAUD) ")" },
	{ .name = "rtu.format", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING,
	  .help = "data bits, parity, stop bits, in quotes (" DEFAULT_FORMAT ")" },
	{ .name = "rtu.pause", .scope = FIELDWAY_SCOPE_BUS, .flags = FIELDWAY_KEY_DURATION,
	  .type = FIELDWAY_UINT,
	  .help = "rest between an answer and the next request (3.5 characters, never less)" },
	{ .name = "unit", .scope = FIELDWAY_SCOPE_ADDRESS, .flags = FIELDWAY_KEY_REQUIRED,
	  .type = FIELDWAY_UINT, .minimum = 0, .maximum = 255,
	  .help = "unit (slave) address: 1-247, over TCP also 0 and 255" },
	{ .name = "host", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_STRING,
	  .help = "name or IP address of a TCP device" },
	{ .name = "port", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = 65535, .help = "TCP port (that of the bus)" },
	{ .name = "max_gap", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_UINT, .minimum = 0,
	  .maximum = MAX_READ_BITS, .initial = "0",
	  .help = "unwanted addresses that one request may read over" },
	{ .name = "max_registers", .scope = FIELDWAY_SCOPE_DEVICE, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = MAX_READ_REGISTERS, .initial = "125",
	  .help = "registers in one request; 16 times as many coils" },
	{ .name = "area", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING, .choices = area_names,
	  .flags = FIELDWAY_KEY_PLACE, .initial = "holding", .help = "which of the four tables of the device" },
	{ .name = "address", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_REQUIRED | FIELDWAY_KEY_PLACE,
	  .type = FIELDWAY_UINT, .minimum = 0, .maximum = 65535,
	  .help = "address as on the wire, counted from 0" },
	{ .name = "type", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING, .choices = data_names,
	  .help = "how the registers are to be taken (bool for coil and discrete, else uint16)" },
	{ .name = "order", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_STRING, .choices = order_names,
	  .initial = "ABCD", .help = "order of the bytes on the wire; A is the highest" },
	{ .name = "bit", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT, .minimum = 0, .maximum = 63,
	  .help = "one bit of the value, 0 is the lowest" },
	{ .name = "length", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = MAX_ANSWER_BYTES, .unit = "bytes", .help = "of a string" },
	{ .name = "write.address", .scope = FIELDWAY_SCOPE_POINT, .flags = FIELDWAY_KEY_PLACE,
	  .type = FIELDWAY_UINT, .minimum = 0, .maximum = 65535, .help = "where it is written, if not where it is read" },
	{ .name = "write.function", .scope = FIELDWAY_SCOPE_POINT, .type = FIELDWAY_UINT, .minimum = 5,
	  .maximum = 16, .help = "5, 6, 15 or 16 (5 for coils, 6 for one register, else 16)" },
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
};
