/* SPDX-License-Identifier: Apache-2.0 */
#include "host/calls.h"

#include <errno.h>
#include <stdlib.h>

#include "host/events.h"
#include "host/line.h"
#include "host/read.h"
#include "host/statistics.h"
#include "link/marshal.h"

static const char no_device[] = "no such device in this generation";

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

const sd_bus_vtable calls_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Read", LINK_TYPE_READ, LINK_TYPE_READING, on_read, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Statistics", "tu", LINK_TYPE_STATISTICS, on_statistics,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};
