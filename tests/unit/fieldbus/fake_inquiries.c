/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "base/str.h"
#include "tests/unit/fieldbus/fake_host.h"

/*
 * What fake_host answers when it is asked. A read of one point: 0 is answered,
 * 1 is not, 2 not as it should be; of two points is the end of the host; of
 * three an exception.
 */

static void reply(sd_bus_message *m)
{
	fake_must(sd_bus_message_send(m));
	sd_bus_message_unref(m);
}

static void append_reading(sd_bus_message *r, int error, const char *text, uint32_t point)
{
	const struct fieldway_sample s = { .point = point,
					   .boottime_usec = 77,
					   .value = { .type = FIELDWAY_FLOAT, .real = 230.2 } };

	fake_must(sd_bus_message_append(r, "is", error, text));
	fake_must(sd_bus_message_open_container(r, 'a', LINK_TYPE_SAMPLE));
	fake_must(link_append_sample(r, &s));
	fake_must(sd_bus_message_close_container(r));
}

static void reply_reading(sd_bus_message *m, int error, const char *text, uint32_t point)
{
	sd_bus_message *r;

	fake_must(sd_bus_message_new_method_return(m, &r));
	append_reading(r, error, text, point);
	reply(r);
}

void fake_read(struct fake *f, sd_bus_message *m)
{
	uint64_t generation, deadline;
	const uint32_t *points;
	const void *array;
	uint32_t device;
	char text[64];
	size_t size;

	fake_must(sd_bus_message_read(m, "tu", &generation, &device));
	fake_must(sd_bus_message_read_array(m, 'u', &array, &size));
	fake_must(sd_bus_message_read(m, "t", &deadline));
	fake_must(generation == f->generation ? 0 : -EINVAL);
	points = array;
	if (size == 2 * sizeof(*points))
		raise(SIGKILL);
	snprintf(text, sizeof(text), "%" PRIu64, deadline);
	if (size == 3 * sizeof(*points))
		reply_reading(m, -ENXIO, "bus x: device y: input 1: exception 2", points[0]);
	else if (points[0] == 0)
		reply_reading(m, 0, text, 0);
	else if (points[0] == 2)
		reply_reading(m, 0, "", 1000);
}

static void append_statistics(sd_bus_message *r, uint32_t device)
{
	const struct link_request_statistics request = { "input 0", 1000, 2000, 30, 4, 3, 1, 50, 60, 70 };
	const struct link_point_statistics points[] = {
		{ 0, 1, 2, 3, 4, 5, -ENXIO, "exception 2" },
		{ device == 1 ? 1000 : 1, 0, 0, 0, 0, 0, 0, "" },
	};

	fake_must(link_append_request_statistics(r, &request, 1));
	fake_must(link_append_point_statistics(r, points, 2));
}

/* Of device 1 not as they should be, of 2 none. */
void fake_statistics(sd_bus_message *m)
{
	uint64_t generation;
	sd_bus_message *r;
	uint32_t device;

	fake_must(sd_bus_message_read(m, "tu", &generation, &device));
	if (device == 2) {
		fake_must(sd_bus_reply_method_errnof(m, ESTALE, "no such device"));
		return;
	}
	fake_must(sd_bus_message_new_method_return(m, &r));
	append_statistics(r, device);
	reply(r);
}

/* The line of "far" is not the first host's, that of "nowhere" nobody's. */
static bool has_line(const struct fake *f, const char *device)
{
	return !streq(device, "nowhere") && (f->first > 0 || !streq(device, "far"));
}

/* Refuses a device that has any setting as its address. */
void fake_attempt(const struct fake *f, sd_bus_message *m)
{
	const struct link_refusal refusal = { 0, -1, "", "the address is bad" };
	struct link_configuration *c;
	sd_bus_message *r;
	uint64_t deadline;
	size_t n_refused;
	char text[128];
	int known;

	fake_must(link_read_configuration(m, &c));
	fake_must(sd_bus_message_read(m, "tb", &deadline, &known));
	fake_must(c->n_devices == 1 ? 0 : -EINVAL);
	n_refused = c->devices[0].address.n;
	if (known && !has_line(f, c->devices[0].name)) {
		fake_must(sd_bus_reply_method_errno(m, EXDEV, NULL));
		link_configuration_free(c);
		return;
	}
	snprintf(text, sizeof(text), "%s on %s", c->devices[0].name, c->bus.name);
	fake_must(sd_bus_message_new_method_return(m, &r));
	fake_must(link_append_refusals(r, &refusal, n_refused));
	append_reading(r, n_refused ? -EINVAL : 0, text, f->first > 0 && streq(c->devices[0].name, "far") ? 0 : 1);
	reply(r);
	link_configuration_free(c);
}
