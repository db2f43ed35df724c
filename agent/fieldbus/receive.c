/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <systemd/sd-bus.h>

#include "fieldbus/internal.h"
#include "link/marshal.h"

/* A host that does not read its answers while it sends must not fill this process's memory. */
#define HOST_QUEUE_MAX (LINK_CREDIT + 2 * FIELDBUS_WRITES_MAX + FIELDBUS_INQUIRIES_MAX)

/* State and Found between two ticks: what a scan finds, and devices that come and go. */
#define HOST_TOLD_MAX 10000u
#define HOST_TOLD_OF_A_DEVICE_MAX 10u

/* Of this process: what it said before it heard of a reload is as good as ever. */
static bool is_current(const struct host *h, uint64_t generation)
{
	return generation >= h->first_generation && generation <= h->generation;
}

/* ---- Values ---- */

struct values {
	struct host *host;
	uint64_t generation;
	bool malformed;
};

static bool points_exist(const struct fieldbus *f, uint32_t device, const struct fieldway_sample *samples,
			 size_t n)
{
	size_t n_points = f->config->devices[device].type->n_points;

	for (size_t i = 0; i < n; i++)
		if (samples[i].point >= n_points)
			return false;
	return true;
}

static void take_values(void *userdata, uint32_t id, const struct link_counters *counters,
			const struct fieldway_sample *samples, size_t n)
{
	struct values *v = userdata;
	struct fieldbus *f = v->host->fieldbus;
	uint32_t device = NO_DEVICE;
	struct device *d = host_device(v->host, id, &device);

	/* Devices may be others in another generation: nothing is said against an old one. */
	if (!is_current(v->host, v->generation)) {
		if (d)
			d->stale_dropped += n;
		return;
	}
	if (!d && host_had_device(v->host, id))
		return;
	if (!d || !points_exist(f, device, samples, n)) {
		v->malformed = true;
		return;
	}
	d->heard = true;
	d->now = *counters;
	if (n > 0 && f->ops.values)
		f->ops.values(f->userdata, device, samples, n);
}

static void receive_values(struct host *h, sd_bus_message *m)
{
	struct values v = { .host = h };
	uint64_t queued = 0;
	int r;

	r = link_read_values(m, &v.generation, take_values, &v);
	/* Any answer is the host's credit for the next batch. */
	if (r == -ENOMEM) {
		sd_bus_reply_method_errno(m, r, NULL);
		return;
	}
	if (r < 0 || v.malformed) {
		host_give_up(h, "sent malformed Values");
		return;
	}
	sd_bus_reply_method_return(m, NULL);
	sd_bus_get_n_queued_write(h->link, &queued);
	if (queued > HOST_QUEUE_MAX)
		host_give_up(h, "sent Values beyond its credit");
}

/* ---- State ---- */

struct state {
	uint64_t generation;
	uint32_t device;
	uint8_t state;
	const char *reason;
	struct link_counters counters;
};

static int read_state(sd_bus_message *m, struct state *s)
{
	int r = sd_bus_message_read(m, LINK_TYPE_STATE, &s->generation, &s->device, &s->state, &s->reason,
				    &s->counters.requests, &s->counters.errors, &s->counters.timeouts,
				    &s->counters.conflated);

	return r <= 0 || s->state > LINK_FAILED ? -EBADMSG : 0;
}

static enum fieldbus_state state_from_link(uint8_t state)
{
	static const enum fieldbus_state states[] = {
		[LINK_UNKNOWN] = FIELDBUS_UNKNOWN,
		[LINK_ONLINE] = FIELDBUS_ONLINE,
		[LINK_OFFLINE] = FIELDBUS_OFFLINE,
		[LINK_FAILED] = FIELDBUS_FAILED,
	};

	return states[state];
}

static void receive_state(struct host *h, sd_bus_message *m)
{
	struct state s = { 0 };
	struct device *d;
	uint32_t device;
	int r;

	r = read_state(m, &s);
	d = r < 0 ? NULL : host_device(h, s.device, &device);
	if (r >= 0 && !is_current(h, s.generation)) {
		if (d)
			d->stale_dropped++;
		return;
	}
	if (r >= 0 && !d && host_had_device(h, s.device))
		return;
	if (!d) {
		host_give_up(h, "sent a malformed State");
		return;
	}
	d->heard = true;
	d->now = s.counters;
	device_enter_state(h->fieldbus, device, state_from_link(s.state), s.reason);
}

static void receive_found(struct host *h, sd_bus_message *m)
{
	if (tasks_found(h, m) < 0)
		host_give_up(h, "sent a malformed Found");
}

/* No answer holds these back: a host that only talks would leave no time for others. */
static void receive_unasked(struct host *h, sd_bus_message *m,
			    void (*receive)(struct host *h, sd_bus_message *m))
{
	size_t most = HOST_TOLD_MAX + HOST_TOLD_OF_A_DEVICE_MAX * h->fieldbus->config->n_devices;

	if (++h->n_told > most)
		host_give_up(h, "talks without end");
	else
		receive(h, m);
}

static bool is_answer(sd_bus_message *m)
{
	uint8_t type = 0;

	sd_bus_message_get_type(m, &type);
	return type == SD_BUS_MESSAGE_METHOD_RETURN || type == SD_BUS_MESSAGE_METHOD_ERROR;
}

int host_receive(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct host *h = userdata;

	(void)error;
	if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", "Disconnected"))
		host_lost(h);
	else if (h->state != HOST_CONFIGURING && h->state != HOST_RUNNING)
		return 1; /* its last words are not heard */
	else if (sd_bus_message_is_method_call(m, LINK_INTERFACE, "Values"))
		receive_values(h, m);
	else if (sd_bus_message_is_method_call(m, LINK_INTERFACE, "State"))
		receive_unasked(h, m, receive_state);
	else if (sd_bus_message_is_method_call(m, LINK_INTERFACE, "Found"))
		receive_unasked(h, m, receive_found);
	else if (!is_answer(m)) /* one that nobody waits for is only late */
		host_give_up(h, "sent what " LINK_INTERFACE " does not know");
	return 1;
}
