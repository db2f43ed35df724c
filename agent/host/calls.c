/* SPDX-License-Identifier: Apache-2.0 */
#include "host/calls.h"

#include <errno.h>
#include <stdlib.h>

#include "host/device/exchange.h"
#include "host/device/statistics.h"
#include "host/event/events.h"
#include "host/event/ticket.h"
#include "host/line/attempt.h"
#include "host/line/errand.h"
#include "host/line/line.h"
#include "host/line/read.h"
#include "host/line/write.h"
#include "host/setup/explain.h"
#include "link/marshal.h"

static const char no_device[] = "no such device in this generation";

static int on_write(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	uint64_t generation, deadline_usec;
	struct fieldway_value value;
	uint32_t device, point;
	struct device *d;
	int r;

	r = sd_bus_message_read(m, "tuut", &generation, &device, &point, &deadline_usec);
	if (r >= 0)
		r = link_read_value(m, &value);
	if (r < 0)
		return r;
	d = host_find_device(userdata, generation, device);
	if (!d)
		return write_refuse(m, FIELDWAY_NOT_SENT, -ESTALE,
				    no_device);
	if (!d->line) {
		r = ticket_begin(d->bus->events, d, m, point, deadline_usec, &value);
		return r < 0 ? r : 1;
	}
	r = write_begin(d, m, point, deadline_usec, &value);
	line_kick(d->line);
	return r < 0 ? r : 1;
}

/* A device that speaks by itself is asked to; what is known of it until then is the answer. */
static int read_events(struct device *d, sd_bus_message *m, const uint32_t *points, size_t n)
{
	events_read(d->bus->events, d, points, n);
	return read_known(d, m, points, n);
}

static int on_read(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	uint64_t generation, deadline_usec;
	const uint32_t *points;
	uint32_t device;
	const void *array;
	struct device *d;
	size_t size;
	int r;

	r = sd_bus_message_read(m, "tu", &generation, &device);
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'u', &array, &size);
	if (r >= 0)
		r = sd_bus_message_read(m, "t", &deadline_usec);
	if (r < 0)
		return r;
	points = array;
	d = host_find_device(userdata, generation, device);
	if (!d)
		return read_refuse(m, -ESTALE, no_device);
	if (!d->line)
		return read_events(d, m, points, size / sizeof(*points));
	r = read_begin(d, m, points, size / sizeof(*points), deadline_usec);
	line_kick(d->line);
	return r < 0 ? r : 1;
}

static int on_statistics(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	uint64_t generation;
	struct device *d;
	uint32_t device;
	int r;

	r = sd_bus_message_read(m, "tu", &generation, &device);
	if (r < 0)
		return r;
	d = host_find_device(userdata, generation, device);
	if (!d)
		return sd_bus_error_set_errnof(error, -ESTALE, "%s", no_device);
	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = statistics_append(reply, d);
	if (r >= 0)
		r = sd_bus_message_send(reply);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}

static int on_exchange(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	sd_bus_message *reply = NULL;
	uint32_t device, point;
	uint64_t generation;
	struct device *d;
	int r;

	r = sd_bus_message_read(m, "tuu", &generation, &device, &point);
	if (r < 0)
		return r;
	d = host_find_device(userdata, generation, device);
	if (!d)
		return sd_bus_error_set_errnof(error, -ESTALE, "%s", no_device);
	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = exchange_append(reply, d, point);
	if (r >= 0)
		r = sd_bus_message_send(reply);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}

static int reply_refused(sd_bus_message *m, const struct refusals *refusals)
{
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(m, &reply);

	if (r >= 0)
		r = link_append_refusals(reply, refusals->items, refusals->n);
	if (r >= 0)
		r = sd_bus_message_append(reply, LINK_TYPE_READING, -EINVAL, refusals->items[0].text, 0);
	if (r >= 0)
		r = sd_bus_message_send(reply);
	sd_bus_message_unref(reply);
	return r;
}

DEFINE_FREEP(struct setup *, setup_free)

static int on_attempt(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(refusals_done) struct refusals refusals = { 0 };
	_cleanup_(setup_freep) struct setup *s = NULL;
	struct host *h = userdata;
	uint64_t deadline_usec;
	struct host_bus *b;
	int known, r;

	r = host_read_setup(h, m, SETUP_BUS, &refusals, &s);
	if (r == -EINVAL)
		r = reply_refused(m, &refusals);
	else if (r >= 0)
		r = sd_bus_message_read(m, "tb", &deadline_usec, &known);
	if (r < 0 || !s)
		return r < 0 ? r : 1;
	if (s->n_devices != 1)
		return sd_bus_error_set_errnof(error, -EINVAL, "an attempt is made at one device");
	b = host_find_bus(h, s->bus.name);
	if (known && !(b && errand_find_line(b, s->devices[0].line)))
		return sd_bus_error_set_errno(error, -EXDEV);
	r = attempt_begin(host_attempts(h), b, TAKE_PTR(s), m, deadline_usec);
	return r < 0 ? r : 1;
}

static int on_explain(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(refusals_done) struct refusals refusals = { 0 }, notes = { 0 };
	_cleanup_(setup_freep) struct setup *s = NULL;
	sd_bus_message *reply = NULL;
	int r;

	r = host_read_setup(userdata, m, SETUP_BUS, &refusals, &s);
	if (r < 0 && r != -EINVAL)
		return r;
	r = explain_notes(s, &notes);
	if (r >= 0)
		r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = link_append_refusals(reply, refusals.items, refusals.n);
	if (r >= 0)
		r = explain_append(reply, s);
	if (r >= 0)
		r = link_append_refusals(reply, notes.items, notes.n);
	return reply_end(reply, r);
}

const sd_bus_vtable calls_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Write", LINK_TYPE_WRITE, LINK_TYPE_OUTCOME, on_write,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Read", LINK_TYPE_READ, LINK_TYPE_READING, on_read, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Statistics", "tu", LINK_TYPE_STATISTICS, on_statistics,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Exchange", "tuu", LINK_TYPE_EXCHANGE, on_exchange, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Attempt", LINK_TYPE_CONFIGURE "tb", LINK_TYPE_REFUSALS LINK_TYPE_READING, on_attempt,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Explain", LINK_TYPE_CONFIGURE,
		      LINK_TYPE_REFUSALS LINK_TYPE_EXPLANATIONS LINK_TYPE_REFUSALS, on_explain,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};
