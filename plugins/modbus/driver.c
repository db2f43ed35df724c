/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "lookup.h"
#include "point.h"
#include "plugins/lib/settings.h"

/* Serial Line V1.02, 2.2: units 1 to 247, 0 is broadcast; over TCP 0 and 255 mean the device itself. */
#define LAST_UNIT 247u
#define TCP_UNIT 255u

int driver_bus_check(const struct fieldway_bus *bus, struct fieldway_error *error)
{
	struct bus b;

	return bus_compile(bus, &b, error);
}

static int compile_unit(struct fieldway_driver *d, const struct fieldway_settings *s,
			struct fieldway_error *error)
{
	uint64_t unit = setting_uint(s, "unit", UNITS);

	if (!setting_has(s, "unit"))
		return setting_refuse(error, "unit", "the address needs a unit");
	if (unit > LAST_UNIT && (d->bus.serial || unit != TCP_UNIT))
		return setting_refuse(error, "unit", d->bus.serial ? "a serial unit is 1 to 247" :
								     "a unit is 0 to 247, or 255");
	if (unit == 0 && d->bus.serial)
		return setting_refuse(error, "unit", "unit 0 is everybody on a serial line, and nobody answers");
	d->unit = (uint8_t)unit;
	return 0;
}

static int compile_host(struct fieldway_driver *d, const struct fieldway_settings *s,
			struct fieldway_error *error)
{
	const struct fieldway_value *host = setting_find(s, "host");
	uint64_t port = setting_uint(s, "port", d->bus.port);

	if (d->bus.serial) {
		if (host || setting_has(s, "port"))
			return setting_refuse(error, host ? "host" : "port", "the bus is a serial line");
		return 0;
	}
	if (!host || host->size == 0)
		return setting_refuse(error, "host", "the address needs a host");
	if (port < 1 || port > UINT16_MAX)
		return setting_refuse(error, "port", "a port is 1 to %d", UINT16_MAX);
	d->port = (uint16_t)port;
	d->connection = d->unit % d->bus.connections;
	d->host = setting_text(s, "host");
	return d->host ? lookup_new(d->host, d->port, &d->lookup) : -ENOMEM;
}

static int compile_limits(struct fieldway_driver *d, const struct fieldway_settings *s,
			  struct fieldway_error *error)
{
	uint64_t gap = setting_uint(s, "max_gap", 0);
	uint64_t registers = setting_uint(s, "max_registers", MAX_READ_REGISTERS);

	if (registers < 1 || registers > MAX_READ_REGISTERS)
		return setting_refuse(error, "max_registers", "1 to %u registers", MAX_READ_REGISTERS);
	if (gap > MAX_READ_BITS)
		return setting_refuse(error, "max_gap", "a gap is at most %u addresses", MAX_READ_BITS);
	d->limits = (struct plan_limits){
		.max_gap = (uint32_t)gap,
		.max_registers = (uint32_t)registers,
		.serial = d->bus.serial,
	};
	return 0;
}

static int compile_points(struct fieldway_driver *d, const struct fieldway_device *device,
			  struct fieldway_error *error)
{
	for (size_t i = 0; i < device->n_points; i++) {
		struct point *p = &d->points[i];
		int r = point_compile(&device->points[i], p, error);

		if (r >= 0 && p->readable && p->count > plan_area_limit(&d->limits, p->area))
			r = setting_refuse(error, "max_registers",
					   "the point has %u registers, a request at most %u", p->count,
					   d->limits.max_registers);
		if (r < 0) {
			error->point = (int)i;
			return r;
		}
	}
	return 0;
}

/* Where the device is reached; a device for samples is nowhere. */
static int compile_address(struct fieldway_driver *d, const struct fieldway_bus *bus,
			   const struct fieldway_device *device, struct fieldway_error *error)
{
	int r;

	if (!bus)
		return 0;
	r = bus_compile(bus, &d->bus, error);
	if (r >= 0)
		r = compile_unit(d, &device->settings, error);
	return r < 0 ? r : compile_host(d, &device->settings, error);
}

