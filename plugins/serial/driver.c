/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/lib/lookup.h"
#include "plugins/lib/settings.h"
#include "spec.h"
#include "escape.h"

#define ID_MAX 64u
/* Of raw requests: so long a silence ends an answer. */
#define RAW_IDLE_USEC UINT64_C(100000)
#define RAW_MAX 4096u

static const char *const mode_names[] = { "stream", "request", NULL };
static const char *const encoding_names[] = { "utf-8", "latin-1", NULL };

int driver_bus_check(const struct fieldway_bus *bus, struct fieldway_error *error)
{
	struct bus b;

	return bus_compile(bus, &b, error);
}

static int compile_id(struct fieldway_driver *d, struct fieldway_error *error)
{
	d->id = spec_text(d->settings, "", "id");
	for (size_t i = 0; i < d->id.size; i++)
		if (d->id.size > ID_MAX || (uint8_t)d->id.data[i] < 0x20)
			return setting_refuse(error, "id", "an address is up to %u printable characters", ID_MAX);
	return 0;
}

static int compile_modes(struct fieldway_driver *d, struct fieldway_error *error)
{
	int mode = setting_choice(d->settings, "mode", mode_names, 0);
	int encoding = setting_choice(d->settings, "encoding", encoding_names, 0);

	if (mode < 0)
		return setting_refuse(error, "mode", "mode is stream or request");
	if (encoding < 0)
		return setting_refuse(error, "encoding", "encoding is utf-8 or latin-1");
	d->stream = mode == 0;
	d->latin1 = encoding == 1;
	return 0;
}

static int compile_hello(struct fieldway_driver *d, struct fieldway_error *error)
{
	struct slice hello = spec_text(d->settings, "", "hello");
	char why[160] = "";
	int r;

	if (!hello.data)
		return 0;
	r = template_new(hello, &d->checksum, &d->hello, why, sizeof(why));
	if (r == -EINVAL)
		return setting_refuse(error, "hello", "%s", why);
	if (r >= 0 && (template_has_value(d->hello) || template_name(d->hello, 0).data))
		return setting_refuse(error, "hello", "nothing is known yet that could be put in");
	return r;
}

/* Steps may have frames of their own; what streams may not. */
static int compile_frame(struct fieldway_driver *d, struct fieldway_error *error)
{
	int r = spec_checksum(d->settings, "", NULL, &d->checksum, error);

	if (r < 0 || (!d->stream && !spec_has(d->settings, "frame.")))
		return r;
	return spec_frame(d->settings, "", NULL, &d->frame, error);
}

/* Nothing but an address, for raw requests: all that comes until the line is silent answers. */
static bool is_raw(const struct fieldway_driver *d, const struct fieldway_device *device)
{
	return device->n_points == 0 && !spec_has(d->settings, "frame.") && !spec_has(d->settings, "messages.") &&
	       !spec_has(d->settings, "requests.");
}

static int compile_profile(struct fieldway_driver *d, const struct fieldway_device *device,
			   struct fieldway_error *error)
{
	int r = compile_id(d, error);

	if (r >= 0 && is_raw(d, device)) {
		d->frame = (struct frame_spec){ .idle_usec = RAW_IDLE_USEC, .max = RAW_MAX };
		return 0;
	}
	if (r >= 0)
		r = compile_modes(d, error);
	if (r >= 0)
		r = compile_frame(d, error);
	if (r >= 0)
		r = compile_hello(d, error);
	if (r >= 0)
		r = messages_compile(d, error);
	if (r >= 0)
		r = requests_compile(d, error);
	if (r < 0)
		return r;
	if (d->stream && d->n_requests)
		return setting_refuse(error, "mode", "requests are made in mode: request");
	if (!d->frame.max && !d->n_requests)
		return setting_refuse(error, "mode", "the profile has neither frame nor requests");
	return 0;
}

/* ---- points ---- */

/* The request that gets the message, the first one of several. */
static uint32_t find_request(const struct fieldway_driver *d, const struct message *m)
{
	for (uint32_t i = 0; i < d->n_requests; i++)
		for (size_t k = 0; k < d->requests[i].n_steps; k++)
			if (d->requests[i].steps[k].expect == m)
				return i;
	return REQUESTS_MAX;
}

/* `from: request` means what its last step gets. */
static const struct message *request_message(const struct fieldway_driver *d, struct slice name)
{
	for (size_t i = 0; i < d->n_requests; i++) {
		const struct request *r = &d->requests[i];

		if (slice_equals(name, r->name.data, r->name.size) && r->n_steps)
			return r->steps[r->n_steps - 1].expect;
	}
	return NULL;
}

static bool is_known(const struct point *p, const struct message *m)
{
	for (size_t i = 0; i < p->n_fields; i++)
		if (!message_has(m, p->fields[i]))
			return false;
	return !p->unit_field.data || message_has(m, p->unit_field);
}

static int check_fields(const struct point *p, const struct message *m, struct fieldway_error *error)
{
	const struct fieldway_settings *s = p->settings;

	if (!is_known(p, m))
		return setting_refuse(error, "from", "message %.*s has no such field", (int)p->group.size, p->group.data);
	if (p->is_layout && m->size && p->at + p->layout.size > m->size)
		return setting_refuse(error, "at", "message %.*s has %u bytes only", (int)p->group.size, p->group.data, m->size);
	if (p->column && !m->columns)
		return setting_refuse(error, "column", "message %.*s has no columns", (int)p->group.size, p->group.data);
	for (size_t i = 0; i < s->n; i++) {
		const char *field = s->items[i].key + 5 + p->group.size + 1;

		if (strncmp(s->items[i].key, "good.", 5) == 0 &&
		    !message_has(m, (struct slice){ field, strlen(field) }))
			return setting_refuse(error, s->items[i].key, "the message has no field %s", field);
	}
	return 0;
}

