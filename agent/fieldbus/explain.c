/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <systemd/sd-bus.h>

#include "fieldbus/internal.h"
#include "link/marshal.h"

/* A question of fieldbus_explain() that its host has not answered. */
struct question {
	struct list list; /* host.questions */
	struct host *host;
	uint32_t device;
	sd_bus_slot *slot;
	fieldbus_explained done;
	void *userdata;
};

static void question_free(struct question *q)
{
	list_remove(&q->list);
	q->host->n_questions--;
	sd_bus_slot_unref(q->slot);
	free(q);
}

static void question_end(struct question *q, int error, const struct link_explanation *e)
{
	struct fieldbus_request *requests = e ? calloc(e->n_requests + 1, sizeof(*requests)) : NULL;

	if (e && !requests)
		error = -ENOMEM;
	for (size_t i = 0; requests && i < e->n_requests; i++)
		requests[i] = (struct fieldbus_request){
			.period_usec = e->requests[i].period_usec,
			.text = e->requests[i].text,
			.wire_bytes = e->requests[i].wire_bytes,
			.wire_usec = e->requests[i].wire_usec,
		};
	q->done(q->userdata, error, requests ? e->line : NULL, requests,
		requests ? e->n_requests : 0);
	free(requests);
	question_free(q);
}

static void question_take(struct question *q, sd_bus_message *m)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct link_explanation *lines = NULL;
	struct link_refusal *refusals;
	size_t n_refusals, n = 0;
	int r;

	r = link_read_refusals(m, &arena, &refusals, &n_refusals);
	if (r >= 0)
		r = link_read_explanations(m, &arena, &lines, &n);
	if (r < 0 && r != -ENOMEM)
		host_give_up(q->host, "sent a malformed answer to Explain");
	else if (r >= 0 && n_refusals > 0)
		r = -EINVAL;
	else if (r >= 0 && (n != 1 || lines->device != q->device))
		r = -EBADMSG;
	question_end(q, MIN(r, 0), r < 0 ? NULL : lines);
}

static int question_answered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct question *q = userdata;

	(void)error;
	if (sd_bus_message_get_error(m))
		question_end(q, -EHOSTDOWN, NULL);
	else
		question_take(q, m);
	return 1;
}

static int question_send(struct question *q)
{
	const struct device_list list = { .items = &q->device, .n = 1 };
	sd_bus_message *m = NULL;
	int r;

	r = configuration_call_new(q->host->fieldbus, q->host->link, "Explain",
				   q->host->generation, q->host->fieldbus->config, q->host->bus,
				   &list, NULL, &m);
	return host_call(q->host, r, m, &q->slot, question_answered, q);
}

int fieldbus_explain(struct fieldbus *f, uint32_t device, fieldbus_explained done, void *userdata)
{
	struct question *q;
	struct host *h;
	int r;

	if (!f->config || device >= f->config->n_devices)
		return -EINVAL;
	h = f->devices[device].host;
	if (f->stopping || !h || h->state != HOST_RUNNING ||
	    h->n_questions >= FIELDBUS_EXPLAINS_MAX)
		return -EHOSTDOWN;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct question){ .host = h, .device = device, .done = done, .userdata = userdata };
	list_append(&h->questions, &q->list);
	h->n_questions++;
	r = question_send(q);
	if (r < 0)
		question_free(q);
	return r == -ENOKEY || r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE ? -EHOSTDOWN : MIN(r, 0);
}

void questions_end(struct host *h)
{
	while (!list_is_empty(&h->questions))
		question_end(list_entry(h->questions.next, struct question, list), -EHOSTDOWN,
			     NULL);
}