int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device,
	       struct fieldway_driver **ret, struct fieldway_error *error)
{
	struct fieldway_driver *d;
	int r;

	d = calloc(1, sizeof(*d) + device->n_points * sizeof(d->points[0]));
	if (!d)
		return -ENOMEM;
	d->n_points = device->n_points;
	r = compile_address(d, bus, device, error);
	if (r >= 0)
		r = compile_limits(d, &device->settings, error);
	if (r >= 0)
		r = compile_points(d, device, error);
	if (r < 0) {
		driver_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

void driver_free(struct fieldway_driver *d)
{
	if (!d)
		return;
	lookup_unref(d->lookup);
	free(d->host);
	free(d);
}

int driver_line_name(const struct fieldway_driver *d, char *ret, size_t size)
{
	bool colon;
	int n;

	if (d->bus.serial) {
		n = snprintf(ret, size, "%s", d->bus.device);
	} else {
		colon = strchr(d->host, ':') != NULL;
		n = snprintf(ret, size, "%s%s%s:%u/%u", colon ? "[" : "", d->host, colon ? "]" : "", d->port,
			     d->connection);
	}
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int driver_plan(const struct fieldway_driver *d, const uint32_t *points, size_t n_points,
		struct fieldway_plan *ret)
{
	return plan_build(d->points, d->n_points, &d->limits, points, n_points, ret);
}

int driver_decode(const struct fieldway_driver *d, const struct fieldway_request *request,
		  const void *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size)
{
	return answer_decode(d->points, request, bytes, size, samples, text, text_size);
}

int driver_write_check(const struct fieldway_driver *d, uint32_t point,
		       const struct fieldway_value *value, struct fieldway_error *error)
{
	uint16_t registers[MAX_READ_REGISTERS];

	*error = (struct fieldway_error){ .point = (int)point };
	if (point >= d->n_points || !d->points[point].writable) {
		setting_refuse(error, NULL, "the point cannot be written");
		error->point = (int)point;
		return -EINVAL;
	}
	return value_encode(&d->points[point], value, registers, error);
}

/* -1: there is no such cell. */
static int32_t find_cell(const struct fieldway_cell *cells, size_t n, enum area area, uint32_t address)
{
	for (size_t i = 0; i < n; i++)
		if (cells[i].address == address && strcmp(cells[i].area, area_names[area]) == 0)
			return cells[i].value;
	return -1;
}

static bool span_address_wanted(const struct fieldway_driver *d, const struct fieldway_request *request,
				uint32_t address)
{
	for (size_t i = 0; i < request->n_points; i++) {
		const struct point *p = &d->points[request->points[i]];

		if (address >= p->address && address < (uint32_t)p->address + p->count)
			return true;
	}
	return false;
}

ssize_t driver_answer(const struct fieldway_driver *d, const struct fieldway_request *request,
		      const struct fieldway_cell *cells, size_t n_cells, void *ret_bytes, size_t size)
{
	struct span span = request_span(request);
	uint8_t *bytes = ret_bytes;

	if (size < span_bytes(&span))
		return -ENOBUFS;
	memset(bytes, 0, span_bytes(&span));
	for (uint32_t i = 0; i < span.count; i++) {
		int32_t cell = find_cell(cells, n_cells, span.area, span.address + i);

		if (cell < 0 && span_address_wanted(d, request, span.address + i))
			return -ENODATA;
		if (cell < 0)
			continue;
		if (area_has_bits(span.area)) {
			bytes[i / 8] |= (uint8_t)((cell != 0) << i % 8);
		} else {
			bytes[2 * i] = (uint8_t)(cell >> 8);
			bytes[2 * i + 1] = (uint8_t)cell;
		}
	}
	return (ssize_t)span_bytes(&span);
}