static int compile_route(const struct fieldway_driver *d, const struct point *p, struct route *ret,
			 struct fieldway_error *error)
{
	const struct message *m;

	if (!p->n_fields)
		return 0;
	m = messages_find(d, p->group);
	if (!m)
		m = request_message(d, p->group);
	if (!m)
		return setting_refuse(error, "from", "there is no message %.*s", (int)p->group.size, p->group.data);
	*ret = (struct route){ .message = m, .request = find_request(d, m) };
	if (!d->stream && ret->request == REQUESTS_MAX)
		return setting_refuse(error, "from", "no request gets message %.*s", (int)p->group.size, p->group.data);
	if (p->is_layout && d->latin1)
		return setting_refuse(error, "at", "bytes and encoding: latin-1 do not go together");
	return check_fields(p, m, error);
}

static int compile_point(struct fieldway_driver *d, const struct fieldway_point *from, size_t i,
			 struct fieldway_error *error)
{
	int r = point_compile(from, &d->checksum, &d->points[i], error);

	if (r >= 0)
		r = compile_route(d, &d->points[i], &d->routes[i], error);
	if (r >= 0 && from->writable && !d->frame.max && d->points[i].expect.data)
		return setting_refuse(error, "expect", "the profile has no frame: how does an answer end?");
	return r < 0 ? r : write_compile(d, &d->points[i], &d->writes[i], error);
}

/* Where devices speak by themselves there is no moment at which the line is ours. */
static int check_direction(const struct fieldway_driver *d, struct fieldway_error *error)
{
	bool sends = d->hello != NULL;

	for (size_t i = 0; i < d->n_points; i++)
		sends |= d->points[i].writable;
	if (d->stream && sends && (d->bus.rs485.mode == RS485_RTS || d->bus.rs485.echo))
		return setting_refuse(error, "mode", "a bus with rs485: rts or echo: true is written to by devices in "
						     "mode: request only");
	return 0;
}

static int compile_points(struct fieldway_driver *d, const struct fieldway_device *device,
			  struct fieldway_error *error)
{
	d->points = calloc(device->n_points + 1, sizeof(*d->points));
	d->routes = calloc(device->n_points + 1, sizeof(*d->routes));
	d->writes = calloc(device->n_points + 1, sizeof(*d->writes));
	if (!d->points || !d->routes || !d->writes)
		return -ENOMEM;
	d->n_points = device->n_points;
	for (size_t i = 0; i < device->n_points; i++) {
		int r = compile_point(d, &device->points[i], i, error);

		if (r < 0) {
			error->point = (int)i;
			return r;
		}
	}
	return 0;
}

int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device,
	       struct fieldway_driver **ret, struct fieldway_error *error)
{
	struct fieldway_driver *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->settings = &device->settings;
	r = bus ? bus_compile(bus, &d->bus, error) : 0;
	if (r >= 0 && d->bus.tcp)
		r = lookup_new(d->bus.host, d->bus.port, &d->lookup);
	if (r >= 0)
		r = compile_profile(d, device, error);
	if (r >= 0)
		r = compile_points(d, device, error);
	if (r >= 0)
		r = check_direction(d, error);
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
	for (size_t i = 0; i < d->n_points; i++) {
		d->writes[i].send = NULL; /* the point's */
		step_done(&d->writes[i]);
		point_done(&d->points[i]);
	}
	for (size_t i = 0; i < d->n_requests; i++)
		for (size_t k = 0; k < d->requests[i].n_steps; k++)
			step_done(&d->requests[i].steps[k]);
	for (size_t i = 0; i < d->n_messages; i++) {
		message_done(d->messages[i]);
		free(d->messages[i]);
	}
	template_free(d->hello);
	lookup_unref(d->lookup);
	free(d->points);
	free(d->routes);
	free(d->writes);
	free(d->requests);
	free(d->messages);
	free(d);
}

int driver_line_name(const struct fieldway_driver *driver, char *ret, size_t size)
{
	int n = snprintf(ret, size, "%s", driver->bus.name);

	return n >= 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

enum fieldway_io driver_io(const struct fieldway_driver *driver)
{
	return driver->stream ? FIELDWAY_IO_EVENTS : FIELDWAY_IO_POLLED;
}

int driver_write_check(const struct fieldway_driver *driver, uint32_t point,
		       const struct fieldway_value *value, struct fieldway_error *error)
{
	const struct point *p = &driver->points[point];
	struct fieldway_value encoded;
	/* Answers are not known yet, and no template of a write has any. */
	struct template_fill fill = { .value = &encoded, .comma = p->format == FORMAT_COMMA,
				      .end = &driver->frame.end, .find = driver_text, .userdata = driver };
	uint8_t bytes[TEMPLATE_BYTES_MAX];
	char why[160] = "";
	size_t size;
	int r;

	if (!p->writable)
		return setting_refuse(error, NULL, "the point is not written");
	r = point_encode(p, value, &encoded, why, sizeof(why));
	if (r >= 0)
		r = template_fill(p->send, &fill, bytes, sizeof(bytes), &size, why, sizeof(why));
	return r < 0 ? setting_refuse(error, NULL, "%s", why[0] ? why : "too long") : 0;
}

struct slice driver_text(const void *driver, struct slice name)
{
	const struct fieldway_driver *d = driver;

	return slice_equals(name, "id", 2) ? d->id : (struct slice){ 0 };
}
