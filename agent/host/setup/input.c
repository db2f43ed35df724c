/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/input.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "host/value/exponent.h"
#include "host/value/transform.h"
#include "link/marshal.h"

static int refuse(const struct setup *s, const struct setup_device *device, const char *key,
		  const char *text, struct refusals *refusals)
{
	const struct refusal_place place = { .bus = s->bus.name,
					     .device = device->link->name,
					     .device_id = (int32_t)device->link->id,
					     .point_index = -1 };
	int r = refusals_add(refusals, &place, key, "%s", text);

	return r < 0 ? r : -EINVAL;
}

/* The power of ten on top of a point's scale; its point has to be among the samples as well. */
static int exponent_among(const struct link_point *points, int32_t exponent,
			  const struct decoded *raw)
{
	int found = exponent < 0 ? 0 : EXPONENT_UNKNOWN;

	for (size_t i = 0; exponent >= 0 && i < raw->n; i++) {
		struct fieldway_sample s = raw->samples[i];

		if (s.point != (uint32_t)exponent)
			continue;
		transform_forward(&points[exponent], &s);
		found = exponent_value(&s);
	}
	return found;
}

static int transform(const struct setup_device *device, struct decoded *d)
{
	const struct link_point *points = device->type->points;
	struct fieldway_sample *samples = calloc(d->n + 1, sizeof(*samples));

	if (!samples)
		return -ENOMEM;
	for (size_t i = 0; i < d->n; i++) {
		const struct link_point *point = &points[d->samples[i].point];

		samples[i] = d->samples[i];
		samples[i].boottime_usec = clock_boottime_usec();
		exponent_apply(point, exponent_among(points, point->scale10, d), &samples[i]);
		if (!link_value_is_valid(&samples[i].value))
			samples[i] = (struct fieldway_sample){ .point = samples[i].point,
							       .quality = FIELDWAY_INVALID };
	}
	free(d->samples);
	d->samples = samples;
	return 0;
}

static bool is_sane(const struct setup_device *device, const struct decoded *d)
{
	if (d->n > device->type->n_points)
		return false;
	for (size_t i = 0; i < d->n; i++)
		if (d->samples[i].point >= device->type->n_points)
			return false;
	return true;
}

static int ask(const struct setup *s, const struct setup_device *device,
	       const struct fieldway_input *inputs, size_t n_inputs, struct refusals *refusals,
	       struct decoded *d)
{
	struct fieldway_error error = { .point = -1 };
	int r;

	d->samples = calloc(device->type->n_points + 1, sizeof(*d->samples));
	d->text = malloc(SETUP_TEXT_BYTES);
	if (!d->samples || !d->text)
		return -ENOMEM;
	r = s->plugin->sample(device->driver, inputs, n_inputs, d->samples, &d->n, d->text,
			      SETUP_TEXT_BYTES, &error);
	if (r < 0)
		return r == -ENOMEM ? r : refuse(s, device, error.key, error.text, refusals);
	if (!is_sane(device, d))
		return refuse(s, device, NULL, "the plugin told of points that there are not",
			      refusals);
	return transform(device, d);
}

int decode_inputs(const struct setup *s, const struct setup_device *device,
		  const struct fieldway_input *inputs, size_t n_inputs, struct refusals *refusals,
		  struct decoded *ret)
{
	struct decoded d = { 0 };
	int r;

	if (!s->plugin->sample)
		return refuse(s, device, inputs->name, "the plugin's samples have registers",
			      refusals);
	r = ask(s, device, inputs, n_inputs, refusals, &d);
	if (r < 0)
		decoded_done(&d);
	else
		*ret = d;
	return r;
}

void decoded_done(struct decoded *d)
{
	free(d->samples);
	free(d->text);
	*d = (struct decoded){ 0 };
}

int decoded_append(struct sd_bus_message *m, const struct decoded *d)
{
	int r = sd_bus_message_open_container(m, 'a', LINK_TYPE_SAMPLE);

	for (size_t i = 0; r >= 0 && i < d->n; i++)
		r = link_append_sample(m, &d->samples[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}
