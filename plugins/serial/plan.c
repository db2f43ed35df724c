/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

#define USUAL_QUESTION_BYTES 16u
/* What the host grants a byte where wire_bytes is all that it knows. */
#define BYTE_USEC UINT64_C(10000)

/* What all that a device sends by itself is called, for samples of a profile. */
#define STREAM REQUESTS_MAX

/* Meters begin at 300 baud, a byte each 33 ms, and end at another rate. */
static void measure(const struct fieldway_driver *d, const struct request *r, struct fieldway_request *ret)
{
	uint32_t baud = d->bus.baud;

	for (size_t i = 0; i < r->n_steps; i++) {
		const struct step *s = &r->steps[i];
		uint32_t sent = s->send ? USUAL_QUESTION_BYTES : 0, received = s->expect ? s->bytes : 0;

		if (s->frame.fixed && s->expect)
			received = s->frame.fixed;
		if (s->baud)
			baud = s->baud;
		ret->wire_bytes += sent + received;
		ret->wire_usec += bus_wire_usec(&d->bus, baud, sent + received) + s->pause_usec;
	}
	if (ret->wire_usec > ret->wire_bytes * BYTE_USEC)
		ret->wire_bytes = (uint32_t)(ret->wire_usec / BYTE_USEC) + 1;
}

static void describe(const struct fieldway_driver *d, uint32_t index, struct fieldway_request *ret)
{
	const struct request *r = &d->requests[index];

	ret->token = index;
	if (index == STREAM) {
		snprintf(ret->text, sizeof(ret->text), "what the device sends");
		return;
	}
	if (r->n_steps == 1)
		snprintf(ret->text, sizeof(ret->text), "request %.*s", (int)r->name.size, r->name.data);
	else
		snprintf(ret->text, sizeof(ret->text), "request %.*s (%zu steps)", (int)r->name.size, r->name.data,
			 r->n_steps);
	measure(d, r, ret);
}

/* The wanted points of one request, in the order in which they are wanted. */
static size_t collect(const struct fieldway_driver *d, uint32_t request, const uint32_t *points, size_t n,
		      uint32_t *ret)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		if (d->routes[points[i]].message && d->routes[points[i]].request == request && d->points[points[i]].readable)
			ret[found++] = points[i];
	return found;
}

int driver_plan(const struct fieldway_driver *driver, const uint32_t *points, size_t n_points,
		struct fieldway_plan *ret)
{
	size_t n = 0, used = 0;
	struct fieldway_request *requests = calloc(driver->n_requests + 1, sizeof(*requests));
	uint32_t *indices = calloc(n_points + 1, sizeof(*indices));

	if (!requests || !indices) {
		free(requests);
		free(indices);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i <= driver->n_requests; i++) {
		uint32_t request = i < driver->n_requests ? i : STREAM;
		size_t found = collect(driver, request, points, n_points, indices + used);

		if (!found)
			continue;
		requests[n].points = indices + used;
		requests[n].n_points = found;
		describe(driver, request, &requests[n++]);
		used += found;
	}
	*ret = (struct fieldway_plan){ .requests = requests, .n = n, .memory = indices };
	return 0;
}

void driver_plan_free(struct fieldway_plan *plan)
{
	free(plan->requests);
	free(plan->memory);
	*plan = (struct fieldway_plan){ 0 };
}
