/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"

#include <string.h>

#include "plugins/lib/settings.h"

/* Serial Line V1.02, 2.5.1.1: 3.5 characters between frames, above 19200 baud a fixed 1.75 ms. */
#define GAP_FIXED_BAUD 19200u
#define GAP_FIXED_USEC UINT64_C(1750)
/* Adapters deliver in lumps up to 16 ms apart. */
#define LUMP_USEC UINT64_C(20000)

/* What both termios and every supported libmodbus know; libmodbus takes 9600 for all others. */
static const uint32_t bauds[] = { 1200,  2400,	 4800,	 9600,	 19200,	 38400,
				  57600, 115200, 230400, 460800, 500000, 921600 };

#define SECTION(name)                                                                           \
	{                                                                                       \
		.device = name ".device", .baud = name ".baud", .format = name ".format",       \
		.pause = name ".pause", .connect_pause = name ".connect_pause", .gap = name ".gap", \
		.rs485 = RS485_SECTION(name),                                                   \
	}

static const struct section {
	const char *device, *baud, *format, *pause, *connect_pause, *gap;
	struct rs485_section rs485;
} rtu = SECTION("rtu"), ascii = SECTION("ascii");

static uint64_t frame_gap_usec(const struct bus *b)
{
	/* ASCII frames have their own ends. */
	if (b->framing == FRAMING_ASCII)
		return 0;
	return b->line.baud > GAP_FIXED_BAUD ? GAP_FIXED_USEC : bus_wire_usec(b, 7) / 2;
}

static int compile_format(const struct fieldway_settings *s, const struct section *keys, struct bus *b,
			  struct fieldway_error *error)
{
	const struct fieldway_value *v = setting_find(s, keys->format);
	const char *f = v ? v->data : b->framing == FRAMING_ASCII ? DEFAULT_ASCII_FORMAT : DEFAULT_FORMAT;
	/* RTU frames are binary: 7 data bits cannot carry them. */
	const char *bits = b->framing == FRAMING_ASCII ? "78" : "88";

	if ((v && v->size != 3) || !memchr(bits, f[0], 2) || !memchr("NEO", f[1], 3) || !memchr("12", f[2], 2))
		return setting_refuse(error, keys->format,
				      "the format is %s, N E or O for the parity, and 1 or 2 stop bits: \"%s\"",
				      b->framing == FRAMING_ASCII ? "7 or 8" : "8",
				      b->framing == FRAMING_ASCII ? DEFAULT_ASCII_FORMAT : DEFAULT_FORMAT);
	b->line.data_bits = f[0] - '0';
	b->line.parity = f[1];
	b->line.stop_bits = f[2] - '0';
	return 0;
}

static int compile_baud(const struct fieldway_settings *s, const struct section *keys, struct bus *b,
			struct fieldway_error *error)
{
	uint64_t baud = setting_uint(s, keys->baud, DEFAULT_BAUD);

	for (size_t i = 0; i < sizeof(bauds) / sizeof(bauds[0]); i++) {
		if (bauds[i] == baud) {
			b->line.baud = bauds[i];
			return 0;
		}
	}
	return setting_refuse(error, keys->baud, "no such baud rate; known are 1200 to 921600 in the usual steps");
}

static int compile_device(const struct fieldway_settings *s, const struct section *keys, struct bus *b,
			  struct fieldway_error *error)
{
	const struct fieldway_value *device = setting_find(s, keys->device);

	if (!device || device->size == 0)
		return setting_refuse(error, keys->device, "a serial bus needs %s", keys->device);
	if (device->size >= sizeof(b->line.device))
		return setting_refuse(error, keys->device, "the path is too long");
	memcpy(b->line.device, device->data, device->size);
	b->line.device[device->size] = '\0';
	return 0;
}

int serial_compile(const struct fieldway_settings *s, struct bus *b, struct fieldway_error *error)
{
	const struct section *keys = b->framing == FRAMING_ASCII ? &ascii : &rtu;
	int r;

	b->serial = true;
	r = compile_device(s, keys, b, error);
	if (r >= 0)
		r = compile_format(s, keys, b, error);
	if (r >= 0)
		r = compile_baud(s, keys, b, error);
	if (r >= 0)
		r = rs485_compile(s, &keys->rs485, &b->line.rs485, error);
	if (r < 0)
		return r;
	b->pause_usec = setting_uint(s, keys->pause, 0);
	if (b->pause_usec < frame_gap_usec(b))
		b->pause_usec = frame_gap_usec(b);
	b->connect_pause_usec = setting_uint(s, keys->connect_pause, 0);
	b->gap_usec = setting_uint(s, keys->gap, LUMP_USEC + bus_wire_usec(b, 4));
	return 0;
}
