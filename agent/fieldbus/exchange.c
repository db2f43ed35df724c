/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/host1.h"

struct exchange {
	struct inquiry inquiry;
	fieldbus_exchanged done;
};

static int read_exchange(sd_bus_message *m, struct fieldbus_exchange *ret)
{
	int cut, r;

	r = sd_bus_message_read(m, "stt", &ret->text, &ret->period_usec, &ret->boottime_usec);
	if (r > 0)
		r = sd_bus_message_read_array(m, 'y', &ret->sent, &ret->n_sent);
	if (r > 0)
		r = sd_bus_message_read_array(m, 'y', &ret->received, &ret->n_received);
	if (r > 0)
		r = sd_bus_message_read(m, "b", &cut);
	if (r <= 0)
		return r == -ENOMEM ? r : -EBADMSG;
	ret->cut = cut;
	return strlen(ret->text) > LINK_TEXT_MAX ? -EBADMSG : 0;
}

static int exchange_take(struct inquiry *q, sd_bus_message *m)
{
	struct fieldbus_exchange e = { 0 };
	int r = read_exchange(m, &e);

	if (r >= 0)
		container_of(q, struct exchange, inquiry)->done(q->userdata, 0, "", &e);
	return r;
}

static void exchange_fail(struct inquiry *q, int error, const char *text)
{
	container_of(q, struct exchange, inquiry)->done(q->userdata, error, text, NULL);
}

static const struct inquiry_kind exchange_kind = { "Exchange", exchange_take, exchange_fail };

int fieldbus_exchange_get(struct fieldbus *f, uint32_t device, uint32_t point,
			  fieldbus_exchanged done, void *userdata)
{
	sd_bus_message *m = NULL;
	struct exchange *q;
	struct host *h;
	int r;

	if (!f->config || device >= f->config->n_devices ||
	    point >= f->config->devices[device].type->n_points)
		return -EINVAL;
	h = f->devices[device].host;
	r = inquiry_host_check(f, h);
	if (r < 0)
		return r;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	*q = (struct exchange){
		.inquiry = { .kind = &exchange_kind, .device = device, .userdata = userdata },
		.done = done
	};
	r = link_call_new(h->link, "Exchange", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "tuu", h->generation, f->devices[device].id, point);
	return inquiry_send(&q->inquiry, h, r, m, FIELDBUS_EXCHANGE_USEC);
}
