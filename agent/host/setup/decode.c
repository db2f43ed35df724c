/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "host/value/exponent.h"
#include "host/value/transform.h"
#include "link/marshal.h"

struct decoding {
	sd_bus_message *message;
	const struct setup *setup;
	const struct setup_device *device;
	const struct fieldway_cell *cells;
	size_t n_cells;
	void *bytes;
	char *text;
};

static int append_sample(const struct decoding *d, int exponent, struct fieldway_sample s)
{
	s.boottime_usec = clock_boottime_usec();
	exponent_apply(&d->device->type->points[s.point], exponent, &s);
	if (!link_value_is_valid(&s.value))
		s = (struct fieldway_sample){ .point = s.point,
					      .quality = FIELDWAY_INVALID,
					      .boottime_usec = s.boottime_usec };
	return link_append_sample(d->message, &s);
}

/* 1 and the raw sample; 0 when its cells are missing. */
static int decode_request(const struct decoding *d, const struct fieldway_request *request,
			  struct fieldway_sample *ret)
{
	const struct fieldway_plugin *plugin = d->setup->plugin;
	ssize_t size;
	int r;

	size = plugin->answer(d->device->driver, request, d->cells, d->n_cells, d->bytes,
			      DECODE_ANSWER_MAX);
	if (size == -ENODATA)
		return 0;
	if (size < 0)
		return (int)size;
	r = plugin->decode(d->device->driver, request, d->bytes, (size_t)size, ret, d->text,
			   SETUP_TEXT_BYTES);
	return r < 0 ? r : 1;
}

/* A point alone: the others of a request may lie on cells that the sample does not have. */
static int decode_alone(const struct decoding *d, uint32_t point, struct fieldway_sample *ret)
{
	struct fieldway_plan plan;
	int r;

	r = d->setup->plugin->plan_new(d->device->driver, &point, 1, &plan);
	if (r < 0)
		return r;
	*ret = (struct fieldway_sample){ 0 };
	if (plan.n == 1 && plan.requests[0].n_points == 1)
		r = decode_request(d, &plan.requests[0], ret);
	d->setup->plugin->plan_free(&plan);
	return r;
}

static int decode_exponent(const struct decoding *d, int32_t point, int *ret)
{
	struct fieldway_sample s;
	int r;

	*ret = 0;
	if (point < 0)
		return 1;
	r = decode_alone(d, (uint32_t)point, &s);
	if (r <= 0)
		return r;
	transform_forward(&d->device->type->points[point], &s);
	*ret = exponent_value(&s);
	return 1;
}

static int decode_point(const struct decoding *d, uint32_t point)
{
	const struct link_point *p = &d->device->type->points[point];
	struct fieldway_sample s;
	int r, exponent;

	if (!(p->access & LINK_READ))
		return 0;
	r = decode_exponent(d, p->scale10, &exponent);
	if (r > 0)
		r = decode_alone(d, point, &s);
	return r > 0 ? append_sample(d, exponent, s) : r;
}

int decode_append(sd_bus_message *m, const struct setup *s, const struct setup_device *device,
		  const struct fieldway_cell *cells, size_t n_cells)
{
	_cleanup_free_ void *bytes = malloc(DECODE_ANSWER_MAX);
	_cleanup_free_ char *text = malloc(SETUP_TEXT_BYTES);
	const struct decoding d = { m, s, device, cells, n_cells, bytes, text };
	int r;

	if (!s->plugin->answer)
		return -EOPNOTSUPP;
	if (!bytes || !text)
		return -ENOMEM;
	r = sd_bus_message_open_container(m, 'a', LINK_TYPE_SAMPLE);
	for (size_t i = 0; r >= 0 && i < device->type->n_points; i++)
		r = decode_point(&d, (uint32_t)i);
	return r < 0 ? r : sd_bus_message_close_container(m);
}
