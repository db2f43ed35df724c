/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "fieldbus/internal.h"
#include "link/marshal.h"

struct read {
	struct inquiry inquiry;
	size_t n_points; /* of the device */
	fieldbus_read_done done;
};

static int read_take(struct inquiry *q, sd_bus_message *m)
{
	const struct read *r = container_of(q, struct read, inquiry);

	return inquiry_take_reading(m, r->done, q->userdata, r->n_points);
}

static void read_fail(struct inquiry *q, int error, const char *text)
{
	container_of(q, struct read, inquiry)->done(q->userdata, error, text, NULL, 0);
}

static const struct inquiry_kind read_kind = { "Read", read_take, read_fail };

static int read_check(const struct fieldbus *f, uint32_t device, const uint32_t *points, size_t n)
{
	const struct device *d;

	if (!f->config || device >= f->config->n_devices || n == 0 || n > LINK_POINTS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (points[i] >= f->config->devices[device].type->n_points)
			return -EINVAL;
	d = &f->devices[device];
	if (d->state == FIELDBUS_OFFLINE || d->state == FIELDBUS_FAILED || d->state == FIELDBUS_PAUSED)
		return -EHOSTDOWN;
	return inquiry_host_check(f, d->host);
}

static int read_call_new(struct host *h, uint32_t device, const uint32_t *points, size_t n,
			 sd_bus_message **ret)
{
	int r = link_call_new(h->link, "Read", ret);

	if (r >= 0)
		r = sd_bus_message_append(*ret, "tu", h->generation, h->fieldbus->devices[device].id);
	if (r >= 0)
		r = sd_bus_message_append_array(*ret, 'u', points, n * sizeof(*points));
	return r < 0 ? r : sd_bus_message_append(*ret, "t", inquiry_deadline(FIELDBUS_READ_USEC));
}

int fieldbus_read(struct fieldbus *f, uint32_t device, const uint32_t *points, size_t n,
		  fieldbus_read_done done, void *userdata)
{
	const struct config_device *c;
	sd_bus_message *m = NULL;
	struct host *h;
	struct read *q;
	int r;

	r = read_check(f, device, points, n);
	if (r < 0)
		return r;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	c = &f->config->devices[device];
	h = f->devices[device].host;
	*q = (struct read){ .inquiry = { .kind = &read_kind, .device = device, .userdata = userdata },
			    .n_points = c->type->n_points,
			    .done = done };
	r = read_call_new(h, device, points, n, &m);
	return inquiry_send(&q->inquiry, h, r, m, FIELDBUS_READ_USEC);
}
