/* SPDX-License-Identifier: Apache-2.0 */
#include "host/device/make.h"

#include <errno.h>
#include <stdlib.h>

#include "host/line/learn.h"
#include "host/line/lesson.h"
#include "host/value/exponent.h"

static int device_init(struct host_bus *b, struct device *d, const struct setup_device *setup)
{
	size_t n_points = setup->type->n_points;
	int r;

	d->bus = b;
	d->setup = setup;
	d->written = calloc(n_points + 1, sizeof(*d->written));
	d->counts = calloc(n_points + 1, sizeof(*d->counts));
	d->polls = calloc(setup->n_polls + 1, sizeof(*d->polls));
	if (!d->written || !d->counts || !d->polls)
		return -ENOMEM;
	d->n_polls = setup->n_polls;
	for (size_t i = 0; i < d->n_polls; i++)
		d->polls[i] = (struct poll){ .request = setup->polls[i].request,
					     .period_usec = setup->polls[i].period_usec };
	r = exponents_new(setup->type, &d->exponents);
	if (r < 0)
		return r;
	return values_device_init(&d->values, &b->group, setup->link->id, n_points);
}

int device_new(struct host_bus *b, const struct setup_device *setup, struct device **ret)
{
	struct device *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	r = device_init(b, d, setup);
	if (r < 0)
		device_free(d);
	else
		*ret = d;
	return r;
}

struct device *device_free(struct device *d)
{
	if (!d)
		return NULL;
	values_device_done(&d->values);
	free(d->reason);
	free(d->written);
	free(d->counts);
	learn_free(d);
	free(d->polls);
	exponents_free(d->exponents);
	setup_free(d->held);
	free(d);
	return NULL;
}

/* What was learned has requests of its own, and stands where the whole one was. */
static void follow_polls(struct device *d, const struct setup_device *from,
			 const struct setup_device *to)
{
	size_t next = 0, found;

	for (size_t i = 0; i < d->n_polls; i++) {
		struct poll *p = &d->polls[i];

		for (found = next; found < from->n_polls; found++)
			if (from->polls[found].request == p->request)
				break;
		if (found == from->n_polls)
			continue;
		p->request = to->polls[found].request;
		next = found + 1;
	}
	for (size_t i = 0; i < d->n_polls; i++)
		if (d->polls[i].lesson)
			lesson_follow(d->polls[i].lesson, to->driver, d->polls[i].request);
}

void device_follow(struct device *d, const struct setup_device *setup)
{
	follow_polls(d, d->setup, setup);
	exponents_follow(d->exponents, setup->type);
	d->setup = setup;
}
