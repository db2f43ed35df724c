/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plugins/serial/decode.h"
#include "plugins/serial/driver.h"
#include "tests/fuzz/fuzz.h"
#include "tests/plugins/serial/setup.h"

/* Byte 0 chooses a device, byte 1 how much arrives at once; what follows is what it sent. */
#define HEADER 2u
#define POINTS_MAX 4

static const struct fuzz_seed seeds[] = {
	{ "0004", "ST,GS,+00123.4 kg\r\nUS,NT,-00000.1  g\r\n" },
	{ "0101", "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n" },
	{ "0207", "/EMH5X\r\n\0021-0:1.8.0*255(000123.456*kWh)\r\n!\r\n\003\037" },
	{ "0305", "1;2,5;\"a;b\"\n" },
	{ "0401aa0534120102030405", NULL },
	{ "0503", "1.8.0(1*kWh)|2.8.0(2)|x" },
};
const struct fuzz_target fuzz_target = { "serial", seeds, sizeof(seeds) / sizeof(seeds[0]), 0 };

#define POINT(...) { .name = "p", .readable = true, .settings = SETTINGS(__VA_ARGS__) }
#define DEVICE(n, points_, ...) \
	{ .name = "d", .settings = SETTINGS(__VA_ARGS__), .points = points_, .n_points = n }

static const struct fieldway_point scale[] = {
	POINT(TEXT("from", "m.v"), TEXT("unit.from", "m.u"), TEXT("unit.to", "kg"), TEXT("good.m.s", "ST")),
	POINT(TEXT("from", "m.s"), TEXT("type", "string")),
};
static const struct fieldway_point gnss[] = {
	POINT(TEXT("from", "m.lat"), TEXT("from", "m.ns"), TEXT("format", "degrees")),
	POINT(TEXT("from", "m.time"), TEXT("type", "int"), TEXT("format", "time"), TEXT("pattern", "%H%M%S")),
};
static const struct fieldway_point meter[] = {
	POINT(TEXT("from", "data.1.8.0"), TEXT("unit.from", "data.1.8.0.unit"), TEXT("unit.to", "Wh")),
	POINT(TEXT("from", "ident.model"), TEXT("type", "string")),
};
static const struct fieldway_point logger[] = {
	POINT(TEXT("from", "m"), UINT("column", 1), TEXT("type", "int")),
	POINT(TEXT("from", "m.b"), TEXT("format", "comma")),
	POINT(TEXT("from", "m"), UINT("column", 3), TEXT("type", "string")),
};
static const struct fieldway_point binary[] = {
	POINT(TEXT("from", "m"), UINT("at", 2), TEXT("type", "uint32")),
	POINT(TEXT("from", "m"), UINT("at", 1), TEXT("type", "string")),
};
static const struct fieldway_point records[] = {
	POINT(TEXT("from", "m.1.8.0"), TEXT("type", "uint"), TEXT("format", "hex")),
};

#define READ "requests.r.steps."
static const struct fieldway_device devices[] = {
	DEVICE(2, scale, TEXT("frame.end", "\r\n"), UINT("frame.max", 40), TEXT("encoding", "latin-1"),
	       TEXT("messages.m.match", "^(?<s>ST|US),..,(?<v>[-+][0-9.]+) *(?<u>kg|g)$")),
	DEVICE(2, gnss, TEXT("frame.start", "$"), TEXT("frame.end", "\r\n"), TEXT("checksum.kind", "xor"),
	       INT("checksum.first", 1), INT("checksum.last", -6), INT("checksum.at", -4), TEXT("checksum.format", "hex"),
	       TEXT("messages.m.match", "^..GGA,(?<time>[^,]*),(?<lat>[^,]*),(?<ns>.)")),
	DEVICE(2, meter, TEXT("mode", "request"), TEXT("messages.ident.match", "^(?<maker>[A-Z]{3})(?<baud>.)(?<model>.*)$"),
	       TEXT("messages.data.records", "\r\n"), TEXT("messages.data.match", "(?<key>[0-9.]+)(?:\\*\\d+)?\\((?<value>[^*)]*)(?:\\*(?<unit>.*))?\\)"),
	       TEXT(READ "a.send", "/?!"), TEXT(READ "a.expect", "ident"), TEXT(READ "a.frame.start", "/"), TEXT(READ "a.frame.end", "\r\n"),
	       TEXT(READ "b.send", "{ident.baud}"), TEXT(READ "b.expect", "data"), TEXT(READ "b.frame.start", "\x02"),
	       TEXT(READ "b.frame.end", "\x03"), UINT(READ "b.frame.tail", 1), TEXT(READ "b.checksum.kind", "xor"), INT(READ "b.checksum.first", 1)),
	DEVICE(3, logger, TEXT("frame.end", "\n"), TEXT("messages.m.columns.separator", ";"),
	       TEXT("messages.m.columns.names", "a"), TEXT("messages.m.columns.names", "b")),
	DEVICE(2, binary, TEXT("frame.start", "\xaa"), UINT("frame.length.at", 1), INT("frame.length.adds", 6),
	       UINT("frame.max", 64), TEXT("messages.m.checksum.kind", "crc16-modbus")),
	DEVICE(1, records, UINT("frame.idle", 1000), UINT("frame.max", 64), TEXT("messages.m.records", "|"),
	       TEXT("messages.m.match", "(?<key>[0-9.]+)\\((?<value>.*)\\)")),
};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

/* Frames are bounded and lie in each other; reading goes on whatever comes. */
static void cut(const struct frame_spec *spec, const uint8_t *bytes, size_t size, size_t step)
{
	struct framer *f;
	struct frame frame;

	if (!spec->max)
		return;
	require(framer_new(spec, &f) == 0);
	for (size_t at = 0; at < size;) {
		size_t n = framer_push(f, bytes + at, size - at < step ? size - at : step);

		require(n > 0);
		at += n;
		while (framer_next(f, &frame)) {
			require(frame.size > 0 && frame.size <= spec->max);
			require(frame.content >= frame.raw);
			require(frame.content + frame.content_size <= frame.raw + frame.size);
			if (frame.raw[frame.size - 1] & 1)
				framer_reject(f);
		}
	}
	framer_idle(f);
	while (framer_next(f, &frame))
		require(frame.size > 0);
	framer_free(f);
}

static void decode(const struct fieldway_driver *d, const uint8_t *bytes, size_t size)
{
	static const uint32_t wanted[POINTS_MAX] = { 0, 1, 2, 3 };
	struct fieldway_sample samples[POINTS_MAX];
	struct fieldway_plan plan;
	char text[256];

	require(driver_plan(d, wanted, d->n_points, &plan) == 0 && plan.n == 1);
	if (driver_decode(d, &plan.requests[0], bytes, size, samples, text, sizeof(text)) == 0)
		for (size_t i = 0; i < plan.requests[0].n_points; i++)
			if (samples[i].quality == FIELDWAY_GOOD && samples[i].value.type == FIELDWAY_STRING)
				require(samples[i].value.data >= text &&
					samples[i].value.data + samples[i].value.size <= text + sizeof(text));
	driver_plan_free(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fieldway_error error;
	struct fieldway_driver *d;

	if (size < HEADER)
		return 0;
	require(driver_new(NULL, &devices[data[0] % DEVICES], &d, &error) == 0);
	cut(&d->frame, data + HEADER, size - HEADER, data[1] % 32u + 1);
	decode(d, data + HEADER, size - HEADER);
	driver_free(d);
	return 0;
}
