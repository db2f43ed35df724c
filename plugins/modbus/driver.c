/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "plugins/lib/lookup.h"
#include "point.h"
#include "secure.h"
#include "plugins/lib/settings.h"

/* Serial Line V1.02, 2.2: units 1 to 247, 0 is broadcast; over TCP 0 and 255 mean the device itself. */
#define LAST_UNIT 247u
#define TCP_UNIT 255u

int driver_bus_check(const struct fieldway_bus *bus, struct fieldway_error *error)
{
	struct bus b;
	int r = bus_compile(bus, &b, error);

	return r >= 0 && b.secure ? secure_check(&b.tls, error) : r;
}

/*
 * Serial Line V1.02, 2.1: requests to unit 0 are for everybody, and nobody answers.
 * Over TCP unit 0 means the device itself, unless it is said to be a broadcast.
 */
static int compile_broadcast(struct fieldway_driver *d, const struct fieldway_settings *s,
			     struct fieldway_error *error)
{
	const struct fieldway_value *v = setting_find(s, "broadcast");
	bool said = v && v->boolean;

	if (said && d->unit != 0)
		return setting_refuse(error, "broadcast", "only unit 0 is a broadcast");
	d->broadcast = d->unit == 0 && (d->bus.framing != FRAMING_MBAP || said);
	d->sent_is_accepted = said;
	return 0;
}

static int compile_unit(struct fieldway_driver *d, const struct fieldway_settings *s,
			struct fieldway_error *error)
{
	uint64_t unit = setting_uint(s, "unit", UNITS);

	if (!setting_has(s, "unit"))
		return setting_refuse(error, "unit", "the address needs a unit");
	if (unit > LAST_UNIT && (d->bus.framing != FRAMING_MBAP || unit != TCP_UNIT))
		return setting_refuse(error, "unit", d->bus.framing != FRAMING_MBAP ?
							     "a serial unit is 1 to 247" :
							     "a unit is 0 to 247, or 255");
	d->unit = (uint8_t)unit;
	return compile_broadcast(d, s, error);
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

/* A number of registers or coils that one request may have, most by default. */
static int take_limit(const struct fieldway_settings *s, const char *key, uint32_t most, uint32_t usual,
		      uint32_t *ret, struct fieldway_error *error)
{
	uint64_t limit = setting_uint(s, key, usual);

	if (limit < 1 || limit > most)
		return setting_refuse(error, key, "a request has 1 to %u of them", most);
	*ret = (uint32_t)limit;
	return 0;
}

static int compile_limits(struct fieldway_driver *d, const struct fieldway_bus *bus,
			  const struct fieldway_settings *s, struct fieldway_error *error)
{
	struct plan_limits *l = &d->limits;
	uint64_t gap = setting_uint(s, "max_gap", 0);
	int r;

	r = take_limit(s, "max_registers", MAX_READ_REGISTERS, MAX_READ_REGISTERS, &l->max_registers, error);
	if (r >= 0)
		r = take_limit(s, "max_coils", MAX_READ_BITS, l->max_registers * BITS_PER_REGISTER, &l->max_coils,
			       error);
	if (r < 0)
		return r;
	if (gap > MAX_READ_BITS)
		return setting_refuse(error, "max_gap", "a gap is at most %u addresses", MAX_READ_BITS);
	l->max_gap = (uint32_t)gap;
	l->bus = bus ? &d->bus : NULL;
	l->wishes = &d->wishes;
	return 0;
}

static int compile_base(struct fieldway_driver *d, const struct fieldway_settings *s,
			struct point_rules *rules, struct fieldway_error *error)
{
	int base = setting_choice(s, "address_base", address_base_names, ADDRESS_BASE_0);
	uint32_t writes = 0;
	int r;

	if (base < 0)
		return setting_refuse(error, "address_base", "addresses count from 0, from 1, or are modicon");
	r = base_compile(s, &d->base, error);
	if (r >= 0)
		r = take_limit(s, "max_write_registers", MAX_WRITE_REGISTERS, MAX_WRITE_REGISTERS, &writes, error);
	if (r < 0)
		return r;
	*rules = (struct point_rules){
		.address_base = (enum address_base)base,
		.offset = d->base.offset,
		.has_models = d->base.find,
		.max_write_registers = (uint16_t)writes,
	};
	if (!d->base.find)
		return 0;
	d->walk = calloc(1, sizeof(*d->walk));
	return d->walk ? 0 : -ENOMEM;
}

static int check_broadcast(const struct fieldway_driver *d, const struct point *p, struct fieldway_error *error)
{
	if (!d->broadcast)
		return 0;
	if (p->readable)
		return setting_refuse(error, "unit", "unit 0 is everybody, and nobody answers: access is w only");
	if (p->model || point_is_merged(p) || p->write.function == FUNCTION_WRITE_AND_READ)
		return setting_refuse(error, "unit", "writing this point means reading, and unit 0 does not answer");
	return 0;
}

static int compile_point(struct fieldway_driver *d, const struct fieldway_point *from,
			 const struct point_rules *rules, struct point *p, struct fieldway_error *error)
{
	int r = point_compile(from, rules, p, error);

	if (r >= 0 && p->model) {
		r = wishes_add(&d->wishes, &from->settings, error);
		if (r > 0)
			p->model = (uint8_t)r;
	}
	if (r >= 0)
		r = check_broadcast(d, p, error);
	if (r >= 0 && p->readable && p->count > plan_area_limit(&d->limits, p->area))
		r = setting_refuse(error, "max_registers", "the point has %u registers, a request at most %u",
				   p->count, d->limits.max_registers);
	return r < 0 ? r : 0;
}

static int compile_points(struct fieldway_driver *d, struct fieldway_error *error)
{
	struct point_rules rules = { 0 };
	int r = compile_base(d, &d->device->settings, &rules, error);

	for (size_t i = 0; r >= 0 && i < d->device->n_points; i++) {
		r = compile_point(d, &d->device->points[i], &rules, &d->points[i], error);
		if (r < 0)
			error->point = (int)i;
	}
	return r;
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
	d->device = device;
	d->n_points = device->n_points;
	r = compile_address(d, bus, device, error);
	if (r >= 0)
		r = compile_limits(d, bus, &device->settings, error);
	if (r >= 0)
		r = compile_points(d, error);
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
	wishes_done(&d->wishes);
	free(d->walk);
	free(d->host);
	free(d);
}

/* Names of hosts are one in whichever case: RFC 4343. */
static void make_lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

int driver_line_name(const struct fieldway_driver *d, char *ret, size_t size)
{
	bool colon;
	int n;

	if (d->bus.serial) {
		n = snprintf(ret, size, "%s", d->bus.line.device);
	} else {
		colon = strchr(d->host, ':') != NULL;
		n = snprintf(ret, size, "%s%s%s:%u/%u", colon ? "[" : "", d->host, colon ? "]" : "", d->port,
			     d->connection);
		if (n >= 0)
			make_lower(ret);
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
	uint8_t bytes[MAX_ANSWER_BYTES];
	ssize_t n;

	*error = (struct fieldway_error){ .point = (int)point };
	if (point >= d->n_points || !d->points[point].writable) {
		setting_refuse(error, NULL, "the point cannot be written");
		error->point = (int)point;
		return -EINVAL;
	}
	n = layout_encode(&d->points[point].layout, value, bytes, sizeof(bytes), error);
	return n < 0 ? (int)n : 0;
}
