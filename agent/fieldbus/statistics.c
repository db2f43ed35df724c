/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "fieldbus/internal.h"
#include "link/marshal.h"

struct statistics {
	struct inquiry inquiry;
	size_t n_points; /* of the device */
	fieldbus_counted done;
};

/* ---- texts and numbers of one device, by its host ---- */

static struct fieldbus_request_statistics of_request(const struct link_request_statistics *s)
{
	return (struct fieldbus_request_statistics){
		.text = s->text,
		.period_usec = s->period_usec,
		.effective_usec = s->effective_usec,
		.requests = s->requests,
		.errors = s->errors,
		.timeouts = s->timeouts,
		.exceptions = s->exceptions,
		.last_usec = s->last_usec,
		.mean_usec = s->mean_usec,
		.max_usec = s->max_usec,
	};
}

static struct fieldbus_point_statistics of_point(const struct link_point_statistics *s)
{
	return (struct fieldbus_point_statistics){
		.point = s->point,
		.good = s->good,
		.invalid = s->invalid,
		.failed = s->failed,
		.unchanged = s->unchanged,
		.conflated = s->conflated,
		.error = s->error,
		.text = s->text,
	};
}

struct answer {
	struct link_request_statistics *requests;
	struct link_point_statistics *points;
	size_t n_requests, n_points;
};

static int read_answer(const struct statistics *s, sd_bus_message *m, struct arena *arena,
		       struct answer *a)
{
	int r = link_read_request_statistics(m, arena, &a->requests, &a->n_requests);

	if (r >= 0)
		r = link_read_point_statistics(m, arena, &a->points, &a->n_points);
	for (size_t i = 0; r >= 0 && i < a->n_points; i++)
		if (a->points[i].point >= s->n_points)
			return -EBADMSG;
	return r;
}

static int statistics_take(struct inquiry *q, sd_bus_message *m)
{
	const struct statistics *s = container_of(q, struct statistics, inquiry);
	_cleanup_arena_ struct arena arena = { 0 };
	struct fieldbus_device_details d = { 0 };
	struct answer a;
	int r;

	r = read_answer(s, m, &arena, &a);
	if (r < 0)
		return r;
	d.requests = arena_new(&arena, (a.n_requests + 1) * sizeof(*d.requests));
	d.points = arena_new(&arena, (a.n_points + 1) * sizeof(*d.points));
	if (!d.requests || !d.points)
		return -ENOMEM;
	for (size_t i = 0; i < a.n_requests; i++)
		d.requests[d.n_requests++] = of_request(&a.requests[i]);
	for (size_t i = 0; i < a.n_points; i++)
		d.points[d.n_points++] = of_point(&a.points[i]);
	s->done(q->userdata, 0, "", &d);
	return 0;
}

static void statistics_fail(struct inquiry *q, int error, const char *text)
{
	static const struct fieldbus_device_details nothing;

	container_of(q, struct statistics, inquiry)->done(q->userdata, error, text, &nothing);
}

static const struct inquiry_kind statistics_kind = { "Statistics", statistics_take, statistics_fail };

int fieldbus_statistics_get(struct fieldbus *f, uint32_t device, fieldbus_counted done, void *userdata)
{
	sd_bus_message *m = NULL;
	struct statistics *q;
	struct host *h;
	int r;

	if (!f->config || device >= f->config->n_devices)
		return -EINVAL;
	h = f->devices[device].host;
	r = inquiry_host_check(f, h);
	if (r < 0)
		return r;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct statistics){ .inquiry = { .kind = &statistics_kind,
					       .device = device,
					       .userdata = userdata },
				  .n_points = f->config->devices[device].type->n_points,
				  .done = done };
	r = link_call_new(h->link, "Statistics", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "tu", h->generation, f->devices[device].id);
	return inquiry_send(&q->inquiry, h, r, m, FIELDBUS_STATISTICS_USEC);
}

/* ---- sums of what hosts tell unasked ---- */

static void add(struct fieldbus_statistics *sum, const struct fieldbus_statistics *s)
{
	sum->requests += s->requests;
	sum->errors += s->errors;
	sum->timeouts += s->timeouts;
	sum->conflated += s->conflated;
	sum->stale_dropped += s->stale_dropped;
}

void fieldbus_bus_statistics(const struct fieldbus *f, uint32_t bus, struct fieldbus_statistics *ret)
{
	struct fieldbus_statistics s;

	*ret = (struct fieldbus_statistics){ 0 };
	for (uint32_t i = 0; f->config && i < f->config->n_devices; i++) {
		if (f->config->devices[i].bus != bus)
			continue;
		fieldbus_device_statistics(f, i, &s);
		add(ret, &s);
	}
	/* A host serves many devices. */
	for (size_t i = 0; i < f->n_hosts; i++)
		if (f->hosts[i]->bus == bus && f->hosts[i]->launches > 0)
			ret->host_restarts += f->hosts[i]->launches - 1;
}
