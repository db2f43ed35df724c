/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/marshal.h"

struct attempt {
	struct inquiry inquiry;
	size_t n_points;
	fieldbus_read_done done;
};

static int attempt_take(struct inquiry *q, sd_bus_message *m)
{
	const struct attempt *a = container_of(q, struct attempt, inquiry);
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_refusal *refusals;
	size_t n;
	int r;

	r = link_read_refusals(m, &arena, &refusals, &n);
	if (r < 0)
		return r;
	if (n == 0)
		return inquiry_take_reading(m, a->done, q->userdata, a->n_points);
	a->done(q->userdata, -EINVAL, refusals[0].text, NULL, 0);
	return 0;
}

static void attempt_fail(struct inquiry *q, int error, const char *text)
{
	container_of(q, struct attempt, inquiry)->done(q->userdata, error, text, NULL, 0);
}

static const struct inquiry_kind attempt_kind = { "Attempt", attempt_take, attempt_fail };

/* Any of its hosts will do: a line that another one has is opened once more. */
static struct host *find_host(const struct fieldbus *f, uint32_t bus)
{
	for (size_t i = 0; i < f->n_hosts; i++)
		if (f->hosts[i]->bus == bus && f->hosts[i]->state == HOST_RUNNING)
			return f->hosts[i];
	return NULL;
}

/* The running configuration's buses, with nothing but this device. */
static int attempt_call_new(struct host *h, const struct fieldbus_attempt *what, uint64_t usec,
			    sd_bus_message **ret)
{
	struct config_device device = { .name = (char *)(uintptr_t)what->name,
					.bus = what->bus,
					.type = what->type,
					.address = what->address,
					.enabled = true };
	struct config config = { .buses = h->fieldbus->config->buses,
				 .n_buses = h->fieldbus->config->n_buses,
				 .devices = &device,
				 .n_devices = 1 };
	uint32_t index = 0;
	const struct device_list list = { .items = &index, .n = 1 };
	int r;

	r = configuration_call_new(h->fieldbus, h->link, "Attempt", h->generation, &config, what->bus,
				   &list, NULL, ret);
	return r < 0 ? r : sd_bus_message_append(*ret, "t", inquiry_deadline(usec));
}

int fieldbus_attempt(struct fieldbus *f, const struct fieldbus_attempt *what, fieldbus_read_done done,
		     void *userdata)
{
	uint64_t usec = MIN(what->within_usec, FIELDBUS_ATTEMPT_USEC_MAX);
	sd_bus_message *m = NULL;
	struct attempt *q;
	struct host *h;
	int r;

	if (!f->config || what->bus >= f->config->n_buses ||
	    !streq(what->type->plugin->name, f->config->buses[what->bus].plugin->name))
		return -EINVAL;
	h = find_host(f, what->bus);
	r = inquiry_host_check(f, h);
	if (r < 0)
		return r;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct attempt){ .inquiry = { .kind = &attempt_kind, .userdata = userdata },
			       .n_points = what->type->n_points,
			       .done = done };
	r = attempt_call_new(h, what, usec, &m);
	return inquiry_send(&q->inquiry, h, r, m, usec);
}
