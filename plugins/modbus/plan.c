/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "point.h"

/* Frames without the data of the answer: MBAP header 7, unit and CRC 3, PDU of a request 5, of an answer 2. */
#define TCP_OVERHEAD (7 + 5 + 7 + 2)
#define RTU_OVERHEAD (3 + 5 + 3 + 2)
/* Identification: some bytes more, and texts of which nobody knows how long they are. */
#define IDENTIFICATION_OVERHEAD 6
#define OBJECT_BYTES 24
/* What a device commonly takes to think of its answer. */
#define DEVICE_USEC UINT64_C(10000)

uint32_t plan_area_limit(const struct plan_limits *limits, enum area area)
{
	if (area == AREA_IDENTIFICATION)
		return OBJECTS;
	return area_has_bits(area) ? limits->max_coils : limits->max_registers;
}

static uint64_t span_pack(const struct span *span)
{
	return (uint64_t)span->area << 56 | (uint64_t)span->model << 48 |
	       (uint64_t)span->address << 24 | span->count;
}

struct span request_span(const struct fieldway_request *request)
{
	return (struct span){
		.area = (enum area)(request->token >> 56 & 7),
		.model = request->token >> 48 & 0xff,
		.address = request->token >> 24 & 0xffffff,
		.count = request->token & 0xffffff,
	};
}

size_t span_bytes(const struct span *span)
{
	if (span->area == AREA_IDENTIFICATION)
		return 0;
	return area_has_bits(span->area) ? (span->count + 7) / 8 : 2 * span->count;
}

int point_compare(const struct point *points, uint32_t i, uint32_t j)
{
	const struct point *p = &points[i], *q = &points[j];

	if (p->area != q->area)
		return p->area < q->area ? -1 : 1;
	if (p->model != q->model)
		return p->model < q->model ? -1 : 1;
	if (p->address != q->address)
		return p->address < q->address ? -1 : 1;
	return i < j ? -1 : i > j;
}

static int compare_indices(const void *a, const void *b, void *userdata)
{
	return point_compare(userdata, *(const uint32_t *)a, *(const uint32_t *)b);
}

static bool span_reaches(const struct span *span, const struct point *p,
			 const struct plan_limits *limits)
{
	return p->area == AREA_IDENTIFICATION ||
	       p->address <= span->address + span->count + limits->max_gap;
}

/* Takes the point into the span if the limits let it; n_points are in it already. */
static bool span_extend(struct span *span, size_t n_points, const struct point *p,
			const struct plan_limits *limits)
{
	uint32_t end = span->address + span->count, point_end = (uint32_t)p->address + p->count;

	if (p->area != span->area || p->model != span->model || !span_reaches(span, p, limits))
		return false;
	if (p->area == AREA_IDENTIFICATION && n_points >= MAX_REQUEST_OBJECTS)
		return false;
	if (point_end > end)
		end = point_end;
	if (end - span->address > plan_area_limit(limits, span->area))
		return false;
	span->count = end - span->address;
	return true;
}

/* "input 0-17 (18 registers)", "model 103 + 14 (1 register)", "identification 0-2 (3 objects)". */
static void request_describe(struct fieldway_request *request, const struct span *span,
			     const struct plan_limits *limits)
{
	const char *unit = area_has_bits(span->area) ? "bit" : "register";
	size_t count = span->count;
	char place[64] = "", last[16] = "";

	if (span->area == AREA_IDENTIFICATION) {
		unit = "object";
		count = request->n_points;
	}
	if (span->model)
		wish_text(limits->wishes, span->model, place, sizeof(place));
	else
		snprintf(place, sizeof(place), "%s ", area_names[span->area]);
	if (span->count > 1)
		snprintf(last, sizeof(last), "-%u", span->address + span->count - 1);
	snprintf(request->text, sizeof(request->text), "%s%u%s (%zu %s%s)", place, span->address,
		 last, count, unit, count == 1 ? "" : "s");
}

static void request_finish(struct fieldway_request *request, const struct span *span,
			   const struct plan_limits *limits)
{
	const struct bus *bus = limits->bus;
	size_t bytes = bus && bus->framing != FRAMING_MBAP ? RTU_OVERHEAD : TCP_OVERHEAD;

	request_describe(request, span, limits);
	request->token = span_pack(span);
	if (span->area == AREA_IDENTIFICATION)
		bytes += IDENTIFICATION_OVERHEAD + OBJECT_BYTES * request->n_points;
	request->wire_bytes = (uint32_t)(bytes + span_bytes(span));
	if (bus && bus->serial)
		request->wire_usec =
			bus_wire_usec(bus, request->wire_bytes) + bus->pause_usec + DEVICE_USEC;
	else if (bus)
		request->wire_usec = bus->pause_usec; /* of the rest nobody can say more than that it is short */
}

/* sorted: indices by area, model and address. Returns the number of requests. */
static size_t plan_merge(const struct point *points, const uint32_t *sorted, size_t n,
			 const struct plan_limits *limits, struct fieldway_request *requests)
{
	struct fieldway_request *q = NULL;
	size_t n_requests = 0;
	struct span span = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct point *p = &points[sorted[i]];

		if (q && span_extend(&span, q->n_points, p, limits)) {
			q->n_points++;
			continue;
		}
		if (q)
			request_finish(q, &span, limits);
		span = (struct span){ p->area, p->model, p->address, p->count };
		q = &requests[n_requests++];
		*q = (struct fieldway_request){ .points = &sorted[i], .n_points = 1 };
	}
	if (q)
		request_finish(q, &span, limits);
	return n_requests;
}

int plan_build(const struct point *points, size_t n_points, const struct plan_limits *limits,
	       const uint32_t *wanted, size_t n_wanted, struct fieldway_plan *ret)
{
	struct fieldway_request *requests;
	uint32_t *sorted;
	size_t n = 0;

	for (size_t i = 0; i < n_wanted; i++)
		if (wanted[i] >= n_points)
			return -EINVAL;
	requests = calloc(n_wanted + 1, sizeof(*requests) + sizeof(*sorted));
	if (!requests)
		return -ENOMEM;
	sorted = (uint32_t *)(requests + n_wanted + 1);
	for (size_t i = 0; i < n_wanted; i++)
		if (points[wanted[i]].readable)
			sorted[n++] = wanted[i];
	qsort_r(sorted, n, sizeof(*sorted), compare_indices, (void *)(uintptr_t)points);
	*ret = (struct fieldway_plan){
		.requests = requests,
		.n = plan_merge(points, sorted, n, limits, requests),
		.memory = requests,
	};
	return 0;
}

void plan_done(struct fieldway_plan *plan)
{
	free(plan->memory);
	*plan = (struct fieldway_plan){ 0 };
}
