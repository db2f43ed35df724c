/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "fieldbus/internal.h"
#include "link/marshal.h"

struct question {
	struct inquiry inquiry;
	uint32_t device;
	fieldbus_explained done;
};

static int question_tell(const struct question *q, const struct link_explanation *e)
{
	_cleanup_free_ struct fieldbus_request *requests = calloc(e->n_requests + 1, sizeof(*requests));

	if (!requests)
		return -ENOMEM;
	for (size_t i = 0; i < e->n_requests; i++)
		requests[i] = (struct fieldbus_request){
			.period_usec = e->requests[i].period_usec,
			.text = e->requests[i].text,
			.wire_bytes = e->requests[i].wire_bytes,
			.wire_usec = e->requests[i].wire_usec,
		};
	q->done(q->inquiry.userdata, 0, "", e->line, requests, e->n_requests);
	return 0;
}

static int question_take(struct inquiry *inquiry, sd_bus_message *m)
{
	const struct question *q = container_of(inquiry, struct question, inquiry);
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_explanation *lines;
	struct link_refusal *refusals;
	size_t n_refusals, n;
	int r;

	r = link_read_refusals(m, &arena, &refusals, &n_refusals);
	if (r >= 0)
		r = link_read_explanations(m, &arena, &lines, &n);
	if (r < 0)
		return r;
	if (n_refusals == 0)
		return n == 1 && lines->device == q->device ? question_tell(q, lines) : -EBADMSG;
	q->done(inquiry->userdata, -EINVAL, refusals[0].text, NULL, NULL, 0);
	return 0;
}

static void question_fail(struct inquiry *q, int error, const char *text)
{
	container_of(q, struct question, inquiry)->done(q->userdata, error, text, NULL, NULL, 0);
}

static const struct inquiry_kind explain_kind = { "Explain", question_take, question_fail };

int fieldbus_explain(struct fieldbus *f, uint32_t device, fieldbus_explained done, void *userdata)
{
	const struct device_list list = { .items = &device, .n = 1 };
	sd_bus_message *m = NULL;
	struct question *q;
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
	*q = (struct question){ .inquiry = { .kind = &explain_kind,
					     .device = device,
					     .userdata = userdata },
				.device = device,
				.done = done };
	r = configuration_call_new(f, h->link, "Explain", h->generation, f->config, h->bus, &list, NULL, &m);
	r = inquiry_send(&q->inquiry, h, r, m, FIELDBUS_EXPLAIN_USEC);
	return r == -ENOKEY ? -EHOSTDOWN : r;
}
